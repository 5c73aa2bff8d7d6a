"""Tables of binary traits, compared with other programs': for end-to-end scripts. Plain Python.

  logistic.py plink2 OURS GOLDEN wald|firth            with .glm.logistic or .glm.firth
  logistic.py model OURS MODEL                         counts of cases and controls with plink 1.9's .model
  logistic.py regenie OURS GOLDEN exactly|roughly      with a .regenie
  logistic.py cases OURS CASES CONTROLS                each line has these numbers
"""
import gzip
import math
import sys


class Report:
    """Counts what is wrong, and says the first of it."""

    def __init__(self):
        self.compared, self.errors, self.worst = 0, 0, {}

    def bad(self, text):
        self.errors += 1
        if self.errors <= 5:
            print("FAIL:", text)

    def near(self, where, what, ours, theirs, tolerance):
        """|ours - theirs| <= tolerance; remembers the largest share of a tolerance."""
        difference = abs(ours - theirs)
        self.worst[what] = max(self.worst.get(what, 0.0), difference / tolerance)
        if not difference <= tolerance:
            self.bad(f"{where}: {what} {ours!r}, not {theirs!r} (tolerance {tolerance:.3g})")

    def same(self, where, what, ours, theirs):
        if ours != theirs:
            self.bad(f"{where}: {what} {ours!r}, not {theirs!r}")

    def end(self, what):
        if self.compared == 0:
            self.bad("nothing was compared")
        shares = ", ".join(f"{name} {worst:.2g}" for name, worst in sorted(self.worst.items()))
        print(f"{what}: {self.compared} compared; largest shares of tolerance: {shares or 'none'}")
        sys.exit(self.errors > 0)


def table(path):
    """Rows as dictionaries by the names of the first line."""
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as file:
        names = file.readline().split()
        return [dict(zip(names, line.split())) for line in file]


def by_variant(path, report, add_up=True):
    rows = {}
    for row in table(path):
        key = row["chromosome"], row["base_pair_location"], row["id"]
        if key in rows:
            report.bad(f"{key} is listed twice")
        rows[key] = row
        counts(key, row, report, add_up)
    return rows


def counts(key, row, report, add_up):
    """Cases and controls add up to all; copies of the effect allele too, unless imputed ones count (nine digits)."""
    n, cases, controls = int(row["n"]), int(row["n_cases"]), int(row["n_controls"])
    report.same(key, "cases and controls", cases + controls, n)
    if row["status"] != "OK" or not add_up:
        return
    copies = sum(
        k * float(row["effect_allele_frequency_" + name]) for k, name in ((cases, "cases"), (controls, "controls"))
    )
    report.near(key, "copies of the allele", copies, n * float(row["effect_allele_frequency"]), 2e-9 * n)


def plink2(ours, golden, kind):
    report = Report()
    rows, found, unfinished, early = by_variant(ours, report), 0, 0, 0
    # Six digits are printed; and PLINK 2 ends its steps early with Firth's likelihood.
    tolerance = {"wald": 1e-4, "firth": 1e-3}[kind]
    for theirs in table(golden):
        key = theirs["#CHROM"], theirs["POS"], theirs["ID"]
        row = rows.get(key)
        if row is None:
            report.bad(f"{key} is not in our table")
            continue
        found += 1
        report.same(key, "n", row["n"], theirs["OBS_CT"])
        report.same(key, "status", row["status"], "OK")
        report.same(key, "test", row["test"], kind.upper())
        if theirs["ERRCODE"] == "UNFINISHED":  # its numbers are those of the last step it made
            unfinished += 1
            continue
        report.same(key, "PLINK 2's error", theirs["ERRCODE"], ".")
        if row["status"] != "OK" or theirs["ERRCODE"] != ".":
            continue
        sign = 1 if theirs["A1"] == row["effect_allele"] else -1
        frequency = float(theirs["A1_FREQ"]) if sign > 0 else 1 - float(theirs["A1_FREQ"])
        report.near(key, "frequency", float(row["effect_allele_frequency"]), frequency, 1e-5)  # six digits are printed
        beta, se = sign * float(theirs["BETA"]), float(theirs["SE"])
        if kind == "firth" and abs(float(row["beta"]) - beta) > tolerance * se:
            early += 1  # of bigsnpr's SNP415 and SNP4429 fit() of logistic_models.py has our beta, to nine digits
            continue
        report.near(key, "beta", float(row["beta"]), beta, tolerance * max(abs(beta), se))
        report.near(key, "se", float(row["standard_error"]), se, tolerance * se)
        if kind == "wald":  # Firth's p is Wald's there, a likelihood ratio's here
            z = sign * float(theirs["Z_STAT"])
            report.near(key, "z", float(row["statistic"]), z, tolerance * max(1, abs(z)))
            # p moves by about z^2 times what z does
            p = -math.log10(float(theirs["P"]))
            report.near(key, "-log10 p", float(row["neg_log_10_p_value"]), p, tolerance * max(1, z * z))
        report.compared += 1
    report.same("all", "variants", len(rows), found)
    if unfinished > 1 or early > 2:
        report.bad(f"{unfinished} rows that PLINK 2 did not finish, {early} that it ended too early: more than there are")
    report.end(ours)


