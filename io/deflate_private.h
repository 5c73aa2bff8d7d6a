/** What io/deflate.c and io/deflate_tokens.c share: the tokens between looking for repeats and
 *  writing. For these two only. Local.
 */
#ifndef GP_IO_DEFLATE_PRIVATE_H
#define GP_IO_DEFLATE_PRIVATE_H

#include "io/deflate.h"

#include <string.h>

/* A token is what is written in one go: an index of a table of at most 17 bits each.
 *     0 to 255      a literal
 *     256           the end
 *     LENGTH + n    a repeat of n bytes: its symbol and that symbol's extra bits
 *     DISTANCE + k  symbol k of a distance, which one or two tokens of extra bits follow
 *     RAW           bits: after the other raw ones of fewer bits, in the order of their value */
enum {
    END = 256,
    LENGTH = 254, /* from LENGTH + 3 on */
    DISTANCE = 513,
    RAW = 543,
    RAW_BITS = 7,
    TOKENS = RAW + (2 << RAW_BITS) - 2,
    LITERALS = 286, /* symbols of literals, the end and lengths (RFC 1951, 3.2.5) */
    LENGTHS = 257,  /* the first of a length */
    DISTANCES = 30,
    SYMBOLS = LITERALS + DISTANCES,
    /* With these limits five tokens never need more than 56 bits: a length has 10 + 5 and a
     * distance behind it, that has 9 and at least one raw token behind it, so the most are a
     * literal, a length, a distance, a raw token and a length. */
    LITERAL_BITS = 10,
    DISTANCE_BITS = 9,
    HASH_BITS = 12,
    NEAREST = 5, /* distances below have no extra bits */
    WINDOW = 32768,
    LONGEST = 258
};

/* Eight bytes as a number, the first lowest, on a machine of either byte order. */
static inline uint64_t low_first(uint64_t x) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(x);
#else
    return x;
#endif
}

static inline uint64_t load(const uint8_t *from) {
    uint64_t x;
    memcpy(&x, from, 8);
    return low_first(x);
}

/** The token of raw bits. */
static inline uint16_t raw(int bits, uint32_t value) {
    return (uint16_t)(RAW - 2 + (1u << bits) + value);
}

/** Each makes scratch->token of n bytes, n <= GP_DEFLATE_PIECE, as gp_deflate_piece and
 * gp_deflate_numbers look for repeats. Returns how many tokens there are, the end among them. */
int64_t gp_deflate_find(gp_deflate *scratch, const uint8_t *text, int64_t n);
int64_t gp_deflate_find_numbers(gp_deflate *scratch, const uint8_t *bytes, int64_t n);

#endif
