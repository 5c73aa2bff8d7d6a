#!/usr/bin/env bash
# Strong and weak scaling: each command on each number of ranks, where its time goes by phase and rank, and what is
# sent; a table of it, and from three numbers of ranks on a fitted model and its plot (benchmarks/scaling/README.md).
#
#   benchmarks/scaling/run.sh [--ranks "1 2 4"] [--kinds "strong weak"] [--commands "assoc pca train"]
#       [--samples N] [--variants M] [--repeats K] [--threads T] [--launcher "srun -n"] [--submit "sbatch --time=30"]
#       [--assoc OPTIONS] [--pca OPTIONS] [--grm OPTIONS] [--train OPTIONS] [--run OPTIONS]
#       [--store STORE --pheno FILE] [--gp-dist PROGRAM] [--folder FOLDER] [--csv FILE] [--tiny]
#
# Defaults: 1, 2 and 4 ranks, both kinds, these three commands, 2,000 samples, 20,000 variants, 3 repeats, one thread a
# rank, the newest gp-dist under build*/, a folder under ${TMPDIR:-/tmp} whose cohorts are used again, and scaling.csv
# there. In weak scaling R ranks get R times the samples in training, R times the variants elsewhere; strong scaling
# takes --store where it is given. The number of ranks follows the launcher: srun where a Slurm job is under way, else mpirun.
# With --submit one job for each number of ranks goes to Slurm by this command, and the script waits for all of them: the
# folder must be one that the nodes see. Repeats go round about, so that a slow hour falls on all.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1
ranks="1 2 4" kinds="strong weak" commands="assoc pca train" samples=2000 variants=20000 repeats=3 threads=1
launcher='' submit='' store='' pheno='' gp_dist='' csv='' assoc='' grm='' run='' measure=''
pca='--approx --components 5' train=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark/scaling
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
if [ "${1:-}" = --tiny ]; then
    shift
    set -- --ranks "1 2" --samples 200 --variants 300 --repeats 1 \
        --train "--folds 0 --networks 1 --epochs 1 --channels 4 --layers 1" "$@"
fi
read_options "ranks kinds commands samples variants repeats threads launcher submit assoc pca grm train run store pheno \
gp-dist folder csv measure" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
[ -z "$store" ] || [ -n "$pheno" ] || fail "--store needs --pheno"
command -v python3 >/dev/null || fail "python3 is not installed"
csv=${csv:-$folder/scaling.csv}
times=$folder/times
mkdir -p "$times" || fail "$times: cannot be made"
if [ -z "$launcher" ]; then
    if [ -n "$submit" ] || { [ -n "${SLURM_JOB_ID:-}" ] && command -v srun >/dev/null; }; then
        launcher="srun -n"
    else
        launcher="mpirun --quiet --oversubscribe -n"
    fi
fi
read -r -a launch <<<"$launcher"
for word in $ranks; do
    [[ $word =~ ^[1-9][0-9]*$ ]] || fail "--ranks '$ranks': '$word' is no number of ranks"
done
for word in $commands; do
    [[ " assoc pca grm train run " == *" $word "* ]] || fail "--commands '$commands': '$word' is not assoc, pca, grm, train or run"
done
for word in $kinds; do
    [[ " strong weak " == *" $word "* ]] || fail "--kinds '$kinds': '$word' is neither strong nor weak"
done

# size KIND COMMAND RANKS: sets n and m.
size() {
    n=$samples m=$variants
    [ "$1" = weak ] || return
    if [ "$2" = train ]; then n=$((samples * $3)); else m=$((variants * $3)); fi
}

# cohort: of n samples and m variants: made once, and used again.
cohort() {
    local prefix=$folder/cohort-n$n-m$m
    if [ ! -s "$prefix.h5" ] || [ ! -s "$prefix.pheno.tsv" ]; then
        echo "simulating $n samples x $m variants: $prefix"
        "$gp" simulate --samples "$n" --variants "$m" --traits 1 --seed 1 --quiet --out "$prefix" || fail "simulate failed"
    fi
}

