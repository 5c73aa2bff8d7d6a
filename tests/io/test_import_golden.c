/* Every PLINK set under ../shared/data: imported, and its allele frequencies compared with
 * plink2's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "io/file.h"
#include "io/import.h"
#include "io/store.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "tests/support/scratch.h"

typedef struct data_set {
    const char *prefix; /* under shared/data */
    const char *afreq;  /* under shared/data/golden, or NULL */
    int64_t n, m;       /* lines of .fam and .bim */
    int64_t autosomes;  /* as plink2 was told */
} data_set;

static const data_set sets[] = {
    {"bigsnpr-example/example", "bigsnpr-example/qc.afreq.gz", 517, 4542, 95},
    {"bigsnpr-example/example-missing", "bigsnpr-example/missing_qc.afreq", 200, 500, 95},
    {"bxd-gemma/issue188/2000", NULL, 1008, 2000, 95},
    {"fastlmm-toydata/toydata.5chrom", "fastlmm-toydata/qc.afreq.gz", 500, 10000, 95},
    {"hapmap3-flashpca/HM3_thinned_autosomal_overlap", "hapmap3-flashpca/qc.afreq.gz", 957, 14079,
     95},
    {"maize-mdp/derived/mdp", "maize-mdp/qc.afreq.gz", 281, 3093, 95},
    {"mice-bglr/derived/mice", "mice-bglr/qc.afreq.gz", 1814, 10346, 95},
    {"mice-ldak/mice", "mice-ldak/qc.afreq.gz", 1940, 2984, 95},
    {"plinkqc/data", "plinkqc/qc.afreq.gz", 200, 10000, 22},
    {"regenie-example/example", "regenie-example/qc.afreq.gz", 500, 1000, 95},
    {"regenie-example/example_3chr", NULL, 500, 500, 95},
    {"regenie-example/example_3chr_masks", NULL, 500, 2, 95},
    {"wheat-bglr/derived/wheat", "wheat-bglr/qc.afreq.gz", 599, 1279, 95},
};

static const char *data_folder(void) {
    static char path[1024];
    const char *source = getenv("GP_SOURCE");
    snprintf(path, sizeof path, "%s/../shared/data", source ? source : ".");
    return access(path, R_OK) == 0 ? path : NULL;
}

/* Whom plink2 --freq counts: founders; and who among them has one X. */
typedef struct counted {
    uint8_t *founder, *male, *row; /* [stride] */
    int64_t stride;
} counted;

static void counted_init(counted *c, gp_store *store) {
    gp_err err = {0};
    gp_samples s = {0};
    c->stride = gp_geno_stride(gp_store_sample_count(store));
    c->founder = gp_mem_alloc(c->stride, 1, &err);
    c->male = gp_mem_alloc(c->stride, 1, &err);
    c->row = gp_mem_alloc(c->stride, 1, &err);
    assert_int_equal(gp_store_read_samples(store, &s, &err), GP_OK);
    for (int64_t i = 0; i < s.n; i++)
        if (strcmp(gp_samples_father(&s, i), "0") == 0 &&
            strcmp(gp_samples_mother(&s, i), "0") == 0)
            gp_mask_set(s.sex[i] == 1 ? c->male : c->founder, i);
    for (int64_t k = 0; k < c->stride; k++)
        c->founder[k] |= c->male[k];
    gp_samples_free(&s);
}

static void counted_free(counted *c) {
    free(c->founder);
    free(c->male);
    free(c->row);
}

/* "#CHROM ID REF ALT ALT_FREQS OBS_CT" of one variant. */
typedef struct golden_line {
    char chromosome[32], id[128], ref[128], alt[128], frequency[32];
    int64_t alleles;
} golden_line;

static char *next_golden(char *at, golden_line *g) {
    long long alleles = 0;
    int used = 0;
    if (sscanf(at, "%31s %127s %127s %127s %31s %lld%n", g->chromosome, g->id, g->ref, g->alt,
               g->frequency, &alleles, &used) != 6)
        return NULL;
    g->alleles = alleles;
    return at + used;
}

/* Alleles of one variant and how many are ALT; on X a male has one, and none if he is heterozygous.
 */
