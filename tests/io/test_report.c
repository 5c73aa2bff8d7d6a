#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/report.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <math.h>

/* ---- sheets ---- */

/* What a file's text gives; the sheet is the caller's. */
static int read_sheet(gp_sheet *sheet, const char *text, gp_err *err) {
    return gp_sheet_read(sheet, scratch_text("s.tsv", text), err);
}

static void a_missing_sheet_is_no_error(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sheet sheet = {0};
    assert_int_equal(gp_sheet_read(&sheet, scratch("nowhere.tsv"), &err), GP_OK);
    assert_false(gp_sheet_there(&sheet));
    assert_int_equal(gp_sheet_find(&sheet, "a"), -1);
    gp_sheet_free(&sheet);
}

static void a_sheet_gives_fields_by_name(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sheet sheet = {0};
    assert_int_equal(read_sheet(&sheet, "#a\tb c\td\r\n1\t\tx\n-2e3\tNA\t#NA\n", &err), GP_OK);
    assert_int_equal(sheet.rows, 2);
    assert_int_equal(gp_sheet_find(&sheet, "a"), 0);
    assert_string_equal(gp_sheet_text(&sheet, 0, gp_sheet_find(&sheet, "d")), "x");
    assert_string_equal(gp_sheet_text(&sheet, 1, -1), "");
    assert_true(gp_sheet_number(&sheet, 1, 0, &err) == -2000.0);
    assert_true(isnan(gp_sheet_number(&sheet, 0, 1, &err)));
    assert_true(isnan(gp_sheet_number(&sheet, 1, 1, &err)));
    assert_true(isnan(gp_sheet_number(&sheet, 1, 2, &err)));
    assert_int_equal(err.code, GP_OK);
    assert_true(isnan(gp_sheet_number(&sheet, 0, 2, &err)));
    assert_int_equal(err.code, GP_EINPUT);
    assert_non_null(strstr(err.text, "s.tsv:2: column 'd': 'x' is not a number"));
    gp_sheet_free(&sheet);
}

static void a_damaged_sheet_is_told_with_its_line(void **state) {
    (void)state;
    static const char *const text[] = {"a\tb\n1\t2\n3\n", "a\tb\n1\t2\n3\t4\t5\n", ""};
    for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
        gp_err err = {0};
        gp_sheet sheet = {0};
        assert_int_equal(read_sheet(&sheet, text[k], &err), GP_EINPUT);
        assert_non_null(strstr(err.text, k < 2 ? "s.tsv:3: not as many fields" : "is empty"));
        gp_sheet_free(&sheet);
    }
}

/* ---- thinning ---- */

static void a_cloud_keeps_few_points_and_counts_many(void **state) {
    (void)state;
    enum { MANY = GP_CLOUD_POINTS + 1 };
    static double xy[2 * MANY + 2];
    for (int i = 0; i < MANY; i++) {
        xy[2 * i] = i;
        xy[2 * i + 1] = -i;
    }
    xy[2 * MANY] = NAN;
    for (int more = 0; more < 2; more++) {
        gp_err err = {0};
        gp_cloud cloud = {0};
        int64_t total = 0;
        assert_int_equal(gp_cloud_make(&cloud, xy + (more ? 0 : 2), MANY + more, &err), GP_OK);
        assert_int_equal(cloud.n, MANY - 1 + more);
        assert_int_equal(cloud.point == NULL, more);
        for (int k = 0; k < GP_CLOUD_CELLS * GP_CLOUD_CELLS; k++)
            total += cloud.cell[k];
        assert_int_equal(total, cloud.n);
        assert_true(cloud.low[0] < 1.0 && cloud.high[0] > MANY - 1);
        gp_cloud_free(&cloud);
    }
}

/* Scores .9 case, .8 control and case (a tie), .3 control: the curve rises to 1/2, goes on straight
 * to (1/2, 1), then right. */
