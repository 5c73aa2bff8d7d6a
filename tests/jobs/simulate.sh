#!/usr/bin/env bash
# gp-dist simulate: same bytes for a seed on any number of ranks and threads, tables that fit the options, truth that
# fits the traits, errors and signals that leave nothing behind.
. "$GP_SOURCE/tests/support/lib.sh"

small=(--samples 500 --variants 2000 --chromosomes 4 --causal 20 --traits 3 --binary 1 --prevalence 0.2 --plink)
kinds="h5 pheno.tsv covar.tsv truth.tsv bed bim fam"

# ---- the same bytes ----
"$GP_DIST" simulate "${small[@]}" --out one --quiet || fail "one rank: status $?"
ranks 3 simulate "${small[@]}" --out three --quiet || fail "three ranks: status $?"
OMP_NUM_THREADS=4 "$GP_DIST" simulate "${small[@]}" --out threads --quiet || fail "four threads: status $?"
"$GP_DIST" simulate "${small[@]}" --seed 2 --out other --quiet || fail "another seed: status $?"
for kind in $kinds; do
    [ -s one.$kind ] || fail "one.$kind is missing or empty"
    same "three ranks" one.$kind three.$kind
    same "four threads" one.$kind threads.$kind
    [ $kind = fam ] || ! cmp -s one.$kind other.$kind || fail "another seed, the same $kind"
done
[ "$(find . -name '*.tmp*' | wc -l)" = 0 ] || fail "temporary files are left: $(ls)"

# ---- tables ----
[ "$(head -n 1 one.pheno.tsv)" = "$(printf 'FID\tIID\ttrait1\ttrait2\ttrait3')" ] || fail "header of pheno.tsv"
[ "$(head -n 1 one.covar.tsv)" = "$(printf 'FID\tIID\tage\tsex\texposure\tbatch')" ] || fail "header of covar.tsv"
[ "$(wc -l <one.pheno.tsv) $(wc -l <one.covar.tsv) $(wc -l <one.fam) $(wc -l <one.bim)" = "501 501 500 2000" ] ||
    fail "numbers of lines"
[ "$(stat -c %s one.bed)" = $((3 + 2000 * 125)) ] || fail "size of the .bed"
[ "$(cut -f 2 one.bim | sort -u | wc -l)" = 2000 ] || fail "variant ids are not unique"
awk '$1 < c || ($1 == c && $4 <= p) || $5 == $6 { exit 1 } { c = $1; p = $4 }' one.bim || fail "order or alleles of .bim"
# 2% of 1,500 values are missing: 30 +- 4 standard errors.
awk 'NR > 1 { for (k = 3; k <= 5; k++) na += $k == "NA" } END { exit !(na > 8 && na < 52) }' one.pheno.tsv ||
    fail "missing values of traits"
# 100 of 500 are cases, less those whose value is missing.
awk 'NR > 1 && $5 != "NA" { n++; cases += $5 } END { exit !(cases / n > 0.18 && cases / n < 0.22) }' one.pheno.tsv ||
    fail "prevalence of the binary trait"
awk '$3 != 0 { n++; if (!sex[$3] || sex[$3] != 1 || sex[$4] != 2) bad = 1 } { sex[$2] = $5 }
    END { exit !(n == 50 && !bad) }' one.fam || fail "families of the .fam"
for trait in trait1 trait2 trait3; do
    [ "$(grep -c "^$trait	additive	" one.truth.tsv) $(grep -c "^$trait	dominance	" one.truth.tsv) $(
        grep -c "^$trait	epistasis	" one.truth.tsv)" = "20 20 10" ] || fail "effects of $trait in truth.tsv"
done
awk -F '\t' 'NR == FNR { at[$2] = $1 " " $4 " " $5; next } FNR > 1 && at[$5] != $3 " " $4 " " $6 { exit 1 }' \
    one.bim one.truth.tsv || fail "variants of truth.tsv are not those of the .bim"

# ---- the store holds what the .bed holds ----
if "$GP_DIST" info --help >/dev/null 2>&1; then
    "$GP_DIST" info --verify one.h5 >verified.txt || fail "info --verify of the store: $(tail -n 1 verified.txt)"
fi
if command -v plink2 >/dev/null; then
    # The trait on the score of its additive effects: slope 1, but for noise (standard error about 0.06).
    plink2 --bfile one --score <(awk -F '\t' '$1 == "trait1" && $2 == "additive" { print $5, $6, $7 }' one.truth.tsv) \
        cols=scoresums --out score >score.txt || fail "plink2: $(tail -n 3 score.txt)"
    awk 'NR == FNR { if (FNR > 1) y[$2] = $3; next }
        FNR > 1 && y[$1] != "NA" { n++; s += $2; t += y[$1]; ss += $2 * $2; st += $2 * y[$1] }
        END { slope = (st - s * t / n) / (ss - s * s / n); print slope; exit !(slope > 0.75 && slope < 1.25) }' \
        one.pheno.tsv score.sscore >slope.txt || fail "slope of trait1 on its truth: $(cat slope.txt)"
fi

# ---- options that do not fit ----
mkdir bad && cd bad || exit 1
expect_error "no --out" 64 "command line: --out PREFIX is missing" "$GP_DIST" simulate --samples 10
expect_error "shares" 64 "simulate: heritability, dominance and epistasis add up to 1.1;" \
    ranks 3 simulate --heritability 1 --out x
expect_error "too few variants" 64 "simulate: 10 variants on 22 chromosomes" ranks 3 simulate --variants 10 --out x
expect_error "too many causes" 64 "command line: --causal 50 is more than --variants 30" \
    "$GP_DIST" simulate --variants 30 --causal 50 --out x
expect_error "no folder" 64 "none/?: " ranks 3 simulate --out none/x
expect_error "a folder as prefix" 64 "./: --out wants" "$GP_DIST" simulate --out ./
rm -f out.log err.log
[ -z "$(ls)" ] || fail "something was written in spite of an error: $(ls)"
"$GP_DIST" simulate --dry-run --samples 20000 --variants 50000 >plan.txt 2>/dev/null || fail "dry run: status $?"
grep -q '^store	about 26[0-9].* MB' plan.txt || fail "predicted size: $(grep store plan.txt)"
rm plan.txt

# ---- a signal ----
"$GP_DIST" simulate --samples 20000 --variants 2000000 --out x --plink 2>../signal.log &
for _ in $(seq 100); do
    [ -s x.bed.tmp ] && break
    sleep 0.1
done
kill -TERM $!
wait $!
status=$?
[ $status = 75 ] || fail "stopped by a signal: status $status, not 75"
grep -q '^gp-dist: error: simulate: stopped by a signal; nothing was written' ../signal.log || fail "line after a signal"
[ -z "$(ls)" ] || fail "a signal left $(ls)"
finish