static void count_alleles(gp_store *store, int64_t k, int64_t j, const counted *who,
                          int64_t alleles[2]) {
    gp_err err = {0};
    int64_t n = gp_store_sample_count(store);
    assert_int_equal(gp_store_read_genotypes(store, k, j, 1, 0, n, who->row, &err), GP_OK);
    gp_counts all = gp_geno_count(who->row, who->founder, who->stride), males = {0};
    if (gp_store_chromosome(store, k)->kind == GP_X)
        males = gp_geno_count(who->row, who->male, who->stride);
    alleles[0] = 2 * (all.call[0] + all.call[1] + all.call[2]) - males.call[0] - 2 * males.call[1] -
                 males.call[2];
    alleles[1] = 2 * all.call[2] + all.call[1] - males.call[1] - males.call[2];
}

static void compare_variant(const golden_line *g, const int64_t alleles[2]) {
    double expected = strtod(g->frequency, NULL), got = (double)alleles[1] / (double)alleles[0];
    assert_int_equal(g->alleles, alleles[0]);
    if (alleles[0] > 0 && fabs(got - expected) > 1e-5 * expected) /* plink2 prints 6 digits */
        fail_msg("%s: frequency %.9g, not %s", g->id, got, g->frequency);
}

/* Walks both in order: plink2 lists variants as the .bim does, which all these sets have sorted. */
static void compare_with_golden(gp_store *store, char *golden) {
    gp_err err = {0};
    gp_variants v = {0};
    golden_line g;
    counted who = {0};
    int64_t alleles[2];
    char *at = strchr(golden, '\n') + 1;
    counted_init(&who, store);
    for (int64_t k = 0; k < gp_store_chromosome_count(store); k++) {
        const gp_chromosome *c = gp_store_chromosome(store, k);
        gp_counts *counts = gp_mem_alloc(c->count, sizeof *counts, &err);
        assert_int_equal(gp_store_read_variants(store, k, 0, c->count, &v, &err), GP_OK);
        assert_int_equal(gp_store_read_counts(store, k, 0, c->count, counts, &err), GP_OK);
        for (int64_t j = 0; j < c->count; j++) {
            at = next_golden(at, &g);
            assert_non_null(at);
            assert_string_equal(g.chromosome, c->kind == GP_X ? "X" : c->name);
            assert_string_equal(g.id, v.id[j]);
            assert_string_equal(g.ref, v.ref[j]);
            assert_string_equal(g.alt, v.alt[j]);
            count_alleles(store, k, j, &who, alleles);
            compare_variant(&g, alleles);
            gp_counts all = gp_geno_count(who.row, who.founder, who.stride);
            if (gp_mask_count(who.founder, who.stride) == gp_store_sample_count(store))
                assert_memory_equal(&all, &counts[j], sizeof all);
        }
        free(counts);
    }
    counted_free(&who);
    gp_variants_free(&v);
}

static void check_set(const char *folder, const data_set *set) {
    gp_err err = {0};
    gp_import_result result = {0};
    gp_store *store = NULL;
    gp_text golden = {0};
    char prefix[2048];
    snprintf(prefix, sizeof prefix, "%s/%s", folder, set->prefix);
    gp_import ask = {.bfile = prefix, .out = scratch("out.h5"), .autosomes = set->autosomes};
    if (gp_import_bfile(&ask, &result, &err) != GP_OK ||
        gp_store_open(&store, scratch("out.h5"), &err) != GP_OK)
        fail_msg("%s", err.text);
    assert_int_equal(gp_store_sample_count(store), set->n);
    assert_int_equal(gp_store_variant_count(store), set->m);
    if (set->afreq != NULL) {
        snprintf(prefix, sizeof prefix, "%s/golden/%s", folder, set->afreq);
        if (gp_io_read_text(prefix, &golden, &err) != GP_OK)
            fail_msg("%s", err.text);
        compare_with_golden(store, golden.bytes);
    }
    gp_text_free(&golden);
    gp_store_close(store);
    gp_import_result_free(&result);
}

static void every_real_set_has_the_frequencies_of_plink2(void **state) {
    const char *folder = data_folder();
    (void)state;
    if (folder == NULL) {
        print_message("skipped: no ../shared/data beside the source\n");
        skip();
    }
    for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++)
        check_set(folder, &sets[k]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_real_set_has_the_frequencies_of_plink2, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
