/** Random numbers that are a function of what they are for: the counter-based generator
 * Philox4x32-10.
 *
 *  A stream is named by a seed, a purpose and up to three indices (sample, variant, step …). Two
 * different names never share a number, and a stream gives the same numbers whoever asks, in
 * whatever order: nothing depends on ranks, threads or earlier calls. Local; a gp_rng belongs to
 * one thread; plain value, may be copied; no allocation. Source: Salmon et al. 2011, "Parallel
 * random numbers: as easy as 1, 2, 3", SC'11.
 */
#ifndef GP_SRC_BASE_RNG_H
#define GP_SRC_BASE_RNG_H

#include <stdint.h>

/** One block: four words out of a counter and a key. out may be counter. */
void gp_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

typedef struct gp_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* block of the stream, a, b, purpose and c */
    uint32_t word[4];    /* the block in use */
    int used;            /* words of it that were given out */
} gp_rng;

/** The start of a stream of 2^34 words.
 *    seed     in  the user's
 *    purpose  in  < 256; src/sim takes 1-63 (src/sim/purpose.h), src/pca 64, networks and their
 *                 training 70-76
 *    a, b     in  indices
 *    c        in  index < 2^24
 *  Whoever adds a purpose picks a number that no other has. */
gp_rng gp_rng_stream(uint64_t seed, uint32_t purpose, uint32_t a, uint32_t b, uint32_t c);

/** 32 random bits. */
uint32_t gp_rng_next(gp_rng *rng);

/** Uniform in [0, 1), a multiple of 2^-53. Takes two words. */
double gp_rng_uniform(gp_rng *rng);

/** Standard normal deviate, by inversion; within +-8.3. Takes two words. */
double gp_rng_normal(gp_rng *rng);

/** Exponential deviate of mean 1. Takes two words. */
double gp_rng_exponential(gp_rng *rng);

/** Whole number in [0, bound), each equally likely; bound >= 1. Takes two words, very rarely more.
 */
int64_t gp_rng_below(gp_rng *rng, int64_t bound);

/** The normal quantile: x with P(X <= x) = p; -inf at 0, inf at 1, NaN outside. Relative error
 * about 1e-16. Source: Wichura 1988, Applied Statistics 37:477 (AS 241, PPND16). */
double gp_normal_quantile(double p);

#endif
