#!/usr/bin/env bash
# assoc of binary traits: the same bytes on any ranks, shards, threads and kernels; models by trait; tests, intervals and offsets;
# traits that cannot be tested; wrong options.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 600 --variants 2500 --chromosomes 3 --traits 3 --binary 2 --prevalence 0.2 --missing-rate 0.02 \
    --missing-pheno 0.05 --seed 5 --out c || fail simulate
p=c.pheno.tsv
of=(--quiet --store c.h5 --covar c.covar.tsv --cat-covar-name batch)

# assoc OUT ARGS...: one rank.
assoc() {
    local out=$1
    shift
    rm -rf "$out"
    "$GP_DIST" assoc "${of[@]}" --out "$out" "$@" 2>assoc.log || fail "assoc $*: $(head -c 300 assoc.log)"
}

# table DIR TRAIT: its lines without the header.
table() {
    zcat "$1/$2.tsv.gz" | tail -n +2
}

# near WHAT TOLERANCE DIR1 DIR2 TRAIT: the same lines; beta to so much of its standard error, statistic and -log10 p to so much of 1
# or of themselves, standard errors and the rest to so much of themselves.
near() {
    paste <(table "$3" "$5") <(table "$4" "$5") | awk -F '\t' -v what="$1" -v tolerance="$2" '
        function abs(x) { return x < 0 ? -x : x }
        function is_number(x) { return x ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ }
        {
            half = NF / 2
            for (k = 1; k <= half; k++) {
                a = $k; b = $(k + half)
                if (a == b || k == 8) continue # p: its logarithm is compared
                size = abs(a) > abs(b) ? abs(a) : abs(b)
                if (k == 5 || k == 11 || k == 12) size += k == 5 ? $6 : 1
                if (!is_number(a) || !is_number(b) || abs(a - b) > tolerance * size)
                    if (errors++ < 3) print "FAIL: " what ": line " NR ", column " k ": " a ", " b
            }
        }
        END { exit errors > 0 || NR < 100 }' || fail "$1"
}

# try WHAT COMMAND...: the command's --out is "other"; every file must be as in "one".
try() {
    local what=$1
    shift
    rm -rf other
    "$@" >log 2>&1 || fail "$what: $(head -c 300 log)"
    diff -r one other >/dev/null || fail "$what: other bytes"
}

# ---- ranks, shards, threads, kernels ----
kernels=()
for kernel in amx avx512 avx2 portable; do
    if GP_KERNEL=$kernel "$GP_DIST" assoc "${of[@]}" --pheno $p --dry-run 2>&1 | grep -q 'does not run on this machine'; then
        echo "kernel $kernel skipped: it does not run here"
        continue
    fi
    kernels+=("$kernel")
done
for test in "firth --ci 0.95" "firth --firth exact --firth-threshold 0.2" "spa --missing mean" "wald --missing mean"; do
    read -r -a options <<<"--pheno $p --test $test --chr 1,3"
    rm -rf one
    "$GP_DIST" assoc "${of[@]}" "${options[@]}" --threads 1 --out one || fail "--test $test"
    for trait in trait2 trait3; do
        [ "$(table one $trait | awk -F '\t' '$13 == "OK" && $18 != "SCORE"' | wc -l)" -gt 60 ] || fail "--test $test: few full models"
    done
    try "--test $test: 3 ranks" ranks 3 assoc "${of[@]}" "${options[@]}" --out other
    try "--test $test: 2 shards, 2 threads" ranks 2 assoc "${of[@]}" "${options[@]}" --sample-shards 2 --threads 2 --out other
    try "--test $test: 3 ranks, 3 shards" ranks 3 assoc "${of[@]}" "${options[@]}" --sample-shards 3 --out other
    case $test in *exact* | spa*) ;; *) continue ;; esac # the two kinds of passes over samples
    for kernel in "${kernels[@]}"; do
        try "--test $test: kernel $kernel" env "GP_KERNEL=$kernel" "$GP_DIST" assoc "${of[@]}" "${options[@]}" --out other
    done
done
ranks 4 assoc "${of[@]}" "${options[@]}" --sample-shards 2 --out other || fail "4 ranks, 2 shards"
diff -r one other >/dev/null || fail "4 ranks, 2 shards: other bytes"

