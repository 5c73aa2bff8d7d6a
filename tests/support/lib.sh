# Sourced by end-to-end scripts: how to start the program and how to say what went wrong.
set -u
failures=0

# ranks N ARGS...: gp-dist on N ranks.
ranks() {
    local n=$1
    shift
    "$GP_MPIEXEC" --quiet --oversubscribe --mca odls_base_num_threads 0 -n "$n" "$GP_DIST" "$@"
}

fail() {
    echo "FAIL: $*" >&2
    failures=$((failures + 1))
}

# same WHAT A B: two files are byte for byte the same.
same() {
    cmp -s "$2" "$3" || fail "$1: $2 and $3 differ"
}

# expect_error WHAT STATUS PATTERN COMMAND...: status, exactly one error line, and the line matches.
expect_error() {
    local what=$1 status=$2 pattern=$3 got lines
    shift 3
    "$@" >out.log 2>err.log
    got=$?
    lines=$(grep -c '^gp-dist: error: ' err.log)
    [ "$got" = "$status" ] || fail "$what: status $got, not $status: $(head -c 300 err.log)"
    [ "$lines" = 1 ] || fail "$what: $lines error lines, not 1: $(head -c 300 err.log)"
    grep -qE "^gp-dist: error: $pattern" err.log || fail "$what: no /$pattern/ in: $(grep error: err.log)"
}

# sanitized: whether the program was built with sanitizers, which take memory of their own.
sanitized() {
    grep -qs '^GP_SANITIZE:[A-Z]*=.' "$GP_BUILD/CMakeCache.txt"
}

finish() {
    [ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
    echo "all passed"
    exit 0
}
