/* blup, predict and folds with every allocation refused in turn; who is in which fold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jobs/blup.h"
#include "jobs/predict.h"
#include "jobs/simulation.h"
#include "src/base/mem.h"
#include "tests/support/scratch.h"

#include <math.h>

extern const gp_command gp_command_blup, gp_command_predict;

enum { N = 80, M = 130 };

static gp_par *par;
static gp_sink sink;
static gp_job job = {.sink = &sink};
static char folder[512];

static const char *in_folder(const char *name) {
    static char path[8][600];
    static int turn;
    char *to = path[turn++ % 8];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static void simulate(void) {
    static char prefix[600];
    gp_err err = {0};
    snprintf(prefix, sizeof prefix, "%s", in_folder("c"));
    gp_simulation_options ask = {.out = prefix,
                                 .samples = N,
                                 .variants = M,
                                 .chromosomes = 2,
                                 .populations = 2,
                                 .missing_rate = 0.02,
                                 .missing_pheno = 0.1,
                                 .traits = 2,
                                 .causal = 20,
                                 .heritability = 0.5,
                                 .prevalence = 0.5,
                                 .seed = 3};
    gp_simulation s = {.ask = &ask, .sink = &sink};
    if (gp_simulation_check(&s, &err) == GP_OK)
        gp_simulation_write(&s, &err);
    gp_simulation_free(&s);
    if (err.code != GP_OK)
        fail_msg("%s", err.text);
}

static void ask(int64_t folds, const char *out) {
    static char store[600], pheno[600], covar[600], to[600];
    snprintf(store, sizeof store, "%s", in_folder("c.h5"));
    snprintf(pheno, sizeof pheno, "%s", in_folder("c.pheno.tsv"));
    snprintf(covar, sizeof covar, "%s", in_folder("c.covar.tsv"));
    snprintf(to, sizeof to, "%s", in_folder(out));
    gp_blup_values.store = store;
    gp_blup_values.cohort.pheno = pheno;
    gp_blup_values.cohort.covar = covar;
    gp_blup_values.cohort.cat_covar_name = "batch";
    gp_blup_values.folds.folds = folds;
    gp_blup_values.out = to;
    gp_predict_options *p = gp_command_predict.values;
    static char model[600], table[600];
    snprintf(model, sizeof model, "%s", in_folder("model"));
    snprintf(table, sizeof table, "%s", in_folder("predicted.tsv"));
    p->model = model;
    p->store = store;
    p->out = table;
    p->cohort.covar = covar;
}

/* Runs a command again and again, its k-th allocation failing: each of the first ones, and
 * later a sample of them. */
static void fail_each(const gp_command *command, const char *result) {
    int64_t k = 1, failed = 0;
    for (;; k += 1 + k / 60) {
        gp_err err = {0};
        gp_mem_fail_at(k);
        int code = command->run(&job, &err);
        gp_mem_fail_at(0);
        assert_int_equal(code, err.code);
        if (code == GP_OK)
            break;
        failed++;
        if (code != GP_EFAIL || strstr(err.text, "memory") == NULL)
            fail_msg("allocation %d: status %d, %s", (int)k, code, err.text);
        if (access(result, F_OK) == 0)
            fail_msg("allocation %d failed, and %s is there", (int)k, result);
        assert_true(k < 1000000);
    }
    assert_true(failed > 40);
    assert_int_equal(access(result, F_OK), 0);
}

static void blup_without_memory_leaves_no_results(void **state) {
    (void)state;
    ask(0, "model");
    fail_each(&gp_command_blup, in_folder("model/predictions.tsv"));
    assert_int_equal(access(in_folder("model/effects.tsv.gz"), F_OK), 0);
    assert_int_equal(scratch_entries(in_folder("model"), 0), 5);
}

static void cross_validation_without_memory_leaves_no_results(void **state) {
    (void)state;
    ask(3, "folds");
    fail_each(&gp_command_blup, in_folder("folds/predictions.tsv"));
    assert_int_equal(scratch_entries(in_folder("folds"), 0), 4);
}

/* After blup_without_memory_leaves_no_results, which makes the model. */
static void predict_without_memory_leaves_no_table(void **state) {
    (void)state;
    ask(0, "model");
    fail_each(&gp_command_predict, in_folder("predicted.tsv"));
}

/* ---- folds ---- */

/* A cohort of six samples, the last without a trait. */
static void make_cohort(gp_cohort *cohort, gp_err *err) {
    static const char *const name[] = {"a", "b", "c", "d", "e", "f"};
    cohort->kept = gp_mem_alloc(6, 1, err);
    cohort->complete = gp_mem_alloc(6, 1, err);
    cohort->trait = gp_mem_alloc(1, sizeof *cohort->trait, err);
    cohort->traits = err->code == GP_OK;
    for (int k = 0; err->code == GP_OK && k < 6; k++) {
        gp_sample sample = {"0", name[k], "0", "0", 0};
        gp_samples_add(&cohort->samples, &sample, err);
        cohort->kept[k] = cohort->complete[k] = 1;
    }
    if (err->code == GP_OK)
        cohort->trait->value = gp_mem_alloc(6, sizeof(double), err);
    for (int k = 0; err->code == GP_OK && k < 6; k++)
        cohort->trait->value[k] = k < 5 ? k : NAN;
}

