/** Decimal numbers from text, the same on every machine. Local, thread-safe, no allocation. */
#ifndef GP_IO_NUMBER_H
#define GP_IO_NUMBER_H

/** Whether the whole of s (zero-terminated) is a finite decimal number, which is
 *  [+-]digits[.digits][e[+-]digits]. *value is then the double nearest to it. */
int gp_number_read(const char *s, double *value);

#endif
