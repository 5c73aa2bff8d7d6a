#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/digits.h"
#include "io/sumstats.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <math.h>

/* ---- lines ---- */

static const gp_result some_result = {.status = GP_STATUS_OK,
                                      .n = 1000,
                                      .frequency = 0.5,
                                      .beta = -0.25,
                                      .se = 1.0 / 3,
                                      .statistic = -0.75,
                                      .neglog10p = 12};

enum { VARIANTS = 4 };
static int64_t position[VARIANTS] = {123456, 5, 300000000, 99999999};
static char *id[VARIANTS] = {"rs7", ".", "a:b", "rs12345678"};
static char *ref[VARIANTS] = {"GT", ".", "C", "G"};
static char *alt[VARIANTS] = {"A", ".", "..", "T"};
static const gp_variants some_variants = {
    .count = VARIANTS, .position = position, .id = id, .ref = ref, .alt = alt};

/* The lines of the chosen variants, as one string to be freed. */
static gp_text lines_of(const int64_t *chosen, int64_t count, const gp_result *result,
                        int64_t step) {
    gp_err err = {0};
    gp_text text = {0};
    gp_sumstat_sites sites = {0};
    assert_int_equal(gp_sumstat_sites_set(&sites, "chr1", &some_variants, chosen, count, &err),
                     GP_OK);
    assert_int_equal(gp_sumstat_print(&sites, result, step, &text, &err), GP_OK);
    assert_int_equal(text.length, strlen(text.bytes));
    gp_sumstat_sites_free(&sites);
    return text;
}

static void a_line_has_the_columns_of_the_header(void **state) {
    (void)state;
    gp_text text = lines_of((const int64_t[]){0}, 1, &some_result, 1);
    assert_string_equal(
        text.bytes,
        "chr1\t123456\tA\tGT\t-0.25\t0.333333333\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\n");
    assert_string_equal(gp_sumstat_header,
                        "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\t"
                        "standard_error\teffect_allele_frequency\tp_value\tn\tid\tstatistic\t"
                        "neg_log_10_p_value\tstatus\n");
    gp_text_free(&text);
}

static void what_is_no_number_or_unknown_is_na(void **state) {
    (void)state;
    gp_result result = {GP_STATUS_CONSTANT, 1000, NAN, NAN, NAN, NAN, NAN};
    gp_text text = lines_of((const int64_t[]){1}, 1, &result, 1);
    assert_string_equal(text.bytes, "chr1\t5\t#NA\t#NA\t#NA\t#NA\t#NA\t#NA\t1000\t.\t#NA\t#NA\t"
                                    "CONSTANT\n");
    gp_text_free(&text);
    result = (gp_result){GP_STATUS_OK, 0, INFINITY, -INFINITY, INFINITY, INFINITY, INFINITY};
    text = lines_of((const int64_t[]){1}, 1, &result, 1);
    assert_string_equal(text.bytes, "chr1\t5\t#NA\t#NA\t#NA\t#NA\t#NA\t#NA\t0\t.\t#NA\t#NA\tOK\n");
    gp_text_free(&text);
}

static void lines_are_those_of_the_chosen_variants_and_of_one_trait(void **state) {
    (void)state;
    gp_result result[6];
    for (int k = 0; k < 6; k++) {
        result[k] = some_result;
        result[k].beta = k;
        result[k].n = 1000 + k / 4;
    }
    gp_text text = lines_of((const int64_t[]){0, 2, 3}, 3, result + 1, 2);
    assert_string_equal(
        text.bytes,
        "chr1\t123456\tA\tGT\t1\t0.333333333\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\n"
        "chr1\t300000000\t..\tC\t3\t0.333333333\t0.5\t1e-12\t1000\ta:b\t-0.75\t12\tOK\n"
        "chr1\t99999999\tT\tG\t5\t0.333333333\t0.5\t1e-12\t1001\trs12345678\t-0.75\t12\tOK\n");
    gp_text_free(&text);
}

static void every_outcome_has_its_word(void **state) {
    (void)state;
    for (int s = 0; s < GP_STATUS_COUNT; s++) {
        gp_result result = some_result;
        result.status = (gp_status)s;
        gp_text text = lines_of((const int64_t[]){0}, 1, &result, 1);
        char expected[64];
        snprintf(expected, sizeof expected, "\t12\t%s\n", gp_status_name((gp_status)s));
        assert_string_equal(text.bytes + text.length - strlen(expected), expected);
        gp_text_free(&text);
    }
}

