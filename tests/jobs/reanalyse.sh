#!/usr/bin/env bash
# jobs/slurm/reanalyse.sh: what has changed is analysed again, once, from what the last run left; what has not, is not.
# In a real Slurm.
. "$GP_SOURCE/tests/support/lib.sh"
. "$GP_SOURCE/tests/support/slurm.sh"
if slurm_missing; then
    echo "skipped: no Slurm here"
    exit 77
fi
if sanitized; then
    echo "skipped: scripts are the same with sanitizers"
    exit 77
fi
slurm_up || { fail "Slurm does not start"; finish; }

"$GP_DIST" simulate --quiet --samples 120 --variants 150 --chromosomes 2 --traits 2 --heritability 0.5 --seed 3 --out c || { fail simulate; finish; }
cat >study.conf <<'C'
# A cohort.
store = c.h5
pheno = "c.pheno.tsv"
covar = c.covar.tsv   # all but one are numbers
cat-covar-name = batch
pca = 1
patch = 30
layers = 1
channels = 8
heads = 2
shard-size = 8
networks = 1
folds = 2
epochs = 2
checkpoint-steps = 3
C
cat >cluster.sh <<C
GP_DIST='$GP_DIST' GP_NODES=2 GP_RANKS=1 GP_TIME=10 GP_SUBMIT=--mem=100
GP_LAUNCH='$GP_MPIEXEC --quiet --mca btl self,tcp --mca btl_tcp_if_include lo --mca oob_tcp_if_include lo'
C

# again WHAT STATUS PATTERN [OPTIONS...]: a call of the schedule; what it says matches. Sets job.
again() {
    local what=$1 expected=$2 pattern=$3 status
    shift 3
    job=$(bash "$GP_SOURCE/jobs/slurm/reanalyse.sh" --settings cluster.sh --config study.conf --runs runs "$@" 2>said.log)
    status=$?
    [ $status = "$expected" ] || fail "$what: status $status, not $expected: $(cat said.log)"
    [ -z "$pattern" ] || grep -qE -e "$pattern" said.log || fail "$what: no /$pattern/ in: $(cat said.log)"
}
# idle WHAT STATUS PATTERN [OPTIONS...]: the same, and nothing is submitted or made.
idle() {
    local before
    before=$(ls -A runs runs/.reanalyse 2>/dev/null)
    again "$@"
    [ -z "$job" ] || fail "$1: submitted job $job"
    [ "$before" = "$(ls -A runs runs/.reanalyse 2>/dev/null)" ] || fail "$1: changes the folder: $(ls -A runs runs/.reanalyse)"
}
# ends WHAT STATE: of the job.
ends() {
    reaches "$job" COMPLETED FAILED CANCELLED TIMEOUT
    [ "$(field "$job" JobState)" = "$2" ] || fail "$1: $(field "$job" JobState), not $2: $(cat runs/*.log)"
    for _ in $(seq 100); do
        [ -n "$(squeue --noheader --jobs "$job" 2>/dev/null)" ] || break
        sleep 0.1
    done
}
results() {
    (cd "$1" && find . -type f ! -name gp-dist.log ! -name manifest.json ! -name changes.tsv ! -name report.html -exec md5sum {} + | sort -k 2)
}

# ---- nothing is submitted where something is missing, or for a look ----
idle "dry run" 0 "would run study.conf in runs/[0-9TZ-]+: the first run" --dry-run
[ ! -e runs ] || fail "a dry run made runs"
mv c.pheno.tsv away
again "no phenotypes" 64 "pheno: c.pheno.tsv is not there"
mv away c.pheno.tsv
[ -z "$(ls runs)" ] || fail "a run without phenotypes was begun"

# ---- the first run ----
again first 0 "the first run"
[[ "$job" =~ ^[0-9]+$ ]] || fail "first: job '$job'"
first_job=$job
idle "while it is queued" 0 "job $first_job is queued or running"
job=$first_job
ends first COMPLETED
first=$(readlink runs/latest)
[[ "$first" =~ ^20[0-9-]+T[0-9]{6}Z$ ]] || fail "latest is '$first'"
[ -s "runs/$first/report.html" ] && [ -s "runs/$first/merged/trait1.tsv.gz" ] || fail "the first run's files: $(cat runs/*.log)"

# ---- nothing changed ----
idle "nothing changed" 0 "nothing has changed since $first"
idle "nothing changed, quietly" 0 "" --quiet
[ ! -s said.log ] || fail "--quiet says: $(cat said.log)"
sed -i 's/^# A cohort.*/# The same cohort./; s/^epochs = 2/epochs=2 # no more/' study.conf
echo "threads = 1" >>study.conf
touch c.pheno.tsv
idle "a comment changed" 0 "nothing has changed"
(
    flock 8
    idle "two calls at once" 0 "another call is at work"
) 8>runs/.reanalyse/lock

