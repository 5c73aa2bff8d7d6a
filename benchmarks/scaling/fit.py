#!/usr/bin/env python3
"""A model of a scaling study, what it predicts, and a plot.

usage: fit.py SCALING.csv... [--predict 256,4096] [--latency SECONDS] [--bandwidth BYTES] [--simulated FILE.csv]
              [--points FILE.csv] [--plot FILE.svg] [--replay FILE.csv]

For each phase of each command, over its strong and weak cases, on R ranks:

    t(R) = serial + compute * work / R * (1 + imbalance) + latency * messages * log2 R + bytes / bandwidth

work is samples times variants, imbalance what the busiest rank worked above the mean, messages those of a rank, bytes
what a rank hands in, all as measured. serial, compute, latency and 1 / bandwidth are not negative, and make the sum of
squared relative errors least. With --latency and --bandwidth, those of another network, the predictions have these
instead of the fitted ones. For counts that were not measured imbalance is the largest seen, and messages and bytes follow a + b R and a + b / R + c R
fitted to the counts above 1. The error is that of each count as predicted from the others: relative, median and largest.

--points writes the points of the plot; --simulated lays another's predictions (command,phase,kind,ranks,seconds) beside
them; --replay writes what simulate.sh simulates: of each phase on the counts to predict, seconds of computing, imbalance,
messages and bytes of a rank. Plain Python.
"""
import argparse
import csv
import itertools
import math
import statistics
import sys

LATENCY, PER_BYTE = 2, 3  # after serial and compute


def fail(text):
    sys.exit(f"gp-dist: error: fit.py: {text}")


# ---- least squares ----


def solve(a, b):
    """x of a x = b by elimination with pivots; None where a is singular."""
    n = len(b)
    m = [row[:] + [b[i]] for i, row in enumerate(a)]
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(m[i][k]))
        if abs(m[p][k]) < 1e-12 * max(1e-300, max(abs(v) for row in a for v in row)):
            return None
        m[k], m[p] = m[p], m[k]
        for i in range(k + 1, n):
            f = m[i][k] / m[k][k]
            for j in range(k, n + 1):
                m[i][j] -= f * m[k][j]
    x = [0.0] * n
    for k in range(n - 1, -1, -1):
        x[k] = (m[k][n] - sum(m[k][j] * x[j] for j in range(k + 1, n))) / m[k][k]
    return x


def least_squares(rows, y):
    """Non-negative x with the least |rows x - y|: of the few columns every choice is tried. Columns are scaled first."""
    columns = len(rows[0])
    scale = [math.sqrt(sum(r[j] ** 2 for r in rows)) for j in range(columns)]
    best, best_x = sum(v * v for v in y), [0.0] * columns
    there = [j for j in range(columns) if scale[j] > 0]
    for size in range(1, len(there) + 1):
        for chosen in itertools.combinations(there, size):
            if size > len(rows):
                continue
            part = [[r[j] / scale[j] for j in chosen] for r in rows]
            gram = [[sum(r[i] * r[j] for r in part) for j in range(size)] for i in range(size)]
            x = solve(gram, [sum(r[i] * v for r, v in zip(part, y)) for i in range(size)])
            if x is None or min(x) < 0:
                continue
            rest = sum((sum(r[i] * x[i] for i in range(size)) - v) ** 2 for r, v in zip(part, y))
            if rest < best * (1 - 1e-9) - 1e-24:  # a term more must be of use
                best, best_x = rest, [0.0] * columns
                for i, j in enumerate(chosen):
                    best_x[j] = x[i] / scale[j]
    return best_x


# ---- the model ----


def terms(row):
    """What stands beside each coefficient."""
    r = row["ranks"]
    return [
        1.0,
        row["work"] / r * (1 + row["imbalance"]),
        row["messages"] * math.log2(r),
        row["bytes"] if r > 1 else 0.0,
    ]


def fit(rows):
    """The coefficients."""
    return least_squares([[t / row["seconds"] for t in terms(row)] for row in rows], [1.0] * len(rows))


