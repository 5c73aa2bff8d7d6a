#!/usr/bin/env python3
"""Cohorts and binary traits that have nothing to do with each other, and how often tests say they do. Plain Python.

usage: null_traits.py cohort PREFIX SAMPLES VARIANTS COPIES SEED  PREFIX.bed, .bim, .fam and .covar.tsv
       null_traits.py traits PREFIX RATIO TRAITS SEED         a table of traits with RATIO controls to a case
       null_traits.py rates LEVEL SAMPLES COPIES COUNTS...    lines of ratio, test, class, tests, no_number, below, rate,
                                                              low, high, verdict, discrete, with commas between

Variants are drawn one by one, each apart from all others; copies of the rarer allele from COPIES to half of all, evenly on
a logarithmic scale. A sample's odds of being a case depend on its sex, age and exposure alone. COUNTS are files of
lines "ratio test class tests no_number below"; rate is the share below LEVEL through LEVEL; low and high are the ends
of the band that holds a binomial count with probability 0.999.
"""
import math
import random
import sys

CLASSES = ("all", "copies<20", "copies20-200", "copies>200")
DIGITS = 12  # of a frequency in base 2, for variants that are not rare


def copies_of(chance, haplotypes, count):
    """A number whose bits 0 to haplotypes - 1 tell who has the rarer allele: `count` of them, or about as many."""
    if count < haplotypes // 100:
        bits = bytearray((haplotypes + 7) // 8)
        for k in chance.sample(range(haplotypes), count):
            bits[k >> 3] |= 1 << (k & 7)
        return int.from_bytes(bits, "little")
    share, x = round(count / haplotypes * (1 << DIGITS)), 0
    for k in range(DIGITS):  # from the last digit on: 1 adds a half to what the digits behind give, and halves it
        r = chance.getrandbits(haplotypes)
        x = x | r if share >> k & 1 else x & r
    return x


def cohort(prefix, samples, variants, least, seed):
    n, m, least, chance = int(samples), int(variants), int(least), random.Random(int(seed))
    every = int.from_bytes(b"\x55" * ((n + 3) // 4), "little") & ((1 << (2 * n)) - 1)
    with open(prefix + ".bed", "wb") as file:
        file.write(bytes([0x6C, 0x1B, 1]))
        for _ in range(m):
            both = copies_of(chance, 2 * n, round(least * (n / least) ** chance.random()))
            one, other = both & every, both >> 1 & every
            # of PLINK's two bits: the first where there is no copy, the second where there are not two
            code = (every & ~(one | other)) | (every & ~(one & other)) << 1
            file.write(code.to_bytes((n + 3) // 4, "little"))
    with open(prefix + ".bim", "w") as file:
        for j in range(m):
            file.write(f"{1 + j * 22 // m}\tv{j + 1}\t0\t{(j + 1) * 1000}\tA\tG\n")
    with open(prefix + ".fam", "w") as fam, open(prefix + ".covar.tsv", "w") as covar:
        covar.write("FID\tIID\tsex\tage\texposure\n")
        for i in range(1, n + 1):
            sex = chance.getrandbits(1)
            fam.write(f"s{i}\ts{i}\t0\t0\t{2 - sex}\t-9\n")
            covar.write(f"s{i}\ts{i}\t{sex}\t{chance.gauss(0, 1):.6f}\t{chance.gauss(0, 1):.6f}\n")


def traits(prefix, ratio, count, seed):
    with open(prefix + ".covar.tsv") as file:
        rows = [line.split() for line in file][1:]
    odds = [0.5 * float(r[2]) + 0.5 * float(r[3]) + 0.3 * float(r[4]) for r in rows]
    want, low, high = len(rows) / (1 + float(ratio)), -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        expected = sum(1 / (1 + math.exp(-middle - o)) for o in odds)
        low, high = (middle, high) if expected < want else (low, middle)
    probability = [1 / (1 + math.exp(-low - o)) for o in odds]
    chance, columns = random.Random(f"{ratio} {seed}"), range(int(count))
    print("FID\tIID", *(f"t{k + 1}" for k in columns), sep="\t")
    for row, p in zip(rows, probability):
        print(row[0], row[1], *(int(chance.random() < p) for _ in columns), sep="\t")


def band(n, p):
    """The least and the greatest count that each leave at most 0.0005 beyond."""
    mean = n * p
    reach = 12 * math.sqrt(mean + 1) + 12
    counts = range(max(0, int(mean - reach)), min(n, int(mean + reach)) + 1)
    whole, odds = math.lgamma(n + 1), math.log(p) - math.log1p(-p)
    share = [
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * odds + n * math.log1p(-p)) for k in counts
    ]
    ends = []
    for order in (1, -1):
        beyond = 0.0
        for k, s in list(zip(counts, share))[::order]:
            beyond += s
            if beyond > 0.0005:
                ends.append(k)
                break
    return ends


def penalised(groups, a, b):
    """Firth's log-likelihood of log odds a + b carrier, and what its slopes take. groups: (controls, cases) of both kinds."""
    mu = [1 / (1 + math.exp(-a - b * g)) for g in (0, 1)]
    w = [m * (1 - m) for m in mu]
    first, second = (w[g] * sum(groups[g]) for g in (0, 1))
    loglik = sum(n * math.log(1 - m) + k * math.log(m) for (n, k), m in zip(groups, mu))
    return loglik + 0.5 * math.log(first * second), mu, w, first, second


def greatest(groups, with_carriers):
    """The maximum of it, over a and b, or over a with b = 0."""
    a, b = math.log(groups[0][1] / groups[0][0]), 0.0
    at = penalised(groups, a, b)
    for _ in range(500):
        _, mu, w, first, second = at
        # leverages: each group's share is shared out evenly
        slope = [k - (n + k) * m + (0.5 - m) for (n, k), m in zip(groups, mu)]
        if with_carriers:
            da, db = slope[0] / first, slope[1] / second - slope[0] / first
        else:
            da, db = sum(slope) / (first + second), 0.0
        scale = min(1.0, 1.0 / max(abs(da), abs(db), 1e-300))
        while True:
            there = penalised(groups, a + scale * da, b + scale * db)
            if there[0] >= at[0] - 1e-12 or scale < 1e-6:
                break
            scale /= 2
        a, b, at = a + scale * da, b + scale * db, there
        if max(abs(da), abs(db)) < 1e-9:
            break
    return at[0]


def firth_rate(samples, share, carriers, level):
    rate, cases = 0.0, round(samples * share)
    for k in range(carriers + 1):
        chance = math.comb(carriers, k) * share**k * (1 - share) ** (carriers - k)
        if chance < 1e-9 * level or k >= cases:
            continue
        groups = (samples - cases - carriers + k, cases - k), (carriers - k, k)
        ratio = 2 * (greatest(groups, True) - greatest(groups, False))
        if math.erfc(math.sqrt(max(0.0, ratio) / 2)) < level:
            rate += chance
    return rate / level


def discrete(samples, ratio, level, least):
    """The rate by class: copies drawn as `cohort` draws them."""
    found, share = {}, 1 / (1 + float(ratio))
    for name, copies in (("copies<20", range(least, 20)), ("copies20-200", range(max(20, least), 201, 4))):
        if not copies:
            continue
        weights = [1 / k for k in copies]
        rates_of = [firth_rate(samples, share, k, level) for k in copies]
        found[name] = sum(w * r for w, r in zip(weights, rates_of)) / sum(weights)
    return found


def rates(level, samples, least, *paths):
    sums, sizes, p = {}, {}, float(level)
    for path in paths:
        with open(path) as file:
            for line in file:
                ratio, test, size, *numbers = line.split()
                for key in ((ratio, test, "all"), (ratio, test, size)):
                    sums[key] = [a + int(b) for a, b in zip(sums.get(key, (0, 0, 0)), numbers)]
    order = list(dict.fromkeys((ratio, test) for ratio, test, _ in sums))  # as the files come
    for key in sorted(sums, key=lambda key: (order.index(key[:2]), CLASSES.index(key[2]))):
        (ratio, test, size), (tests, none, below) = key, sums[key]
        if ratio not in sizes:
            sizes[ratio] = discrete(int(samples), ratio, p, int(least))
        low, high = band(tests, p)
        verdict = "below" if below < low else "above" if below > high else "within"
        shares = ",".join(f"{k / (tests * p):.4f}" for k in (below, low, high))
        known = test in ("firth", "approx") and size in sizes[ratio]
        exact = f"{sizes[ratio][size]:.2f}" if known else "NA"
        print(f"{ratio},{test},{size},{tests},{none},{below},{shares},{verdict},{exact}")


JOBS = {f.__name__: f for f in (cohort, traits, rates)}
if len(sys.argv) < 3 or sys.argv[1] not in JOBS:
    sys.exit(__doc__)
JOBS[sys.argv[1]](*sys.argv[2:])
