/* Random numbers: Random123's known answers, exact values, and moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/rng.h"

#include <math.h>
#include <string.h>

/* Random123 1.14.0, tests/kat_vectors, philox4x32 10. */
static void philox_gives_the_known_answers(void **state) {
    (void)state;
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (int k = 0; k < 3; k++) {
        uint32_t out[4];
        gp_philox(known[k], known[k] + 4, out);
        assert_memory_equal(out, known[k] + 6, sizeof out);
        memcpy(out, known[k], sizeof out);
        gp_philox(out, known[k] + 4, out); /* in place */
        assert_memory_equal(out, known[k] + 6, sizeof out);
    }
}

static void a_stream_is_the_blocks_of_its_counter(void **state) {
    (void)state;
    gp_rng rng = gp_rng_stream(0x299f31d0a4093822u, 7, 5, 6, 9);
    const uint32_t key[2] = {0xa4093822, 0x299f31d0};
    for (uint32_t block = 0; block < 3; block++) {
        const uint32_t counter[4] = {block, 5, 6, 7 << 24 | 9};
        uint32_t out[4];
        gp_philox(counter, key, out);
        for (int k = 0; k < 4; k++)
            assert_int_equal(gp_rng_next(&rng), out[k]);
    }
}

static void streams_of_different_names_differ(void **state) {
    (void)state;
    gp_rng stream[6] = {gp_rng_stream(1, 1, 1, 1, 1), gp_rng_stream(2, 1, 1, 1, 1),
                        gp_rng_stream(1, 2, 1, 1, 1), gp_rng_stream(1, 1, 2, 1, 1),
                        gp_rng_stream(1, 1, 1, 2, 1), gp_rng_stream(1, 1, 1, 1, 2)};
    double value[6];
    for (int k = 0; k < 6; k++) {
        value[k] = gp_rng_uniform(&stream[k]);
        for (int j = 0; j < k; j++)
            assert_true(value[j] != value[k]);
    }
}

static void uniforms_have_the_moments_of_their_law(void **state) {
    (void)state;
    enum { N = 100000 };
    gp_rng rng = gp_rng_stream(11, 1, 0, 0, 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        double u = gp_rng_uniform(&rng);
        assert_true(u >= 0 && u < 1 && u * 0x1p53 == floor(u * 0x1p53));
        sum += u;
        squares += u * u;
    }
    assert_true(fabs(sum / N - 0.5) < 4 / sqrt(12.0 * N));             /* 4 standard errors */
    assert_true(fabs(squares / N - 1.0 / 3) < 4 * sqrt(4.0 / 45 / N)); /* likewise */
}

static void normals_have_the_moments_of_their_law(void **state) {
    (void)state;
    enum { N = 100000 };
    gp_rng rng = gp_rng_stream(12, 1, 0, 0, 0);
    double power[5] = {0};
    for (int i = 0; i < N; i++) {
        double x = gp_rng_normal(&rng);
        for (int k = 1; k < 5; k++)
            power[k] += pow(x, k) / N;
    }
    /* 4 standard errors of each: var of x^k is 1, 2, 15, 96. */
    assert_true(fabs(power[1]) < 4 * sqrt(1.0 / N));
    assert_true(fabs(power[2] - 1) < 4 * sqrt(2.0 / N));
    assert_true(fabs(power[3]) < 4 * sqrt(15.0 / N));
    assert_true(fabs(power[4] - 3) < 4 * sqrt(96.0 / N));
}

static void exponentials_have_mean_and_variance_1(void **state) {
    (void)state;
    enum { N = 100000 };
    gp_rng rng = gp_rng_stream(13, 1, 0, 0, 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        double x = gp_rng_exponential(&rng);
        assert_true(x >= 0 && isfinite(x));
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / N - 1) < 4 * sqrt(1.0 / N));      /* 4 standard errors */
    assert_true(fabs(squares / N - 2) < 4 * sqrt(20.0 / N)); /* likewise */
}

static void whole_numbers_below_a_bound_are_equally_frequent(void **state) {
    (void)state;
    enum { N = 60000, BOUND = 6 };
    gp_rng rng = gp_rng_stream(14, 1, 0, 0, 0);
    int64_t count[BOUND] = {0};
    for (int i = 0; i < N; i++) {
        int64_t x = gp_rng_below(&rng, BOUND);
        assert_in_range(x, 0, BOUND - 1);
        count[x]++;
    }
    double chi = 0;
    for (int k = 0; k < BOUND; k++)
        chi += pow((double)(count[k] - N / BOUND), 2) / (N / BOUND);
    assert_true(chi < 25.7); /* p = 0.0001 at 5 degrees of freedom */
    assert_int_equal(gp_rng_below(&rng, 1), 0);
    assert_true(gp_rng_below(&rng, INT64_MAX) >= 0);
}

/* Values by mpmath with 30 digits, of the exact doubles given. */
static void quantiles_are_those_of_the_normal_law(void **state) {
    (void)state;
    static const double known[][2] = {
        {0.975, 1.9599639845400538556},   {0.001, -3.0902323061678135354},
        {1e-10, -6.3613409024040561991},  {0.6, 0.25334710313579974132},
        {1e-300, -37.047096299361199237}, {0.92, 1.4050715603096328248},
        {0.93, 1.475791028179171099},     {0.99999, 4.2648907939238407699},
        {0.0749, -1.4402382675279636631}, {5.696189077778436e-306, -37.371397677214029842}};
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        double x = gp_normal_quantile(known[k][0]);
        /* AS 241 claims about 1e-16; a few roundings are added to it. */
        assert_true(fabs(x - known[k][1]) <= 1e-15 * fabs(known[k][1]));
    }
}

static void quantiles_are_odd_and_end_in_infinity(void **state) {
    (void)state;
    assert_true(gp_normal_quantile(0.5) == 0);
    assert_true(gp_normal_quantile(0.25) == -gp_normal_quantile(0.75));
    assert_true(gp_normal_quantile(0.03125) == -gp_normal_quantile(0.96875));
    assert_true(gp_normal_quantile(0) == -INFINITY);
    assert_true(gp_normal_quantile(1) == INFINITY);
    assert_true(isnan(gp_normal_quantile(-0.1)));
    assert_true(isnan(gp_normal_quantile(1.1)));
    assert_true(isnan(gp_normal_quantile(NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(a_stream_is_the_blocks_of_its_counter),
        cmocka_unit_test(streams_of_different_names_differ),
        cmocka_unit_test(uniforms_have_the_moments_of_their_law),
        cmocka_unit_test(normals_have_the_moments_of_their_law),
        cmocka_unit_test(exponentials_have_mean_and_variance_1),
        cmocka_unit_test(whole_numbers_below_a_bound_are_equally_frequent),
        cmocka_unit_test(quantiles_are_those_of_the_normal_law),
        cmocka_unit_test(quantiles_are_odd_and_end_in_infinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
