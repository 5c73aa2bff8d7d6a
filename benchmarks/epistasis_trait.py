#!/usr/bin/env python3
"""Traits of known make for a cohort of .bed, .bim and .fam: pairs of variants, and single variants.

usage: epistasis_trait.py PREFIX SEED >PHENO.tsv

  pairs     60% of the variance from 8 pairs of variants (products of standardised dosages, 7.5% each), 20% from the
            16 variants themselves (1.25% each), 20% noise
  additive  80% from the 16 variants (5% each), 20% noise

The 16 variants, of frequency 0.2 to 0.8, are drawn at random; partners lie on different chromosomes. Their ids go to
standard error, two of a pair on a line. Plain Python.
"""
import math
import random
import sys


def read_bed(prefix):
    """Standardised dosages by variant: [(chromosome, id, values)] for frequencies 0.2 to 0.8."""
    with open(prefix + ".fam", encoding="utf-8") as file:
        people = [line.split()[:2] for line in file]
    with open(prefix + ".bim", encoding="utf-8") as file:
        variants = [line.split()[:2] for line in file]
    with open(prefix + ".bed", "rb") as file:
        data = file.read()
    stride, found = (len(people) + 3) // 4, []
    dosage = {0: 2.0, 2: 1.0, 3: 0.0}
    for j, (chromosome, name) in enumerate(variants):
        row = data[3 + j * stride : 3 + (j + 1) * stride]
        x = [dosage.get(row[i >> 2] >> (2 * (i & 3)) & 3) for i in range(len(people))]
        called = [v for v in x if v is not None]
        mean = sum(called) / len(called)
        if not 0.4 <= mean <= 1.6:
            continue
        scale = math.sqrt(sum((v - mean) ** 2 for v in called) / len(called))
        found.append((chromosome, name, [0.0 if v is None else (v - mean) / scale for v in x]))
    return people, found


def standard(x, share):
    """x with mean 0 and the variance `share`."""
    mean = sum(x) / len(x)
    scale = math.sqrt(share / (sum((v - mean) ** 2 for v in x) / len(x)))
    return [(v - mean) * scale for v in x]


def total(parts):
    return [sum(values) for values in zip(*parts)]


def main():
    prefix, chance = sys.argv[1], random.Random(int(sys.argv[2]))
    people, variants = read_bed(prefix)
    chance.shuffle(variants)
    pairs = []
    while len(pairs) < 8:
        first = variants.pop()
        partner = next(k for k in range(len(variants) - 1, -1, -1) if variants[k][0] != first[0])
        pairs.append((first, variants.pop(partner)))
    for a, b in pairs:
        print(a[1], b[1], file=sys.stderr)
    signs = [chance.choice((-1, 1)) for _ in range(24)]
    products = [
        standard([signs[k] * u * v for u, v in zip(a[2], b[2])], 0.075) for k, (a, b) in enumerate(pairs)
    ]
    singles = [standard([signs[8 + k] * u for u in v[2]], 1.0) for k, v in enumerate(sum(pairs, ()))]
    noise = standard([chance.gauss(0, 1) for _ in people], 0.2)
    additive = total(singles)
    made = [
        total([standard(total(products), 0.6), standard(additive, 0.2), noise]),
        total([standard(additive, 0.8), noise]),
    ]
    print("FID\tIID\tpairs\tadditive")
    for (fid, iid), y, z in zip(people, *made):
        print(f"{fid}\t{iid}\t{y:.9g}\t{z:.9g}")


main()
