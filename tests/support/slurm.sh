# Sourced by end-to-end scripts, after lib.sh: a Slurm of their own on this machine.
#
# Its daemons, ports, keys and files are its own, under $SCRATCH/slurm, so that it stands beside any other Slurm. No
# systemd, no cgroups. The script that sources this calls slurm_up, and everything ends with the script.

slurm=$SCRATCH/slurm
nodes=2

# slurm_missing: whether this machine lacks what is needed.
slurm_missing() {
    local name
    PATH=$PATH:/usr/sbin:/sbin
    for name in slurmctld slurmd munged sbatch squeue scontrol scancel; do
        command -v $name >/dev/null || return 0
    done
    return 1
}

# slurm_ports: sets port to the first of four that nobody listens on.
slurm_ports() {
    local k
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 10000))
        for k in 0 1 2 3; do
            (exec 3<>"/dev/tcp/127.0.0.1/$((port + k))") 2>/dev/null && continue 2
        done
        return
    done
}

slurm_config() {
    local host k
    host=$(hostname -s)
    cat <<C
ClusterName=gpdist
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.sock
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,bf_interval=2
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/%n
TmpFS=$slurm/%n
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd-%n.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd-%n.log
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MinJobAge=600
Waittime=0
InactiveLimit=0
PropagateResourceLimits=NONE
AccountingStorageType=accounting_storage/none
C
    for k in $(seq $nodes); do
        echo "NodeName=node$k NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + k)) CPUs=2 Sockets=1 CoresPerSocket=2" \
            "ThreadsPerCore=1 RealMemory=1000 State=UNKNOWN"
    done
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO"
}

# ended PID: waits until a process is gone, or nothing but its status is left; kills it where that takes long.
ended() {
    for _ in $(seq 50); do
        grep -qs . "/proc/$1/cmdline" || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null
}

# slurm_stop PIDS: ends these daemons, if they are still those of this script.
slurm_stop() {
    local pid
    for pid in "$@"; do
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$slurm/" || continue
        kill "$pid" 2>/dev/null
        ended "$pid"
    done
}

# slurm_pids: in the order in which they end.
slurm_pids() {
    cat "$slurm"/slurmd-*.pid "$slurm/slurmctld.pid" "$slurm/munged.pid" 2>/dev/null
}

# slurm_guard: daemons do not end with the script that started them where that is killed; this sees to it.
slurm_guard() {
    local script=$$ pids
    # shellcheck disable=SC2046 # numbers
    pids=$(echo $(slurm_pids))
    export slurm
    # shellcheck disable=SC2086 # numbers
    (setsid bash -c "$(declare -f ended slurm_stop)"'
        while kill -0 "$0" 2>/dev/null; do sleep 1; done
        slurm_stop "$@"' "$script" $pids </dev/null >/dev/null 2>&1 &)
}

# slurm_down: ends jobs and daemons, those that slurm_up started and no others.
slurm_down() {
    if [ -e "$slurm/slurmctld.pid" ]; then
        timeout 10 scancel --user "$(id -un)" 2>/dev/null
        for _ in $(seq 100); do
            [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break
            sleep 0.1
        done
    fi
    # shellcheck disable=SC2046 # numbers
    slurm_stop $(slurm_pids)
}

# slurm_up: returns when all nodes are idle.
slurm_up() {
    local k
    mkdir -p "$slurm/state" || return 1
    # munge wants no folder on the way that others could write to.
    chmod 755 "$SCRATCH" "$slurm"
    trap slurm_down EXIT
    trap 'exit 1' INT TERM HUP
    (umask 077 && head -c 64 /dev/urandom >"$slurm/munge.key")
    munged --force --key-file="$slurm/munge.key" --socket="$slurm/munge.sock" --pid-file="$slurm/munged.pid" \
        --log-file="$slurm/munged.log" --seed-file="$slurm/munged.seed" --num-threads=2 || return 1
    export SLURM_CONF=$slurm/slurm.conf
    for _ in 1 2 3; do
        slurm_ports
        slurm_config >"$SLURM_CONF"
        slurmctld -f "$SLURM_CONF" -c && break
    done
    for k in $(seq $nodes); do
        mkdir -p "$slurm/node$k"
        slurmd -f "$SLURM_CONF" -N "node$k" || return 1
    done
    for _ in $(seq 150); do
        [ "$(sinfo --noheader --states idle --format %D 2>/dev/null)" = $nodes ] && slurm_guard && return
        sleep 0.1
    done
    tail -n 5 "$slurm"/*.log >&2
    return 1
}

# field JOB NAME: what Slurm says of a job.
field() {
    scontrol --oneliner show job "$1" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

# reaches JOB STATE...: waits until a job is in one of these states.
reaches() {
    local job=$1 state=''
    shift
    for _ in $(seq 600); do
        state=$(field "$job" JobState)
        [ -n "$state" ] || break
        [[ " $* " == *" $state "* ]] && return
        sleep 0.1
    done
    fail "job $job: is ${state:-not there}, not $*"
    return 1
}

# hurry JOB: Slurm holds back a requeued job for two minutes; this one starts at once. Within the second of its end a node
# would take it for the job that has just ended.
hurry() {
    reaches "$1" PENDING && sleep 2 && scontrol update jobid="$1" StartTime=now
}