# ---- a model for each trait, in one pass ----
assoc all --pheno $p
[ "$(zcat all/trait1.tsv.gz | head -1 | awk '{ print NF }')" = 13 ] || fail "a quantitative trait has columns of cases"
[ "$(zcat all/trait2.tsv.gz | head -1 | cut -f 13-)" = "status	n_cases	n_controls	effect_allele_frequency_cases	effect_allele_frequency_controls	test" ] ||
    fail "columns: $(zcat all/trait2.tsv.gz | head -1)"
for trait in trait1 trait2 trait3; do
    assoc alone --pheno $p --pheno-name $trait
    for e in "" .tbi -meta.yaml; do
        same "$trait alone" all/$trait.tsv.gz$e alone/$trait.tsv.gz$e
    done
done
assoc linear --model linear --pheno $p --pheno-name trait1
same "linear" all/trait1.tsv.gz linear/trait1.tsv.gz
assoc out --model logistic --pheno $p
same "--model logistic" all/trait2.tsv.gz out/trait2.tsv.gz
[ ! -e out/trait1.tsv.gz ] || fail "--model logistic tests a quantitative trait"
grep -q "warning: trait 'trait1' is skipped: it is not binary" assoc.log || fail "--model logistic: $(cat assoc.log)"
expect_error "--model logistic, no binary trait" 64 "$p: trait 'trait1' cannot be tested: it is not binary.*no trait is left" \
    ranks 3 assoc "${of[@]}" --model logistic --pheno $p --pheno-name trait1 --out refused
grep -q 'model: logistic; test: score, where its p is below 0.05 approximate Firth' all/trait2.tsv.gz-meta.yaml || fail "metadata: $(cat all/trait2.tsv.gz-meta.yaml)"
read -r cases controls < <(awk -F '\t' 'FNR > 1 && $4 != "NA" { n[$4]++ } END { print n[1], n[0] }' $p)
grep -q "case_count: $cases" all/trait2.tsv.gz-meta.yaml && grep -q "control_count: $controls" all/trait2.tsv.gz-meta.yaml ||
    fail "metadata do not count $cases cases and $controls controls"
table all trait2 | awk -F '\t' -v a="$cases" -v u="$controls" '
    $14 + $15 != $9 || $14 > a || $15 > u { bad++ }
    { d = ($16 * $14 + $17 * $15) / $9 - $7; if (d > 1e-7 || d < -1e-7) bad++ } # 9 digits are printed
    END { exit bad > 0 }' || fail "cases, controls and their frequencies do not add up"
"$GP_DIST" assoc --store c.h5 --pheno $p --pheno-name trait2,trait1 --out out 2>assoc.log || fail "notes"
grep -q "trait trait2: $((cases + controls)) samples ($cases cases, $controls controls), 0 covariates" assoc.log || fail "notes: $(cat assoc.log)"
grep -qE "out/trait2.tsv.gz: 2500 variants(, [0-9]+ [A-Z_]+)*; [0-9]+ by SCORE, [0-9]+ by FIRTH$" assoc.log || fail "notes: $(cat assoc.log)"
grep -qE "out/trait1.tsv.gz: 2500 variants(, [0-9]+ [A-Z_]+)*$" assoc.log || fail "notes: $(cat assoc.log)"

# ---- tests ----
assoc score --pheno $p --test score --pheno-name trait2
assoc full --pheno $p --firth-threshold 1 --pheno-name trait2
assoc wald --pheno $p --test wald --ci 0.95 --pheno-name trait2
# words DIR: the tests that stand in a table.
words() {
    table "$1" trait2 | awk -F '\t' '$13 == "OK" { print $18 }' | sort -u | tr '\n' ' '
}
[ "$(words score)" = "SCORE " ] && [ "$(words full)" = "FIRTH " ] && [ "$(words wald)" = "WALD " ] && [ "$(words all)" = "FIRTH SCORE " ] ||
    fail "tests: $(words score), $(words full), $(words wald), $(words all)"