def elsewhere(coefficients, given):
    """On another network: {index: value}."""
    return [given.get(j, c) for j, c in enumerate(coefficients)]


def predict(coefficients, row):
    return sum(c * t for c, t in zip(coefficients, terms(row)))


def held_out(rows):
    """[(row, seconds)]: each count of ranks as predicted from the others."""
    counts, found = sorted({r["ranks"] for r in rows}), []
    if len(counts) < 3:
        return found
    for count in counts:
        coefficients = fit([r for r in rows if r["ranks"] != count])
        found += [(r, predict(coefficients, r)) for r in rows if r["ranks"] == count]
    return found


def extrapolate(rows, name, basis, ranks):
    """What `name` of a rank is on another number of ranks."""
    several = [r for r in rows if r["ranks"] > 1]
    if not several:
        return 0.0
    most = max(r[name] for r in several)
    if most == 0:
        return 0.0
    x = least_squares([[f(r["ranks"]) for f in basis] for r in several], [r[name] / most for r in several])
    return most * sum(c * f(ranks) for c, f in zip(x, basis))


def case_on(rows, ranks):
    """A case of one kind on a number of ranks that was not measured."""
    last = max(rows, key=lambda r: r["ranks"])
    grown = ranks / last["ranks"] if last["kind"] == "weak" else 1.0
    one, inverse, same = lambda r: 1.0, lambda r: 1.0 / r, float
    return {
        "kind": last["kind"],
        "ranks": ranks,
        "work": last["work"] * grown,
        "imbalance": max(r["imbalance"] for r in rows) if ranks > 1 else 0.0,
        "messages": extrapolate(rows, "messages", [one, same], ranks),
        "bytes": extrapolate(rows, "bytes", [one, inverse, same], ranks),
    }


# ---- tables ----


def read(paths):
    """{(command, phase): rows}, in the order of the tables."""
    groups = {}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                for line, row in enumerate(csv.DictReader(file), 2):
                    one = {
                        "kind": row["kind"],
                        "ranks": int(row["ranks"]),
                        "seconds": float(row["seconds_max"]),
                        "work": float(row["samples"]) * float(row["variants"]),
                        "imbalance": max(0.0, float(row["imbalance"])),
                        "messages": float(row["messages"]),
                        "bytes": float(row["bytes"]) / int(row["ranks"]),
                    }
                    if one["ranks"] < 1 or one["seconds"] <= 0 or not math.isfinite(one["seconds"]):
                        fail(f"{path}:{line}: ranks and seconds must be positive")
                    groups.setdefault((row["command"], row["phase"]), []).append(one)
        except (OSError, KeyError, TypeError, ValueError) as error:
            fail(f"{path}: is no table of a scaling study: {error!r}")
    if not groups:
        fail("no rows")
    return groups


def points_of(rows, coefficients, counts, given):
    """[{kind, ranks, measured, fitted, held_out, ideal}] of one phase; measured counts first, then predictions."""
    left_out = {id(row): seconds for row, seconds in held_out(rows)}
    points = []
    for kind in dict.fromkeys(r["kind"] for r in rows):
        own = sorted((r for r in rows if r["kind"] == kind), key=lambda r: r["ranks"])
        first = own[0]
        cases = own + [case_on(own, c) for c in counts if all(c != r["ranks"] for r in own)]
        for row in cases:
            points.append(
                {
                    "kind": kind,
                    "ranks": row["ranks"],
                    "measured": row.get("seconds"),
                    "fitted": predict(coefficients if "seconds" in row else elsewhere(coefficients, given), row),
                    "held_out": left_out.get(id(row)),
                    "ideal": first["seconds"] * row["work"] / first["work"] * first["ranks"] / row["ranks"],
                }
            )
    return points


