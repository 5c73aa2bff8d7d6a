/** Tails of distributions on a log scale: no underflow to 0. Local, thread-safe, no allocation. */
#ifndef GP_SRC_BASE_TAIL_H
#define GP_SRC_BASE_TAIL_H

/** -log10 of the two-sided p of Student's t.
 *    t   in  any finite number
 *    df  in  degrees of freedom, > 0, need not be whole
 *  Relative error below 1e-11 for df up to 1e6, 1e-9 up to 1e7; 0 for t = 0, NaN for NaN. Cost:
 * 20-30 terms for |t| < 1.7, up to some hundred beyond it when df is large. Source: p = I_x(df/2,
 * 1/2), x = df/(df + t^2): DLMF 8.17.7 (series), 8.17.22 (continued fraction). */
double gp_t_neglog10p(double t, double df);

#endif
