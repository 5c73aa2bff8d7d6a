"""Logistic models in double precision, and tables of binary traits compared with them: for end-to-end scripts. Plain Python.

  logistic_models.py PREFIX TRAIT exact|mean DIR

Every test of every variant of PREFIX.bed, .bim and .fam with a trait of PREFIX.pheno.tsv and three covariates of
PREFIX.covar.tsv, against DIR/TEST/TRAIT.tsv.gz.
"""
import math
import sys

sys.dont_write_bytecode = True  # a test leaves no files behind
from logistic import Report, by_variant, table

COVARIATES = ("age", "sex", "exposure")
WORDS = {"score": "SCORE", "wald": "WALD", "firth": "FIRTH", "approx": "FIRTH", "spa": "SPA"}  # by folder
TESTS = tuple(WORDS)


def solve(matrix, right):
    """Of a symmetric positive definite matrix, by Cholesky; also log of the determinant."""
    d = len(right)
    lower = [[0.0] * d for _ in range(d)]
    for i in range(d):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
    x = list(right)
    for i in range(d):
        x[i] = (x[i] - sum(lower[i][k] * x[k] for k in range(i))) / lower[i][i]
    for i in reversed(range(d)):
        x[i] = (x[i] - sum(lower[k][i] * x[k] for k in range(i + 1, d))) / lower[i][i]
    return x, 2 * sum(math.log(lower[i][i]) for i in range(d))


def inverse(matrix):
    d = len(matrix)
    return [solve(matrix, [float(i == j) for j in range(d)])[0] for i in range(d)]


def dot(x, y):
    return sum(a * b for a, b in zip(x, y))


def state(columns, y, offset, beta, penalised):
    """Probabilities, weights, information, and the (penalised) log-likelihood. columns: a row for each sample."""
    mu = [1 / (1 + math.exp(-(o + dot(row, beta)))) for row, o in zip(columns, offset)]
    w = [m * (1 - m) for m in mu]
    d = len(beta)
    information = [[sum(v * row[i] * row[j] for v, row in zip(w, columns)) for j in range(d)] for i in range(d)]
    loglik = sum(math.log(m if a else 1 - m) for a, m in zip(y, mu))
    return mu, w, information, loglik + (solve(information, [0.0] * d)[1] / 2 if penalised else 0.0)


def step_of(columns, y, at, free, penalised):
    mu, w, information, _ = at
    residual = [a - m for a, m in zip(y, mu)]
    if penalised:
        back = inverse(information)
        for i, row in enumerate(columns):
            residual[i] += w[i] * dot(row, [dot(line, row) for line in back]) * (0.5 - mu[i])
    gradient = [dot(residual, [row[k] for row in columns]) for k in free]
    return solve([[information[i][j] for j in free] for i in free], gradient)[0] if free else []


def fit(columns, y, offset, free, penalised):
    """Coefficients named in `free`, the others 0; standard errors; the (penalised) log-likelihood. None: no maximum."""
    beta = [0.0] * len(columns[0])
    at = state(columns, y, offset, beta, penalised)
    damp, before = 1.0, [0.0] * len(free)
    for _ in range(500):
        try:
            step = step_of(columns, y, at, free, penalised)
        except (ValueError, ZeroDivisionError):
            return None  # no information is left
        size = max([abs(s) for s in step] + [0.0])
        if dot(step, before) < -0.3 * dot(before, before):
            damp /= 2  # to and fro: the penalty's own curvature, which is not in the information
        before = step
        scale = min(damp, 2 / max(size, 1e-300))
        while True:
            to = list(beta)
            for k, s in zip(free, step):
                to[k] += scale * s
            if max(abs(b) for b in to) > 20:
                return None  # columns are standardised: on its way to infinity
            there = state(columns, y, offset, to, penalised)
            if there[3] >= at[3] - 1e-12 or scale * size < 1e-9:
                break
            scale /= 2
        beta, at = to, there
        if size < 1e-12:
            break
    errors = [math.sqrt(line[k]) for k, line in enumerate(inverse(at[2]))]
    return beta, errors, at[3]


def tail(z):
    """-log10 of a normal deviate's two-sided p."""
    return -math.log10(math.erfc(abs(z) / math.sqrt(2)))


