#!/usr/bin/env bash
# run: every file of the pipeline, the same bytes on any ranks; what is finished is kept; what changed is done again, and nothing else;
# stopped and continued; a directory of other options, of another version, of another run.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 240 --variants 300 --chromosomes 3 --traits 3 --binary 1 --heritability 0.6 --seed 5 \
    --missing-rate 0.01 --missing-pheno 0.05 --out c || fail simulate
cat >study.conf <<END
store = c.h5
pheno = c.pheno.tsv
covar = c.covar.tsv
cat-covar-name = batch
pca = 2
folds = 2
networks = 1
epochs = 3
patch = 30
layers = 1
channels = 8
batch-size = 32
shard-size = 8
clump-p = 1e-3
END

# listing DIR: the files whose bytes may depend on nothing, with their sums.
listing() {
    (cd "$1" && find . -type f ! -name gp-dist.log ! -name manifest.json | LC_ALL=C sort | xargs md5sum)
}

# stamps DIR: what would tell that a file was written again.
stamps() {
    (cd "$1" && find . -type f ! -name gp-dist.log ! -path ./manifest.json | LC_ALL=C sort | xargs stat -c '%n %y %i')
}

cut -f 1,2 c.pheno.tsv >everybody.txt

# ---- every file ----
"$GP_DIST" --config study.conf --threads 1 --out one 2>run.log || fail "run: $(cat run.log)"
files=(pca/pca.eigenvec pca/pca.eigenval report.html manifest.json gp-dist.log)
for trait in trait1 trait2 trait3; do
    for file in tsv.gz tsv.gz.tbi tsv.gz-meta.yaml; do
        files+=("assoc/$trait.$file" "merged/$trait.$file")
    done
    files+=("merged/$trait.hits.tsv" "merged/$trait.summary.json")
    for file in config.json model.safetensors variants.tsv.gz training.tsv metrics.tsv predictions.tsv offsets.ridge.tsv.gz \
        offsets.transformer.tsv.gz attribution.tsv.gz tensorboard/events.out.tfevents.0.gp-dist; do
        files+=("model/$trait/$file")
    done
done
for file in "${files[@]}"; do
    [ -s "one/$file" ] || fail "no $file"
done
[ ! -e one/.lock ] || fail "the lock stays"
python3 -c 'import json; m = json.load(open("one/manifest.json")); assert len(m["steps"]) == 14 and all(s["finished"] for s in m["steps"]), m' ||
    fail "the manifest"
grep -q '== gp-dist train .*--pheno-name=trait2' one/gp-dist.log || fail "the log does not hold the commands"
grep -q 'plan: 1 groups of ranks' one/gp-dist.log || fail "the log does not hold the plan"
grep -q 'trait trait3: cross-validated auc: .*offset: ' one/gp-dist.log || fail "the log does not tell of the offset"
for trait in trait1 trait2 trait3; do
    [ "$(zcat one/merged/$trait.tsv.gz | wc -l)" = 301 ] || fail "lines of merged/$trait"
    zcat one/merged/$trait.tsv.gz | head -1 | grep -q "$(printf 'attribution\tattribution_rank$')" || fail "header of merged/$trait"
done

# ---- ranks and threads ----
for n in 3 4; do
    ranks $n run --quiet --config study.conf --threads 1 --out r$n || fail "$n ranks"
    diff <(listing one) <(listing r$n) || fail "$n ranks: other bytes"
done
"$GP_DIST" run --quiet --config study.conf --threads 3 --out threads || fail "3 threads"
diff <(listing one) <(listing threads) || fail "3 threads: other bytes"

# ---- the same again ----
before=$(stamps one)
"$GP_DIST" run --config study.conf --out one 2>again.log || fail "again: $(cat again.log)"
grep -q 'one: is finished already; nothing has changed' again.log || fail "again: $(cat again.log)"
[ "$(stamps one)" = "$before" ] || fail "again: files were written"

