/** Tails of distributions on a log scale: no underflow to 0. Local, thread-safe, no allocation. */
#ifndef GP_SRC_BASE_TAIL_H
#define GP_SRC_BASE_TAIL_H

/** -log10 of the two-sided p of Student's t.
 *    t   in  any finite number
 *    df  in  degrees of freedom, > 0, need not be whole; infinity gives the normal distribution
 *  Relative error below 2e-15 for df >= 30 and 1e-14 for fewer; 0 for t = 0, NaN for NaN.
 *  Cost: for df >= 30 some hundred additions and multiplications, two divisions, a square root and
 *  no call of libm; for fewer 20-30 terms of a series or a continued fraction.
 *  Source: df >= 30 a normal deviate with the same p (see tests/oracle/t_tail_table.py; to first
 * order that of Wallace 1959, Ann Math Stat 30:1121), and DLMF 8.17.7 with 15.8.1 where t^2 > 1.7
 * df; else p = I_x(df/2, 1/2), x = df/(df + t^2): DLMF 8.17.7 (series), 8.17.22 (continued
 * fraction). */
double gp_t_neglog10p(double t, double df);

/** The size of a normal deviate whose two-sided p is 10^-neglog10p: the inverse of gp_t_neglog10p
 *  for df = infinity. Relative error below 1e-13; 0 for 0 and below, NaN for NaN, infinity for
 *  infinity. */
double gp_normal_deviate(double neglog10p);

/** log10 of 10^a + 10^b, for probabilities on a log scale. */
double gp_log10_add(double a, double b);

#endif
