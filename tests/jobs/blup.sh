#!/usr/bin/env bash
# blup and predict: the same numbers on any ranks, by matrix or by effects of variants; folds; covariates; wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 300 --variants 1500 --chromosomes 3 --traits 3 --binary 1 --heritability 0.5 --seed 7 \
    --missing-rate 0.01 --missing-pheno 0.1 --out c || fail simulate
"$GP_DIST" simulate --quiet --samples 300 --variants 1500 --chromosomes 3 --traits 1 --heritability 0.5 --seed 8 \
    --missing-rate 0 --out full || fail simulate
model=(--store c.h5 --pheno c.pheno.tsv --covar c.covar.tsv --cat-covar-name batch)

# close WHAT TOLERANCE A B: tables with the same lines and words; numbers agree to the tolerance, relative to 1 or the larger.
close() {
    paste "$3" "$4" | awk -v what="$1" -v tolerance="$2" '
        function abs(x) { return x < 0 ? -x : x }
        function is_number(x) { return x ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ }
        {
            half = NF / 2
            for (k = 1; k <= half; k++) {
                a = $k; b = $(k + half)
                if (a == b) continue
                size = abs(a) > abs(b) ? abs(a) : abs(b)
                if (size < 1) size = 1
                if (!is_number(a) || !is_number(b) || abs(a - b) > tolerance * size)
                    if (errors++ < 3) print "FAIL: " what ": line " NR ", column " k ": " a ", " b
            }
        }
        END { exit errors > 0 || NR < 2 }' || fail "$1"
}

# of_predictions DIR: its predictions in the form of predict's table, by sample.
of_predictions() {
    awk -F '\t' 'NR > 1 { if (!($3 in seen)) { seen[$3] = 1; trait[++p] = $3 }
                          key = $1 "\t" $2; if (!(key in known)) { known[key] = 1; order[++n] = key }
                          value[key, $3] = $7 }
                 END { for (i = 1; i <= n; i++) { printf "%s", order[i]
                           for (t = 1; t <= p; t++) printf "\t%s", value[order[i], trait[t]]
                           print "" } }' "$1/predictions.tsv" | sort
}
of_table() {
    tail -n +2 "$1" | sort
}

# ---- ranks ----
"$GP_DIST" blup --quiet "${model[@]}" --folds 4 --out cv1 || fail "one rank"
"$GP_DIST" blup --quiet "${model[@]}" --out all1 || fail "one rank, all samples"
for n in 2 3 4; do
    ranks $n blup --quiet "${model[@]}" --folds 4 --out cv$n || fail "$n ranks"
    ranks $n blup --quiet "${model[@]}" --out all$n || fail "$n ranks, all samples"
    for file in predictions.tsv metrics.tsv variance.tsv; do
        close "$n ranks, $file" 1e-8 cv1/$file cv$n/$file
    done
    for file in predictions.tsv variance.tsv model.tsv; do
        close "$n ranks, all samples, $file" 1e-8 all1/$file all$n/$file
    done
    close "$n ranks, effects" 1e-8 <(zcat all1/effects.tsv.gz) <(zcat all$n/effects.tsv.gz)
    same "$n ranks, matrix" all1/grm.h5 all$n/grm.h5
done
[ "$(wc -l <all1/predictions.tsv)" = 901 ] || fail "not every sample is predicted"
[ "$(wc -l <cv1/metrics.tsv)" = 31 ] || fail "metrics.tsv has not a line for each trait, model and fold"
[ ! -e cv1/effects.tsv.gz ] || fail "a cross-validation has effects"
awk 'NR > 1 && ($1 == "trait3") != ($8 != "NA") { exit 1 }' cv1/metrics.tsv || fail "auc is for binary traits alone"
awk '$3 == "all" && $2 == "blup" { if ($6 < 0.1) bad = 1; n++ } END { exit bad || n != 3 }' cv1/metrics.tsv || fail "no accuracy"

# ---- from variants, and from the matrix ----
"$GP_DIST" predict --quiet --model all1 --store c.h5 --covar c.covar.tsv --out p1.tsv || fail predict
close "predictions from variants" 1e-6 <(of_predictions all1) <(of_table p1.tsv)
for n in 2 3 4; do
    ranks $n predict --quiet --model all1 --store c.h5 --covar c.covar.tsv --out p$n.tsv || fail "predict on $n ranks"
    same "predict on $n ranks" p1.tsv p$n.tsv
