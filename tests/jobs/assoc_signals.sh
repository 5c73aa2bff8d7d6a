#!/usr/bin/env bash
# assoc is stopped by signals, killed, or meets a full disk: status, one line, quickly, and what is left behind.
. "$GP_SOURCE/tests/support/lib.sh"
"$GP_DIST" simulate --quiet --samples 1000 --variants 60000 --chromosomes 2 --traits 1 --seed 8 --out c || fail "simulate"
# 60 traits, each with other samples missing: work for a minute.
awk -v OFS='\t' '{
    printf "%s\t%s", $1, $2
    for (k = 1; k <= 60; k++) printf "\t%s", NR == 1 ? "trait" k : (NR % 61 == k ? "NA" : $3 + k * (NR % 7))
    print ""
}' c.pheno.tsv >wide.tsv
options=(assoc --quiet --threads 1 --model linear --store c.h5 --pheno wide.tsv)
short=("${options[@]}" --pheno-name "trait1,trait2" --chr 1)

# start RANKS ARGS...: runs in the background until the first files are there; sets launcher and pids.
start() {
    local n=$1
    shift
    "$GP_MPIEXEC" --quiet --oversubscribe -n "$n" "$GP_DIST" "${options[@]}" "$@" --out new/deep/out 2>err.log &
    launcher=$!
    for _ in $(seq 300); do
        [ -n "$(ls -A new/deep/out 2>/dev/null)" ] && break
        sleep 0.05
    done
    sleep 0.3
    pids=$(pgrep -P "$launcher")
    [ "$(wc -w <<<"$pids")" = "$n" ] || fail "$(wc -w <<<"$pids") ranks were found, not $n"
}

# ends WHAT STATUS: long before the work would be done.
ends() {
    local started=$SECONDS status
    wait "$launcher"
    status=$?
    [ "$status" = "$2" ] || fail "$1: status $status, not $2: $(head -c 300 err.log)"
    [ $((SECONDS - started)) -le 20 ] || fail "$1: $((SECONDS - started)) s"
}

# stopped WHAT PIDS: by a signal in the middle.
stopped() {
    ends "$1" 75
    [ "$(grep -c '^gp-dist: error: ' err.log)" = 1 ] || fail "$1: not one error line: $(head -c 300 err.log)"
    grep -q '^gp-dist: error: stopped by signal ' err.log || fail "$1: $(head -c 300 err.log)"
    [ ! -e new ] || fail "$1: left behind: $(find new)"
}

for shards in 1 2; do
    start 4 --sample-shards $shards
    # shellcheck disable=SC2086 # a list
    kill -TERM $pids
    stopped "SIGTERM to 4 ranks, $shards shards"
    start 4 --sample-shards $shards
    kill -TERM "${pids##*$'\n'}"
    stopped "SIGTERM to the last rank, $shards shards"
done
start 4
kill -USR1 "$launcher"
stopped "SIGUSR1 to the launcher"
start 3 --mind 0.5
kill -TERM "${pids%%$'\n'*}"
stopped "SIGTERM to the first rank"

# Killed: files are left, and the next run, of fewer ranks, removes them.
start 4
kill -KILL "${pids##*$'\n'}"
ends "kill -9" 137
[ -n "$(find new -name '.*part3')" ] || fail "kill -9: nothing is left, so there is nothing to show"
: >new/deep/out/.trait1.tsv.gz-meta.yaml.tmp
"$GP_DIST" "${short[@]}" --out new/deep/out || fail "after kill -9"
[ -e new/deep/out/.trait9.tsv.gz.part3 ] || fail "after kill -9: files of tables that this run does not write are gone"
rm new/deep/out/.trait[3-9]* new/deep/out/.trait[12][0-9]*
"$GP_DIST" "${short[@]}" --out clean || fail "a clean run"
diff -r clean new/deep/out || fail "after kill -9: other files than after a clean run"

# Files may not grow: like a full disk. One rank, for the limit holds for the launcher's files too.
(
    failures=0
    ulimit -f 100
    trap '' XFSZ
    expect_error "no room" 1 "full/x/out/\.trait[12]\.tsv\.gz\..*: cannot be written: " \
        "$GP_DIST" "${short[@]}" --out full/x/out
    exit $failures
) || fail "no room"
[ ! -e full ] || fail "no room: left behind: $(find full)"
finish
