#!/usr/bin/env bash
# pca: bytes, projection, files and bad input.
. "$GP_SOURCE/tests/support/lib.sh"
export OPENBLAS_NUM_THREADS=1

# Above 4,096 samples thin matrices are cut; one sample in 9 is left out.
"$GP_DIST" simulate --quiet --samples 4700 --variants 1200 --chromosomes 3 --missing-rate 0.02 --seed 5 --out cohort ||
    fail "simulate"
awk 'NR > 1 && NR % 9 == 0 { print $1, $2 }' cohort.pheno.tsv >left_out
options=(--quiet --store cohort.h5 --maf 0.05 --remove left_out --components 3)
"$GP_DIST" pca "${options[@]}" --approx --loadings --threads 1 --out one || fail "one rank"
# files DIR NAME...: all that a directory has.
files() {
    local got dir=$1
    shift
    got=$(find "$dir" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')
    [ "$got" = "$* " ] || fail "files in $dir: $got"
}
files one pca.eigenval pca.eigenvec pca.eigenvec.var
awk -v n="$(($(wc -l <cohort.pheno.tsv) - 1 - $(wc -l <left_out)))" '
    NR == 1 && $0 != "#FID\tIID\tPC1\tPC2\tPC3" { print "header: " $0; bad = 1 }
    NR > 1 { for (k = 3; k <= 5; k++) { s[k] += $k * $k; if ($k * $k > m[k] * m[k]) m[k] = $k } }
    END {
        if (NR - 1 != n) { print NR - 1 " lines, not " n; bad = 1 }
        for (k = 3; k <= 5; k++)
            if (s[k] < 1 - 1e-6 || s[k] > 1 + 1e-6 || m[k] < 0) { print "PC" k - 2 ": length^2 " s[k] ", largest " m[k]; bad = 1 }
        exit bad
    }' one/pca.eigenvec || fail "pca.eigenvec"

# try WHAT COMMAND...: the command's --out is "other"; every file must be as one rank wrote it.
try() {
    local what=$1
    shift
    rm -rf other
    "$@" >log 2>&1 || fail "$what: $(head -c 300 log)"
    diff -r one other >/dev/null || fail "$what: other bytes"
}
for n in 2 3 4; do # the fourth has no rows of thin matrices
    try "$n ranks" ranks "$n" pca "${options[@]}" --approx --loadings --threads 1 --out other
done
try "2 threads" "$GP_DIST" pca "${options[@]}" --approx --loadings --threads 2 --out other

# correlations A B: the smallest |correlation| of the same column of two tables.
correlations() {
    paste "$1" "$2" | awk 'NR == 1 { c = NF / 2; next }
        { for (k = 3; k <= c; k++) { xy[k] += $k * $(k + c); xx[k] += $k * $k; yy[k] += $(k + c) * $(k + c) } }
        END { low = 1; for (k = 3; k <= c; k++) { r = xy[k] / sqrt(xx[k] * yy[k]); if (r < low) low = r } printf "%.9f", low }'
}
# above WHAT LEAST VALUE
above() {
    awk -v a="$2" -v b="$3" 'BEGIN { exit !(b > a) }' || fail "$1: $3, not above $2"
}

# The samples that made the components come back to where they were.
"$GP_DIST" pca --quiet --store cohort.h5 --remove left_out --project one --out again || fail "project"
above "projection of the same samples" 0.999999 "$(correlations one/pca.eigenvec again/pca.projected)"
ranks 3 pca --quiet --store cohort.h5 --remove left_out --project one --out again3 || fail "project, 3 ranks"
same "projection on 3 ranks" again/pca.projected again3/pca.projected

# Swapped alleles are the same genotypes.
awk 'BEGIN { FS = OFS = "\t" } NR > 1 && NR % 2 { a = $3; $3 = $4; $4 = a; $5 = 1 - $5; for (k = 6; k <= NF; k++) $k = -$k } 1' \
    one/pca.eigenvec.var >swapped.var
mkdir -p turned && cp one/pca.eigenval turned/ && cp swapped.var turned/pca.eigenvec.var
"$GP_DIST" pca --quiet --store cohort.h5 --remove left_out --project turned --out again2 || fail "project, swapped"
above "projection with swapped alleles" 0.999999 "$(correlations one/pca.eigenvec again2/pca.projected)"

# From the matrix: the same components on any number of ranks, to what a distributed solver leaves.
awk 'NR > 1 && NR < 500 { print $1, $2 }' cohort.pheno.tsv >some
"$GP_DIST" pca "${options[@]}" --keep some --approx --out free || fail "some samples"
for n in 1 3; do
    ranks "$n" pca "${options[@]}" --keep some --out "matrix$n" || fail "matrix, $n ranks"
    above "matrix on $n ranks" 0.9999999 "$(correlations free/pca.eigenvec "matrix$n/pca.eigenvec")"
    files "matrix$n" pca.eigenval pca.eigenvec
    paste free/pca.eigenval "matrix$n/pca.eigenval" | awk '{ d = $1 / $2 - 1 } d * d > 1e-14 { exit 1 }' || fail "values, $n ranks"
done

"$GP_DIST" pca "${options[@]}" --approx --dry-run --out nowhere >plan || fail "dry run"
grep -q '^components: 3, matrix-free' plan || fail "dry run: $(cat plan)"
[ -e nowhere ] && fail "dry run made a directory"

# assoc --pca: components as covariates, the same bytes on any ranks.
"$GP_DIST" assoc --quiet --store cohort.h5 --pheno cohort.pheno.tsv --pheno-name trait1 --pca 3 --out pcs1 || fail "assoc --pca"
ranks 3 assoc --quiet --store cohort.h5 --pheno cohort.pheno.tsv --pheno-name trait1 --pca 3 --out pcs3 || fail "assoc --pca, 3 ranks"
same "assoc --pca" pcs1/trait1.tsv.gz pcs3/trait1.tsv.gz
grep -q 'PC1,PC2,PC3\|PC3' pcs1/trait1.tsv.gz-meta.yaml || fail "the metadata do not name the components"
"$GP_DIST" pca --quiet --store cohort.h5 --maf 0.05 --geno 0.05 --components 3 --approx --out like || fail "components by hand"
"$GP_DIST" assoc --quiet --store cohort.h5 --pheno cohort.pheno.tsv --pheno-name trait1 --covar like/pca.eigenvec --out hand ||
    fail "assoc with components by hand"
paste <(zcat pcs1/trait1.tsv.gz) <(zcat hand/trait1.tsv.gz) | awk '
    NR > 1 && $13 == "OK" { d = ($5 - $18) / $6; if (d < 0) d = -d; if (d > worst) worst = d }
    END { exit !(NR > 100 && worst < 1e-3) }' || fail "assoc --pca and components by hand differ"
expect_error "a covariate of that name" 64 "command line: --pca makes a covariate 'PC1'" \
    "$GP_DIST" assoc --store cohort.h5 --pheno cohort.pheno.tsv --covar like/pca.eigenvec --pca 3 --out bad

# Bad input: one line, 64, nothing left.
head -5 cohort.pheno.tsv | awk 'NR > 1 { print $1, $2 }' >few
awk 'NR > 1 && NR < 8 { print $2 }' one/pca.eigenvec.var >ids
bad() {
    local what=$1 pattern=$2
    shift 2
    expect_error "$what" 64 "$pattern" "$@"
    [ -e bad ] && fail "$what: left $(ls -A bad)"
}
bad "no store" "command line: pca needs --store" "$GP_DIST" pca --out bad
bad "more than samples" ".*10 components are asked for, and there are only 4 samples" \
    "$GP_DIST" pca --store cohort.h5 --keep few --out bad
bad "more than variants" ".*10 components are asked for, and there are only 6 variants" \
    "$GP_DIST" pca --store cohort.h5 --extract ids --approx --out bad
bad "more than variants, from the matrix" ".*10 components are asked for, and there are only 6 variants" \
    ranks 3 pca --store cohort.h5 --extract ids --keep some --out bad
bad "more directions than samples less one" ".*only 3 directions have any variance" \
    "$GP_DIST" pca --store cohort.h5 --keep few --maf 0.3 --components 4 --out bad
bad "more directions than samples less one, matrix-free" ".*only 3 directions have any variance" \
    "$GP_DIST" pca --store cohort.h5 --keep few --maf 0.3 --components 4 --approx --out bad
bad "no variant" ".*no variant is left" "$GP_DIST" pca --store cohort.h5 --mac 1e9 --out bad
bad "no variant, matrix-free" ".*no variant is left" ranks 2 pca --store cohort.h5 --mac 1e9 --approx --out bad
bad "matrix and no matrix" "command line: --approx takes no --grm" \
    "$GP_DIST" pca --store cohort.h5 --approx --grm x --out bad
bad "filter of loadings" "command line: --maf does not go with --project" \
    "$GP_DIST" pca --store cohort.h5 --project one --maf 0.1 --out bad
bad "no loadings" "matrix1/pca.eigenvec.var: " "$GP_DIST" pca --store cohort.h5 --project matrix1 --out bad
mkdir -p strange && cp one/pca.eigenval strange/ && sed 's/\tA\t\|\tC\t\|\tG\t\|\tT\t/\tN\t/g; s/^\([^\t]*\)\t/\1\tz/' one/pca.eigenvec.var |
    sed '1s/.*/#CHROM\tID\tMAJ\tNONMAJ\tMAJ_FREQ\tPC1\tPC2\tPC3/' >strange/pca.eigenvec.var
bad "other variants" ".*none of its variants has an id" ranks 2 pca --store cohort.h5 --project strange --out bad
bad "filter of a matrix" "command line: --maf does not go with --grm" "$GP_DIST" pca --store cohort.h5 --grm x --maf 0.1 --out bad
cp -r one again && "$GP_DIST" pca --quiet --store cohort.h5 --maf 0.05 --components 3 --approx --out again || fail "a second run"
[ ! -e again/pca.eigenvec.var ] || fail "loadings of an earlier run were left"
finish
