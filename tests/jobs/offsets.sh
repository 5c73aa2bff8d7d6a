#!/usr/bin/env bash
# train --offsets: predictions of left-out samples without each chromosome: what they must be, the same bytes on any ranks and threads,
# stopped, killed and continued; and what assoc makes of them.
. "$GP_SOURCE/tests/support/lib.sh"
# tests/jobs/test_ridge.c has the ridge's parts against dense algebra.

"$GP_DIST" simulate --quiet --samples 240 --variants 300 --chromosomes 3 --traits 2 --binary 1 --heritability 0.5 --seed 7 \
    --missing-rate 0.01 --missing-pheno 0.1 --out c || fail simulate
data=(--store c.h5 --pheno c.pheno.tsv --covar c.covar.tsv --cat-covar-name batch)
size=(--patch 30 --layers 1 --channels 8 --heads 2 --batch-size 32 --shard-size 8 --folds 2 --chromosome-dropout 0.1)
small=("${size[@]}" --networks 2 --epochs 3 --lr 0.01)

# ---- the same on any ranks and threads ----
"$GP_DIST" train --threads 1 "${data[@]}" "${small[@]}" --offsets --out r1 2>r1.log || fail "one rank: $(cat r1.log)"
for n in 2 3 4; do
    ranks $n train --quiet --threads 1 "${data[@]}" "${small[@]}" --offsets --out r$n || fail "$n ranks"
    diff -rq r1 r$n || fail "$n ranks: other bytes"