paste <(table all trait2) <(table score trait2) <(table full trait2) | awk -F '\t' '
    function line(from, k, text) { for (k = from; k < from + 18; k++) text = text "\t" $k; return text }
    { want = $31 == "OK" && $26 < 0.05 || $18 == "FIRTH" ? line(37) : line(19) } # the score test'"'"'s status and p
    $18 == "FIRTH" && $26 >= 0.05 { early++ } # missing calls that go with the trait, here by chance
    line(1) != want { if (bad++ < 3) print "FAIL: line " NR ": " line(1) " is not " want }
    END { exit bad > 0 || early > 10 || NR != 2500 }' || fail "Firth below 0.05, the score test above"
table wald trait2 | awk -F '\t' '
    function far(a, b) { return a > b * 1.00001 || b > a * 1.00001 }
    $13 != "OK" { bad += $19 != "#NA" || $20 != "#NA" || $21 != "#NA" || $18 != "#NA"; next }
    far($19, exp($5)) || far($20, exp($5 - 1.959964 * $6)) || far($21, exp($5 + 1.959964 * $6)) { bad++ }
    END { exit bad > 0 }' || fail "odds ratios and intervals"

# ---- offsets ----
# What covariates explain may as well be an offset, another one for each chromosome.
awk -v OFS='\t' 'NR == FNR { if (FNR > 1) age[$2] = $3; next }
    FNR == 1 { print "FID", "IID", "nobody", "trait3", "trait2@1", "trait2@chr2", "trait2", "trait2@3"; next }
    { print $1, $2, "x", 0.7, 0.03 * age[$2], 1 - 0.02 * age[$2], "NA", -2 }' \
    <(cut -f 1,2,"$(head -1 c.covar.tsv | tr '\t' '\n' | grep -nx age | cut -d: -f1)" c.covar.tsv) $p >offset.tsv
assoc offset --pheno $p --pheno-name trait2,trait3 --offset offset.tsv
near "offsets that covariates explain" 1e-5 all offset trait2 # rounded sums, and the steps of Newton's method end at 1e-9
near "a constant offset" 1e-5 all offset trait3
ranks 3 assoc "${of[@]}" --pheno $p --pheno-name trait2,trait3 --offset offset.tsv --sample-shards 3 --out other3 || fail "offsets, 3 shards"
diff -r offset other3 >/dev/null || fail "offsets, 3 shards: other bytes"
ranks 3 assoc "${of[@]}" --pheno $p --pheno-name trait2,trait3 --offset offset.tsv --out other4 || fail "offsets, 3 ranks"
diff -r offset other4 >/dev/null || fail "offsets, 3 ranks: other bytes"
awk -v OFS='\t' 'NR == FNR { y[$2] = $4; next } FNR > 1 { $5 += y[$2] == 1; if (FNR == 9 || FNR == 10) $8 = "NA" } 1' $p offset.tsv |
    awk 'FNR != 12' >other.tsv
rm -rf out
"$GP_DIST" assoc --store c.h5 --covar c.covar.tsv --cat-covar-name batch --pheno $p --pheno-name trait2 --offset other.tsv --out out 2>assoc.log ||
    fail "other offsets: $(cat assoc.log)"
lacking=$(awk 'NR == FNR { y[$2] = $4; next } FNR == 9 || FNR == 10 || FNR == 12 { n += y[$2] != "NA" } END { print n }' $p offset.tsv)
grep -q "other.tsv: $lacking samples with a value of trait 'trait2' are left out of it" assoc.log || fail "samples without offsets: $(cat assoc.log)"
paste <(table all trait2) <(table out trait2) | awk -F '\t' '
    $1 == 1 && $13 == "OK" { d = $5 - $23; n++; if (d > 0.1 * $6 || d < -0.1 * $6) other++ } END { exit other < n / 10 }' ||
    fail "an offset that tells the cases changes nothing"
