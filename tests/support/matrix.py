"""Matrices as text, compared: for end-to-end scripts.

  matrix.py whole OURS THEIRS TOLERANCE [FACTOR]    element by element; OURS * FACTOR (1)
  matrix.py summary OURS SUMMARY.json TOLERANCE     corner, row sums, trace, Frobenius norm, mean
  matrix.py bimbam GENO.gz PREFIX                   dosages of 0, 0.5 and 1 as .bed, twice as large
  matrix.py gemma PREFIX ANALYSED SCALE             ids that GEMMA's filters keep among the samples whose line
                                                    begins with 1; covariates may follow it. SCALE: 2 where
                                                    dosages are twice GEMMA's
"""
import array
import gzip
import json
import math
import sys


def opened(path):
    return gzip.open(path, "rt") if path.endswith(".gz") else open(path)


def rows_of(path):
    if path.endswith(".bin"):  # of PLINK 2: n x n doubles
        with open(path, "rb") as file:
            numbers = array.array("d", file.read())
        n = math.isqrt(len(numbers))
        return [numbers[i * n : (i + 1) * n] for i in range(n)]
    with opened(path) as lines:
        return [[float(x) for x in line.split()] for line in lines]


def report(what, worst, tolerance):
    print(f"{what}: largest difference {worst:.3g}")
    if not worst <= tolerance:
        sys.exit(f"FAIL: {what}: {worst:.3g} is more than {tolerance:g}")


def whole(ours, theirs, tolerance, factor=1.0):
    a, b = rows_of(ours), rows_of(theirs)
    if len(a) != len(b) or any(len(x) != len(b) or len(y) != len(b) for x, y in zip(a, b)):
        sys.exit(f"FAIL: {len(a)} rows against {len(b)}, or rows of other lengths")
    report(f"{len(a)} x {len(a)}", max(abs(factor * x - y) for r, s in zip(a, b) for x, y in zip(r, s)), tolerance)


def summary(ours, path, tolerance):
    with open(path) as file:
        golden = json.load(file)
    a, n = rows_of(ours), golden["n"]
    if len(a) != n or any(len(r) != n for r in a):
        sys.exit(f"FAIL: {len(a)} rows, not {n}, or rows of other lengths")
    report("corner", max(abs(a[i][j] - golden["first5x5"][i][j]) for i in range(5) for j in range(5)), tolerance)
    # n numbers of 10 digits are added up.
    report("row sums", max(abs(sum(a[i]) - golden["row_sums_first20"][i]) for i in range(20)), tolerance)
    report("trace / n", abs(sum(a[i][i] for i in range(n)) - golden["trace"]) / n, tolerance)
    frobenius = math.sqrt(sum(x * x for r in a for x in r))
    report("Frobenius norm / n", abs(frobenius - golden["frobenius"]) / n, tolerance)
    report("symmetry", max(abs(a[i][j] - a[j][i]) for i in range(n) for j in range(i)), 0.0)


def bimbam(path, prefix):
    code = {"1": 0, "0.5": 2, "0": 3}  # copies of allele 1: 2, 1, 0
    n = 0
    with opened(path) as lines, open(prefix + ".bed", "wb") as bed, open(prefix + ".bim", "w") as bim:
        bed.write(b"\x6c\x1b\x01")
        for k, line in enumerate(lines):
            field = [x.strip() for x in line.split(",")]
            n = len(field) - 3
            row = bytearray((n + 3) // 4)
            for i, x in enumerate(field[3:]):
                row[i // 4] |= code[x] << 2 * (i % 4)
            bed.write(row)
            bim.write(f"1\t{field[0]}\t0\t{k + 1}\tA\tC\n")
    with open(prefix + ".fam", "w") as fam:
        for i in range(n):
            fam.write(f"s{i} s{i} 0 0 0 -9\n")


def basis(columns):
    """Orthonormal columns that span the same."""
    out = []
    for column in columns:
        norm = math.sqrt(sum(x * x for x in column))
        for q in out:
            share = sum(x * y for x, y in zip(q, column))
            column = [x - share * y for x, y in zip(column, q)]
        rest = math.sqrt(sum(x * x for x in column))
        if rest > 1e-9 * norm:
            out.append([x / rest for x in column])
    return out


def gemma(prefix, analysed, scale):
    with open(analysed) as lines:
        field = [line.split() for line in lines]
    chosen = [k for k, f in enumerate(field) if f[0] == "1"]
    covariates = [[float(field[k][c]) for k in chosen] for c in range(1, len(field[chosen[0]]))]
    space = basis([[1.0] * len(chosen)] + covariates) if covariates else []
    copies = [2, None, 1, 0]
    with open(prefix + ".fam") as fam:
        n = sum(1 for _ in fam)
    with open(prefix + ".bed", "rb") as bed, open(prefix + ".bim") as bim:
        bed.read(3)
        for line in bim:
            row = bed.read((n + 3) // 4)
            calls = [copies[row[i // 4] >> 2 * (i % 4) & 3] for i in chosen]
            called = [g for g in calls if g is not None]
            if len(set(called)) < 2 or (len(calls) - len(called)) / len(calls) > 0.05:
                continue
            mean = sum(called) / len(called)
            x = [mean if g is None else g for g in calls]
            explained = sum(sum(a * b for a, b in zip(q, x)) ** 2 for q in space) / sum(a * a for a in x)
            if 0.01 <= mean / 2 / scale <= 0.99 and explained < 0.9999:
                print(line.split()[1])


if __name__ == "__main__":
    do, args = sys.argv[1], sys.argv[2:]
    if do == "whole":
        whole(args[0], args[1], float(args[2]), float(args[3]) if len(args) > 3 else 1.0)
    elif do == "summary":
        summary(args[0], args[1], float(args[2]))
    elif do == "bimbam":
        bimbam(args[0], args[1])
    elif do == "gemma":
        gemma(args[0], args[1], float(args[2]))
