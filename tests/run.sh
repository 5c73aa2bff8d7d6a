#!/usr/bin/env bash
# Passes all tests: sets this machine up, builds, and runs every stage to its end whatever the ones before it gave.
#
#   tests/run.sh             plain, sanitize, clang, arm64, format, shell
#   tests/run.sh --quick     plain only
#
#     plain      the default compiler, warnings as errors, every test        (build-test/)
#     sanitize   address and undefined-behaviour sanitizers, every test      (build-sanitize/)
#     clang      clang, warnings as errors, the tests of one process         (build-clang/)
#     arm64      cross-compiled, the tests of one process in QEMU, files     (build-arm64/)
#                the same bytes as those of this machine
#     format     clang-format 14 on every C file
#     shell      shellcheck on every script
#
# Ends with one line per stage, "N passed, N failed", and a status other than 0 if anything failed.
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
jobs=$(nproc)
summary=()
failures=0

# report STAGE STATUS TEXT: for the end.
report() {
    summary+=("$(printf '%-9s %s' "$1:" "$3")")
    [ "$2" = 0 ] || failures=$((failures + 1))
}

# build DIRECTORY OPTIONS...: configures and builds with warnings as errors; quiet unless it fails.
build() {
    local directory=$1 log=$1/log.txt
    shift
    mkdir -p "$directory" &&
        cmake -S "$root" -B "$directory" -DGP_TESTS=ON -DGP_BENCHMARKS=ON -DGP_WERROR=ON "$@" >"$log" 2>&1 &&
        cmake --build "$directory" --parallel "$jobs" >>"$log" 2>&1 && return
    grep -E -A 5 'error|Error' "$log" | tail -n 60
    echo "tests/run.sh: building in $directory failed; all it said is in $log"
    return 1
}

# counts LOG: "N passed, N failed" from what ctest said, of several runs together.
counts() {
    awk '/ tests failed out of / { n = $0; sub(/.* tests passed, /, "", n); failed += n + 0; total += $NF }
         /\*\*\*Skipped/ { skipped++ }
         END { printf "%d passed, %d failed", total - failed - skipped, failed
               if (skipped) printf ", %d skipped", skipped }' "$1"
}

# test_in DIRECTORY OPTIONS...: runs ctest, adding what it says to DIRECTORY/ctest.txt.
test_in() {
    local directory=$1
    shift
    (cd "$directory" && ctest --output-on-failure --no-tests=error --parallel "$jobs" "$@" 2>&1) |
        tee -a "$directory/ctest.txt"
    return "${PIPESTATUS[0]}"
}

# stage NAME COMMAND DIRECTORY CMAKE-OPTIONS...: builds, then runs COMMAND DIRECTORY.
stage() {
    local name=$1 command=$2 directory=$3 status
    shift 3
    echo "== $name"
    if ! build "$directory" "$@"; then
        report "$name" 1 "the build failed"
        return
    fi
    : >"$directory/ctest.txt"
    "$command" "$directory"
    status=$?
    report "$name" $status "$(counts "$directory/ctest.txt")"
}

# check NAME SCRIPT: a stage that ends with "NAME: N passed, N failed" by itself.
check() {
    local output status
    echo "== $1"
    output=$("$2" 2>&1)
    status=$?
    printf '%s\n' "$output"
    report "$1" $status "$(printf '%s\n' "$output" | sed -n "\$s/^$1: //p")"
}

# Open MPI leaves memory behind by itself, so leaks are looked for where there is no MPI: in src and io. 256 ranks
# with sanitizers do not fit a small machine, and six that fail at every allocation in turn take minutes. Golden tests compare
# numbers of code that others run too.
sanitized() {
    local status=0
    export UBSAN_OPTIONS=print_stacktrace=1
    ASAN_OPTIONS=detect_leaks=1 test_in "$1" --tests-regex '^(src|io)\.' || status=1
    ASAN_OPTIONS=detect_leaks=0 test_in "$1" --exclude-regex '^(src|io)\.|\.n256$|kinship\.n6$|\.golden$' || status=1
    return $status
}

units() {
    test_in "$1" --tests-regex '^(src|io)\.'
}

case ${1:-} in
"") quick=0 ;;
--quick) quick=1 ;;
*)
    echo "usage: tests/run.sh [--quick]" >&2
    exit 64
    ;;
esac

if [ $quick = 1 ]; then
    jobs/setup.sh tests || exit 1
else
    jobs/setup.sh tests checks || exit 1
fi

stage plain test_in build-test
if [ $quick = 0 ]; then
    stage sanitize sanitized build-sanitize -DGP_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=RelWithDebInfo
    if command -v clang-14 >/dev/null; then
        stage clang units build-clang -DCMAKE_C_COMPILER=clang-14
    elif command -v clang >/dev/null; then
        stage clang units build-clang -DCMAKE_C_COMPILER=clang
    else
        report clang 0 "skipped: no clang here"
    fi
    check arm64 tests/arm64.sh
    check format tests/format.sh
    check shell tests/shell.sh
fi

echo "== Summary"
printf '%s\n' "${summary[@]}"
[ $failures = 0 ]