# ---- a changed trait ----
cp -a one changed
awk -F '\t' -v OFS='\t' 'FNR == 3 { $4 += 1 } 1' c.pheno.tsv >new.pheno.tsv
head -1 c.pheno.tsv | cut -f 4 | grep -qx trait2 || fail "column 4 is not trait2"
before=$(stamps changed | grep -v -e trait2 -e report.html)
ranks 2 run --config study.conf --pheno new.pheno.tsv --out changed 2>changed.log || fail "a changed trait: $(cat changed.log)"
[ "$(stamps changed | grep -v -e trait2 -e report.html -e filters.tsv)" = "$(grep -v filters.tsv <<<"$before")" ] || fail "a changed trait: others were done again"
"$GP_DIST" run --quiet --config study.conf --pheno new.pheno.tsv --out fresh || fail "a changed trait, afresh"
diff <(listing changed) <(listing fresh) || fail "a changed trait: other bytes than afresh"
diff <(listing one) <(listing fresh) >/dev/null && fail "a changed trait changes nothing"

# Killed in the midst of it, before the network's own mark: the same command goes on.
cp -a one killed
"$GP_DIST" run --config study.conf --pheno new.pheno.tsv --out killed 2>/dev/null &
pid=$!
for _ in $(seq 400); do
    grep -q '== gp-dist train' <(tail -n +2 killed/gp-dist.log | sed -n '/run in killed/,$p') && break
    sleep 0.01
done
kill -KILL $pid
wait $pid 2>/dev/null
"$GP_DIST" run --quiet --config study.conf --pheno new.pheno.tsv --out killed || fail "killed in a changed trait's training: does not continue"
diff <(listing killed) <(listing fresh) || fail "killed in a changed trait's training: other bytes than afresh"

# alike WHAT DIR FILE OPTIONS...: DIR, run again with the table FILE, is as a new run.
alike() {
    local what=$1 directory=$2 table=$3
    shift 3
    "$GP_DIST" run --config study.conf --pheno "$table" "$@" --out "$directory" 2>again.log || fail "$what: $(tail -1 again.log)"
    rm -rf afresh
    "$GP_DIST" run --quiet --config study.conf --pheno "$table" "$@" --out afresh 2>/dev/null || fail "$what: afresh"
    diff <(listing "$directory") <(listing afresh) || fail "$what: other bytes than afresh"
}
awk -F '\t' -v OFS='\t' '$5 == 1 && ++n > 7 { $5 = 0 } 1' c.pheno.tsv >few.tsv
alike "a trait of few cases" killed few.tsv
grep -q "warning: trait 'trait3' is skipped: it has fewer than 10 cases" killed/gp-dist.log || fail "few cases: not in the log"
[ ! -e killed/assoc/trait3.tsv.gz ] && [ ! -e killed/model/trait3 ] || fail "few cases: old results stay"
alike "and back" killed new.pheno.tsv
cut -f 1-3,5 c.pheno.tsv >less.tsv
alike "a trait less" killed less.tsv
[ ! -e killed/model/trait2 ] || fail "a trait less: its network stays"
awk -F '\t' -v OFS='\t' '{ print $0, FNR == 1 ? "a b/c" : $3 }' less.tsv >named.tsv
alike "a trait more, with blanks and slashes" killed named.tsv

# A covariate: components do not depend on it.
cp -a one covariate
awk -F '\t' -v OFS='\t' 'FNR == 3 { $3 += 1 } 1' c.covar.tsv >new.covar.tsv
before=$(stamps covariate | grep pca)
"$GP_DIST" run --quiet --config study.conf --covar new.covar.tsv --out covariate || fail "a changed covariate"
[ "$(stamps covariate | grep pca)" = "$before" ] || fail "a changed covariate: components were found again"
cmp -s one/assoc/trait1.tsv.gz covariate/assoc/trait1.tsv.gz && fail "a changed covariate changes nothing"

# Networks to train on from, and what changed since.
"$GP_DIST" run --quiet --config study.conf --warm-start --out warm || fail "--warm-start: the first run"
diff <(listing one | grep merged) <(listing warm | grep merged) || fail "--warm-start: the first run starts elsewhere"
"$GP_DIST" run --config study.conf --pheno new.pheno.tsv --warm-start --compare one --out warm 2>warm.log || fail "--warm-start: $(tail -1 warm.log)"
grep -q -- '--warm-start=warm/model/\.before\.trait2' warm.log || fail "--warm-start: starts cold"
[ "$(grep -c -- '--warm-start=' warm.log)" = 1 ] || fail "--warm-start: other traits are trained"
[ ! -e warm/model/.before.trait2 ] || fail "--warm-start: the network of before stays"
grep -q "$(printf '^trait2\t')" warm/changes.tsv || fail "--compare: no changes"
"$GP_DIST" run --quiet --config study.conf --pheno new.pheno.tsv --warm-start --out warm || fail "--compare left out"
[ ! -e warm/changes.tsv ] || fail "--compare left out: changes.tsv stays"

