#!/usr/bin/env python3
"""A test of summary.py and fit.py: figures known by hand; the model that made the data must be found, its error told, and
all of it drawn.

usage: fit_test.py FOLDER
"""
import csv
import math
import os
import random
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = sys.argv[1]
COUNTS = [1, 2, 4, 8, 16, 32]
# Seconds alone, per sample and variant, per message, per byte; messages of a rank; bytes of all ranks on R.
PHASES = {
    "scan": (0.5, 4e-8, 0.0, 0.0, lambda r: 9, lambda r: 72 * r),
    "pca": (0.02, 1e-7, 5e-5, 2e-9, lambda r: 150, lambda r: 2e6 * r),
    "gather": (0.01, 1e-9, 2e-5, 4e-8, lambda r: 3 + r, lambda r: 3e7),
}
failures = 0


def check(holds, what):
    global failures
    if not holds:
        print("FAIL:", what, file=sys.stderr)
        failures += 1


def imbalance(ranks):
    return 0.1 * (1 - 1 / ranks) if ranks < 4 else 0.08


def truth(phase, kind, ranks, off=None):
    serial, compute, latency, byte, messages, sent = PHASES[phase]
    work = 2000 * 20000 * (ranks if kind == "weak" else 1)
    off = (0 if ranks == 1 else imbalance(ranks)) if off is None else off
    there = sent(ranks) / ranks if ranks > 1 else 0
    return serial + compute * work / ranks * (1 + off) + latency * messages(ranks) * math.log2(ranks) + byte * there


def make(name, counts, noise=0.0):
    path, chance = os.path.join(FOLDER, name), random.Random(7)
    with open(path, "w", encoding="utf-8") as file:
        print("kind,command,phase,ranks,samples,variants,seconds_max,bytes,messages,imbalance", file=file)
        for phase, (_, _, _, _, messages, sent) in PHASES.items():
            for kind in ("strong", "weak"):
                for r in counts:
                    seconds = truth(phase, kind, r) * (1 + noise * chance.uniform(-1, 1))
                    variants = 20000 * (r if kind == "weak" else 1)
                    several = r > 1
                    print(
                        f"{kind},assoc,{phase},{r},2000,{variants},{seconds:.9g},{several * sent(r):.9g},"
                        f"{several * messages(r)},{several * imbalance(r):.9g}",
                        file=file,
                    )
    return path


def run(*words):
    return subprocess.run([sys.executable, os.path.join(HERE, "fit.py"), *words], capture_output=True, text=True, check=False)


def points(table, *words):
    path = os.path.join(FOLDER, "points.csv")
    done = run(table, "--points", path, *words)
    check(done.returncode == 0, f"fit.py {table}: {done.stderr}")
    with open(path, encoding="utf-8") as file:
        return {(r["phase"], r["kind"], int(r["ranks"])): r for r in csv.DictReader(file)}, done.stdout


def near(a, b, off, what):
    check(abs(a - b) <= off * abs(b), f"{what}: {a:.6g}, not {b:.6g}")


