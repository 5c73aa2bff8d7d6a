#!/usr/bin/env bash
# The baselines: the same bytes on any number of ranks and threads, where samples are spread over several of them.
. "$GP_SOURCE/tests/support/lib.sh"
program=$GP_BUILD/tests/jobs/test_jobs_ridge

"$GP_DIST" simulate --quiet --samples 9000 --variants 120 --chromosomes 3 --traits 3 --binary 1 --missing-rate 0.01 --missing-pheno 0.1 \
    --seed 7 --out c || fail simulate
OMP_NUM_THREADS=1 "$program" c one || fail "one rank"
[ "$(wc -c <one)" -gt 1000000 ] || fail "nothing was written"
OMP_NUM_THREADS=3 "$program" c threads || fail "three threads"
same "three threads" one threads
for n in 2 3; do
    "$GP_MPIEXEC" --quiet --oversubscribe -n $n "$program" c of$n || fail "$n ranks"
    same "$n ranks" one of$n
done
finish
