#!/usr/bin/env bash
# What a scaling study says of many ranks, simulated: the exchanges of each phase, as many and as large as measured, go
# through mpi/ on a fat tree that SimGrid simulates, with the fitted seconds of computing between them. Laid beside the
# model of fit.py on the same network.
#
#   benchmarks/scaling/simulate.sh SCALING.csv [--ranks 256] [--folder FOLDER] [--latency 0.25e-6] [--bandwidth 12.5e9]
#
# 256 ranks by default, one a node, or another square of a whole number; links of 0.25 us and 12.5 GB/s: two levels of
# switches, every node with a link of its own, four links between two nodes of different switches. SimGrid's smpicc and
# smpirun are needed (apt-get install libsimgrid-dev); Open MPI, ScaLAPACK and HDF5 are not, as of the program only mpi/'s
# sums run, by the algorithms that Open MPI would choose. Writes simulated.csv, simulated.fit.csv and simulated.svg into the folder.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1
ranks=256 latency=0.25e-6 bandwidth=12.5e9 folder=''
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
[ -s "${1:-}" ] || fail "a table of a scaling study is expected first"
table=$1
shift
read_options "ranks latency bandwidth folder" "$@"
folder=${folder:-${TMPDIR:-/tmp}/gp-dist-benchmark/simulated}
mkdir -p "$folder" || fail "$folder: cannot be made"
command -v smpirun >/dev/null || fail "SimGrid's smpicc and smpirun are not installed (apt-get install libsimgrid-dev)"
side=$(awk -v r="$ranks" 'BEGIN { s = int(sqrt(r) + 0.5); print s * s == r ? s : 0 }')
[ "$side" -ge 2 ] || fail "--ranks $ranks: a square is expected: 16, 64, 256, 4096"

smpicc -O2 -std=gnu11 -I"$root" -o "$folder/replay" "$here/replay.c" "$root"/mpi/{par,sum,traffic}.c \
    "$root"/src/base/{err,mem,text}.c || fail "the replaying program cannot be built"
cat >"$folder/tree.xml" <<EOF
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="tree" prefix="node-" suffix="" radical="0-$((ranks - 1))" speed="1Gf" bw="${bandwidth}Bps" lat="${latency}s"
           topology="FAT_TREE" topo_parameters="2;$side,$side;1,$side;1,1"/>
</platform>
EOF
seq -f 'node-%.0f' 0 $((ranks - 1)) >"$folder/nodes"
python3 "$here/fit.py" "$table" --predict "$ranks" --replay "$folder/replay.csv" >"$folder/fit.log" || fail "no fit"
echo "command,phase,kind,ranks,seconds" >"$folder/simulated.csv"
lines=$(wc -l <"$folder/replay.csv")
for ((line = 1; line < lines; line++)); do
    smpirun -np "$ranks" -platform "$folder/tree.xml" -hostfile "$folder/nodes" --cfg=smpi/coll-selector:ompi \
        --cfg=smpi/simulate-computation:no --cfg=smpi/host-speed:1Gf --log=root.thres:error "$folder/replay" "$folder/replay.csv" "$line" \
        >>"$folder/simulated.csv" 2>"$folder/smpirun.log" || { tail -n 20 "$folder/smpirun.log" >&2; fail "smpirun failed"; }
    tail -n 1 "$folder/simulated.csv"
done
# The same network in the model: a message crosses four links.
python3 "$here/fit.py" "$table" --predict "$ranks" --latency "$(awk -v l="$latency" 'BEGIN { print 4 * l }')" \
    --bandwidth "$bandwidth" --simulated "$folder/simulated.csv" --points "$folder/simulated.fit.csv" \
    --plot "$folder/simulated.svg" || fail "no fit"
echo "points are in $folder/simulated.fit.csv, the plot is $folder/simulated.svg"
