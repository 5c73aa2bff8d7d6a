/* Patches: where they are cut and where they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jobs/patches.h"

#include <math.h>

#include "tests/support/fail_alloc.h"

/* Chromosomes of 5, 0, 1 and 2 variants. */
static const int64_t counting[] = {5, 0, 1, 2};
static const double base[] = {10, 20, 30, 50, 90, 7, 100, 200};

static gp_patches cut(const double *morgan, const double *at, int64_t size) {
    const gp_places places = {.chromosomes = 4, .counting = counting, .morgan = morgan, .base = at};
    gp_patches p = {0};
    gp_err err = {0};
    assert_int_equal(gp_patches_cut(&p, &places, size, &err), GP_OK);
    return p;
}

static void patches_never_cross_a_chromosome(void **state) {
    const int64_t first[] = {0, 2, 4, 5, 6, 8}, place[] = {0, 2, 3};
    const int32_t chromosome[] = {0, 0, 0, 1, 2};
    (void)state;
    gp_patches p = cut(NULL, base, 2);
    assert_int_equal(p.variants, 8);
    assert_int_equal(p.count, 5);
    assert_memory_equal(p.first, first, sizeof first);
    assert_memory_equal(p.chromosome, chromosome, sizeof chromosome);
    assert_int_equal(p.chromosomes, 3);
    assert_memory_equal(p.place, place, sizeof place);
    gp_patches_free(&p);
}

static void neighbours_are_1_apart_on_average_and_chromosomes_100(void **state) {
    (void)state;
    gp_patches p = cut(NULL, base, 2);
    /* means 15, 40, 90 on the first: distances 25 and 50, 37.5 on average */
    const double expected[] = {0.0, 25 / 37.5, 2.0, 102.0, 202.0};
    assert_string_equal(p.from, "base pairs");
    for (int k = 0; k < 5; k++)
        assert_float_equal(p.position[k], expected[k], 1e-12); /* rounding */
    gp_patches_free(&p);
}

static void a_genetic_map_comes_before_base_pairs(void **state) {
    const double morgan[] = {0, 0, 1, 1, 4, 0, 0, 0};
    (void)state;
    gp_patches p = cut(morgan, base, 2); /* means 0, 1, 4 */
    assert_string_equal(p.from, "the genetic map");
    assert_float_equal(p.position[1], 0.5, 1e-12);
    assert_float_equal(p.position[2], 2.0, 1e-12);
    gp_patches_free(&p);
}

static void a_map_that_will_not_do_is_not_used(void **state) {
    const double zero[8] = {0}, backwards[] = {5, 5, 3, 3, 4, 0, 0, 0};
    const double missing[] = {0, 0, 1, NAN, 4, 0, 0, 0};
    const double *map[] = {zero, backwards, missing};
    (void)state;
    for (int k = 0; k < 3; k++) {
        gp_patches p = cut(map[k], base, 2);
        assert_string_equal(p.from, "base pairs");
        gp_patches_free(&p);
    }
}

static void patches_without_places_are_numbered(void **state) {
    const double zero[8] = {0};
    const double expected[] = {0, 1, 2, 102, 202};
    (void)state;
    gp_patches p = cut(zero, zero, 2);
    assert_string_equal(p.from, "numbers");
    for (int k = 0; k < 5; k++)
        assert_float_equal(p.position[k], expected[k], 0.0);
    gp_patches_free(&p);
}

static void one_patch_a_chromosome_lies_at_its_begin(void **state) {
    (void)state;
    gp_patches p = cut(NULL, base, 1000);
    assert_int_equal(p.count, 3);
    for (int k = 0; k < 3; k++)
        assert_float_equal(p.position[k], 100.0 * k, 0.0);
    gp_patches_free(&p);
}

static int work(void *context, gp_err *err) {
    const gp_places places = {.chromosomes = 4, .counting = counting, .base = base};
    gp_patches p = {0};
    (void)context;
    gp_patches_cut(&p, &places, 2, err);
    gp_patches_free(&p);
    return err->code;
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    assert_int_equal(gp_test_fail_each(work, NULL), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_never_cross_a_chromosome),
        cmocka_unit_test(neighbours_are_1_apart_on_average_and_chromosomes_100),
        cmocka_unit_test(a_genetic_map_comes_before_base_pairs),
        cmocka_unit_test(a_map_that_will_not_do_is_not_used),
        cmocka_unit_test(patches_without_places_are_numbered),
        cmocka_unit_test(one_patch_a_chromosome_lies_at_its_begin),
        cmocka_unit_test(refused_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
