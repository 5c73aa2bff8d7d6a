/* Simulated traits: causal variants, shares of variance, what the truth says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/sim/trait.h"
#include "tests/src/sim_cohort.h"
#include "tests/support/fail_alloc.h"

#include <math.h>

enum { N = 2000, VARIANTS = 2000, TRAITS = 3, EACH = 40 };

static const sim_want usual = {.samples = N,
                               .variants = VARIANTS,
                               .chromosomes = 5,
                               .populations = 2,
                               .relatives = 0.1,
                               .missing_rate = 0.05,
                               .seed = 1,
                               .causes = {TRAITS, EACH, N, VARIANTS, 1}};
static const gp_trait_plan plan = {.additive = 0.5,
                                   .dominance = 0.1,
                                   .epistasis = 0.05,
                                   .traits = TRAITS,
                                   .binary = 1,
                                   .prevalence = 0.1,
                                   .missing = 0,
                                   .seed = 1};
static sim_cohort cohort;
static double value[N], other[N], column[N];

static int make_cohort(void **state) {
    gp_err err = {0};
    (void)state;
    return sim_make(&cohort, &usual, &err);
}

static int free_cohort(void **state) {
    (void)state;
    sim_free(&cohort);
    return 0;
}

static void make(const gp_trait_plan *p, int64_t t, double *to) {
    gp_err err = {0};
    assert_int_equal(gp_trait_make(p, t, &cohort.causes, &cohort.people, to, &err), GP_OK);
}

static double mean_of(const double *x) {
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += x[i];
    return sum / N;
}

static double covariance(const double *x, const double *y) {
    double mx = mean_of(x), my = mean_of(y), sum = 0;
    for (int i = 0; i < N; i++)
        sum += (x[i] - mx) * (y[i] - my);
    return sum / N;
}

static double copies(int64_t t, int64_t k, int64_t i) {
    return gp_geno_get(cohort.causes.rows + (t * EACH + k) * cohort.stride, i);
}

/* The additive score of trait t by its truth. */
static void score(int64_t t, double *to) {
    memset(to, 0, N * sizeof *to);
    for (int64_t k = 0; k < EACH; k++)
        for (int64_t i = 0; i < N; i++)
            to[i] += cohort.causes.cause[t * EACH + k].additive * copies(t, k, i);
}

static void causal_variants_are_known_with_their_true_calls(void **state) {
    (void)state;
    for (int64_t c = 0; c < TRAITS * EACH; c++) {
        const gp_cause *cause = cohort.causes.cause + c;
        assert_in_range(cause->variant, 0, VARIANTS - 1);
        assert_true(c % EACH == 0 || cause->variant > cause[-1].variant);
        assert_int_equal(cause->position, cohort.position[cause->variant]);
        assert_int_equal(cause->chromosome, cohort.chromosome[cause->variant]);
        assert_int_equal(cohort.causes.cause[c / EACH * EACH + cause->partner].partner, c % EACH);
        for (int64_t i = 0; i < N; i++) {
            int call = sim_call(&cohort, cause->variant, i);
            int truth = gp_geno_get(cohort.causes.rows + c * cohort.stride, i);
            assert_true(truth != GP_GENO_MISSING && (call == GP_GENO_MISSING || call == truth));
        }
    }
}

static void a_trait_has_mean_0_and_variance_1(void **state) {
    (void)state;
    for (int64_t t = 0; t < TRAITS - 1; t++) {
        make(&plan, t, value);
        assert_true(fabs(mean_of(value)) < 1e-12); /* rounding of sums of 2,000 */
        assert_true(fabs(covariance(value, value) - 1) < 1e-12);
    }
}

static void additive_effects_have_the_share_asked_for(void **state) {
    (void)state;
    make(&plan, 0, value);
    score(0, other);
    assert_true(fabs(covariance(other, other) - 0.5) < 1e-12);
    /* The other parts happen to be correlated with it: 4 standard errors of sqrt(.5 * .5 / 2000).
     */
    assert_true(fabs(covariance(other, value) - 0.5) < 4 * sqrt(0.25 / N));
}

