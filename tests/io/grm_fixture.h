/** A small relationship matrix and its file: what the tests of io/grm share. Include cmocka.h
 * first. */
#ifndef GP_TESTS_IO_GRM_FIXTURE_H
#define GP_TESTS_IO_GRM_FIXTURE_H

#include "io/grm.h"
#include "tests/support/random.h"
#include <stdio.h>
#include <string.h>

enum { GRM_N = 7, GRM_CHROMOSOMES = 2, GRM_ELEMENTS = GRM_N * (GRM_N + 1) / 2 };

static const char *grm_fid[GRM_N] = {"A", "A", "B", "0", "C", "longer family", "D"};
static const char *grm_iid[GRM_N] = {"1", "2", "1", "x", "y", "z", "\xC3\xA9"};
static const char *grm_chromosome[GRM_CHROMOSOMES] = {"2", "X"};
static const int64_t grm_variants[1 + GRM_CHROMOSOMES] = {90, 60, 30};

/** Element (i, j) of matrix m (0 = the whole): about 90 times a relationship. */
static inline double grm_element(int64_t m, int64_t i, int64_t j) {
    uint64_t seed = (uint64_t)(1000 * m + 50 * i + j);
    return 90.0 * ((double)(i == j) + 0.2 * (gp_test_uniform(&seed) - 0.5));
}

static inline gp_grm_about grm_about(void) {
    return (gp_grm_about){.form = "standardised",
                          .store_digest = "00112233445566778899aabbccddeeff",
                          .filters = "maf 0.01\nchr 1-22\n",
                          .n = GRM_N,
                          .fid = grm_fid,
                          .iid = grm_iid,
                          .chromosomes = GRM_CHROMOSOMES,
                          .chromosome = grm_chromosome};
}

static inline int grm_fill(gp_grm_writer *writer, uint64_t *check, gp_err *err) {
    double row[GRM_N];
    for (int64_t m = 0; m <= GRM_CHROMOSOMES; m++)
        for (int64_t i = GRM_N - 1; i >= 0; i--) {
            for (int64_t j = 0; j <= i; j++) {
                row[j] = grm_element(m, i, j);
                check[m] += gp_grm_check(i, j, row[j]);
            }
            /* a row in two runs, the second one first */
            int64_t half = i / 2;
            if (gp_grm_write(writer, m - 1, i, half, i + 1 - half, row + half, err) != GP_OK ||
                gp_grm_write(writer, m - 1, i, 0, half, row, err) != GP_OK)
                return err->code;
        }
    return GP_OK;
}

/** Writes the matrices as one process. */
static inline int grm_make(const char *path, gp_err *err) {
    gp_grm_about about = grm_about();
    gp_grm_writer *writer = NULL;
    uint64_t check[1 + GRM_CHROMOSOMES] = {0};
    if (gp_grm_create(&writer, path, &about, 1, err) == GP_OK &&
        gp_grm_join(writer, 0, err) == GP_OK && grm_fill(writer, check, err) == GP_OK)
        gp_grm_leave(writer, grm_variants, check, err);
    return gp_grm_finish(writer, err->code == GP_OK, err);
}

static inline void grm_says(const gp_err *err, int code, const char *words) {
    if (err->code != code || strstr(err->text, words) == NULL)
        fail_msg("expected %d '%s', got %d '%s'", code, words, err->code, err->text);
}

/** That a file is refused, with these words behind its name. */
static inline void grm_refused(const char *path, const char *words) {
    gp_err err = {0};
    gp_grm *grm = NULL;
    gp_grm_open(&grm, path, &err);
    assert_null(grm);
    grm_says(&err, GP_EINPUT, words);
}

#endif
