/* Traits of a linear model as columns: they may take each other's place, and none knows of another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/cohort.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/kernel_test.h"
#include "tests/support/random.h"

#include <math.h>
#include <omp.h>

enum { VARIANTS = 40, COVARIATES = 4 };

/* n samples, a tenth out of use; calls are missing in all variants but every fifth. */
static cohort draw(int64_t n, int64_t traits, uint64_t *seed) {
    cohort h = cohort_new(n, VARIANTS, COVARIATES, traits);
    h.used = 0;
    for (int64_t i = 0; i < n; i++)
        if (gp_test_below(seed, 10) > 0)
            h.sample[h.used++] = i;
    for (int64_t k = 0; k < VARIANTS * n; k++) {
        int call = (int)gp_test_below(seed, 3), missing = (int)gp_test_below(seed, 12) == 0;
        gp_geno_set(h.rows + k / n * h.stride, k % n,
                    missing && k / n % 5 > 0 ? GP_GENO_MISSING : call);
    }
    for (int64_t k = 0; k < COVARIATES * n; k++)
        h.x[k] = gp_test_normal(seed);
    for (int64_t k = 0; k < traits * n; k++)
        h.y[k] = ldexp(gp_test_normal(seed), (int)(k / n) * 3) + cohort_call(&h, 0, k % n);
    return h;
}

/* A model of part `shard` of `shards`, and its sums of all variants. */
typedef struct part {
    gp_linear model;
    gp_linear_input in;
    int64_t *sums;
} part;

static void part_make(part *p, const cohort *h, const cohort_design *d, int exact, int64_t shards,
                      int64_t shard) {
    gp_err err = {0};
    *p = (part){.in = cohort_input(h, d, exact, shards, shard)};
    p->in.keep = 1 << 20;
    assert_int_equal(gp_linear_init(&p->model, &p->in, &err), GP_OK);
    p->sums = cohort_room(h->m * gp_linear_sums_width(&p->model), sizeof *p->sums);
}

static void part_sum(part *p, const cohort *h) {
    cohort_calls c;
    cohort_view(h, p->in.first, p->in.samples, &c);
    gp_linear_sums(&p->model, &c.calls, p->sums);
}

static void part_test(part *p, const cohort *h, gp_result *result) {
    int64_t all[VARIANTS];
    for (int64_t j = 0; j < VARIANTS; j++)
        all[j] = j;
    gp_linear_test(&p->model, p->sums, h->m, all, h->m, result);
}

static void part_free(part *p) {
    free(p->sums);
    gp_linear_free(&p->model);
}

/* A model that was made of some traits, used, and given others is the model of those, to the bit;
 * back and forth, and with one that stays. The table of moments that is kept for missing calls must
 * go with the traits. */
static void a_model_with_fresh_traits_is_the_model_of_them(void **state) {
    (void)state;
    uint64_t seed = 51;
    for (int way = 0; way < 8; way++) {
        int exact = way & 1, shards = way & 2 ? 2 : 1;
        omp_set_num_threads(way & 4 ? 3 : 1);
        cohort h = draw(300, 3, &seed), other = h;
        other.y = cohort_room(h.p * h.n, sizeof *other.y);
        for (int64_t k = 0; k < h.p * h.n; k++) /* the second trait stays */
            other.y[k] = k / h.n == 1 ? h.y[k] : h.y[k] - ldexp(gp_test_normal(&seed), 2);
        cohort_design d[2] = {cohort_prepare(&h), cohort_prepare(&other)};
        for (int64_t s = 0; s < shards; s++) {
            part moved, fresh[2];
            gp_linear_column column[2][3] = {{{0}}};
            gp_result got[3 * VARIANTS], want[3 * VARIANTS];
            gp_err err = {0};
            part_make(&moved, &h, &d[0], exact, shards, s);
            part_sum(&moved, &h);
            for (int k = 0; k < 2; k++) {
                part_make(&fresh[k], &h, &d[k], exact, shards, s);
                part_sum(&fresh[k], &h);
                for (int t = 0; t < 3; t++)
                    assert_int_equal(gp_linear_column_init(&column[k][t], &moved.in,
                                                           d[k].residual + t * h.used,
                                                           d[k].length[t], &err),
                                     GP_OK);
            }
            for (int round = 0; round < 4; round++) {
                int k = !(round & 1);
                const gp_linear_column *next[3] = {&column[k][0], round < 2 ? NULL : &column[k][1],
                                                   &column[k][2]};
                gp_linear_exchange(&moved.model, next);
                part_sum(&moved, &h);
                assert_memory_equal(moved.sums, fresh[k].sums,
                                    (size_t)(h.m * gp_linear_sums_width(&moved.model)) *
                                        sizeof *moved.sums);
                part_test(&moved, &h, got);
                part_test(&fresh[k], &h, want);
                for (int64_t r = 0; r < 3 * VARIANTS; r++)
                    assert_true(cohort_same(&got[r], &want[r]));
            }
            for (int k = 0; k < 2; k++) {
                for (int t = 0; t < 3; t++)
                    gp_linear_column_free(&column[k][t]);
                part_free(&fresh[k]);
            }
            part_free(&moved);
        }
        cohort_design_free(&d[0]);
        cohort_design_free(&d[1]);
        free(other.y);
        cohort_free(&h);
    }
    omp_set_num_threads(1);
}