static void each_effect_has_the_share_its_truth_says(void **state) {
    (void)state;
    make(&plan, 0, value);
    for (int64_t k = 0; k < EACH; k++) {
        const gp_cause *c = cohort.causes.cause + k;
        for (int64_t i = 0; i < N; i++)
            column[i] = c->additive * copies(0, k, i);
        assert_true(fabs(covariance(column, column) - c->additive_share) < 1e-12);
        if (c->partner < k)
            continue;
        double mine = 0, his = 0;
        for (int64_t i = 0; i < N; i++) {
            mine += copies(0, k, i) / N;
            his += copies(0, c->partner, i) / N;
        }
        for (int64_t i = 0; i < N; i++)
            column[i] = c->epistasis * (copies(0, k, i) - mine) * (copies(0, c->partner, i) - his);
        assert_true(fabs(covariance(column, column) - c->epistasis_share) < 1e-12);
    }
}

/* With dominance alone and no noise left, the trait is its heterozygotes' deviations. */
static void dominance_is_of_heterozygotes_and_free_of_additive_effects(void **state) {
    (void)state;
    gp_trait_plan only = {.dominance = 1, .traits = TRAITS, .seed = 1};
    make(&only, 0, value);
    assert_true(fabs(covariance(value, value) - 1) < 1e-9);
    memset(other, 0, sizeof other);
    for (int64_t k = 0; k < EACH; k++) {
        double x[N], variance = 0;
        for (int64_t i = 0; i < N; i++) {
            x[i] = copies(0, k, i);
            column[i] = x[i] == 1;
        }
        variance = covariance(x, x);
        double slope = variance > 0 ? covariance(x, column) / variance : 0;
        double size = cohort.causes.cause[k].dominance;
        for (int64_t i = 0; i < N; i++)
            column[i] -= slope * x[i];
        double share = size * size * covariance(column, column);
        assert_true(fabs(share - cohort.causes.cause[k].dominance_share) < 1e-9);
        for (int64_t i = 0; i < N; i++)
            other[i] += size * column[i];
    }
    double mean = mean_of(other);
    for (int64_t i = 0; i < N; i++)
        assert_true(fabs(other[i] - mean - value[i]) < 1e-9); /* rounding */
}

/* R2 of covariates and batches, by Gram-Schmidt: 20% where no part is genetic. */
static void covariates_explain_their_share(void **state) {
    (void)state;
    static double basis[5][N];
    gp_trait_plan none = {.traits = TRAITS, .seed = 1};
    const gp_people *p = &cohort.people;
    double r2 = 0;
    make(&none, 0, value);
    for (int k = 0; k < 5; k++) {
        double *x = basis[k];
        for (int64_t i = 0; i < N; i++)
            x[i] = k == 0   ? p->age[i]
                   : k == 1 ? p->sex[i]
                   : k == 2 ? p->exposure[i]
                            : p->batch[i] == k - 3;
        for (int j = 0; j < k; j++) {
            double slope = covariance(x, basis[j]) / covariance(basis[j], basis[j]);
            for (int64_t i = 0; i < N; i++)
                x[i] -= slope * basis[j][i];
        }
        r2 += pow(covariance(x, value), 2) / covariance(x, x);
    }
    assert_true(fabs(r2 - 0.2) < 0.06); /* standard error of an R2 of 0.2: 0.016 */
}