static void lines_follow_what_is_there_and_sites_can_be_set_again(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_sumstat_sites sites = {0};
    gp_text_add(&text, "x\n", 2, &err);
    const int64_t chosen[] = {3, 0, 2};
    assert_int_equal(gp_sumstat_sites_set(&sites, "X", &some_variants, chosen, 0, &err), GP_OK);
    assert_int_equal(gp_sumstat_print(&sites, NULL, 1, &text, &err), GP_OK);
    assert_string_equal(text.bytes, "x\n");
    assert_int_equal(gp_sumstat_sites_set(&sites, "X", &some_variants, chosen, 3, &err), GP_OK);
    assert_int_equal(gp_sumstat_sites_set(&sites, "Y", &some_variants, chosen, 1, &err), GP_OK);
    assert_int_equal(gp_sumstat_print(&sites, &some_result, 1, &text, &err), GP_OK);
    assert_string_equal(text.bytes, "x\nY\t99999999\tT\tG\t-0.25\t0.333333333\t0.5\t1e-12\t1000\t"
                                    "rs12345678\t-0.75\t12\tOK\n");
    gp_sumstat_sites_free(&sites);
    gp_text_free(&text);
}

/* A number that results hold: of any size, or what prints longest. */
static double some_number(uint64_t *seed) {
    double x = (gp_test_uniform(seed) - 0.5) * pow(10, (double)gp_test_below(seed, 12) - 8);
    return gp_test_below(seed, 20) == 0 ? -1.23456789e-308 : x;
}

static void print_expected(gp_text *text, const gp_variants *v, int64_t j, const gp_result *r) {
    gp_err err = {0};
    char p[GP_DIGITS_ROOM + 1];
    *gp_digits_power(p, r->neglog10p) = 0;
    gp_text_print(text, &err, "22\t%lld\t%s\t%s\t%.9g\t%.9g\t%.9g\t%s\t%lld\t%s\t%.9g\t%.9g\t%s\n",
                  (long long)v->position[j], v->alt[j], v->ref[j], r->beta, r->se, r->frequency, p,
                  (long long)r->n, v->id[j], r->statistic, r->neglog10p, gp_status_name(r->status));
}

/* Texts of every length to beyond what is copied at a time. */
static void lines_are_those_of_printf(void **state) {
    (void)state;
    enum { COUNT = 300, LONGEST = 100 };
    static char letters[LONGEST + 1];
    static int64_t at[COUNT], chosen[COUNT];
    static char *name[COUNT], *first[COUNT], *second[COUNT];
    static gp_result result[COUNT];
    gp_err err = {0};
    gp_text text = {0}, expected = {0};
    gp_sumstat_sites sites = {0};
    memset(letters, 'A', LONGEST);
    uint64_t seed = 5;
    for (int64_t i = 0; i < COUNT; i++) {
        chosen[i] = COUNT - 1 - i;
        at[i] = gp_test_below(&seed, 300000000);
        name[i] = letters + LONGEST - 1 - i % LONGEST;
        first[i] = letters + LONGEST - 1 - gp_test_below(&seed, i % 3 == 0 ? LONGEST : 2);
        second[i] = letters + LONGEST - 1 - gp_test_below(&seed, i % 5 == 0 ? LONGEST : 2);
        result[i] = (gp_result){(gp_status)(i % GP_STATUS_COUNT),
                                i % 10 == 0 ? INT64_MAX : 20000 + i / 50,
                                some_number(&seed),
                                some_number(&seed),
                                some_number(&seed),
                                some_number(&seed),
                                i % 7 == 0 ? 1e15 : fabs(some_number(&seed))};
    }
    gp_variants v = {.count = COUNT, .position = at, .id = name, .ref = first, .alt = second};
    assert_int_equal(gp_sumstat_sites_set(&sites, "22", &v, chosen, COUNT, &err), GP_OK);
    assert_int_equal(gp_sumstat_print(&sites, result, 1, &text, &err), GP_OK);
    for (int64_t i = 0; i < COUNT; i++)
        print_expected(&expected, &v, chosen[i], &result[i]);
    assert_string_equal(text.bytes, expected.bytes);
    gp_sumstat_sites_free(&sites);
    gp_text_free(&text);
    gp_text_free(&expected);
}

/* ---- metadata ---- */

static const gp_sumstats_meta some_meta = {.trait = "a: \"b\" # \n",
                                           .file_name = "a%20b.tsv.gz",
                                           .md5 = "0123456789abcdef0123456789abcdef",
                                           .program = "gp-dist 0.1.0",
                                           .model = "linear",
                                           .missing = "exact",
                                           .covariates = "age,a\\b",
                                           .store_digest = "ff00",
                                           .samples = 1814,
                                           .variants = 10346};

