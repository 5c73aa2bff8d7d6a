#!/usr/bin/env bash
# jobs/slurm/gp-dist.sbatch and array.sbatch in a real Slurm: a job that is signalled goes on in the next turn with the
# same bytes; wrong input, a cancelled job and too many turns end it; an array over cohorts.
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

"$GP_DIST" simulate --quiet --samples 240 --variants 300 --chromosomes 2 --traits 1 --heritability 0.5 --seed 7 --out c || { fail simulate; finish; }
cat >c.conf <<'C'
store = c.h5
pheno = c.pheno.tsv
pca = 1
patch = 30
layers = 1
channels = 8
heads = 2
batch-size = 32
shard-size = 8
networks = 1
folds = 2
epochs = 160
checkpoint-steps = 10
C
export GP_DIST GP_NODES=2 GP_RANKS=1 GP_THREADS=1 GP_TIME=10 GP_SUBMIT=--mem=100
# The nodes are one machine, where ranks that share memory may belong to several.
export GP_LAUNCH="$GP_MPIEXEC --quiet --mca btl self,tcp --mca btl_tcp_if_include lo --mca oob_tcp_if_include lo"
slurm_scripts=$GP_SOURCE/jobs/slurm

# submit ARGS...: sets job.
submit() {
    job=$(bash "$slurm_scripts/gp-dist.sbatch" "$@") || fail "not submitted: $*"
    [[ "$job" =~ ^[0-9]+$ ]] || fail "submitted as '$job'"
}

# log: what the job said.
log() {
    cat "gp-dist-$job.log"
}

# started FILE: waits for it.
started() {
    for _ in $(seq 600); do
        [ -e "$1" ] && return
        sleep 0.05
    done
    fail "$1: does not appear: $(log)"
}

# ends WHAT STATE STATUS: of the job.
ends() {
    reaches "$job" COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL OUT_OF_MEMORY
    [ "$(field "$job" JobState) $(field "$job" ExitCode)" = "$2 $3:0" ] ||
        fail "$1: ended as $(field "$job" JobState) $(field "$job" ExitCode), not $2 $3:0: $(log)"
}

# ---- signalled, twice, and finished ----
"$GP_DIST" run --quiet --threads 1 --config c.conf --out whole || fail "uninterrupted"
export GP_AFTER="echo after >>after.log"
submit run --quiet --config c.conf --out cut
started cut/model/trait1/checkpoint/last.safetensors
scancel --batch --signal=USR1 "$job"
hurry "$job"
# As if the node's other jobs were more important: TERM to all processes, and to another turn.
started cut/model/trait1/checkpoint/model-0-1.safetensors
reaches "$job" RUNNING
[ "$(field "$job" Restarts)" = 1 ] || fail "Restarts: $(field "$job" Restarts)"
[ ! -e cut/model/trait1/metrics.tsv ] || fail "the network was finished before the second signal"
[ ! -e after.log ] || fail "GP_AFTER ran between two turns"
scancel --batch --signal=TERM "$job"
hurry "$job"
ends "signalled" COMPLETED 0
[ "$(field "$job" Restarts)" = 2 ] || fail "Restarts: $(field "$job" Restarts)"
grep -q '^gp-dist: error: stopped by ' "gp-dist-$job.log" || fail "does not say that it was stopped: $(log)"
grep -q "turn 3 of 50 follows" "gp-dist-$job.log" || fail "turns are not told: $(log)"
diff -rq --exclude=gp-dist.log --exclude=manifest.json whole cut || fail "a run in three turns gives other bytes"
[ "$(cat after.log)" = "after 0" ] || fail "GP_AFTER: $(cat after.log)"
rm after.log

# ---- wrong input is not tried again ----
submit run --store nowhere.h5 --pheno c.pheno.tsv --out bad
ends "wrong input" FAILED 64
[ "$(field "$job" Restarts)" = 0 ] || fail "wrong input is tried again"
grep -q '^gp-dist: error: nowhere.h5' "gp-dist-$job.log" || fail "wrong input: $(log)"
[ "$(cat after.log)" = "after 64" ] || fail "GP_AFTER: $(cat after.log)"
unset GP_AFTER

# ---- too many turns ----
rm -r cut
GP_TRIES=1 submit run --quiet --config c.conf --out cut
started cut/model/trait1/checkpoint/last.safetensors
scancel --batch --signal=USR1 "$job"
ends "one turn only" FAILED 75
grep -q "in turn 1 of 1; submit it again" "gp-dist-$job.log" || fail "one turn only: $(log)"

# ---- cancelled: it saves, and stays away ----
rm -r cut
submit run --quiet --config c.conf --out cut
started cut/model/trait1/checkpoint/last.safetensors
scancel "$job"
reaches "$job" CANCELLED PENDING
for _ in $(seq 100); do
    [ -n "$(squeue --noheader --jobs "$job")" ] || break
    sleep 0.1
