#!/usr/bin/env bash
# grm against GEMMA's -gk 1 (centred) on real cohorts, and against PLINK 2's --make-rel (standardised): within 1e-6.
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
compared=0

matrix() {
    python3 "$GP_SOURCE/tests/support/matrix.py" "$@"
}

# grm STORE VARIANTS ARGS...: DIR/grm.txt in out/, of so many variants.
grm() {
    local store=$1 variants=$2
    shift 2
    rm -rf out
    ranks 2 grm --store "$store" --out out --export-text "$@" 2>log || fail "grm $store: $(head -c 300 log)"
    grep -q " $variants variants, " log || fail "grm $store: not $variants variants: $(cat log)"
}

# centred SET BFILE VARIANTS: GEMMA's filter is the default one: MAF >= 0.01, missing <= 0.05.
centred() {
    local golden=$data/golden/$1
    "$GP_DIST" import --quiet --bfile "$data/$2" --out store.h5 || fail "import $2"
    grm store.h5 "$3" --centred --maf 0.01 --geno 0.05
    matrix summary out/grm.txt "$golden/K.summary.json" 1e-6 || fail "$1"
    if [ -e "$golden/K.cXX.txt.gz" ]; then
        matrix whole out/grm.txt "$golden/K.cXX.txt.gz" 1e-6 || fail "$1"
    fi
    compared=$((compared + 1))
}

centred wheat-bglr wheat-bglr/derived/wheat 1278
centred mice-bglr mice-bglr/derived/mice 10346
centred mice-ldak mice-ldak/mice 2951
centred maize-mdp maize-mdp/derived/mdp 2075
centred regenie-example regenie-example/example 1000
centred fastlmm-toydata fastlmm-toydata/toydata.5chrom 10000

# BXD: dosages of 0, 0.5 and 1, stored twice as large. GEMMA's filter looks at the samples that have a phenotype and
# covariates only, and leaves out what the covariates explain; the matrix is of all samples.
bxd=$data/bxd-gemma
matrix bimbam "$bxd/BXD_geno.txt.gz" bxd
paste -d ' ' "$bxd/BXD_pheno.txt" "$bxd/BXD_covariates2.txt" | awk '{ print !/NA/, $2, $3 }' >analysed
matrix gemma bxd analysed 2 >ids
"$GP_DIST" import --quiet --bfile bxd --out bxd.h5 || fail "import bxd"
grm bxd.h5 7317 --centred --extract ids
matrix whole out/grm.txt "$data/golden/bxd-gemma/BXD.cXX.txt.gz" 1e-6 0.25 || fail "BXD"
compared=$((compared + 1))

awk '{ print $6 != -9 }' "$bxd/issue188/2000.fam" >analysed
matrix gemma "$bxd/issue188/2000" analysed 1 >ids
"$GP_DIST" import --quiet --bfile "$bxd/issue188/2000" --out issue.h5 || fail "import issue188"
grm issue.h5 1850 --centred --extract ids
matrix summary out/grm.txt "$data/golden/bxd-gemma/issue188.K.summary.json" 1e-6 || fail "issue188"
compared=$((compared + 1))

[ "$compared" = 8 ] || fail "$compared comparisons, not 8"

# A tenth of maize's calls are missing; mice have the more samples.
if command -v plink2 >/dev/null; then
    for bfile in maize-mdp/derived/mdp mice-ldak/mice; do
        plink2 --silent --threads 1 --autosome-num 95 --bfile "$data/$bfile" --nonfounders --maf 0.05 --geno 0.1 \
            --make-rel square bin meanimpute --out theirs || fail "plink2 $bfile"
        "$GP_DIST" import --quiet --bfile "$data/$bfile" --out store.h5 || fail "import $bfile"
        variants=$(sed -n 's/^\([0-9]*\) variants\{0,1\} remaining after main filters.*/\1/p' theirs.log)
        grm store.h5 "$variants" --maf 0.05 --geno 0.1
        matrix whole out/grm.txt theirs.rel.bin 1e-6 || fail "plink2: $bfile"
    done
else
    echo "no plink2 here: the standardised form was not compared"
fi
finish
