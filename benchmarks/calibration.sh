#!/usr/bin/env bash
# How well mixed models are calibrated where samples are related and stem from several populations, and what power they have:
# simulated cohorts whose truth is known. For each trait, chromosomes without causal variants give lambda (the median of the squared
# statistics through that of chi-square with one degree of freedom), causal variants give power, as it is and at equal
# calibration (statistics divided by lambda where that is above 1). Beside it, linear regression without
# and with ten principal components.
#
#   benchmarks/calibration.sh [--samples N] [--variants M] [--traits P] [--causal C] [--relatives R] [--heritability H] [--seed S]
#                             [--lmm exact] [--gp-dist PROGRAM] [--folder FOLDER]
#
# Defaults: 2,000 samples, 20,000 variants, 40 traits with 20 causal variants each, 40% of the samples children of others,
# heritability 0.5, the newest gp-dist under build*/, a folder under ${TMPDIR:-/tmp} whose cohorts are used again.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=2000 variants=20000 traits=40 causal=20 relatives=0.4 heritability=0.5 seed=1 lmm=exact gp_dist=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "samples variants traits causal relatives heritability seed lmm gp-dist folder" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
cohort=$folder/calibration-n$samples-m$variants-t$traits-c$causal-r$relatives-h$heritability-s$seed
mkdir -p "$folder" || fail "$folder: cannot be made"
[ -s "$cohort.h5" ] || "$gp" simulate --quiet --samples "$samples" --variants "$variants" --traits "$traits" --causal "$causal" \
    --relatives "$relatives" --heritability "$heritability" --dominance 0 --epistasis 0 --missing-rate 0 --missing-pheno 0 \
    --seed "$seed" --out "$cohort" || fail "simulate failed"

# assoc NAME OPTIONS...: results under COHORT.NAME.
assoc() {
    local name=$1
    shift
    "$gp" assoc --quiet --store "$cohort.h5" --pheno "$cohort.pheno.tsv" --out "$cohort.$name" --maf 0.01 "$@" ||
        fail "assoc failed ($name)"
}
"$gp" pca --quiet --store "$cohort.h5" --maf 0.01 --out "$cohort.pca" || fail "pca failed"
assoc linear --model linear
assoc pcs --model linear --covar "$cohort.pca/pca.eigenvec"
assoc lmm --model lmm --lmm "$lmm"

# summarise NAME: lambda over all traits' chromosomes without causal variants, and what causal variants give.
summarise() {
    local table trait
    for table in "$cohort.$1"/*.tsv.gz; do
        trait=$(basename "$table" .tsv.gz)
        zcat "$table" | awk -v trait="$trait" -v truth="$cohort.truth.tsv" '
            BEGIN {
                while ((getline line <truth) > 0) {
                    split(line, t, "\t")
                    if (t[1] == trait) { causal[t[5]] = 1; chromosome[t[3]] = 1 }
                }
            }
            NR > 1 && $13 == "OK" {
                if (!($1 in chromosome)) print "null", $11 * $11
                if ($10 in causal) print "causal", $11 * $11, $8
            }'
    done | sort -k1,1 -k2,2g | awk -v name="$1" '
        $1 == "null" { v[++n] = $2 }
        $1 == "causal" { c[++causal] = $2; sum += $2; found += $2 > 29.7168 }
        END {
            lambda = v[int((n + 1) / 2)] / 0.45493642
            fair = lambda > 1 ? lambda : 1
            for (k = 1; k <= causal; k++) fair_found += c[k] / fair > 29.7168
            printf "%-8s lambda %.4f over %d tests without effect; causal variants: mean chi-square %.2f, %.1f%% below 5e-8; divided by lambda %.2f, %.1f%%\n",
                name, lambda, n, sum / causal, 100 * found / causal, sum / causal / fair, 100 * fair_found / causal
        }'
}
for name in linear pcs lmm; do
    summarise "$name"
done
