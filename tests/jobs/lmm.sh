#!/usr/bin/env bash
# assoc --model lmm: the same numbers on any ranks and shards, chromosomes left out, the fixed form, and wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 400 --variants 1500 --chromosomes 3 --traits 2 --heritability 0.5 --seed 7 --missing-rate 0.01 \
    --missing-pheno 0.05 --plink --out c || fail simulate

# close WHAT TOLERANCE A B: two tables with the same lines; numbers agree to the tolerance, relative to the larger; beta (column 5)
# also to its standard error, statistic and -log10 p to 1.
close_tables() {
    paste <(zcat -f "$3") <(zcat -f "$4") | awk -v what="$1" -v tolerance="$2" '
        function abs(x) { return x < 0 ? -x : x }
        function is_number(x) { return x ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ }
        {
            half = NF / 2
            for (k = 1; k <= half; k++) {
                a = $k; b = $(k + half)
                if (a == b) continue
                size = abs(a) > abs(b) ? abs(a) : abs(b)
                if (half == 13 && (k == 5 || k == 11 || k == 12)) size += k == 5 ? $6 : 1
                if (!is_number(a) || !is_number(b) || abs(a - b) > tolerance * size) {
                    if (errors++ < 3) print "FAIL: " what ": line " NR ", column " k ": " a ", " b
                }
            }
        }
        END { exit errors > 0 || NR < 2 }' || fail "$1"
}

lmm() {
    "$GP_DIST" assoc --quiet --model lmm --store c.h5 --pheno c.pheno.tsv "$@"
}

# ---- ranks and shards ----
"$GP_DIST" grm --quiet --store c.h5 --maf 0.01 --geno 0.05 --loco --out g || fail grm
lmm --grm g/grm.h5 --out n1 || fail "one rank"
for n in 2 3 4; do
    ranks $n assoc --quiet --model lmm --store c.h5 --pheno c.pheno.tsv --grm g/grm.h5 --out n$n || fail "$n ranks"
    for file in trait1.tsv.gz trait2.tsv.gz variance.tsv; do
        close_tables "$n ranks, $file" 1e-8 n1/$file n$n/$file
    done
done
ranks 4 assoc --quiet --model lmm --store c.h5 --pheno c.pheno.tsv --grm g/grm.h5 --sample-shards 2 --out s2 || fail "2 shards"
close_tables "2 shards" 1e-8 n1/trait1.tsv.gz s2/trait1.tsv.gz
[ "$(zcat n1/trait1.tsv.gz | wc -l)" = 1501 ] || fail "not every variant has a line"
tabix -l n1/trait1.tsv.gz | tr '\n' ' ' | grep -q "^1 2 3 $" || fail "the index names other chromosomes"
[ "$(wc -l <n1/variance.tsv)" = 7 ] || fail "variance.tsv has not a line for each trait and chromosome"
grep -q '^model\|linear mixed' n1/trait1.tsv.gz-meta.yaml || fail "the metadata do not name the model"

# ---- the matrix that is made without --grm is the same ----
lmm --out made || fail "made matrix"
same "made matrix" made/grm.h5 g/grm.h5
same "made matrix, results" made/trait1.tsv.gz n1/trait1.tsv.gz

# ---- and stays: taken again, and never replaced by another ----
touch -d '1 hour ago' made/grm.h5
lmm --out made || fail "made matrix again"
[ -n "$(find made/grm.h5 -mmin +30)" ] || fail "the matrix was made a second time"
"$GP_DIST" grm --quiet --store c.h5 --centred --out own || fail "own matrix"
cp own/grm.h5 own.h5
expect_error "another matrix is there" 64 "own/grm.h5: is there already, and not the matrix" lmm --out own
same "own matrix" own/grm.h5 own.h5

# ---- ranks off the grid, and without a group ----
ranks 5 assoc --quiet --model lmm --store c.h5 --pheno c.pheno.tsv --sample-shards 2 --out n5 2>n5.log || fail "5 ranks, 2 shards"
close_tables "5 ranks, 2 shards" 1e-8 n1/trait1.tsv.gz n5/trait1.tsv.gz

# ---- leaving a chromosome out is a matrix of the others ----
"$GP_DIST" grm --quiet --store c.h5 --maf 0.01 --geno 0.05 --chr 2,3 --out g23 || fail "grm of 2 chromosomes"
lmm --chr 1 --no-loco --grm g23/grm.h5 --out loco1 || fail "chromosome 1"
zcat n1/trait1.tsv.gz | awk 'NR == 1 || $1 == 1' >first.tsv
close_tables "chromosome 1 left out" 1e-5 first.tsv loco1/trait1.tsv.gz

