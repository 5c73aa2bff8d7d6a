#!/usr/bin/env bash
# Binary traits beside plink2: the same cohort, the same covariates, one thread each on one core, turn about, from the start of the
# process to the finished tables. gp-dist's default (score tests, then Firth's penalised likelihood below 0.05), its exact
# form and its saddlepoint approximation; plink2's default (logistic regression, Firth's where that fails). Adds a row to a table
# (benchmarks/README.md says what is in it).
#
#   benchmarks/logistic_plink2.sh [--tiny] [--samples N] [--variants M] [--covariates C] [--cases SHARE] [--missing SHARE]
#                                 [--heritability H] [--rounds R] [--turns T] [--plink2-variants K] [--gp-dist PROGRAM]
#                                 [--folder FOLDER] [--csv FILE]
#
# Defaults: 20,000 samples, 50,000 variants, 10 covariates, 10% cases, no missing calls, one population without relatives, a
# liability of heritability 0.5; one round, in which each form of gp-dist runs 3 times and plink2 once; the newest gp-dist under
# build*/, a folder under ${TMPDIR:-/tmp} whose cohorts are used again, and logistic.csv in that folder. With --plink2-variants
# plink2 tests so many variants only, spread over all, and its seconds are multiplied. Without plink2 its figures are NA. --tiny,
# the first option: 300 samples and 200 variants.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=20000 variants=50000 covariates=10 cases=0.1 missing=0 heritability=0.5 rounds=1 turns=3 plink2_variants='' gp_dist='' csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
if [ "${1:-}" = --tiny ]; then
    samples=300 variants=200 covariates=5 cases=0.3 turns=1 plink2_variants=100
    shift
fi
read_options "samples variants covariates cases missing heritability rounds turns plink2-variants gp-dist folder csv" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
gp_version=$("$gp" --version | head -n 1) || fail "$gp does not run"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/logistic.csv}
plink2_variants=${plink2_variants:-$variants}
[ "$plink2_variants" -le "$variants" ] || fail "--plink2-variants is more than --variants"
[ "$covariates" -ge 3 ] || fail "--covariates: at least 3"
forms=(default exact spa)
header=$(provenance_header),gp_dist,plink2,kernel,samples,variants,covariates,cases,missing,heritability,rounds,turns
for form in "${forms[@]}" plink2; do
    header+=,${form}_wall,${form}_cpu,${form}_mib
done
header+=,plink2_variants
for form in "${forms[@]}"; do
    header+=,${form}_wall_ratio,${form}_cpu_ratio
done
header+=,corrected,largest_difference

# The cohort's own age, sex and exposure, which the trait depends on, and columns that it does not (sums of twelve uniforms), of
# mean 0 and variance 1 but for sex.
make_covariates() {
    awk -F '\t' -v columns="$covariates" '
        function uniform() { x = (x * 48271) % 2147483647; return x / 2147483647 }
        function normal(  k, s) { for (k = 0; k < 12; k++) s += uniform(); return s - 6 }
        NR == FNR {
            if (FNR > 1) { n++; s[3] += $3; q[3] += $3 * $3; s[5] += $5; q[5] += $5 * $5 }
            next
        }
        FNR == 1 { x = 20240607; printf "FID\tIID\tage\tsex\texposure"; for (j = 4; j <= columns; j++) printf "\tc%d", j; print ""; next }
        {
            printf "%s\t%s\t%.6f\t%s\t%.6f", $1, $2, scaled(3), $4, scaled(5)
            for (j = 4; j <= columns; j++) printf "\t%.6f", normal()
            print ""
        }
        function scaled(k) { return ($k - s[k] / n) / sqrt(q[k] / n - (s[k] / n)^2) }
    ' "$1" "$1"
}

make_cohort() {
    local file whole=1
    for file in h5 pheno.tsv bed bim fam covariates; do
        [ -s "$cohort.$file" ] || whole=0
    done
    if [ $whole = 1 ]; then
        echo "using the cohort $cohort"
        return
    fi
    echo "simulating $samples samples x $variants variants, $cases of them cases: $cohort"
    "$gp" simulate --samples "$samples" --variants "$variants" --populations 1 --relatives 0 --missing-rate "$missing" --traits 1 \
        --binary 1 --prevalence "$cases" --heritability "$heritability" --dominance 0 --epistasis 0 --missing-pheno 0 --seed 1 \
        --plink --quiet --out "$cohort" || fail "simulate failed"
    make_covariates "$cohort.covar.tsv" >"$cohort.covariates" || fail "$cohort.covariates: cannot be written"
}

