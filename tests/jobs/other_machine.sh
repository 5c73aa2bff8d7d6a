#!/usr/bin/env bash
# Another machine's gp-dist, in GP_OTHER, writes the same bytes as this machine's. Run by tests/arm64.sh.
. "$GP_SOURCE/tests/support/lib.sh"

# work FOLDER: a cohort and what assoc finds in it, by $GP_DIST, on 1 and 3 ranks.
work() {
    mkdir "$1" && cd "$1" || exit 1
    "$GP_DIST" simulate --quiet --samples 300 --variants 1500 --chromosomes 3 --traits 3 --binary 1 \
        --missing-rate 0.02 --missing-pheno 0.05 --seed 11 --out cohort || fail "$1: simulate"
    local options=(--quiet --model linear --store cohort.h5 --pheno cohort.pheno.tsv --covar cohort.covar.tsv
        --cat-covar-name batch --maf 0.01)
    "$GP_DIST" assoc "${options[@]}" --threads 2 --out one || fail "$1: assoc"
    "$GP_DIST" assoc "${options[@]}" --missing mean --out mean || fail "$1: assoc, mean"
    ranks 3 assoc "${options[@]}" --sample-shards 3 --out three || fail "$1: assoc, 3 ranks"
    cd ..
}

work here
GP_DIST=$GP_OTHER work there
[ "$(find here -type f | wc -l)" = 34 ] || fail "$(find here -type f | wc -l) files, not 34"
diff -r here there >&2 || fail "the machines' files differ"
finish
