#!/usr/bin/env bash
# train with its default settings on 599 lines of wheat in 4 environments, the ten folds of the published data: within-fold correlation
# at least that of GBLUP by a program of its own. Source: Crossa et al. 2010, Genetics 186:713; Perez and de los Campos 2014, Genetics
# 198:483 (the data's folds).
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data/wheat-bglr/derived
[ -d "$data" ] || { echo "skipped: no reference cohorts"; exit 77; }
sanitized && { echo "skipped: too slow with sanitizers"; exit 77; }

"$GP_DIST" import --quiet --bfile "$data/wheat" --out wheat.h5 || fail import
{ echo FID IID fold; paste -d ' ' <(awk '{ print $1, $2 }' "$data/wheat.fam") "$data/wheat.sets.txt"; } >folds.tsv
"$GP_DIST" train --store wheat.h5 --pheno "$data/wheat.pheno.txt" --pheno-name env1,env2,env4,env5 --fold-file folds.tsv \
    --out wheat 2>err.log || fail "train: $(tail -3 err.log)"

# mean_r MODEL TRAIT: over the folds.
mean_r() {
    awk -F '\t' -v model="$1" -v trait="$2" '$1 == trait && $2 == model && $3 != "all" { r += $6; n++ }
        END { if (n != 10) exit 1; printf "%.4f", r / n }' wheat/metrics.tsv
}
sum=0
while read -r trait gblup; do
    ridge=$(mean_r ridge "$trait")
    network=$(mean_r transformer "$trait")
    echo "$trait: GBLUP $gblup, ridge $ridge, transformer $network"
    # GBLUP's is given with two digits
    awk -v a="$network" -v b="$gblup" 'BEGIN { exit !(a >= b - 0.005) }' || fail "$trait: below GBLUP"
    # another penalty (cross-validation, not REML) moves ridge by less than a standard error of the folds
    awk -v a="$ridge" -v b="$gblup" 'BEGIN { exit !(a >= b - 0.01 && a <= b + 0.01) }' || fail "$trait: ridge is not GBLUP"
    sum=$(awk -v s="$sum" -v a="$network" -v b="$ridge" 'BEGIN { print s + a - b }')
done <<'T'
env1 0.53
env2 0.48
env4 0.40
env5 0.47
T
# 0.058 was seen; rounding of another CPU moves it by some thousandths
awk -v s="$sum" 'BEGIN { exit !(s > 0.03) }' || fail "over all traits the networks add too little: $sum"
finish
