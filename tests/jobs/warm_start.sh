#!/usr/bin/env bash
# train --keep-folds and --warm-start: networks that go on from an earlier run's have not seen what they are measured on; the same bytes on any
# ranks, interrupted or not; wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 260 --variants 200 --chromosomes 2 --traits 2 --binary 1 --heritability 0.6 --epistasis 0.2 --causal 8 \
    --seed 9 --missing-pheno 0.05 --out c || fail simulate
awk 'NR > 1 && NR <= 221 { print $1, $2 }' c.pheno.tsv >first
data=(--store c.h5 --pheno c.pheno.tsv --covar c.covar.tsv --cat-covar-name batch)
size=(--patch 20 --layers 1 --channels 8 --heads 2 --batch-size 32 --shard-size 8)
small=("${size[@]}" --networks 2 --folds 2)
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --epochs 6 --lr 0.01 --keep first --keep-folds --out old || fail "the earlier run"

# ---- what is kept ----
[ "$(cd old/folds && find . -type f | sort | tr '\n' ' ')" = \
    "./0/config.json ./0/model.safetensors ./1/config.json ./1/model.safetensors ./all/config.json ./all/model.safetensors ./samples.tsv " ] ||
    fail "files: $(find old/folds)"
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --epochs 6 --lr 0.01 --keep first --out alone || fail "without --keep-folds"
diff -rq -x checkpoint -x folds old alone || fail "--keep-folds changes other results"
ranks 3 train --quiet --threads 1 "${data[@]}" "${small[@]}" --epochs 6 --lr 0.01 --keep first --keep-folds --out old3 || fail "3 ranks"
diff -rq old old3 || fail "3 ranks: other bytes"
# Sample i is in fold i mod 2, and network k measures every second one of the others.
awk -F '\t' 'NR == FNR { if (FNR > 1) at[$1, $2] = FNR - 2; next }
    FNR == 1 { if ($3 != 0 || $4 != 1 || $5 != "all") exit 1; next }
    { out = at[$1, $2] % 2; all = (FNR - 2) % 2 + 1
      if ($(3 + out) != "NA" || $(4 - out) == "NA" || $(4 - out) != seen[out]++ % 2 + 1 || $5 != all) exit 1 }
    END { exit FNR < 200 }' c.pheno.tsv old/folds/samples.tsv || fail "samples.tsv"

# ---- without a step everything stays as it was ----
"$GP_DIST" train "${data[@]}" "${small[@]}" --epochs 2 --lr 0 --keep first --warm-start old --keep-folds --out still 2>err.log || fail "lr 0: $(cat err.log)"
diff -rq old/folds still/folds || fail "networks move without a step"
same "predictions without a step" old/predictions.tsv still/predictions.tsv
same "metrics without a step" old/metrics.tsv still/metrics.tsv
same "the network without a step" old/model.safetensors still/model.safetensors
grep -q "warm start: 3 of 3 models go on from old, which had \([0-9]*\) of the \1 samples in use" err.log || fail "no note: $(cat err.log)"

# ---- more samples ----
warm=("${data[@]}" "${small[@]}" --epochs 4 --lr 0.01 --warm-start old --keep-folds)
ranks 1 train --threads 1 "${warm[@]}" --out w1 2>w1.log || fail "warm: $(cat w1.log)"
for n in 2 4; do
    ranks $n train --quiet --threads 1 "${warm[@]}" --out w$n || fail "warm, $n ranks"
    diff -rq w1 w$n || fail "warm, $n ranks: other bytes"
done
awk -F '\t' 'NR == FNR { was[$1, $2] = $3 FS $4 FS $5; next } FNR > 1 && ($1, $2) in was && was[$1, $2] != $3 FS $4 FS $5 { exit 1 } END { exit FNR < 240 }' \
    old/folds/samples.tsv w1/folds/samples.tsv || fail "a sample of the earlier run has got another place"