done
"$GP_DIST" train --quiet --threads 3 "${data[@]}" "${small[@]}" --offsets --out threads || fail "3 threads"
diff -rq r1 threads || fail "3 threads: other bytes"
ls r1/checkpoint/*.safetensors 2>/dev/null && fail "a finished run keeps what only an unfinished one needs"
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --out without || fail "without offsets"
diff -rq -x checkpoint -x 'offsets.*' r1 without || fail "--offsets changes other results"
grep -q "warning: --offsets without" r1.log && fail "a warning in vain"

# ---- what the tables hold ----
for model in ridge transformer; do
    zcat r1/offsets.$model.tsv.gz >$model.tsv || fail "$model: no table"
    bgzip -t r1/offsets.$model.tsv.gz || fail "$model: no BGZF"
    [ "$(head -1 $model.tsv | tr '\t' ' ')" = "FID IID trait1 trait1@1 trait1@2 trait1@3 trait2 trait2@1 trait2@2 trait2@3" ] ||
        fail "$model: header $(head -1 $model.tsv)"
    awk -F '\t' 'NR > 1 { for (k = 3; k <= NF; k++) if ($k == "NA" || $k != $k + 0) exit 1 } END { exit NR < 200 }' $model.tsv || fail "$model: numbers"
    diff <(tail -n +2 $model.tsv | cut -f 1,2) <(awk -F '\t' 'NR > 1 && $3 == "trait1"' r1/predictions.tsv | cut -f 1,2) >/dev/null ||
        fail "$model: not the samples in use"
done
# The whole predictions are those of predictions.tsv: numbers of 12 digits, logarithms of such.
awk -F '\t' -v OFS='\t' '
    FNR == 1 { file++; next }
    file == 1 { ridge[$1, $2, "trait1"] = $3; odds[$1, $2] = $7; next }
    file == 2 { network[$1, $2, "trait1"] = $3; network[$1, $2, "trait2"] = $7; next }
    $3 == "trait1" && (ridge[$1, $2, $3] != $7 || network[$1, $2, $3] != $8) { bad++ }
    $3 == "trait2" && (network[$1, $2, $3] - log($8 / (1 - $8))) ^ 2 > 1e-18 { bad++ }
    # One line of log odds for each fold:
    $3 == "trait2" { n[$4]++; x[$4] += $7; y[$4] += odds[$1, $2]; xx[$4] += $7 ^ 2; yy[$4] += odds[$1, $2] ^ 2; xy[$4] += $7 * odds[$1, $2] }
    END {
        for (f in n) {
            r = (n[f] * xy[f] - x[f] * y[f]) / sqrt((n[f] * xx[f] - x[f] ^ 2) * (n[f] * yy[f] - y[f] ^ 2))
            if (r < 1 - 1e-9) bad++
            folds++
        }
        exit bad > 0 || folds != 2
    }' ridge.tsv transformer.tsv r1/predictions.tsv || fail "whole predictions are not those of predictions.tsv"
# Every chromosome matters to the ridge, and (where it has a share) to the network.
awk -F '\t' 'NR > 1 { for (k = 4; k <= 6; k++) if ($k != $3) differ[k]++ } END { exit !(differ[4] > 200 && differ[5] > 200 && differ[6] > 200) }' \
    ridge.tsv || fail "chromosomes that do not matter"

# Without covariates and without its only chromosome nothing is known of a sample but its fold.
"$GP_DIST" simulate --quiet --samples 150 --variants 90 --chromosomes 1 --traits 2 --binary 1 --heritability 0.6 --causal 10 --seed 5 --out one ||
    fail simulate
for linear in ridge free none; do
    "$GP_DIST" train --quiet --store one.h5 --pheno one.pheno.tsv "${size[@]}" --networks 2 --epochs 8 --lr 0.01 --linear $linear --offsets \
        --out one.$linear || fail "one chromosome, $linear"
    for model in ridge transformer; do
        zcat one.$linear/offsets.$model.tsv.gz | awk -F '\t' -v model=$model '
            NR == FNR { fold[$1, $2] = $4; next }
            $1 != "FID" {
                f = fold[$1, $2]
                for (k = 3; k <= 5; k += 2) {
                    whole[k, f, $k]; if (!((k, f) in first)) first[k, f] = $(k + 1)
                    # a mask token for all patches: only roundings of float32 between shards of samples
                    if (($(k + 1) - first[k, f]) ^ 2 > 1e-10) bad++
                    if (($k - $(k + 1)) ^ 2 > 1e-6) differ[k]++
                }
            }
            END { exit bad > 0 || !(differ[3] > 100) }' one.$linear/predictions.tsv - || fail "one chromosome, $linear, $model"
    done
done

# ---- heritability.tsv: what the penalties say ----
[ "$(head -1 r1/heritability.tsv | tr '\t' ' ')" = "trait fold samples heritability" ] || fail "header of heritability.tsv"
[ "$(cut -f 1,2 r1/heritability.tsv | tail -n +2 | tr '\t\n' ' ,')" = "trait1 0,trait1 1,trait1 all,trait2 0,trait2 1,trait2 all," ] ||
    fail "heritability.tsv: $(cat r1/heritability.tsv)"
awk -F '\t' '$2 == "all" { printf "%s: the penalty is that of a heritability of %.3f\n", $1, $4 }' r1/heritability.tsv >said
while read -r line; do
    grep -qF "trait $line" r1.log || fail "heritability.tsv and the log differ: $line"
done <said
awk -F '\t' 'NR == FNR { if ($2 == "ridge" && $3 != "all") n[$1, $3] = $4; if ($2 == "ridge" && $3 == "all") n[$1, "all"] = $4; next }
    FNR > 1 && $3 != ($2 == "all" ? n[$1, "all"] : n[$1, "all"] - n[$1, $2]) { exit 1 }' r1/metrics.tsv r1/heritability.tsv ||
    fail "samples of heritability.tsv"
cmp -s r1/heritability.tsv without/heritability.tsv || fail "heritability.tsv without offsets"

# ---- stopped and continued ----
long=("${size[@]}" --networks 2 --epochs 12 --checkpoint-steps 3 --offsets)
"$GP_DIST" train --quiet "${data[@]}" "${long[@]}" --out long || fail "uninterrupted"

# start RANKS FILE: in the background, until FILE is in the checkpoint; sets launcher and pids.
start() {
    rm -rf cut
    "$GP_MPIEXEC" --quiet --oversubscribe --mca odls_base_num_threads 0 -n "$1" "$GP_DIST" train --quiet --threads 1 "${data[@]}" \
        "${long[@]}" --out cut 2>err.log &
    launcher=$!
    for _ in $(seq 1000); do
        [ -e "cut/checkpoint/$2" ] && break
        sleep 0.02
    done
    pids=$(pgrep -P "$launcher")
}
# again RANKS WHAT: continues, and all is as if nothing had happened.
again() {
    [ ! -e cut/checkpoint/finished ] || fail "$2: the run was over before"
    ranks "$1" train --threads 1 "${data[@]}" "${long[@]}" --out cut 2>again.log || fail "$2: $(cat again.log)"
    diff -rq long cut || fail "$2: other bytes"
}
start 2 last.safetensors
# shellcheck disable=SC2086 # a list
kill -TERM $pids
wait "$launcher"
[ $? = 75 ] || fail "SIGTERM: not status 75: $(cat err.log)"
again 3 "SIGTERM to 2 ranks, then 3"
start 3 hidden-0-1.safetensors
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
again 1 "SIGKILL after the first network without chromosomes, then 1"
start 1 model-1-1.safetensors
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
rm cut/checkpoint/hidden-0-2.safetensors || fail "nothing was kept"
again 2 "SIGKILL between a network and its predictions without chromosomes, then 2"
start 1 hidden-1-1.safetensors
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
echo '{}' >cut/checkpoint/hidden-0-1.safetensors
expect_error "a damaged file" 64 "cut/checkpoint/hidden-0-1.safetensors: " ranks 2 train --threads 1 "${data[@]}" "${long[@]}" --out cut
rm cut/checkpoint/hidden-0-1.safetensors
again 4 "the damaged file removed, then 4"
"$GP_DIST" train "${data[@]}" "${long[@]}" --out cut 2>err.log || fail "a finished run"
grep -q "cut: is finished already" err.log || fail "a finished run does not say so: $(cat err.log)"
rm cut/offsets.ridge.tsv.gz
ranks 2 train --quiet --threads 1 "${data[@]}" "${long[@]}" --out cut || fail "a table lost"
diff -rq long cut || fail "a table lost: other bytes"

# ---- assoc takes them ----
for model in ridge transformer; do
    ranks 2 assoc --quiet --threads 1 --store c.h5 --pheno c.pheno.tsv --pheno-name trait2 --covar c.covar.tsv --cat-covar-name batch \
        --offset r1/offsets.$model.tsv.gz --out assoc.$model 2>err.log || fail "assoc: $(cat err.log)"
done
cmp -s assoc.ridge/trait2.tsv.gz assoc.transformer/trait2.tsv.gz && fail "assoc: offsets do nothing"

# ---- what does not go together ----
# refused WHAT PATTERN ARGS...: nothing may appear.
refused() {
    local what=$1 pattern=$2
    shift 2
    expect_error "$what" 64 "$pattern" ranks 3 train --threads 1 "$@" --out refused
    [ ! -e refused ] || fail "$what: something was written: $(find refused)"
    rm -rf refused
}
refused "offsets without folds" "command line: --offsets are predictions of samples that folds leave out; --folds 0" "${data[@]}" --folds 0 --offsets
refused "offsets of masked" "command line: --offsets does not go with --objective masked" --store c.h5 --objective masked --offsets
expect_error "offsets later" 64 "without: holds a run that differs in --offsets \(no then, now yes\)" \
    ranks 2 train --threads 1 "${data[@]}" "${small[@]}" --offsets --out without
"$GP_DIST" train "${data[@]}" "${small[@]}" --chromosome-dropout 0 --dry-run 2>/dev/null && fail "an option twice"
"$GP_DIST" train "${data[@]}" --patch 30 --networks 1 --batch-size 16 --epochs 2 --offsets --dry-run >dry.txt 2>err.log || fail "dry run: $(cat err.log)"
grep -q "warning: --offsets without --chromosome-dropout" err.log || fail "no warning: $(cat err.log)"
finish
