#include "io/digits.h"
#include "src/base/real.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = 9 };
static const int64_t digits_end = 1000000000; /* 10^DIGITS */

static char *put_na(char *to) {
    memcpy(to, "#NA", 3);
    return to + 3;
}

char *gp_digits_integer(char *to, int64_t value) {
    char reversed[20];
    int n = 0;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        reversed[n++] = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (value < 0)
        *to++ = '-';
    while (n > 0)
        *to++ = reversed[--n];
    return to;
}

static char *put_exponent(char *to, int64_t exponent) {
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent < 10)
        *to++ = '0';
    return gp_digits_integer(to, exponent);
}

/* The value digits * 10^(exponent - 8), 10^8 <= digits < 10^9, as %.9g lays it out (C11 7.21.6.1):
 * trailing zeros go, and exponents from -4 to 8 are written out. */
static char *put_scaled(char *to, int64_t digits, int64_t exponent) {
    char text[DIGITS];
    for (int i = DIGITS - 1; i >= 0; i--, digits /= 10)
        text[i] = (char)('0' + digits % 10);
    int n = DIGITS;
    while (n > 1 && text[n - 1] == '0')
        n--;
    int fixed = exponent >= -4 && exponent < DIGITS, whole = fixed ? (int)exponent + 1 : 1;
    if (whole <= 0) {
        memcpy(to, "0.000", 5);
        to += 2 - whole;
        memcpy(to, text, (size_t)n);
        return to + n;
    }
    memcpy(to, text, (size_t)whole); /* zeros included that stand before the point */
    to += whole;
    if (n > whole) {
        *to++ = '.';
        memcpy(to, text + whole, (size_t)(n - whole));
        to += n - whole;
    }
    return fixed ? to : put_exponent(to, exponent);
}

/* x * 10^k, rounded once: powers of ten up to 10^22 are exact doubles. */
static double scaled(double x, int k) {
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return k < 0 ? x / power[-k] : x * power[k];
}

/* Nine digits of x in [1e-13, 1e22), or 0 where the tenth is so near to a tie that x's exact value
 * must decide: the scaled value is off by less than 2^-24. */
static int64_t nine_digits(double x, int *exponent) {
    const double tie = 1e-6;
    int binary = 0;
    frexp(x, &binary);
    int e = (int)floor((binary - 1) * 0.30102999566398120); /* of x, or one less */
    double s = scaled(x, DIGITS - 1 - e);
    if (s >= (double)digits_end)
        s = scaled(x, DIGITS - 1 - ++e);
    double whole = floor(s), rest = s - whole;
    if (fabs(rest - 0.5) < tie)
        return 0;
    int64_t digits = (int64_t)whole + (rest > 0.5);
    if (digits == digits_end) {
        digits /= 10;
        e++;
    }
    *exponent = e;
    return digits;
}

char *gp_digits_real(char *to, double value) {
    if (!isfinite(value))
        return put_na(to);
    double x = fabs(value);
    int exponent = 0;
    int64_t digits = x >= 1e-13 && x < 1e22 ? nine_digits(x, &exponent) : 0;
    if (digits == 0)
        return to + snprintf(to, GP_DIGITS_ROOM, "%.9g", value);
    if (value < 0)
        *to++ = '-';
    return put_scaled(to, digits, exponent);
}

char *gp_digits_power(char *to, double x) {
    if (!(x <= 1e15))
        return put_na(to);
    if (x < 0)
        x = 0;
    double whole = floor(x);
    /* In (0.1, 1]; x - whole is exact. */
    double mantissa = gp_exp(-(x - whole) * GP_LN10);
    int64_t digits = (int64_t)floor(mantissa * (double)digits_end + 0.5);
    int64_t exponent = -1 - (int64_t)whole;
    if (digits >= digits_end) {
        digits = digits_end / 10;
        exponent++;
    } else if (digits < digits_end / 10) {
        digits = digits_end / 10;
    }
    return put_scaled(to, digits, exponent);
}