# ---- a phenotype changed ----
kept=$(results "runs/$first"; cat "runs/$first/manifest.json" "runs/$first/gp-dist.log" "runs/$first/report.html" | md5sum)
cp c.pheno.tsv old.pheno.tsv
awk -v OFS='\t' 'NR == 5 { $4 += 1 } 1' old.pheno.tsv >c.pheno.tsv
again "a changed trait" 0 "changed: pheno$"
ends "a changed trait" COMPLETED
second=$(readlink runs/latest)
[ "$second" != "$first" ] || fail "latest did not move"
[ -s "runs/$second/changes.tsv" ] || fail "no changes.tsv: $(ls "runs/$second")"
grep -q -- "== gp-dist train .*--pheno-name=trait2" "runs/$second/gp-dist.log" || fail "the changed trait is not trained again"
grep -q -- "== gp-dist train .*--pheno-name=trait1\|== gp-dist pca" "runs/$second/gp-dist.log" && fail "the other trait is done again"
[ "$(results "runs/$first"; cat "runs/$first/manifest.json" "runs/$first/gp-dist.log" "runs/$first/report.html" | md5sum)" = "$kept" ] ||
    fail "the last run's files changed"
"$GP_DIST" run --quiet --config study.conf --out afresh || fail "afresh"
diff <(results afresh) <(results "runs/$second") || fail "a run that goes on from another gives other bytes"
idle "nothing changed again" 0 "nothing has changed since $second"

# ---- a run that fails is not run again, until something changes ----
sed '3s/\t[^\t]*$/\tabc/' c.pheno.tsv >bad.pheno.tsv
cp c.pheno.tsv good.pheno.tsv
cp bad.pheno.tsv c.pheno.tsv
again "bad phenotypes" 0 "changed: pheno$"
ends "bad phenotypes" FAILED
[ "$(field "$job" ExitCode) $(field "$job" Restarts)" = "64:0 0" ] || fail "bad phenotypes: $(field "$job" ExitCode)"
[ "$(readlink runs/latest)" = "$second" ] || fail "latest moved to a failed run"
idle "still bad" 1 "ended with status 64, and its input is still the same.*--force"
cp good.pheno.tsv c.pheno.tsv
idle "as it was" 0 "nothing has changed since $second"

# ---- an option changed: begun afresh; stopped: goes on ----
sed -i 's/^epochs=2.*/epochs = 5000/' study.conf
export GP_TRIES=1
again "more epochs" 0 "changed: epochs$"
unset GP_TRIES
third=$(cat runs/.reanalyse/last)
for _ in $(seq 600); do
    [ -e "runs/$third/model/trait1/checkpoint/last.safetensors" ] && break
    sleep 0.05
done
scancel --batch --signal=USR1 "$job"
ends "stopped" FAILED
[ "$(field "$job" ExitCode)" = "75:0" ] || fail "stopped: $(field "$job" ExitCode): $(cat "runs/$third.log")"
sed -i 's/^epochs = 5000/epochs = 3/' study.conf
again "fewer epochs" 0 "changed: epochs$"
scancel "$job"
reaches "$job" CANCELLED
for _ in $(seq 100); do
    [ -n "$(squeue --noheader --jobs "$job" 2>/dev/null)" ] || break
    sleep 0.1
done
fourth=$(cat runs/.reanalyse/last)
again "cancelled" 0 "$fourth: stopped before its end; goes on"
ends "cancelled" COMPLETED
[ "$(readlink runs/latest)" = "$fourth" ] || fail "latest is not $fourth"

# ---- here and now, and many cohorts ----
sed 's/^epochs = 3/epochs = 1/; /^c.*covar/d' study.conf >other.conf
printf 'study.conf runs # unchanged\n\nother.conf others\n' >cohorts.txt
# here STATUS PATTERN ARGS...
here() {
    local status=$1 pattern=$2 got
    shift 2
    GP_LAUNCH='' bash -c '. ./cluster.sh; export GP_DIST; unset GP_LAUNCH; exec bash "$@"' . \
        "$GP_SOURCE/jobs/slurm/reanalyse.sh" --scheduler none "$@" >said.log 2>&1
    got=$?
    [ $got = "$status" ] && grep -qE -e "$pattern" said.log || fail "$*: status $got, not $status, or no /$pattern/: $(cat said.log)"
}
here 0 "others: .*: the first run" --list cohorts.txt
grep -q "runs: nothing has changed since $fourth" said.log || fail "--list: $(cat said.log)"
[ -s others/latest/report.html ] || fail "--scheduler none: $(cat others/*.log)"
here 0 "others: nothing has changed" --config other.conf --runs others
cp bad.pheno.tsv c.pheno.tsv
here 64 "status 64: c.pheno.tsv:3" --config other.conf --runs others
here 1 "ended with status 64" --config other.conf --runs others
cp good.pheno.tsv c.pheno.tsv
here 0 "nothing has changed" --config other.conf --runs others
rm -r "others/$(readlink others/latest)"
here 0 "changed: pheno" --config other.conf --runs others
rm -r "others/$(readlink others/latest)"
here 0 "no longer there" --config other.conf --runs others

# ---- wrong usage ----
here 64 "--config FILE is needed" --runs others
here 64 "--runs DIR is needed" --config other.conf
here 64 "nowhere.conf: not there" --config nowhere.conf --runs others
here 64 "not lsf" --scheduler lsf --config other.conf --runs others
here 64 "--what is not known" --what
here 0 "by .crontab -e." --help
echo "out = x" >>other.conf
here 64 "'out' is not for" --config other.conf --runs others
GP_DIST=./nothing bash "$GP_SOURCE/jobs/slurm/reanalyse.sh" --config study.conf --runs runs 2>said.log
[ $? = 64 ] && grep -q "'./nothing' is no program here" said.log || fail "no program: $(cat said.log)"
finish