# Each chromosome has its own: where that of one changes, its lines change alone, and are those of that column for all.
awk -v OFS='\t' 'NR == FNR { y[$2] = $4; next } FNR > 1 && y[$2] == 1 { $6 += FNR % 2 } 1' $p offset.tsv >own.tsv
cut -f 1,2,6 own.tsv | sed '1s/@chr2//' >own2.tsv
assoc own --pheno $p --pheno-name trait2 --offset own.tsv
assoc own2 --pheno $p --pheno-name trait2 --offset own2.tsv --chr 2
same "offsets of other chromosomes" <(table own trait2 | awk '$1 != 2') <(table offset trait2 | awk '$1 != 2')
same "offsets of a chromosome" <(table own trait2 | awk '$1 == 2') <(table own2 trait2)
cmp -s <(table own trait2 | awk '$1 == 2') <(table offset trait2 | awk '$1 == 2') && fail "other offsets change nothing"
cut -f 1,2,5,6 offset.tsv >some.tsv
refuse() {
    expect_error "$1" 64 "$2" ranks 2 assoc "${of[@]}" --pheno $p --out refused "${@:3}"
    [ ! -e refused ] || fail "$1: something was written"
}
refuse "a chromosome without offsets" "some.tsv: has neither a column 'trait2@3' nor 'trait2'" --offset some.tsv --pheno-name trait2
assoc out --pheno $p --pheno-name trait2 --offset some.tsv --chr 1,2
refuse "a trait without offsets" "some.tsv: has neither a column 'trait3@1' nor 'trait3'" --offset some.tsv --pheno-name trait2,trait3 --chr 1,2
refuse "a quantitative trait without offsets" "offset.tsv: has neither a column 'trait1@1' nor 'trait1'" --offset offset.tsv
sed '4s/\t[^\t]*$/\tmany/' offset.tsv >word.tsv
refuse "a word for an offset" "word.tsv:4: column 'trait2@3': 'many'" --offset word.tsv --pheno-name trait2
# Its missing code, and a name of the chromosome that --chr would take.
sed '1s/trait2@3/trait2@03/; 4,9s/\t[^\t]*$/\t-9/' offset.tsv >coded.tsv
sed '4,9s/\t[^\t]*$/\tNA/' offset.tsv >blank.tsv
assoc coded --pheno $p --pheno-name trait2 --offset coded.tsv --missing-code -9
assoc blank --pheno $p --pheno-name trait2 --offset blank.tsv
same "a missing code among offsets" <(table coded trait2) <(table blank trait2)
sed '4s/\t[^\t]*$/\t1234/' offset.tsv >large.tsv
refuse "too large an offset" "large.tsv:4: column 'trait2@3': 1234 is too large" --offset large.tsv --pheno-name trait2
sed 's/^/x/' offset.tsv | sed '1s/^x//' | awk -v OFS='\t' 'NR > 1 { $2 = "x" $2 } 1' >others.tsv
refuse "offsets of others" "others.tsv: none of its" --offset others.tsv --pheno-name trait2

# ---- coding ----
awk -v OFS='\t' 'NR > 1 { for (k = 4; k <= 5; k++) if ($k != "NA") $k++ } 1' $p >one.tsv
assoc out --pheno one.tsv --cc12
same "1/2" all/trait2.tsv.gz out/trait2.tsv.gz
expect_error "1/2, unsaid" 64 "one.tsv: trait 'trait2' holds only the values 1 and 2; say --cc12" \
    ranks 2 assoc "${of[@]}" --model logistic --pheno one.tsv --out refused

# ---- traits that cannot be tested ----
awk 'NR > 1 && $4 == 0 { print $1 "\t" $2 }' $p >controls.txt
refuse "no case" "trait 'trait2' cannot be tested: it has no cases among the samples in use; no trait is left" --pheno-name trait2 --keep controls.txt
assoc out --pheno $p --keep controls.txt
grep -q "warning: trait 'trait2' is skipped: it has no cases among the samples in use" assoc.log || fail "no case: $(cat assoc.log)"
[ -e out/trait1.tsv.gz ] && [ -e out/trait3.tsv.gz ] && [ ! -e out/trait2.tsv.gz ] || fail "no case: $(ls out)"
awk -v OFS='\t' 'NR > 1 { $3 = $4 == 1 ? "NA" : 1 } { print $1, $2, $3 }' $p >lacks.tsv
expect_error "no case has its covariate" 64 "trait 'trait2' cannot be tested: it has no cases among the samples in use" \
    ranks 3 assoc --quiet --store c.h5 --pheno $p --pheno-name trait2 --covar lacks.tsv --out refused