def a_study_is_summed_up_by_phase():
    folder = os.path.join(FOLDER, "times")
    os.makedirs(folder, exist_ok=True)
    header = "command,phase,rank,ranks,threads,seconds,waiting,bytes,messages,peak_memory\n"
    for number, slow in ((1, 1.0), (2, 3.0), (3, 2.0)):  # times of the median: the last
        with open(os.path.join(folder, f"strong-assoc-r1-n10-m20-{number}.csv"), "w", encoding="ascii") as file:
            file.write(header + f"assoc,load,0,1,1,{slow},0,0,0,1048576\nassoc,scan,0,1,1,{6 * slow},0,0,0,2097152\n")
        with open(os.path.join(folder, f"strong-assoc-r2-n10-m20-{number}.csv"), "w", encoding="ascii") as file:
            for rank, waiting in ((0, 1), (1, 3)):
                file.write((header if rank == 0 else "") + f"assoc,load,{rank},2,1,{slow},0,8,1,1048576\n")
                file.write(f"assoc,scan,{rank},2,1,{4 * slow},{waiting * slow},{100 * rank},{5 + rank},3145728\n")
    words = [sys.executable, os.path.join(HERE, "summary.py"), "date,version\n2026-01-01,1", folder]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stderr)
    rows = {(r["phase"], int(r["ranks"])): r for r in csv.DictReader(done.stdout.splitlines())}
    check(list(rows) == [("load", 1), ("load", 2), ("scan", 1), ("scan", 2), ("all", 1), ("all", 2)], f"rows: {list(rows)}")
    scan, whole = rows["scan", 2], rows["all", 2]
    for name, value in (("seconds_max", 8), ("waiting", 4), ("bytes", 100), ("messages", 6), ("peak_mib", 3), ("repeats", 3)):
        near(float(scan[name]), value, 0, f"scan's {name}")
    near(float(scan["imbalance"]), 6 / 4 - 1, 1e-5, "scan's imbalance: busy for 6 s and 2 s")
    near(float(scan["efficiency"]), 12 / (8 * 2), 1e-5, "scan's efficiency")
    near(float(whole["seconds_max"]), 10, 0, "seconds of all")
    near(float(whole["bytes"]), 116, 0, "bytes of all")
    near(float(whole["efficiency"]), 14 / 20, 1e-5, "efficiency of all")


def exact_data_give_the_model_back():
    found, _ = points(make("exact.csv", COUNTS))
    for phase, (serial, compute, latency, byte, _, _) in PHASES.items():
        row = found[phase, "strong", 1]
        near(float(row["serial"]), serial, 1e-3, phase + " serial")  # figures of nine digits went in
        near(float(row["compute"]), compute, 1e-3, phase + " compute")
        if phase == "scan":  # 0 s per message and byte: whatever is found must be nothing beside 0.5 s
            check(float(row["latency"]) < 1e-6 and (not row["bandwidth"] or float(row["bandwidth"]) > 1e6), "scan's messages cost")
            continue
        near(float(row["latency"]), latency, 2e-3, phase + " latency")
        near(1 / float(row["bandwidth"]), byte, 2e-3, phase + " bandwidth")
        for kind in ("strong", "weak"):
            for r in (256, 4096):  # the largest imbalance that was seen is taken
                near(float(found[phase, kind, r]["fitted"]), truth(phase, kind, r, 0.08), 5e-3, f"{phase} {kind} on {r}")
            for r in COUNTS:
                near(float(found[phase, kind, r]["held_out"]), truth(phase, kind, r), 0.01, f"{phase} {kind} without {r}")


def noise_is_told_by_the_held_out_counts():
    found, said = points(make("noise.csv", COUNTS, 0.05))
    off = [abs(float(r["held_out"]) / float(r["measured"]) - 1) for r in found.values() if r["held_out"]]
    check(len(off) == 36 and 0.005 < sorted(off)[18] < 0.1, f"held out: {sorted(off)[18:19]} in the median")
    near(float(found["pca", "strong", 256]["fitted"]), truth("pca", "strong", 256, 0.08), 0.4, "pca from noisy data on 256")  # 8 times the counts, 5% noise
    check("fewer than four" not in said, "a warning without a cause")


def coefficients_are_never_negative():
    path = os.path.join(FOLDER, "odd.csv")
    with open(path, "w", encoding="utf-8") as file:
        print("kind,command,phase,ranks,samples,variants,seconds_max,bytes,messages,imbalance", file=file)
        for r, seconds in ((1, 1.0), (2, 0.3), (4, 0.1), (8, 0.02)):  # faster than there is work for
            print(f"strong,assoc,scan,{r},100,100,{seconds},{1000 * (r > 1)},{5 * (r > 1)},0", file=file)
    row = points(path)[0]["scan", "strong", 1]
    check(all(float(row[k] or 0) >= 0 for k in ("serial", "compute", "latency", "bandwidth")), f"negative: {row}")


