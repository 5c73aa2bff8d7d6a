#!/usr/bin/env bash
# What the transformer adds to ridge regression, with default settings, and what its training costs.
#
#   benchmarks/prediction.sh [--samples N] [--seed S] [--ranks R] [--data FOLDER] [--gp-dist PROGRAM] [--folder FOLDER]
#
# Simulated: N samples (20,000) x 100 variants on 10 chromosomes; a trait of pairs of variants and one of single variants
# (epistasis_trait.py). Out-of-fold r2 of ridge and transformer, and how many of the 16 variants are among the 25 of the
# highest attribution. Then the same training without folds on 1 and on R ranks (2) of one thread, turn about: samples/s.
# Where FOLDER (../shared/data) has them: wheat (the published folds) and mice (five folds), mean within-fold r.
# Default: the newest gp-dist under build*/, files in a folder under ${TMPDIR:-/tmp}.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
samples=20000 seed=1 ranks=2 data=$root/../shared/data gp_dist=''
folder=${TMPDIR:-/tmp}/gp-dist-benchmark
# shellcheck source=benchmarks/lib.sh
. "$root/benchmarks/lib.sh"
read_options "samples seed ranks data gp-dist folder" "$@"
gp=${gp_dist:-$(find_program gp-dist)}
[ -x "$gp" ] || fail "no program gp-dist; build it, or name it with --gp-dist"
mkdir -p "$folder" || fail "$folder: cannot be made"
unset OMP_NUM_THREADS # what is not timed takes all cores

# train NAME OPTIONS...: a training in a directory of its own.
train() {
    local name=$folder/prediction-$1
    shift
    rm -rf "$name"
    "$gp" train --out "$name" "$@" 2>"$name.log" || {
        tail -n 5 "$name.log" >&2
        fail "train failed; all it said is in $name.log"
    }
}

# within NAME: mean of the folds' r, by trait.
within() {
    awk -F '\t' -v name="$1" 'NR > 1 && $3 != "all" && $2 != "covariates" {
            if (!($1 in seen)) { seen[$1] = 1; trait[++traits] = $1 }
            sum[$1, $2] += $6
            n[$1, $2]++
        }
        END {
            for (k = 1; k <= traits; k++)
                printf "%s: %s: mean within-fold r: ridge %.4f, transformer %.4f\n", name, trait[k],
                    sum[trait[k], "ridge"] / n[trait[k], "ridge"],
                    sum[trait[k], "transformer"] / n[trait[k], "transformer"]
        }' "$folder/prediction-$1/metrics.tsv"
}

cohort=$folder/prediction-n$samples-s$seed
if ! [ -s "$cohort.traits.tsv" ]; then
    "$gp" simulate --quiet --samples "$samples" --variants 100 --chromosomes 10 --populations 1 --relatives 0 --traits 1 \
        --missing-rate 0 --missing-pheno 0 --seed "$seed" --plink --out "$cohort" || fail "simulate failed"
    python3 "$root/benchmarks/epistasis_trait.py" "$cohort" "$seed" >"$cohort.made" 2>"$cohort.pairs" ||
        fail "the traits could not be made: $(cat "$cohort.pairs")"
    mv "$cohort.made" "$cohort.traits.tsv"
fi

train simulated --store "$cohort.h5" --pheno "$cohort.traits.tsv"
awk -F '\t' '$3 == "all" && $2 != "covariates" { printf "simulated: %s: r2 of %s %.4f\n", $1, $2, $5 }' \
    "$folder/prediction-simulated/metrics.tsv"
"$gp" explain --quiet --model "$folder/prediction-simulated" --store "$cohort.h5" --method gradient \
    --out "$folder/prediction.tsv.gz" || fail "explain failed"
zcat "$folder/prediction.tsv.gz" | awk -F '\t' -v pairs="$cohort.pairs" '
    BEGIN { while ((getline line <pairs) > 0) { split(line, id, " "); wanted[id[1]] = wanted[id[2]] = 1 } }
    $6 == "pairs" && $9 <= 25 && $3 in wanted { found++ }
    END { printf "simulated: %d of the 16 variants of pairs are among the 25 of highest attribution\n", found }'

# Speed of ranks: the note at the end of a training says samples/s and seconds that it waited for sums.
speed() {
    local name=$folder/prediction-ranks$1
    rm -rf "$name"
    mpirun --quiet --oversubscribe -n "$1" "$gp" train --threads 1 --folds 0 --epochs 3 --store "$cohort.h5" \
        --pheno "$cohort.traits.tsv" --out "$name" 2>"$name.log" || fail "train failed on $1 ranks"
    sed -n 's/.*; \([0-9]*\) samples\/s, \([0-9.]*\) s waiting.*/\1 0 \2/p' "$name.log" >>"$folder/ranks$1.times"
}
rm -f "$folder/ranks1.times" "$folder/ranks$ranks.times"
for _ in 1 2 3; do
    speed 1
    speed "$ranks"
done
printf 'samples/s: %.0f on 1 rank, %.0f on %s ranks; ratio %s; %s s of it waiting for sums\n' "$(figure ranks1 1)" \
    "$(figure "ranks$ranks" 1)" "$ranks" "$(ratio "ranks$ranks" ranks1 1)" "$(figure "ranks$ranks" 3)"

if [ -d "$data/wheat-bglr" ]; then
    wheat=$data/wheat-bglr/derived
    "$gp" import --quiet --bfile "$wheat/wheat" --out "$folder/wheat.h5" || fail "import failed"
    awk 'BEGIN { print "FID IID fold" } NR == FNR { fold[NR] = $1; next } { print $1, $2, fold[FNR] }' \
        "$wheat/wheat.sets.txt" "$wheat/wheat.fam" >"$folder/wheat.folds"
    train wheat --store "$folder/wheat.h5" --pheno "$wheat/wheat.pheno.txt" --fold-file "$folder/wheat.folds"
    within wheat
fi
if [ -d "$data/mice-bglr" ]; then
    mice=$data/mice-bglr/derived
    "$gp" import --quiet --bfile "$mice/mice" --out "$folder/mice.h5" || fail "import failed"
    train mice --store "$folder/mice.h5" --pheno "$mice/mice.pheno.txt" \
        --pheno-name Obesity.BMI,Obesity.BodyLength,Obesity.EndNormalBW,Biochem.HDL
    within mice
fi
