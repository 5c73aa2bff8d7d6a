#!/usr/bin/env bash
# grm: the same bytes on any number of ranks, threads and kernels; exports; memory as predicted; bad input; signals.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 500 --variants 4000 --chromosomes 4 --missing-rate 0.03 --seed 11 --plink --out c || fail "simulate"
# Chromosome 4 is called X here.
awk -v OFS='\t' '$1 == 4 { $1 = "X" } 1' c.bim >x.bim
cp c.bed x.bed && cp c.fam x.fam
"$GP_DIST" import --quiet --bfile x --out x.h5 || fail "import"
awk 'NR % 9 != 4 { print $1, $2 }' c.fam >keep.txt

# same_bytes WHAT OPTIONS...
same_bytes() {
    local what=$1 n threads kernel
    shift
    rm -rf one
    "$GP_DIST" grm --quiet --threads 1 --store x.h5 --out one "$@" || fail "$what"
    for n in 2 3 4 5 6 7; do # 5 and 7 leave ranks off the grid
        rm -rf other
        ranks $n grm --quiet --store x.h5 --out other "$@" || fail "$what, $n ranks"
        diff -r one other >/dev/null || fail "$what, $n ranks: other bytes"
    done
    for threads in 2 3; do
        rm -rf other
        "$GP_DIST" grm --quiet --threads $threads --store x.h5 --out other "$@" || fail "$what, $threads threads"
        diff -r one other >/dev/null || fail "$what, $threads threads: other bytes"
    done
    for kernel in amx avx512 avx2 portable; do
        rm -rf other
        GP_KERNEL=$kernel "$GP_DIST" grm --quiet --store x.h5 --out other "$@" 2>log ||
            grep -q 'does not run on this machine' log || fail "$what, $kernel"
        [ ! -e other ] || diff -r one other >/dev/null || fail "$what, $kernel: other bytes"
    done
}
same_bytes "standardised"
same_bytes "filters, chromosomes, exports" --centred --loco --keep keep.txt --mind 0.04 --maf 0.02 --geno 0.06 --export-text --export-gcta
[ "$(find one -type f | wc -l)" = 5 ] || fail "exports: $(ls one)"