awk -v OFS='\t' 'NR > 1 { if ($4 == 1 && ++n > 7) $4 = "NA"; if ($5 == 0 && ++m > 9) $5 = "NA" } 1' $p >few.tsv
assoc out --pheno few.tsv
grep -q "warning: trait 'trait2' is skipped: it has 7 cases among the samples in use, fewer than 10" assoc.log || fail "few cases: $(cat assoc.log)"
grep -q "warning: trait 'trait3' is skipped: it has 9 controls among the samples in use, fewer than 10" assoc.log || fail "few controls: $(cat assoc.log)"
awk -v OFS='\t' 'NR == 1 { print $1, $2, "noise", "marker", "level"; next }
    { print $1, $2, NR * 7919 % 1009, $4 == 1 ? 5 + NR % 3 : 5 - NR % 4, $5 == 1 ? "ill" : "well" }' $p >tell.tsv
expect_error "a covariate that separates" 64 "trait 'trait2' cannot be tested: covariate 'marker' separates its cases from its controls" \
    ranks 3 assoc --quiet --store c.h5 --pheno $p --pheno-name trait2 --covar tell.tsv --covar-name noise,marker --out refused
ranks 3 assoc --quiet --store c.h5 --pheno $p --covar tell.tsv --cat-covar-name level --covar-name noise --out told 2>assoc.log || fail "a level that separates"
grep -q "warning: trait 'trait3' is skipped: covariate 'level=well' separates its cases" assoc.log || fail "a level that separates: $(cat assoc.log)"
[ -e told/trait2.tsv.gz ] && [ ! -e told/trait3.tsv.gz ] || fail "a level that separates: $(ls told)"
awk -v OFS='\t' 'NR == 1 { print $1, $2, "a", "b"; next }
    { a = NR * 7919 % 1009; print $1, $2, a, ($4 == 1 ? 40 + NR % 30 : -NR % 50) - a }' $p >sum.tsv
expect_error "covariates that separate together" 64 "trait 'trait2' cannot be tested: the covariates together separate" \
    ranks 3 assoc --quiet --store c.h5 --pheno $p --pheno-name trait2 --covar sum.tsv --out refused

# ---- a dry run ----
"$GP_DIST" assoc "${of[@]}" --pheno $p --dry-run >plan.txt || fail "dry run"
grep -q "^trait trait2: .* samples ($cases cases, $controls controls), " plan.txt || fail "the dry run counts no cases: $(cat plan.txt)"
"$GP_DIST" simulate --quiet --samples 30000 --variants 2000 --traits 2 --binary 2 --missing-pheno 0 --seed 3 --out big || fail simulate
told=$("$GP_DIST" assoc --store big.h5 --pheno big.pheno.tsv --covar big.covar.tsv --cat-covar-name batch --threads 1 --dry-run 2>/dev/null |
    sed -n 's/^memory: about \([0-9.e+]*\) MB.*/\1/p')
took=$("$GP_DIST" assoc --store big.h5 --pheno big.pheno.tsv --covar big.covar.tsv --cat-covar-name batch --threads 1 --out big 2>&1 |
    sed -n 's/.*largest rank \([0-9.]*\) MB.*/\1/p')
echo "memory: told $told MB, taken $took MB"
sanitized || awk -v told="$told" -v took="$took" 'BEGIN { exit !(took > 0 && took <= told * 1.1 && took > told / 2) }' ||
    fail "memory: told $told MB, taken $took MB"

# ---- options that do not go together ----
refuse "--test with --model linear" "command line: --test is for binary traits in logistic models, not for --model linear" --model linear --test wald
refuse "--ci with --model lmm" "command line: --ci is for binary traits" --model lmm --ci 0.9
refuse "--ci without a binary trait" "command line: --ci is for binary traits, and $p has none" --ci 0.9 --pheno-name trait1
refuse "--ci of 1" "command line: --ci: a level lies between 0 and 1" --ci 1
refuse "--firth with --test spa" "command line: --firth does not go with --test spa" --test spa --firth approx
refuse "--firth-threshold with --test wald" "command line: --firth-threshold goes with --test firth or spa" --test wald --firth-threshold 0.1
finish