# ---- fixed ratios: those of the null model, near the exact results ----
lmm --lmm fixed --no-loco --grm g/grm.h5 --out fixed || fail fixed
lmm --no-loco --grm g/grm.h5 --out exact || fail exact
same "null models" fixed/variance.tsv exact/variance.tsv
close_tables "fixed and exact" 0.5 fixed/trait1.tsv.gz exact/trait1.tsv.gz

# ---- no relatedness: a constant diagonal is linear regression ----
awk '{ for (i = 1; i <= 400; i++) printf "%s%d", (i > 1 ? "\t" : ""), (i == NR); print "" }' c.fam >unit.txt
awk 'NR == 1 { print; next } { print $1, $2, 3 + ($3 == "NA" ? 0 : $3), $4 }' OFS='\t' c.pheno.tsv >full.pheno
lmm --no-loco --grm unit.txt --pheno-name trait1 --out unit 2>unit.log || fail "unit matrix"
"$GP_DIST" assoc --quiet --model linear --missing mean --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 --out linear || fail linear
close_tables "unit matrix and linear regression" 1e-5 unit/trait1.tsv.gz linear/trait1.tsv.gz

# ---- a dry run ----
lmm --dry-run >plan.txt || fail "dry run"
grep -q '^memory: about' plan.txt || fail "the dry run tells no memory"
"$GP_DIST" simulate --quiet --samples 2500 --variants 3000 --traits 1 --missing-rate 0 --missing-pheno 0 --seed 3 --out big || fail simulate
for n in 1 4; do
    told=$(ranks $n assoc --model lmm --store big.h5 --pheno big.pheno.tsv --no-loco --threads 1 --dry-run 2>/dev/null |
        sed -n 's/^memory: about \([0-9.e+]*\) MB.*/\1/p')
    took=$(ranks $n assoc --model lmm --store big.h5 --pheno big.pheno.tsv --no-loco --threads 1 --out big$n 2>&1 |
        sed -n 's/.*largest rank \([0-9.]*\) MB.*/\1/p')
    echo "memory of $n ranks: told $told MB, taken $took MB"
    sanitized || awk -v told="$told" -v took="$took" 'BEGIN { exit !(took > 0 && took <= told * 1.1 && took > told / 2) }' ||
        fail "memory of $n ranks: told $told MB, taken $took MB"
done

# ---- one autosome and X: nothing to leave out ----
"$GP_DIST" simulate --quiet --samples 200 --variants 300 --chromosomes 2 --traits 1 --missing-pheno 0 --seed 4 --plink --out ax || fail simulate
sed -i 's/^2\t/X\t/' ax.bim
"$GP_DIST" import --quiet --bfile ax --out ax.h5 || fail import
"$GP_DIST" assoc --quiet --model lmm --store ax.h5 --pheno ax.pheno.tsv --out ax || fail "an autosome and X"
[ "$(zcat ax/trait1.tsv.gz | wc -l)" = 301 ] || fail "an autosome and X: not every variant has a line"

# ---- wrong input ----
expect_error "nothing left" 64 ".*no variant is left without chromosome 1" \
    "$GP_DIST" assoc --model lmm --loco --store ax.h5 --pheno ax.pheno.tsv --out axl
expect_error "--missing exact" 64 "command line: a mixed model cannot leave samples out" lmm --missing exact --out x
expect_error "both" 64 "command line: --loco and --no-loco exclude" lmm --loco --no-loco --out x
expect_error "--grm without lmm" 64 "command line: --grm goes with --model lmm" \
    "$GP_DIST" assoc --model linear --store c.h5 --pheno c.pheno.tsv --grm g/grm.h5 --out x
expect_error "no matrices by chromosome" 64 "unit.txt: holds no matrices by chromosome" lmm --grm unit.txt --out x
expect_error "no file" 64 "nothing.h5: " lmm --grm nothing.h5 --out x
head -n 399 unit.txt >short.txt
expect_error "a row too few" 64 "short.txt" lmm --no-loco --grm short.txt --out x
awk '{ for (i = 1; i <= 400; i++) printf "%s%d", (i > 1 ? "\t" : ""), (i == NR) * (i % 2 ? 1 : -1); print "" }' c.fam >negative.txt
expect_error "not positive semi-definite" 64 ".*not positive semi-definite" lmm --no-loco --grm negative.txt --out x
sed '5s/1/nan/' unit.txt >nan.txt
expect_error "not a number" 64 "nan.txt" lmm --no-loco --grm nan.txt --out x
finish
