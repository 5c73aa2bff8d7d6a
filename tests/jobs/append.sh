#!/usr/bin/env bash
# import --append and --replace from the command line: the store of one import of everything, from any number of ranks; the old store stays
# whole whatever happens.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 131 --variants 600 --chromosomes 3 --traits 1 --seed 4 --plink --out c || fail "simulate"

# part FIRST COUNT NAME: some samples of c.
part() {
    tail -n +$(($1 + 1)) c.fam | head -n "$2" >"$3.fam"
    cp c.bim "$3.bim"
    python3 - "$1" "$2" "$3" <<'PYTHON' || fail "python3"
import sys
first, count, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
data = open("c.bed", "rb").read()
row, out = (131 + 3) // 4, bytearray(data[:3])
for at in range(3, len(data), row):
    calls = int.from_bytes(data[at:at + row], "little") >> 2 * first & (1 << 2 * count) - 1
    out += calls.to_bytes((count + 3) // 4, "little")
open(name + ".bed", "wb").write(out)
PYTHON
}
digest() {
    "$GP_DIST" info "$1" | grep '^digest'
}

part 0 70 old
part 70 61 new
"$GP_DIST" import --quiet --bfile c --out all.h5 || fail "import of all"
"$GP_DIST" import --quiet --bfile old --out old.h5 || fail "import of the old"

# ---- the same store from any number of ranks: that of one import ----
"$GP_DIST" import --bfile new --append old.h5 --out one.h5 2>err.log || fail "--append: $(cat err.log)"
grep -q '^gp-dist: appended 61 samples: 131 samples x 600 variants on 3 chromosomes in .* MB/s): one.h5$' err.log || fail "no closing note: $(cat err.log)"
grep -q '^gp-dist: 600 of the 600 variants of old.h5 are in the new files, 0 of them' err.log || fail "no counts: $(cat err.log)"
ranks 4 import --quiet --bfile new --append old.h5 --out four.h5 || fail "--append on 4 ranks"
same "1 and 4 ranks" one.h5 four.h5
[ -n "$(digest one.h5)" ] && [ "$(digest one.h5)" = "$(digest all.h5)" ] || fail "appended samples are not one import"
"$GP_DIST" info --verify one.h5 >info.log || fail "info --verify: $(cat info.log)"
"$GP_DIST" info --variants all.h5 >all.tsv && "$GP_DIST" info --variants one.h5 >one.tsv || fail "info --variants"
same "variants and their counts" all.tsv one.tsv
for store in all one; do
    "$GP_DIST" assoc --quiet --store $store.h5 --pheno c.pheno.tsv --out assoc.$store || fail "assoc of $store.h5"
done
for file in assoc.all/*.tsv.gz; do
    same "assoc" "$file" "assoc.one/${file##*/}"
done

# ---- under its own name; nothing else appears ----
cp old.h5 self.h5
before=$(find . | sort)
"$GP_DIST" import --quiet --bfile new --append self.h5 --out self.h5 || fail "--append onto itself"
[ "$(digest self.h5)" = "$(digest all.h5)" ] || fail "--append onto itself: another content"
[ "$before" = "$(find . | sort)" ] || fail "--append leaves files: $(find . | sort | diff - <(echo "$before"))"
"$GP_DIST" import --bfile new --append old.h5 --dry-run >dry.log 2>err.log || fail "--append --dry-run: $(cat err.log)"
grep -q $'^of_them_new\t61$' dry.log || fail "--dry-run: $(cat dry.log)"