static void a_roc_curve_by_hand(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sheet sheet = {0};
    gp_guesses g = {0};
    read_sheet(&sheet,
               "trait\tobserved\tcovariates\tridge\ttransformer\n"
               "t\t1\tNA\t.5\t.9\nt\t0\tNA\t.5\t.8\nt\t1\tNA\t.5\t.8\nt\t0\tNA\t.5\t.3\n"
               "other\t1\t1\t1\t1\n",
               &err);
    assert_int_equal(gp_guesses_make(&g, &sheet, "t", 1, &err), GP_OK);
    assert_int_equal(g.n, 4);
    assert_int_equal(g.cases, 2);
    assert_true(isnan(g.curve[0][0])); /* no covariates */
    const double *curve = g.curve[2], *flat = g.curve[1];
    for (int k = 0; k <= GP_GUESS_STEPS; k++) {
        double x = (double)k / GP_GUESS_STEPS;
        assert_true(fabs(curve[k] - fmin(1.0, 0.5 + x)) < 1e-12); /* rounding of sums */
        assert_true(fabs(flat[k] - x) < 1e-12);                   /* likewise */
    }
    gp_guesses_free(&g);
    gp_sheet_free(&sheet);
}

static void tenths_are_means_in_order_of_the_prediction(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sheet sheet = {0};
    gp_guesses g = {0};
    gp_text text = {0};
    gp_text_print(&text, &err, "trait\tobserved\ttransformer\n");
    for (int i = 0; i < 200; i++) /* 77 and 200 have no common factor: all of 0 to 199 come */
        gp_text_print(&text, &err, "t\t%d\t%d\n", 3 * (i * 77 % 200) + 5, i * 77 % 200);
    assert_int_equal(read_sheet(&sheet, text.bytes, &err), GP_OK);
    assert_int_equal(gp_guesses_make(&g, &sheet, NULL, 0, &err), GP_OK);
    assert_int_equal(g.tenths, 10);
    for (int k = 0; k < 10; k++) {
        assert_true(fabs(g.tenth[k][0] - (20 * k + 9.5)) < 1e-9);           /* rounding of sums */
        assert_true(fabs(g.tenth[k][1] - (3 * (20 * k + 9.5) + 5)) < 1e-9); /* likewise */
    }
    assert_int_equal(g.cloud.n, 200);
    gp_guesses_free(&g);
    gp_sheet_free(&sheet);
    gp_text_free(&text);
}

/* ---- a run ---- */

static const char summary[] =
    "{\"format\":\"gp-dist summary 1\",\"trait\":\"a <i>\",\"model\":\"linear\",\"samples\":200,"
    "\"cases\":null,\"lines\":6,\"status\":{\"OK\":5,\"CONSTANT\":1},\"lambda_gc\":1.25,"
    "\"lambda_1000\":null,\"smallest\":null,\"chromosomes\":[{\"name\":\"1\",\"first\":1,\"last\":"
    "1000,\"lines\":3},{\"name\":\"X\",\"first\":5,\"last\":900,\"lines\":3}],\"manhattan\":{"
    "\"columns\":1200,\"step\":0.05,\"chromosome\":[{\"name\":\"1\",\"column\":0,\"columns\":640},"
    "{\"name\":\"X\",\"column\":640,\"columns\":560}],\"cells\":[[0,[0,3]],[7,[0,0,20,22]],[900,[1,"
    "1]]]},\"qq\":[[1.0,9.0],[0.52,1.0],[0.1,0.1]]}";

static const char hits[] =
    "hit\tchromosome\tbase_pair_location\tid\teffect_allele\tother_allele\teffect_allele_frequency"
    "\tbeta\tstandard_error\tp_value\tneg_log_10_p_value\tattribution\tattribution_rank\tclumped\t"
    "clump_start\tclump_end\tnearest_gene\tgene_distance\n"
    "1\tX\t450\trs<9>\tA\tC\t0.25\t-0.5\t0.05\t1e-9\t9\t#NA\t#NA\t2\t400\t500\tG&T\t0\n";

static void make_run(const char *first, const char *table) {
    static const char *const folder[] = {"run", "run/merged", "run/model", "run/model/a",
                                         "run/model/b"};
    for (size_t k = 0; k < sizeof folder / sizeof *folder; k++)
        mkdir(scratch(folder[k]), 0755);
    scratch_text("run/merged/a.summary.json", first);
    scratch_text("run/merged/a.hits.tsv", table);
    scratch_text("run/model/a/metrics.tsv", "trait\tmodel\tfold\tn\tr2\tr\tmse\tauc\n"
                                            "a <i>\tridge\t1\t100\t.1\t.3\t1\tNA\n"
                                            "a <i>\tridge\t2\t100\t.3\t.5\t1\tNA\n"
                                            "a <i>\tridge\tall\t200\t.2\t.4\t1\tNA\n"
                                            "a <i>\ttransformer\tall\t200\t.15\t.4\t1\tNA\n");
    scratch_text("run/model/a/training.tsv",
                 "step\tepoch\ttrain_loss\tvalidation_loss\tlearning_rate\tgradient_norm\tfold\t"
                 "network\n1\t1\t2\t2.5\t.1\t1\t1\t1\n2\t2\t1\tNA\t.1\t1\t1\t1\n");
}

