#!/usr/bin/env bash
# pca against PLINK 2's --pca 10 on real cohorts, both forms: every set whose calls PLINK 2 used like this (without
# missing calls, or where plink2 is here to be asked for its form with missing calls at the mean).
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
export OPENBLAS_NUM_THREADS=1

# compare WHAT OURS THEIRS: prefixes of .eigenvec and .eigenval. |correlation| above 0.9999 where the neighbouring values are
# 3% away or more, and above 0.999 elsewhere; values within 1e-4 (six digits are printed).
compare() {
    { echo @; cat "$2.eigenval"; echo @; cat "$3.eigenval"; echo @; cat "$2.eigenvec"; echo @; cat "$3.eigenvec"; } |
        awk -v what="$1" '
        function bad(text) { errors++; print "FAIL: " what ": " text }
        /^@/ { part++; line = 0; next }
        { line++ }
        part <= 2 { value[part, line] = $1; next }
        line == 1 { next }
        { for (k = 1; k <= 10; k++) v[part, $1 " " $2, k] = $(k + 2); if (part == 4) { id[++n] = $1 " " $2 } else m++ }
        END {
            if (n != m || n == 0) bad(m " samples, theirs " n)
            for (k = 1; k <= 10; k++) {
                xy = xx = yy = 0
                for (i = 1; i <= n; i++) { x = v[3, id[i], k]; y = v[4, id[i], k]; xy += x * y; xx += x * x; yy += y * y }
                r = xy / sqrt(xx * yy); r = r < 0 ? -r : r
                a = value[1, k]; b = value[2, k]
                if (a / b - 1 > 1e-4 || b / a - 1 > 1e-4) bad("value " k ": " a ", theirs " b)
                gap = value[2, k + 1] == "" ? 0 : (b - value[2, k + 1]) / b
                above = k == 1 ? 1 : (value[2, k - 1] - b) / b
                alone = gap > 0.03 && above > 0.03
                low = k == 1 || r < low ? r : low
                if (!(r > (alone ? 0.9999 : 0.999))) bad("component " k ": |correlation| " r)
            }
            printf "%s: |correlation| at least %.7f\n", what, low
            exit errors > 0
        }' || fail "$1"
}

# check SET BFILE GOLDEN: GOLDEN is a prefix of PLINK 2's files.
check() {
    local set=$1
    "$GP_DIST" import --quiet --bfile "$data/$2" --out "$set.h5" || fail "import $set"
    if [ -e "$3.eigenvec" ]; then cp "$3.eigenvec" theirs.eigenvec; else zcat "$3.eigenvec.gz" >theirs.eigenvec; fi
    cp "$3.eigenval" theirs.eigenval
    "$GP_DIST" pca --quiet --store "$set.h5" --maf 0.05 --geno 0.1 --approx --loadings --out "$set" || fail "pca $set"
    compare "$set, matrix-free" "$set/pca" theirs
    "$GP_DIST" pca --quiet --store "$set.h5" --maf 0.05 --geno 0.1 --out "$set.matrix" || fail "pca $set"
    compare "$set, from the matrix" "$set.matrix/pca" theirs
}

check wheat wheat-bglr/derived/wheat "$data/golden/wheat-bglr/pca"
check mice mice-bglr/derived/mice "$data/golden/mice-bglr/pca"
check regenie regenie-example/example "$data/golden/regenie-example/pca"
check fastlmm fastlmm-toydata/toydata.5chrom "$data/golden/fastlmm-toydata/pca"
check bigsnpr bigsnpr-example/example "$data/golden/bigsnpr-example/pca"
if command -v plink2 >/dev/null; then
    for set in maize-mdp/derived/mdp hapmap3-flashpca/HM3_thinned_autosomal_overlap; do
        plink2 --threads 1 --autosome-num 95 --bfile "$data/$set" --nonfounders --maf 0.05 --geno 0.1 \
            --pca 10 biallelic-var-wts meanimpute --out "mean" >/dev/null || fail "plink2 $set"
        check "${set%%/*}" "$set" mean
        # Loadings too, in the same lines; a component's sign is arbitrary, and which of two alleles is the major one
        # PLINK 2 decides in its own way where their frequencies are near.
        paste mean.eigenvec.var "${set%%/*}/pca.eigenvec.var" | awk 'NR > 1 {
            if ($2 != $16 || ($3 != $17 && ($3 != $18 || $19 > 0.55))) { print "line " NR ": " $2 " " $3 ", ours " $16 " " $17; bad++ }
            for (k = 5; k <= 14; k++) { xy[k] += ($3 == $17 ? 1 : -1) * $k * $(k + 15); xx[k] += $k * $k; yy[k] += $(k + 15) * $(k + 15) } }
            END { for (k = 5; k <= 14; k++) { r = xy[k] / sqrt(xx[k] * yy[k]); s = xx[k] / yy[k]
                      if (r * r < 0.9999 || s < 0.9999 || s > 1.0001) { print "PC" k - 4 ": " r ", scale " s; bad++ } }
                  exit bad > 0 || NR < 1000 }' || fail "loadings of $set"
    done
else
    echo "without plink2: maize-mdp and hapmap3-flashpca, which have missing calls, are not compared"
fi
finish
