#!/usr/bin/env bash
# What predictions of the other chromosomes add to the power of tests of single variants: a simulated polygenic trait, its
# out-of-fold predictions without one chromosome at a time (gp-dist train --offsets), and the tests of all variants without them,
# beside ridge regression's and beside the transformer's. Adds a row for each trait and offset to a table.
#
#   benchmarks/power.sh [--samples N] [--variants M] [--nulls M] [--causal K] [--traits P] [--heritability H] [--seed S]
#                       [--train OPTIONS] [--gp-dist PROGRAM] [--folder FOLDER] [--csv FILE]
#
# Defaults: 5,000 samples of one population without relatives; 5,000 variants on 22 chromosomes, of which each of 4 traits has 300
# causal ones, heritability 0.5; 10,000 null variants on 22 more chromosomes, made for other people, so that no trait depends on them
# and none is linked to a causal one; gp-dist train's own settings (--train adds options); the newest gp-dist under build*/, a folder
# under ${TMPDIR:-/tmp}, and power.csv in that folder.
# Prints, of each trait and offset: mean chi-squared at causal variants, its ratio to that without offset, lambda (median chi-squared
# over its expected value) of the null variants, with the standard error that it has where they are independent.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=5000 variants=5000 nulls=10000 causal=300 traits=4 heritability=0.5 seed=1 train='' gp_dist='' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "samples variants nulls causal traits heritability seed train gp-dist folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/power.csv}
unset OMP_NUM_THREADS # nothing is timed
header=$(provenance_header),gp_dist,samples,variants,null_variants,causal,heritability,seed,trait,offset,r2,mean_chi2_causal,ratio,lambda_null,lambda_error
cohort=$folder/power-n$samples-m$variants-$nulls-k$causal-p$traits-h$heritability-s$seed

# run NAME COMMAND...: what it says is in a log.
run() {
    local log=$cohort.$1.log
    shift
    "$gp" "$@" >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        fail "$1 failed; all it said is in $log"
    }
}

if ! [ -s "$cohort.h5" ]; then
    people=(--samples "$samples" --chromosomes 22 --populations 1 --relatives 0 --missing-rate 0 --missing-pheno 0 --plink)
    run simulate simulate "${people[@]}" --variants "$variants" --traits "$traits" --causal "$causal" --heritability "$heritability" \
        --seed "$seed" --out "$cohort.one"
    run others simulate "${people[@]}" --variants "$nulls" --traits 1 --seed $((seed + 1)) --out "$cohort.two"
    awk -v OFS='\t' '{ $1 = "null" $1; $2 = "null" $2 } 1' "$cohort.two.bim" >"$cohort.bim"
    if ! mv "$cohort.bim" "$cohort.two.bim" || ! cp "$cohort.one.fam" "$cohort.two.fam"; then
        fail "$cohort: cannot be written"
    fi
    run import import --bfile "$cohort.one,$cohort.two" --out "$cohort.h5"
    mv "$cohort.one.truth.tsv" "$cohort.truth.tsv"
    mv "$cohort.one.pheno.tsv" "$cohort.pheno.tsv"
    rm -f "$cohort".one.* "$cohort".two.*
fi
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

# figures TRAIT TABLE: mean chi-squared of causal variants, lambda of null variants and its error.
figures() {
    gzip -dc "$2" | awk -F '\t' -v trait="$1" '
        NR == FNR { if ($1 == trait) causal[$5] = 1; next }
        FNR == 1 { for (k = 1; k <= NF; k++) column[$k] = k; next }
        $column["status"] != "OK" { next }
        $column["id"] in causal { sum += $column["statistic"] ^ 2; n++ }
        $1 ~ /^null/ { print $column["statistic"] ^ 2 }
        END { printf "causal %.6g %d\n", sum / n, n }' "$cohort.truth.tsv" - | LC_ALL=C sort -g | awk '
        $1 == "causal" { mean = $2; next }
        { v[++n] = $1 }
        END {
            median = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
            # The error of a median is 1 / (2 f sqrt(n)); chi-squared has density 0.4717 at its median.
            printf "%.4f,%.4f,%.4f\n", mean, median / 0.4549364, 1 / (2 * 0.4717 * sqrt(n)) / 0.4549364
        }'
}

gp_version=$("$gp" --version | head -n 1)
for ((t = 1; t <= traits; t++)); do
    trait=trait$t
    base=''
    for offset in none ridge transformer; do
        r2=$(awk -F '\t' -v t=$trait -v m=$offset '$1 == t && $2 == m && $3 == "all" { print $5 }' "$cohort.model/metrics.tsv")
        IFS=, read -r mean lambda error < <(figures "$trait" "$cohort.$offset/$trait.tsv.gz")
        base=${base:-$mean}
        ratio=$(awk -v a="$mean" -v b="$base" 'BEGIN { printf "%.4f", a / b }')
        printf '%s  offset %-11s  r2 %-9s  mean chi2 at causal variants %8s (%s times)  lambda of null variants %s (error %s)\n' \
            "$trait" "$offset" "${r2:-0}" "$mean" "$ratio" "$lambda" "$error"
        add_row "$csv" "$header" "$(provenance),$gp_version,$samples,$variants,$nulls,$causal,$heritability,$seed,$trait,$offset,${r2:-0},$mean,$ratio,$lambda,$error" >/dev/null
    done
done
awk -F , -v commit="$(commit)" '
    NR > 1 && $2 == commit { n[$13]++; ratio[$13] += $16; lambda[$13] += $17 }
    END { for (o in n) printf "all traits  offset %-11s  %.4f times, mean lambda of null variants %.4f\n", o, ratio[o] / n[o], lambda[o] / n[o] }' "$csv" | LC_ALL=C sort
echo "rows are in $csv"
