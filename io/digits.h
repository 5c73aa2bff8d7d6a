/** Numbers as text, the same on every machine and faster than printf. Local, thread-safe, no
 * allocation. */
#ifndef GP_IO_DIGITS_H
#define GP_IO_DIGITS_H

#include <stdint.h>

enum { GP_DIGITS_ROOM = 32 /* bytes that any of these may write */ };

/** Each writes at `to`, without a terminating zero, and returns where the number ends. */

/** What printf("%lld") gives. */
char *gp_digits_integer(char *to, int64_t value);

/** What printf("%.9g") gives, and "#NA" for NaN and infinities. */
char *gp_digits_real(char *to, double value);

/** 10 to the -x in the "%.9g" form, whatever the exponent: 1, 0.5, 1.25e-09, 3.21987654e-1234; "1"
 * for x <= 0, "#NA" for NaN and for x above 1e15. All through x at its full precision: the
 * fractional part makes the digits, the whole part the exponent. */
char *gp_digits_power(char *to, double x);

#endif
