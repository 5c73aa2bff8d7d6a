/* Files of effects, and tables of predictions and of how good they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/effects.h"
#include "io/file.h"
#include "io/fixed_effects.h"
#include "io/metrics.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <math.h>

#define HEADER "chromosome\tbase_pair_location\tid\teffect_allele\tother_allele\tmean"

static void effects_come_back_as_they_were_written(void **state) {
    (void)state;
    const char *const trait[] = {"height", "a trait"};
    double value[] = {-0.125, 1.0 / 3.0};
    gp_effect e = {"X", 1234567890123, "rs1", "A", "GT", 0.75, value}, back;
    gp_text text = {0};
    gp_effects *file = NULL;
    gp_err err = {0};
    gp_effects_header(&text, trait, 2, &err);
    gp_effects_print(&text, &e, 2, &err);
    const char *path = scratch_text("effects", text.bytes);
    assert_int_equal(gp_effects_open(&file, path, &err), GP_OK);
    assert_int_equal(gp_effects_traits(file), 2);
    assert_string_equal(gp_effects_trait(file, 1), "a trait");
    assert_int_equal(gp_effects_next(file, &back, &err), 1);
    assert_string_equal(back.chromosome, "X");
    assert_int_equal(back.position, 1234567890123);
    assert_string_equal(back.id, "rs1");
    assert_string_equal(back.effect_allele, "A");
    assert_string_equal(back.other_allele, "GT");
    assert_true(back.mean == 0.75 && back.value[0] == -0.125);
    assert_true(fabs(back.value[1] - value[1]) < 1e-12); /* 12 digits */
    assert_int_equal(gp_effects_next(file, &back, &err), 0);
    assert_int_equal(err.code, GP_OK);
    gp_effects_close(file);
    gp_text_free(&text);
}

/* The error of a whole file. */
static void expect_bad(const char *text, const char *words) {
    gp_effects *file = NULL;
    gp_effect e;
    gp_err err = {0};
    if (gp_effects_open(&file, scratch_text("bad", text), &err) == GP_OK)
        while (gp_effects_next(file, &e, &err))
            continue;
    gp_effects_close(file);
    assert_int_equal(err.code, GP_EINPUT);
    if (strstr(err.text, words) == NULL)
        fail_msg("no '%s' in '%s'", words, err.text);
}

static void bad_effects_are_named(void **state) {
    (void)state;
    expect_bad("", "is no file of variant effects");
    expect_bad(HEADER "\n", "is no file of variant effects");
    expect_bad("chromosome\tid\tT\n", "is no file of variant effects");
    expect_bad(HEADER "\tT\n1\t2\tr\tA\tC\t0.5\n", ":2: has fewer fields");
    expect_bad(HEADER "\tT\n1\t2\tr\tA\n", ":2: has fewer fields");
    expect_bad(HEADER "\tT\n1\t2\tr\tA\tC\t0.5\t1\t2\n", ":2: has more fields");
    expect_bad(HEADER "\tT\n1\t2\tr\tA\tC\t0.5\tnan\n", ":2: 'nan' is not a number");
    expect_bad(HEADER "\tT\n\n1\tx\tr\tA\tC\t0.5\t1\n", ":3: 'x' is not a number");
    expect_bad(HEADER "\tT\n1\t2\tr\tA\tC\t2.5\t1\n", "not within 0 to 2");
    expect_bad("\x1f\x8b\x08\x04garbage", "");
    gp_effects *file = NULL;
    gp_err err = {0};
    assert_int_equal(gp_effects_open(&file, scratch("none"), &err), GP_EINPUT);
    assert_null(file);
    assert_non_null(strstr(err.text, "cannot be opened"));
}

static int parse_fixed(const char *text, gp_fixed_effects *fixed, gp_err *err) {
    gp_text bytes = {0};
    gp_text_print(&bytes, err, "%s", text);
    if (err->code == GP_OK)
        gp_fixed_effects_parse(fixed, "model.tsv", &bytes, err);
    gp_text_free(&bytes);
    return err->code;
}

static void fixed_effects_come_back_as_they_were_written(void **state) {
    (void)state;
    const char *const term[] = {"age", "site=b"};
    const double effect[] = {1.0 / 3.0, -2e-300, 4.0}, other[] = {0.0, 0.1, 1e300};
    gp_text text = {0};
    gp_fixed_effects fixed = {0};
    gp_err err = {0};
    gp_fixed_effects_header(&text, &err);
    gp_fixed_effects_print(&text, "t1", term, effect, 3, &err);
    gp_fixed_effects_print(&text, "t2", term, other, 3, &err);
    assert_int_equal(parse_fixed(text.bytes, &fixed, &err), GP_OK);
    assert_int_equal(fixed.trait.count, 2);
    assert_int_equal(fixed.term.count, 3);
    assert_string_equal(gp_ids_get(&fixed.term, 2), "site=b");
    for (int k = 0; k < 3; k++)
        assert_true(fixed.effect[k] == effect[k] && fixed.effect[3 + k] == other[k]);
    gp_fixed_effects_free(&fixed);
    gp_text_free(&text);
}

