#!/usr/bin/env bash
# Linear regression beside plink2: the same cohort, the same covariates, one thread each on one core, turn about, from
# the start of the process to the finished tables. Adds a row per case to a table (benchmarks/README.md says what is in it).
#
#   benchmarks/assoc_plink2.sh [--samples N] [--variants M] [--covariates C] [--traits "1 10"] [--missing "0 0.01"]
#                              [--rounds R] [--gp-dist PROGRAM] [--folder FOLDER] [--csv FILE]
#
# Defaults: 20,000 samples, 50,000 variants, 10 covariates, four cases (1 and 10 traits, no and 1% missing calls), 3
# rounds, the newest gp-dist under build*/, a folder under ${TMPDIR:-/tmp} whose cohorts are used again, and assoc.csv
# in that folder. Each round runs, in this order: gp-dist; gp-dist with one trait; plink2; reading the store's bytes; an
# analysis of almost nothing (start-up); gp-dist on 1 rank and on 2 under mpirun. Without plink2 or mpirun their figures
# are NA.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=20000 variants=50000 covariates=10 traits="1 10" missing="0 0.01" rounds=3 gp_dist='' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "samples variants covariates traits missing rounds gp-dist folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/assoc.csv}
header=$(provenance_header),gp_dist,plink2,kernel,samples,variants,covariates,traits,missing,rounds
header+=,gp_wall,gp_cpu,gp_mib,plink2_wall,plink2_cpu,plink2_mib,wall_ratio,cpu_ratio,times_one_trait
header+=,start_wall,read_wall,share_of_read,two_ranks_ratio
most=$(tr ' ' '\n' <<<"$traits" | sort -g | tail -n 1)

# Standard normal columns (sums of twelve uniforms) from a generator that every awk computes alike.
make_covariates() {
    awk -v columns="$covariates" '
        function uniform() { x = (x * 48271) % 2147483647; return x / 2147483647 }
        function normal(  k, s) { for (k = 0; k < 12; k++) s += uniform(); return s - 6 }
        BEGIN { x = 20240607; printf "FID\tIID"; for (j = 1; j <= columns; j++) printf "\tc%d", j; print "" }
        { printf "%s\t%s", $1, $2; for (j = 1; j <= columns; j++) printf "\t%.6f", normal(); print "" }
    ' "$1"
}

# trait_names COUNT: of the cohort's table, with commas between.
trait_names() {
    awk -v count="$1" 'NR == 1 { for (k = 3; k < 3 + count; k++) printf "%s%s", (k == 3 ? "" : ","), $k; exit }' "$cohort.pheno.tsv"
}

# assoc PROGRAM...: what is timed of gp-dist, with what starts it.
assoc() {
    "$@" "$gp" assoc --model linear --store "$cohort.h5" --pheno "$cohort.pheno.tsv" --pheno-name "$names" \
        --covar "$cohort.covariates" --threads 1 --out "$folder/gp-dist.out"
}

run_gp_dist() {
    assoc timed gp-dist
}

run_one_trait() {
    local names=${names%%,*}
    assoc timed one-trait
}

run_plink2() {
    timed plink2 plink2 --bfile "$cohort" --glm hide-covar omit-ref --pheno "$cohort.pheno.tsv" --pheno-name "$names" \
        --covar "$cohort.covariates" --threads 1 --out "$folder/plink2"
}

run_read() {
    timed read cat "$cohort.h5"
}

run_start() {
    timed start "$gp" assoc --model linear --store "$tiny.h5" --pheno "$tiny.pheno.tsv" --threads 1 --quiet \
        --out "$folder/start.out"
}

# Rates of testing as gp-dist itself gives them: start and end of the run are outside.
run_ranks() {
    local n
    for n in 1 2; do
        assoc mpirun --quiet --oversubscribe -n $n >"$folder/ranks.log" 2>&1 || {
            tail -n 20 "$folder/ranks.log" >&2
            fail "gp-dist on $n ranks failed; all it said is in $folder/ranks.log"
        }
        sed -n 's|.* variants/s, \([^ ]*\) genotypes/s.*|\1 NA NA|p' "$folder/ranks.log" | tail -n 1 >>"$folder/ranks$n.times"
    done
}

what=(gp-dist one-trait plink2 read start)
command -v plink2 >/dev/null || {
    what=(gp-dist one-trait read start)
    echo "plink2 is not installed: gp-dist runs alone"
}
command -v mpirun >/dev/null || echo "mpirun is not installed: no ratio of 2 ranks to 1"
gp_version=$("$gp" --version | head -n 1) || fail "$gp does not run"
[ -x /usr/bin/time ] || echo "GNU time is not installed: no CPU seconds, no peak memory"

# one_case MISSING TRAITS
one_case() {
    local round name
    cohort=$folder/n$samples-m$variants-t$most-x$1
    simulate "$cohort" "$samples" "$variants" "$most" "$1"
    make_covariates "$cohort.fam" >"$cohort.covariates" || fail "$cohort.covariates: cannot be written"
    names=$(trait_names "$2")
    rm -f "$folder"/*.times
    cat "$cohort.h5" "$cohort.bed" >/dev/null # from memory from the first round on
    for ((round = 1; round <= rounds; round++)); do
        printf 'missing %s, %s traits, round %d:' "$1" "$2" "$round"
        for name in "${what[@]}"; do
            "run_${name//-/_}"
            say_last "$name"
        done
        command -v mpirun >/dev/null && run_ranks
        echo
    done
    add_row "$csv" "$header" "$(provenance),$gp_version,$(plink2_version),${GP_KERNEL:-chosen},$samples,$variants,$covariates,$2,$1,$rounds,\
$(figure gp-dist 1),$(figure gp-dist 2),$(figure gp-dist 3),$(figure plink2 1),$(figure plink2 2),$(figure plink2 3),\
$(ratio plink2 gp-dist 1),$(ratio plink2 gp-dist 2),$(ratio gp-dist one-trait 1),$(figure start 1),$(figure read 1),$(ratio read gp-dist 1),$(ratio ranks2 ranks1 1)"
}

tiny=$folder/tiny
simulate "$tiny" 64 128 1 0
for share in $missing; do
    for count in $traits; do
        one_case "$share" "$count"
    done
done
echo "rows are in $csv"
