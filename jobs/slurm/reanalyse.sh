#!/usr/bin/env bash
# Analyses a cohort again when its data have changed: to be called by a schedule. It looks at the config file, the
# program's version and every file that the config names; where nothing has changed since the last run, it ends. Else
# it submits one job, unless one is still queued or running, that makes a new dated run:
#
#     RUNS/2026-11-22T021500/     begins as a copy of the last run (of links, which take no room), so that gp-dist does
#                                 again only what the change asks for; changes.tsv and report.html say what is new
#     RUNS/latest                 a link to the last run that ended with status 0
#
#   jobs/slurm/reanalyse.sh --config study.conf --runs RUNS [options]
#   jobs/slurm/reanalyse.sh --list cohorts.txt [options]
#
#     --config FILE         a config file of `gp-dist run`, without `out`; add `warm-start = yes` to train on from the
#                           last networks
#     --runs DIR            where runs lie
#     --list FILE           many cohorts: config file and folder of runs, a line each
#     --scheduler NAME      slurm, pbs, or none: here and now (default: slurm)
#     --settings FILE       a file for the shell that sets GP_NODES, GP_RANKS, GP_TIME, GP_MODULES, ... (see
#                           gp-dist.sbatch beside this script) and PATH; schedules start with a bare environment
#     --force               runs even if nothing changed, or the last run failed with the same input
#     --dry-run             says what it would do, and why
#     --quiet               says nothing where there is nothing to do
#     --help
#
# Every night at 2, by `crontab -e` (or `scrontab -e` where Slurm has it):
#
#   0 2 * * *  cd /project/study && /project/gp-dist/jobs/slurm/reanalyse.sh --quiet --settings cluster.sh --config study.conf --runs runs
#
# Files in the config are named from the folder in which this is called. Status: 0 submitted, or nothing to do; 1 failed,
# or the last run failed with the same input (change it, or --force); 64 wrong usage or input; with --scheduler none
# that of gp-dist. A run that was stopped (75) or killed is continued by the next call, three times. Files of several
# runs may be one file with several names: replace them, do not edit them. Old runs may be removed at any time.
set -u

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
jobs=$(dirname "$(dirname "$self")")

fail() {
    local status=$1
    shift
    echo "gp-dist: error: reanalyse.sh: $*" >&2
    exit "$status"
}

say() {
    echo "gp-dist: ${runs:-reanalyse.sh}: $*" >&2
}

# Says why nothing happens.
idle() {
    [ $quiet = 1 ] || say "$@"
    exit 0
}

# replace FILE: standard input becomes FILE, whole.
replace() {
    cat >"$1.tmp$$" && mv -f "$1.tmp$$" "$1"
}

# cause: of what a program said, its error.
cause() {
    awk 'sub(/^gp-dist: error: /, "") { error = $0 } { last = $0 } END { print error == "" ? last : error }'
}

# ---- what a run depends on ----

# settings: option and value of each line of the config file, tab-separated.
settings() {
    sed -e 's/\r$//' -e '1s/^\xEF\xBB\xBF//' "$config" | awk -v OFS='\t' '
        !/^[ \t]*(#|$)/ && (k = index($0, "=")) {
            name = substr($0, 1, k - 1); value = substr($0, k + 1)
            gsub(/^[ \t]+|[ \t]+$/, "", name); sub(/^[ \t]+/, "", value)
            if (value ~ /^"/) { value = substr(value, 2); sub(/".*/, "", value) }
            else { sub(/[ \t]#.*/, "", value); sub(/[ \t]+$/, "", value) }
            print name, value
        }'
}

# digest OPTION FILE: of its content; for a store that which it was given when it was made.
digest() {
    local said
    if [ "$1" = store ]; then
        said=$("$gp" info "$2" 2>&1) || fail 64 "$config: store: $(cause <<<"$said")"
        awk '$1 == "digest" { print $2 }' <<<"$said"
    else
        md5sum <"$2" | cut -d ' ' -f 1
    fi
}

# programs: finds gp-dist as a job does (gp-dist.sbatch).
programs() {
    set +u
    if [ -n "$GP_MODULES" ]; then
        command -v module >/dev/null || . /etc/profile
        # shellcheck disable=SC2086 # words
        module load $GP_MODULES >&2
    fi
    # shellcheck disable=SC1090 # the user's
    [ -z "$GP_SETUP" ] || . "$(dirname "$GP_SETUP")/$(basename "$GP_SETUP")" >&2
    set -u
    version=$("$gp" --version 2>/dev/null) && [ -n "$version" ] ||
        fail 64 "'$gp' is no program here; GP_DIST, PATH or GP_MODULES in a --settings file can name it"
}

# inputs: a line for everything that a run depends on. Lines that begin with "option" say with what a run's directory
# was made: where they change, another is begun.
inputs() {
    local name value file files said
    printf 'option\tprogram\t%s\noption\targuments\t%s\n' "$version" "${GP_ARGS:-}"
    while IFS=$'\t' read -r name value; do
        case $name in
        out | compare | restart | dry-run) fail 64 "$config: '$name' is not for a config file of reanalyse.sh" ;;
        # What changes no result.
        threads | quiet | times | warm-start | sample-shards | zero | checkpoint-minutes | checkpoint-steps) continue ;;
        store | pheno | covar | keep | remove | extract | exclude | fold-file | genes) ;;
        *)
            # Others may name a file too.
            printf 'option\t%s\t%s\n' "$name" "$value"
            [ -f "$value" ] || continue
            ;;
        esac
        IFS=, read -ra files <<<"$value"
        for file in "${files[@]}"; do
            file=${file#"${file%%[![:blank:]]*}"}
            [ -r "$file" ] && [ -f "$file" ] || fail 64 "$config: $name: $file is not there, or not readable"
            said=$(digest "$name" "$file") || exit 64
            printf '%s\t%s\t%s\n' "$name" "$file" "$said"
        done
    done < <(settings)
}

