#!/usr/bin/env bash
# assoc --model lmm against GEMMA's -lmm 4 on real cohorts: effects, standard errors, Wald's p, and the heritability of the null
# model, for the same matrix (GEMMA's own text where it is whole; else ours, which golden_grm.sh compares with GEMMA's).
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
compared=0

# compare_lmm WHAT OURS GOLDEN [COPIES]: effects are per so many copies in GEMMA's table (1). beta within 1e-4 of the larger of |beta| and se, se within 1e-4, -log10 p within 1e-3. GEMMA lists
# what passes its filters; each of those must be in our table.
compare_lmm() {
    { echo "@ours"; zcat "$2"; echo "@golden"; zcat "$3"; } | awk -v what="$1" -v copies="${4:-1}" '
        function abs(x) { return x < 0 ? -x : x }
        function bad(text) { if (errors++ < 5) print "FAIL: " what ": " key ": " text }
        function note(k, x) { if (x > worst[k]) worst[k] = x }
        /^@/ { part = $1; line = 0; next }
        { line++ }
        part == "@ours" && line > 1 {
            key = $1 ":" $2 ":" $10
            effect[key] = $3; beta[key] = copies * $5; se[key] = copies * $6; freq[key] = $7; nlp[key] = $12; status[key] = $13
        }
        part == "@golden" && line == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
        part == "@golden" && line > 1 {
            key = $col["chr"] ":" $col["ps"] ":" $col["rs"]
            if (!(key in status)) { bad("is not in our table"); next }
            if (status[key] != "OK") { bad("status " status[key]); next }
            sign = $col["allele1"] == effect[key] ? 1 : -1
            b = sign * $col["beta"]; s = $col["se"]; l = -log($col["p_wald"]) / log(10)
            d = abs(beta[key] - b) / (abs(b) > s ? abs(b) : s); note("beta", d)
            if (d > 1e-4) bad("beta " beta[key] ", GEMMA " b)
            d = abs(se[key] / s - 1); note("se", d)
            if (d > 1e-4) bad("se " se[key] ", GEMMA " s)
            d = abs(nlp[key] - l); note("-log10 p", d)
            if (d > 1e-3) bad("-log10 p " nlp[key] ", GEMMA " l)
            compared++
        }
        END {
            key = "all"
            if (compared == 0) bad("nothing was compared")
            printf "%s: %d variants, largest differences: beta %.1e, se %.1e, -log10 p %.1e\n", what, compared, worst["beta"], worst["se"], worst["-log10 p"]
            exit errors > 0
        }' || fail "$1"
}

# compare_h2 WHAT TRAIT VARIANCE LOG: heritability and its standard error within 1e-4; at an end of the range we give no standard
# error.
compare_h2() {
    awk -v what="$1" -v trait="$2" '
        function abs(x) { return x < 0 ? -x : x }
        FILENAME == ARGV[1] { if ($1 == trait && $2 == "none") { h2 = $7; se = $8 } next }
        /^## pve estimate/ { pve = $NF }
        /^## se\(pve\)/ { pve_se = $NF }
        END {
            printf "%s: heritability %s (%s), GEMMA %s (%s)\n", what, h2, se, pve, pve_se
            exit !(h2 != "" && abs(h2 - pve) < 1e-4 && (se == "#NA" ? h2 < 1e-4 || h2 > 1 - 1e-4 : abs(se - pve_se) < 1e-4))
        }' "$3" "$4" || fail "$1: heritability"
}

# check SET RESULTS TRAIT...
check() {
    local set=$1 results=$2 trait
    shift 2
    for trait in "$@"; do
        compare_lmm "$set $trait" "$results/$trait.tsv.gz" "$data/golden/$set/lmm4.$trait.assoc.txt.gz"
        compare_h2 "$set $trait" "$trait" "$results/variance.tsv" "$data/golden/$set/lmm4.$trait.log.txt"
        compared=$((compared + 1))
    done
}

# import NAME BFILE: the store, and GEMMA's kind of matrix of it.
import() {
    "$GP_DIST" import --quiet --bfile "$data/$2" --out "$1.h5" || fail "import $1"
    "$GP_DIST" grm --quiet --store "$1.h5" --centred --maf 0.01 --geno 0.05 --out "$1.grm" || fail "grm $1"
}

# lmm NAME GRM ARGS...: results in NAME.lmm.
lmm() {
    local name=$1 grm=$2
    shift 2
    "$GP_DIST" assoc --quiet --model lmm --no-loco --store "$name.h5" --grm "$grm" --out "$name.lmm" "$@" || fail "assoc $name"
}