def saddlepoint(v, mu, score):
    """p of one tail of sum of v (y - mu), y 1 with probability mu, beyond score, by Barndorff-Nielsen's formula."""
    def derivatives(t):
        k0 = k1 = k2 = 0.0
        for a, m in zip(v, mu):
            e = m * math.exp(a * t)
            p = e / (1 - m + e)
            k0 += math.log(1 - m + e) - a * m * t
            k1 += a * (p - m)
            k2 += a * a * p * (1 - p)
        return k0, k1, k2

    low, high = -1.0, 1.0
    while derivatives(low)[1] > score:
        low *= 2
        if low < -250:  # as far as the score can go
            return 0.0
    while derivatives(high)[1] < score:
        high *= 2
        if high > 250:
            return 0.0
    while True:  # halving alone: sure, and exact to the last bits
        t = (low + high) / 2
        if t in (low, high) or high - low < 1e-16:
            break
        low, high = (t, high) if derivatives(t)[1] < score else (low, t)
    k0, _, k2 = derivatives(t)
    exponent = k0 - t * score
    w, u = math.sqrt(-2 * exponent), abs(t) * math.sqrt(k2)
    z = w + math.log(u / w) / w
    bound = math.exp(exponent)  # Chernoff's: near the end of what the score can be the formula says more
    return min(bound, math.erfc(z / math.sqrt(2)) / 2) if z >= 0 else bound


def read_bed(prefix):
    """Copies of allele 1 of every variant, None where missing: [(id, [copies])]; and the samples' ids."""
    with open(prefix + ".fam") as file:
        people = [tuple(line.split()[:2]) for line in file]
    with open(prefix + ".bim") as file:
        names = [line.split()[1] for line in file]
    with open(prefix + ".bed", "rb") as file:
        data = file.read()
    stride = (len(people) + 3) // 4
    copies = {0: 2, 1: None, 2: 1, 3: 0}
    return people, [
        (name, [copies[data[3 + j * stride + (i >> 2)] >> 2 * (i & 3) & 3] for i in range(len(people))])
        for j, name in enumerate(names)
    ]


def columns_of(path, names):
    return {
        (row["FID"], row["IID"]): [float(row[name]) for name in names]
        for row in table(path)
        if all(row[name] != "NA" for name in names)
    }


def design(people, covariates):
    """Intercept and covariates of mean 0 and variance 1 (effects of a variant do not depend on it)."""
    rows = [covariates[person] for person in people]
    scaled = []
    for column in zip(*rows):
        mean = sum(column) / len(column)
        sd = math.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
        scaled.append([(x - mean) / sd for x in column])
    return [[1.0, *row] for row in zip(*scaled)]


def likelihood_ratio(whole, null, beta):
    return math.copysign(math.sqrt(max(0.0, 2 * (whole - null))), beta)


def tests_of(x, y, g, null, firth_null):
    """(beta, se, statistic) of one variant by each test; None where there is no number. x, y, g: those called."""
    c = len(x[0])
    zero = [0.0] * len(y)
    mu, w, information, _ = state(x, y, zero, null, False)
    a = [sum(v * copies * row[k] for v, copies, row in zip(w, g, x)) for k in range(c)]
    gamma = solve(information, a)[0]
    v = [copies - dot(gamma, row) for copies, row in zip(g, x)]
    score = sum(r * (b - m) for r, b, m in zip(v, y, mu))
    variance = sum(r * r * k for r, k in zip(v, w))
    z, beta = score / math.sqrt(variance), score / variance
    found = {"score": (beta, 1 / math.sqrt(variance), z)}
    p = sum(saddlepoint(v, mu, s) for s in (abs(score), -abs(score)))
    found["spa"] = (beta, None, p)

    rows = [[*row, float(copies)] for row, copies in zip(x, g)]
    everything, all_but = list(range(c + 1)), list(range(c))
    wald = fit(rows, y, zero, everything, False)
    found["wald"] = wald and (wald[0][c], wald[1][c], wald[0][c] / wald[1][c])
    full, without = fit(rows, y, zero, everything, True), fit(rows, y, zero, all_but, True)
    found["firth"] = full[0][c], full[1][c], likelihood_ratio(full[2], without[2], full[0][c])
    offset = [dot(row, firth_null) for row in x]
    alone = [[r] for r in v]
    full, without = fit(alone, y, offset, [0], True), fit(alone, y, offset, [], True)
    found["approx"] = full[0][0], full[1][0], likelihood_ratio(full[2], without[2], full[0][0])
    return found


