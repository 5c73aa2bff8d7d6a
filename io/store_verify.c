#include "io/store_digest.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <stdlib.h>
#include <string.h>

/* What a verification holds: one run of variants at a time. */
typedef struct check {
    gp_store *store;
    int64_t run; /* variants */
    int64_t stride;
    gp_variants variants;
    uint8_t *rows;     /* [run x stride] */
    gp_counts *counts; /* [run] */
    uint8_t *mask;     /* [stride] all samples */
    gp_digest digest;
    int64_t position; /* the last one */
    int64_t done, total;
    void (*progress)(void *context, int64_t done, int64_t total);
    void *context;
} check;

/* As many variants as a block of the store, or a few MiB. */
static int64_t run_length(int64_t block, int64_t stride) {
    int64_t run = (4 << 20) / stride;
    return run > 4096 ? 4096 : run > block ? run : block;
}

static int wrong(const check *c, int64_t k, int64_t i, const char *what, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: /chromosomes/%s is damaged: %s of variant %lld; restore the file from a "
                      "copy, or import it again",
                      gp_store_path(c->store), gp_store_chromosome(c->store, k)->name, what,
                      (long long)i + 1);
}

static int check_run(check *c, int64_t k, int64_t first, int64_t count, gp_err *err) {
    gp_store *s = c->store;
    if (gp_store_read_variants(s, k, first, count, &c->variants, err) != GP_OK ||
        gp_store_read_counts(s, k, first, count, c->counts, err) != GP_OK ||
        gp_store_read_genotypes(s, k, first, count, 0, gp_store_sample_count(s), c->rows, err) !=
            GP_OK)
        return err->code;
    if (first == 0) {
        c->position = 0;
        gp_digest_chromosome(&c->digest, gp_store_chromosome(s, k), c->variants.morgan != NULL);
    }
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *row = c->rows + i * c->stride;
        gp_counts counts = gp_geno_count(row, c->mask, c->stride);
        if (memcmp(&counts, &c->counts[i], sizeof counts) != 0)
            return wrong(c, k, first + i, "counts do not match the genotypes", err);
        if (c->variants.position[i] < c->position)
            return wrong(c, k, first + i, "a step back in the position", err);
        c->position = c->variants.position[i];
        gp_digest_variant(&c->digest, &c->variants, i, row);
    }
    c->done += count * c->stride;
    if (c->progress != NULL)
        c->progress(c->context, c->done, c->total);
    return GP_OK;
}

/* A chromosome that has been read, against its own digest. */
static int check_chromosome(check *c, int64_t k, gp_err *err) {
    const char *written = gp_store_chromosome_digest(c->store, k);
    char hex[33];
    gp_digest_chromosome_end(&c->digest, hex);
    if (written == NULL || strcmp(hex, written) == 0)
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "%s: /chromosomes/%s is damaged: its content has the digest %s where %s was "
                      "written; restore the file from a copy, or import it again",
                      gp_store_path(c->store), gp_store_chromosome(c->store, k)->name, hex,
                      written);
}

static int begin(check *c, const char *path, gp_err *err) {
    gp_samples samples = {0};
    if (gp_store_open(&c->store, path, err) != GP_OK)
        return err->code;
    int64_t n = gp_store_sample_count(c->store);
    c->stride = gp_geno_stride(n);
    c->run = run_length(gp_store_block(c->store), c->stride);
    c->total = gp_store_variant_count(c->store) * c->stride;
    if (gp_store_read_samples(c->store, &samples, err) == GP_OK)
        gp_digest_begin(&c->digest, &samples, err);
    gp_samples_free(&samples);
    c->rows = gp_mem_alloc(c->run, c->stride, err);
    c->counts = gp_mem_alloc(c->run, sizeof *c->counts, err);
    c->mask = gp_mem_alloc(c->stride, 1, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        gp_mask_set(c->mask, i);
    return GP_OK;
}

int gp_store_verify(const char *path, void (*progress)(void *context, int64_t done, int64_t total),
                    void *context, gp_err *err) {
    check c = {.progress = progress, .context = context};
    char hex[33];
    if (begin(&c, path, err) != GP_OK)
        goto done;
    for (int64_t k = 0; k < gp_store_chromosome_count(c.store); k++) {
        int64_t all = gp_store_chromosome(c.store, k)->count;
        for (int64_t first = 0; first < all; first += c.run) {
            int64_t count = all - first < c.run ? all - first : c.run;
            if (check_run(&c, k, first, count, err) != GP_OK)
                goto done;
        }
        if (check_chromosome(&c, k, err) != GP_OK)
            goto done;
    }
    gp_digest_end(&c.digest, hex);
    if (strcmp(hex, gp_store_digest(c.store)) != 0)
        gp_err_set(
            err, GP_EINPUT,
            "%s: is damaged: its content has the digest %s where %s was written; restore the "
            "file from a copy, or import it again",
            path, hex, gp_store_digest(c.store));
done:
    gp_store_close(c.store);
    gp_variants_free(&c.variants);
    gp_digest_free(&c.digest);
    free(c.rows);
    free(c.counts);
    free(c.mask);
    return err->code;
}