grep -q "the same in old, which it went on from:" w1.log || fail "nothing of the earlier run: $(cat w1.log)"
awk -F '\t' '$2 == "transformer" && $3 == "all" { printf "%.4f\n", $1 == "trait1" ? $6 : $8 }' old/metrics.tsv >numbers
while read -r number; do
    sed -n '/the same in old/,$p' w1.log | grep -q -- " $number\$" || fail "not the earlier run's $number: $(cat w1.log)"
done <numbers
# The start is better than none: the first epoch's loss.
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --epochs 4 --lr 0.01 --out cold || fail cold
loss() { awk -F '\t' '$2 == 1 && $7 == "all" { n += $3 } END { print n }' "$1"/training.tsv; }
awk -v a="$(loss w1)" -v b="$(loss cold)" 'BEGIN { exit !(a < 0.95 * b) }' || fail "no better than a cold start: $(loss w1), $(loss cold)"

# One network, with a share of the samples for validation: those of the earlier run stay, the others stay out of it.
one=("${size[@]}" --networks 1 --folds 3 --epochs 2 --keep-folds --validation 0.2)
"$GP_DIST" train --quiet "${data[@]}" "${one[@]}" --keep first --out o1 || fail "one network"
"$GP_DIST" train --quiet "${data[@]}" "${one[@]}" --warm-start o1 --out o2 || fail "one network, warm"
awk -F '\t' 'NR == FNR { was[$1, $2] = $3 FS $4 FS $5 FS $6; next }
    FNR > 1 { now = $3 FS $4 FS $5 FS $6; if (($1, $2) in was) bad += was[$1, $2] != now; else new += $6 }
    END { exit bad > 0 || new < 1 }' o1/folds/samples.tsv o2/folds/samples.tsv || fail "validation samples of one network"
# Without folds: one model.
whole=("${size[@]}" --networks 2 --folds 0 --epochs 2)
"$GP_DIST" train --quiet "${data[@]}" "${whole[@]}" --keep first --keep-folds --out f1 || fail "no folds"
"$GP_DIST" train --quiet "${data[@]}" "${whole[@]}" --warm-start f1 --out f2 2>err.log || fail "no folds, warm: $(cat err.log)"
# Sizes and epochs that are not said: those of the earlier run; a third.
"$GP_DIST" train "${data[@]}" --patch 20 --channels 8 --heads 2 --folds 0 --warm-start f1 --dry-run >dry.txt 2>err.log || fail "dry run: $(cat err.log)"
grep -q "1 models of 2 networks, each [78] epochs" dry.txt || fail "dry run: $(cat dry.txt)"
grep -q " 1 layers" dry.txt || fail "dry run: $(cat dry.txt)"

# ---- a fold whose samples have changed places starts anew ----
awk -v OFS='\t' 'NR == 1 { print "FID", "IID", "fold"; next } { print $1, $2, (NR - 2) % 3 }' c.pheno.tsv >three
awk -v OFS='\t' 'NR == 1 { print "FID", "IID", "fold"; next } { f = (NR - 2) % 3; print $1, $2, (NR < 30 && f < 2) ? 1 - f : f }' c.pheno.tsv >swapped
parts=("${data[@]}" "${size[@]}" --networks 2 --epochs 3 --lr 0.01)
"$GP_DIST" train --quiet "${parts[@]}" --fold-file three --keep first --keep-folds --out p0 || fail "three folds"
"$GP_DIST" train "${parts[@]}" --fold-file swapped --warm-start p0 --out p1 2>p1.log || fail "swapped folds: $(cat p1.log)"
"$GP_DIST" train --quiet "${parts[@]}" --fold-file swapped --out p2 || fail "swapped folds, cold"
[ "$(grep -c "warning: fold [01] starts anew: .* samples that it leaves out" p1.log)" = 2 ] || fail "no warnings: $(cat p1.log)"
grep -q "warm start: 2 of 4 models" p1.log || fail "which are warm: $(cat p1.log)"
for fold in 0 1; do
    same "fold $fold as in a cold start" <(awk -F '\t' -v f=$fold '$7 == f' p1/training.tsv) <(awk -F '\t' -v f=$fold '$7 == f' p2/training.tsv)