# changes OLD NEW: the names of what differs.
changes() {
    diff "$1" "$2" | awk -F '\t' '/^[<>]/ { sub(/^[<>] /, "", $1); name = $1 == "option" ? $2 : $1
                                            if (!seen[name]++) printf "%s%s", n++ ? ", " : "", name }'
}

# ---- the scheduler ----

# busy: whether a job of this cohort is queued or running.
busy() {
    local found user
    user=$(id -un)
    case $scheduler in
    slurm) found=$(squeue --noheader --user "$user" --name "$name" --format %i) || fail 1 "squeue failed; nothing is submitted" ;;
    pbs) found=$(qselect -u "$user" -N "$name" -s EHQRSTW) || fail 1 "qselect failed; nothing is submitted" ;;
    none) return 1 ;;
    esac
    [ -n "$found" ] && job=$(head -n 1 <<<"$found")
}

# start: submits a run of $new, or does it. Only what is done here holds on to the lock (9).
start() {
    local status after
    printf -v after '%q ' bash "$self" --ended "$runs" "$new"
    export GP_CONFIG=$config GP_OUT=$runs/$new GP_NAME=$name GP_LOG=$runs/$new.log GP_AFTER=$after GP_DIST=$gp
    [ -z "$compare" ] || printf -v GP_ARGS '%s --compare %q' "${GP_ARGS:-}" "$compare"
    export GP_ARGS=${GP_ARGS:-}
    case $scheduler in
    slurm) env -u SLURM_JOB_ID bash "$jobs/slurm/gp-dist.sbatch" 9>&- || return ;;
    pbs) env -u PBS_JOBID bash "$jobs/pbs/gp-dist.pbs" 9>&- || return ;;
    none)
        GP_HERE=1 GP_LAUNCH=${GP_LAUNCH:-mpirun -n $((${GP_NODES:-1} * ${GP_RANKS:-1}))} \
            bash "$jobs/slurm/gp-dist.sbatch" >>"$GP_LOG" 2>&1
        status=$?
        [ $status = 0 ] || say "status $status: $(cause <"$GP_LOG")"
        exit $status
        ;;
    esac
}

# ---- a cohort's folder: RUNS/.reanalyse holds what is known of its runs ----
#   lock            one call at a time
#   last            the name of the last run that was submitted
#   NAME.inputs     what it depended on; NAME.status how it ended; NAME.tries how often it was submitted

# ended STATUS: what a job calls at its end.
ended() {
    echo "$1" | replace "$state/$new.status"
    if [ "$1" = 0 ]; then
        ln -sfn "$new" "$state/latest" && mv -fT "$state/latest" "$runs/latest"
    fi
}

# prepare: the folder of the run.
prepare() {
    local copy=$state/copy
    rm -rf "$copy"
    if [ -n "$left" ]; then
        mv "$runs/$left" "$runs/$new"
    elif [ -n "$base" ]; then
        cp -al "$runs/$base" "$copy" 2>/dev/null || { rm -rf "$copy" && cp -a --reflink=auto "$runs/$base" "$copy"; } || return
        # What a run writes afresh.
        rm -f "$copy/gp-dist.log" "$copy/changes.tsv" "$copy/.lock"
        mv -T "$copy" "$runs/$new"
    fi
}

# fresh_name: a name by the time, that nothing has yet.
fresh_name() {
    local stem k=1
    stem=$(date -u +%Y-%m-%dT%H%M%SZ)
    new=$stem
    while [ -e "$runs/$new" ] || [ -e "$state/$new.inputs" ]; do
        k=$((k + 1))
        new=$stem-$k
    done
}

