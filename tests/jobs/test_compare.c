#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/compare.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#define HEADER                                                                                     \
    "chromosome\tbase_pair_location\tid\teffect_allele\tother_allele\tneg_log_10_p_value\t"        \
    "clump_start\tclump_end\n"

static const char *const lines = "trait\twhat\tid\tchromosome\tbase_pair_location\tbefore\tafter\n";

/* A run of one trait. */
static void make_run(const char *name, const char *trait, const char *hits, double lambda,
                     double r2) {
    char path[100], text[1000];
    static const char *const folder[] = {"", "/merged", "/model", "/model/t"};
    for (size_t k = 0; k < sizeof folder / sizeof *folder; k++) {
        snprintf(path, sizeof path, "%s%s", name, folder[k]);
        mkdir(scratch(path), 0755);
    }
    snprintf(path, sizeof path, "%s/merged/t.summary.json", name);
    snprintf(text, sizeof text,
             "{\"format\":\"gp-dist summary 1\",\"trait\":\"%s\",\"model\":\"linear\",\"samples\":"
             "200,\"cases\":null,\"lines\":6,\"status\":{\"OK\":5},\"lambda_gc\":%g,\"chromosomes\""
             ":[],\"manhattan\":{\"columns\":1200,\"step\":1,\"chromosome\":[],\"cells\":[]},"
             "\"qq\":[]}",
             trait, lambda);
    scratch_text(path, text);
    snprintf(path, sizeof path, "%s/merged/t.hits.tsv", name);
    scratch_text(path, hits);
    snprintf(path, sizeof path, "%s/model/t/metrics.tsv", name);
    snprintf(text, sizeof text,
             "trait\tmodel\tfold\tn\tr2\tr\tmse\tauc\n%s\tridge\tall\t9\t%g\t.1\t1\tNA\n", trait,
             r2);
    scratch_text(path, text);
}

/* changes.tsv of runs "old" and "new", without its header. */
static void compare(char text[2000]) {
    gp_err err = {0};
    gp_report_run before = {0}, after = {0};
    gp_text to = {0};
    assert_int_equal(gp_report_read(&before, scratch("old"), 1, &err), GP_OK);
    assert_int_equal(gp_report_read(&after, scratch("new"), 1, &err), GP_OK);
    assert_int_equal(gp_compare_runs(&before, &after, &to, &err), GP_OK);
    assert_memory_equal(to.bytes, lines, strlen(lines));
    snprintf(text, 2000, "%s", to.bytes + strlen(lines));
    gp_text_free(&to);
    gp_report_free(&before);
    gp_report_free(&after);
}

static void equal_runs_have_no_changes(void **state) {
    (void)state;
    char text[2000];
    make_run("old", "t", HEADER "1\t100\trs1\tA\tC\t9\t50\t150\n", 1.0, 0.2);
    make_run("new", "t", HEADER "1\t100\trs1\tA\tC\t9.9\t60\t250\n", 1.00001, 0.2);
    compare(text);
    assert_string_equal(text, "");
}

static void hits_are_new_lost_or_moved(void **state) {
    (void)state;
    char text[2000];
    make_run("old", "t",
             HEADER "1\t100\trs1\tA\tC\t20\t50\t150\n" /* p grows more than tenfold */
                    "1\t300\trs2\tA\tC\t9\t250\t350\n" /* another index */
                    "2\t100\trs3\tA\tC\t9\t50\t150\n", /* lost */
             1.0, 0.2);
    make_run("new", "t",
             HEADER "1\t100\trs1\tA\tC\t18\t50\t150\n"
                    "1\t320\trs5\tA\tC\t10\t300\t350\n"
                    "1\t351\trs6\tA\tC\t9\t351\t360\n", /* begins behind rs2's end: new */
             1.0, 0.2);
    compare(text);
    assert_string_equal(text, "t\tmoved hit\trs1\t1\t100\t1e-20\t1e-18\n"
                              "t\tmoved hit\trs5\t1\t320\trs2\trs5\n"
                              "t\tnew hit\trs6\t1\t351\tNA\t1e-09\n"
                              "t\tlost hit\trs3\t2\t100\t1e-09\tNA\n");
}

static void numbers_that_differ_are_told(void **state) {
    (void)state;
    char text[2000];
    make_run("old", "t", HEADER, 1.02, 0.2);
    make_run("new", "t", HEADER, 1.03, 0.25);
    compare(text);
    assert_string_equal(text, "t\tlambda\tNA\tNA\tNA\t1.0200\t1.0300\n"
                              "t\tr2 ridge\tNA\tNA\tNA\t0.2000\t0.2500\n");
}

static void traits_are_joined_by_name(void **state) {
    (void)state;
    char text[2000];
    make_run("old", "height", HEADER, 1.0, 0.2);
    make_run("new", "weight", HEADER "1\t100\trs1\tA\tC\t20\t50\t150\n", 1.0, 0.2);
    compare(text);
    assert_string_equal(text, "weight\tnew trait\tNA\tNA\tNA\tNA\tNA\n"
                              "height\tlost trait\tNA\tNA\tNA\tNA\tNA\n");
}

static int read_and_compare(void *context, gp_err *err) {
    (void)context;
    gp_report_run before = {0}, after = {0};
    gp_text to = {0};
    if (gp_report_read(&before, scratch("old"), 1, err) == GP_OK &&
        gp_report_read(&after, scratch("new"), 1, err) == GP_OK)
        gp_compare_runs(&before, &after, &to, err);
    gp_text_free(&to);
    gp_report_free(&before);
    gp_report_free(&after);
    return err->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    make_run("old", "t", HEADER "1\t100\trs1\tA\tC\t20\t50\t150\n", 1.0, 0.2);
    make_run("new", "t", HEADER, 1.0, 0.2);
    assert_true(gp_test_fail_each(read_and_compare, NULL) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(equal_runs_have_no_changes, scratch_clear),
        cmocka_unit_test_teardown(hits_are_new_lost_or_moved, scratch_clear),
        cmocka_unit_test_teardown(numbers_that_differ_are_told, scratch_clear),
        cmocka_unit_test_teardown(traits_are_joined_by_name, scratch_clear),
        cmocka_unit_test_teardown(every_allocation_may_fail, scratch_clear),
    };
    return cmocka_run_group_tests_name("jobs.compare", tests, scratch_make, scratch_remove);
}
