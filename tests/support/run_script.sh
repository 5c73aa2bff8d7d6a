#!/usr/bin/env bash
# Runs one end-to-end script in a private folder that is removed afterwards, whatever happens.
set -u
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/gp-dist-test.XXXXXX") || exit 1
export SCRATCH
trap 'rm -rf "$SCRATCH"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OPENBLAS_NUM_THREADS=1 LC_ALL=C
# Ranks outnumber cores here; spinning worker threads would starve each other.
export OMP_WAIT_POLICY=passive
cd "$SCRATCH" || exit 1
bash "$1"