# look: decides; sets new (the run's name), base (the run whose results it takes over), left (an unfinished one that it
# goes on from), compare, and why.
look() {
    local status='' tries=0 last='' latest=''
    [ ! -e "$state/last" ] || last=$(cat "$state/last")
    [ ! -d "$runs/latest/." ] || latest=$(readlink "$runs/latest")
    [ -z "$last" ] || status=$(cat "$state/$last.status" 2>/dev/null)
    new='' base='' left='' compare=${latest:+$runs/$latest}
    if [ -n "$last" ] && cmp -s "$state/$last.inputs" "$found"; then
        tries=$(cat "$state/$last.tries" 2>/dev/null || echo 1)
        why="nothing has changed; --force"
        case $status in
        0)
            if [ ! -d "$runs/$last" ]; then
                why="$last is no longer there"
            elif [ $force = 0 ]; then
                idle "nothing has changed since $last"
            fi
            ;;
        75 | '')
            if [ "$tries" -le 3 ] || [ $force = 1 ]; then
                new=$last why="stopped before its end; goes on"
                return
            fi
            fail 1 "$runs/$last: was stopped $tries times before its end (see $runs/$last.log); --force goes on"
            ;;
        *)
            [ $force = 1 ] ||
                fail 1 "$runs/$last: ended with status $status, and its input is still the same (see $runs/$last.log); --force runs it again"
            ;;
        esac
    elif [ -z "$last" ]; then
        why="the first run"
    elif [ -n "$latest" ] && [ $force = 0 ] && cmp -s "$state/$latest.inputs" "$found"; then
        idle "nothing has changed since $latest"
    else
        why="changed: $(changes "$state/${latest:-$last}.inputs" "$found")"
    fi
    # Only a run with the same options can be gone on from.
    if [ -n "$last" ] && [ "$status" != 0 ] && [ -d "$runs/$last" ] && same_options "$last"; then
        left=$last
    elif [ -n "$latest" ] && same_options "$latest"; then
        base=$latest
    fi
    fresh_name
}

same_options() {
    cmp -s <(grep '^option' "$state/$1.inputs" 2>/dev/null) <(grep '^option' "$found")
}

# reanalyse: all of it, for one cohort.
reanalyse() {
    local why new base left compare job='' name version gp=${GP_DIST:-gp-dist}
    [ -r "$config" ] || fail 64 "$config: not there, or not readable"
    runs=${runs%/}
    state=$runs/.reanalyse
    if [ $dry = 0 ]; then
        mkdir -p "$state" || fail 1 "$state: cannot be made"
        exec 9>"$state/lock"
        flock -n 9 || idle "another call is at work"
    fi
    name=gp-$(cd "$runs" 2>/dev/null && pwd -P | cksum | cut -d ' ' -f 1)
    busy && idle "job $job is queued or running"
    programs
    found=$(mktemp) || fail 1 "no room for a temporary file"
    trap 'rm -f "$found"' EXIT
    inputs >"$found" || exit
    look
    if [ $dry = 1 ]; then
        say "would run $config in $runs/$new: $why${base:+; begins as a copy of $base}${left:+; begins with what $left has}"
        exit 0
    fi
    [ -e "$runs/$new" ] || prepare || fail 1 "$runs/$new: cannot be made"
    tries=$(cat "$state/$new.tries" 2>/dev/null || echo 0)
    rm -f "$state/$new.status"
    replace "$state/$new.inputs" <"$found" && echo $((tries + 1)) | replace "$state/$new.tries" &&
        echo "$new" | replace "$state/last" || fail 1 "$state: cannot be written"
    say "$new: $why"
    start && return
    # Not submitted: as if it had not been called.
    rm -f "$state/last"
    fail 1 "$runs/$new: not submitted"
}

usage() {
    fail 64 "$1; see reanalyse.sh --help"
}

config='' runs='' list='' scheduler=slurm force=0 dry=0 quiet=0
passed=()
while [ $# -gt 0 ]; do
    case $1 in
    --config | --runs | --list | --scheduler | --settings)
        [ $# -gt 1 ] && [ -n "$2" ] || usage "$1 needs a value"
        case $1 in
        --config) config=$2 ;;
        --runs) runs=$2 ;;
        --list) list=$2 ;;
        --scheduler) scheduler=$2 passed+=("$1" "$2") ;;
        --settings)
            [ -r "$2" ] || fail 64 "$2: not there, or not readable"
            # shellcheck disable=SC1090 # the user's
            set -a +u && . "$(dirname "$2")/$(basename "$2")" || fail 64 "$2: failed"
            set +a -u
            ;;
        esac
        shift
        ;;
    --force) force=1 passed+=("$1") ;;
    --dry-run) dry=1 passed+=("$1") ;;
    --quiet) quiet=1 passed+=("$1") ;;
    --ended)
        [ $# = 4 ] || usage "--ended is for the job that this script submits"
        runs=$2 new=$3 state=$2/.reanalyse
        ended "$4"
        exit
        ;;
    -h | --help)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$self"
        exit 0
        ;;
    *) usage "$1 is not known" ;;
    esac
    shift
done
case $scheduler in
slurm | pbs | none) ;;
*) usage "--scheduler is slurm, pbs or none, not $scheduler" ;;
esac
if [ -n "$list" ]; then
    [ -z "$config$runs" ] || usage "--list stands in place of --config and --runs"
    [ -r "$list" ] || fail 64 "$list: not there, or not readable"
    status=0
    while read -r config runs; do
        bash "$self" --config "$config" --runs "${runs:-runs}" "${passed[@]}" </dev/null || status=$?
    done < <(sed -e 's/\r$//' -e 's/#.*//' "$list" | awk NF)
    exit $status
fi
[ -n "$config" ] || usage "--config FILE is needed"
[ -n "$runs" ] || usage "--runs DIR is needed"
reanalyse