static void numbers_of_a_trait_come_from_its_files(void **state) {
    (void)state;
    gp_err err = {0};
    gp_report_run run;
    double low, high;
    make_run(summary, hits);
    assert_int_equal(gp_report_read(&run, scratch("run"), 0, &err), GP_OK);
    assert_int_equal(run.traits, 2);
    assert_string_equal(run.trait[0].name, "a <i>");
    assert_string_equal(run.trait[1].name, "b");
    assert_int_equal(gp_report_tested(&run.trait[0]), 5);
    assert_true(gp_report_number(&run.trait[0], "lambda_gc") == 1.25);
    assert_true(isnan(gp_report_number(&run.trait[0], "lambda_1000")));
    assert_true(gp_report_metric(&run.trait[0], "ridge", "r2", &low, &high) == 0.2);
    assert_true(low == 0.1 && high == 0.3);
    assert_true(isnan(gp_report_metric(&run.trait[0], "covariates", "r2", NULL, NULL)));
    gp_report_free(&run);
}

/* The page of the run in the scratch folder. */
static void print_run(gp_text *to, int64_t most) {
    gp_err err = {0};
    gp_report_run run;
    assert_int_equal(gp_report_read(&run, scratch("run"), 0, &err), GP_OK);
    const gp_report_page page = {.run = &run, .version = "0", .browser = "hg38", .most = most};
    assert_int_equal(gp_report_print(&page, to, &err), GP_OK);
    gp_report_free(&run);
}

static void a_page_escapes_names_and_links_hits(void **state) {
    (void)state;
    gp_text page = {0};
    make_run(summary, hits);
    print_run(&page, GP_REPORT_BYTES);
    assert_null(strstr(page.bytes, "<i>"));
    assert_non_null(strstr(page.bytes, "rs&lt;9&gt;"));
    assert_non_null(strstr(page.bytes, "G&amp;T"));
    assert_non_null(strstr(page.bytes, "href=\"#t1h1\""));
    assert_non_null(strstr(page.bytes, "id=\"t1h1\""));
    assert_non_null(strstr(page.bytes, "db=hg38&amp;position=chrX:1-100450"));
    assert_non_null(strstr(page.bytes, "The transformer does not predict best here"));
    assert_non_null(strstr(page.bytes, "No principal components were made"));
    assert_null(strstr(page.bytes, "nan"));
    gp_text_free(&page);
}

/* The summary with every other cell of 400 columns, so that there is something to thin. */
static void make_dense_run(void) {
    gp_err err = {0};
    gp_text text = {0};
    const char *at = strstr(summary, "[900,");
    gp_text_print(&text, &err, "%.*s", (int)(at - summary), summary);
    for (int c = 8; c < 408; c++)
        gp_text_print(&text, &err, "[%d,[1,1,3,3,5,5,7,7]],", c);
    gp_text_print(&text, &err, "%s", at);
    make_run(text.bytes, hits);
    gp_text_free(&text);
}

static void a_page_that_would_be_too_long_is_thinned_and_says_so(void **state) {
    (void)state;
    gp_text whole = {0}, thin = {0}, plain = {0};
    make_dense_run();
    print_run(&whole, GP_REPORT_BYTES);
    assert_null(strstr(whole.bytes, "So that the page stays small"));
    print_run(&plain, 1);
    assert_non_null(strstr(plain.bytes, "plots of all 2 traits are left out"));
    assert_null(strstr(plain.bytes, "class=\"d c0\""));
    assert_null(strstr(plain.bytes, "href=\"#t1h1\"")); /* no plot to lead to */
    print_run(&thin, 14000);
    assert_non_null(strstr(thin.bytes, "are coarser"));
    assert_non_null(strstr(thin.bytes, "class=\"d c0\""));
    assert_non_null(strstr(thin.bytes, "fold along either axis"));
    assert_true(plain.length < thin.length && thin.length < whole.length);
    gp_text_free(&whole);
    gp_text_free(&thin);
    gp_text_free(&plain);
}