# one KIND COMMAND RANKS REPEAT: a run, and its table.
one() {
    local kind=$1 what=$2 r=$3 data phenotypes words name begin
    size "$kind" "$what" "$r"
    data=$folder/cohort-n$n-m$m.h5 phenotypes=$folder/cohort-n$n-m$m.pheno.tsv
    if [ "$kind" = strong ] && [ -n "$store" ]; then
        data=$store phenotypes=$pheno
    fi
    name=$kind-$what-r$r-n$n-m$m-$4
    read -r -a words <<<"${!what}" # the options of that name
    [ "$what" = pca ] || [ "$what" = grm ] || words+=(--pheno "$phenotypes")
    rm -rf "${folder:?}/out-r$r"
    begin=$EPOCHREALTIME
    "${launch[@]}" "$r" "$gp" "$what" --store "$data" --threads "$threads" --times "$times/$name.csv" \
        --out "$folder/out-r$r" "${words[@]}" >"$folder/$name.log" 2>&1 || {
        tail -n 20 "$folder/$name.log" >&2
        fail "$name failed; all it said is in $folder/$name.log"
    }
    awk -v name="$name" -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%s: %.2f s\n", name, b - a }'
    rm -rf "${folder:?}/out-r$r" "$folder/$name.log"
}

# With --measure (what a submitted job is started with) the cohorts are there, and the table comes later.
measure_all() {
    local k kind command r
    for ((k = 1; k <= repeats; k++)); do
        for kind in $kinds; do
            for command in $commands; do
                for r in $ranks; do
                    one "$kind" "$command" "$r" "$k"
                done
            done
        done
    done
}

make_cohorts() {
    local kind command r
    for kind in $kinds; do
        [ "$kind" = strong ] && [ -n "$store" ] && continue
        for command in $commands; do
            for r in $ranks; do
                size "$kind" "$command" "$r"
                cohort
            done
        done
    done
}

# A job for each number of ranks. They run side by side where there is room.
submit_all() {
    local words line r jobs=() failed=0 job
    read -r -a words <<<"$submit"
    for r in $ranks; do
        printf -v line '%q ' "$here/run.sh" --measure yes --ranks "$r" --kinds "$kinds" --commands "$commands" \
            --samples "$samples" --variants "$variants" --repeats "$repeats" --threads "$threads" \
            --launcher "$launcher" --assoc "$assoc" --pca "$pca" --grm "$grm" --train "$train" --run "$run" \
            --store "$store" --pheno "$pheno" --gp-dist "$gp" --folder "$folder"
        "${words[@]}" --wait --job-name "scaling-$r" --ntasks "$r" --cpus-per-task "$threads" \
            --output "$folder/job-r$r.log" --wrap "$line" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || failed=1
    done
    [ $failed = 0 ] || fail "a job failed; see $folder/job-r*.log"
}

# The store's own sizes, where one is given.
if [ -n "$store" ] && [ -z "$measure" ]; then
    read -r samples variants <<<"$("$gp" info "$store" | awk '$1 == "samples" { n = $2 } $1 == "variants" { m = $2 } END { print n, m }')"
    [ -n "$variants" ] || fail "$store: gp-dist info does not say its size"
fi
if [ -n "$measure" ]; then
    measure_all
    exit 0
fi
rm -f "$times"/*.csv
make_cohorts
if [ -n "$submit" ]; then
    submit_all
else
    measure_all
fi
version=$("$gp" --version | head -n 1) || fail "$gp does not run"
python3 "$here/summary.py" "$(provenance_header),version"$'\n'"$(provenance),$version" "$times" >"$csv.new" || fail "no table"
mv "$csv.new" "$csv" || fail "$csv: cannot be written"
echo "rows are in $csv"
if [ "$(wc -w <<<"$ranks")" -ge 3 ]; then
    python3 "$here/fit.py" "$csv" --points "${csv%.csv}.fit.csv" --plot "${csv%.csv}.svg" || fail "no fit"
fi
