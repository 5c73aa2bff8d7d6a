/* PLINK sets written: bytes by hand, and nothing left after a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/bfile_write.h"
#include "io/file.h"
#include "src/geno/code.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

static int some_samples(gp_samples *s, gp_err *err) {
    static const gp_sample sample[5] = {{"F1", "I1", "0", "0", 1},
                                        {"F1", "I2", "0", "0", 2},
                                        {"F1", "I3", "I1", "I2", 2},
                                        {"F4", "I4", "0", "0", 0},
                                        {"F5", "I5", "0", "0", 1}};
    for (int i = 0; i < 5; i++)
        gp_samples_add(s, &sample[i], err);
    return err->code;
}

/* Calls 0 1 2 missing 2, and 1 1 1 1 0. */
static void some_rows(uint8_t rows[2][16]) {
    static const int call[2][5] = {{0, 1, 2, 3, 2}, {1, 1, 1, 1, 0}};
    memset(rows, 0, 32);
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 5; i++)
            gp_geno_set(rows[v], i, call[v][i]);
}

static int write_set(void *context, gp_err *err) {
    gp_samples samples = {0};
    gp_bfile_writer writer = {0};
    uint8_t rows[2][16];
    int64_t position[2] = {100, 250000};
    double morgan[2] = {0.0001, 0.25};
    char id1[] = "rs1", id2[] = "rs2", a[] = "A", g[] = "G";
    char *id[2] = {id1, id2}, *ref[2] = {a, g}, *alt[2] = {g, a};
    gp_variants v = {.count = 2, .position = position, .id = id, .ref = ref, .alt = alt};
    v.morgan = morgan;
    some_rows(rows);
    if (some_samples(&samples, err) == GP_OK &&
        gp_bfile_write_open(&writer, context, &samples, err) == GP_OK &&
        gp_bfile_write_append(&writer, "7", &v, rows[0], err) == GP_OK)
        gp_bfile_write_finish(&writer, context, err);
    gp_bfile_write_discard(&writer);
    gp_samples_free(&samples);
    return err->code;
}

static void expect_file(const char *name, const void *bytes, size_t n) {
    gp_err err = {0};
    int64_t size = 0;
    char found[256];
    assert_int_equal(gp_io_file_size(scratch(name), &size, &err), GP_OK);
    assert_int_equal(size, n);
    FILE *file = fopen(scratch(name), "rb");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, n, file), n);
    fclose(file);
    assert_memory_equal(found, bytes, n);
}

static void a_set_has_the_bytes_plink_expects(void **state) {
    (void)state;
    gp_err err = {0};
    char prefix[1024];
    snprintf(prefix, sizeof prefix, "%s", scratch("set"));
    assert_int_equal(write_set(prefix, &err), GP_OK);
    /* 00 = two of allele 1, 10 = one, 11 = none, 01 = missing; first sample in the low bits. */
    static const uint8_t bed[] = {0x6c, 0x1b, 1, 0x4b, 0x00, 0xaa, 0x03};
    static const char bim[] = "7\trs1\t0.0001\t100\tG\tA\n7\trs2\t0.25\t250000\tA\tG\n";
    static const char fam[] = "F1\tI1\t0\t0\t1\tNA\nF1\tI2\t0\t0\t2\tNA\nF1\tI3\tI1\tI2\t2\tNA\n"
                              "F4\tI4\t0\t0\t0\tNA\nF5\tI5\t0\t0\t1\tNA\n";
    expect_file("set.bed", bed, sizeof bed);
    expect_file("set.bim", bim, sizeof bim - 1);
    expect_file("set.fam", fam, sizeof fam - 1);
    assert_int_equal(scratch_entries(scratch_folder, 0), 3);
}

static void a_folder_that_is_not_there_is_an_error(void **state) {
    (void)state;
    gp_err err = {0};
    char prefix[1024];
    snprintf(prefix, sizeof prefix, "%s", scratch("none/set"));
    assert_int_equal(write_set(prefix, &err), GP_EFAIL);
    assert_non_null(strstr(err.text, "none/set.bed: cannot be made"));
}

static int write_and_look(void *context, gp_err *err) {
    if (write_set(context, err) != GP_OK)
        assert_int_equal(scratch_entries(scratch_folder, 0), 0);
    return err->code;
}

static void a_refused_allocation_leaves_nothing(void **state) {
    (void)state;
    char prefix[1024];
    snprintf(prefix, sizeof prefix, "%s", scratch("set"));
    assert_true(gp_test_fail_each(write_and_look, prefix) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_set_has_the_bytes_plink_expects, scratch_clear),
        cmocka_unit_test_teardown(a_folder_that_is_not_there_is_an_error, scratch_clear),
        cmocka_unit_test_teardown(a_refused_allocation_leaves_nothing, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
