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
static gp_text lines_in(gp_sumstat_form form, const int64_t *chosen, int64_t count,
                        const gp_result *result, int64_t step) {
    gp_err err = {0};
    gp_text text = {0};
    gp_sumstat_sites sites = {0};
    assert_int_equal(gp_sumstat_sites_set(&sites, "chr1", &some_variants, chosen, count, &err),
                     GP_OK);
    const gp_sumstat_trait trait = {.result = result, .step = step, .form = form};
    assert_int_equal(gp_sumstat_print(&sites, &trait, &text, &err), GP_OK);
    assert_int_equal(text.length, strlen(text.bytes));
    gp_sumstat_sites_free(&sites);
    return text;
}

static gp_text lines_of(const int64_t *chosen, int64_t count, const gp_result *result,
                        int64_t step) {
    return lines_in((gp_sumstat_form){0}, chosen, count, result, step);
}

static void expect_header(gp_sumstat_form form, const char *more) {
    static const char common[] =
        "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\t"
        "effect_allele_frequency\tp_value\tn\tid\tstatistic\tneg_log_10_p_value\tstatus";
    gp_err err = {0};
    gp_text text = {0};
    assert_int_equal(gp_sumstat_add_header(&form, &text, &err), GP_OK);
    assert_memory_equal(text.bytes, common, strlen(common));
    assert_string_equal(text.bytes + strlen(common), more);
    gp_text_free(&text);
}

static void a_line_has_the_columns_of_the_header(void **state) {
    (void)state;
    gp_text text = lines_of((const int64_t[]){0}, 1, &some_result, 1);
    assert_string_equal(
        text.bytes,
        "chr1\t123456\tA\tGT\t-0.25\t0.333333333\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\n");
    expect_header((gp_sumstat_form){0}, "\n");
    gp_text_free(&text);
}

static void what_is_no_number_or_unknown_is_na(void **state) {
    (void)state;
    gp_result result = gp_result_none(GP_STATUS_CONSTANT, 1000);
    gp_text text = lines_of((const int64_t[]){1}, 1, &result, 1);
    assert_string_equal(text.bytes, "chr1\t5\t#NA\t#NA\t#NA\t#NA\t#NA\t#NA\t1000\t.\t#NA\t#NA\t"
                                    "CONSTANT\n");
    gp_text_free(&text);
    result = (gp_result){.status = GP_STATUS_OK,
                         .frequency = INFINITY,
                         .beta = -INFINITY,
                         .se = INFINITY,
                         .statistic = INFINITY,
                         .neglog10p = INFINITY};
    text = lines_of((const int64_t[]){1}, 1, &result, 1);
    assert_string_equal(text.bytes, "chr1\t5\t#NA\t#NA\t#NA\t#NA\t#NA\t#NA\t0\t.\t#NA\t#NA\tOK\n");
    gp_text_free(&text);
}

static gp_result binary_result(void) {
    gp_result result = some_result;
    result.test = GP_TEST_FIRTH;
    result.cases = 30;
    result.frequency_cases = 0.25;
    result.frequency_controls = 0.75;
    result.beta = 0.0;
    result.se = 0.5;
    return result;
}

static void a_binary_trait_has_its_columns_behind_the_status(void **state) {
    (void)state;
    const gp_sumstat_form form = {.binary = 1};
    gp_result result = binary_result();
    gp_text text = lines_in(form, (const int64_t[]){0}, 1, &result, 1);
    assert_string_equal(text.bytes,
                        "chr1\t123456\tA\tGT\t0\t0.5\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\t"
                        "30\t970\t0.25\t0.75\tFIRTH\n");
    gp_text_free(&text);
    expect_header(form, "\tn_cases\tn_controls\teffect_allele_frequency_cases\t"
                        "effect_allele_frequency_controls\ttest\n");
    static const char *const word[] = {"SCORE", "WALD", "FIRTH", "SPA"};
    for (int t = 0; t < GP_TEST_COUNT; t++) {
        char expected[32];
        result.test = (gp_test)t;
        text = lines_in(form, (const int64_t[]){0}, 1, &result, 1);
        snprintf(expected, sizeof expected, "\t0.75\t%s\n", word[t]);
        assert_string_equal(text.bytes + text.length - strlen(expected), expected);
        gp_text_free(&text);
    }
}

