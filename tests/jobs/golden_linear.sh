#!/usr/bin/env bash
# assoc --model linear against PLINK 2's --glm on real cohorts: every set with a quantitative trait.
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
. "$GP_SOURCE/tests/support/golden.sh"
compared=0

# header FIRST_LINE FILE...: a table with a header in place of one without.
header() {
    printf '%s\n' "$1"
    shift
    zcat -f "$@"
}

# check SET RESULTS PREFIX TRAIT...: RESULTS/TRAIT.tsv.gz against golden/SET/PREFIX.TRAIT.glm.linear.gz.
check() {
    local set=$1 results=$2 prefix=$3 trait
    shift 3
    for trait in "$@"; do
        compare_glm "$set $prefix $trait" "$results/$trait.tsv.gz" "$data/golden/$set/$prefix.$trait.glm.linear.gz"
        compared=$((compared + 1))
    done
}

# assoc STORE OUT ARGS...
assoc() {
    local store=$1 out=$2
    shift 2
    "$GP_DIST" assoc --quiet --model linear --store "$store" --out "$out" "$@" || fail "assoc $out"
}

import() {
    "$GP_DIST" import --quiet --bfile "$data/$1" --out "$2" || fail "import $1"
}

import wheat-bglr/derived/wheat wheat.h5
zcat "$data/golden/wheat-bglr/pca.eigenvec.gz" >pcs.txt
assoc wheat.h5 wheat --pheno "$data/wheat-bglr/derived/wheat.pheno.txt"
assoc wheat.h5 wheat10 --pheno "$data/wheat-bglr/derived/wheat.pheno.txt" --covar pcs.txt
check wheat-bglr wheat lin env1 env2 env4 env5
check wheat-bglr wheat10 lin_pc10 env1 env2 env4 env5

import mice-bglr/derived/mice mice.h5
mice="Obesity.BMI Obesity.BodyLength Obesity.EndNormalBW Biochem.HDL"
# shellcheck disable=SC2086 # the list is meant to be split
assoc mice.h5 mice --pheno "$data/mice-bglr/derived/mice.pheno.txt" --pheno-name "$(echo $mice | tr ' ' ,)" \
    --covar "$data/mice-bglr/derived/mice.covar.txt"
# shellcheck disable=SC2086
check mice-bglr mice lin $mice

import maize-mdp/derived/mdp maize.h5
assoc maize.h5 maize --pheno "$data/maize-mdp/derived/mdp.pheno.txt"
assoc maize.h5 maizeQ --pheno "$data/maize-mdp/derived/mdp.pheno.txt" --covar "$data/maize-mdp/derived/mdp.covar.txt"
check maize-mdp maize lin EarHT dpoll EarDia
check maize-mdp maizeQ lin_Q EarHT dpoll EarDia

import regenie-example/example regenie.h5
assoc regenie.h5 regenie --pheno "$data/regenie-example/phenotype.txt" --covar "$data/regenie-example/covariates.txt"
assoc regenie.h5 regenie0 --pheno "$data/regenie-example/phenotype.txt"
check regenie-example regenie lin Y1 Y2
check regenie-example regenie0 lin_nocov Y1 Y2

import fastlmm-toydata/toydata.5chrom toy.h5
header "FID IID PHENO1" "$data/fastlmm-toydata/toydata.phe" >toy.pheno
header "FID IID COVAR1" "$data/fastlmm-toydata/toydata.cov" >toy.covar
assoc toy.h5 toy --pheno toy.pheno --covar toy.covar
check fastlmm-toydata toy lin PHENO1

import mice-ldak/mice ldak.h5
header "FID IID PHENO1" "$data/mice-ldak/mice.pheno" >ldak.pheno
zcat -f "$data/golden/mice-ldak/hs1940.pheno.txt"* >hs1940.pheno
assoc ldak.h5 ldak --pheno ldak.pheno
assoc ldak.h5 ldak --pheno hs1940.pheno
check mice-ldak ldak lin PHENO1 CD8 MCH

[ "$compared" = 26 ] || fail "$compared comparisons, not 26"
finish
