#!/usr/bin/env bash
# Builds gp-dist for arm64 on this machine and tests it in QEMU's user mode: the tests of one process, and files that
# must be the same bytes as this machine's gp-dist writes. Skipped where there is no cross compiler, no QEMU, or no
# arm64 libraries. Ends with "N passed, N failed".
#
#   tests/arm64.sh [PROGRAM]    PROGRAM: this machine's gp-dist (default build-test/jobs/gp-dist)
#
# Everything is in build-arm64/. The libraries are Debian's arm64 packages, fetched by apt-get with lists of its own
# and unpacked into build-arm64/root: nothing is installed, this system's architectures stay as they are. About
# 50 MB the first time; later runs need no network.
set -u
cd "$(dirname "$0")/.." || exit 1
program=$(realpath -m "${1:-build-test/jobs/gp-dist}")
build=$PWD/build-arm64
root=$build/root
packages=(libc6-dev libcmocka-dev libopenmpi-dev libhdf5-openmpi-dev libhts-dev libjansson-dev
    libopenblas-pthread-dev libscalapack-openmpi-dev)
passed=0
failed=0

skip() {
    echo "arm64: skipped: $*"
    exit 0
}

give_up() {
    echo "$1"
    echo "arm64: 0 passed, 1 failed"
    exit 1
}

# apt VERB...: as an arm64 machine with nothing installed would run it, with this machine's sources and settings.
apt() {
    local apt=$build/apt
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$apt/state" \
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User= \
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# Of all that a whole arm64 machine would need, the libraries: no compilers, no perl, no desktop.
wanted() {
    apt --simulate install "${packages[@]}" | awk '$1 == "Inst" { print $2 }' |
        grep -E '^(lib|zlib|linux-libc-dev|openmpi-common)' |
        grep -vE '^lib(binutils|ctf|gprofng|icu|js-|x|hwloc-plugins|[a-z]*perl|ssl-dev|[a-z]+san[0-9])'
}

# Unpacks the libraries into root, once for a list of them.
make_root() {
    local names deb link
    [ "$(cat "$root/complete" 2>/dev/null)" = "${packages[*]}" ] && return
    rm -rf "$root" "$build/apt"
    mkdir -p "$root" "$build/apt/state/lists/partial" "$build/apt/cache/archives/partial" "$build/apt/debs"
    : >"$build/apt/status"
    apt update
    mapfile -t names < <(wanted)
    [ ${#names[@]} -gt 20 ] || return
    (cd "$build/apt/debs" && apt download "${names[@]}") || return
    for deb in "$build"/apt/debs/*.deb; do
        dpkg-deb --extract "$deb" "$root" || return
    done
    # Links to /lib/... mean this folder's.
    find "$root" -type l -lname '/*' | while IFS= read -r link; do
        ln -sfnr "$root$(readlink "$link")" "$link"
    done
    rm -rf "$build/apt"
    echo "${packages[*]}" >"$root/complete"
}

compile() {
    cmake -S . -B "$build" -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake -DGP_ARM64_ROOT="$root" \
        -DGP_TESTS=ON -DGP_TEST_TIMEOUT=1200 -DGP_WERROR=ON && cmake --build "$build" --parallel "$(nproc)"
}

# The tests of one process. Left out: four that take minutes here (one reads 40,000 stores, two are mostly OpenBLAS, one counts in long doubles),
# and those that name a kernel, since only the portable one is here and the rest use it.
units() {
    (cd "$build" && ctest --output-on-failure --no-tests=error --parallel "$(nproc)" --tests-regex '^(src|io)\.' \
        --exclude-regex '^(io\.store_damage|src\.assoc\.(linear_oracle|lmm_golden|logit_fit))$|\.(amx|avx512|avx2|portable)$' 2>&1) |
        tee "$build/ctest.txt"
    failed=$(sed -n 's/.* tests passed, \([0-9]*\) tests failed out of .*/\1/p' "$build/ctest.txt")
    passed=$(($(sed -n 's/.* tests failed out of //p' "$build/ctest.txt") - failed))
}

# gp-dist under QEMU as one program, as the end-to-end scripts take it.
wrap() {
    cat >"$build/gp-dist" <<END
#!/bin/sh
exec qemu-aarch64 -L "$root" -E LD_LIBRARY_PATH="$root/usr/lib/aarch64-linux-gnu/openblas-pthread" "$build/jobs/gp-dist" "\$@"
END
    chmod +x "$build/gp-dist"
}

# The files of both machines. QEMU's ranks cannot read each other's memory: that way of Open MPI is off.
bytes() {
    [ -x "$program" ] || { echo "no $program to compare with"; return 1; }
    GP_SOURCE=$PWD GP_DIST=$program GP_OTHER=$build/gp-dist GP_MPIEXEC=mpirun.openmpi \
        OMPI_MCA_btl_vader_single_copy_mechanism=none \
        tests/support/run_script.sh "$PWD/tests/jobs/other_machine.sh"
}

[ "$(uname -m)" != aarch64 ] || skip "this machine is arm64 itself: every other stage tests it"
for tool in aarch64-linux-gnu-gcc qemu-aarch64 apt-get dpkg-deb mpirun.openmpi; do
    command -v $tool >/dev/null || skip "no $tool here"
done
mkdir -p "$build"
make_root >"$build/root.txt" 2>&1 || skip "no arm64 libraries from here: $(tail -n 1 "$build/root.txt")"
compile >"$build/log.txt" 2>&1 || {
    grep -E -A 5 'error|Error' "$build/log.txt" | tail -n 60
    give_up "tests/arm64.sh: the build failed; all it said is in $build/log.txt"
}
units
wrap
if bytes; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
fi
echo "arm64: $passed passed, $failed failed"
[ "$failed" = 0 ]