static int make_folds(const gp_folds_options *options, gp_folds *folds, gp_err *err) {
    gp_cohort cohort = {0};
    make_cohort(&cohort, err);
    if (err->code == GP_OK)
        gp_folds_init(&job, options, &cohort, folds, err);
    gp_cohort_free(&cohort);
    return err->code;
}

static void expect_folds(const char *text, int64_t count, const int64_t *label, const int64_t *of) {
    gp_folds_options options = {.file = scratch_text("folds.tsv", text)};
    gp_folds folds = {0};
    gp_err err = {0};
    make_folds(&options, &folds, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(folds.count, count);
    assert_memory_equal(folds.label, label, (size_t)count * sizeof *label);
    assert_memory_equal(folds.of, of, 6 * sizeof *of);
    gp_folds_free(&folds);
}

static void a_file_names_folds_in_any_order(void **state) {
    (void)state;
    const int64_t label[] = {0, 7, 12}, of[] = {1, 0, 1, 2, 0, -1};
    expect_folds("IID fold\ne 0\na 7\nb 0\nc 7\nd 12\nstranger 3\n", 3, label, of);
    expect_folds(
        "FID\tIID\tfold\tother\n0\te\t0\t1\n0\ta\t7\tx\n0\tb\t0\t1\n0\tc\t7\t1\n0\td\t12\t1\n"
        "0\tf\tNA\t1\n",
        3, label, of);
}

static void without_a_file_folds_go_round(void **state) {
    (void)state;
    const int64_t of[] = {0, 1, 2, 0, 1, 2};
    gp_folds_options options = {.folds = 3}, none = {0};
    gp_folds folds = {0};
    gp_err err = {0};
    assert_int_equal(make_folds(&options, &folds, &err), GP_OK);
    assert_memory_equal(folds.of, of, sizeof of);
    gp_folds_free(&folds);
    assert_int_equal(make_folds(&none, &folds, &err), GP_OK);
    assert_true(folds.count == 0 && folds.of == NULL);
}

static void expect_no_folds(gp_folds_options options, const char *words) {
    gp_folds folds = {0};
    gp_err err = {0};
    assert_int_equal(make_folds(&options, &folds, &err), GP_EINPUT);
    if (strstr(err.text, words) == NULL)
        fail_msg("no '%s' in '%s'", words, err.text);
    gp_folds_free(&folds);
}

static void expect_bad_file(const char *text, const char *words) {
    expect_no_folds((gp_folds_options){.file = scratch_text("folds.tsv", text)}, words);
}

static void bad_folds_are_named(void **state) {
    (void)state;
    expect_bad_file("IID fold\na 1\nb 2\nc 1\ne 1\n", "1 samples with a trait have no fold (0 d)");
    expect_bad_file("IID fold\na 1\nb 2\nc NA\nd NA\ne 1\n", "2 samples with a trait have no fold");
    expect_bad_file("IID fold\na 1\nb 1\nc 1\nd 1\ne 1\n", "all samples are in one fold");
    expect_bad_file("IID fold\na 1\nb 1.5\nc 1\nd 1\ne 1\n",
                    ":3: column 'fold': a fold is a whole");
    expect_bad_file("IID fold\na 1\nb -1\nc 1\nd 1\ne 1\n", ":3: column 'fold': a fold is a whole");
    expect_bad_file("IID fold\na 1\nb x\nc 1\nd 1\ne 1\n", "'x' is not a number");
    expect_bad_file("IID one two\na 1 1\n", "--fold-file");
    expect_bad_file("IID fold\na 1\na 2\n", "a");
    expect_no_folds((gp_folds_options){.folds = 6}, "6 folds are more than the 5 samples");
    expect_no_folds((gp_folds_options){.folds = 1}, "one fold");
    expect_no_folds((gp_folds_options){.folds = 2, .file = "x"}, "name one");
}

static int make_folder(void **state) {
    int code = scratch_make(state);
    snprintf(folder, sizeof folder, "%s", scratch_folder);
    simulate();
    return code;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    job.par = par;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blup_without_memory_leaves_no_results),
        cmocka_unit_test(cross_validation_without_memory_leaves_no_results),
        cmocka_unit_test(predict_without_memory_leaves_no_table),
        cmocka_unit_test(a_file_names_folds_in_any_order),
        cmocka_unit_test(without_a_file_folds_go_round),
        cmocka_unit_test(bad_folds_are_named),
    };
    int failed = cmocka_run_group_tests(tests, make_folder, scratch_remove);
    gp_par_close(par);
    return failed;
}
