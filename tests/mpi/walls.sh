#!/usr/bin/env bash
# The walls between the rooms: jobs -> {mpi, io} -> src.
#   walls.sh symbols LIBGP_SRC LIBGP_IO LIBGP_MPI   what each room's library asks other libraries for
#   walls.sh includes SOURCE                        what each room's files include
set -u
failures=0

fail() {
    echo "FAIL: $*" >&2
    failures=1
}

# forbid LIBRARY REGEX WHY: none of the undefined symbols matches.
forbid() {
    local asked hits
    asked=$(nm -u "$1" | awk '/\.o:$/ { file = $1 } $1 == "U" { print file, $2 }')
    [ -n "$asked" ] || fail "$1: nm shows no undefined symbol at all"
    hits=$(awk -v re="^($2)" '$2 ~ re' <<<"$asked")
    [ -z "$hits" ] || fail "$(basename "$1") $3:"$'\n'"$hits"
}

symbols() {
    local mpi='MPI_|PMPI_|MPIX_|ompi_|opal_|Cblacs_|p[dsz][a-z]*_$' hdf5='H5'
    forbid "$1" "$mpi|$hdf5" "names MPI, ScaLAPACK or HDF5"
    forbid "$1" '(__)?v?f?printf(_chk)?$|puts$|fputs$|f?putc$|putchar$|fopen(64)?$|open(64)?$|_?exit$' \
        "prints, opens files or exits"
    forbid "$2" "$mpi" "names MPI or ScaLAPACK"
    forbid "$3" "$hdf5" "names HDF5"
}

# only ROOM REGEX: every quoted include of a room starts with one of the rooms it may know.
only() {
    local hits
    hits=$(grep -rnE --include='*.[ch]' '^[ \t]*#[ \t]*include[ \t]*"' "$1" |
        grep -vE "#[ \t]*include[ \t]*\"($2)/")
    [ -z "$hits" ] || fail "$1 may include only from ($2), written from the root:"$'\n'"$hits"
}

# nowhere HEADER ROOM...: a library's header is for one room only.
nowhere() {
    local hits header=$1
    shift
    hits=$(grep -rnE --include='*.[ch]' "#[ \t]*include[ \t]*[<\"]($header)" "$@")
    [ -z "$hits" ] || fail "this header belongs to another room:"$'\n'"$hits"
}

includes() {
    cd "$1" || exit 1
    [ -f src/base/err.h ] || fail "$1 is not the source"
    only src src
    only mpi 'mpi|src'
    only io 'io|src'
    only jobs 'jobs|mpi|io|src'
    only tests 'tests|jobs|mpi|io|src'
    only benchmarks 'benchmarks|tests|jobs|mpi|io|src'
    nowhere 'mpi\.h|mpi-ext\.h' src io jobs
    nowhere 'hdf5\.h|H5[A-Za-z]+\.h' src mpi
    nowhere 'htslib/' src mpi
    nowhere 'jansson\.h' src mpi jobs
    nowhere 'oneapi/' io mpi jobs
}

"$@"
exit "$failures"
