#!/usr/bin/env bash
# predict with trained networks: as training predicted; the same bytes on any ranks and threads; one chromosome left out; how
# variants are joined; covariates of new samples; wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 400 --variants 90 --chromosomes 3 --traits 2 --binary 1 --causal 20 --heritability 0.5 --seed 7 \
    --missing-rate 0.01 --missing-pheno 0.1 --out c || fail simulate
covar=(--covar c.covar.tsv --cat-covar-name batch)
train=(--store c.h5 --pheno c.pheno.tsv "${covar[@]}" --folds 0 --epochs 2 --channels 16 --quiet)
"$GP_DIST" train "${train[@]}" --networks 1 --linear none --out alone 2>err.log || fail "train: $(cat err.log)"
"$GP_DIST" train "${train[@]}" --networks 2 --chromosome-dropout 0.2 --out two 2>err.log || fail "train two: $(cat err.log)"
of=(--store c.h5 --covar c.covar.tsv)

# ---- as in training ----
"$GP_DIST" predict --model alone "${of[@]}" --out alone.tsv 2>err.log || fail "predict: $(cat err.log)"
grep -q "alone: 90 of the model's 90 variants are in the store, 0 of them with alleles swapped" err.log || fail "variants are not counted"
[ "$(wc -l <alone.tsv)" = 401 ] || fail "not every sample is predicted"
awk 'NR == FNR { for (t = 3; t <= NF; t++) if (FNR == 1) name[t] = $t; else value[$2, name[t]] = $t; next }
     FNR > 1 && $8 != "NA" { d = $8 - value[$2, $3]; n++; if (d < -1e-4 || d > 1e-4) bad++ } # float32, shards of another size
     END { print n " predictions, " bad + 0 " differ"; exit bad > 0 || n < 20 }' alone.tsv alone/predictions.tsv ||
    fail "the validation samples are not predicted as in training"
awk 'NR > 1 && !($4 > 0 && $4 < 1) { exit 1 }' alone.tsv || fail "a binary trait is not predicted as a probability"
"$GP_DIST" predict --quiet --log-odds --model alone "${of[@]}" --out odds.tsv || fail "--log-odds"
paste alone.tsv odds.tsv | awk -F '\t' 'NR > 1 { d = log($4 / (1 - $4)) - $8; if ($3 != $7 || d > 1e-6 || d < -1e-6) bad++ } # digits printed
    END { exit bad > 0 || NR != 401 }' || fail "--log-odds are not those of the probabilities"

# ---- ranks, threads, samples ----
"$GP_DIST" predict --quiet --threads 1 --model two "${of[@]}" --out p1.tsv || fail "one rank"
"$GP_DIST" predict --quiet --loco --model two "${of[@]}" --out l1.tsv 2>err.log || fail "one rank, --loco"
[ ! -s err.log ] || fail "a network with --chromosome-dropout is warned about: $(cat err.log)"
for n in 2 3; do
    ranks $n predict --quiet --threads 2 --model two "${of[@]}" --out p$n.tsv || fail "$n ranks"
    same "$n ranks" p1.tsv p$n.tsv
    ranks $n predict --quiet --loco --model two "${of[@]}" --out l$n.tsv || fail "$n ranks, --loco"
    same "$n ranks, --loco" l1.tsv l$n.tsv
done
[ "$(head -1 l1.tsv | tr '\t' ' ')" = "FID IID trait1@1 trait1@2 trait1@3 trait2@1 trait2@2 trait2@3" ] || fail "columns: $(head -1 l1.tsv)"
awk 'NR > 1 && $3 == $4 && $4 == $5 { same++ } END { exit same > 0 }' l1.tsv || fail "it does not matter which chromosome is masked"
"$GP_DIST" predict --loco --model alone "${of[@]}" --out x.tsv 2>err.log || fail "--loco without dropout"
grep -q "warning: alone: was trained without --chromosome-dropout" err.log || fail "no warning: $(cat err.log)"
awk 'NR == 1 || NR % 7 == 0' c.pheno.tsv | cut -f 1,2 >keep.txt
"$GP_DIST" predict --quiet --model two "${of[@]}" --keep keep.txt --out kept.tsv || fail "some samples"
awk 'NR == FNR { a[$2] = $3; next } FNR > 1 { d = a[$2] - $3; if (d < -1e-5 || d > 1e-5) exit 1; n++ } END { exit n != 57 }' p1.tsv kept.tsv ||
    fail "some samples are predicted otherwise" # float32

# ---- as offsets of a regression ----
"$GP_DIST" predict --quiet --loco --log-odds --model two "${of[@]}" --out offset.tsv || fail "--loco --log-odds"
"$GP_DIST" assoc --store c.h5 --pheno c.pheno.tsv --pheno-name trait2 --offset offset.tsv --out scan 2>err.log || fail "--offset: $(cat err.log)"
[ "$(zcat scan/trait2.tsv.gz | awk 'NR > 1 && $13 == "OK"' | wc -l)" = 90 ] || fail "--offset: not every variant is tested"
grep -q 'model: logistic, with offsets' scan/trait2.tsv.gz-meta.yaml || fail "--offset: the metadata do not tell"

