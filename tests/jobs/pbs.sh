#!/usr/bin/env bash
# jobs/pbs/gp-dist.pbs with stand-ins for PBS's commands: what is asked for, the clock that tells the program to stop,
# further turns, statuses; and reanalyse.sh by way of it.
. "$GP_SOURCE/tests/support/lib.sh"
mkdir bin queue
# A job is its script, run at once in the background.
cat >bin/qsub <<'S'
#!/usr/bin/env bash
id=$(($(ls "$QUEUE" | wc -l) + 1)).server
mkdir "$QUEUE/$id"
printf '%s\n' "$*" >"$QUEUE/$id/options"
printf 'node1\nnode2\n' >"$QUEUE/$id/nodes"
(
    export PBS_JOBID=$id PBS_O_WORKDIR=$PWD PBS_NODEFILE=$QUEUE/$id/nodes
    cp "${!#}" "$QUEUE/$id/SC"
    cd /
    bash "$QUEUE/$id/SC" >"$QUEUE/$id/said" 2>&1
    echo $? >"$QUEUE/$id/status"
) </dev/null >/dev/null 2>&1 &
echo "$id"
S
cat >bin/qstat <<'S'
#!/usr/bin/env bash
echo "Job Id: $2"
echo "    job_state = ${STATE:-R}"
S
cat >bin/qselect <<'S'
#!/usr/bin/env bash
for job in "$QUEUE"/*; do
    [ -e "$job/status" ] || [ ! -e "$job" ] || basename "$job"
done
S
# The program: waits to be told to stop in its first turn; its last argument is the status of the second.
cat >bin/program <<'S'
#!/usr/bin/env bash
printf '%s|' "$@" >>words
echo " $OMP_NUM_THREADS $OMPI_MCA_orte_default_hostfile" >>words
[ -e told ] && exit "${!#}"
trap 'echo told >told; exit 75' USR1
sleep 30 &
wait
S
chmod +x bin/*
export PATH=$PWD/bin:$PATH QUEUE=$PWD/queue GP_LAUNCH=env GP_DIST=program

# finished JOB: waits for it.
finished() {
    for _ in $(seq 200); do
        [ -e "queue/$1/status" ] && return
        sleep 0.1
    done
    fail "job $1 does not end: $(cat "queue/$1/said")"
}
pbs=$GP_SOURCE/jobs/pbs/gp-dist.pbs

# ---- told by its own clock, then finished in a second turn ----
export GP_AFTER="echo after >>after.log"
job=$(GP_NODES=4 GP_RANKS=16 GP_THREADS=2 GP_TIME=00:00:10 GP_NOTICE=9 GP_QUEUE=long GP_SUBMIT="-W block=false" \
    GP_CONFIG="a study.conf" GP_OUT=out GP_ARGS="--epochs 0" bash "$pbs") || fail "not submitted"
[ "$job" = 1.server ] || fail "job '$job'"
finished 1.server
finished 2.server
[ "$(cat queue/*/status | tr '\n' ' ')" = "75 0 " ] || fail "statuses: $(cat queue/*/status queue/*/said)"
[ "$(sed "s|$GP_SOURCE|.|" queue/1.server/options)" = "-V -N gp-dist -j oe -l select=4:ncpus=32:mpiprocs=16:ompthreads=2 -l walltime=00:00:10 -q long -W block=false ./jobs/pbs/gp-dist.pbs" ] ||
    fail "options: $(cat queue/1.server/options)"
cmp -s queue/1.server/options queue/2.server/options || fail "the second turn has other options: $(cat queue/2.server/options)"
grep -q "turn 2 of 50 follows: 2.server" queue/1.server/said || fail "turns are not told: $(cat queue/1.server/said)"
[ "$(head -n 1 words)" = "run|--config|a study.conf|--out|out|--epochs|0| 2 $PWD/queue/1.server/nodes" ] || fail "words: $(cat words)"
[ "$(cat after.log)" = "after 0" ] || fail "GP_AFTER: $(cat after.log)"

# ---- other statuses are the job's; too many turns; deleted by its owner ----
rm -rf queue/* after.log
job=$(GP_TIME=00:20:37 GP_NOTICE=1 GP_ARGS="info 64" bash "$pbs")
finished 1.server
[ -z "$(pgrep -f '^sleep 1236$')" ] || fail "the clock goes on"
[ "$(cat queue/*/status)" = 64 ] || fail "status of wrong input: $(cat queue/*/status queue/*/said)"
rm -r queue/* told
job=$(GP_TRIES=1 GP_TIME=10 GP_NOTICE=9 GP_ARGS="info 0" bash "$pbs")
finished 1.server
grep -q "in turn 1 of 1; submit it again" queue/1.server/said || fail "too many turns: $(cat queue/1.server/said)"
rm -r queue/* told
job=$(STATE=E GP_TIME=10 GP_NOTICE=9 GP_ARGS="info 0" bash "$pbs")
finished 1.server
[ "$(ls queue)" = 1.server ] && [ "$(cat queue/1.server/status)" = 75 ] || fail "a deleted job came back: $(ls queue)"
rm -r queue/* told after.log
job=$(bash "$pbs")
finished 1.server
grep -q "nothing to run" queue/1.server/said || fail "nothing to run: $(cat queue/1.server/said)"
unset GP_AFTER

# ---- scheduled ----
rm -r queue/*
cat >bin/program <<'S'
#!/usr/bin/env bash
case $1 in
--version) echo "gp-dist 1" ;;
info) echo "digest abc" ;;
run) sleep 2; mkdir -p "$5"; echo "$*" >"$5/words" ;;
esac
S
: >c.h5
echo 1 >c.tsv
printf 'store = c.h5\npheno = c.tsv\n' >c.conf
reanalyse() {
    bash "$GP_SOURCE/jobs/slurm/reanalyse.sh" --scheduler pbs --config c.conf --runs runs 2>said.log || fail "reanalyse: $(cat said.log)"
}
[ "$(reanalyse)" = 1.server ] || fail "reanalyse: $(cat said.log)"
[ -z "$(reanalyse)" ] && grep -q "job 1.server is queued or running" said.log || fail "reanalyse submits twice: $(cat said.log)"
finished 1.server
[ -z "$(reanalyse)" ] && grep -q "nothing has changed" said.log || fail "reanalyse: $(cat said.log)"
first=$(readlink runs/latest)
echo 2 >c.tsv
[ "$(reanalyse)" = 2.server ] || fail "a changed table: $(cat said.log)"
finished 2.server
[ "$(cat runs/latest/words)" = "run --config c.conf --out runs/$(readlink runs/latest) --compare runs/$first" ] ||
    fail "words: $(cat runs/latest/words)"
finish
