#include "io/digits.h"
#include "io/digits_table.h"
#include "src/base/real.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 9, EIGHT = 100000000, NINE = 10 * EIGHT };

/* ---- whole numbers ---- */

/* The eight digits of a number below 10^8, a byte each, the first in the lowest byte: halves of
 * four digits, then pairs, then single ones, all of a step in one multiplication. */
static uint64_t eight_digits(uint32_t value) {
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t tens = (fours * 5243 >> 19) & 0x0000007F0000007F; /* / 100, exact below 10^4 */
    uint64_t twos = tens | (fours - tens * 100) << 16;
    uint64_t ones = (twos * 103 >> 10) & 0x000F000F000F000F; /* / 10, exact below 100 */
    return ones | (twos - ones * 10) << 8;
}

/* Writes eight bytes, the lowest first. */
static void put_bytes(char *to, uint64_t bytes) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    memcpy(to, &bytes, sizeof bytes);
}

static void put_eight(char *to, uint64_t digits) {
    put_bytes(to, digits | 0x3030303030303030);
}

static char *put_whole(char *to, uint64_t value) {
    if (value >= EIGHT) {
        to = put_whole(to, value / EIGHT);
        put_eight(to, eight_digits((uint32_t)(value % EIGHT)));
        return to + 8;
    }
    uint64_t digits = eight_digits((uint32_t)value);
    int zeros = __builtin_ctzll(digits | UINT64_C(1) << 56) / 8; /* the last digit stays */
    put_eight(to, digits >> 8 * zeros);
    return to + 8 - zeros;
}

char *gp_digits_integer(char *to, int64_t value) {
    *to = '-';
    return put_whole(to + (value < 0), value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* ---- nine digits as text ---- */

static char *put_exponent(char *to, int64_t exponent) {
    int64_t size = exponent < 0 ? -exponent : exponent;
    to[0] = 'e';
    to[1] = exponent < 0 ? '-' : '+';
    to[2] = '0';
    return put_whole(to + 2 + (size < 10), (uint64_t)size);
}

/* Where the parts of a number written out stand, by its exponent from -4 to 8. */
typedef struct layout {
    uint8_t before; /* bytes of "0." and zeros */
    uint8_t point;  /* where a later point goes; behind all that counts where there is none */
    uint8_t shift;  /* bits of the digits between the first and the point */
    uint8_t whole;  /* digits before the point, all written; 0 where `before` holds the point */
    uint8_t more;   /* bytes beside the digits and one point */
} layout;

static const layout written_out[] = {
    {5, 20, 0, 0, 4}, {4, 20, 0, 0, 3}, {3, 20, 0, 0, 2}, {2, 20, 0, 0, 1}, {0, 1, 0, 1, 0},
    {0, 2, 8, 2, 0},  {0, 3, 16, 3, 0}, {0, 4, 24, 4, 0}, {0, 5, 32, 5, 0}, {0, 6, 40, 6, 0},
    {0, 7, 48, 7, 0}, {0, 8, 56, 8, 0}, {0, 9, 0, 9, 0}};

static char *put_exponent_form(char *to, uint32_t first, uint64_t rest, unsigned n,
                               int64_t exponent) {
    to[0] = (char)('0' + first);
    to[1] = '.';
    put_eight(to + 2, rest);
    return put_exponent(to + n + (n > 1), exponent);
}

/* The value digits * 10^(exponent - 8), 10^8 <= digits < 10^9, as %.9g lays it out (C11 7.21.6.1):
 * trailing zeros go, and exponents from -4 to 8 are written out. No branches there: what a number
 * does not need is written where it does no harm. */
static char *put_scaled(char *to, uint32_t digits, int64_t exponent) {
    uint32_t first = digits / EIGHT;
    uint64_t rest = eight_digits(digits - first * EIGHT);
    /* Digits that count: the first, and up to the highest byte that is not 0. */
    unsigned n = 9 - ((unsigned)__builtin_clzll(rest | 1) + (rest == 0)) / 8;
    if (exponent < -4 || exponent >= DIGITS)
        return put_exponent_form(to, first, rest, n, exponent);
    const layout *at = &written_out[exponent + 4];
    unsigned before = at->before, point = at->point, shift = at->shift;
    unsigned whole = at->whole, more = at->more;
    memcpy(to, "0.000000", 8);
    to[before] = (char)('0' + first);
    put_eight(to + before + 1, rest);
    to[point] = '.';
    put_eight(to + point + 1, rest >> shift);
    n += (n > whole) + more;
    return to + (n > whole ? n : whole);
}

/* ---- real numbers ---- */

static char *put_na(char *to) {
    memcpy(to, "#NA", 3);
    return to + 3;
}

/* Nine digits of x = m 2^(e - 63), or 0 where the table is not exact enough to tell to which side x
 * is rounded: the upper half of m * scale is x 10^(8 - exponent) 2^32, at most 1 off. */
static uint32_t nine_digits(uint64_t m, const decade *in, int64_t *exponent) {
    int next = m >= in->limit;
    unsigned __int128 product = (unsigned __int128)m * in->scale[next];
    uint64_t rounded = (uint64_t)(product >> 64) + (UINT64_C(1) << 31);
    uint32_t digits = (uint32_t)(rounded >> 32), rest = (uint32_t)rounded;
    *exponent = in->ten + next;
    if (rest == 0 || rest == UINT32_MAX) {
        if (*exponent < -16 || *exponent > 8)
            return 0;
        digits -= rest == 0 && (uint64_t)product == 0 && digits % 2 == 1; /* ties to even */
    }
    if (digits == NINE) {
        digits = EIGHT;
        ++*exponent;
    }
    return digits;
}

static char *put_any(char *to, double value) {
    if (!isfinite(value))
        return put_na(to);
    return to + snprintf(to, GP_DIGITS_ROOM, "%.9g", value);
}

char *gp_digits_real(char *to, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t e = (bits >> 52 & 0x7FF) - (1023 + DECADE_LOW);
    if (e >= DECADE_COUNT) /* 0, too */
        return put_any(to, value);
    int64_t exponent;
    uint32_t digits = nine_digits(bits << 11 | UINT64_C(1) << 63, &decades[e], &exponent);
    if (digits == 0)
        return put_any(to, value);
    *to = '-';
    return put_scaled(to + (bits >> 63), digits, exponent);
}

char *gp_digits_power(char *to, double x) {
    if (!(x <= 1e15))
        return put_na(to);
    if (x < 0)
        x = 0;
    int64_t whole = (int64_t)x;
    /* In (0.1, 1]; x - whole is exact. */
    double mantissa = gp_exp(-(x - (double)whole) * GP_LN10);
    int64_t exponent = -1 - whole;
    uint32_t digits = (uint32_t)(mantissa * NINE + 0.5);
    if (digits >= NINE) {
        digits = EIGHT;
        exponent++;
    } else if (digits < EIGHT) {
        digits = EIGHT;
    }
    return put_scaled(to, digits, exponent);
}
