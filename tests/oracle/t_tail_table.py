#!/usr/bin/env python3
"""Writes src/base/tail_table.h: the polynomials of gp_t_neglog10p.

    python3 t_tail_table.py > ../../src/base/tail_table.h      (needs mpmath; 1.3.0 made the file)

Deviate. With v = (df - 1/2)/2 and x = log(1 + t^2/df), p is proportional to the integral of
exp(-v s) s^(-1/2) G(s) from s = x on, G(s) = ((s/2) / sinh(s/2))^(1/2) (DLMF 8.17.1, with
exp(-s) for the variable). A normal deviate z has the same p where z^2/2 = v Z and
    dZ/dx = K exp(v (Z - x)) (Z/x)^(1/2) G(x),  Z(0) = 0,  K = Gamma(v + 3/4) / (Gamma(v + 1/4) v^(1/2)).
Put Z = x (1 + h E(x, h)), h = 1/v: E is a double power series whose coefficients follow order by
order in h from the logarithm of this equation; only terms x^i h^j with i + j odd occur. Its part at
each h^j is then replaced by a polynomial of lower degree in x^2 that is as good on 0 <= x <= 1.

Normal tail. -log10 erfc(z / 2^(1/2)) divided by z: polynomials in pieces of 1/4 of z, up to z = 8;
beyond, what is left of it after z^2/2 and log z, a polynomial in 1/z^2.
"""
from fractions import Fraction
from math import comb, factorial
from mpmath import mp, mpf, cos, erfc, log, pi, sqrt, loggamma, exp

mp.dps = 60
TERMS_X, TERMS_H = 30, 12  # of the double series
LARGEST_H = 2 / mpf("29.5")  # df = 30


def bernoulli(count):
    b = [Fraction(1)]
    for m in range(1, count):
        b.append(-sum(comb(m + 1, k) * b[k] for k in range(m)) / (m + 1))
    return b


B = bernoulli(TERMS_X + TERMS_H + 4)


def bernoulli_polynomial(n, x):
    return sum(comb(n, k) * B[k] * x ** (n - k) for k in range(n + 1))


def times(a, b, order):
    """Product of double series {(i, j): coefficient of x^i h^j}."""
    product = {}
    for (i, j), s in a.items():
        for (k, l), t in b.items():
            if i + k <= TERMS_X and j + l <= order:
                product[i + k, j + l] = product.get((i + k, j + l), 0) + s * t
    return product


def log_1_plus_h(a, order):
    """log(1 + h a)."""
    total, power = {}, {(0, 0): Fraction(1)}
    for m in range(1, order + 1):
        power = times(power, {(i, j + 1): s for (i, j), s in a.items()}, order)
        for key, s in power.items():
            total[key] = total.get(key, 0) + s * Fraction((-1) ** (m + 1), m)
    return total


def log_k():
    """DLMF 5.11.8."""
    c = {}
    for k in range(2, TERMS_H + 1, 2):
        c[0, k] = (bernoulli_polynomial(k + 1, Fraction(1, 4)) -
                   bernoulli_polynomial(k + 1, Fraction(3, 4))) / (k * (k + 1))
    return c


def deviate():
    """E, from x E = log(1 + h (x E)') - log(1 + h E)/2 - log G - log K."""
    k_part = log_k()
    xe = {(n, 0): B[n] / (2 * n * factorial(n)) for n in range(2, TERMS_X + 1, 2)}
    for order in range(1, TERMS_H + 1):
        slope = log_1_plus_h({(i - 1, j): i * s for (i, j), s in xe.items()}, order)
        size = log_1_plus_h({(i - 1, j): s for (i, j), s in xe.items()}, order)
        for key in sorted(set(slope) | set(size) | set(k_part)):
            if key[1] == order:
                s = slope.get(key, 0) - size.get(key, 0) / 2 - k_part.get(key, 0)
                if s != 0:
                    xe[key] = s
    assert all(i > 0 for i, j in xe)
    return {(i - 1, j): s for (i, j), s in xe.items()}


def solve(rows, right):
    n = len(right)
    a = mp.matrix(rows)
    return list(mp.lu_solve(a, mp.matrix(right)))