def another_network_changes_predictions_alone():
    found = points(make("exact.csv", COUNTS), "--latency", "1e-6", "--bandwidth", "1e10")[0]
    computing = 0.02 + 1e-7 * 2000 * 20000 / 256 * 1.08
    near(float(found["pca", "strong", 256]["fitted"]), computing + 1e-6 * 150 * 8 + 2e6 / 1e10, 5e-3, "pca elsewhere")
    near(float(found["pca", "strong", 32]["fitted"]), truth("pca", "strong", 32), 5e-3, "pca as measured")


def two_counts_predict_with_a_warning_and_without_an_error():
    found, said = points(make("two.csv", [1, 2]))
    check(all(not r["held_out"] for r in found.values()), "an error from two counts")
    check("fewer than four" in said, f"no warning: {said}")


def the_plot_has_a_mark_for_every_point():
    simulated, plot = os.path.join(FOLDER, "simulated.csv"), os.path.join(FOLDER, "plot.svg")
    with open(simulated, "w", encoding="utf-8") as file:
        file.write("command,phase,kind,ranks,seconds\nassoc,pca,strong,256,0.2\n")
    found, _ = points(make("exact.csv", COUNTS), "--simulated", simulated, "--plot", plot)
    near(float(found["pca", "strong", 256]["simulated"]), 0.2, 0, "simulated")
    root = xml.etree.ElementTree.parse(plot).getroot()
    tags = [e.tag.split("}")[1] for e in root.iter()]
    of_a_kind = 3 * (len(COUNTS) + 2)
    check(tags.count("circle") == of_a_kind + 2, f"{tags.count('circle')} circles")  # two of them explain
    check(tags.count("rect") == of_a_kind + 2, f"{tags.count('rect')} squares")  # one explains, one is the paper
    check(tags.count("path") == 2, f"{tags.count('path')} triangles")
    width, height = float(root.get("width")), float(root.get("height"))
    inside = all(0 <= float(e.get("cx")) <= width and 0 <= float(e.get("cy")) <= height for e in root.iter() if e.get("cx"))
    check(inside, "a mark outside the plot")


def what_is_to_be_simulated_is_computing_and_messages():
    path = os.path.join(FOLDER, "replay.csv")
    check(run(make("exact.csv", COUNTS), "--replay", path, "--predict", "64").returncode == 0, "--replay fails")
    with open(path, encoding="utf-8") as file:
        rows = {(r["phase"], r["kind"]): r for r in csv.DictReader(file)}
    row = rows["pca", "strong"]
    near(float(row["seconds"]), 0.02 + 1e-7 * 2000 * 20000 / 64, 1e-3, "computing of pca on 64")
    near(float(row["imbalance"]), 0.08 * 0.0625 / 0.0825, 1e-3, "imbalance of pca: of what is shared out")
    check(row["ranks"] == "64" and row["messages"] == "150" and row["bytes"] == "2e+06", f"exchanges of pca: {row}")
    check(rows["gather", "weak"]["messages"] == "67", "a message to each rank more")


def bad_input_is_one_line():
    empty = os.path.join(FOLDER, "empty.csv")
    with open(empty, "w", encoding="utf-8") as file:
        file.write("kind,command\nstrong,assoc\n")
    for words, what in (
        ([os.path.join(FOLDER, "none.csv")], "is no table"),
        ([empty], "is no table"),
        ([make("exact.csv", COUNTS), "--predict", "few"], "--predict few"),
    ):
        done = run(*words)
        check(done.returncode == 1 and done.stderr.count("\n") == 1 and what in done.stderr, f"{words}: {done.stderr}")


a_study_is_summed_up_by_phase()
exact_data_give_the_model_back()
noise_is_told_by_the_held_out_counts()
coefficients_are_never_negative()
another_network_changes_predictions_alone()
two_counts_predict_with_a_warning_and_without_an_error()
the_plot_has_a_mark_for_every_point()
what_is_to_be_simulated_is_computing_and_messages()
bad_input_is_one_line()
sys.exit(failures > 0)
