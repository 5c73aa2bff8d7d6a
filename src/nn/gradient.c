#include "src/nn/gradient.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BITS = 50,    /* of one shard, at most: the double that rounds it has 51 to spare */
    ROOM = 8,     /* how many times a shard's gradients may double from step to step */
    FIRST = 1023, /* exponent with which next to nothing fits; its power is still a double */
    LEAST = -1022,
    CHUNK = 2048 /* numbers that are looked at, then added, while they are near */
};

/* The least k with 2^k >= x. */
static int bits_of(int64_t x) {
    int k = 0;
    while (k < 62 && (int64_t)1 << k < x)
        k++;
    return k;
}

/* Of one shard: all of them together stay within 2^62. */
static int shard_bits(const gp_nn_sum *sum) {
    return (int)gp_least(BITS, 62 - bits_of(sum->shards));
}

static int exponent_within(int e) {
    return (int)gp_most(LEAST, gp_least(FIRST, e));
}

static void cut(gp_nn_sum *sum, const gp_nn_table *table) {
    int64_t b = 0;
    for (int64_t g = 0; g < table->groups; g++) {
        sum->group_bucket[g] = b;
        for (int64_t at = table->group_first[g]; at < table->group_first[g + 1]; at += GP_NN_BUCKET)
            sum->first[b++] = at;
    }
    sum->group_bucket[table->groups] = b;
    sum->first[b] = table->parameters;
}

int gp_nn_sum_init(gp_nn_sum *sum, const gp_nn_table *table, int64_t shards, gp_err *err) {
    memset(sum, 0, sizeof *sum);
    if (shards < 1 || shards > GP_NN_SHARDS)
        return gp_err_set(err, GP_EINPUT,
                          "a step has %lld gradient shards; 1 to %d are possible: take smaller"
                          " batches, or more samples a shard",
                          (long long)shards, GP_NN_SHARDS);
    for (int64_t g = 0; g < table->groups; g++)
        sum->buckets += gp_units(table->group_first[g + 1] - table->group_first[g], GP_NN_BUCKET);
    int64_t d = (int64_t)sizeof(int64_t);
    sum->shards = shards;
    sum->first = gp_mem_alloc(sum->buckets + 1, d, err);
    sum->group_bucket = gp_mem_alloc(table->groups + 1, d, err);
    sum->value = gp_mem_alloc(table->parameters + sum->buckets, d, err);
    sum->exponent = gp_mem_alloc(sum->buckets, sizeof *sum->exponent, err);
    sum->largest = gp_mem_alloc(sum->buckets, sizeof *sum->largest, err);
    if (err->code != GP_OK)
        return err->code;
    cut(sum, table);
    for (int64_t b = 0; b < sum->buckets; b++)
        sum->exponent[b] = FIRST;
    return GP_OK;
}

void gp_nn_sum_free(gp_nn_sum *sum) {
    free(sum->first);
    free(sum->group_bucket);
    free(sum->value);
    free(sum->exponent);
    free(sum->largest);
    memset(sum, 0, sizeof *sum);
}

void gp_nn_sum_clear(gp_nn_sum *sum) {
    memset(sum->value, 0, (size_t)(sum->first[sum->buckets] + sum->buckets) * sizeof *sum->value);
    memset(sum->largest, 0, (size_t)sum->buckets * sizeof *sum->largest);
}

/* The largest magnitude; inf where one is not finite. As whole numbers, magnitudes are in the
 * same order, and inf and NaN above all others: no comparison is lost. */
#ifdef GP_NN_DOUBLE
typedef int64_t pattern;
#define PATTERN_MOST INT64_MAX
#else
typedef int32_t pattern;
#define PATTERN_MOST INT32_MAX
#endif

static double largest_of(int64_t count, const gp_real *restrict x) {
    pattern most = 0;
    for (int64_t k = 0; k < count; k++) {
        pattern bits;
        memcpy(&bits, &x[k], sizeof bits);
        bits &= PATTERN_MOST;
        most = bits > most ? bits : most;
    }
    gp_real largest;
    memcpy(&largest, &most, sizeof largest);
    return isfinite(largest) ? (double)largest : INFINITY;
}

/* value += round(x scale), to even in the middle, where |x scale| <= 2^50. Next to 1.5 2^52 a
 * double's last bit counts ones: adding it rounds, and all CPUs have vectors for that. */