# ---- a chromosome replaced ----
row=$(((131 + 3) / 4))
split() {
    awk -v k="$1" '$1 == k' c.bim >"c$1.bim"
    cp c.fam "c$1.fam"
    local before here
    before=$(awk -v k="$1" '$1 < k' c.bim | wc -l)
    here=$(wc -l <"c$1.bim")
    { head -c 3 c.bed; tail -c +$((4 + before * row)) c.bed | head -c $((here * row)); } >"c$1.bed"
}
for k in 1 2 3; do split $k; done
# Another chromosome 2: every second variant.
awk 'NR % 2' c2.bim >half.bim && cp c.fam half.fam
python3 - $row <<'PYTHON' || fail "python3"
import sys
row, data = int(sys.argv[1]), open("c2.bed", "rb").read()
open("half.bed", "wb").write(data[:3] + b"".join(data[at:at + row] for at in range(3, len(data), 2 * row)))
PYTHON
"$GP_DIST" import --quiet --bfile c1,half,c3 --out halved.h5 || fail "import of a halved chromosome"
"$GP_DIST" import --bfile half --replace all.h5 --out put.h5 2>err.log || fail "--replace: $(cat err.log)"
grep -q '^gp-dist: put in 1 chromosome: 131 samples x ' err.log || fail "--replace: no closing note: $(cat err.log)"
[ "$(digest put.h5)" = "$(digest halved.h5)" ] || fail "a replaced chromosome is not one import"
[ "$(digest put.h5)" != "$(digest all.h5)" ] || fail "a replaced chromosome changes nothing: no test"
"$GP_DIST" info all.h5 >all.log && "$GP_DIST" info put.h5 >put.log || fail "info"
for k in 1 2 3; do
    was=$(awk -v k=$k '$1 == k && $2 == "autosome" { print $6 }' all.log)
    is=$(awk -v k=$k '$1 == k && $2 == "autosome" { print $6 }' put.log)
    [ ${#was} = 32 ] || fail "chromosome $k has no digest"
    if [ "$was" = "$is" ]; then [ $k != 2 ]; else [ $k = 2 ]; fi || fail "chromosome $k: digest $was, then $is"
done
ranks 3 import --quiet --bfile c2 --replace put.h5 --out put.h5 || fail "--replace on 3 ranks"
[ "$(digest put.h5)" = "$(digest all.h5)" ] || fail "a chromosome put back is not the same"
"$GP_DIST" import --quiet --bfile c1,c3 --out two.h5 || fail "import of two chromosomes"
"$GP_DIST" import --quiet --bfile c2 --replace two.h5 --out three.h5 || fail "--replace with a new chromosome"
[ "$(digest three.h5)" = "$(digest all.h5)" ] || fail "a chromosome that is added is not one import"

# ---- wrong usage and bad input: one line, and the old store as it was ----
cp old.h5 kept.h5
before=$(find . -not -name '*.log' | sort)
expect_error "both" 64 'command line: --append adds samples and --replace chromosomes' ranks 2 import --bfile new --append old.h5 --replace old.h5 --out x.h5
expect_error "no --out" 64 'command line: --out STORE.h5 is missing.*the old one' ranks 2 import --bfile new --append old.h5
expect_error "no --bfile" 64 'command line: --bfile PREFIX is missing: what should be appended' ranks 2 import --append old.h5 --out x.h5
expect_error "not there yet" 64 "command line: unknown option '--vcf'" "$GP_DIST" import --vcf x.vcf --append old.h5 --out x.h5
expect_error "samples that are there" 64 'old\.fam: 70 of its 70 samples are in old\.h5 already' ranks 2 import --bfile old --append old.h5 --out old.h5
expect_error "other samples" 64 'new\.fam: lacks 70 of the 70 samples of old\.h5' ranks 2 import --bfile new --replace old.h5 --out old.h5
expect_error "no such store" 64 'none\.h5: cannot be opened' ranks 2 import --bfile new --append none.h5 --out x.h5
expect_error "not a store" 64 'c\.bed: is not an HDF5 file' ranks 2 import --bfile new --append c.bed --out x.h5
expect_error "out is no store" 64 'c\.bed: is there already and is no store' ranks 2 import --bfile new --append old.h5 --out c.bed
head -c -1 new.bed >short.bed && cp new.fam short.fam && cp new.bim short.bim
expect_error "a short .bed" 64 'short\.bed: holds [0-9]* bytes, but 61 samples' ranks 2 import --bfile short --append old.h5 --out old.h5
head -60 new.fam >fewer.fam && cp new.bim fewer.bim && cp new.bed fewer.bed
expect_error "a .bed of more samples" 64 'fewer\.bed: holds [0-9]* bytes, but 60 samples' ranks 2 import --bfile fewer --append old.h5 --out old.h5
awk '{ $4 += 7; print }' OFS='\t' new.bim >moved.bim && cp new.fam moved.fam && cp new.bed moved.bed
expect_error "another build" 64 'moved\.bim: has none of the 600 variants of old\.h5' ranks 2 import --bfile moved --append old.h5 --out old.h5
same "the old store after wrong calls" old.h5 kept.h5
size=$(stat -c %s old.h5)
head -c $((size - 100)) old.h5 >cut.h5
expect_error "a store cut short" 64 'cut\.h5: is cut short' ranks 2 import --bfile new --append cut.h5 --out cut.h5
# Calls are most of the file: some byte in its middle is one of them.
cp old.h5 hurt.h5
printf '\252\125\252\125' | dd of=hurt.h5 bs=1 seek=$((size / 2)) conv=notrunc 2>dd.log
cp hurt.h5 hurt.copy
expect_error "a damaged store" 64 'hurt\.h5: .*is damaged' ranks 2 import --bfile new --append hurt.h5 --out hurt.h5
same "the damaged store" hurt.h5 hurt.copy
# A disk that is full before the store is written.
full() {
    trap '' XFSZ
    ulimit -f 20
    exec "$GP_DIST" import --quiet --bfile new --append old.h5 --out old.h5
}
(full) >out.log 2>full.log
got=$?
[ $got = 1 ] || fail "full disk: status $got, not 1: $(cat full.log)"
grep -q '^gp-dist: error: old.h5: cannot be written: ' full.log && [ "$(wc -l <full.log)" = 1 ] || fail "full disk: $(cat full.log)"
same "the old store after a full disk" old.h5 kept.h5
rm -f short.* fewer.* moved.* cut.h5 hurt.*
[ "$before" = "$(find . -not -name '*.log' | sort)" ] || fail "errors leave files: $(find . | sort | diff - <(echo "$before"))"

# ---- a signal: status 75; killed: the old store is there, whole ----
awk 'BEGIN { for (k = 1; k <= 400000; k++) printf "1\trs%d\t0\t%d\tA\tC\n", k, k }' >long.bim
cp long.bim more.bim
printf 'F I 0 0 1 1\n' >long.fam
printf 'F J 0 0 1 1\n' >more.fam
{ head -c 3 c.bed; head -c 400000 /dev/zero; } >long.bed
cp long.bed more.bed
"$GP_DIST" import --quiet --bfile long --out long.h5 || fail "import of many variants"
cp long.h5 long.copy
for signal in TERM KILL; do
    "$GP_DIST" import --bfile more --append long.h5 --out long.h5 2>err.log &
    pid=$!
    # Its hidden neighbour appears when writing begins.
    for _ in $(seq 600); do
        compgen -G '.long.h5.*' >/dev/null && break
        sleep 0.02
    done
    kill -$signal $pid
    wait $pid 2>/dev/null
    got=$?
    same "the old store after $signal" long.h5 long.copy
    if [ $signal = TERM ]; then
        [ $got = 75 ] || fail "SIGTERM: status $got, not 75: $(cat err.log)"
        compgen -G '.long.h5.*' >/dev/null && fail "SIGTERM leaves files"
    else
        [ $got = 137 ] || fail "SIGKILL: status $got, not 137: it had ended already"
    fi
done
"$GP_DIST" import --quiet --bfile more --append long.h5 --out long.h5 || fail "the same command again"
"$GP_DIST" info long.h5 | grep -q '^samples  *2 ' || fail "the same command again: no two samples"

finish