static void an_interval_is_around_the_odds_ratio(void **state) {
    (void)state;
    const gp_sumstat_form form = {.binary = 1, .deviate = 2.0};
    gp_result result = binary_result();
    gp_text text = lines_in(form, (const int64_t[]){0}, 1, &result, 1);
    /* exp(0), exp(-1), exp(1) */
    assert_string_equal(text.bytes,
                        "chr1\t123456\tA\tGT\t0\t0.5\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\t"
                        "30\t970\t0.25\t0.75\tFIRTH\t1\t0.367879441\t2.71828183\n");
    gp_text_free(&text);
    expect_header(form, "\tn_cases\tn_controls\teffect_allele_frequency_cases\t"
                        "effect_allele_frequency_controls\ttest\todds_ratio\tci_lower\tci_upper\n");
    /* Nothing of it without a binary trait. */
    text = lines_in((gp_sumstat_form){.deviate = 2.0}, (const int64_t[]){0}, 1, &result, 1);
    assert_string_equal(text.bytes,
                        "chr1\t123456\tA\tGT\t0\t0.5\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\n");
    gp_text_free(&text);
    expect_header((gp_sumstat_form){.deviate = 2.0}, "\n");
}

static void a_binary_trait_without_a_number_names_no_test(void **state) {
    (void)state;
    gp_result result = gp_result_none(GP_STATUS_SEPARATION, 1000);
    result.cases = 1000;
    result.frequency_cases = 0.5;
    result.frequency_controls = NAN;
    gp_text text = lines_in((gp_sumstat_form){.binary = 1, .deviate = 2.0}, (const int64_t[]){1}, 1,
                            &result, 1);
    assert_string_equal(text.bytes, "chr1\t5\t#NA\t#NA\t#NA\t#NA\t#NA\t#NA\t1000\t.\t#NA\t#NA\t"
                                    "SEPARATION\t1000\t0\t0.5\t#NA\t#NA\t#NA\t#NA\t#NA\n");
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
    assert_int_equal(gp_sumstat_print(&sites, &(gp_sumstat_trait){0}, &text, &err), GP_OK);
    assert_string_equal(text.bytes, "x\n");
    assert_int_equal(gp_sumstat_sites_set(&sites, "X", &some_variants, chosen, 3, &err), GP_OK);
    assert_int_equal(gp_sumstat_sites_set(&sites, "Y", &some_variants, chosen, 1, &err), GP_OK);
    const gp_sumstat_trait trait = {.result = &some_result, .step = 1};
    assert_int_equal(gp_sumstat_print(&sites, &trait, &text, &err), GP_OK);
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

static void print_expected(gp_text *text, const gp_variants *v, int64_t j, const gp_result *r,
                           int binary) {
    gp_err err = {0};
    char p[GP_DIGITS_ROOM + 1];
    *gp_digits_power(p, r->neglog10p) = 0;
    gp_text_print(text, &err, "22\t%lld\t%s\t%s\t%.9g\t%.9g\t%.9g\t%s\t%lld\t%s\t%.9g\t%.9g\t%s",
                  (long long)v->position[j], v->alt[j], v->ref[j], r->beta, r->se, r->frequency, p,
                  (long long)r->n, v->id[j], r->statistic, r->neglog10p, gp_status_name(r->status));
    if (binary)
        gp_text_print(text, &err, "\t%lld\t%lld\t%.9g\t%.9g\t%s", (long long)r->cases,
                      (long long)(r->n - r->cases), r->frequency_cases, r->frequency_controls,
                      r->status == GP_STATUS_OK ? gp_test_name(r->test) : "#NA");
    gp_text_add(text, "\n", 1, &err);
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
    gp_sumstat_sites sites = {0};
    memset(letters, 'A', LONGEST);
    uint64_t seed = 5;
    for (int64_t i = 0; i < COUNT; i++) {
        chosen[i] = COUNT - 1 - i;
        at[i] = gp_test_below(&seed, 300000000);
        name[i] = letters + LONGEST - 1 - i % LONGEST;
        first[i] = letters + LONGEST - 1 - gp_test_below(&seed, i % 3 == 0 ? LONGEST : 2);
        second[i] = letters + LONGEST - 1 - gp_test_below(&seed, i % 5 == 0 ? LONGEST : 2);
        result[i] = (gp_result){.status = (gp_status)(i % GP_STATUS_COUNT),
                                .n = i % 10 == 0 ? INT64_MAX : 20000 + i / 50,
                                .frequency = some_number(&seed),
                                .beta = some_number(&seed),
                                .se = some_number(&seed),
                                .statistic = some_number(&seed),
                                .neglog10p = i % 7 == 0 ? 1e15 : fabs(some_number(&seed)),
                                .test = (gp_test)(i % GP_TEST_COUNT),
                                .cases = i % 10 == 0 ? INT64_MAX : i,
                                .frequency_cases = some_number(&seed),
                                .frequency_controls = some_number(&seed)};
    }
    gp_variants v = {.count = COUNT, .position = at, .id = name, .ref = first, .alt = second};
    assert_int_equal(gp_sumstat_sites_set(&sites, "22", &v, chosen, COUNT, &err), GP_OK);
    for (int binary = 0; binary < 2; binary++) {
        gp_text text = {0}, expected = {0};
        const gp_sumstat_trait trait = {.result = result, .step = 1, .form = {.binary = binary}};
        assert_int_equal(gp_sumstat_print(&sites, &trait, &text, &err), GP_OK);
        for (int64_t i = 0; i < COUNT; i++)
            print_expected(&expected, &v, chosen[i], &result[i], binary);
        assert_string_equal(text.bytes, expected.bytes);
        gp_text_free(&text);
        gp_text_free(&expected);
    }
    gp_sumstat_sites_free(&sites);
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

static void metadata_of_a_binary_trait_count_cases_and_controls(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text yaml = {0};
    gp_sumstats_meta meta = some_meta;
    meta.model = "logistic";
    meta.test = "score";
    meta.cases = 14;
    assert_int_equal(gp_sumstats_meta_print(&meta, &yaml, &err), GP_OK);
    assert_non_null(strstr(
        yaml.bytes, "author_notes: \"model: logistic; test: score; missing genotypes: exact; "
                    "effect_allele is ALT; beta is the log of the odds ratio per copy of it; "
                    "p_value is two-sided; variants: 10346; genotypes: MD5 ff00\"\n"));
    assert_non_null(strstr(yaml.bytes, "samples:\n"
                                       "  - sample_size: 1814\n"
                                       "    case_control_study: true\n"
                                       "    case_count: 14\n"
                                       "    control_count: 1800\n"
                                       "\n# Summary"));
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
    const gp_sumstat_trait trait = {
        .result = &some_result, .step = 1, .form = {.binary = 1, .deviate = 2.0}};
    if (gp_sumstat_sites_set(&sites, "1", &some_variants, (const int64_t[]){0}, 1, err) != GP_OK)
        assert_int_equal(sites.count, 0);
    else if (gp_sumstat_add_header(&trait.form, &text, err) == GP_OK &&
             gp_sumstat_print(&sites, &trait, &text, err) == GP_OK)
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
        cmocka_unit_test(a_binary_trait_has_its_columns_behind_the_status),
        cmocka_unit_test(an_interval_is_around_the_odds_ratio),
        cmocka_unit_test(a_binary_trait_without_a_number_names_no_test),
        cmocka_unit_test(lines_are_those_of_the_chosen_variants_and_of_one_trait),
        cmocka_unit_test(every_outcome_has_its_word),
        cmocka_unit_test(lines_follow_what_is_there_and_sites_can_be_set_again),
        cmocka_unit_test(lines_are_those_of_printf),
        cmocka_unit_test(metadata_is_whole_and_quoted),
        cmocka_unit_test(metadata_of_a_binary_trait_count_cases_and_controls),
        cmocka_unit_test(any_trait_name_is_one_line_of_valid_yaml),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.sumstats", tests, NULL, NULL);
}
