#!/usr/bin/env bash
# How often tests of binary traits fall below p = 1e-4 where there is nothing to find: traits drawn from covariates alone, with one,
# 20 and 200 controls to a case. Tests go in parts; what is counted stays in the folder, so that the same command continues where it
# was stopped, and prints the table again where all is done. Adds a row per ratio, test and class of frequency to a table
# (benchmarks/README.md says what is in it).
#
#   benchmarks/type_one_error.sh [--tiny] [--samples N] [--variants M] [--copies C] [--traits P] [--parts K]
#                                [--ratios "1 20 200"] [--tests "score firth approx spa"] [--level P] [--seed S] [--threads T]
#                                [--gp-dist PROGRAM] [--folder FOLDER] [--csv FILE]
#
# Defaults: 10 parts of 20 traits each for every ratio, 20,000 samples, 50,000 variants with 5 copies of the rarer allele or more: 10
# million tests per ratio and test; all cores, the newest gp-dist under build*/, a folder under ${TMPDIR:-/tmp}, and
# type_one_error.csv in that folder. --tiny, the first option: some thousand tests, to see that it runs.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=20000 variants=50000 copies=5 traits=20 parts=10 ratios="1 20 200" tests="score firth approx spa" level=1e-4
seed=1 threads='' gp_dist='' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
if [ "${1:-}" = --tiny ]; then
    samples=600 variants=300 traits=2 parts=2 ratios="1 20" level=0.01
    shift
fi
read_options "samples variants copies traits parts ratios tests level seed threads gp-dist folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
gp_version=$("$gp" --version | head -n 1) || fail "$gp does not run"
threads=${threads:-$([ "$cores" = NA ] && echo 1 || echo "$cores")}
csv=${csv:-$folder/type_one_error.csv}
cohort=$folder/null-n$samples-m$variants-c$copies-s$seed
# Another program's counts, or another level's, are not these.
counts=$cohort-t$traits-p$level-$(md5sum <"$gp" | cut -c 1-8)
mkdir -p "$counts" || fail "$counts: cannot be made"

# How gp-dist is asked for a test.
options() {
    case $1 in
    firth) echo "--test firth --firth exact" ;;
    approx) echo "--test firth --firth approx" ;;
    score | spa | wald) echo "--test $1" ;;
    *) fail "unknown test '$1'" ;;
    esac
}

for test in $tests; do
    options "$test" >/dev/null
done

# count RATIO TEST: lines "ratio test class tests no_number below" of the tables that come in, one after the other.
count() {
    awk -F '\t' -v ratio="$1" -v test="$2" -v level="$level" '
        BEGIN { limit = -log(level) / log(10) }
        $1 == "chromosome" { for (k = 1; k <= NF; k++) col[$k] = k; next }
        {
            f = $col["effect_allele_frequency"]
            copies = 2 * $col["n"] * (f < 0.5 ? f : 1 - f)
            class = copies < 19.5 ? "copies<20" : copies < 200.5 ? "copies20-200" : "copies>200"
            tests[class]++
            if ($col["status"] != "OK") none[class]++
            else if ($col["neg_log_10_p_value"] > limit) below[class]++
        }
        END { for (class in tests) print ratio, test, class, tests[class], none[class] + 0, below[class] + 0 }'
}

# one_part RATIO PART: all tests that are not counted yet.
one_part() {
    local test whole name=$counts/$1-$2 begin asked
    for test in $tests; do
        whole=$name-$test.counts
        [ -s "$whole" ] && continue
        [ -s "$name.tsv" ] || python3 "$root/benchmarks/null_traits.py" traits "$cohort" "$1" "$traits" "$seed $2" >"$name.tsv" ||
            fail "$name.tsv: cannot be made"
        begin=$EPOCHREALTIME
        read -ra asked <<<"$(options "$test")"
        "$gp" assoc --quiet --store "$cohort.h5" --pheno "$name.tsv" --covar "$cohort.covar.tsv" --model logistic "${asked[@]}" \
            --threads "$threads" --out "$name.out" 2>"$name.log" || fail "assoc failed: $(tail -n 3 "$name.log")"
        zcat "$name.out"/*.tsv.gz | count "$1" "$test" >"$whole.part" || fail "$whole: cannot be made"
        awk -v want=$((variants * traits)) '{ n += $4 } END { exit n != want }' "$whole.part" ||
            fail "$name: not $((variants * traits)) tests: $(cat "$whole.part" "$name.log")"
        mv "$whole.part" "$whole"
        rm -rf "$name.out"
        awk -v a="$begin" -v b="$EPOCHREALTIME" -v what="1:$1, part $2, $test" 'BEGIN { printf "%s: %.1f s\n", what, b - a }'
    done
    rm -f "$name.tsv" "$name.log"
}

if [ ! -s "$cohort.h5" ]; then
    echo "making $samples samples x $variants unlinked variants: $cohort"
    python3 "$root/benchmarks/null_traits.py" cohort "$cohort" "$samples" "$variants" "$copies" "$seed" || fail "no cohort was made"
    "$gp" import --quiet --bfile "$cohort" --out "$cohort.h5" || fail "import failed"
    rm -f "$cohort.bed"
fi
for ((part = 1; part <= parts; part++)); do
    for ratio in $ratios; do
        one_part "$ratio" "$part"
    done
done

header=$(provenance_header),gp_dist,samples,variants,copies,traits,level
header+=,ratio,test,class,tests,no_number,below,rate,band_low,band_high,verdict,discrete
files=()
for ratio in $ratios; do
    for test in $tests; do
        for ((part = 1; part <= parts; part++)); do
            files+=("$counts/$ratio-$part-$test.counts")
        done
    done
done
rows=$(python3 "$root/benchmarks/null_traits.py" rates "$level" "$samples" "$copies" "${files[@]}") || fail "the counts cannot be read"
printf '%-6s %-7s %-13s %10s %9s %7s %8s %8s %8s  %-7s %8s\n' ratio test class tests no_number below rate low high verdict discrete
while IFS= read -r row; do
    IFS=, read -ra field <<<"$row"
    printf '1:%-4s %-7s %-13s %10s %9s %7s %8s %8s %8s  %-7s %8s\n' "${field[@]}"
    add_row "$csv" "$header" "$(provenance),$gp_version,$samples,$variants,$copies,$((traits * parts)),$level,$row" >/dev/null
done <<<"$rows"
echo "rate: share of tests with p < $level, through $level; low, high: the band of 99.9% of a binomial count; rows are in $csv"