done
[ "$(field "$job" JobState) $(field "$job" Restarts)" = "CANCELLED 0" ] || fail "cancelled: $(field "$job" JobState): $(log)"

# ---- modules, settings, variables in place of words, and a plain sbatch ----
cat >setup.sh <<'S'
module() {
    echo "module $*"
}
module load fftw
S
printf 'echo() { :; }\nexport CAME_FROM=setup\n' >other.sh
cat >program <<'S'
#!/usr/bin/env bash
echo "$CAME_FROM $OMPI_COMM_WORLD_SIZE $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $OMPI_MCA_mpi_yield_when_idle|$*"
S
chmod +x program
(
    failures=0
    export GP_DIST=./program GP_SETUP=other.sh GP_CONFIG="a study.conf" GP_OUT=out GP_ARGS="--compare 'the last' --quiet" GP_LOG=variables.log
    GP_NODES=1 GP_THREADS=2 submit
    ends variables COMPLETED 0
    [ "$(cat variables.log)" = "setup 1 2 1 1|run --config a study.conf --out out --compare the last --quiet" ] ||
        fail "variables: $(cat variables.log)"
    job=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 "$slurm_scripts/gp-dist.sbatch" info "a b.h5") || fail "sbatch"
    ends sbatch COMPLETED 0
    [ "$(sort -u "gp-dist-$job.log")" = "setup 2 1 1 1|info a b.h5" ] || fail "sbatch: $(log)"
    unset GP_CONFIG GP_ARGS GP_LOG
    submit
    ends "nothing to run" FAILED 64
    GP_SETUP=setup.sh GP_MODULES="openmpi hdf5" submit info
    ends "no module command" FAILED 1
    exit $failures
) || fail variables

# ---- an array over cohorts ----
mkdir studies
for k in 1 2; do
    "$GP_DIST" simulate --quiet --samples 100 --variants 100 --chromosomes 1 --traits 1 --seed $k --out studies/$k || fail simulate
    printf 'store = studies/%s.h5\npheno = studies/%s.pheno.tsv\n' $k $k >studies/s$k.conf
done
cat >cohorts.txt <<'L'
# config folder

studies/s1.conf first    # as it is named
studies/s2.conf
L
cat >one.sh <<'S'
#!/usr/bin/env bash
# The command that a config file is given to.
shift
exec "$REAL" assoc --quiet "$@"
S
chmod +x one.sh
export REAL=$GP_DIST GP_NODES=1
job=$(GP_DIST=./one.sh bash "$slurm_scripts/array.sbatch" cohorts.txt) || fail "array"
for k in 1 2; do
    reaches "${job}_$k" COMPLETED || cat "gp-dist-${job}_$k.log"
done
job=$(GP_DIST=./one.sh sbatch --parsable --array=2 "$slurm_scripts/array.sbatch" cohorts.txt) || fail "array by sbatch"
"$GP_DIST" assoc --quiet --config studies/s1.conf --out alone1 && diff -r alone1 first || fail "first cohort"
"$GP_DIST" assoc --quiet --config studies/s2.conf --out alone2 && diff -r alone2 runs/s2 || fail "second cohort"
reaches "${job}_2" COMPLETED || cat "gp-dist-${job}_2.log"
# Each job of an array is put in the queue again by itself: both are stopped in their first turn.
cat >two.sh <<'S'
#!/usr/bin/env bash
echo turn >>"$5.turns"
[ "$(wc -l <"$5.turns")" -gt 1 ] || exit 75
sleep 1
S
chmod +x two.sh
job=$(GP_DIST=./two.sh GP_LAUNCH=env bash "$slurm_scripts/array.sbatch" cohorts.txt) || fail "array of turns"
for k in 2 1; do
    hurry "${job}_$k"
done
for k in 1 2; do
    reaches "${job}_$k" COMPLETED || cat "gp-dist-${job}_$k.log"
    [ "$(field "${job}_$k" Restarts)" = 1 ] || fail "job $k of an array: $(field "${job}_$k" Restarts) restarts"
done
[ "$(cat first.turns runs/s2.turns | wc -l)" = 4 ] || fail "turns of an array: $(wc -l first.turns runs/s2.turns)"
expect_no() {
    local what=$1 pattern=$2
    shift 2
    bash "$slurm_scripts/array.sbatch" "$@" >out.log 2>&1
    [ $? = 64 ] && grep -q "$pattern" out.log || fail "$what: $(cat out.log)"
}
expect_no "no list" "no list of cohorts"
expect_no "no such list" "lists.txt: not there" lists.txt
: >empty.txt
expect_no "an empty list" "empty.txt: names no cohort" empty.txt

slurm_down
[ -z "$(pgrep -f "$slurm/slurm.conf")" ] || fail "daemons are left: $(pgrep -af "$slurm/slurm.conf")"
finish
