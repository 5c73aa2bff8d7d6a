#!/usr/bin/env bash
# The whole pipeline on a simulated cohort: sets this machine up, builds gp-dist, simulates 2,000 people with 5,000
# variants, a quantitative trait and a disease, runs everything on 4 ranks, and shows what came out. A second start finds all done.
#
#   jobs/demo.sh [FOLDER]      FOLDER (default: demo) gets the cohort, and the run in FOLDER/study
set -u
set -o pipefail

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
folder=${1:-demo}
ranks=4
hits=5 # lines of each trait that are shown

fail() {
    echo "gp-dist: error: jobs/demo.sh: $*" >&2
    exit 1
}

# step WHAT COMMAND...: runs a command that says much; shows the end of it only where it fails.
step() {
    local what=$1
    shift
    echo "== $what"
    "$@" >"$log" 2>&1 && return
    tail -n 30 "$log" >&2
    fail "$what failed; all it said is in $log"
}

# show COMMAND...: prints a command, then runs it.
show() {
    echo "   \$ $*"
    "$@" || fail "this command failed with status $?"
}

# launch N COMMAND...: on N ranks, on fewer cores if need be.
launch() {
    local n=$1 flags=()
    shift
    if mpirun --version 2>/dev/null | grep -q 'Open MPI'; then
        flags=(--quiet --oversubscribe)
        export OMPI_MCA_mpi_yield_when_idle=1
        # Open MPI refuses root unless told twice.
        [ "$(id -u)" = 0 ] && export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    show mpirun "${flags[@]}" -n "$n" "$@"
}

# top TABLE: its first lines.
top() {
    local row='%-4s %12s %-10s %-7s %12s %12s %16s %17s\n'
    # shellcheck disable=SC2059 # the format is the one above
    printf "$row" chr position id effect beta p attribution 'variants in clump'
    tail -n +2 "$1" | head -n "$hits" |
        awk -F '\t' -v row="$row" '{ printf row, $2, $3, $4, $5, $8, $10, $12, $14 + 1 }'
}

case $folder in
-h | --help)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
-*)
    echo "usage: jobs/demo.sh [FOLDER]" >&2
    exit 64
    ;;
esac
mkdir -p "$folder" || fail "$folder: cannot be made"
[ -w "$folder" ] || fail "$folder: not writable"
build=$root/build
mkdir -p "$build" || fail "$build: cannot be made"
log=$build/demo.log

"$root/jobs/setup.sh" || exit 1
configure=(cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release)
# Leaves a developer's own choice in build/ alone.
[ -f "$build/CMakeCache.txt" ] || configure+=(-DGP_TESTS=OFF)
step "Configuring in $build" "${configure[@]}"
step "Building" cmake --build "$build" --target gp-dist --parallel "$(nproc)"
gp=$(find "$build" -type f -name gp-dist -perm -u+x | head -n 1)
[ -n "$gp" ] || fail "the build left no program gp-dist under $build"

export LC_ALL=C
echo "== Simulating a cohort"
[ -s "$folder/cohort.truth.tsv" ] ||
    show "$gp" simulate --samples 2000 --variants 5000 --traits 2 --binary 1 --seed 1 --out "$folder/cohort"
echo "== The pipeline on $ranks ranks"
launch "$ranks" "$gp" run --store "$folder/cohort.h5" --pheno "$folder/cohort.pheno.tsv" \
    --covar "$folder/cohort.covar.tsv" --cat-covar-name batch --networks 1 --folds 3 --epochs 8 --out "$folder/study"

echo "== Done"
shopt -s nullglob
tables=("$folder"/study/merged/*.hits.tsv)
[ ${#tables[@]} -gt 0 ] || fail "no table in $folder/study/merged"
for table in "${tables[@]}"; do
    echo
    count=$(tail -n +2 "$table" | wc -l)
    if [ "$count" = 0 ]; then
        echo "$table: no variant reaches p = 5e-8"
        continue
    fi
    echo "$table: $count top hits; the first $hits:"
    top "$table"
done
echo
echo "To look at: $folder/study/report.html"