static void bad_fixed_effects_are_named(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "trait\tterm\teffect\n",
        "trait\tterm\n",
        "trait\tterm\teffect\nt\tage\t1\n",
        "trait\tterm\teffect\nt\t(intercept)\tx\n",
        "trait\tterm\teffect\nt\t(intercept)\t1\nt\t(intercept)\t1\n",
        "trait\tterm\teffect\nt\t(intercept)\t1\nt\tage\t1\nu\t(intercept)\t1\n",
        "trait\tterm\teffect\nt\t(intercept)\t1\nu\t(intercept)\t1\nt\tage\t1\n",
        "trait\tterm\teffect\nt\t(intercept)\t1\t2\n"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        gp_fixed_effects fixed = {0};
        gp_err err = {0};
        if (parse_fixed(bad[k], &fixed, &err) != GP_EINPUT)
            fail_msg("text %d is accepted", (int)k);
        gp_fixed_effects_free(&fixed);
    }
}

static void metrics_print_as_they_should(void **state) {
    (void)state;
    gp_text text = {0};
    gp_err err = {0};
    const gp_accuracy a = {10, -0.5, 0.25, 1e-9, NAN};
    assert_int_equal(gp_metrics_print(&text, "t", "blup", "all", &a, &err), GP_OK);
    assert_string_equal(text.bytes, "t\tblup\tall\t10\t-0.5\t0.25\t1e-09\tNA\n");
    gp_text_free(&text);
}

static int write_predictions(void *context, gp_err *err) {
    static const char *const model[] = {"covariates", "blup"};
    const double value[] = {1.5, NAN};
    const gp_prediction line = {"f", "i", "t", NULL, 2.0, value},
                        other = {"f", "j", "t", "3", NAN, value};
    gp_predictions p = {0};
    if (gp_predictions_open(&p, context, model, 2, err) == GP_OK &&
        gp_predictions_add(&p, &line, err) == GP_OK && gp_predictions_add(&p, &other, err) == GP_OK)
        gp_predictions_finish(&p, err);
    gp_predictions_close(&p);
    return err->code;
}

static void predictions_are_whole_or_not_there(void **state) {
    (void)state;
    char path[600];
    gp_text text = {0};
    gp_err err = {0};
    snprintf(path, sizeof path, "%s", scratch("predictions.tsv"));
    gp_test_fail_each(write_predictions, path);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    assert_int_equal(gp_io_read_text(path, &text, &err), GP_OK);
    assert_string_equal(text.bytes, "FID\tIID\ttrait\tfold\tobserved\tcovariates\tblup\n"
                                    "f\ti\tt\tNA\t2\t1.5\tNA\n"
                                    "f\tj\tt\t3\tNA\t1.5\tNA\n");
    gp_text_free(&text);
    snprintf(path, sizeof path, "%s", scratch("none/predictions.tsv"));
    assert_int_equal(write_predictions(path, &err), GP_EFAIL);
}

static int read_all(void *context, gp_err *err) {
    gp_effects *file = NULL;
    gp_effect e;
    if (gp_effects_open(&file, context, err) == GP_OK)
        while (gp_effects_next(file, &e, err))
            continue;
    gp_effects_close(file);
    return err->code;
}

static void every_refused_allocation_comes_back(void **state) {
    (void)state;
    char path[600];
    snprintf(path, sizeof path, "%s",
             scratch_text("effects", HEADER "\tT\tU\n1\t2\tr\tA\tC\t0.5\t1\t2\n"));
    assert_true(gp_test_fail_each(read_all, path) >= 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(effects_come_back_as_they_were_written, scratch_clear),
        cmocka_unit_test_teardown(bad_effects_are_named, scratch_clear),
        cmocka_unit_test(fixed_effects_come_back_as_they_were_written),
        cmocka_unit_test(bad_fixed_effects_are_named),
        cmocka_unit_test(metrics_print_as_they_should),
        cmocka_unit_test_teardown(predictions_are_whole_or_not_there, scratch_clear),
        cmocka_unit_test_teardown(every_refused_allocation_comes_back, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
