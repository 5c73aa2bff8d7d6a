#!/usr/bin/env python3
"""Makes a run directory for reports: simulated p values, thinned as gp-dist merge thins them.

picture_run.py DIR [--variants M] [--traits N] [--samples N] [--seed S] [--shift X]

Traits are named trait1, trait2, ...; every third is binary. --shift moves all hits by so many bases and lets the
last trait's first hit be lost, so that two runs differ. Standard library only.
"""
import argparse
import json
import math
import os
import random

LENGTHS = [249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51]
COLUMNS, CELLS, POINTS = 1200, 300, 300
HITS = "hit chromosome base_pair_location id effect_allele other_allele effect_allele_frequency beta standard_error " \
    "p_value neg_log_10_p_value attribution attribution_rank clumped clump_start clump_end nearest_gene gene_distance"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def columns_of():
    """[name, first position, last position, first column, columns] of each chromosome."""
    total, column, before, rows = sum(LENGTHS), 0, 0, []
    for k, length in enumerate(LENGTHS):
        before += length
        end = k + 1 + int((COLUMNS - len(LENGTHS)) * before / total)
        rows.append([str(k + 1), 10000, length * 1000000, column, end - column])
        column = end
    return rows


def make_lines(rng, m, signals):
    """[chromosome, position, -log10 p] of m variants, with peaks at the signals, inflated a little."""
    lines = []
    for _ in range(m):
        k = rng.choices(range(22), weights=LENGTHS)[0]
        position = rng.randrange(10000, LENGTHS[k] * 1000000)
        x = abs(rng.gauss(0, 1)) * math.sqrt(1.03)
        for c, at, height in signals:
            if c == k and abs(position - at) < 1500000:
                top = math.sqrt(2 * height * math.log(10)) * 0.93
                x = min(abs(rng.gauss(top * math.exp(-abs(position - at) / 3e5), 1)), top)
        p = max(math.erfc(x / math.sqrt(2)), 1e-300)
        lines.append([k, position, -math.log10(p)])
    for c, at, height in signals:
        lines.append([c, at, height])
    return lines