done
for form in centred standardised; do
    "$GP_DIST" blup --quiet --store full.h5 --pheno full.pheno.tsv --maf 0.02 --$form --out $form || fail "$form"
    "$GP_DIST" predict --quiet --model $form --store full.h5 --out $form.tsv || fail "predict $form"
    # weights of the standardised form are rounded in a matrix (src/geno/gram.h)
    close "$form" "$([ $form = centred ] && echo 1e-9 || echo 1e-6)" <(of_predictions $form) <(of_table $form.tsv)
done
# Some of the samples and variants: means are those of the samples kept.
head -260 c.pheno.tsv | cut -f 1,2 >kept.txt
"$GP_DIST" blup --quiet "${model[@]}" --keep kept.txt --mind 0.02 --chr 1,3 --geno 0.02 --hwe 1e-4 --mac 5 --out subset || fail "some samples"
"$GP_DIST" predict --quiet --model subset --store c.h5 --covar c.covar.tsv --out subset.tsv || fail "some samples"
[ "$(wc -l <subset.tsv)" = 301 ] || fail "not every sample of the store is predicted"
of_predictions subset >subset.txt
[ "$(wc -l <subset.txt)" -lt 260 ] || fail "--mind leaves nobody out"
awk 'NR == FNR { known[$1, $2] = 1; next } ($1, $2) in known' subset.txt <(of_table subset.tsv) >same.txt
close "some samples" 1e-6 subset.txt same.txt
# A matrix with the same variants; one with others, or without a name, has no effects to give.
"$GP_DIST" grm --quiet --store full.h5 --maf 0.02 --centred --export-text --out g || fail grm
"$GP_DIST" blup --quiet --store full.h5 --pheno full.pheno.tsv --maf 0.02 --grm g/grm.h5 --out given || fail "given matrix"
close "given matrix" 1e-12 centred/predictions.tsv given/predictions.tsv
close "given matrix, effects" 1e-12 <(zcat centred/effects.tsv.gz) <(zcat given/effects.tsv.gz)
"$GP_DIST" blup --store full.h5 --pheno full.pheno.tsv --grm g/grm.h5 --out other 2>err.log || fail "matrix of other variants"
grep -q "warning: .*no effects of variants.*other variants" err.log || fail "other variants: $(cat err.log)"
[ ! -e other/effects.tsv.gz ] || fail "effects of other variants"
"$GP_DIST" blup --store full.h5 --pheno full.pheno.tsv --grm g/grm.txt --out text 2>err.log || fail "matrix of text"
grep -q "warning: .*no effects of variants" err.log || fail "matrix of text: $(cat err.log)"
close "matrix of text" 1e-8 centred/predictions.tsv text/predictions.tsv

# ---- how variants are joined ----
mkdir swapped
cp centred/model.tsv swapped/
zcat centred/effects.tsv.gz | awk -F '\t' -v OFS='\t' 'NR > 1 && NR % 2 { t = $4; $4 = $5; $5 = t; $6 = sprintf("%.12g", 2 - $6); $7 = sprintf("%.12g", -$7) } 1' |
    gzip >swapped/effects.tsv.gz
"$GP_DIST" predict --model swapped --store full.h5 --out swapped.tsv 2>err.log || fail "swapped alleles"
close "swapped alleles" 1e-9 centred.tsv swapped.tsv
grep -q ", [1-9][0-9]* of them with alleles swapped" err.log || fail "swapped alleles are not counted: $(cat err.log)"
mkdir more none twice
cp centred/model.tsv more/ && cp centred/model.tsv none/ && cp centred/model.tsv twice/
{ zcat centred/effects.tsv.gz; printf '1\t1\tstranger\tA\tC\t0.5\t3\n'; } | gzip >more/effects.tsv.gz
"$GP_DIST" predict --model more --store full.h5 --out more.tsv 2>err.log || fail "a variant too many"
close "a variant too many" 1e-9 centred.tsv more.tsv
grep -q "warning: .*1 of the model's .* not in the store" err.log || fail "a variant too many: $(cat err.log)"
zcat centred/effects.tsv.gz | awk -F '\t' -v OFS='\t' 'NR > 1 { $3 = "x" $3 } 1' | gzip >none/effects.tsv.gz
expect_error "no variant" 64 "full.h5: has none of the [0-9]* variants of the model" \
    ranks 3 predict --model none --store full.h5 --out none.tsv
zcat centred/effects.tsv.gz | awk 'NR == 5 { print } 1' | gzip >twice/effects.tsv.gz
expect_error "a variant twice" 64 "twice/effects.tsv.gz: variant .* is there twice" \
    ranks 3 predict --model twice --store full.h5 --out none.tsv