static void metadata_is_whole_and_quoted(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text yaml = {0};
    assert_int_equal(gp_sumstats_meta_print(&some_meta, &yaml, &err), GP_OK);
    assert_string_equal(
        yaml.bytes,
        "# Study meta-data\n"
        "author_notes: \"model: linear; missing genotypes: exact; effect_allele is ALT; beta is "
        "per copy of it; p_value is two-sided; variants: 10346; genotypes: MD5 ff00\"\n"
        "\n# Trait information\n"
        "trait_description:\n"
        "  - \"a: \\\"b\\\" # \\n\"\n"
        "\n# Genotyping information\n"
        "genome_assembly: unknown\n"
        "coordinate_system: 1-based\n"
        "\n# Sample information\n"
        "samples:\n"
        "  - sample_size: 1814\n"
        "\n# Summary statistic information\n"
        "data_file_name: \"a%20b.tsv.gz\"\n"
        "file_type: GWAS-SSF v1.0\n"
        "data_file_md5sum: \"0123456789abcdef0123456789abcdef\"\n"
        "analysis_software: \"gp-dist 0.1.0\"\n"
        "adjusted_covariates:\n"
        "  - \"age\"\n"
        "  - \"a\\\\b\"\n"
        "\n# Harmonisation status\n"
        "is_harmonised: false\n"
        "is_sorted: true\n");
    gp_text_free(&yaml);
}

static void expect_trait(const char *trait, const char *quoted) {
    gp_err err = {0};
    gp_text yaml = {0};
    gp_sumstats_meta meta = some_meta;
    meta.trait = trait;
    meta.covariates = "";
    gp_sumstats_meta_print(&meta, &yaml, &err);
    const char *at = strstr(yaml.bytes, "trait_description:\n  - ") + 23;
    assert_memory_equal(at, quoted, strlen(quoted));
    assert_int_equal(at[strlen(quoted)], '\n');
    assert_null(strstr(yaml.bytes, "adjusted_covariates"));
    gp_text_free(&yaml);
}

static void any_trait_name_is_one_line_of_valid_yaml(void **state) {
    (void)state;
    expect_trait("Gr\xC3\xB6\xC3\x9F"
                 "e",
                 "\"Gr\xC3\xB6\xC3\x9F"
                 "e\"");
    expect_trait("\t\r\x01\x7F", "\"\\t\\x0D\\x01\\x7F\"");
    expect_trait("\xFF\xC3", "\"\\xFF\\xC3\"");               /* no UTF-8 */
    expect_trait("\xC0\xAF", "\"\\xC0\\xAF\"");               /* overlong */
    expect_trait("\xED\xA0\x80", "\"\\xED\\xA0\\x80\"");      /* a surrogate */
    expect_trait("\xC2\x85\xE2\x80\xA8", "\"\\x85\\u2028\""); /* line ends of Unicode */
    expect_trait("\xEF\xBB\xBF\xEF\xBF\xBF", "\"\\uFEFF\\uFFFF\"");
    expect_trait("\xF0\x9F\xA7\xAC\xF0\x9F\xBF\xBF", "\"\xF0\x9F\xA7\xAC\\U0001FFFF\"");
    expect_trait("", "\"\"");
}

static int print_all(void *context, gp_err *err) {
    (void)context;
    gp_text text = {0}, yaml = {0};
    gp_sumstat_sites sites = {0};
    if (gp_sumstat_sites_set(&sites, "1", &some_variants, (const int64_t[]){0}, 1, err) != GP_OK)
        assert_int_equal(sites.count, 0);
    else if (gp_sumstat_print(&sites, &some_result, 1, &text, err) == GP_OK)
        gp_sumstats_meta_print(&some_meta, &yaml, err);
    gp_sumstat_sites_free(&sites);
    gp_text_free(&text);
    gp_text_free(&yaml);
    return err->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    assert_true(gp_test_fail_each(print_all, NULL) > 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_the_columns_of_the_header),
        cmocka_unit_test(what_is_no_number_or_unknown_is_na),
        cmocka_unit_test(lines_are_those_of_the_chosen_variants_and_of_one_trait),
        cmocka_unit_test(every_outcome_has_its_word),
        cmocka_unit_test(lines_follow_what_is_there_and_sites_can_be_set_again),
        cmocka_unit_test(lines_are_those_of_printf),
        cmocka_unit_test(metadata_is_whole_and_quoted),
        cmocka_unit_test(any_trait_name_is_one_line_of_valid_yaml),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.sumstats", tests, NULL, NULL);
}
