#!/usr/bin/env bash
# 256 ranks on a small cohort: more ranks than cores by far, and than blocks for some; the same bytes as one rank.
. "$GP_SOURCE/tests/support/lib.sh"
"$GP_DIST" simulate --quiet --samples 120 --variants 1500 --chromosomes 3 --traits 2 --seed 5 --out cohort || fail "simulate"
options=(--quiet --store cohort.h5 --pheno cohort.pheno.tsv)
"$GP_DIST" assoc "${options[@]}" --out one || fail "one rank"
# Shared memory only, and a simple launcher: what 256 ranks on one machine need.
"$GP_MPIEXEC" --quiet --oversubscribe --mca pml ob1 --mca btl self,vader --mca odls_base_num_threads 0 -n 256 \
    "$GP_DIST" assoc "${options[@]}" --threads 1 --out many >log 2>&1 || fail "256 ranks: $(head -c 500 log)"
diff -r one many || fail "256 ranks: other bytes"
finish