# Copied: read once more, then known again.
cp -r one copied
"$GP_DIST" run --quiet --config study.conf --out copied || fail "a copy"
diff <(listing one) <(listing copied) || fail "a copy: other bytes"
python3 -c 'import json, os
for s in json.load(open("copied/manifest.json"))["steps"]:
    for o in s["outputs"]:
        assert os.stat("copied/" + o["path"]).st_mtime_ns == o["modified"], o' || fail "a copy: its times are not kept"

# A mixed model has a matrix, which is made again where samples change; variants of X alone have no networks.
head -200 everybody.txt >some.txt
"$GP_DIST" run --quiet --config study.conf --model lmm --keep some.txt --out mixed || fail "--model lmm"
[ -s mixed/grm/grm.h5 ] && [ -s mixed/assoc/variance.tsv ] || fail "--model lmm: no matrix, or no components of variance"
head -190 everybody.txt >some.txt
"$GP_DIST" run --quiet --config study.conf --model lmm --keep some.txt --out mixed || fail "--model lmm: fewer samples"
"$GP_DIST" run --config study.conf --model lmm --keep some.txt --out mixed 2>&1 | grep -q 'is finished already' || fail "--model lmm: is not finished"

# ---- files changed behind its back ----
cp -a one altered
rm altered/assoc/trait1.tsv.gz
echo >>altered/merged/trait3.hits.tsv
echo '{}' >altered/model/trait2/config.json
"$GP_DIST" run --config study.conf --out altered 2>altered.log || fail "altered files: $(cat altered.log)"
for words in "assoc/trait1.tsv.gz was removed" "merged/trait3.hits.tsv was changed" "model/trait2/config.json was changed"; do
    grep -q "altered/$words since it was made" altered.log || fail "altered files: no word of '$words'"
done
diff <(listing one) <(listing altered) || fail "altered files: other bytes"

# ---- stopped, killed, continued ----
for signal in TERM USR1 KILL; do
    rm -rf stopped
    starts=0
    for _ in 1 2 3 4 5 6; do
        "$GP_DIST" run --config study.conf --threads 1 --out stopped 2>stopped.log &
        pid=$!
        for _ in $(seq 200); do # until it catches signals
            [ "$(grep -cs ': run in stopped, ' stopped/gp-dist.log)" = $((starts + 1)) ] && break
            sleep 0.05
        done
        starts=$((starts + 1))
        sleep "0.$((RANDOM % 9 + 1))"
        kill -$signal $pid 2>/dev/null
        wait $pid
        status=$?
        [ $signal = KILL ] || [ $status = 75 ] || [ $status = 0 ] || fail "SIG$signal: status $status: $(cat stopped.log)"
        [ $status != 75 ] || grep -q 'the same command continues' stopped.log || fail "SIG$signal: $(tail -1 stopped.log)"
        [ $status = 0 ] && break
    done
    ranks 2 run --quiet --config study.conf --out stopped || fail "SIG$signal: does not continue"
    diff <(listing one) <(listing stopped) || fail "SIG$signal: other bytes"
done