def models(prefix, trait, missing, folder):
    report = Report()
    everybody, variants = read_bed(prefix)
    trait_of = columns_of(prefix + ".pheno.tsv", [trait])
    covariates = columns_of(prefix + ".covar.tsv", COVARIATES)
    used = [i for i, person in enumerate(everybody) if person in trait_of and person in covariates]
    x = design([everybody[i] for i in used], covariates)
    y = [int(trait_of[everybody[i]][0]) for i in used]
    c, zero = len(x[0]), [0.0] * len(y)
    null = fit(x, y, zero, list(range(c)), False)[0]
    firth_null = fit(x, y, zero, list(range(c)), True)[0]
    ours = {}
    for test in TESTS:
        rows = by_variant(f"{folder}/{test}/{trait}.tsv.gz", report, missing == "exact").values()
        ours[test] = {row["id"]: row for row in rows}
        report.same(test, "variants", len(ours[test]), len(variants))
    numbers = dict.fromkeys(TESTS, 0)
    for name, copies in variants:
        called = [k for k, i in enumerate(used) if copies[i] is not None]
        g = [copies[used[k]] for k in called]
        if len(set(g)) < 2:
            continue
        keep = called
        if missing == "mean":
            mean, keep = sum(g) / len(g), list(range(len(used)))
            g = [mean if copies[i] is None else copies[i] for i in used]
        found = tests_of([x[k] for k in keep], [y[k] for k in keep], g, null, firth_null)
        for test in TESTS:
            row, want, where = ours[test][name], found[test], f"{name} {test}"
            report.same(where, "status", row["status"], "OK" if want else "SEPARATION")
            if test == "spa" and row["test"] == "SCORE" and (want[2] >= 1 or abs(found["score"][2]) < 0.12):
                continue  # the formula's tails add up to more than 1, or come to 0 / 0: the score test stands
            report.same(where, "test", row["test"], WORDS[test] if want else "#NA")
            report.same(where, "n", int(row["n"]), len(keep))
            report.same(where, "cases", int(row["n_cases"]), sum(y[k] for k in keep))
            if not want or row["status"] != "OK":
                continue
            beta, se, statistic = want
            our_se, p = float(row["standard_error"]), float(row["neg_log_10_p_value"])
            # nine digits are printed; the likelihood's maximum is found to 1e-9 or so of a standard error, Firth's, where
            # steps converge more slowly, to 1e-8 or so
            close = 3e-8 if test in ("firth", "approx") else 1e-8
            report.near(where, f"{test} beta", float(row["beta"]), beta, close * max(abs(beta), our_se))
            if test == "spa":
                # the formula has a logarithm through a deviate in it, both small where that is
                want_p, size = -math.log10(statistic), abs(found["score"][2])
                report.near(where, "spa p", p, want_p, 1e-8 * max(1, want_p) / min(1, size))
            else:
                report.near(where, f"{test} se", our_se, se, close * se)
                # a likelihood ratio's root: what the sums of log-likelihoods leave, some 1e-8, comes through it
                size = abs(statistic)
                off = 1e-8 * max(1, size) + (2e-8 / max(size, 1e-4) if test in ("firth", "approx") else 0)
                report.near(where, f"{test} statistic", float(row["statistic"]), statistic, off)
                report.near(where, f"{test} p", p, tail(statistic), off * max(0.7, size))  # by the slope of log10 of the tail
            numbers[test] += 1
            report.compared += 1
    for test, number in numbers.items():
        if number < len(variants) // 2:
            report.bad(f"{test}: {number} of {len(variants)} variants have numbers")
    report.end(f"{folder}, missing calls {missing}")


if len(sys.argv) != 5:
    sys.exit(__doc__)
models(*sys.argv[1:])