def add_simulated(phases, path):
    try:
        with open(path, encoding="utf-8") as file:
            simulated = {
                (r["command"], r["phase"], r["kind"], int(r["ranks"])): float(r["seconds"]) for r in csv.DictReader(file)
            }
    except (OSError, KeyError, TypeError, ValueError) as error:
        fail(f"{path}: is no table of simulated seconds: {error!r}")
    for phase in phases:
        for point in phase["points"]:
            point["simulated"] = simulated.get((phase["command"], phase["phase"], point["kind"], point["ranks"]))


def say(phases, counts):
    head = f"{'phase':22} {'serial s':>9} {'compute s':>10} {'latency us':>11} {'MB/s':>9} {'held out: median, most':>23}"
    print(head + "".join(f" {kind + ' ' + str(c):>12}" for kind in ("strong", "weak") for c in counts))
    for phase in phases:
        serial, compute, latency, per_byte = phase["coefficients"]
        off = [abs(p["held_out"] / p["measured"] - 1) for p in phase["points"] if p["held_out"] is not None]
        line = f"{phase['command'] + ' ' + phase['phase']:22} {serial:9.4f} {compute * phase['work']:10.4f} {1e6 * latency:11.3g}"
        line += f" {1e-6 / per_byte if per_byte > 0 else math.inf:9.4g}"
        line += f" {f'{statistics.median(off):.0%}, {max(off):.0%}' if off else '-':>23}"
        for kind in ("strong", "weak"):
            for count in counts:
                there = [p["fitted"] for p in phase["points"] if p["kind"] == kind and p["ranks"] == count]
                line += f" {there[0]:10.4g} s" if there else f" {'-':>12}"
        print(line)
    print("compute s: on one rank, of the work of the smallest case; MB/s inf: bytes cost nothing that could be told apart")


def write_points(phases, path):
    columns = "measured fitted held_out ideal simulated".split()
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow("command phase kind ranks".split() + columns + "serial compute latency bandwidth".split())
        for phase in phases:
            serial, compute, latency, per_byte = phase["coefficients"]
            for p in phase["points"]:
                numbers = [p.get(k) for k in columns] + [serial, compute, latency, 1 / per_byte if per_byte > 0 else None]
                row = [phase["command"], phase["phase"], p["kind"], p["ranks"]]
                out.writerow(row + ["" if v is None else f"{v:.6g}" for v in numbers])


def write_replay(phases, path, counts):
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow("command phase kind ranks seconds imbalance messages bytes".split())
        for phase in phases:
            serial, compute = phase["coefficients"][:2]
            for kind in dict.fromkeys(r["kind"] for r in phase["rows"]):
                for count in counts:
                    c = case_on([r for r in phase["rows"] if r["kind"] == kind], count)
                    shared = compute * c["work"] / count
                    off = c["imbalance"] * shared / (serial + shared) if shared > 0 else 0.0  # the rest is alike on all
                    numbers = (serial + shared, off, round(c["messages"]), round(c["bytes"]))
                    out.writerow([phase["command"], phase["phase"], kind, count] + [f"{v:.6g}" for v in numbers])


# ---- the plot ----

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"  # Okabe and Ito's
COLOUR = {"strong": BLUE, "weak": ORANGE}
WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 340, 270, 70, 12, 30, 42  # a panel, and its margins
ACROSS, LEGEND = 3, 46


