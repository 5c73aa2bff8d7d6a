#!/usr/bin/env bash
# assoc gives the same bytes for any number of ranks, threads and sample shards, and for every kernel.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 500 --variants 4000 --chromosomes 5 --traits 3 --binary 1 --missing-rate 0.02 \
    --missing-pheno 0.05 --seed 11 --out cohort || fail "simulate"
options=(--quiet --model linear --store cohort.h5 --pheno cohort.pheno.tsv --covar cohort.covar.tsv --cat-covar-name batch --maf 0.01)
"$GP_DIST" assoc "${options[@]}" --threads 1 --out one || fail "one rank"
[ "$(zcat one/trait1.tsv.gz | awk 'NR > 1 && $13 == "OK"' | wc -l)" -gt 3000 ] || fail "few variants have a number"
files=(one/*)
[ ${#files[@]} = 10 ] || fail "${#files[@]} files, not filters.tsv, and a table, an index and metadata for each of 3 traits"

# try WHAT COMMAND...: the command's --out is "other"; every file must be as one rank wrote it.
try() {
    local what=$1
    shift
    rm -rf other
    "$@" >log 2>&1 || fail "$what: $(head -c 300 log)"
    diff -r one other >/dev/null || fail "$what: other bytes"
}

for n in 2 3 4 7; do
    try "$n ranks" ranks "$n" assoc "${options[@]}" --out other
done
try "2 threads" "$GP_DIST" assoc "${options[@]}" --threads 2 --out other
try "3 threads, 2 ranks" ranks 2 assoc "${options[@]}" --threads 3 --out other
for kernel in amx avx512 avx2 portable; do
    if GP_KERNEL=$kernel "$GP_DIST" assoc "${options[@]}" --out other 2>&1 | grep -q 'does not run on this machine'; then
        echo "kernel $kernel skipped: it does not run here"
        continue
    fi
    try "kernel $kernel" env "GP_KERNEL=$kernel" "$GP_DIST" assoc "${options[@]}" --out other
done
for shape in "2 2" "3 3" "4 2" "4 3" "6 3"; do
    read -r n shards <<<"$shape"
    try "$n ranks, $shards shards" ranks "$n" assoc "${options[@]}" --sample-shards "$shards" --out other
done

"$GP_DIST" assoc "${options[@]}" --missing mean --out one.mean || fail "mean"
ranks 4 assoc "${options[@]}" --missing mean --sample-shards 2 --out other.mean || fail "mean, 4 ranks, 2 shards"
diff -r one.mean other.mean >/dev/null || fail "mean: other bytes"
diff -q one/trait1.tsv.gz one.mean/trait1.tsv.gz >/dev/null && fail "exact and mean gave the same"

# A run over an older one replaces it.
"$GP_DIST" assoc "${options[@]}" --chr 1 --out other || fail "over an older run"
"$GP_DIST" assoc "${options[@]}" --out other || fail "over an older run"
diff -r one other >/dev/null || fail "over an older run: other bytes"
finish