done
cmp -s <(awk -F '\t' '$7 == 2' p1/training.tsv) <(awk -F '\t' '$7 == 2' p2/training.tsv) && fail "fold 2 has started anew"

# ---- stopped and continued ----
long=("${data[@]}" "${small[@]}" --epochs 20 --lr 0.01 --warm-start old --keep-folds --checkpoint-steps 3)
"$GP_DIST" train --quiet "${long[@]}" --out long || fail "uninterrupted"
# cut RANKS FILE SIGNAL THEN: on RANKS, SIGNAL once FILE is there; continued on THEN ranks.
cut_short() {
    rm -rf cut
    "$GP_MPIEXEC" --quiet --oversubscribe --mca odls_base_num_threads 0 -n "$1" "$GP_DIST" train --quiet --threads 1 "${long[@]}" --out cut 2>err.log &
    launcher=$!
    for _ in $(seq 1000); do
        [ -e "cut/checkpoint/$2" ] && break
        sleep 0.02
    done
    pids=$(pgrep -P "$launcher")
    kill "-$3" "${pids##*$'\n'}"
    wait "$launcher"
    [ ! -e cut/checkpoint/finished ] || fail "$3 at $2: the run was over before"
    ranks "$4" train --quiet --threads 1 "${long[@]}" --out cut 2>err.log || fail "$3 at $2, continued: $(cat err.log)"
    diff -rq long cut || fail "$3 at $2: other bytes"
}
cut_short 2 last.safetensors TERM 3
cut_short 1 model-1-1.safetensors KILL 2

# ---- what is refused; nothing may appear ----
refused() {
    local what=$1 pattern=$2
    shift 2
    expect_error "$what" 64 "$pattern" ranks 3 train --threads 1 "$@" --out refused
    [ ! -e refused ] || fail "$what: something was written: $(find refused)"
    rm -rf refused
}
refused "no folds kept" "alone/folds/samples.tsv: is not there; --warm-start goes on from a finished gp-dist train --keep-folds" \
    "${data[@]}" "${small[@]}" --warm-start alone
refused "other folds" "old/folds/samples.tsv: has models of 2 folds, and here are 3; --warm-start needs the same --folds" "${data[@]}" "${size[@]}" --folds 3 --warm-start old
refused "other networks" "old/folds/all: its model has 2 networks, and this one 3; give --networks 2" "${data[@]}" "${size[@]}" --networks 3 --folds 2 \
    --warm-start old
refused "other traits" "old/folds/all: its network knows other traits" "${data[@]}" --pheno-name trait1 "${small[@]}" --warm-start old
refused "other layers" "old/folds/all: its network has 1 layers" "${data[@]}" --patch 20 --layers 2 --channels 8 --heads 2 --folds 2 --warm-start old
refused "other variants" "old/variants.tsv.gz: .* --warm-start needs the same variants" "${data[@]}" "${small[@]}" --chr 1 --warm-start old
refused "two starts" "command line: --warm-start and --init" "${data[@]}" "${small[@]}" --init old --warm-start old
refused "masked" "command line: --warm-start does not go with --objective masked" --store c.h5 --objective masked --warm-start old
cp -r old torn
head -c 2000 old/folds/1/model.safetensors >torn/folds/1/model.safetensors
expect_error "a damaged network" 64 "torn/folds/1/model.safetensors: " ranks 2 train --threads 1 "${data[@]}" "${small[@]}" --epochs 2 --warm-start torn --out torn2
expect_error "its own directory" 64 "command line: --warm-start and --out are one directory" ranks 2 train --threads 1 "${data[@]}" "${small[@]}" --epochs 2 \
    --warm-start old --restart --out ./old
diff -rq old old3 || fail "its own directory: something has changed"
# --restart takes kept folds away, and nothing else.
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --epochs 6 --lr 0.01 --keep first --restart --out old3 || fail "--restart"
diff -rq alone old3 || fail "--restart leaves folds"
finish
