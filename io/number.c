#include "io/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct decimal {
    uint64_t digits; /* of the mantissa, without the point; those behind the 19th are dropped */
    int64_t exponent;
} decimal;

static const char *read_digits(const char *s, decimal *d, int after_point) {
    enum { ROOM = 19 };
    const uint64_t full = 1000000000000000000u; /* 10^(ROOM - 1): no room for one digit more */
    for (; *s >= '0' && *s <= '9'; s++) {
        if (d->digits >= full)
            continue;
        d->digits = d->digits * 10 + (uint64_t)(*s - '0');
        d->exponent -= after_point;
    }
    return s;
}

/* Reads [+-]digits[.digits][e[+-]digits], with a digit in the mantissa. NULL if s has another form.
 */
static const char *read_decimal(const char *s, decimal *d) {
    const int64_t beyond = (int64_t)1 << 56; /* more than a file has digits to make up for */
    s += *s == '-' || *s == '+';
    const char *begin = s;
    s = read_digits(s, d, 0);
    int64_t digits = s - begin;
    if (*s == '.') {
        begin = ++s;
        s = read_digits(s, d, 1);
        digits += s - begin;
    }
    if (digits == 0)
        return NULL;
    if (*s == 'e' || *s == 'E') {
        int minus = *++s == '-';
        int64_t e = 0;
        s += *s == '-' || *s == '+';
        if (*s < '0' || *s > '9')
            return NULL;
        for (; *s >= '0' && *s <= '9'; s++)
            if (e < beyond)
                e = e * 10 + (*s - '0');
        d->exponent += minus ? -e : e;
    }
    return s;
}

/* Whether the whole of s is a finite decimal number; it is then correctly rounded. Small mantissas
 * and exponents are exact as doubles, so one operation rounds once (Clinger 1990, PLDI 25:92);
 * everything else is strtod's. */
int gp_number_read(const char *s, double *value) {
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal d = {0};
    const char *end = read_decimal(s, &d);
    if (end == NULL || *end != 0)
        return 0;
    if (d.digits <= (uint64_t)1 << 53 && d.exponent >= -22 && d.exponent <= 22) {
        double x = (double)d.digits;
        x = d.exponent < 0 ? x / power[-d.exponent] : x * power[d.exponent];
        *value = *s == '-' ? -x : x;
        return 1;
    }
    *value = strtod(s, NULL);
    return isfinite(*value);
}