def decades(low, high):
    return [10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def plain(value):
    return f"{value:g}" if 1e-4 <= value < 1e6 else f"{value:.0e}".replace("e-0", "e-")


def mark(kind, x, y, filled):
    """A circle, or a square: the kinds can be told apart without colours."""
    style = f'stroke="{COLOUR[kind]}" stroke-width="1.5" fill="{COLOUR[kind] if filled else "white"}"'
    if kind == "strong":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {style}/>'
    return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" {style}/>'


class Panel:
    """Logarithmic axes within one panel; what is drawn is collected as SVG."""

    def __init__(self, x, y, title, ranks, seconds):
        self.x, self.y = x, y
        self.ranks = (math.log(min(ranks)), math.log(max(max(ranks), 2 * min(ranks))))
        ticks = decades(min(seconds), max(seconds))
        self.seconds = (math.log(ticks[0]), math.log(max(ticks[-1], 10 * ticks[0])))
        self.made = [f'<text x="{x + LEFT}" y="{y + 18}" font-weight="bold">{title}</text>']
        for t in ticks:
            self.line([(min(ranks), t), (max(ranks), t)], "#dddddd", 0.7)
            self.text(x + LEFT - 6, self.down(t) + 4, plain(t), "end")
        powers = [4**k for k in range(0, 40) if min(ranks) <= 4**k <= max(ranks)]
        for r in powers:
            self.text(self.right(r), y + HIGH - BOTTOM + 16, str(r), "middle")
        self.text(x + (LEFT + WIDE - RIGHT) / 2, y + HIGH - 10, "ranks", "middle")
        turn = f'transform="rotate(-90 {x + 12} {y + HIGH / 2})"'
        self.made.append(f'<text x="{x + 12}" y="{y + HIGH / 2}" text-anchor="middle" {turn}>seconds</text>')

    def right(self, ranks):
        low, high = self.ranks
        return self.x + LEFT + (math.log(ranks) - low) / (high - low) * (WIDE - LEFT - RIGHT)

    def down(self, seconds):
        low, high = self.seconds
        return self.y + HIGH - BOTTOM - (math.log(seconds) - low) / (high - low) * (HIGH - TOP - BOTTOM)

    def text(self, x, y, words, anchor):
        self.made.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>')

    def line(self, points, colour, width, dash=""):
        path = " ".join(f"{self.right(r):.1f},{self.down(s):.1f}" for r, s in sorted(points))
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        self.made.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>')

    def ideal(self, points, dash):
        """A straight line here, which may leave the panel below."""
        bottom = math.exp(self.seconds[0])
        inside = [(r, s) for r, s in points if s >= bottom]
        if 1 <= len(inside) < len(points):
            r, s = max(inside)
            inside.append((r * s / bottom, bottom))  # that of strong scaling: falls as ranks grow
        if len(inside) > 1:
            self.line(inside, GREY, 1, dash)

    def mark(self, kind, ranks, seconds, filled):
        self.made.append(mark(kind, self.right(ranks), self.down(seconds), filled))

    def triangle(self, ranks, seconds):
        x, y = self.right(ranks), self.down(seconds)
        self.made.append(f'<path d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z" fill="{GREEN}"/>')


def draw_panel(phase, x, y):
    points = [p for p in phase["points"] if p["fitted"] > 0]
    seconds = [p[k] for p in points for k in ("measured", "fitted", "simulated") if p.get(k)]
    panel = Panel(x, y, f"{phase['command']}: {phase['phase']}", [p["ranks"] for p in points], seconds)
    for kind in dict.fromkeys(p["kind"] for p in points):
        own = [p for p in points if p["kind"] == kind]
        panel.ideal([(p["ranks"], p["ideal"]) for p in own], "4 3" if kind == "strong" else "1 3")
        panel.line([c for c in phase["curve"][kind] if c[1] > 0], COLOUR[kind], 1.5)
        for p in own:
            panel.mark(kind, p["ranks"], p["measured"] or p["fitted"], p["measured"] is not None)
            if p.get("simulated"):
                panel.triangle(p["ranks"], p["simulated"])
    return panel.made


def legend():
    made, x = [], 20
    for kind, filled, words in (
        ("strong", True, "strong, measured"),
        ("weak", True, "weak, measured"),
        ("strong", False, "predicted (the line: the model)"),
    ):
        made.append(mark(kind, x, 22, filled))
        made.append(f'<text x="{x + 9}" y="26">{words}</text>')
        x += 30 + 7 * len(words)
    made.append(f'<polyline points="{x},22 {x + 26},22" stroke="{GREY}" stroke-dasharray="4 3" fill="none"/>')
    made.append(f'<text x="{x + 32}" y="26">ideal</text>')
    x += 80
    made.append(f'<path d="M{x - 5} 26h10l-5 -9z" fill="{GREEN}"/><text x="{x + 9}" y="26">simulated</text>')
    return made


def counts_between(counts):
    """Powers of two from the least count to the largest, and the counts themselves."""
    found, power = set(counts), 1
    while power < max(counts):
        if power > min(counts):
            found.add(power)
        power *= 2
    return sorted(found)


def add_curve(phase, rows, given):
    """The model between and beyond what was measured."""
    coefficients = phase["coefficients"]
    phase["curve"] = {}
    for kind in dict.fromkeys(r["kind"] for r in rows):
        own = [r for r in rows if r["kind"] == kind]
        there = {r["ranks"]: r for r in own}
        counts = counts_between([p["ranks"] for p in phase["points"]])
        cases = [there.get(c) or case_on(own, c) for c in counts]
        phase["curve"][kind] = [
            (r["ranks"], predict(coefficients if r["ranks"] <= max(there) else elsewhere(coefficients, given), r)) for r in cases
        ]


def matters(phase, phases):
    """Whether a phase has a fiftieth of its command's time in any case."""
    whole = next((p for p in phases if p["command"] == phase["command"] and p["phase"] == "all"), phase)
    of = {(p["kind"], p["ranks"]): p["measured"] or p["fitted"] for p in whole["points"]}
    return any((p["measured"] or p["fitted"]) >= 0.02 * of[p["kind"], p["ranks"]] for p in phase["points"])


def draw(phases, path):
    shown = [p for p in phases if matters(p, phases)]
    across = min(ACROSS, len(shown))
    width, height = max(780, across * WIDE + 10), LEGEND + HIGH * math.ceil(len(shown) / ACROSS) + 10
    made = legend()
    for k, phase in enumerate(shown):
        made += draw_panel(phase, k % ACROSS * WIDE, LEGEND + k // ACROSS * HIGH)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"')
        file.write(' font-family="sans-serif" font-size="12">\n<title>Scaling by phase</title>\n')
        file.write(f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(made) + "\n</svg>\n")


def arguments():
    p = argparse.ArgumentParser(description="Fits a model to a scaling study, and predicts.")
    p.add_argument("tables", nargs="+", metavar="SCALING.csv")
    p.add_argument("--predict", default="256,4096", metavar="R,R", help="numbers of ranks (default 256,4096)")
    p.add_argument("--latency", type=float, help="seconds of a message, of a known network")
    p.add_argument("--bandwidth", type=float, help="bytes a second of a rank, of a known network")
    p.add_argument("--simulated", metavar="FILE.csv")
    p.add_argument("--points", metavar="FILE.csv")
    p.add_argument("--plot", metavar="FILE.svg")
    p.add_argument("--replay", metavar="FILE.csv")
    return p.parse_args()


def main():
    o = arguments()
    try:
        counts = [int(c) for c in o.predict.split(",") if c]
    except ValueError:
        counts = [0]
    if any(c < 1 for c in counts):
        fail(f"--predict {o.predict}: numbers of ranks are expected")
    given = {j: v for j, v in ((LATENCY, o.latency), (PER_BYTE, o.bandwidth and 1 / o.bandwidth)) if v is not None}
    phases = []
    for (command, name), rows in read(o.tables).items():
        phase = {"command": command, "phase": name, "rows": rows, "coefficients": fit(rows)}
        phase["work"] = min(r["work"] for r in rows)
        phase["points"] = points_of(rows, phase["coefficients"], counts, given)
        add_curve(phase, rows, given)
        phases.append(phase)
    if o.simulated:
        add_simulated(phases, o.simulated)
    say(phases, counts)
    if len({p["ranks"] for phase in phases for p in phase["points"] if p["measured"]}) < 4:
        print("fewer than four numbers of ranks: the terms are hardly told apart, and the predictions are worth little")
    if o.points:
        write_points(phases, o.points)
    if o.plot:
        draw(phases, o.plot)
    if o.replay:
        write_replay(phases, o.replay, counts)


if __name__ == "__main__":
    main()
