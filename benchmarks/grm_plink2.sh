#!/usr/bin/env bash
# The standardised relationship matrix beside plink2 --make-rel: the same .bed, one thread each on one core, turn about.
# Adds a row to a table (benchmarks/README.md says what is in it), with the largest difference between the two matrices.
#
#   benchmarks/grm_plink2.sh [--samples N] [--variants M] [--missing SHARE] [--rounds R] [--gp-dist PROGRAM]
#                            [--gram PROGRAM] [--form FORM] [--folder FOLDER] [--csv FILE]
#
# Defaults: 10,000 samples, 50,000 variants, no missing calls, 1 round (plink2 takes minutes), the newest gp-dist and
# gram under build*/ (gram is built with -DGP_BENCHMARKS=ON), a folder under ${TMPDIR:-/tmp} whose cohorts are used
# again, and grm.csv in that folder. Missing calls are imputed by the mean on both sides. Without plink2 its figures are NA.
# plink2 writes its matrix as binary doubles (--form "square bin"), the quickest of its forms; with --form square0, as
# text, there is no difference to report. gram keeps its matrix in memory.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=10000 variants=50000 missing=0 rounds=1 gp_dist='' gram='' form='square bin' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "samples variants missing rounds gp-dist gram form folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
gram=${gram:-$(find_program gram)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
[ -x "$gram" ] || fail "no program gram; build with -DGP_BENCHMARKS=ON, or name it with --gram"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/grm.csv}
header=$(provenance_header),gp_dist,plink2,kernel,form,samples,variants,missing,rounds
header+=,gp_wall,gp_cpu,gp_mib,plink2_wall,plink2_cpu,plink2_mib,wall_ratio,cpu_ratio,largest_difference

run_gram() {
    timed gram "$gram" --bed "$cohort.bed" --samples "$samples" --variants "$variants" --missing "$missing"
}

run_plink2() {
    local how
    read -r -a how <<<"$form"
    [ "$missing" = 0 ] || how=(meanimpute "${how[@]}")
    # Children's calls count in the frequencies, as they do in ours.
    timed plink2 plink2 --bfile "$cohort" --nonfounders --make-rel "${how[@]}" --threads 1 --out "$folder/plink2"
}

what=(gram plink2)
command -v plink2 >/dev/null || {
    what=(gram)
    echo "plink2 is not installed: gram runs alone"
}
cohort=$folder/n$samples-m$variants-t1-x$missing
simulate "$cohort" "$samples" "$variants" 1 "$missing"
rm -f "$folder"/*.times "$folder/plink2.rel.bin"
cat "$cohort.bed" >/dev/null # from memory from the first round on
for ((round = 1; round <= rounds; round++)); do
    printf 'round %d:' "$round"
    for name in "${what[@]}"; do
        "run_$name"
        say_last "$name"
    done
    echo
done
difference=NA
if [ -s "$folder/plink2.rel.bin" ]; then
    "$gram" --bed "$cohort.bed" --samples "$samples" --variants "$variants" --missing "$missing" \
        --expect "$folder/plink2.rel.bin" >"$folder/difference.log" || fail "the matrices could not be compared"
    difference=$(sed -n 's/^largest difference \([^ ]*\).*/\1/p' "$folder/difference.log")
    rm -f "$folder/plink2.rel.bin"
fi
add_row "$csv" "$header" "$(provenance),$("$gp" --version | head -n 1),$(plink2_version),${GP_KERNEL:-chosen},$form,$samples,$variants,$missing,$rounds,\
$(figure gram 1),$(figure gram 2),$(figure gram 3),$(figure plink2 1),$(figure plink2 2),$(figure plink2 3),\
$(ratio plink2 gram 1),$(ratio plink2 gram 2),$difference"
echo "the row is in $csv"