[ ! -e none.tsv ] || fail "something was written"

# ---- covariates of new samples ----
awk -v OFS='\t' 'NR == 4 { $3 = "NA" } NR != 9' c.covar.tsv >some.tsv
"$GP_DIST" predict --quiet --model all1 --store c.h5 --covar some.tsv --out some.out.tsv || fail "some covariates"
[ "$(awk -F '\t' '$3 == "NA" && $5 == "NA"' some.out.tsv | wc -l)" = 2 ] || fail "two samples lack a covariate"
awk -v OFS='\t' 'NR > 1 && NR < 9 { $6 = NR % 2 ? "mars" : "moon" } 1' c.covar.tsv >new.tsv
"$GP_DIST" predict --model all1 --store c.h5 --covar new.tsv --out new.out.tsv 2>err.log || fail "new levels"
grep -q "warning: new.tsv: column 'batch' has 3 levels that have no effect" err.log || fail "new levels: $(cat err.log)"
expect_error "no covariates" 64 "command line: the model has covariates" ranks 2 predict --model all1 --store c.h5 --out x.tsv
cut -f 1-3 c.covar.tsv >few.tsv
expect_error "a covariate too few" 64 "few.tsv: has no column for the model's covariate" \
    ranks 2 predict --model all1 --store c.h5 --covar few.tsv --out x.tsv
awk -v OFS='\t' 'NR > 1 { $1 = "x" $1; $2 = "x" $2 } 1' c.covar.tsv >others.tsv
expect_error "others' covariates" 64 "others.tsv: no sample in common" \
    ranks 2 predict --model all1 --store c.h5 --covar others.tsv --out x.tsv
expect_error "no model" 64 "cv1: holds no model" ranks 2 predict --model cv1 --store c.h5 --out x.tsv
expect_error "no directory" 64 "nowhere: is not there" ranks 2 predict --model nowhere --store c.h5 --out x.tsv
cp -r all1 cut
head -c 5000 all1/effects.tsv.gz >cut/effects.tsv.gz
expect_error "effects cut short" 64 "cut/effects.tsv.gz: " ranks 2 predict --model cut --store c.h5 --covar c.covar.tsv --out x.tsv
[ ! -e x.tsv ] || fail "something was written"

# One rank's model is cut short, each rank's in turn: relative paths name different files.
mkdir good bad && cp -r all1 good/model && cp -r cut bad/model && cp c.h5 c.covar.tsv good/ && cp c.h5 c.covar.tsv bad/
cat >start.sh <<'S'
#!/usr/bin/env bash
cd "$(dirname "$0")/$([ "${OMPI_COMM_WORLD_RANK:-0}" = "$BAD_RANK" ] && echo bad || echo good)" || exit 1
exec "$@"
S
chmod +x start.sh
for rank in 0 1 2; do
    BAD_RANK=$rank expect_error "a model cut short on rank $rank" 64 "model/effects.tsv.gz: " \
        "$GP_MPIEXEC" --quiet --oversubscribe -n 3 ./start.sh "$GP_DIST" predict --model model --store c.h5 --covar c.covar.tsv \
        --out "$PWD/x.tsv"
done
[ ! -e x.tsv ] || fail "something was written"

# ---- folds ----
# The store's order is the order of c.pheno.tsv.
awk -v OFS='\t' 'NR == 1 { print "FID", "IID", "fold"; next } { print $1, $2, 10 + (NR - 2) % 4 }' c.pheno.tsv >folds.tsv
"$GP_DIST" blup --quiet "${model[@]}" --fold-file folds.tsv --out file || fail "fold file"
close "fold file" 1e-12 <(cut -f 1-3,5- cv1/predictions.tsv) <(cut -f 1-3,5- file/predictions.tsv)
awk 'NR > 1 && $4 < 10 { exit 1 }' file/predictions.tsv || fail "the file's names of folds are not kept"

