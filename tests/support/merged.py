"""A merged table and its summary against the tables they are made of.

merged.py TRAIT ASSOC.tsv.gz MERGED.tsv.gz SUMMARY.json [ATTRIBUTION.tsv.gz]
"""

import gzip
import json
import math
import statistics
import sys


def read(path):
    with gzip.open(path, "rt") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    return lines[0], lines[1:]


def check(what, holds):
    if not holds:
        sys.exit(f"{what}")


def near(a, b):
    return abs(a - b) <= 1e-8 * max(1.0, abs(b))  # nine digits are printed


def check_table(trait, header, lines, merged_path, attribution_path):
    merged_header, merged = read(merged_path)
    check("header", merged_header == header + ["attribution", "attribution_rank"])
    check("assoc's columns", [line[:-2] for line in merged] == lines)
    told = {}
    if attribution_path:
        names, rows = read(attribution_path)
        for row in rows:
            row = dict(zip(names, row))
            if row["trait"] == trait:
                key = tuple(row[k] for k in ("chromosome", "base_pair_location", "id", "effect_allele", "other_allele"))
                told[key] = (row["attribution"], int(row["rank"]))
    at = [header.index(k) for k in ("chromosome", "base_pair_location", "id", "effect_allele", "other_allele")]
    found = [told.get(tuple(line[k] for k in at)) for line in lines]
    order = {rank: k + 1 for k, rank in enumerate(sorted(f[1] for f in found if f))}
    check("attributions", [line[-2:] for line in merged] == [[f[0], str(order[f[1]])] if f else ["#NA", "#NA"] for f in found])
    print(f"{trait}: {len(lines)} lines, {sum(f is not None for f in found)} of them with an attribution")


def check_plot(plot, chromosomes, lines, at):
    check("1200 columns", plot["columns"] == 1200 and sum(c["columns"] for c in plot["chromosome"]) in (0, 1200))
    place = {c["name"]: c for c in plot["chromosome"]}
    span = {c["name"]: c for c in chromosomes}
    cells = set()
    for line in lines:
        p = line[at["neg_log_10_p_value"]]
        if p == "#NA":
            continue
        c, s = place[line[at["chromosome"]]], span[line[at["chromosome"]]]
        offset = int(line[at["base_pair_location"]]) - s["first"]
        column = c["column"] + min(offset * c["columns"] // (s["last"] - s["first"] + 1), c["columns"] - 1)
        cells.add((column, int(float(p) / plot["step"])))
    drawn = set()
    for column, runs in plot["cells"]:
        for y0, y1 in zip(runs[::2], runs[1::2]):
            drawn |= {(column, y) for y in range(y0, y1 + 1)}
    check("cells of the Manhattan plot", drawn == cells)
    check("at most 300 cells high", all(y < 300 for _, y in cells))
    at_column = 0
    for c in plot["chromosome"]:
        check("columns side by side", c["column"] == at_column and c["columns"] >= 1)
        at_column += c["columns"]


def check_summary(trait, header, lines, path):
    with open(path) as file:
        s = json.load(file)
    at = {name: k for k, name in enumerate(header)}
    check("format", s["format"] == "gp-dist summary 1" and s["trait"] == trait and s["lines"] == len(lines))
    check("counts by status", all(n == sum(line[at["status"]] == k for line in lines) for k, n in s["status"].items()))
    check("all statuses", sum(s["status"].values()) == len(lines))
    names = list(dict.fromkeys(line[0] for line in lines))
    check("chromosomes", [c["name"] for c in s["chromosomes"]] == names)
    for c in s["chromosomes"]:
        positions = [int(line[1]) for line in lines if line[0] == c["name"]]
        check("ends of chromosomes", (c["first"], c["last"], c["lines"]) == (positions[0], positions[-1], len(positions)))
    numbers = [line for line in lines if line[at["neg_log_10_p_value"]] != "#NA"]
    values = sorted((float(line[at["neg_log_10_p_value"]]) for line in numbers), reverse=True)
    check_plot(s["manhattan"], s["chromosomes"], lines, at)
    if not values:
        check("nothing without numbers", s["lambda_gc"] is s["lambda_1000"] is s["smallest"] is None and s["qq"] == [])
        return
    best = next(line for line in numbers if float(line[at["neg_log_10_p_value"]]) == values[0])
    check("the smallest p", s["smallest"] == {"chromosome": best[0], "base_pair_location": int(best[1]), "id": best[at["id"]],
                                              "neg_log_10_p_value": values[0]})
    deviate = statistics.NormalDist().inv_cdf
    chi2 = statistics.median(deviate(10.0**-v / 2.0) ** 2 for v in values)
    check(f"lambda {s['lambda_gc']}, not {chi2 / 0.4549364}", near(s["lambda_gc"], chi2 / 0.4549364))
    cases = s["samples"] / 2 if s["cases"] is None else s["cases"]
    scaled = 1 + (chi2 / 0.4549364 - 1) * (1 / cases + 1 / (s["samples"] - cases)) / (2 / 1000)
    check(f"lambda 1000 {s['lambda_1000']}, not {scaled}", near(s["lambda_1000"], scaled))
    n = len(values)
    check("points of the QQ plot", 1 <= len(s["qq"]) <= 300 and s["qq"][0][1] == values[0] and s["qq"][-1][1] == values[-1])
    last = 0
    for expected, observed in s["qq"]:
        k = round(10.0**-expected * n + 0.5)
        check("QQ", k > last and observed == values[k - 1] and near(expected, -math.log10((k - 0.5) / n)))
        last = k
    check("the smallest p are all there", [q[1] for q in s["qq"][:20]] == values[:20])


def main():
    trait, assoc, merged, summary = sys.argv[1:5]
    header, lines = read(assoc)
    check_table(trait, header, lines, merged, sys.argv[5] if len(sys.argv) > 5 else None)
    check_summary(trait, header, lines, summary)


main()