def summary_of(name, lines, n, cases):
    places = columns_of()
    most = max(line[2] for line in lines)
    step = next(s * 10 ** e for e in range(-2, 9) for s in (1, 2, 5) if most / (s * 10 ** e) < CELLS - 1)
    cells = {}
    for k, position, value in lines:
        _, first, last, column, columns = places[k]
        at = column + min(int((position - first) * columns / (last - first + 1)), columns - 1)
        cells.setdefault(at, set()).add(min(int(value / step), CELLS - 1))
    told = []
    for column in sorted(cells):
        runs, rows = [], sorted(cells[column])
        for row in rows:
            if runs and runs[-1] == row - 1:
                runs[-1] = row
            else:
                runs += [row, row]
        told.append([column, runs])
    values = sorted((line[2] for line in lines), reverse=True)
    m, qq, last = len(values), [], -1
    for i in range(POINTS):
        k = min(int(math.exp(math.log(m) * i / (POINTS - 1)) + 0.5) - 1, m - 1)
        if k > last:
            qq.append([round(-math.log10((k + 0.5) / m), 6), round(values[k], 6)])
            last = k
    p = 10 ** -values[m // 2]
    low, high = 0.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > p else (low, middle)
    inflation = low * low / 0.4549364
    a, b = (cases, n - cases) if cases else (n / 2, n / 2)
    counts = [sum(1 for line in lines if line[0] == k) for k in range(22)]
    top = max(lines, key=lambda line: line[2])
    return {"format": "gp-dist summary 1", "trait": name, "model": "logistic (firth)" if cases else "linear, with offsets",
            "samples": n, "cases": cases, "lines": m + 137, "status": {"OK": m, "CONSTANT": 120, "NO_CONVERGENCE": 17},
            "lambda_gc": inflation, "lambda_1000": 1 + (inflation - 1) * (1 / a + 1 / b) / 0.002,
            "smallest": {"chromosome": str(top[0] + 1), "base_pair_location": top[1], "id": "rs1", "neg_log_10_p_value": top[2]},
            "chromosomes": [{"name": p[0], "first": p[1], "last": p[2], "lines": c} for p, c in zip(places, counts)],
            "manhattan": {"columns": COLUMNS, "step": step, "chromosome":
                          [{"name": p[0], "column": p[3], "columns": p[4]} for p in places], "cells": told}, "qq": qq}


def hits_of(rng, signals, shift):
    text = HITS.replace(" ", "\t") + "\n"
    for i, (k, at, height) in enumerate(sorted(signals, key=lambda s: -s[2])):
        gene = "#NA\t#NA" if i == 3 else "GENE%d\t%d" % (i + 1, 0 if i % 2 else rng.randrange(200, 90000))
        beta = rng.gauss(0, 0.1)
        text += "%d\t%d\t%d\trs%d\tA\tG\t%.6g\t%.6g\t%.6g\t%.3ge-%d\t%.6f\t%.4g\t%d\t%d\t%d\t%d\t%s\n" % (
            i + 1, k + 1, at + shift, 1000 + i + shift, rng.uniform(0.05, 0.5), beta, abs(beta) / 6, rng.uniform(1, 9),
            int(height), height, rng.gauss(0, 0.02), i * 37 + 1, rng.randrange(0, 60), at - 90000, at + 120000, gene)
    return text


def model_of(rng, path, name, n, binary, better):
    folds, metrics, predictions = 5, "trait\tmodel\tfold\tn\tr2\tr\tmse\tauc\n", "FID\tIID\ttrait\tfold\tobserved\tcovariates\tridge\ttransformer\n"
    r2 = {"covariates": 0.06, "ridge": 0.24, "transformer": 0.31 if better else 0.21}
    for model, value in r2.items():
        for fold in [str(k + 1) for k in range(folds)] + ["all"]:
            v = value if fold == "all" else value + rng.uniform(-0.04, 0.04)
            auc = "%.6f" % (0.5 + 0.45 * v + 0.15) if binary else "NA"
            metrics += "%s\t%s\t%s\t%d\t%.9f\t%.9f\t%.9f\t%s\n" % (name, model, fold, n // (1 if fold == "all" else folds), v, math.sqrt(v), 1 - v, auc)
    for i in range(n):
        g = rng.gauss(0, 1)
        y = g * 0.55 + rng.gauss(0, 0.83)
        guess = [0.3 * (0.25 * y + rng.gauss(0, 0.9)), 0.5 * (0.5 * g + rng.gauss(0, 0.5)), 0.45 * (g * 0.8 + rng.gauss(0, 0.4))]
        if binary:
            y, guess = float(y > 1.0), [1 / (1 + math.exp(1.9 - 1.6 * x)) for x in guess]
        else:
            y, guess = 170 + 9 * y, [170 + 9 * x for x in guess]
        predictions += "%d\t%d\t%s\t%d\t%.6f\t%s\n" % (i, i, name, i % folds + 1, y, "\t".join("%.6f" % x for x in guess))
    training = "step\tepoch\ttrain_loss\tvalidation_loss\tlearning_rate\tgradient_norm\tfold\tnetwork\n"
    for fold in [str(k + 1) for k in range(folds)] + ["all"]:
        for network in (1, 2):
            for epoch in range(1, 21):
                loss = 1.15 * math.exp(-epoch / 6) + 0.75 + rng.gauss(0, 0.015)
                training += "%d\t%d\t%.6f\t%.6f\t0.001\t1.5\t%s\t%d\n" % (epoch * 9, epoch, loss, 0.9 + 1.1 * math.exp(-epoch / 5) + 0.004 * epoch + rng.gauss(0, 0.02), fold, network)
    heritability = "trait\tfold\tsamples\theritability\n" + "".join(
        "%s\t%s\t%d\t%.6f\n" % (name, f, n, 0.43 + rng.uniform(-0.03, 0.03)) for f in ["1", "2", "3", "4", "5", "all"])
    write(path + "/metrics.tsv", metrics)
    write(path + "/predictions.tsv", predictions)
    write(path + "/training.tsv", training)
    write(path + "/heritability.tsv", heritability)


def people_of(rng, path, n):
    text = "#FID\tIID\t" + "\t".join("PC%d" % k for k in range(1, 11)) + "\n"
    centres = [(-0.01, 0.008), (0.012, 0.004), (0.0, -0.014)]
    for i in range(n):
        x, y = centres[i % 3]
        text += "%d\t%d\t%.6f\t%.6f\t%s\n" % (i, i, rng.gauss(x, 0.0022), rng.gauss(y, 0.0025), "\t".join("%.5f" % rng.gauss(0, 0.01) for _ in range(8)))
    write(path + "/pca.eigenvec", text)
    write(path + "/pca.eigenval", "".join("%.6g\n" % (40 / (1 + k * k) + 2) for k in range(10)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--variants", type=int, default=100000)
    parser.add_argument("--traits", type=int, default=3)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shift", type=int, default=0)
    o = parser.parse_args()
    rng = random.Random(o.seed)
    for t in range(o.traits):
        name, binary = "trait%d" % (t + 1), t % 3 == 2
        signals = [(rng.randrange(22), 0, rng.uniform(8, 24)) for _ in range(9)]
        signals = [(k, rng.randrange(2000000, LENGTHS[k] * 1000000 - 2000000), h) for k, _, h in signals]
        kept = signals[1:] if o.shift and t == o.traits - 1 else signals
        lines = make_lines(rng, o.variants, signals)
        cases = o.samples // 6 if binary else None
        write("%s/merged/%s.summary.json" % (o.directory, name), json.dumps(summary_of(name, lines, o.samples, cases)))
        write("%s/merged/%s.hits.tsv" % (o.directory, name), hits_of(rng, kept, o.shift))
        model_of(rng, "%s/model/%s" % (o.directory, name), name, o.samples, binary, t % 2 == 0)
    people_of(rng, o.directory + "/pca", o.samples)
    m = o.variants
    filters = [("samples in the store", o.samples + 41), ("samples left out by --keep", 0), ("samples left out by --remove", 12),
               ("samples left out by --mind", 8), ("samples left out: a covariate is missing", 21), ("samples kept", o.samples),
               ("variants in the store", m * 5 // 4 + 137), ("variants left out by --chr", 0), ("variants left out: below --maf", m // 4 - 2000),
               ("variants left out: above --geno", 2000), ("variants tested", m + 137)]
    write(o.directory + "/assoc/filters.tsv", "what\tcount\n" + "".join("%s\t%d\n" % f for f in filters))
    options = {"store": "cohort.h5", "pheno": "traits.tsv", "pheno-name": ",".join("trait%d" % (t + 1) for t in range(o.traits)),
               "covar": "covariates.tsv", "pca": 10, "maf": 0.01, "offset": "transformer", "threads": 4, "out": o.directory}
    write(o.directory + "/manifest.json", json.dumps({"format": "gp-dist run 1", "version": "0.1.0", "options": options, "steps": []}))
    write(o.directory + "/gp-dist.log", "gp-dist 0.1.0, 4 ranks\nphase        seconds\npca              3.1\ntrain           61.0\nassoc            8.4\n")


main()
