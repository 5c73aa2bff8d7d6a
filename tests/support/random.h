/** Random numbers for tests: the same on every run, independent of src/base/rng. */
#ifndef GP_TESTS_SUPPORT_RANDOM_H
#define GP_TESTS_SUPPORT_RANDOM_H

#include <math.h>
#include <stdint.h>

/** 64 random bits; *state is any seed, and moves on. Source: SplitMix64 (Steele et al. 2014,
 * OOPSLA:453). */
static inline uint64_t gp_test_bits(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/** Uniform in [0, 1). */
static inline double gp_test_uniform(uint64_t *state) {
    return (double)(gp_test_bits(state) >> 11) * 0x1p-53;
}

/** 0, 1, ... n - 1. */
static inline int64_t gp_test_below(uint64_t *state, int64_t n) {
    return (int64_t)(gp_test_bits(state) % (uint64_t)n);
}

/** Standard normal (Box-Muller). */
static inline double gp_test_normal(uint64_t *state) {
    double u = 1.0 - gp_test_uniform(state), v = gp_test_uniform(state);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

#endif