def model(ours, golden):
    """Of every variant, copies of the allele in cases and in controls, as plink 1.9 counted them: exactly."""
    report = Report()
    rows = {row["id"]: row for row in by_variant(ours, report).values()}
    for theirs in table(golden):
        if theirs["TEST"] != "ALLELIC":
            continue
        row = rows.get(theirs["SNP"])
        if row is None:
            report.bad(f"{theirs['SNP']} is not in our table")
            continue
        for name, field in (("cases", "AFF"), ("controls", "UNAFF")):
            a1, a2 = (int(x) for x in theirs[field].split("/"))
            copies = a1 if theirs["A1"] == row["effect_allele"] else a2
            report.same(theirs["SNP"], name, 2 * int(row["n_" + name]), a1 + a2)
            frequency = float(row["effect_allele_frequency_" + name])
            report.near(theirs["SNP"], f"frequency in {name}", frequency, copies / (a1 + a2), 1e-9)  # nine digits
        report.compared += 1
    report.same("all", "variants", report.compared, len(rows))
    report.end(ours)


def regenie(ours, golden, how):
    report = Report()
    rows, found, corrected = by_variant(ours, report), 0, 0
    for theirs in table(golden):
        key = theirs["CHROM"], theirs["GENPOS"], theirs["ID"]
        row = rows.get(key)
        if row is None:
            report.bad(f"{key} is not in our table")
            continue
        found += 1
        sign = 1 if theirs["ALLELE1"] == row["effect_allele"] else -1
        frequency = float(theirs["A1FREQ"]) if sign > 0 else 1 - float(theirs["A1FREQ"])
        beta, se, chi2 = sign * float(theirs["BETA"]), float(theirs["SE"]), float(theirs["CHISQ"])
        report.same(key, "n", row["n"], theirs.get("N", "500"))
        report.same(key, "status", row["status"], "OK")
        if row["status"] != "OK":
            continue
        statistic, our_se = float(row["statistic"]), float(row["standard_error"])
        if how == "exactly":
            # REGENIE prints six digits: half of the last one is up to 5e-6 of a number
            digits = 2e-5
            report.near(key, "frequency", float(row["effect_allele_frequency"]), frequency, digits * frequency)
            report.near(key, "beta", float(row["beta"]), beta, digits * abs(beta))
            report.near(key, "se", our_se, se, digits * se)
            report.near(key, "chi-square", statistic * statistic, chi2, digits * chi2)
            log10p = float(theirs["LOG10P"])
            report.near(key, "-log10 p", float(row["neg_log_10_p_value"]), log10p, digits * log10p)
            # a score test's statistic is beta / se
            is_score = abs((beta / se) ** 2 - chi2) <= 1e-4 * chi2
            corrected += not is_score
            report.same(key, "test", row["test"], "SCORE" if is_score else "FIRTH")
        else:
            report.near(key, "frequency", float(row["effect_allele_frequency"]), frequency, 0.0006)  # three digits
            # that release took the covariates out of the genotype without weights, so that the offset leaves something of
            # them in it: a double-precision fit of our form differs from it by up to 0.09 standard errors, 3% and 0.041
            report.near(key, "beta", float(row["beta"]), beta, 0.1 * se)
            report.near(key, "se", our_se, se, 0.035 * se)
            report.near(key, "root of chi-square", abs(statistic), math.sqrt(chi2), 0.05)
        report.compared += 1
    report.same("all", "variants", len(rows), found)
    if how == "exactly" and corrected == 0:
        report.bad("no variant went to Firth's likelihood")
    report.end(ours)


def cases(ours, want, want_controls):
    report = Report()
    for key, row in by_variant(ours, report).items():
        report.same(key, "cases", row["n_cases"], want)
        report.same(key, "controls", row["n_controls"], want_controls)
        report.compared += 1
    report.end(ours)


if __name__ == "__main__":
    JOBS = {f.__name__: f for f in (plink2, model, regenie, cases)}
    if len(sys.argv) < 3 or sys.argv[1] not in JOBS:
        sys.exit(__doc__)
    JOBS[sys.argv[1]](*sys.argv[2:])