static void damage_is_told_by_file(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *told;
    } of[] = {{"summary 1", "summary 2", "a.summary.json: its format is 'gp-dist summary 2'"},
              {"\"status\"", "\"stat\"", "'status' is missing"},
              {"[0,3]", "[3,0]", "a run of cells"},
              {"[[0,", "[[1200,", "a column of"},
              {"[1.0,9.0]", "[1.0]", "a point of 'qq'"},
              {"\"column\":640", "\"column\":641", "a chromosome of"},
              {"0.05", "-1", "the step"},
              {"\"qq\"", "\"qq", "is not JSON"}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        gp_err err = {0};
        gp_report_run run;
        gp_text text = {0}, page = {0};
        const char *at = strstr(summary, of[k].from);
        assert_non_null(at);
        gp_text_print(&text, &err, "%.*s%s%s", (int)(at - summary), summary, of[k].to,
                      at + strlen(of[k].from));
        make_run(text.bytes, hits);
        const gp_report_page what = {.run = &run, .version = "0", .most = GP_REPORT_BYTES};
        if (gp_report_read(&run, scratch("run"), 0, &err) == GP_OK)
            gp_report_print(&what, &page, &err);
        assert_int_equal(err.code, GP_EINPUT);
        if (strstr(err.text, of[k].told) == NULL)
            fail_msg("no '%s' in: %s", of[k].told, err.text);
        gp_report_free(&run);
        gp_text_free(&text);
        gp_text_free(&page);
    }
}

static void a_trait_that_was_not_merged_has_its_name_from_the_metrics(void **state) {
    (void)state;
    gp_err err = {0};
    gp_report_run run;
    make_run(summary, hits);
    unlink(scratch("run/merged/a.summary.json"));
    assert_int_equal(gp_report_read(&run, scratch("run"), 0, &err), GP_OK);
    assert_string_equal(run.trait[0].name, "a <i>");
    assert_true(gp_report_metric(&run.trait[0], "ridge", "r2", NULL, NULL) == 0.2);
    assert_string_equal(run.trait[1].name, "b");
    gp_report_free(&run);
}

static void a_directory_of_no_run_is_told(void **state) {
    (void)state;
    gp_err err = {0};
    gp_report_run run;
    assert_int_equal(gp_report_read(&run, scratch("nowhere"), 0, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "there is no such directory"));
    gp_report_free(&run);
    err = (gp_err){0};
    mkdir(scratch("empty"), 0755);
    assert_int_equal(gp_report_read(&run, scratch("empty"), 0, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "holds nothing of a run"));
    gp_report_free(&run);
}

static int make_report(void *context, gp_err *err) {
    (void)context;
    gp_report_run run;
    gp_text page = {0};
    const gp_report_page what = {.run = &run, .version = "0", .most = GP_REPORT_BYTES};
    if (gp_report_read(&run, scratch("run"), 0, err) == GP_OK)
        gp_report_print(&what, &page, err);
    gp_report_free(&run);
    gp_text_free(&page);
    return err->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    make_run(summary, hits);
    assert_true(gp_test_fail_each(make_report, NULL) > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_missing_sheet_is_no_error, scratch_clear),
        cmocka_unit_test_teardown(a_sheet_gives_fields_by_name, scratch_clear),
        cmocka_unit_test_teardown(a_damaged_sheet_is_told_with_its_line, scratch_clear),
        cmocka_unit_test(a_cloud_keeps_few_points_and_counts_many),
        cmocka_unit_test_teardown(a_roc_curve_by_hand, scratch_clear),
        cmocka_unit_test_teardown(tenths_are_means_in_order_of_the_prediction, scratch_clear),
        cmocka_unit_test_teardown(numbers_of_a_trait_come_from_its_files, scratch_clear),
        cmocka_unit_test_teardown(a_page_escapes_names_and_links_hits, scratch_clear),
        cmocka_unit_test_teardown(a_page_that_would_be_too_long_is_thinned_and_says_so,
                                  scratch_clear),
        cmocka_unit_test_teardown(damage_is_told_by_file, scratch_clear),
        cmocka_unit_test_teardown(a_trait_that_was_not_merged_has_its_name_from_the_metrics,
                                  scratch_clear),
        cmocka_unit_test_teardown(a_directory_of_no_run_is_told, scratch_clear),
        cmocka_unit_test_teardown(every_allocation_may_fail, scratch_clear),
    };
    return cmocka_run_group_tests_name("io.report", tests, scratch_make, scratch_remove);
}