# refused WHAT PATTERN ARGS...: on 3 ranks; nothing may appear.
refused() {
    local what=$1 pattern=$2
    shift 2
    expect_error "$what" 64 "$pattern" ranks 3 blup "$@" --out refused
    [ ! -e refused ] || [ "$(ls refused)" = grm.h5 ] || fail "$what: something was written"
    rm -rf refused
}
grep -v "$(sed -n 12p folds.tsv)" folds.tsv >lacks.tsv
refused "a fold too few" "lacks.tsv: 1 samples with a trait have no fold" "${model[@]}" --fold-file lacks.tsv
awk -v OFS='\t' 'NR > 1 { $3 = 1 } 1' folds.tsv >one.tsv
refused "one fold" "one.tsv: all samples are in one fold" "${model[@]}" --fold-file one.tsv
awk -v OFS='\t' 'NR == 7 { $3 = 1.5 } 1' folds.tsv >half.tsv
refused "half a fold" "half.tsv:7: column 'fold': a fold is a whole number" "${model[@]}" --fold-file half.tsv
refused "one fold by option" ".*--folds" "${model[@]}" --folds 1
refused "more folds than samples" "command line: --folds: 5000 folds are more than" "${model[@]}" --folds 5000
refused "two sayings" "command line: --folds and --fold-file" "${model[@]}" --folds 3 --fold-file folds.tsv
awk -v OFS='\t' 'NR > 1 { $3 = (NR - 2) % 4 == 2 ? NR : 1.5 } 1' c.pheno.tsv >constant.tsv
refused "a constant trait in a fold" "trait 'trait1', fold 2: it is constant" --store c.h5 --pheno constant.tsv \
    --pheno-name trait1 --folds 4
refused "no pheno" "command line: blup needs --pheno" --store c.h5
refused "both forms" "command line: --standardised and --centred" "${model[@]}" --standardised --centred
refused "a form of a given matrix" "command line: --centred says how" "${model[@]}" --grm cv1/grm.h5 --centred
refused "others' traits" "others.tsv: no sample in common" --store c.h5 --pheno others.tsv
"$GP_DIST" simulate --quiet --samples 50 --variants 100 --chromosomes 1 --traits 1 --seed 3 --out few || fail simulate
refused "a text matrix of others" "g/grm.txt: 300 rows without sample ids, and the store has 50" --store few.h5 --pheno few.pheno.tsv \
    --grm g/grm.txt

# A matrix that lacks samples: they are left out, with a warning.
head -200 c.pheno.tsv | cut -f 1,2 >keep.txt
"$GP_DIST" grm --quiet --store c.h5 --centred --keep keep.txt --out part || fail "part of the samples"
"$GP_DIST" blup "${model[@]}" --grm part/grm.h5 --out part.all 2>err.log || fail "matrix of a part"
grep -q "warning: part/grm.h5: 101 of 300 samples are not in it" err.log || fail "matrix of a part: $(cat err.log)"

# ---- before anything is done ----
ranks 2 blup --quiet "${model[@]}" --folds 4 --dry-run --out dry >dry.txt || fail "dry run"
[ "$(grep -c "^memory: about\|^model: " dry.txt)" = 4 ] || fail "dry run: $(cat dry.txt)"
[ ! -e dry ] || fail "a dry run writes"
ranks 2 blup "${model[@]}" --folds 4 --out wet 2>err.log || fail "after the dry run"
sanitized ||
    awk '/^memory:/ { told = $3 } /largest rank [0-9.]+ MB/ { sub(/.*largest rank /, ""); took = $1 + 0 }
         END { print "memory: " told " MB were told, " took " MB taken"; exit !(took > 0 && took <= told && told < 2 * took + 60) }' \
        dry.txt err.log || fail "memory is told wrongly"
# ---- what an earlier run left is not taken for this one's ----
"$GP_DIST" blup --quiet --store full.h5 --pheno full.pheno.tsv --out stale || fail "a model"
[ -s stale/effects.tsv.gz ] || fail "a model: no effects"
"$GP_DIST" blup --quiet --store full.h5 --pheno full.pheno.tsv --folds 3 --out stale || fail "folds in the same folder"
[ ! -e stale/effects.tsv.gz ] && [ ! -e stale/model.tsv ] && [ -s stale/metrics.tsv ] || fail "an older model was left: $(ls stale)"

# ---- covariates that add nothing are named; a trait with too few samples is skipped ----
awk 'NR == 1 { print $1, $2, "one", "twice"; next } { print $1, $2, 1, NR }' full.pheno.tsv >odd.covar
awk -v OFS='\t' 'NR == 1 { print $0, "few" } NR > 1 { print $0, (NR < 5 ? NR : "NA") }' full.pheno.tsv >odd.pheno
"$GP_DIST" blup --quiet --store full.h5 --pheno odd.pheno --covar odd.covar --out odd 2>odd.log || fail "odd covariates: $(cat odd.log)"
grep -q "covariate 'one' is dropped" odd.log || fail "no word of covariate 'one'"
grep -q "trait 'few' is skipped: too few" odd.log || fail "no word of trait 'few'"
finish
