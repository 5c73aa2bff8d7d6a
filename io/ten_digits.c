#include "io/ten_digits.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LEAST = -4, MOST = 4, DIGITS = 10 }; /* exponents of 10 */

static const uint64_t least = 1000000000; /* of ten digits */

/* The digits of x = m 2^-shift as an integer, nearest, ties to even, as printf rounds: exact, for
 * 53 bits of m and 44 of the power of ten make fewer than 128. 0: the exponent is another. */
static uint64_t scale(uint64_t m, int shift, int *exponent) {
    static const uint64_t power[] = {100000,       1000000,       10000000,
                                     100000000,    1000000000,    10000000000,
                                     100000000000, 1000000000000, 10000000000000};
    unsigned __int128 exact = (unsigned __int128)m * power[MOST - *exponent];
    unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
    uint64_t digits = (uint64_t)(exact >> shift);
    unsigned __int128 rest = exact - ((unsigned __int128)digits << shift);
    digits += rest > half || (rest == half && (digits & 1));
    if (digits == DIGITS * least) {
        digits = least;
        ++*exponent;
    }
    return digits < least || digits > DIGITS * least ? 0 : digits;
}

/* Lays digits * 10^(exponent - 9) out as %.10g does (C11 7.21.6.1): no trailing zeros. */
static char *lay_out(char *to, uint64_t digits, int exponent) {
    char text[DIGITS];
    int n = DIGITS, whole = exponent + 1;
    for (int k = DIGITS - 1; k >= 0; k--, digits /= 10)
        text[k] = (char)('0' + digits % 10);
    while (text[n - 1] == '0')
        n--;
    if (whole <= 0) {
        memcpy(to, "0.000", 5);
        memcpy(to + 2 - whole, text, (size_t)n);
        return to + 2 - whole + n;
    }
    memcpy(to, text, (size_t)whole);
    if (n <= whole)
        return to + whole;
    to[whole] = '.';
    memcpy(to + whole + 1, text + whole, (size_t)(n - whole));
    return to + n + 1;
}

char *gp_ten_digits(char *to, double value) {
    static const double begin[] = {1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4};
    double x = value < 0 ? -value : value;
    uint64_t bits, digits = 0;
    int exponent = LEAST;
    if (x >= 1e-4 && x < 1e5) {
        memcpy(&bits, &x, sizeof bits);
        while (exponent < MOST && x >= begin[exponent + 1 - LEAST])
            exponent++;
        uint64_t m = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
        digits = scale(m, 1075 - (int)(bits >> 52), &exponent);
    }
    if (digits == 0)
        return to + snprintf(to, GP_TEN_DIGITS_ROOM, "%.10g", value);
    *to = '-';
    return lay_out(to + (value < 0), digits, exponent);
}
