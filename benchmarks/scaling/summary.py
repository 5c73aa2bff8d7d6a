#!/usr/bin/env python3
"""A table of a scaling study from the tables of its runs.

usage: summary.py PROVENANCE FOLDER >scaling.csv

Reads FOLDER/KIND-COMMAND-rRANKS-nSAMPLES-mVARIANTS-NUMBER.csv as gp-dist --times writes them. PROVENANCE is what every
row begins with: "date,commit,machine,cores,version" and their values, on two lines.

Of each phase, and of all of a command together: least, mean and most seconds over the ranks, seconds of waiting (mean),
bytes and messages (sum and most), memory (most); medians of the repeats. Imbalance: what the busiest rank worked
(seconds without waiting) through the mean, less one. Efficiency: seconds per work and rank, against the smallest
number of ranks of that kind. Plain Python.
"""
import csv
import os
import re
import statistics
import sys

NAME = re.compile(r"(strong|weak)-([a-z]+)-r(\d+)-n(\d+)-m(\d+)-(\d+)\.csv")
COLUMNS = (
    "kind command phase ranks threads samples variants repeats seconds_min seconds_mean seconds_max "
    "waiting bytes messages peak_mib imbalance efficiency"
).split()


def read_run(path, command):
    """{phase: [a row of numbers per rank]}, with "all" for the command as a whole. Steps of `run` are named before theirs."""
    phases = {}
    with open(path, encoding="ascii") as file:
        for row in csv.DictReader(file):
            numbers = {k: float(row[k]) for k in ("seconds", "waiting", "bytes", "messages", "peak_memory")}
            numbers["rank"], numbers["threads"] = int(row["rank"]), int(row["threads"])
            step = "" if row["command"] == command else row["command"] + " "
            phases.setdefault(step + row["phase"], []).append(numbers)
            whole = phases.setdefault("all", [])
            if not whole or whole[-1]["rank"] != numbers["rank"]:
                whole.append(dict(numbers))
            else:
                for name in ("seconds", "waiting", "bytes", "messages"):
                    whole[-1][name] += numbers[name]
                whole[-1]["peak_memory"] = max(whole[-1]["peak_memory"], numbers["peak_memory"])
    return phases


def one_run(ranks):
    """The figures of a phase in one run, from a row per rank."""
    seconds = [r["seconds"] for r in ranks]
    busy = [r["seconds"] - r["waiting"] for r in ranks]
    mean_busy = sum(busy) / len(busy)
    return {
        "seconds_min": min(seconds),
        "seconds_mean": sum(seconds) / len(seconds),
        "seconds_max": max(seconds),
        "waiting": sum(r["waiting"] for r in ranks) / len(ranks),
        "bytes": sum(r["bytes"] for r in ranks),
        "messages": max(r["messages"] for r in ranks),
        "peak_mib": max(r["peak_memory"] for r in ranks) / 2**20,
        "imbalance": max(busy) / mean_busy - 1 if mean_busy > 0 else 0.0,
    }


def summarise(runs):
    """Rows from [(kind, command, ranks, samples, variants, phases)]."""
    cases = {}
    for kind, command, ranks, samples, variants, phases in runs:
        for phase, rows in phases.items():
            if len(rows) != ranks:
                sys.exit(f"gp-dist: error: summary.py: {kind} {command} on {ranks} ranks: rows of {len(rows)} ranks")
            key = (kind, command, phase, ranks)
            case = cases.setdefault(key, {"samples": samples, "variants": variants, "runs": []})
            case["runs"].append(one_run(rows))
            case["threads"] = rows[0]["threads"]
    table = []
    for (kind, command, phase, ranks), case in cases.items():
        row = {"kind": kind, "command": command, "phase": phase, "ranks": ranks, "repeats": len(case["runs"])}
        row.update({k: case[k] for k in ("threads", "samples", "variants")})
        row.update({k: statistics.median(r[k] for r in case["runs"]) for k in case["runs"][0]})
        table.append(row)
    return table


def add_efficiency(table):
    for row in table:
        same = [r for r in table if all(r[k] == row[k] for k in ("kind", "command", "phase"))]
        first = min(same, key=lambda r: r["ranks"])
        cost = [r["seconds_max"] * r["ranks"] / (r["samples"] * r["variants"]) for r in (first, row)]
        row["efficiency"] = cost[0] / cost[1] if cost[1] > 0 else float("nan")


def text(value):
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def main():
    names, values = sys.argv[1].split("\n")
    runs = []
    for name in sorted(os.listdir(sys.argv[2])):
        match = NAME.fullmatch(name)
        if match:
            kind, command, *numbers = match.groups()
            ranks, samples, variants, _ = map(int, numbers)
            runs.append((kind, command, ranks, samples, variants, read_run(os.path.join(sys.argv[2], name), command)))
    if not runs:
        sys.exit(f"gp-dist: error: summary.py: {sys.argv[2]} holds no table of a run")
    table = summarise(runs)
    add_efficiency(table)
    order = {}
    for row in table:  # phases in the order in which they ran
        order.setdefault((row["command"], row["phase"]), len(order) if row["phase"] != "all" else 10**6)
    commands = list(dict.fromkeys(row["command"] for row in table))
    table.sort(key=lambda r: (r["kind"], commands.index(r["command"]), order[r["command"], r["phase"]], r["ranks"]))
    print(names + "," + ",".join(COLUMNS))
    for row in table:
        print(values + "," + ",".join(text(row[k]) for k in COLUMNS))


if __name__ == "__main__":
    main()
