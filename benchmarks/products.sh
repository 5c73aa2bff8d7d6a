#!/usr/bin/env bash
# Every product with every kernel that runs here: a row each in a table of comma-separated values (benchmarks/README.md
# says what is in it).
#
#   benchmarks/products.sh [--programs FOLDER] [--threads "1"] [--rounds R] [--seconds S] [--missing SHARE] [--csv FILE]
#                          [--more "OPTIONS OF EACH PROGRAM"]
#
# Defaults: the newest build*/benchmarks (built with -DGP_BENCHMARKS=ON), one thread, 7 rounds of at least 0.2 s, no
# missing calls, and products.csv in a folder under ${TMPDIR:-/tmp}. Each program checks its results before it times.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
programs='' threads=1 rounds=7 seconds=0.2 missing=0 csv='' more=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "programs threads rounds seconds missing csv more" "$@"
programs=${programs:-$(dirname "$(find_program across_samples)")}
[ -x "$programs/machine" ] || fail "no benchmark programs; build with -DGP_BENCHMARKS=ON, or name their folder with --programs"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/products.csv}
header=$(provenance_header),$("$programs/count" --csv 2 | sed 's/^machine,cores,//') || fail "$programs/count does not run"

# row PROGRAM THREADS OPTIONS...
row() {
    local program=$1 count=$2 figures
    shift 2
    figures=$("$programs/$program" --threads "$count" --rounds "$rounds" --seconds "$seconds" --missing "$missing" --csv 1 "$@") ||
        fail "$program failed with kernel $GP_KERNEL"
    add_row "$csv" "$header" "$(date +%F),$(commit),$figures"
}

"$programs/machine" || exit 1
kernels=$("$programs/machine" --seconds 0 --buffer 1 | sed -n 's/^kernels: //p')
for count in $threads; do
    for GP_KERNEL in $kernels; do
        export GP_KERNEL
        size=() wide=()
        # The plain loops would take minutes at the others' sizes.
        [ "$GP_KERNEL" != portable ] || size=(--samples 2000 --variants 1024) wide=(--samples 2000 --variants 64 --columns 256)
        read -r -a own <<<"$more"
        for program in across_samples across_variants count gram ld; do
            row "$program" "$count" "${size[@]}" "${own[@]}"
        done
        row rotation "$count" "${wide[@]}" "${own[@]}"
        row missing_sums "$count" "${size[@]}" "${own[@]}" --missing 0.01
    done
done
echo "rows are in $csv"
