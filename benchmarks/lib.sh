# shellcheck shell=bash
# Sourced by the side-by-side scripts: options, timing turn about, medians, rows of results. They set root (the
# project's folder) and folder (where files go), and gp (the program gp-dist) before they simulate.
set -u
set -o pipefail
cores=$(nproc 2>/dev/null || echo NA) # before OMP_NUM_THREADS, which it heeds
export LC_ALL=C OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

fail() {
    echo "gp-dist: error: benchmarks/$(basename "$0"): $*" >&2
    exit 1
}

# find_program NAME: the newest of that name under build*/.
find_program() {
    find "$root"/build* -type f -name "$1" -perm -u+x -printf '%T@ %p\n' 2>/dev/null | sort -rg | sed -n '1s/^[^ ]* //p'
}

# Both sides run on one core, the last one, where the system lets a script say so.
pin=()
if command -v taskset >/dev/null && [ "$cores" != NA ] && taskset -c $((cores - 1)) true 2>/dev/null; then
    pin=(taskset -c $((cores - 1)))
fi

# timed NAME COMMAND...: runs it on one core. Adds "wall cpu MiB" to NAME.times: seconds from start to end, seconds of
# user and system together, peak memory (the last two NA without GNU time). What it says is in NAME.log.
timed() {
    local name=$folder/$1 begin end cpu="NA NA"
    shift
    local command=("${pin[@]}" "$@")
    if [ -x /usr/bin/time ]; then
        command=(/usr/bin/time -o "$name.usage" -f '%U %S %M' "${command[@]}")
    fi
    begin=$EPOCHREALTIME
    "${command[@]}" >"$name.log" 2>&1 || {
        tail -n 20 "$name.log" >&2
        fail "$(basename "$name") failed; all it said is in $name.log"
    }
    end=$EPOCHREALTIME
    [ -x /usr/bin/time ] && cpu=$(awk '{ printf "%.2f %.1f", $1 + $2, $3 / 1024 }' "$name.usage")
    awk -v a="$begin" -v b="$end" -v cpu="$cpu" 'BEGIN { printf "%.4f %s\n", b - a, cpu }' >>"$name.times"
}

# say_last NAME: prints the wall seconds of its last run, on the line begun.
say_last() {
    awk -v name="$1" '{ wall = $1 } END { printf "  %s %.3f s", name, wall }' "$folder/$1.times"
}

# median: of the numbers on standard input, one a line; NA where one is missing or there are none.
median() {
    sort -g | awk '$1 == "NA" { none = 1 } { v[NR] = $1 }
        END { if (none || NR == 0) print "NA"; else printf "%.4g\n", (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'
}

# figure NAME COLUMN: median of a column of NAME.times (1 wall, 2 cpu, 3 MiB); NA where NAME did not run.
figure() {
    if [ -s "$folder/$1.times" ]; then
        awk -v c="$2" '{ print $c }' "$folder/$1.times" | median
    else
        echo NA
    fi
}

# ratio A B COLUMN: the median of the rounds' own ratios, A / B.
ratio() {
    if [ -s "$folder/$1.times" ] && [ -s "$folder/$2.times" ]; then
        paste -d ' ' "$folder/$1.times" "$folder/$2.times" |
            awk -v c="$3" '{ a = $c; b = $(c + 3); print (a == "NA" || b + 0 == 0) ? "NA" : a / b }' | median
    else
        echo NA
    fi
}

# The processor's name without commas.
machine_name() {
    awk -F ': ' '/^model name/ { gsub(/[,"]/, " ", $2); print $2; found = 1; exit }
                 END { exit !found }' /proc/cpuinfo 2>/dev/null || uname -m
}

# The version of plink2 without commas, or NA.
plink2_version() {
    command -v plink2 >/dev/null || { echo NA; return; }
    plink2 --version | tr ',' ' ' | sed 's/ *([^)]*)//'
}

commit() {
    git -C "$root" describe --always --dirty 2>/dev/null || echo unknown
}

# What every row begins with: date, commit, machine, cores.
provenance() {
    printf '%s,%s,%s,%s' "$(date +%F)" "$(commit)" "$(machine_name)" "$cores"
}
provenance_header() {
    printf 'date,commit,machine,cores'
}

# add_row FILE HEADER ROW: adds a line to a table of comma-separated values, and prints its fields by name.
add_row() {
    if [ -s "$1" ]; then
        [ "$(head -n 1 "$1")" = "$2" ] || fail "$1: has other columns than this script writes; name another file with --csv"
    else
        mkdir -p "$(dirname "$1")" || fail "$1: its folder cannot be made"
        printf '%s\n' "$2" >"$1" || fail "$1: cannot be written"
    fi
    printf '%s\n' "$3" >>"$1" || fail "$1: cannot be written"
    printf '%s\n' "$2" "$3" | awk -F , 'NR == 1 { split($0, name); next }
        function flush() { print line; line = "" }
        {
            for (k = 5; k <= NF; k++) {
                if (length(line) + length(name[k] $k) > 110) flush()
                line = line "  " name[k] " " $k
            }
            flush()
        }'
}

# simulate PREFIX SAMPLES VARIANTS TRAITS MISSING: a cohort, unless it lies there from an earlier run.
simulate() {
    local file whole=1
    for file in h5 pheno.tsv bed bim fam; do
        [ -s "$1.$file" ] || whole=0
    done
    if [ $whole = 1 ]; then
        echo "using the cohort $1"
        return
    fi
    echo "simulating $2 samples x $3 variants, $4 traits, share of missing calls $5: $1"
    "$gp" simulate --samples "$2" --variants "$3" --traits "$4" --missing-rate "$5" --missing-pheno 0 --seed 1 --plink \
        --quiet --out "$1" || fail "simulate failed"
}

# read_options NAMES ARGUMENTS...: --name value pairs into variables of these names, '-' as '_'.
read_options() {
    local names=" $1 " name
    shift
    while [ $# -gt 0 ]; do
        name=${1#--}
        case $names in
        *" $name "*) ;;
        *) fail "unknown option '$1'" ;;
        esac
        [ $# -ge 2 ] || fail "$1: an option and its value are expected"
        printf -v "${name//-/_}" '%s' "$2"
        shift 2
    done
}
