#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/sumstats.h"
#include "src/base/mem.h"

#include <math.h>

/* ---- lines ---- */

static const gp_sumstat some_line = {.chromosome = "chr1",
                                     .position = 123456,
                                     .effect_allele = "A",
                                     .other_allele = "GT",
                                     .id = "rs7",
                                     .beta = -0.25,
                                     .se = 1.0 / 3,
                                     .frequency = 0.5,
                                     .statistic = -0.75,
                                     .neglog10p = 12,
                                     .n = 1000,
                                     .status = "OK"};

static void a_line_has_the_columns_of_the_header(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    assert_int_equal(gp_sumstat_print(&some_line, &text, &err), GP_OK);
    assert_string_equal(
        text.bytes,
        "chr1\t123456\tA\tGT\t-0.25\t0.333333333\t0.5\t1e-12\t1000\trs7\t-0.75\t12\tOK\n");
    assert_int_equal(text.length, strlen(text.bytes));
    assert_string_equal(gp_sumstat_header,
                        "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\t"
                        "standard_error\teffect_allele_frequency\tp_value\tn\tid\tstatistic\t"
                        "neg_log_10_p_value\tstatus\n");
    gp_text_free(&text);
}

static void what_is_no_number_or_unknown_is_na(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_sumstat line = some_line;
    line.beta = line.se = line.frequency = line.statistic = line.neglog10p = NAN;
    line.effect_allele = line.other_allele = line.id = ".";
    line.status = "CONSTANT";
    gp_sumstat_print(&line, &text, &err);
    assert_string_equal(text.bytes,
                        "chr1\t123456\t#NA\t#NA\t#NA\t#NA\t#NA\t#NA\t1000\t.\t#NA\t#NA\t"
                        "CONSTANT\n");
    text.length = 0;
    line.beta = INFINITY;
    line.neglog10p = INFINITY;
    gp_sumstat_print(&line, &text, &err);
    assert_null(strstr(text.bytes, "inf"));
    gp_text_free(&text);
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

static void every_allocation_may_fail(void **state) {
    (void)state;
    int64_t k = 0;
    for (int failed = 1; failed;) {
        gp_err err = {0};
        gp_text text = {0}, yaml = {0};
        gp_mem_fail_at(++k);
        if (gp_sumstat_print(&some_line, &text, &err) == GP_OK)
            gp_sumstats_meta_print(&some_meta, &yaml, &err);
        gp_mem_fail_at(0);
        failed = err.code != GP_OK;
        if (failed)
            assert_int_equal(err.code, GP_EFAIL);
        gp_text_free(&text);
        gp_text_free(&yaml);
    }
    assert_true(k > 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_the_columns_of_the_header),
        cmocka_unit_test(what_is_no_number_or_unknown_is_na),
        cmocka_unit_test(metadata_is_whole_and_quoted),
        cmocka_unit_test(any_trait_name_is_one_line_of_valid_yaml),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.sumstats", tests, NULL, NULL);
}