# run_form FORM: what is timed of gp-dist.
run_form() {
    local asked=()
    case $1 in
    exact) asked=(--firth exact) ;;
    spa) asked=(--test spa) ;;
    esac
    timed "$1" "$gp" assoc --model logistic "${asked[@]}" --store "$cohort.h5" --pheno "$cohort.pheno.tsv" \
        --covar "$cohort.covariates" --threads 1 --out "$folder/$1.out"
}

run_plink2() {
    timed plink2 plink2 --bfile "$cohort" --extract "$folder/plink2.ids" --1 --glm hide-covar omit-ref --pheno "$cohort.pheno.tsv" \
        --covar "$cohort.covariates" --threads 1 --out "$folder/plink2"
}

# multiplied SECONDS: of plink2, for all variants where it tested a part.
multiplied() {
    awk -v x="$1" -v all="$variants" -v part="$plink2_variants" 'BEGIN { if (x == "NA") print x; else printf "%.4g", x * all / part }'
}

# through A B: of two medians.
through() {
    awk -v a="$1" -v b="$2" 'BEGIN { print (a == "NA" || b == "NA" || b + 0 == 0) ? "NA" : sprintf("%.4g", a / b) }'
}

# Whether both sides tested the same: the largest difference of -log10 p among variants that gp-dist tested by the score alone, where
# both methods are good (the rarer allele to be expected 100 times or more in cases).
largest_difference() {
    [ -e "$folder/plink2.log" ] || { echo NA; return; }
    { zcat "$folder/default.out/trait1.tsv.gz"; cat "$folder"/plink2.trait1.glm.logistic*; } | awk '
        function abs(x) { return x < 0 ? -x : x }
        $1 == "chromosome" || $1 ~ /^#CHROM/ { split("", col); for (k = 1; k <= NF; k++) col[$k] = k; theirs = $1 != "chromosome"; next }
        !theirs {
            f = $col["effect_allele_frequency"]; copies = 2 * $col["n_cases"] * (f < 0.5 ? f : 1 - f)
            if ($col["test"] == "SCORE" && $col["status"] == "OK" && copies >= 100) p[$col["id"]] = $col["neg_log_10_p_value"]
            next
        }
        $col["ID"] in p && $col["P"] != "NA" { d = abs(p[$col["ID"]] + log($col["P"]) / log(10)); n++; if (d > most) most = d }
        END { if (n) printf "%.2g\n", most; else print "NA" }'
}

cohort=$folder/logistic-n$samples-m$variants-k$cases-x$missing-h$heritability-c$covariates
make_cohort
awk -v want="$plink2_variants" -v all="$variants" 'int(NR * want / all) > int((NR - 1) * want / all) { print $2 }' "$cohort.bim" \
    >"$folder/plink2.ids"
plink2=0
command -v plink2 >/dev/null && plink2=1
[ $plink2 = 1 ] || echo "plink2 is not installed: gp-dist runs alone"
[ -x /usr/bin/time ] || echo "GNU time is not installed: no CPU seconds, no peak memory"
rm -f "$folder"/*.times "$folder"/plink2.trait1.* "$folder/plink2.log"
cat "$cohort.h5" "$cohort.bed" >/dev/null # from memory from the first round on
for ((round = 1; round <= rounds; round++)); do
    printf 'round %d:' "$round"
    for ((turn = 1; turn <= turns; turn++)); do
        for form in "${forms[@]}"; do
            run_form "$form"
            say_last "$form"
        done
    done
    if [ $plink2 = 1 ]; then
        run_plink2
        say_last plink2
    fi
    echo
done

row=$(provenance),$gp_version,$(plink2_version),${GP_KERNEL:-chosen}
row+=,$samples,$variants,$covariates,$cases,$missing,$heritability,$rounds,$turns
for form in "${forms[@]}"; do
    row+=,$(figure "$form" 1),$(figure "$form" 2),$(figure "$form" 3)
done
wall=$(multiplied "$(figure plink2 1)")
cpu=$(multiplied "$(figure plink2 2)")
row+=,$wall,$cpu,$(figure plink2 3),$([ $plink2 = 1 ] && echo "$plink2_variants" || echo NA)
for form in "${forms[@]}"; do
    row+=,$(through "$wall" "$(figure "$form" 1)"),$(through "$cpu" "$(figure "$form" 2)")
done
corrected=$(zcat "$folder/default.out/trait1.tsv.gz" | awk -F '\t' 'NR == 1 { for (k = 1; k <= NF; k++) if ($k == "test") c = k; next }
    $c == "FIRTH" { n++ } END { print n + 0 }')
add_row "$csv" "$header" "$row,$corrected,$(largest_difference)"
[ "$plink2_variants" = "$variants" ] || echo "plink2 tested $plink2_variants of $variants variants; its seconds are multiplied"
echo "rows are in $csv"