import wheat wheat-bglr/derived/wheat
lmm wheat wheat.grm/grm.h5 --pheno "$data/wheat-bglr/derived/wheat.pheno.txt"
check wheat-bglr wheat.lmm env1 env2 env4 env5

import maize maize-mdp/derived/mdp
zcat "$data/golden/maize-mdp/K.cXX.txt.gz" >maize.K.txt
lmm maize maize.K.txt --pheno "$data/maize-mdp/derived/mdp.pheno.txt" --covar "$data/maize-mdp/derived/mdp.covar.txt"
check maize-mdp maize.lmm EarHT dpoll EarDia

import mice mice-bglr/derived/mice
lmm mice mice.grm/grm.h5 --pheno "$data/mice-bglr/derived/mice.pheno.txt" --pheno-name Obesity.BodyLength,Obesity.EndNormalBW \
    --covar "$data/mice-bglr/derived/mice.covar.txt"
check mice-bglr mice.lmm Obesity.BodyLength Obesity.EndNormalBW

import regenie regenie-example/example
lmm regenie regenie.grm/grm.h5 --pheno "$data/regenie-example/phenotype.txt" --covar "$data/regenie-example/covariates.txt"
check regenie-example regenie.lmm Y1 Y2

import toy fastlmm-toydata/toydata.5chrom
{ echo FID IID PHENO1; cat "$data/fastlmm-toydata/toydata.phe"; } >toy.pheno
{ echo FID IID COVAR1; cat "$data/fastlmm-toydata/toydata.cov"; } >toy.covar
lmm toy toy.grm/grm.h5 --pheno toy.pheno --covar toy.covar
check fastlmm-toydata toy.lmm PHENO1

import ldak mice-ldak/mice
{ echo FID IID PHENO1; cat "$data/mice-ldak/mice.pheno"; } >ldak.pheno
zcat -f "$data/golden/mice-ldak/hs1940.pheno.txt"* >hs1940.pheno
lmm ldak ldak.grm/grm.h5 --pheno hs1940.pheno
check mice-ldak ldak.lmm CD8 MCH
lmm ldak ldak.grm/grm.h5 --pheno ldak.pheno
check mice-ldak ldak.lmm PHENO1

# BIMBAM's mean genotypes 0, 0.5 and 1 as calls: 0, 1 and 2 copies of half an effect each.
bxd=$data/bxd-gemma
zcat "$bxd/BXD_geno.txt.gz" | awk -F ', *' -v snps="$bxd/BXD_snps.txt" '
    function code(v) { return v == 1 ? 0 : v == 0.5 ? 2 : v == 0 ? 3 : 1 }
    BEGIN {
        while ((getline line <snps) > 0) { split(line, s, /[ \t]+/); position[s[1]] = s[2]; chromosome[s[1]] = s[3] }
        for (i = 1; i <= 198; i++) print i, i, 0, 0, 0, -9 >"bxd.fam"
        printf "\\0154\\0033\\0001"
    }
    {
        print chromosome[$1], $1, 0, position[$1], $2, $3 >"bxd.bim"
        for (i = 4; i <= NF; i += 4) {
            byte = 0
            for (k = 3; k >= 0; k--) byte = 4 * byte + (i + k <= NF ? code($(i + k)) : 0)
            printf "\\0%03o", byte
        }
    }' >bxd.octal
printf '%b' "$(cat bxd.octal)" >bxd.bed
"$GP_DIST" import --quiet --bfile bxd --out bxd.h5 || fail "import bxd"
zcat "$data/golden/bxd-gemma/BXD.cXX.txt.gz" >bxd.K.txt
{ echo FID IID pheno; awk '{ print NR, NR, $1 }' "$bxd/BXD_pheno.txt"; } >bxd.pheno
{ echo FID IID c1 c2; awk '{ print NR, NR, $1, $2 }' "$bxd/BXD_covariates2.txt"; } >bxd.covar
lmm bxd bxd.K.txt --pheno bxd.pheno --covar bxd.covar
compare_lmm "bxd-gemma" bxd.lmm/pheno.tsv.gz "$data/golden/bxd-gemma/BXD_lmm4.assoc.txt.gz" 2
compare_h2 "bxd-gemma" pheno bxd.lmm/variance.tsv "$data/golden/bxd-gemma/BXD_lmm4.log.txt"
compared=$((compared + 1))

[ "$compared" = 16 ] || fail "$compared comparisons, not 16"
finish
