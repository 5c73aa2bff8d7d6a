#!/usr/bin/env bash
# One rank cannot read the store, each rank in turn: one error line, status 64, seconds, nothing written.
. "$GP_SOURCE/tests/support/lib.sh"
mkdir good bad
"$GP_DIST" simulate --quiet --samples 200 --variants 2000 --chromosomes 2 --traits 1 --seed 4 --out good/cohort || fail "simulate"
cp good/cohort.pheno.tsv bad/

# Every rank starts in its own folder: relative paths then name different files.
cat >start.sh <<'S'
#!/usr/bin/env bash
cd "$(dirname "$0")/$([ "${OMPI_COMM_WORLD_RANK:-0}" = "$BAD_RANK" ] && echo bad || echo good)" || exit 1
exec "$@"
S
chmod +x start.sh

# each WHAT PATTERN SHARDS
each() {
    local what=$1 pattern=$2 shards=$3 rank started
    for rank in 0 1 2 3; do
        started=$SECONDS
        BAD_RANK=$rank expect_error "$what, rank $rank of 4, $shards shards" 64 "$pattern" \
            "$GP_MPIEXEC" --quiet --oversubscribe -n 4 ./start.sh "$GP_DIST" assoc --store cohort.h5 \
            --pheno cohort.pheno.tsv --sample-shards "$shards" --out "$PWD/out"
        [ $((SECONDS - started)) -le 60 ] || fail "$what, rank $rank: $((SECONDS - started)) s"
        [ ! -e out ] || fail "$what, rank $rank: something was written"
        rm -rf out
    done
}

each "no store" "cohort.h5: " 1
cp good/cohort.h5 bad/cohort.h5
truncate -s -1000 bad/cohort.h5
each "store cut short" "cohort.h5: " 1
each "store cut short" "cohort.h5: " 2
# Flipped bytes all over the data: some show themselves only in the middle of the run.
cp good/cohort.h5 bad/cohort.h5
size=$(stat -c %s bad/cohort.h5)
for ((at = size / 4; at < size; at += 4096)); do
    printf '\x5a\xa5\x5a\xa5' | dd of=bad/cohort.h5 bs=1 seek="$at" conv=notrunc status=none
done
each "flipped bytes" "cohort.h5: " 1
each "flipped bytes" "cohort.h5: " 2
"$GP_DIST" info --verify bad/cohort.h5 >/dev/null 2>&1 && fail "the flipped bytes went unseen"
BAD_RANK=-1 "$GP_MPIEXEC" --quiet --oversubscribe -n 4 ./start.sh "$GP_DIST" assoc --quiet --store cohort.h5 \
    --pheno cohort.pheno.tsv --out "$PWD/out" || fail "all ranks good"
[ -s out/trait1.tsv.gz ] || fail "no table"
finish