# ---- how variants are joined ----
# changed NAME PROGRAM: a copy of the model whose variants an awk program changes.
changed() {
    cp -r two "$1"
    zcat two/variants.tsv.gz | awk -F '\t' -v OFS='\t' "$2" | gzip >"$1/variants.tsv.gz"
}
changed renamed 'NR > 1 { $3 = "x" NR } 1'
"$GP_DIST" predict --quiet --model renamed "${of[@]}" --out renamed.tsv || fail "other ids"
same "other ids" p1.tsv renamed.tsv
changed swapped 'NR > 1 { t = $4; $4 = $5; $5 = t } 1'
"$GP_DIST" predict --model swapped "${of[@]}" --out swapped.tsv 2>err.log || fail "swapped alleles"
grep -q ", 90 of them with alleles swapped ([1-9]" err.log || fail "swapped alleles are not counted: $(cat err.log)"
cmp -s p1.tsv swapped.tsv && fail "swapped alleles are not turned round"
changed some 'NR > 1 && NR % 3 == 0 { $2 += 1 } 1'
"$GP_DIST" predict --model some "${of[@]}" --out some.tsv 2>err.log || fail "some variants"
grep -q "warning: some: 30 of the model's 90 variants are not in the store; they count as their mean" err.log ||
    fail "missing variants are not counted: $(cat err.log)"
grep -q "the store has 30 others" err.log || fail "other variants are not counted: $(cat err.log)"
changed none 'NR > 1 { $2 += 1 } 1'
expect_error "no variant" 64 "c.h5: has none of the 90 variants of the model none" \
    ranks 3 predict --model none "${of[@]}" --out no.tsv

# ---- covariates of new samples ----
awk -v OFS='\t' 'NR == 4 { $3 = "NA" } NR != 9' c.covar.tsv >lacks.tsv
"$GP_DIST" predict --model two --store c.h5 --covar lacks.tsv --out lacks.out.tsv 2>err.log || fail "some covariates"
[ "$(awk -F '\t' '$3 == "NA" && $4 == "NA"' lacks.out.tsv | wc -l)" = 2 ] || fail "two samples lack a covariate"
grep -q "lacks.tsv: 2 of 400 samples lack a covariate" err.log || fail "that is not said: $(cat err.log)"
expect_error "no covariates" 64 "command line: the model has covariates" ranks 2 predict --model two --store c.h5 --out no.tsv
cut -f 1-3 c.covar.tsv >few.tsv
expect_error "a covariate too few" 64 "few.tsv: has no column for the model's covariate" \
    ranks 2 predict --model two --store c.h5 --covar few.tsv --out no.tsv
expect_error "no table" 64 "nowhere.tsv: " ranks 2 predict --model two --store c.h5 --covar nowhere.tsv --out no.tsv

# ---- wrong models ----
mkdir empty
expect_error "no model" 64 "empty: holds no model" ranks 2 predict --model empty "${of[@]}" --out no.tsv
expect_error "no directory" 64 "nowhere: is not there" ranks 2 predict --model nowhere "${of[@]}" --out no.tsv
cp -r two cut && head -c 3000 two/model.safetensors >cut/model.safetensors
expect_error "tensors cut short" 64 "cut/model.safetensors: " ranks 2 predict --model cut "${of[@]}" --out no.tsv
cp -r two damaged && printf '\377\377\377\377' | dd of=damaged/model.safetensors bs=1 seek=9000 conv=notrunc 2>/dev/null
expect_error "damaged tensors" 64 "damaged/model.safetensors: " ranks 2 predict --model damaged "${of[@]}" --out no.tsv
cp -r two shape
sed -i 's/"channels": 16/"channels": 32/' shape/config.json
expect_error "another shape" 64 "shape/(model.safetensors|config.json): " ranks 2 predict --model shape "${of[@]}" --out no.tsv
rm shape/config.json
expect_error "no config" 64 "shape/config.json: " ranks 2 predict --model shape "${of[@]}" --out no.tsv
cp -r two lost && rm lost/variants.tsv.gz
expect_error "no variants" 64 "lost/variants.tsv.gz: " ranks 2 predict --model lost "${of[@]}" --out no.tsv
"$GP_DIST" blup --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 --out blup || fail blup
expect_error "--loco of effects" 64 "command line: --loco is for networks" ranks 2 predict --loco --model blup --store c.h5 --out no.tsv

# One rank's model is cut short, each rank's in turn: relative paths name different files.
mkdir good bad && cp -r two good/model && cp -r cut bad/model && cp c.h5 c.covar.tsv good/ && cp c.h5 c.covar.tsv bad/
cat >start.sh <<'S'
#!/usr/bin/env bash
cd "$(dirname "$0")/$([ "${OMPI_COMM_WORLD_RANK:-0}" = "$BAD_RANK" ] && echo bad || echo good)" || exit 1
exec "$@"
S
chmod +x start.sh
for rank in 0 1 2; do
    BAD_RANK=$rank expect_error "a model cut short on rank $rank" 64 "model/model.safetensors: " \
        "$GP_MPIEXEC" --quiet --oversubscribe -n 3 ./start.sh "$GP_DIST" predict --model model --store c.h5 --covar c.covar.tsv \
        --out "$PWD/no.tsv"
done
[ ! -e no.tsv ] || fail "something was written"

# ---- pre-trained alone ----
"$GP_DIST" train --quiet --store c.h5 --objective masked --epochs 1 --channels 16 --out masked 2>err.log || fail "masked: $(cat err.log)"
expect_error "no traits" 64 "masked: is pre-trained on genotypes alone" ranks 2 predict --model masked --store c.h5 --out no.tsv
finish
