#!/usr/bin/env bash
# train: the same bytes on any ranks and threads, stopped, killed and continued; folds; networks to start from; wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 240 --variants 300 --chromosomes 2 --traits 2 --binary 1 --heritability 0.5 --seed 7 \
    --missing-rate 0.01 --missing-pheno 0.1 --out c || fail simulate
data=(--store c.h5 --pheno c.pheno.tsv --covar c.covar.tsv --cat-covar-name batch)
size=(--patch 30 --layers 1 --channels 8 --heads 2 --batch-size 32 --shard-size 8)
small=("${size[@]}" --networks 2 --epochs 3 --folds 2)

# alike WHAT A B: all results and what is kept of them are the same.
alike() {
    diff -rq "$2" "$3" || fail "$1: $2 and $3 differ"
}

# ---- ranks and threads ----
"$GP_DIST" train --threads 1 "${data[@]}" "${small[@]}" --out r1 2>r1.log || fail "one rank: $(cat r1.log)"
for file in config.json model.safetensors variants.tsv.gz metrics.tsv predictions.tsv heritability.tsv training.tsv \
    tensorboard/events.out.tfevents.0.gp-dist; do
    [ -s r1/$file ] || fail "no $file"
done
ls r1/checkpoint/*.safetensors 2>/dev/null && fail "a finished run keeps what only an unfinished one needs"
for n in 2 3 4; do
    ranks $n train --quiet --threads 1 "${data[@]}" "${small[@]}" --out r$n || fail "$n ranks"
    alike "$n ranks" r1 r$n
done
"$GP_DIST" train --quiet --threads 3 "${data[@]}" "${small[@]}" --out threads || fail "3 threads"
alike "3 threads" r1 threads
ranks 3 train --quiet --zero --threads 1 "${data[@]}" "${small[@]}" --out zero || fail "--zero"
alike "--zero" r1 zero
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --seed 2 --out seed || fail "another seed"
cmp -s r1/model.safetensors seed/model.safetensors && fail "another seed gives the same network"

# ---- tables ----
# 2 traits x 3 models x (2 folds and all)
[ "$(wc -l <r1/metrics.tsv)" = 19 ] || fail "metrics.tsv: $(wc -l <r1/metrics.tsv) lines"
awk -F '\t' 'NR > 1 && ($1 == "trait2") != ($8 != "NA") { exit 1 }' r1/metrics.tsv || fail "auc is for binary traits alone"
cut -f 2 r1/metrics.tsv | sort -u | tr '\n' ' ' | grep -qx "covariates model ridge transformer " || fail "models of metrics.tsv"
# 3 models x 2 networks x 3 epochs
[ "$(wc -l <r1/training.tsv)" = 19 ] || fail "training.tsv: $(wc -l <r1/training.tsv) lines"
[ "$(head -1 r1/predictions.tsv | tr '\t' ' ')" = "FID IID trait fold observed covariates ridge transformer" ] ||
    fail "header of predictions.tsv"
awk -F '\t' 'NR > 1 { if ($5 == "NA") missing++; if ($8 == "NA" || $7 == "NA" || $6 == "NA") bad = 1
                      if ($3 == "trait2" && ($8 <= 0 || $8 >= 1)) bad = 1; n[$3 FS $1 FS $2]++ }
             END { for (k in n) if (n[k] != 1) bad = 1; exit bad || missing == 0 }' r1/predictions.tsv || fail "predictions.tsv"
# The store's order is that of c.pheno.tsv: sample i is in fold i mod 2.
awk -F '\t' 'NR == FNR { fold[$1, $2] = (FNR - 2) % 2; next } FNR > 1 && $4 != fold[$1, $2] { exit 1 }' c.pheno.tsv r1/predictions.tsv ||
    fail "folds of predictions.tsv"
# metrics.tsv is what predictions.tsv says: the correlation over all folds.
awk -F '\t' 'NR == FNR { if ($1 == "trait1" && $2 == "transformer" && $3 == "all") r = $6; next }
             $3 == "trait1" && $5 != "NA" { n++; x += $5; y += $8; xx += $5 * $5; yy += $8 * $8; xy += $5 * $8 }
             END { e = (n * xy - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y)) - r; exit e * e > 1e-16 }' \
    r1/metrics.tsv r1/predictions.tsv || fail "metrics.tsv does not follow from predictions.tsv"
[ "$(grep -c "trait1  *r  *[0-9]\|trait2  *auc  *[0-9]" r1.log)" = 2 ] || fail "no closing table: $(cat r1.log)"
awk -v OFS='\t' 'NR == 1 { print "FID", "IID", "fold"; next } { print $1, $2, 10 + (NR - 2) % 2 }' c.pheno.tsv >folds.tsv
"$GP_DIST" train --quiet "${data[@]}" "${size[@]}" --networks 2 --epochs 3 --fold-file folds.tsv --out file || fail "fold file"
awk -v OFS='\t' 'NR > 1 { $4 += 10 } 1' r1/predictions.tsv >moved.tsv
same "fold file" moved.tsv file/predictions.tsv

# ---- without folds: what the network kept predicts is what was measured ----
ranks 2 train --quiet --threads 1 "${data[@]}" "${size[@]}" --networks 1 --validation 0.3 --lr 0.01 --epochs 6 --folds 0 \
    --out whole || fail "--folds 0"
[ "$(cut -f 3 whole/metrics.tsv | sort -u | tr '\n' ' ')" = "fold validation " ] || fail "folds of --folds 0"
"$GP_DIST" predict --quiet --model whole --store c.h5 --covar c.covar.tsv --out whole.tsv || fail predict
# A sample is measured with shares of ridge and network that four fifths of the samples gave; the network kept has those of all.
awk -F '\t' 'NR == FNR { if (FNR > 1) { p[$1, $2, "trait1"] = $3; p[$1, $2, "trait2"] = $4 } next }
             FNR > 1 { x = p[$1, $2, $3]; n[$3]++; apart[$3] += (x - $8) ^ 2; sum[$3] += $8; squares[$3] += $8 ^ 2 }
             END {
                 for (t in n) if (apart[t] > 0.02 * (squares[t] - sum[t] ^ 2 / n[t]) || n[t] < 20) { bad++; print t, apart[t], squares[t] - sum[t] ^ 2 / n[t], n[t] }
                 exit bad > 0
             }' whole.tsv whole/predictions.tsv || fail "predict and train do not agree"

# ---- stopped and continued ----
long=("${size[@]}" --networks 2 --epochs 30 --folds 2 --checkpoint-steps 3)
"$GP_DIST" train --quiet "${data[@]}" "${long[@]}" --out long || fail "uninterrupted"

# start RANKS: in the background, until a training is saved; sets launcher and pids.
start() {
    rm -rf cut
    "$GP_MPIEXEC" --quiet --oversubscribe --mca odls_base_num_threads 0 -n "$1" "$GP_DIST" train --quiet --threads 1 "${data[@]}" \
        "${long[@]}" --out cut 2>err.log &
    launcher=$!
    for _ in $(seq 600); do
        [ -e "cut/checkpoint/$2" ] && break
        sleep 0.02
    done
    pids=$(pgrep -P "$launcher")
}
# again RANKS WHAT: continues, and all is as if nothing had happened.
again() {
    [ ! -e cut/metrics.tsv ] || fail "$2: the run was over before"
    ranks "$1" train --threads 1 "${data[@]}" "${long[@]}" --out cut 2>again.log || fail "$2: $(cat again.log)"
    grep -q "cut: continues an interrupted run" again.log || fail "$2: does not say so: $(cat again.log)"
    alike "$2" long cut
}
start 2 last.safetensors
# shellcheck disable=SC2086 # a list
kill -TERM $pids
wait "$launcher"
[ $? = 75 ] || fail "SIGTERM: not status 75: $(cat err.log)"
[ "$(grep -c '^gp-dist: error: ' err.log)" = 1 ] || fail "SIGTERM: not one error line: $(cat err.log)"
again 3 "SIGTERM to 2 ranks, then 3"
start 3 last.safetensors
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
again 1 "SIGKILL to one of 3 ranks, then 1"
start 1 model-1-2.safetensors
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
again 4 "SIGKILL to 1 rank after the folds, then 4"
start 1 model-all-1.safetensors
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
again 2 "SIGKILL within the networks of all samples, then 2"
# The end of one training and the begin of the next are two steps: here the first one's is still there.
start 2 last.safetensors
cp cut/checkpoint/last.safetensors last.safetensors
for _ in $(seq 600); do
    [ -e cut/checkpoint/model-0-1.safetensors ] && break
    sleep 0.02
done
kill -KILL "${pids##*$'\n'}"
wait "$launcher"
cp last.safetensors cut/checkpoint/
again 2 "SIGKILL between two trainings"

"$GP_DIST" train "${data[@]}" "${long[@]}" --out cut 2>err.log || fail "a finished run"
grep -q "cut: is finished already" err.log || fail "a finished run does not say so: $(cat err.log)"
alike "a finished run" long cut

# refused WHAT PATTERN ARGS...: on 3 ranks; nothing may appear.
refused() {
    local what=$1 pattern=$2
    shift 2
    expect_error "$what" 64 "$pattern" ranks 3 train --threads 1 "$@" --out refused
    [ ! -e refused ] || fail "$what: something was written: $(find refused)"
    rm -rf refused
}

# ---- another run in the same directory ----
cp -r r1 used
# differs WHAT ARGS...: the same command but for ARGS.
differs() {
    local what=$1
    shift
    expect_error "used directory, $what" 64 "used: holds a run that differs in .*$what.*--restart" \
        ranks 2 train --threads 1 "${data[@]}" "${size[@]}" --networks 2 --out used "$@"
}
differs "--epochs \(3 then, now 4\)" --folds 2 --epochs 4
differs "--seed \(1 then, now 5\)" --folds 2 --epochs 3 --seed 5
differs "--lr" --folds 2 --epochs 3 --lr 0.01
differs "--maf" --folds 2 --epochs 3 --maf 0.05
differs "--linear" --folds 2 --epochs 3 --linear none
differs "folds" --fold-file folds.tsv --epochs 3
differs "variants" --folds 2 --epochs 3 --chr 1
awk -v OFS='\t' 'NR == 9 { $3 = 0.5 } 1' c.pheno.tsv >changed.tsv
expect_error "used directory, another trait" 64 "used: holds a run that differs in traits" \
    ranks 2 train --threads 1 --store c.h5 --pheno changed.tsv --covar c.covar.tsv --cat-covar-name batch "${small[@]}" --out used
alike "a refused run changes nothing" r1 used
ranks 2 train --quiet --threads 1 "${data[@]}" "${small[@]}" --seed 2 --restart --out used || fail "--restart"
alike "--restart" seed used

# ---- from genotypes alone, then from there ----
ranks 2 train --quiet --threads 1 --store c.h5 --objective masked "${size[@]}" --epochs 3 --lr 0.01 --out m2 || fail masked
"$GP_DIST" train --quiet --threads 1 --store c.h5 --objective masked "${size[@]}" --epochs 3 --lr 0.01 --out m1 || fail "masked, one rank"
alike "masked, 2 ranks" m1 m2
[ ! -e m1/metrics.tsv ] || fail "masked: there are metrics"
# 3 variants in a patch of 300 on two chromosomes: neighbours tell each other apart
"$GP_DIST" train --quiet --threads 1 --store c.h5 --objective masked --patch 3 --layers 1 --channels 32 --heads 2 --batch-size 32 \
    --epochs 20 --lr 0.003 --dropout 0 --out learns || fail "masked, larger"
awk -F '\t' 'NR == 2 { first = $4 } END { exit !($4 < 0.97 * first) }' learns/training.tsv ||
    fail "masked: nothing is learned: $(cut -f 4 learns/training.tsv | tr '\n' ' ')"
for n in 1 3; do
    ranks $n train --quiet --threads 1 "${data[@]}" "${small[@]}" --init m1 --out init$n || fail "--init"
    ranks $n train --quiet --threads 1 "${data[@]}" "${small[@]}" --init m1 --lora 2 --lr 0.01 --out lora$n || fail "--lora"
done
alike "--init, 3 ranks" init1 init3
alike "--lora, 3 ranks" lora1 lora3
cmp -s init1/training.tsv r1/training.tsv && fail "--init changes nothing"
"$GP_DIST" predict --quiet --model lora1 --store c.h5 --covar c.covar.tsv --out lora.tsv || fail "predict after --lora"

# ---- other forms ----
for linear in free none; do
    "$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --linear $linear --lr 0.01 --out $linear || fail "--linear $linear"
    cut -f 1-7 $linear/predictions.tsv >base.tsv
    same "baselines with --linear $linear" base.tsv <(cut -f 1-7 r1/predictions.tsv)
done
ranks 2 train --quiet --threads 1 "${data[@]}" "${small[@]}" --causal --rotary 0 --chromosome-dropout 0.2 --l1 0.1 --clip 0 \
    --dropout 0 --out forms || fail "other forms"
"$GP_DIST" train --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 "${small[@]}" --out alone || fail "no covariates"
"$GP_DIST" train --quiet "${data[@]}" "${size[@]}" --networks 1 --epochs 1 --folds 0 --validation 0 --out blind || fail "no validation"
[ ! -e blind/metrics.tsv ] && [ -s blind/model.safetensors ] || fail "no validation: $(ls blind)"
"$GP_DIST" train "${data[@]}" "${size[@]}" --networks 1 --epochs 1 --folds 0 --validation 0 --out blind 2>err.log || fail "no validation, again"
grep -q "blind: is finished already" err.log || fail "what measures nothing is never finished: $(cat err.log)"
"$GP_DIST" train --quiet "${data[@]}" "${size[@]}" --networks 3 --epochs 1 --folds 0 --out every || fail "networks without folds"
awk -F '\t' 'NR > 1 && $3 != "validation" { exit 1 } NR > 1 && $4 > 200 { n++ } END { exit n != 6 }' every/metrics.tsv ||
    fail "several networks measure all samples: $(cat every/metrics.tsv)"
"$GP_DIST" train "${data[@]}" "${size[@]}" --networks 2 --validation 0.2 --epochs 1 --folds 0 --out noted 2>err.log || fail "--validation"
grep -q "warning: --validation is not used" err.log || fail "--validation: $(cat err.log)"

# ---- before anything is done ----
ranks 3 train --threads 1 "${data[@]}" "${size[@]}" --batch-size 16 --epochs 3 --dry-run --out dry >dry.txt 2>err.log
[ $? = 64 ] || fail "an option twice"
ranks 3 train --threads 1 "${data[@]}" --patch 30 --networks 1 --batch-size 16 --shard-size 8 --epochs 3 --dry-run --out dry >dry.txt 2>err.log ||
    fail "dry run"
[ ! -e dry ] || fail "a dry run writes"
for line in "^samples: 240 in the store, 240 kept, 238 in use" "^variants: 299, in 11 patches of up to 30" "16 tokens (5 covariates)" \
    "they keep 2 of 3 ranks busy" "^memory: about"; do
    grep -q "$line" dry.txt || fail "dry run: no '$line' in: $(cat dry.txt)"
done
grep -q "warning: .*1 of the 3 ranks" err.log || fail "dry run: no warning of idle ranks: $(cat err.log)"

# ---- wrong input ----
refused "no pheno" "command line: train needs --pheno" --store c.h5
refused "no store" "command line: train needs --store" --pheno c.pheno.tsv
refused "heads" ".*heads" "${data[@]}" --channels 10 --heads 4
refused "a patch of more than all variants" "command line: --patch 5000 is more than the 299 variants" "${data[@]}" --patch 5000
refused "a batch of more than all samples" "command line: --batch-size 500 is more than the [0-9]* samples" "${data[@]}" --batch-size 500
refused "a shard of more than a batch" "command line: --shard-size 64 is more than --batch-size 32" "${data[@]}" --batch-size 32 --shard-size 64
refused "more networks than samples" "command line: --networks 500 are too many" "${data[@]}" --networks 500
refused "networks of masked" "command line: --networks does not go with" --store c.h5 --objective masked --networks 3
refused "lora without init" "command line: --lora updates a network" "${data[@]}" --lora 4
refused "folds twice" "command line: --folds and --fold-file" "${data[@]}" --folds 3 --fold-file folds.tsv
refused "one fold" "command line: --folds 1" "${data[@]}" --folds 1
refused "more folds than samples" "command line: --folds: 5000 folds are more" "${data[@]}" --folds 5000
refused "masked with traits" "command line: --pheno does not go with --objective masked" "${data[@]}" --objective masked
refused "mask rate without masks" "command line: --mask-rate is for" "${data[@]}" --mask-rate 0.2
awk -v OFS='\t' 'NR > 1 { $1 = "x" $1; $2 = "x" $2 } 1' c.pheno.tsv >others.tsv
refused "others' traits" "others.tsv: no sample in common" --store c.h5 --pheno others.tsv
awk -v OFS='\t' 'NR > 1 { $3 = $4 = "NA" } 1' c.pheno.tsv >empty.tsv
refused "traits without a value" "empty.tsv: " --store c.h5 --pheno empty.tsv
awk -v OFS='\t' 'NR > 1 { $3 = (NR - 2) % 4 == 2 ? NR : 1.5 } 1' c.pheno.tsv >constant.tsv
refused "a trait constant in a fold" "trait 'trait1', fold 2: " --store c.h5 --pheno constant.tsv --pheno-name trait1 --folds 4 "${size[@]}"
net=("${data[@]}" --init m1 --epochs 1)
refused "other channels" "m1: its network has 8 channels, and this one 16; give --channels 8" "${net[@]}" --patch 30 --layers 1 --channels 16 --heads 2
refused "other layers" "m1: its network has 1 layers, and this one 2; give --layers 1" "${net[@]}" --patch 30 --layers 2 --channels 8 --heads 2
refused "other heads" "m1: its network has 2 heads, and this one 4; give --heads 2" "${net[@]}" --patch 30 --layers 1 --channels 8 --heads 4
refused "other patches" "m1: its network has 30 variants in a patch, and this one 20; give --patch 30" "${net[@]}" "${size[@]:2}" --patch 20
refused "causal" "m1: its network is not causal, and this one is; leave --causal out" "${net[@]}" "${size[@]}" --causal
refused "other variants" "m1/variants.tsv.gz: variant [0-9]* is .*, and here it is" "${net[@]}" "${size[@]}" --maf 0.1
refused "fewer variants" "m1/variants.tsv.gz: has more than the [0-9]* variants" "${net[@]}" "${size[@]}" --chr 1
refused "no network to start from" "nowhere/" "${data[@]}" "${size[@]}" --init nowhere
cp -r m1 damaged
head -c 3000 m1/model.safetensors >damaged/model.safetensors
refused "a damaged network" "damaged/model.safetensors: " "${data[@]}" "${size[@]}" --init damaged

# ---- what a directory holds is not removed by a command that goes wrong ----
# kept WHAT PATTERN DIR COMMAND...: refused, and DIR is as it was.
kept() {
    local what=$1 pattern=$2 directory=$3
    shift 3
    rm -rf before
    cp -r "$directory" before
    expect_error "$what" 64 "$pattern" ranks 2 "$@" --threads 1 --out "$directory"
    alike "$what" before "$directory"
}
kept "--restart, heads" ".*heads" used train "${data[@]}" --channels 10 --heads 4 --restart
kept "--restart, patches" "command line: --patch 5000" used train "${data[@]}" --patch 5000 --restart
kept "--restart, a trait constant in a fold" "trait 'trait1', fold 2: " used train --store c.h5 --pheno constant.tsv \
    --pheno-name trait1 --folds 4 "${size[@]}" --restart
kept "--restart, another network to start from" "m1: its network has 8 channels" used train "${net[@]}" --patch 30 --layers 1 \
    --channels 16 --heads 2 --restart
blup=(blup --store c.h5 --pheno c.pheno.tsv --pheno-name trait1)
"$GP_DIST" "${blup[@]}" --quiet --out bl || fail blup
"$GP_DIST" "${blup[@]}" --quiet --folds 2 --out blf || fail "blup --folds"
kept "train beside blup" "bl: holds results of gp-dist blup \(effects.tsv.gz\); name another --out, or give --restart" bl train \
    "${data[@]}" "${small[@]}"
kept "train beside folds of blup" "blf: holds results of gp-dist blup or assoc \(variance.tsv\)" blf train "${data[@]}" "${small[@]}"
kept "train beside blup, heads" ".*heads" bl train "${data[@]}" --channels 10 --heads 4 --restart
kept "blup beside train" "used: holds results of gp-dist train .*; name another --out" used "${blup[@]}"
cp -r used moved
rm -r moved/checkpoint
kept "train beside a network alone" "moved: holds a network whose checkpoint/run.txt is gone" moved train "${data[@]}" "${small[@]}"
kept "blup beside a network alone" "moved: holds results of gp-dist train \(model.safetensors\)" moved "${blup[@]}"
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --restart --out bl || fail "--restart beside blup"
rm bl/grm.h5 || fail "--restart removes a matrix of relationships"
alike "--restart beside blup" r1 bl
# What a directory's own network gives is read before it is replaced.
cp -r m1 self
"$GP_DIST" train --quiet "${data[@]}" "${small[@]}" --init self --restart --out self || fail "--init of the directory itself"
same "--init of the directory itself" init1/model.safetensors self/model.safetensors

# A finished training that is damaged is not taken, and named.
cp -r cut torn
rm torn/checkpoint/finished
echo '{}' >torn/checkpoint/model-0-1.safetensors
expect_error "a damaged checkpoint" 64 "torn/checkpoint/model-0-1.safetensors: " ranks 2 train --threads 1 "${data[@]}" "${long[@]}" --out torn
finish