def fit(f, low, high, degree, centre):
    """The polynomial in (x - centre) that equals f at the Chebyshev points of [low, high]."""
    points = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * k + 1) / (2 * degree + 2))
              for k in range(degree + 1)]
    return solve([[(x - centre) ** d for d in range(degree + 1)] for x in points],
                 [f(x) for x in points])


def value(c, x):
    total = mpf(0)
    for d in reversed(c):
        total = total * x + d
    return total


def worst(f, c, low, high, centre):
    return max(abs(f(x) - value(c, x - centre))
               for x in (low + (high - low) * k / 300 for k in range(301)))


def show(c):
    return "{" + ", ".join(float(x).hex() for x in c) + "},"


def deviate_rows():
    e, rows = deviate(), []
    for j in range(TERMS_H):
        def part(s, j=j):
            return sum(mpf(c.numerator) / c.denominator * s ** (i // 2)
                       for (i, k), c in e.items() if k == j)
        weight = LARGEST_H ** (j + 1)
        if weight * abs(part(mpf(0))) < mpf("2e-17"):
            break
        for degree in range(1, 12):
            c = fit(part, mpf(0), mpf(1), degree, 0)
            error = weight * worst(part, c, mpf(0), mpf(1), 0)
            if error < mpf("1e-17"):
                break
        rows.append(c)
    return rows


def normal_tail(z):
    return -log(erfc(z / sqrt(mpf(2)))) / log(mpf(10))


def over_z(z):
    return sqrt(2 / pi) / log(mpf(10)) if z == 0 else normal_tail(z) / z


def far(q):
    """What -log p has beyond z^2/2 + log(z) + log(pi/2)/2, over q = 1/z^2."""
    if q == 0:
        return mpf(1)
    z = 1 / sqrt(q)
    return (-log(erfc(z / sqrt(mpf(2)))) - z * z / 2 - log(z) - log(pi / 2) / 2) / q


rows = deviate_rows()
longest = max(len(r) for r in rows)
print("/* Made by tests/oracle/t_tail_table.py, which says what these are. */")
print("#ifndef GP_SRC_BASE_TAIL_TABLE_H\n#define GP_SRC_BASE_TAIL_TABLE_H\n")
print("/* E: column j belongs to h^j, row d to x^(2 d), an even column to one x more. */")
print("enum { E_COLUMNS = %d, E_TERMS = %d };" % (len(rows), longest))
print("static const double e_part[E_TERMS][E_COLUMNS] = {")
for d in range(longest):
    print("    " + show([r[d] if d < len(r) else mpf(0) for r in rows]))
print("};\n")
print("/* log K in powers of h^2, from h^2 on. */")
k_part = [c for key, c in sorted(log_k().items())]
print("enum { K_TERMS = %d };" % len(k_part))
print("static const double log_k_part[K_TERMS] = " + show([mpf(c.numerator) / c.denominator
                                                          for c in k_part])[:-1] + ";\n")
DEGREE, PIECES, END = 8, 32, 8
print("/* -log10 erfc(z / 2^(1/2)) / z in powers of 4 z - i - 1/2, i = floor(4 z). */")
print("enum { NEAR_PIECES = %d, NEAR_TERMS = %d };" % (PIECES, DEGREE + 1))
print("static const double near_piece[NEAR_PIECES][NEAR_TERMS] = {")
for i in range(PIECES):
    def scaled(u, i=i):
        return over_z((i + mpf(1) / 2 + u) / 4)
    c = fit(scaled, mpf(-1) / 2, mpf(1) / 2, DEGREE, 0)
    assert worst(scaled, c, mpf(-1) / 2, mpf(1) / 2, 0) < mpf("1e-16") * c[0]
    print("    " + show(c))
print("};\n")
for degree in range(4, 16):
    c = fit(far, mpf(0), mpf(1) / END ** 2, degree, 0)
    if worst(far, c, mpf(0), mpf(1) / END ** 2, 0) / END ** 2 < mpf("1e-15"):
        break
print("/* Beyond z = 8: -log erfc(z / 2^(1/2)) less z^2/2 + log(z) + log(pi/2)/2, times z^2, in")
print(" * powers of 1/z^2. */")
print("enum { FAR_TERMS = %d };" % len(c))
print("static const double far_part[FAR_TERMS] = " + show(c)[:-1] + ";\n")
print("#endif")