static void a_binary_trait_has_its_prevalence_and_follows_liability(void **state) {
    (void)state;
    double cases = 0, of_cases = 0, all = 0;
    make(&plan, TRAITS - 1, value);
    score(TRAITS - 1, other);
    for (int64_t i = 0; i < N; i++) {
        assert_true(value[i] == 0 || value[i] == 1);
        cases += value[i];
        of_cases += value[i] * other[i];
        all += other[i] / N;
    }
    assert_true(cases == N * 0.1);
    /* Mean liability of the top tenth is 1.755; half of it is additive. Standard error 0.05. */
    assert_true(fabs(of_cases / cases - all - 0.5 * 1.755) < 0.2);
}

static void values_are_missing_at_their_rate(void **state) {
    (void)state;
    gp_trait_plan p = plan;
    int64_t missing[TRAITS] = {0};
    p.missing = 0.1;
    for (int64_t t = 0; t < TRAITS; t++) {
        make(&p, t, value);
        make(&plan, t, other);
        for (int64_t i = 0; i < N; i++) {
            missing[t] += isnan(value[i]);
            assert_true(isnan(value[i]) || value[i] == other[i]);
        }
        /* 4 standard errors of a binomial */
        assert_true(fabs((double)missing[t] - 0.1 * N) < 4 * sqrt(0.09 * N));
    }
}

static void a_trait_stays_the_same_when_others_are_added(void **state) {
    (void)state;
    gp_err err = {0};
    gp_causes few;
    gp_causes_plan want = usual.causes;
    want.traits = 1;
    assert_int_equal(gp_causes_init(&few, &want, &err), GP_OK);
    for (int64_t k = 0; k < EACH; k++)
        assert_int_equal(few.cause[k].variant, cohort.causes.cause[k].variant);
    gp_causes_free(&few);
    make(&plan, 0, value);
    make(&plan, 1, other);
    assert_true(fabs(covariance(value, other)) < 0.2);
    make(&plan, 0, other);
    assert_memory_equal(value, other, sizeof value);
}

static void shares_that_do_not_fit_are_refused(void **state) {
    (void)state;
    gp_trait_plan p = plan;
    gp_err err = {0};
    assert_int_equal(gp_trait_check(&p, EACH, &err), GP_OK);
    assert_int_equal(gp_trait_check(&p, 1, &err), GP_EINPUT);
    err = (gp_err){0};
    p.binary = TRAITS + 1;
    assert_int_equal(gp_trait_check(&p, EACH, &err), GP_EINPUT);
    err = (gp_err){0};
    p = plan;
    p.additive = 0.9;
    assert_int_equal(gp_trait_check(&p, EACH, &err), GP_EINPUT);
    err = (gp_err){0};
    p.additive = 0.85; /* with 0.1 and 0.05 exactly everything, but for rounding */
    assert_int_equal(gp_trait_check(&p, EACH, &err), GP_OK);
    gp_causes causes;
    const gp_causes_plan many = {1, 11, 4, 10, 1};
    assert_int_equal(gp_causes_init(&causes, &many, &err), GP_EINPUT);
}

static int one_trait(void *context, gp_err *err) {
    (void)context;
    return gp_trait_make(&plan, 0, &cohort.causes, &cohort.people, value, err);
}

static void a_refused_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    assert_int_equal(gp_test_fail_each(one_trait, NULL), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causal_variants_are_known_with_their_true_calls),
        cmocka_unit_test(a_trait_has_mean_0_and_variance_1),
        cmocka_unit_test(additive_effects_have_the_share_asked_for),
        cmocka_unit_test(each_effect_has_the_share_its_truth_says),
        cmocka_unit_test(dominance_is_of_heterozygotes_and_free_of_additive_effects),
        cmocka_unit_test(covariates_explain_their_share),
        cmocka_unit_test(a_binary_trait_has_its_prevalence_and_follows_liability),
        cmocka_unit_test(values_are_missing_at_their_rate),
        cmocka_unit_test(a_trait_stays_the_same_when_others_are_added),
        cmocka_unit_test(shares_that_do_not_fit_are_refused),
        cmocka_unit_test(a_refused_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, make_cohort, free_cohort);
}
