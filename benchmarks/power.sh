#!/usr/bin/env bash
# What predictions of the other chromosomes add to the power of tests of single variants: a simulated polygenic trait, its
# out-of-fold predictions without one chromosome at a time (gp-dist train --offsets), and the tests of all variants without them,
# beside ridge regression's and beside the transformer's. Adds a row for each trait and offset to a table.
#
#   benchmarks/power.sh [--samples N] [--variants M] [--causal K] [--traits P] [--heritability H] [--near KB] [--seed S]
#                       [--train OPTIONS] [--gp-dist PROGRAM] [--folder FOLDER] [--csv FILE]
#
# Defaults: 5,000 samples of one population without relatives, 5,000 variants on 22 chromosomes, 4 traits of 300 causal variants
# each, heritability 0.5; null variants are those with no causal variant within 2,000 kb; gp-dist train's own settings (--train adds
# options); the newest gp-dist under build*/, a folder under ${TMPDIR:-/tmp}, and power.csv in that folder.
# Prints, of each trait and offset: mean chi-squared at causal variants, its ratio to that without offset, lambda (median chi-squared
# over its expected value) of null variants with its standard error.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=5000 variants=5000 causal=300 traits=4 heritability=0.5 near=2000 seed=1 train='' gp_dist='' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "samples variants causal traits heritability near seed train gp-dist folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/power.csv}
unset OMP_NUM_THREADS # nothing is timed
header=$(provenance_header),gp_dist,samples,variants,causal,heritability,near_kb,seed,trait,offset,r2,mean_chi2_causal,ratio,null_variants,lambda_null,lambda_error
cohort=$folder/power-n$samples-m$variants-k$causal-p$traits-h$heritability-s$seed

# run NAME COMMAND...: what it says is in a log.
run() {
    local log=$cohort.$1.log
    shift
    "$gp" "$@" >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        fail "$1 failed; all it said is in $log"
    }
}

[ -s "$cohort.truth.tsv" ] ||
    run simulate simulate --samples "$samples" --variants "$variants" --chromosomes 22 --populations 1 --relatives 0 --traits "$traits" \
        --causal "$causal" --heritability "$heritability" --missing-rate 0 --missing-pheno 0 --seed "$seed" --out "$cohort"
data=(--store "$cohort.h5" --pheno "$cohort.pheno.tsv")
read -r -a more <<<"$train"
if ! [ -s "$cohort.model/offsets.transformer.tsv.gz" ] || [ -n "$train" ]; then
    run train train "${data[@]}" --chromosome-dropout 0.1 --offsets --restart "${more[@]}" --out "$cohort.model"
fi
for offset in none ridge transformer; do
    options=()
    [ $offset = none ] || options=(--offset "$cohort.model/offsets.$offset.tsv.gz")
    rm -rf "$cohort.$offset"
    run "assoc-$offset" assoc "${data[@]}" "${options[@]}" --out "$cohort.$offset"
done

# figures TRAIT TABLE: mean chi-squared of causal variants, number of null variants, their lambda and its error.
figures() {
    gzip -dc "$2" | awk -F '\t' -v trait="$1" -v near="$near" '
        NR == FNR { if ($1 == trait) { at[$3, ++count[$3]] = $4; causal[$5] = 1 } next }
        FNR == 1 { for (k = 1; k <= NF; k++) column[$k] = k; next }
        $column["status"] != "OK" { next }
        {
            x = $column["statistic"] ^ 2
            if ($column["id"] in causal) { sum += x; n++; next }
            for (k = 1; k <= count[$1]; k++) {
                d = $2 - at[$1, k]
                if (d < near * 1000 && d > -near * 1000) next
            }
            print x
        }
        END { printf "causal %.6g %d\n", sum / n, n }' "$cohort.truth.tsv" - | LC_ALL=C sort -g | awk '
        $1 == "causal" { mean = $2; next }
        { v[++n] = $1 }
        END {
            median = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
            # The error of a median is 1 / (2 f sqrt(n)); chi-squared has density 0.4717 at its median.
            printf "%.4f,%d,%.4f,%.4f\n", mean, n, median / 0.4549364, 1 / (2 * 0.4717 * sqrt(n)) / 0.4549364
        }'
}

gp_version=$("$gp" --version | head -n 1)
for ((t = 1; t <= traits; t++)); do
    trait=trait$t
    base=''
    for offset in none ridge transformer; do
        r2=$(awk -F '\t' -v t=$trait -v m=$offset '$1 == t && $2 == m && $3 == "all" { print $5 }' "$cohort.model/metrics.tsv")
        IFS=, read -r mean nulls lambda error < <(figures "$trait" "$cohort.$offset/$trait.tsv.gz")
        base=${base:-$mean}
        ratio=$(awk -v a="$mean" -v b="$base" 'BEGIN { printf "%.4f", a / b }')
        printf '%s  offset %-11s  r2 %-9s  mean chi2 at causal variants %8s (%s times)  lambda of %s null variants %s (error %s)\n' \
            "$trait" "$offset" "${r2:-0}" "$mean" "$ratio" "$nulls" "$lambda" "$error"
        add_row "$csv" "$header" "$(provenance),$gp_version,$samples,$variants,$causal,$heritability,$near,$seed,$trait,$offset,${r2:-0},$mean,$ratio,$nulls,$lambda,$error" >/dev/null
    done
done
awk -F , -v commit="$(commit)" '
    NR > 1 && $2 == commit { n[$13]++; ratio[$13] += $16; lambda[$13] += $18 }
    END { for (o in n) printf "all traits  offset %-11s  %.4f times, mean lambda of null variants %.4f\n", o, ratio[o] / n[o], lambda[o] / n[o] }' "$csv" | LC_ALL=C sort
echo "rows are in $csv"