# ---- wrong directories ----
refuse() {
    local before
    before=$(listing one)
    expect_error "$1" 64 "$2" "${@:3}"
    [ "$(listing one)" = "$before" ] || fail "$1: something changed"
}
refuse "other options" 'one: was made with other options: --epochs was 3, and is 4 now; give --restart' "$GP_DIST" run --config study.conf --epochs 4 --out one
refuse "an option more" 'one: was made with other options: --maf was not given, and is 0.01 now' ranks 2 run --config study.conf --maf 0.01 --out one
refuse "an option less" 'one: was made with other options: --pca was 2, and is not given now' "$GP_DIST" run --config <(grep -v pca study.conf) --out one
refuse "another offset" 'one: was made with other options: --offset was not given, and is none now' "$GP_DIST" run --config study.conf --offset none --out one
refuse "a list more" 'one: was made with other options: --keep was not given, and is everybody.txt now' "$GP_DIST" run --config study.conf --keep everybody.txt --out one
refuse "--restart of what cannot be" '.*--ci is for binary traits' "$GP_DIST" run --config study.conf --restart --model linear --ci 0.95 --out one
refuse "no such genes" 'nothere\.gff3: cannot be opened' "$GP_DIST" run --config study.conf --genes nothere.gff3 --out two
refuse "thresholds" 'command line: --clump-p2' "$GP_DIST" run --config study.conf --clump-p2 1e-9 --out two
refuse "no run to compare with" 'nothere/manifest\.json: ' "$GP_DIST" run --config study.conf --compare nothere --out two
awk -F '\t' -v OFS='\t' 'FNR == 1 { $3 = "PC1" } 1' c.covar.tsv >pc.tsv
refuse "a component of one's own" "pc\.tsv: column 'PC1' has the name of a component" "$GP_DIST" run --config study.conf --covar pc.tsv --out two
mkdir foreign && echo '{"name": "app"}' >foreign/manifest.json
refuse "another program's manifest" 'foreign/manifest\.json: is not a manifest of gp-dist run' "$GP_DIST" run --config study.conf --restart --out foreign
[ -s foreign/manifest.json ] || fail "another program's manifest was removed"
cp -a one version
sed -i 's/"version": "[^"]*"/"version": "0.0.1"/' version/manifest.json
refuse "another version" 'version: was made by gp-dist 0\.0\.1, and this is ' "$GP_DIST" run --config study.conf --out version
echo '{' >version/manifest.json
refuse "a damaged manifest" 'version/manifest\.json:2: is not JSON' "$GP_DIST" run --config study.conf --out version
rm version/manifest.json
refuse "no manifest" 'version: holds assoc, and no manifest\.json' "$GP_DIST" run --config study.conf --out version
"$GP_DIST" run --quiet --restart --config study.conf --out version || fail "--restart"
diff <(listing one) <(listing version) || fail "--restart: other bytes"
refuse "no store" 'command line: run needs --store STORE.h5' "$GP_DIST" run --pheno c.pheno.tsv --out two
refuse "no such store" 'nothere\.h5: ' "$GP_DIST" run --config study.conf --store nothere.h5 --out two

awk -v OFS='\t' 'NR == 1 { print "FID", "IID", "x"; next } { print $1, $2, NR % 2 + 1 }' c.pheno.tsv >x.tsv
refuse "1 and 2" "x\.tsv: trait 'x' holds only the values 1 and 2" "$GP_DIST" run --config study.conf --pheno x.tsv --out two
[ ! -e two ] || fail "a wrong start leaves a directory"

# Nothing came of it: other options may follow.
expect_error "no variant" 64 'c\.h5: no variant is left' "$GP_DIST" run --config study.conf --maf 0.5 --out nothing
"$GP_DIST" run --quiet --config study.conf --out nothing || fail "after a failure at the start"
diff <(listing one) <(listing nothing) || fail "after a failure at the start: other bytes"

# ---- two at once ----
rm -rf busy
"$GP_DIST" run --config study.conf --epochs 200 --out busy 2>busy.log &
pid=$!
for _ in $(seq 100); do
    [ -s busy/.lock ] && break
    sleep 0.1
done
expect_error "two at once" 64 "busy: another run is at work here \(process $pid on .*, since [0-9-]* [0-9:]* UTC\)" "$GP_DIST" run --config study.conf --epochs 200 --out busy
kill -TERM $pid
wait $pid
[ $? = 75 ] || fail "the first of two does not stop: $(cat busy.log)"
[ ! -e busy/.lock ] || fail "the lock of the first stays"

# ---- plan ----
"$GP_DIST" run --config study.conf --dry-run --out planned >plan.txt 2>plan.log || fail "--dry-run: $(cat plan.log)"
grep -q '^plan: ' plan.txt || fail "--dry-run: no plan"
[ ! -e planned ] || fail "--dry-run leaves a directory"
finish
