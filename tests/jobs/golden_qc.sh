#!/usr/bin/env bash
# Frequency, missingness and Hardy-Weinberg p of import and info against PLINK 2's (and PLINK 1.9's) on real cohorts.
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
. "$GP_SOURCE/tests/support/golden.sh"

# golden SET FILE: its path, gzipped or not.
golden() {
    local path
    for path in "$data/golden/$1/$2" "$data/golden/$1/$2.gz"; do
        [ -e "$path" ] && echo "$path" && return
    done
}

# check SET PREFIX GOLDEN_PREFIX
check() {
    local set=$1 prefix=$data/$1/$2 golden=$3
    "$GP_DIST" import --quiet --bfile "$prefix" --out c.h5 || fail "import $set"
    "$GP_DIST" info --variants c.h5 >variants.tsv || fail "info --variants $set"
    "$GP_DIST" info --samples c.h5 >samples.tsv || fail "info --samples $set"
    "$GP_DIST" info --verify c.h5 >/dev/null || fail "info --verify $set"
    compare_columns "$set frequency" variants.tsv id alt_frequency "$(golden "$set" "$golden.afreq")" ID ALT_FREQS
    compare_columns "$set missing by variant" variants.tsv id missing_rate "$(golden "$set" "$golden.vmiss")" ID F_MISS
    compare_columns "$set missing by sample" samples.tsv FID+IID missing_rate "$(golden "$set" "$golden.smiss")" '#FID+IID' F_MISS
    compare_columns "$set Hardy-Weinberg" variants.tsv id hwe_p "$(golden "$set" "$golden.hardy")" ID P
}

check wheat-bglr derived/wheat qc
check mice-bglr derived/mice qc
check mice-ldak mice qc
check maize-mdp derived/mdp qc
check regenie-example example qc
check fastlmm-toydata toydata.5chrom qc
check hapmap3-flashpca HM3_thinned_autosomal_overlap qc
check bigsnpr-example example qc
check bigsnpr-example example-missing missing_qc

# X: PLINK counts males once there; compare the autosomes, and the filter's test in females by PLINK 1.9.
"$GP_DIST" import --quiet --bfile "$data/plinkqc/data" --out c.h5 || fail "import plinkqc"
"$GP_DIST" info --variants c.h5 >variants.tsv || fail "info plinkqc"
for what in "afreq alt_frequency ALT_FREQS" "vmiss missing_rate F_MISS" "hardy hwe_p P"; do
    read -r file ours theirs <<<"$what"
    zcat -f "$(golden plinkqc "qc.$file")" | awk '$1 != "X" && $1 != "23"' >golden.txt
    compare_columns "plinkqc $file" variants.tsv id "$ours" golden.txt ID "$theirs"
done
[ "$(awk '$1 == 23 && $12 == "NA"' FS='\t' variants.tsv | wc -l)" = "$(awk '$1 == 23' "$data/plinkqc/data.bim" | wc -l)" ] ||
    fail "plinkqc: a Hardy-Weinberg p on X"
finish
