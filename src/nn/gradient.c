#include "src/nn/gradient.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/nn/loops.h"

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

void gp_nn_sum_add(gp_nn_sum *sum, int64_t bucket, const gp_real *gradient) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    int64_t first = sum->first[bucket], end = sum->first[bucket + 1];
    int64_t *value = sum->value + first + bucket;
    const gp_real *x = gradient + first;
    double scale = ldexp(1, sum->exponent[bucket]), largest = 0;
    double limit = ldexp(1, shard_bits(sum));
    for (int64_t at = 0; at < end - first; at += CHUNK) {
        int64_t count = gp_least(CHUNK, end - first - at);
        double here = loops->largest(count, x + at);
        /* What has misfits is done again, so that it may be left in pieces. */
        if (here * scale < limit)
            loops->add_rounded(count, x + at, scale, value + at);
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

double gp_nn_sum_squares(const gp_nn_sum *sum, int64_t bucket) {
    int64_t first = sum->first[bucket], count = sum->first[bucket + 1] - first;
    /* buckets are multiples of 16 */
    double total = gp_nn_loops_chosen()->squares(count, sum->value + first + bucket);
    /* In halves: the square of a power of two may be none. */
    return ldexp(ldexp(total, -sum->exponent[bucket]), -sum->exponent[bucket]);
}

void gp_nn_sum_get(const gp_nn_sum *sum, int64_t bucket, double factor, gp_real *to) {
    int64_t first = sum->first[bucket], count = sum->first[bucket + 1] - first;
    gp_nn_loops_chosen()->times(count, sum->value + first + bucket,
                                ldexp(factor, -sum->exponent[bucket]), to);
}