/* Nine traits and four covariates fill tiles, vectors and rows of moments otherwise than one does.
 */
static void a_trait_alone_has_the_bits_that_it_has_among_others(void **state) {
    (void)state;
    uint64_t seed = 52;
    for (int exact = 0; exact <= 1; exact++) {
        cohort h = draw(777, 9, &seed);
        gp_result all[9 * VARIANTS], alone[VARIANTS];
        free(cohort_test(&h, exact, 2, all));
        for (int64_t t = 0; t < h.p; t++) {
            cohort one = h;
            one.p = 1;
            one.y = h.y + t * h.n;
            free(cohort_test(&one, exact, 1, alone));
            for (int64_t j = 0; j < VARIANTS; j++)
                assert_true(cohort_same(&alone[j], &all[j * h.p + t]));
        }
        cohort_free(&h);
    }
}

/* An offset that equals the trait leaves nothing of it to test. */
static void a_trait_of_length_zero_is_constant(void **state) {
    (void)state;
    uint64_t seed = 53;
    cohort h = draw(100, 1, &seed);
    cohort_design d = cohort_prepare(&h);
    gp_linear_column column = {0};
    const gp_linear_column *next[1] = {&column};
    gp_result result[VARIANTS];
    gp_err err = {0};
    part p;
    part_make(&p, &h, &d, 1, 1, 0);
    double *nothing = cohort_room(h.used, sizeof *nothing);
    assert_int_equal(gp_linear_column_init(&column, &p.in, nothing, 0.0, &err), GP_OK);
    gp_linear_exchange(&p.model, next);
    part_sum(&p, &h);
    part_test(&p, &h, result);
    for (int64_t j = 0; j < VARIANTS; j++) {
        assert_int_equal(result[j].status, GP_STATUS_CONSTANT);
        assert_true(isnan(result[j].beta) && isnan(result[j].neglog10p));
    }
    free(nothing);
    gp_linear_column_free(&column);
    part_free(&p);
    cohort_design_free(&d);
    cohort_free(&h);
}

static int make_column(void *context, gp_err *err) {
    const gp_linear_input *in = context;
    gp_linear_column column = {0};
    int code = gp_linear_column_init(&column, in, in->residual, 1.0, err);
    gp_linear_column_free(&column);
    gp_linear_column_free(&column);
    return code;
}

static void a_column_that_has_no_memory_says_so(void **state) {
    (void)state;
    uint64_t seed = 54;
    cohort h = draw(100, 1, &seed);
    cohort_design d = cohort_prepare(&h);
    gp_linear_input in = cohort_input(&h, &d, 1, 1, 0);
    assert_int_equal(gp_test_fail_each(make_column, &in), 1);
    cohort_design_free(&d);
    cohort_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_with_fresh_traits_is_the_model_of_them),
        cmocka_unit_test(a_trait_alone_has_the_bits_that_it_has_among_others),
        cmocka_unit_test(a_trait_of_length_zero_is_constant),
        cmocka_unit_test(a_column_that_has_no_memory_says_so),
    };
    if (gp_test_no_kernel())
        return GP_TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
