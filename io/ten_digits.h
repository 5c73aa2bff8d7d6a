/** Numbers as text with ten digits, the same on every machine. Local, thread-safe, no allocation.
 */
#ifndef GP_IO_TEN_DIGITS_H
#define GP_IO_TEN_DIGITS_H

enum { GP_TEN_DIGITS_ROOM = 32 /* bytes that a number may take */ };

/** Writes at `to` what printf("%.10g") gives, without a terminating zero, and returns where it
 *  ends. Quick from 1e-4 to 1e5. */
char *gp_ten_digits(char *to, double value);

#endif
