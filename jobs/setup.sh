#!/usr/bin/env bash
# Makes this machine ready to build gp-dist. Installs what is missing where it may (apt-get, as root or by sudo
# without a password); elsewhere says what to load, and stops with status 1. Where nothing is missing it is quiet
# and needs no network.
#
#   jobs/setup.sh [tests] [checks]
#     tests    also what the tests need: cmocka, tabix
#     checks   also what the tests use where it is there: clang 14, clang-format 14, shellcheck, Chromium,
#              Slurm, a compiler for arm64 and QEMU's user mode
#
# GP_INSTALL=no keeps it from installing anything.
# shellcheck disable=SC2317 # need and wish call functions by name
set -u

missing=()  # what a user would call it
modules=()  # what a cluster's module of it is usually called
packages=() # Debian's name
wished=()   # Debian's names of what may stay missing

# need WHAT MODULE PACKAGES TEST...: notes what is missing where the test fails.
need() {
    local what=$1 module=$2 names
    read -ra names <<<"$3"
    shift 3
    "$@" >/dev/null 2>&1 && return
    missing+=("$what")
    modules+=("$module")
    packages+=("${names[@]}")
}

# wish PACKAGES TEST...: the same for what one can do without.
wish() {
    local names
    read -ra names <<<"$1"
    shift
    "$@" >/dev/null 2>&1 || wished+=("${names[@]}")
}

there() {
    command -v "$1"
}

# The compiler, with the C library's headers.
compiles() {
    printf '#include <stdio.h>\nint main(void) { return 0; }\n' | "${CC:-cc}" -x c -fsyntax-only -
}

cmake_is_new_enough() {
    local version
    version=$(cmake --version 2>/dev/null | awk 'NR == 1 { print $3 }')
    [ -n "$version" ] && [ "$(printf '3.18\n%s\n' "$version" | sort -V | head -n 1)" = 3.18 ]
}

# links LIBRARY: the MPI compiler finds it without being told where.
links() {
    local scratch status
    scratch=$(mktemp -d) || return 1
    printf 'int main(void) { return 0; }\n' >"$scratch/a.c"
    mpicc "$scratch/a.c" -o "$scratch/a" "-l$1"
    status=$?
    rm -r "$scratch"
    return "$status"
}

has_parallel_hdf5() {
    there h5pcc || there h5pcc.openmpi || [ -n "${HDF5_ROOT:-}" ]
}

has_lapack() {
    pkg-config --exists openblas || links openblas || links lapack || [ -n "${MKLROOT:-}" ]
}

has_scalapack() {
    pkg-config --exists scalapack-openmpi || pkg-config --exists scalapack || links scalapack
}

# Only networks in bfloat16 need it.
has_onednn() {
    printf '#include <oneapi/dnnl/dnnl.h>\n' | "${CC:-cc}" -x c -fsyntax-only -
}

has_arm64_tools() {
    there aarch64-linux-gnu-gcc && there qemu-aarch64
}

look() {
    missing=() modules=() packages=() wished=()
    need "a C compiler" gcc "gcc libc6-dev" compiles
    need "make" make make there make
    need "CMake 3.18 or newer" cmake cmake cmake_is_new_enough
    need "pkg-config" pkgconf pkg-config there pkg-config
    need "an MPI compiler (mpicc)" openmpi libopenmpi-dev there mpicc
    need "mpirun" openmpi openmpi-bin there mpirun
    need "HDF5 built with MPI (h5pcc)" hdf5-parallel libhdf5-openmpi-dev has_parallel_hdf5
    need "OpenBLAS or another LAPACK" openblas libopenblas-dev has_lapack
    need "ScaLAPACK" scalapack libscalapack-openmpi-dev has_scalapack
    need "htslib 1.13 or newer" htslib libhts-dev pkg-config --exists "htslib >= 1.13"
    need "jansson 2.8 or newer" jansson libjansson-dev pkg-config --exists "jansson >= 2.8"
    wish libdnnl-dev has_onednn
    case " $* " in *" tests "*)
        need "cmocka" cmocka libcmocka-dev pkg-config --exists cmocka
        need "tabix" htslib tabix there tabix
        ;;
    esac
    case " $* " in *" checks "*)
        wish "clang-14 libomp-14-dev" there clang-14
        wish clang-format-14 there clang-format-14
        wish shellcheck there shellcheck
        wish chromium there chromium
        wish "slurm-wlm munge" there sbatch
        [ "$(uname -m)" = aarch64 ] || wish "gcc-aarch64-linux-gnu qemu-user" has_arm64_tools
        ;;
    esac
}

may_install() {
    [ "${GP_INSTALL:-yes}" != no ] && there apt-get && { [ "$(id -u)" = 0 ] || sudo -n true; }
}

# apt VERB...: what it prints is shown only where it fails.
apt() {
    local by=() output status
    [ "$(id -u)" = 0 ] || by=(sudo -n)
    output=$("${by[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --yes -qq -o DPkg::Lock::Timeout=120 \
        -o APT::Update::Error-Mode=any "$@" 2>&1)
    status=$?
    [ $status = 0 ] || printf '%s\n' "$output" | tail -n 20 >&2
    return $status
}

# install PACKAGES...
install() {
    may_install >/dev/null 2>&1 || return
    echo "gp-dist: installing $*" >&2
    apt update || { sleep 5 && apt update; } ||
        echo "gp-dist: apt-get update failed; trying with the package lists that are here" >&2
    apt install --no-install-recommends "$@"
}

explain() {
    local i
    {
        echo "gp-dist: error: jobs/setup.sh: this machine lacks:"
        for i in "${!missing[@]}"; do
            printf '    %-32s module load %s\n' "${missing[i]}" "${modules[i]}"
        done
        echo "On a cluster, load them as modules (their names differ; 'module spider NAME' finds them), or take"
        echo "all of them from Spack, without root:"
        echo "    spack env create gp-dist jobs/spack.yaml && spack env activate gp-dist && spack install"
        echo "On Debian or Ubuntu, somebody with root can run:"
        echo "    apt-get install ${packages[*]}"
    } >&2
    exit 1
}

for word in "$@"; do
    case $word in
    tests | checks) ;;
    *)
        echo "usage: jobs/setup.sh [tests] [checks]" >&2
        exit 64
        ;;
    esac
done
cd "$(dirname "$0")/.." || exit 1

look "$@"
if [ ${#missing[@]} != 0 ]; then
    install "${packages[@]}" "${wished[@]}" || install "${packages[@]}"
    look "$@"
    [ ${#missing[@]} = 0 ] || explain
elif [ ${#wished[@]} != 0 ]; then
    install "${wished[@]}"
fi
exit 0
