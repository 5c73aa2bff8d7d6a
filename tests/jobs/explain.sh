#!/usr/bin/env bash
# explain: the pairs behind a trait are found; the same bytes on any ranks and threads; what the table holds; wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

# A trait of six variants: rs26 and rs55 by their product (27% of the variance), two other pairs, and little additive.
"$GP_DIST" simulate --quiet --samples 3000 --variants 60 --chromosomes 3 --traits 1 --heritability 0.2 --causal 6 --epistasis 0.6 \
    --dominance 0 --seed 11 --missing-rate 0.01 --out e || fail simulate
[ "$(awk '$2 == "epistasis" && $8 > 0.25 { print $5, $9 }' e.truth.tsv)" = "rs26 rs55" ] || fail "the simulation has changed"
"$GP_DIST" train --quiet --store e.h5 --pheno e.pheno.tsv --folds 0 --networks 1 --layers 1 --epochs 10 --dropout 0.1 --out m 2>err.log ||
    fail "train: $(cat err.log)"

for method in gradient integrated; do
    "$GP_DIST" explain --method $method --model m --store e.h5 --out $method.tsv.gz 2>err.log || fail "$method: $(cat err.log)"
    grep -q "$method.tsv.gz: 60 variants, 1 traits, explained with 3000 samples" err.log || fail "$method: $(cat err.log)"
    zcat $method.tsv.gz | awk -F '\t' '$9 <= 2 { print $3 }' | sort | tr '\n' ' ' >top.txt
    [ "$(cat top.txt)" = "rs26 rs55 " ] || fail "$method: the highest are $(cat top.txt)"
done
"$GP_DIST" explain --quiet --method attention --model m --store e.h5 --out attention.tsv.gz || fail attention
"$GP_DIST" explain --quiet --model m --store e.h5 --out default.tsv.gz || fail "the default"
same "the default" gradient.tsv.gz default.tsv.gz

# ---- the table ----
[ "$(zcat gradient.tsv.gz | head -1 | tr '\t' ' ')" = \
    "chromosome base_pair_location id effect_allele other_allele trait attribution importance rank" ] || fail "header"
for method in gradient integrated attention; do
    zcat $method.tsv.gz | awk -F '\t' 'NR > 1 && (NF != 9 || $8 < 0) { exit 1 } END { exit NR != 61 }' || fail "$method: lines"
    zcat $method.tsv.gz | tail -n +2 | sort -t "$(printf '\t')" -k 9,9n | awk -F '\t' '$9 != NR || (NR > 1 && $8 > last) { exit 1 } { last = $8 }' ||
        fail "$method: ranks do not follow importance"
    diff <(zcat $method.tsv.gz | tail -n +2 | cut -f 1-5) <(zcat m/variants.tsv.gz | tail -n +2 | cut -f 1-5) >/dev/null ||
        fail "$method: not the model's variants in their order"
done
zcat attention.tsv.gz | awk -F '\t' 'NR > 1 { if ($6 != "#NA" || $7 != "#NA") exit 1; sum += $8 }
    END { exit sum < 0.999 || sum > 1.001 }' || fail "shares of attention do not add up to 1" # float32; there is no covariate

# ---- its index ----
for region in 1 2:1-3000000 3; do
    tabix gradient.tsv.gz $region | awk -v r=$region 'BEGIN { split(r, p, "[:-]") }
        $1 != p[1] || (p[2] != "" && ($2 < p[2] || $2 > p[3])) { exit 1 }' || fail "the index finds other lines of $region"
done
for chromosome in 1 2 3; do
    same "lines of chromosome $chromosome" <(tabix gradient.tsv.gz $chromosome) \
        <(zcat gradient.tsv.gz | awk -F '\t' -v c=$chromosome 'NR > 1 && $1 == c')
done

# ---- ranks and threads ----
head -800 e.pheno.tsv | cut -f 1,2 >keep.txt
some=(--quiet --model m --store e.h5 --keep keep.txt --steps 4)
for method in gradient integrated attention; do
    "$GP_DIST" explain "${some[@]}" --threads 1 --method $method --out one.$method.gz || fail "$method, one rank"
    "$GP_DIST" explain "${some[@]}" --threads 3 --method $method --out threads.$method.gz || fail "$method, 3 threads"
    ranks 3 explain "${some[@]}" --threads 1 --method $method --out ranks.$method.gz || fail "$method, 3 ranks"
    same "$method, threads" one.$method.gz threads.$method.gz
    same "$method, ranks" one.$method.gz ranks.$method.gz
    same "$method, index" one.$method.gz.tbi ranks.$method.gz.tbi
done
ranks 2 explain --max-samples 100 --model m --store e.h5 --out x.gz 2>err.log || fail "some samples"
grep -q "explained with 100 samples" err.log || fail "some samples: $(cat err.log)"
rm x.gz

# ---- wrong input ----
expect_error "no model" 64 "command line: explain needs --model DIR" ranks 2 explain --store e.h5 --out x.gz
expect_error "no store" 64 "command line: explain needs --store" ranks 2 explain --model m --out x.gz
expect_error "no table" 64 "command line: explain needs --out" ranks 2 explain --model m --store e.h5
expect_error "a method too many" 64 "command line: .*gradient" ranks 2 explain --method lime --model m --store e.h5 --out x.gz
expect_error "no directory" 64 "nowhere" ranks 2 explain --model nowhere --store e.h5 --out x.gz
cp -r m cut && head -c 3000 m/model.safetensors >cut/model.safetensors
expect_error "tensors cut short" 64 "cut/model.safetensors: " ranks 2 explain --model cut --store e.h5 --out x.gz
"$GP_DIST" simulate --quiet --samples 50 --variants 60 --chromosomes 3 --traits 1 --causal 10 --seed 3 --out other || fail simulate
expect_error "other variants" 64 "other.h5: has none of the 60 variants" ranks 2 explain --model m --store other.h5 --out x.gz
expect_error "nowhere to write" 64 "nowhere" ranks 2 explain --model m --store e.h5 --out nowhere/x.gz
[ ! -e x.gz ] && [ ! -e x.gz.tmp ] || fail "something was written"
finish
