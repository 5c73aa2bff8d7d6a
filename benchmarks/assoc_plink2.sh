#!/usr/bin/env bash
# Linear regression beside plink2: the same cohort, the same ten covariates, one thread each, turn about.
# Prints medians of the wall time, their ratio, throughput, and each program's peak memory.
#
#   benchmarks/assoc_plink2.sh [--samples N] [--variants M] [--covariates C] [--rounds R]
#                              [--gp-dist PROGRAM] [--folder FOLDER]
#
# Defaults: 20,000 samples, 50,000 variants, 10 covariates, 3 rounds, build/gp-dist's program, and a folder under
# ${TMPDIR:-/tmp}; a cohort of the same size that lies there is used again. Without plink2, gp-dist runs alone.
set -u
set -o pipefail
export LC_ALL=C OPENBLAS_NUM_THREADS=1

samples=20000
variants=50000
covariates=10
rounds=3
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
gp=
folder=${TMPDIR:-/tmp}/gp-dist-benchmark

fail() {
    echo "gp-dist: error: benchmarks/assoc_plink2.sh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || fail "$1: an option and its value are expected"
    case $1 in
    --samples) samples=$2 ;;
    --variants) variants=$2 ;;
    --covariates) covariates=$2 ;;
    --rounds) rounds=$2 ;;
    --gp-dist) gp=$2 ;;
    --folder) folder=$2 ;;
    *) fail "unknown option '$1'" ;;
    esac
    shift 2
done
[ -n "$gp" ] || gp=$(find "$root/build" -type f -name gp-dist -perm -u+x 2>/dev/null | head -n 1)
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
mkdir -p "$folder" || fail "$folder: cannot be made"
cohort=$folder/n$samples-m$variants

# cohort_is_there: store and PLINK files of this size, from an earlier run.
cohort_is_there() {
    local file
    for file in h5 pheno.tsv bed bim fam; do
        [ -s "$cohort.$file" ] || return 1
    done
}

# Standard normal columns (sums of twelve uniforms) from a generator that every awk computes alike.
make_covariates() {
    awk -v columns="$covariates" '
        function uniform() { x = (x * 48271) % 2147483647; return x / 2147483647 }
        function normal(  k, s) { for (k = 0; k < 12; k++) s += uniform(); return s - 6 }
        BEGIN { x = 20240607; printf "FID\tIID"; for (j = 1; j <= columns; j++) printf "\tc%d", j; print "" }
        { printf "%s\t%s", $1, $2; for (j = 1; j <= columns; j++) printf "\t%.6f", normal(); print "" }
    ' "$cohort.fam"
}

# timed NAME COMMAND...: runs it; adds its seconds to NAME.seconds and its peak memory (KiB) to NAME.memory.
timed() {
    local name=$1 begin end
    shift
    begin=$(date +%s.%N)
    if [ -x /usr/bin/time ]; then
        /usr/bin/time -a -o "$folder/$name.memory" -f %M "$@" >"$folder/$name.log" 2>&1
    else
        "$@" >"$folder/$name.log" 2>&1
    fi || { tail -n 20 "$folder/$name.log" >&2; fail "$name failed; all it said is in $folder/$name.log"; }
    end=$(date +%s.%N)
    awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.3f\n", b - a }' | tee -a "$folder/$name.seconds"
}

median() {
    sort -g "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'
}

run_gp_dist() {
    timed gp-dist "$gp" assoc --model linear --store "$cohort.h5" --pheno "$cohort.pheno.tsv" --pheno-name "$trait" \
        --covar "$cohort.c$covariates.tsv" --threads 1 --quiet --out "$folder/gp-dist.out"
}

run_plink2() {
    timed plink2 plink2 --bfile "$cohort" --glm hide-covar omit-ref --pheno "$cohort.pheno.tsv" --pheno-name "$trait" \
        --covar "$cohort.c$covariates.tsv" --threads 1 --out "$folder/plink2"
}

# result NAME: one line of the table.
result() {
    local memory=-
    [ -s "$folder/$1.memory" ] && memory=$(awk '$1 > top { top = $1 } END { printf "%.0f", top / 1024 }' "$folder/$1.memory")
    awk -v name="$1" -v t="$(median "$folder/$1.seconds")" -v n="$samples" -v m="$variants" -v memory="$memory" \
        'BEGIN { printf "%-9s %10.3f %14.0f %16.3g %12s\n", name, t, m / t, n * m / t, memory }'
}

if cohort_is_there; then
    echo "using the cohort $cohort"
else
    echo "simulating $samples samples x $variants variants: $cohort"
    "$gp" simulate --samples "$samples" --variants "$variants" --traits 1 --seed 1 --plink --quiet --out "$cohort" ||
        fail "simulate failed"
fi
make_covariates >"$cohort.c$covariates.tsv" || fail "$cohort.c$covariates.tsv: cannot be written"
trait=$(awk 'NR == 1 { print $3 }' "$cohort.pheno.tsv")

programs=(gp-dist)
if command -v plink2 >/dev/null; then
    programs+=(plink2)
    plink2 --version
else
    echo "plink2 not installed: gp-dist runs alone"
fi
"$gp" --version
for name in "${programs[@]}"; do
    rm -f "$folder/$name.seconds" "$folder/$name.memory"
done
# Both read from memory from the first round on.
cat "$cohort.h5" "$cohort.bed" >/dev/null
for ((round = 1; round <= rounds; round++)); do
    for name in "${programs[@]}"; do
        printf 'round %d  %-8s ' "$round" "$name"
        "run_${name//-/_}"
    done
done

echo
printf '%-9s %10s %14s %16s %12s\n' program "median s" variants/s genotypes/s "peak MiB"
for name in "${programs[@]}"; do
    result "$name"
done
if [ ${#programs[@]} = 2 ]; then
    awk -v a="$(median "$folder/plink2.seconds")" -v b="$(median "$folder/gp-dist.seconds")" \
        'BEGIN { printf "\ntime of plink2 / time of gp-dist: %.2f\n", a / b }'
fi
[ -x /usr/bin/time ] || echo "peak memory was not measured: GNU time (/usr/bin/time) is not installed"
