/** Elementary functions whose every bit is the same on every machine.
 *
 *  libm may choose other instructions on another CPU, and then the last bit differs; these use
 *  only IEEE additions, multiplications and divisions in a fixed order. Errors below 1 unit in
 *  the last place. Local, thread-safe. Source: table and polynomial as in Tang 1990, ACM TOMS
 *  16:378 (log) and 1989, 15:144 (exp); the tables come from tests/oracle/real_table.py.
 */
#ifndef GP_SRC_BASE_REAL_H
#define GP_SRC_BASE_REAL_H

/** Natural logarithm; -inf at 0, NaN below it. */
double gp_log(double x);

/** log(1 + x), accurate near 0; x > -1. */
double gp_log1p(double x);

/** e to the x; 0 and inf beyond the range of doubles. */
double gp_exp(double x);

/** log(1 + e to the x). */
double gp_softplus(double x);

/** 2 to the e, exact; -1022 <= e <= 1023. */
double gp_power_of_two(int e);

#define GP_LN10 2.302585092994045684

#endif
