#include "io/fletcher.h"

#include <string.h>

/* Modulo 65535 swapping the bytes of a word is multiplying it by 256. So the words can be summed
 * as a little-endian CPU loads them, and the sums are turned at the end.
 *
 * Words are summed in lanes: word i belongs to lane i % lanes, step i / lanes. With A[j] the sum of
 * lane j and B[j] the sum of (steps - step) w over it, the second sum of steps * lanes words is
 * that of lanes * B[j] - j * A[j]. */

enum {
    /* B holds at most 65535 * 256 * 257 / 2, which is below 2^32. */
    STEPS = 256,
    MOST_LANES = 16
};

typedef struct sums {
    uint64_t one, two;
} sums;

/* Keeps apart 0 and a multiple of 65535, as adding carries back does. */
static uint64_t fold(uint64_t sum) {
    return sum == 0 ? 0 : (sum - 1) % 65535 + 1;
}

static void add_lanes(sums *s, const uint32_t *a, const uint32_t *b, int64_t lanes, int64_t steps) {
    uint64_t one = 0, two = 0;
    for (int64_t j = 0; j < lanes; j++) {
        one += a[j];
        two += (uint64_t)lanes * b[j] - (uint64_t)j * a[j];
    }
    s->two = fold(s->two + (uint64_t)(lanes * steps) * s->one + two);
    s->one = fold(s->one + one);
}

/* Adds whole steps of words; returns how many bytes. Two words lie in each 32-bit element. */
#define DEFINE_ADD_STEPS(name, vector, half)                                                       \
    static int64_t name(sums *s, const uint8_t *bytes, int64_t n) {                                \
        int64_t done = 0, width = (int64_t)sizeof(vector);                                         \
        while (n - done >= width) {                                                                \
            int64_t steps = (n - done) / width < STEPS ? (n - done) / width : STEPS;               \
            vector even = {0}, odd = {0}, evens = {0}, odds = {0}, word;                           \
            uint32_t a[MOST_LANES], b[MOST_LANES];                                                 \
            for (int64_t t = 0; t < steps; t++) {                                                  \
                memcpy(&word, bytes + done + t * width, sizeof word);                              \
                even += word & 0xffff;                                                             \
                odd += word >> 16;                                                                 \
                evens += even;                                                                     \
                odds += odd;                                                                       \
            }                                                                                      \
            for (int j = 0; j < (half); j++) {                                                     \
                a[2 * j] = even[j];                                                                \
                b[2 * j] = evens[j];                                                               \
                a[2 * j + 1] = odd[j];                                                             \
                b[2 * j + 1] = odds[j];                                                            \
            }                                                                                      \
            add_lanes(s, a, b, 2 * (half), steps);                                                 \
            done += steps * width;                                                                 \
        }                                                                                          \
        return done;                                                                               \
    }

typedef uint32_t narrow __attribute__((vector_size(16)));
DEFINE_ADD_STEPS(add_narrow, narrow, 4)

#ifdef __x86_64__
typedef uint32_t wide __attribute__((vector_size(32)));
__attribute__((target("avx2"))) DEFINE_ADD_STEPS(add_wide, wide, 8)
#endif

    static int64_t add_steps(sums *s, const uint8_t *bytes, int64_t n) {
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    return 0;
#endif
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return add_wide(s, bytes, n);
#endif
    return add_narrow(s, bytes, n);
}

uint32_t gp_fletcher32(const uint8_t *bytes, int64_t n) {
    sums s = {0};
    for (int64_t i = add_steps(&s, bytes, n); i < n; i += 2) {
        s.one = fold(s.one + bytes[i] + (i + 1 < n ? (uint64_t)bytes[i + 1] << 8 : 0));
        s.two = fold(s.two + s.one);
    }
    return (uint32_t)(fold(s.two * 256) << 16 | fold(s.one * 256));
}
