#!/usr/bin/env python3
"""Writes t_tail.tsv: -log10 of the two-sided p of Student's t, to 20 digits.

    python3 t_tail.py > t_tail.tsv      (needs mpmath; 1.3.0 made the file)

p = I_x(df/2, 1/2) with x = df/(df + t^2): the regularised incomplete beta function (DLMF 8.17.2), by
its power series in x or, where that is slow, by the one of its complement with as many more digits
as p has zeros. Where t >= 1.5 a line counts only if the integral of the density, by tanh-sinh
quadrature, gives the same value to 1e-15. Takes two minutes.
"""
from mpmath import mp, mpf, log, log10, exp, expm1, loggamma, pi, quad, sqrt, log1p, inf

mp.dps = 50


def series(a, b, x):
    """log of I_x(a, b): all terms are positive (DLMF 8.17.7 and 8.17.8)."""
    term = total = mpf(1)
    k = 0
    while term > total * mp.eps * (1 - x):
        term *= (a + b + k) / (a + 1 + k) * x
        total += term
        k += 1
    scale = loggamma(a + b) - loggamma(a) - loggamma(b)
    return scale + a * log(x) + b * log1p(-x) - log(a) + log(total)


def by_beta(t, df, zeros):
    a, b, x = df / 2, mpf(1) / 2, df / (df + t * t)
    if t * t > 3 and 1 - x > mpf("5e-4"):
        return -series(a, b, x) / log(10)
    with mp.workdps(mp.dps + int(zeros)):
        return -log10(1 - exp(series(b, a, t * t / (df + t * t))))


def by_integral(t, df):
    """The density from t on, relative to its value at t, in units of its own decay length."""
    decay = (df + t * t) / ((df + 1) * t)
    at = log1p(t * t / df)
    ratio = lambda s: exp(-(df + 1) / 2 * (log1p((t + decay * s) ** 2 / df) - at))
    tail = quad(ratio, [0, 1, 4, 16, 64, 256, 4096, 2 ** 20, inf])
    log_f = loggamma((df + 1) / 2) - loggamma(df / 2) - log(df * pi) / 2 - (df + 1) / 2 * at
    return -(log(2) + log_f + log(decay * tail)) / log(10)


def crossings(df):
    """Where src/base/tail.c changes its method, just below and above."""
    if df < 30:  # y = t^2 / (df + t^2) = 1.5 / (df/2 + 2.5)
        y = mpf(3) / (df + 5)
        at = [sqrt(df * y / (1 - y))]
    else:  # by x = log(1 + t^2/df), by z = ((df - 1/2) x)^(1/2), by t^2/df
        xs = [mpf(1) / 16, mpf(1), 64 / (df - mpf(1) / 2), log1p(mpf(1) / 64)]
        at = [sqrt(df * expm1(x)) for x in xs]
    return [mp.nstr(t * (1 + mpf(k) / 1000), 8) for t in at for k in (-1, 1)]


print("# t\tdf\tneg_log_10_p (made by t_tail.py)")
for df in ("0.5 1 1.5 2 3 4 5 10 20.5 29 29.999 30 31 50 97.5 127 128 129 200 400 800 801 1000 "
           "10000 100000 1000000 10000000").split():
    ts = ["1e-8", "1e-4", "0.01", "0.1", "0.25", "0.5", "1", "1.5", "1.7", "1.8", "2", "3", "5",
          "10", "30", "100", "1000", "10000", "100000", "1000000"]
    ts += crossings(mpf(df))
    for t in sorted(set(ts), key=float):
        # The doubles nearest to the decimals are what the program is given.
        x, d = mpf(float(t)), mpf(float(df))
        if float(t) < 1.5:
            value = by_beta(x, d, 0)
        else:
            other = by_integral(x, d)
            value = by_beta(x, d, other)
            assert abs(value - other) <= 1e-15 * abs(value), (t, df, value, other)
        print("%s\t%s\t%s" % (t, df, mp.nstr(value, 20)))
