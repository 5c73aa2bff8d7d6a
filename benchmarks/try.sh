#!/usr/bin/env bash
# A test: the side-by-side scripts at a tiny size, so that they keep working. Gets gp-dist in GP_DIST, the benchmark
# programs' folder in GP_BENCH, and a private folder in SCRATCH.
# shellcheck source=tests/support/lib.sh
. "$GP_SOURCE/tests/support/lib.sh"
export TMPDIR=$SCRATCH
scripts=$GP_SOURCE/benchmarks

# rows FILE NUMBER: a header and so many rows, all with as many fields.
rows() {
    awk -F , -v want="$2" 'NR == 1 { fields = NF } NF != fields { bad = 1 } END { exit bad || NR != want + 1 }' "$1" ||
        fail "$1: not a header and $2 rows of as many fields: $(cat "$1")"
}

"$scripts/assoc_plink2.sh" --gp-dist "$GP_DIST" --samples 300 --variants 200 --covariates 2 --traits "1 2" \
    --missing "0 0.01" --rounds 1 --folder "$SCRATCH/assoc" >assoc.log 2>&1 || fail "assoc_plink2.sh: $(cat assoc.log)"
rows "$SCRATCH/assoc/assoc.csv" 4
"$scripts/grm_plink2.sh" --gp-dist "$GP_DIST" --gram "$GP_BENCH/gram" --samples 300 --variants 400 --missing 0.01 \
    --folder "$SCRATCH/grm" >grm.log 2>&1 || fail "grm_plink2.sh: $(cat grm.log)"
rows "$SCRATCH/grm/grm.csv" 1
"$scripts/products.sh" --programs "$GP_BENCH" --rounds 1 --seconds 0.01 --csv "$SCRATCH/products.csv" \
    --more "--samples 300 --variants 200 --buffer 1" >products.log 2>&1 || fail "products.sh: $(cat products.log)"
[ -s "$SCRATCH/products.csv" ] || fail "products.sh: no table: $(cat products.log)"
"$scripts/network_torch.sh" --program "$GP_BENCH/network" --models tiny --rounds 1 --seconds 0.01 \
    --folder "$SCRATCH/network" >network.log 2>&1 || fail "network_torch.sh: $(cat network.log)"
rows "$SCRATCH/network/network.csv" 2
"$scripts/prediction.sh" --gp-dist "$GP_DIST" --samples 300 --data "$SCRATCH/none" --folder "$SCRATCH/prediction" \
    >prediction.log 2>&1 || fail "prediction.sh: $(cat prediction.log)"
grep -q '^samples/s: [0-9.]* on 1 rank, [0-9.]* on 2 ranks; ratio [0-9.]*; ' prediction.log || fail "prediction.sh: $(cat prediction.log)"
"$scripts/logistic_plink2.sh" --tiny --gp-dist "$GP_DIST" --folder "$SCRATCH/logistic" >logistic.log 2>&1 ||
    fail "logistic_plink2.sh: $(cat logistic.log)"
rows "$SCRATCH/logistic/logistic.csv" 1
for time in first second; do # which finds everything counted
    "$scripts/type_one_error.sh" --tiny --gp-dist "$GP_DIST" --threads 1 --folder "$SCRATCH/null" --csv "$SCRATCH/$time.csv" \
        >"null.$time" 2>&1 || fail "type_one_error.sh: $(cat "null.$time")"
    rows "$SCRATCH/$time.csv" 32 # 2 ratios, 4 tests, 3 classes and all
    grep -E '^1:.*(within|below|above) ' "null.$time" >"table.$time"
done
[ "$(grep -c ', part ' null.first)" = 16 ] || fail "type_one_error.sh: not 16 analyses: $(cat null.first)"
grep -q ', part ' null.second && fail "type_one_error.sh does not continue: $(cat null.second)"
same "type_one_error.sh's tables" table.first table.second

# Scaling: three numbers of ranks give a model and a plot; each number as a job of its own gives the same table.
scaling=("$scripts/scaling/run.sh" --tiny --gp-dist "$GP_DIST" --launcher "$GP_MPIEXEC --quiet --oversubscribe -n" --folder "$SCRATCH/scaling")
"${scaling[@]}" --commands "assoc train" --kinds strong --ranks "1 2 3" >scaling.log 2>&1 || fail "scaling/run.sh: $(cat scaling.log)"
awk -F , 'NR == 1 { for (k = 1; k <= NF; k++) c[$k] = k } NR > 1 { n[$c["command"] " " $c["phase"] " " $c["ranks"]]++ }
    END { exit !(n["assoc all 1"] == 1 && n["assoc all 3"] == 1 && n["train all 2"] == 1 && n["train start 3"] == 1) }' \
    "$SCRATCH/scaling/scaling.csv" || fail "scaling/run.sh: $(cat "$SCRATCH/scaling/scaling.csv")"
grep -q '^assoc,all,strong,4096,' "$SCRATCH/scaling/scaling.fit.csv" || fail "scaling/fit.py predicts nothing: $(cat scaling.log)"
grep -q '</svg>' "$SCRATCH/scaling/scaling.svg" || fail "scaling/fit.py draws nothing: $(cat scaling.log)"
cat >sbatch <<'END'
#!/usr/bin/env bash
while [ "$1" != --wrap ]; do
    [ "$1" != --output ] || log=$2
    shift
done
echo "$2" >>"$(dirname "$0")/submitted"
bash -c "$2" >"$log" 2>&1
END
chmod +x sbatch
"${scaling[@]}" --commands assoc --kinds weak --ranks "1 2" --submit "$SCRATCH/sbatch --time=5" --csv "$SCRATCH/jobs.csv" \
    >jobs.log 2>&1 || fail "scaling/run.sh --submit: $(cat jobs.log "$SCRATCH"/scaling/job-*.log)"
[ "$(wc -l <submitted)" = 2 ] || fail "scaling/run.sh --submit: not two jobs: $(cat submitted)"
[ "$(grep -c ',weak,assoc,all,' "$SCRATCH/jobs.csv")" = 2 ] || fail "scaling/run.sh --submit: $(cat "$SCRATCH/jobs.csv")"
"$scripts/scaling/fit_test.py" "$SCRATCH" >fit.log 2>&1 || fail "scaling/fit_test.py: $(cat fit.log)"
expect_error "no number of ranks" 1 "benchmarks/run.sh: --ranks '1 x': 'x' is no number of ranks" "${scaling[@]}" --ranks "1 x"
expect_error "an unknown option" 1 "benchmarks/assoc_plink2.sh: unknown option '--nonsense'" "$scripts/assoc_plink2.sh" --nonsense 1
"$scripts/power.sh" --gp-dist "$GP_DIST" --folder "$SCRATCH/power" --samples 200 --variants 150 --nulls 200 --causal 10 --traits 1 \
    --train "--epochs 2 --folds 2 --networks 1" >power.log 2>&1 || fail "power.sh: $(cat power.log)"
rows "$SCRATCH/power/power.csv" 3
finish
