#!/usr/bin/env bash
# assoc of binary traits against models fitted in double precision (here), PLINK 2's --glm logistic and firth, plink 1.9's counts,
# and REGENIE's score tests with approximate Firth correction.
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
compared=0

# compare SCRIPT ARGS...: of tests/support/.
compare() {
    python3 "$GP_SOURCE/tests/support/$1.py" "${@:2}" || fail "$*"
    compared=$((compared + 1))
}

# assoc STORE OUT ARGS...
assoc() {
    local store=$1 out=$2
    shift 2
    "$GP_DIST" assoc --quiet --store "$store" --out "$out" "$@" 2>assoc.log || fail "assoc $out: $(cat assoc.log)"
}

# Every test of a small cohort with missing calls and rare variants, both ways with missing calls.
"$GP_DIST" simulate --quiet --samples 300 --variants 40 --chromosomes 2 --traits 1 --binary 1 --prevalence 0.2 --causal 4 \
    --missing-rate 0.05 --seed 3 --plink --out cohort || fail simulate
for missing in exact mean; do
    for options in "score score" "wald wald" "firth firth --firth exact --firth-threshold 1" \
        "approx firth --firth approx --firth-threshold 1" "spa spa --firth-threshold 1"; do
        # shellcheck disable=SC2086 # the options are meant to be split
        set -- $options
        assoc cohort.h5 "$missing/$1" --pheno cohort.pheno.tsv --covar cohort.covar.tsv --covar-name age,sex,exposure \
            --missing "$missing" --test "${@:2}"
    done
    compare logistic_models cohort trait1 "$missing" "$missing"
done
[ "$compared" = 2 ] || fail "$compared comparisons, not 2"
[ -d "$data/golden" ] || { echo "no reference cohorts: compared with our own models alone"; finish; }

# REGENIE's example: two traits, three covariates; in the second table a tenth of Y1 is missing.
regenie=$data/regenie-example
golden=$data/golden/regenie-example
"$GP_DIST" import --quiet --bfile "$regenie/example" --out regenie.h5 || fail "import regenie"
assoc regenie.h5 wald --pheno "$regenie/phenotype_bin.txt" --covar "$regenie/covariates.txt" --test wald
assoc regenie.h5 firth --pheno "$regenie/phenotype_bin.txt" --covar "$regenie/covariates.txt" --test firth --firth exact --firth-threshold 1
assoc regenie.h5 missing --pheno "$regenie/phenotype_bin_wNA.txt" --covar "$regenie/covariates.txt" --test wald
for trait in Y1 Y2; do
    compare logistic plink2 "wald/$trait.tsv.gz" "$golden/logi.$trait.glm.logistic.gz" wald
    compare logistic plink2 "firth/$trait.tsv.gz" "$golden/firth.$trait.glm.firth.gz" firth
    compare logistic plink2 "missing/$trait.tsv.gz" "$golden/logi_wNA.$trait.glm.logistic.gz" wald
    column=$([ "$trait" = Y1 ] && echo 3 || echo 4)
    for table in wald:phenotype_bin missing:phenotype_bin_wNA; do # no call of the example is missing
        read -r cases controls < <(awk -v c="$column" 'NR > 1 { n[$c]++ } END { print n[1], n[0] }' "$regenie/${table#*:}.txt")
        compare logistic cases "${table%:*}/$trait.tsv.gz" "$cases" "$controls"
    done
done

# REGENIE itself: score tests, below 0.01 the approximate form; and all variants by an older release.
assoc regenie.h5 approx --pheno "$regenie/phenotype_bin.txt" --pheno-name Y1 --covar "$regenie/covariates.txt" \
    --remove "$regenie/fid_iid_to_remove.txt" --test firth --firth approx --firth-threshold 0.01
compare logistic regenie approx/Y1.tsv.gz "$regenie/test_bin_out_firth_Y1.regenie" exactly
assoc regenie.h5 all --pheno "$regenie/phenotype_bin.txt" --covar "$regenie/covariates.txt" --test firth --firth approx --firth-threshold 1
for trait in Y1 Y2; do
    compare logistic regenie "all/$trait.tsv.gz" "$regenie/expected-regenie/test_bin_out_firth_$trait.regenie" roughly
done

# bigsnpr's example: the trait is the .fam's, 1 control and 2 case.
bigsnpr=$data/bigsnpr-example
golden=$data/golden/bigsnpr-example
"$GP_DIST" import --quiet --bfile "$bigsnpr/example" --out bigsnpr.h5 || fail "import bigsnpr"
awk 'BEGIN { print "FID IID PHENO1" } { print $1, $2, $6 }' "$bigsnpr/example.fam" >bigsnpr.pheno
zcat "$golden/pca.eigenvec.gz" >bigsnpr.covar
assoc bigsnpr.h5 big --pheno bigsnpr.pheno --cc12 --test wald
assoc bigsnpr.h5 big10 --pheno bigsnpr.pheno --cc12 --covar bigsnpr.covar --test wald
assoc bigsnpr.h5 bigfirth --pheno bigsnpr.pheno --cc12 --test firth --firth exact --firth-threshold 1
compare logistic plink2 big/PHENO1.tsv.gz "$golden/logi.PHENO1.glm.logistic.gz" wald
compare logistic plink2 big10/PHENO1.tsv.gz "$golden/logi_pc10.PHENO1.glm.logistic.gz" wald
compare logistic plink2 bigfirth/PHENO1.tsv.gz "$golden/firth.PHENO1.glm.firth.gz" firth
compare logistic model big/PHENO1.tsv.gz "$golden/model19.model.gz"

[ "$compared" = 19 ] || fail "$compared comparisons, not 19"
finish
