#!/usr/bin/env bash
# Training of the network beside PyTorch: the same model, batch and sizes, turn about; one core each, then two. Adds rows to a table
# (benchmarks/README.md says what is in it).
#
#   benchmarks/network_torch.sh [--models "small large"] [--threads "1 2"] [--rounds R] [--seconds S] [--program PROGRAM] [--python PYTHON]
#                               [--folder FOLDER] [--csv FILE]
#
# Defaults: both models, 1 and 2 threads, 5 rounds of 2 seconds, the newest program `network` under build*/, /usr/bin/python3 (needs its torch),
# a folder under ${TMPDIR:-/tmp}, and network.csv in that folder. PyTorch runs in float32, eagerly; the program in float32 and bfloat16.
# Without torch its figures are NA.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
models='small large' threads='1 2' rounds=5 seconds=2 program='' python=/usr/bin/python3 csv=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "models threads rounds seconds program python folder csv" "$@"
network=${program:-$(find_program network)}
[ -x "$network" ] || fail "no program 'network'; build with -DGP_BENCHMARKS=ON, or name it with --program"
mkdir -p "$folder" || fail "$folder: cannot be made"
csv=${csv:-$folder/network.csv}
export OMP_WAIT_POLICY=passive
header=$(provenance_header),torch,model,threads,rounds
header+=,torch_work,torch_clock,float32_work,float32_clock,bfloat16_work,bfloat16_clock
header+=,float32_ratio,float32_clock_ratio,bfloat16_ratio,bfloat16_clock_ratio,float32_share,bfloat16_share

torch_version=NA
"$python" -c 'import torch' 2>/dev/null && torch_version=$("$python" -c 'import torch; print(torch.__version__)')
[ "$torch_version" != NA ] || echo "torch is not installed: gp-dist runs alone"

# run NAME COMMAND...: one round; its samples per second (of processor time, by the clock) and share of the peak go to NAME.times.
run() {
    local name=$1 line
    shift
    line=$("${cores_of[@]}" "$@" 2>"$folder/$name.log") || fail "$name: $(cat "$folder/$name.log")"
    echo "$line" | awk -F , '{ print $1, $2, (NF > 4 ? $5 : "NA") }' >>"$folder/$name.times"
    awk -v name="$name" '{ rate = $1 } END { printf "  %s %s", name, rate }' "$folder/$name.times"
}

for model in $models; do
    case $model in
    small) sizes=(--samples 20000 --variants 100 --patch 10 --channels 64 --layers 2 --heads 2 --batch 64) ;;
    large) sizes=(--samples 4000 --variants 2000 --patch 20 --channels 256 --layers 4 --heads 8 --batch 64) ;;
    tiny) sizes=(--samples 100 --variants 20 --patch 5 --channels 16 --layers 1 --heads 2 --batch 8) ;;
    *) fail "--models $model: small, large or tiny is expected" ;;
    esac
    for t in $threads; do
        export OMP_NUM_THREADS=$t OPENBLAS_NUM_THREADS=$t
        cores_of=()
        [ ${#pin[@]} -eq 0 ] || [ "$t" -gt "$cores" ] || cores_of=(taskset -c $((cores - t))-$((cores - 1)))
        common=("${sizes[@]}" --dropout 0.1 --threads "$t" --rounds 1 --seconds "$seconds")
        rm -f "$folder"/{torch,float32,bfloat16}.times
        for ((round = 1; round <= rounds; round++)); do
            printf '%s, %s threads, round %d, samples/s:' "$model" "$t" "$round"
            run float32 "$network" "${common[@]}" --csv 1
            [ "$torch_version" = NA ] || run torch "$python" "$root/benchmarks/network_torch.py" "${common[@]}"
            if "$network" "${common[@]}" --precision bfloat16 --seconds 0 --csv 1 >"$folder/has.log" 2>&1; then
                run bfloat16 "$network" "${common[@]}" --precision bfloat16 --csv 1
            fi
            echo
        done
        add_row "$csv" "$header" "$(provenance),$torch_version,$model,$t,$rounds,\
$(figure torch 1),$(figure torch 2),$(figure float32 1),$(figure float32 2),$(figure bfloat16 1),$(figure bfloat16 2),\
$(ratio float32 torch 1),$(ratio float32 torch 2),$(ratio bfloat16 torch 1),$(ratio bfloat16 torch 2),\
$(figure float32 3),$(figure bfloat16 3)"
    done
done
echo "rows are in $csv"