# ---- what is in the files ----
"$GP_DIST" grm --store x.h5 --out all --export-text --export-gcta 2>log || fail "all"
grep -q "$(awk '$1 == "X"' x.bim | wc -l) variants left out: not on an autosome" log || fail "X: $(cat log)"
"$GP_DIST" grm --quiet --store x.h5 --out named --export-text --standardised --chr 1-3 || fail "named"
same "--standardised is the default, X does not count" all/grm.txt named/grm.txt
awk 'NF != 500 { bad = 1 } END { exit bad || NR != 500 }' all/grm.txt || fail "grm.txt is not 500 x 500"
same "ids" <(tr '\t' ' ' <all/grm.grm.id) <(awk '{ print $1, $2 }' c.fam)
[ "$(stat -c %s all/grm.grm.bin)" = $((500 * 501 / 2 * 4)) ] || fail "size of grm.grm.bin"
# Samples left out are as if they had never been there.
awk 'NR == FNR { keep[$1 " " $2]; next } ($1 " " $2) in keep { print FNR }' keep.txt c.fam >rows
python3 - c rows k <<'PYTHON' || fail "python3"
import sys
rows = [int(x) - 1 for x in open(sys.argv[2])]
lines = open(sys.argv[1] + ".fam").readlines()
open(sys.argv[3] + ".fam", "w").writelines(lines[i] for i in rows)
bed = open(sys.argv[1] + ".bed", "rb").read()
stride, out = (len(lines) + 3) // 4, bytearray(bed[:3])
for at in range(3, len(bed), stride):
    row = bytearray((len(rows) + 3) // 4)
    for to, i in enumerate(rows):
        row[to // 4] |= (bed[at + i // 4] >> 2 * (i % 4) & 3) << 2 * (to % 4)
    out += row
open(sys.argv[3] + ".bed", "wb").write(out)
PYTHON
cp x.bim k.bim
"$GP_DIST" import --quiet --bfile k --out k.h5 || fail "import k"
"$GP_DIST" grm --quiet --store k.h5 --out few --maf 0.02 --export-gcta || fail "few"
ranks 3 grm --quiet --store x.h5 --out kept --maf 0.02 --export-gcta --keep keep.txt || fail "kept"
same "kept samples alone" few/grm.grm.bin kept/grm.grm.bin
# An older run is replaced.
"$GP_DIST" grm --quiet --store x.h5 --out all --centred --export-text || fail "over an older run"
"$GP_DIST" grm --quiet --store x.h5 --out centred --export-text --centred || fail "centred"
same "over an older run" all/grm.h5 centred/grm.h5
cmp -s centred/grm.txt named/grm.txt && fail "centred and standardised are the same"

# ---- memory: predicted, and measured ----
"$GP_DIST" simulate --quiet --samples 2500 --variants 12000 --chromosomes 6 --traits 1 --seed 12 --out big || fail "simulate big"
for loco in "" --loco; do
    for n in 1 4; do
        predicted=$(ranks $n grm --quiet --store big.h5 --dry-run $loco | sed -n 's/^memory: about \([^ ]*\) MB.*/\1/p')
        measured=$(ranks $n grm --store big.h5 --out big $loco 2>&1 | sed -n 's/.*largest rank \([^ ]*\) MB.*/\1/p')
        sanitized || awk -v p="$predicted" -v m="$measured" 'BEGIN { exit !(m > 0 && m <= p && p <= 1.5 * m) }' ||
            fail "memory, $n ranks $loco: predicted $predicted MB, measured $measured MB"
        echo "memory, $n ranks $loco: predicted $predicted MB, measured $measured MB"
    done
done
ranks 6 grm --quiet --store big.h5 --dry-run >log || fail "dry run"
grep -q '^grid: 2 x 3 of 6 ranks' log || fail "dry run: $(cat log)"

# ---- bad input: one line, and nothing is written ----
refused() {
    local what=$1 status=$2 pattern=$3
    shift 3
    expect_error "$what" "$status" "$pattern" ranks 3 grm "$@" --out new/deep
    [ ! -e new ] || fail "$what: left behind: $(find new)"
}
expect_error "no --store" 64 "command line: grm needs --store STORE.h5" ranks 2 grm --out new
expect_error "no --out" 64 "command line: grm needs --out DIR" ranks 2 grm --store x.h5
refused "two forms" 64 "command line: --standardised and --centred are two forms" --store x.h5 --standardised --centred
refused "no store" 64 "nothere\.h5: " --store nothere.h5
refused "a chromosome that is no autosome" 64 "x\.h5: no variant is left for a relationship matrix; [0-9]* are not on autosomes" --store x.h5 --chr X
refused "filters that leave nothing" 64 "x\.h5: no variant is left for a relationship matrix; .*below --mac" --store x.h5 --mac 1e6
echo nothing >ids
refused "a list of other variants" 64 "x\.h5: no variant is left .*by --extract or --exclude" --store x.h5 --extract ids
head -1 keep.txt >lone
refused "one sample" 64 "x\.h5: 1 sample is left; a relationship matrix needs two or more" --store x.h5 --keep lone
refused "--mind leaves none" 64 "command line: --mind 0 leaves no sample" --store x.h5 --mind 0
echo hello >file
expect_error "--out is a file" 64 "file" ranks 3 grm --store x.h5 --out file
cp x.h5 flip.h5
size=$(stat -c %s flip.h5)
for ((at = size / 4; at < size; at += 4096)); do
    printf '\x5a\xa5\x5a\xa5' | dd of=flip.h5 bs=1 seek="$at" conv=notrunc status=none
done
refused "flipped bytes" 64 "flip\.h5: " --store flip.h5
(
    trap '' XFSZ
    ulimit -f 2000
    failures=0
    expect_error "no room" 1 "new/deep/grm\.h5: " "$GP_DIST" grm --store x.h5 --loco --out new/deep
    [ ! -e new ] || fail "no room: left behind: $(find new)"
    exit "$failures"
) || fail "no room"

# ---- signals ----
"$GP_MPIEXEC" --quiet --oversubscribe -n 4 "$GP_DIST" grm --quiet --threads 1 --store big.h5 --loco --export-text --out new/deep 2>err.log &
launcher=$!
for _ in $(seq 300); do
    [ -n "$(ls -A new/deep 2>/dev/null)" ] && break
    sleep 0.02
done
pids=$(pgrep -P "$launcher")
# shellcheck disable=SC2086 # a list
kill -TERM $pids
wait "$launcher"
status=$?
[ "$status" = 75 ] || fail "SIGTERM: status $status: $(head -c 300 err.log)"
[ "$(grep -c '^gp-dist: error: stopped by signal ' err.log)" = 1 ] || fail "SIGTERM: $(head -c 300 err.log)"
[ ! -e new ] || fail "SIGTERM: left behind: $(find new)"
# Fewer samples than a block: some ranks of the grid hold nothing.
"$GP_DIST" simulate --quiet --samples 60 --variants 300 --traits 1 --seed 5 --out tiny || fail simulate
"$GP_DIST" grm --quiet --store tiny.h5 --loco --out tiny1 || fail "60 samples"
ranks 4 grm --quiet --store tiny.h5 --loco --out tiny4 || fail "60 samples, 4 ranks"
same "60 samples" tiny1/grm.h5 tiny4/grm.h5
finish
