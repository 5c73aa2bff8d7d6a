#!/usr/bin/env bash
# import from the command line: one rank works, whatever their number; messages, --dry-run, signals, nothing left over.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 130 --variants 600 --chromosomes 3 --traits 1 --seed 4 --plink --out c || fail "simulate"

# ---- the same store from any number of ranks, from anywhere, from one set or from one per chromosome ----
"$GP_DIST" import --bfile c --out one.h5 2>err.log || fail "import: $(cat err.log)"
grep -q '^gp-dist: imported 130 samples x 600 variants on 3 chromosomes in .* MB/s): one.h5$' err.log || fail "no closing note: $(cat err.log)"
ranks 4 import --bfile c --out four.h5 2>err.log || fail "import on 4 ranks: $(cat err.log)"
[ "$(grep -c '^gp-dist: imported' err.log)" = 1 ] || fail "4 ranks: more than one of them spoke"
same "1 and 4 ranks" one.h5 four.h5
mkdir elsewhere
(cd elsewhere && "$GP_DIST" import --quiet --bfile ../c --out here.h5) || fail "import from another folder"
same "another folder" one.h5 elsewhere/here.h5
"$GP_DIST" info --verify one.h5 >info.log || fail "info --verify: $(cat info.log)"

# split K: the set of the K-th chromosome.
row=$(((130 + 3) / 4))
split() {
    awk -v k="$1" '$1 == k' c.bim >"c$1.bim"
    cp c.fam "c$1.fam"
    local before here
    before=$(awk -v k="$1" '$1 < k' c.bim | wc -l)
    here=$(wc -l <"c$1.bim")
    { head -c 3 c.bed; tail -c +$((4 + before * row)) c.bed | head -c $((here * row)); } >"c$1.bed"
}
for k in 1 2 3; do split $k; done
"$GP_DIST" import --quiet --bfile c3,c1,c2 --out split.h5 || fail "import of three sets"
# Provenance differs, the content does not.
digest() {
    "$GP_DIST" info "$1" | grep -i digest
}
[ -n "$(digest one.h5)" ] && [ "$(digest one.h5)" = "$(digest split.h5)" ] || fail "one set and three have different content"
"$GP_DIST" import --quiet --compress 6 --bfile c --out small.h5 || fail "import --compress"
[ "$(digest one.h5)" = "$(digest small.h5)" ] || fail "--compress changes the content"
[ "$(stat -c %s small.h5)" -lt "$(stat -c %s one.h5)" ] || fail "--compress does not compress"

# ---- an older store is replaced; nothing else appears ----
cp split.h5 four.h5
before=$(find . | sort)
cmp -s one.h5 four.h5 && fail "the older store is the same: no test"
"$GP_DIST" import --quiet --bfile c --out four.h5 || fail "import over an older file"
same "over an older file" one.h5 four.h5
[ "$before" = "$(find . | sort)" ] || fail "import leaves files: $(find . | sort | diff - <(echo "$before"))"

# ---- --dry-run ----
"$GP_DIST" import --bfile c --dry-run >dry.log || fail "--dry-run"
grep -q $'^2\tautosome\t[0-9]*\tsorted$' dry.log || fail "--dry-run: no line for chromosome 2: $(cat dry.log)"
grep -q $'^variants\t600$' dry.log || fail "--dry-run: no count: $(cat dry.log)"
"$GP_DIST" import --bfile c --out dry.h5 --dry-run >/dev/null || fail "--dry-run with --out"
[ ! -e dry.h5 ] || fail "--dry-run wrote a store"

# ---- names of chromosomes ----
sed 's/^3\t/23\t/' c.bim >x.bim && cp c.bed x.bed && cp c.fam x.fam
"$GP_DIST" import --bfile x --out x.h5 2>err.log || fail "import of chromosome 23"
grep -q 'chromosome 23 is taken as X; --autosome-num 23' err.log || fail "no note on chromosome 23: $(cat err.log)"
"$GP_DIST" import --bfile x --dry-run --autosome-num 29 2>err.log | grep -q $'^23\tautosome\t' || fail "--autosome-num 29: 23 is no autosome"
grep -q 'taken as X' err.log && fail "--autosome-num 29: still a note"

# ---- errors ----
expect_error "no --bfile" 64 'command line: --bfile' ranks 2 import --out x.h5
expect_error "no --out" 64 'command line: --out' ranks 2 import --bfile c
expect_error "no such folder" 64 'nowhere: no file can be made' ranks 2 import --bfile c --out nowhere/x.h5
expect_error "an empty prefix" 64 '--bfile: an empty prefix' ranks 2 import --bfile c1,,c2 --out x.h5
tac c2.fam >swapped.fam && cp c2.bim swapped.bim && cp c2.bed swapped.bed
expect_error "other samples" 64 'swapped\.fam:1: sample .* where c1\.fam has ' ranks 2 import --bfile c1,swapped --out x.h5
expect_error "compression level" 64 '.*--compress' ranks 2 import --bfile c --compress 10 --out x.h5

# ---- a signal: status 75 and nothing left; the same command then does it ----
awk 'BEGIN { for (k = 1; k <= 1500000; k++) printf "1\trs%d\t0\t%d\tA\tC\n", k, 1500000 - k }' >long.bim
printf 'F I 0 0 1 1\n' >long.fam
{ head -c 3 c.bed; head -c 1500000 /dev/zero; } >long.bed
before=$(find . -not -name '*.log' | sort)
"$GP_DIST" import --bfile long --out long.h5 2>err.log &
pid=$!
# Its hidden neighbour appears when writing begins.
for _ in $(seq 600); do
    compgen -G '.long.h5.*' >/dev/null && break
    sleep 0.1
done
kill -TERM $pid
wait $pid
got=$?
[ $got = 75 ] || fail "SIGTERM: status $got, not 75: $(cat err.log)"
grep -q '^gp-dist: error: import: stopped by a signal; nothing was written; run the same command again$' err.log || fail "SIGTERM: $(cat err.log)"
[ "$before" = "$(find . -not -name '*.log' | sort)" ] || fail "SIGTERM leaves files"

finish