static void add_rounded(int64_t count, const gp_real *restrict x, double scale,
                        int64_t *restrict value) {
    const double middle = 0x1.8p52;
    int64_t middle_bits;
    memcpy(&middle_bits, &middle, sizeof middle_bits);
    for (int64_t k = 0; k < count; k++) {
        double y = (double)x[k] * scale + middle;
        int64_t bits;
        memcpy(&bits, &y, sizeof bits);
        value[k] += bits - middle_bits;
    }
}

void gp_nn_sum_add(gp_nn_sum *sum, int64_t bucket, const gp_real *gradient) {
    int64_t first = sum->first[bucket], end = sum->first[bucket + 1];
    int64_t *value = sum->value + first + bucket;
    const gp_real *x = gradient + first;
    double scale = ldexp(1, sum->exponent[bucket]), largest = 0;
    double limit = ldexp(1, shard_bits(sum));
    for (int64_t at = 0; at < end - first; at += CHUNK) {
        int64_t count = gp_least(CHUNK, end - first - at);
        double here = largest_of(count, x + at);
        /* What has misfits is done again, so that it may be left in pieces. */
        if (here * scale < limit)
            add_rounded(count, x + at, scale, value + at);
        largest = here > largest ? here : largest;
    }
    if (!(largest * scale < limit))
        value[end - first]++;
    if (largest > sum->largest[bucket])
        sum->largest[bucket] = largest;
}

int64_t gp_nn_sum_misfits(const gp_nn_sum *sum) {
    int64_t misfits = 0;
    for (int64_t b = 0; b < sum->buckets; b++)
        misfits += sum->value[sum->first[b + 1] + b];
    return misfits;
}

void gp_nn_sum_refit(gp_nn_sum *sum) {
    for (int64_t b = 0; b < sum->buckets; b++) {
        double largest = sum->largest[b];
        int power = 0;
        if (!(largest > 0) || isinf(largest))
            continue;
        frexp(largest, &power);
        sum->exponent[b] = exponent_within(shard_bits(sum) - power);
    }
}

void gp_nn_sum_settle(gp_nn_sum *sum, int64_t bucket) {
    int64_t first = sum->first[bucket], count = sum->first[bucket + 1] - first, bits = 0;
    const int64_t *value = sum->value + first + bucket;
    for (int64_t k = 0; k < count; k++)
        bits |= value[k] < 0 ? -value[k] : value[k];
    if (bits == 0)
        return;
    /* |sum| < 2^power; of noise alone a shard would have its part of 1 / sqrt(shards). */
    int power = bits_of(bits + 1) - sum->exponent[bucket];
    int shard = power - bits_of(sum->shards) / 2;
    sum->exponent[bucket] = exponent_within(shard_bits(sum) - ROOM - shard);
}

/* As a conversion does it, but in vectors on any CPU: both halves become doubles by standing
 * behind an exponent, and only their sum is rounded. */
static inline double double_of(int64_t x) {
    uint64_t bits = (uint64_t)x ^ UINT64_C(0x8000000000000000);
    uint64_t high_bits = bits >> 32 | UINT64_C(0x4530000000000000); /* 2^84 + 2^32 high */
    uint64_t low_bits =
        (bits & UINT64_C(0xFFFFFFFF)) | UINT64_C(0x4330000000000000); /* 2^52 + low */
    double high, low;
    memcpy(&high, &high_bits, sizeof high);
    memcpy(&low, &low_bits, sizeof low);
    return high - (0x1p84 + 0x1p63 + 0x1p52) + low;
}

double gp_nn_sum_squares(const gp_nn_sum *sum, int64_t bucket) {
    enum { LANES = 8 };
    int64_t first = sum->first[bucket], count = sum->first[bucket + 1] - first;
    const int64_t *value = sum->value + first + bucket;
    double lane[LANES] = {0}, total = 0;
    for (int64_t at = 0; at + LANES <= count; at += LANES) /* buckets are multiples of 16 */
        for (int k = 0; k < LANES; k++) {
            double x = double_of(value[at + k]);
            lane[k] += x * x;
        }
    for (int k = 0; k < LANES; k++)
        total += lane[k];
    /* In halves: the square of a power of two may be none. */
    return ldexp(ldexp(total, -sum->exponent[bucket]), -sum->exponent[bucket]);
}

void gp_nn_sum_get(const gp_nn_sum *sum, int64_t bucket, double factor, gp_real *restrict to) {
    int64_t first = sum->first[bucket], count = sum->first[bucket + 1] - first;
    const int64_t *restrict value = sum->value + first + bucket;
    double scale = ldexp(factor, -sum->exponent[bucket]);
    for (int64_t k = 0; k < count; k++)
        to[k] = (gp_real)(double_of(value[k]) * scale);
}
