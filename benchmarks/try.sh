#!/usr/bin/env bash
# A test: the side-by-side scripts at a tiny size, so that they keep working. Gets gp-dist in GP_DIST, the benchmark
# programs' folder in GP_BENCH, and a private folder in SCRATCH.
# shellcheck source=tests/support/lib.sh
. "$GP_SOURCE/tests/support/lib.sh"
export TMPDIR=$SCRATCH
scripts=$GP_SOURCE/benchmarks

# rows FILE NUMBER: a header and so many rows, all with as many fields.
rows() {
    awk -F , -v want="$2" 'NR == 1 { fields = NF } NF != fields { bad = 1 } END { exit bad || NR != want + 1 }' "$1" ||
        fail "$1: not a header and $2 rows of as many fields: $(cat "$1")"
}

"$scripts/assoc_plink2.sh" --gp-dist "$GP_DIST" --samples 300 --variants 200 --covariates 2 --traits "1 2" \
    --missing "0 0.01" --rounds 1 --folder "$SCRATCH/assoc" >assoc.log 2>&1 || fail "assoc_plink2.sh: $(cat assoc.log)"
rows "$SCRATCH/assoc/assoc.csv" 4
"$scripts/grm_plink2.sh" --gp-dist "$GP_DIST" --gram "$GP_BENCH/gram" --samples 300 --variants 400 --missing 0.01 \
    --folder "$SCRATCH/grm" >grm.log 2>&1 || fail "grm_plink2.sh: $(cat grm.log)"
rows "$SCRATCH/grm/grm.csv" 1
"$scripts/products.sh" --programs "$GP_BENCH" --rounds 1 --seconds 0.01 --csv "$SCRATCH/products.csv" \
    --more "--samples 300 --variants 200 --buffer 1" >products.log 2>&1 || fail "products.sh: $(cat products.log)"
[ -s "$SCRATCH/products.csv" ] || fail "products.sh: no table: $(cat products.log)"
"$scripts/network_torch.sh" --program "$GP_BENCH/network" --models tiny --rounds 1 --seconds 0.01 \
    --folder "$SCRATCH/network" >network.log 2>&1 || fail "network_torch.sh: $(cat network.log)"
rows "$SCRATCH/network/network.csv" 2
"$scripts/prediction.sh" --gp-dist "$GP_DIST" --samples 300 --data "$SCRATCH/none" --folder "$SCRATCH/prediction" \
    >prediction.log 2>&1 || fail "prediction.sh: $(cat prediction.log)"
grep -q '^samples/s: [0-9.]* on 1 rank, [0-9.]* on 2 ranks; ratio [0-9.]*; ' prediction.log || fail "prediction.sh: $(cat prediction.log)"
"$scripts/logistic_plink2.sh" --tiny --gp-dist "$GP_DIST" --folder "$SCRATCH/logistic" >logistic.log 2>&1 ||
    fail "logistic_plink2.sh: $(cat logistic.log)"
rows "$SCRATCH/logistic/logistic.csv" 1
for time in first second; do # which finds everything counted
    "$scripts/type_one_error.sh" --tiny --gp-dist "$GP_DIST" --threads 1 --folder "$SCRATCH/null" --csv "$SCRATCH/$time.csv" \
        >"null.$time" 2>&1 || fail "type_one_error.sh: $(cat "null.$time")"
    rows "$SCRATCH/$time.csv" 32 # 2 ratios, 4 tests, 3 classes and all
    grep -E '^1:.*(within|below|above) ' "null.$time" >"table.$time"
done
[ "$(grep -c ', part ' null.first)" = 16 ] || fail "type_one_error.sh: not 16 analyses: $(cat null.first)"
grep -q ', part ' null.second && fail "type_one_error.sh does not continue: $(cat null.second)"
same "type_one_error.sh's tables" table.first table.second
expect_error "an unknown option" 1 "benchmarks/assoc_plink2.sh: unknown option '--nonsense'" "$scripts/assoc_plink2.sh" --nonsense 1
finish
