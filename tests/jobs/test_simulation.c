/* A simulated cohort's files: the store and the .bed agree, and faults leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/import.h"
#include "jobs/simulation.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

static int simulate(const char *prefix, gp_err *err) {
    const gp_simulation_options ask = {.out = prefix,
                                       .samples = 70,
                                       .variants = 40,
                                       .chromosomes = 2,
                                       .populations = 2,
                                       .relatives = 0.2,
                                       .missing_rate = 0.02,
                                       .missing_pheno = 0.1,
                                       .traits = 2,
                                       .binary = 1,
                                       .causal = 4,
                                       .heritability = 0.5,
                                       .dominance = 0.1,
                                       .epistasis = 0.1,
                                       .prevalence = 0.3,
                                       .seed = 5,
                                       .plink = 1};
    gp_simulation s = {.ask = &ask};
    if (gp_simulation_check(&s, err) == GP_OK)
        gp_simulation_write(&s, err);
    gp_simulation_free(&s);
    return err->code;
}

static void the_store_is_the_one_that_import_makes_of_the_bed(void **state) {
    (void)state;
    gp_err err = {0};
    char prefix[1024], imported[1024], made[1100];
    gp_import_result result = {0};
    gp_store *a = NULL, *b = NULL;
    snprintf(prefix, sizeof prefix, "%s", scratch("cohort"));
    snprintf(imported, sizeof imported, "%s", scratch("imported.h5"));
    snprintf(made, sizeof made, "%s.h5", prefix);
    assert_int_equal(simulate(prefix, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 7);
    const gp_import ask = {.bfile = prefix, .out = imported};
    assert_int_equal(gp_import_bfile(&ask, &result, &err), GP_OK);
    assert_int_equal(gp_store_verify(made, NULL, NULL, &err), GP_OK);
    assert_int_equal(gp_store_open(&a, made, &err), GP_OK);
    assert_int_equal(gp_store_open(&b, imported, &err), GP_OK);
    assert_string_equal(gp_store_digest(a), gp_store_digest(b));
    gp_store_close(a);
    gp_store_close(b);
    gp_import_result_free(&result);
}

/* Files come by rename one after the other: some may be there, but none half-written. */
static int simulate_and_look(void *context, gp_err *err) {
    if (simulate(context, err) != GP_OK) {
        assert_int_equal(access(scratch("cohort.h5"), F_OK), -1);
        assert_int_equal(access(scratch("cohort.h5.tmp"), F_OK), -1);
        assert_int_equal(access(scratch("cohort.bed.tmp"), F_OK), -1);
        assert_int_equal(access(scratch("cohort.bim.tmp"), F_OK), -1);
    }
    return err->code;
}

static void a_refused_allocation_leaves_nothing_half_written(void **state) {
    (void)state;
    char prefix[1024];
    snprintf(prefix, sizeof prefix, "%s", scratch("cohort"));
    assert_true(gp_test_fail_each(simulate_and_look, prefix) > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_store_is_the_one_that_import_makes_of_the_bed, scratch_clear),
        cmocka_unit_test_teardown(a_refused_allocation_leaves_nothing_half_written, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
