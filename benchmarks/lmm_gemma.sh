#!/usr/bin/env bash
# Mixed models beside GEMMA: the whole job, relationship matrix and tests of all variants, on the same genotypes; one core each,
# turn about. Adds rows to a table (benchmarks/README.md says what is in it).
#
#   benchmarks/lmm_gemma.sh [--cases "2000x20000 4000x100000"] [--rounds R] [--gp-dist PROGRAM] [--folder FOLDER] [--csv FILE]
#
# Defaults: 2,000 samples x 20,000 variants, 1 round (GEMMA takes a minute and more), the newest gp-dist under build*/, a folder
# under ${TMPDIR:-/tmp} whose cohorts are used again, and lmm.csv in that folder. GEMMA: -gk 1, then -lmm 1 (Wald). gp-dist: assoc --model
# lmm --no-loco, which makes its matrix too, exact and fixed. Without GEMMA its figures are NA.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cases=2000x20000 rounds=1 gp_dist='' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "cases rounds gp-dist folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/lmm.csv}
header=$(provenance_header),gp_dist,gemma,kernel,samples,variants,rounds
header+=,exact_wall,exact_cpu,exact_mib,fixed_wall,fixed_cpu,gemma_wall,gemma_cpu,gemma_mib,matrix_wall
header+=,exact_ratio,fixed_ratio,exact_cpu_ratio,spectrum_seconds,spectrum_share

run_exact() {
    timed exact "$gp" assoc --model lmm --no-loco --store "$cohort.h5" --pheno "$cohort.pheno.tsv" --threads 1 \
        --out "$folder/exact.out"
    sed -n 's/.*spectra of relationships took \([0-9.]*\) s.*/\1 NA NA/p' "$folder/exact.log" >>"$folder/spectrum.times"
}

run_fixed() {
    timed fixed "$gp" assoc --model lmm --lmm fixed --no-loco --store "$cohort.h5" --pheno "$cohort.pheno.tsv" --threads 1 \
        --out "$folder/fixed.out"
}

# Both steps; the matrix alone is timed too.
run_gemma() {
    (
        cd "$folder" || exit 1
        timed matrix gemma -bfile "$cohort" -p "$cohort.trait" -gk 1 -o matrix
        timed tests gemma -bfile "$cohort" -p "$cohort.trait" -k output/matrix.cXX.txt -lmm 1 -o tests
    ) || exit 1
    tail -qn 1 "$folder/matrix.times" "$folder/tests.times" | awk '
        { wall += $1; cpu += $2; mib = $3 > mib ? $3 : mib }
        END { printf "%.4f %.2f %.1f\n", wall, cpu, mib }' >>"$folder/gemma.times"
}

what=(exact fixed gemma)
command -v gemma >/dev/null || {
    what=(exact fixed)
    echo "GEMMA is not installed: gp-dist runs alone"
}
gp_version=$("$gp" --version | head -n 1) || fail "$gp does not run"
gemma_version=NA
command -v gemma >/dev/null && gemma_version="GEMMA $(gemma -h 2>&1 | sed -n 's/.*GEMMA \([0-9.]*\).*/\1/p' | head -n 1)"

for case in $cases; do
    samples=${case%x*} variants=${case#*x}
    cohort=$folder/n$samples-m$variants-t1-x0
    simulate "$cohort" "$samples" "$variants" 1 0
    awk 'NR > 1 { print $3 }' "$cohort.pheno.tsv" >"$cohort.trait"
    rm -f "$folder"/*.times
    cat "$cohort.h5" "$cohort.bed" >/dev/null # from memory from the first round on
    for ((round = 1; round <= rounds; round++)); do
        printf '%s, round %d:' "$case" "$round"
        for name in "${what[@]}"; do
            "run_$name"
            say_last "$name"
        done
        echo
    done
    add_row "$csv" "$header" "$(provenance),$gp_version,$gemma_version,${GP_KERNEL:-chosen},$samples,$variants,$rounds,\
$(figure exact 1),$(figure exact 2),$(figure exact 3),$(figure fixed 1),$(figure fixed 2),$(figure gemma 1),$(figure gemma 2),$(figure gemma 3),$(figure matrix 1),\
$(ratio gemma exact 1),$(ratio gemma fixed 1),$(ratio gemma exact 2),$(figure spectrum 1),$(ratio spectrum exact 1)"
done
echo "rows are in $csv"
