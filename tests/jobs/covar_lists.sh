#!/usr/bin/env bash
# --covar with several tables: the bytes of one table that has all of them, for every command that reads covariates.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 300 --variants 1200 --chromosomes 2 --traits 2 --binary 1 --missing-rate 0.01 \
    --missing-pheno 0.02 --seed 31 --out c || fail simulate
"$GP_DIST" pca --quiet --store c.h5 --components 3 --approx --out pca || fail pca
e=pca/pca.eigenvec
head -1 $e | grep -q "^#FID	IID	PC1" || fail "not PLINK 2's header: $(head -1 $e)"
# By hand: the components behind the covariates of the same sample.
awk -v OFS='\t' 'NR == FNR { pc[$1 "\t" $2] = $3 OFS $4 OFS $5; next } FNR == 1 { print $0, "PC1", "PC2", "PC3"; next }
    { print $0, pc[$1 "\t" $2] }' $e c.covar.tsv >all.tsv

# assoc OUT ARGS...
assoc() {
    local out=$1
    shift
    rm -rf "$out"
    "$GP_DIST" assoc --store c.h5 --pheno c.pheno.tsv --out "$out" "$@" 2>assoc.log || fail "assoc $*: $(head -c 300 assoc.log)"
}

assoc one --covar all.tsv --cat-covar-name batch
assoc out --covar c.covar.tsv,$e --cat-covar-name batch
diff -r one out >/dev/null || fail "two tables: other bytes"
grep -q "c.covar.tsv: 300 samples" assoc.log && grep -q "$e: 300 samples" assoc.log || fail "notes: $(cat assoc.log)"
rm -rf out
ranks 3 assoc --quiet --store c.h5 --pheno c.pheno.tsv --covar c.covar.tsv,$e --cat-covar-name batch --sample-shards 2 --out out || fail "3 ranks"
diff -r one out >/dev/null || fail "two tables, 3 ranks: other bytes"
# Another order of people, gzip, some that are elsewhere, by IID alone.
{ head -1 $e | cut -f 2-; tail -n +2 $e | cut -f 2- | sort -r; printf 'nobody\t1\t1\t1\n'; } | sed '1s/^/#/' | gzip >e.tsv.gz
assoc out --covar c.covar.tsv,e.tsv.gz --cat-covar-name batch
diff -r one out >/dev/null || fail "another order: other bytes"
# Names are picked over all.
assoc one --covar all.tsv --covar-name age,PC3 --cat-covar-name batch
assoc out --covar $e,c.covar.tsv --covar-name PC3,age --cat-covar-name batch
grep -q "PC3" out/trait1.tsv.gz-meta.yaml && ! grep -q "PC1" out/trait1.tsv.gz-meta.yaml || fail "metadata: $(cat out/trait1.tsv.gz-meta.yaml)"
paste <(zcat one/trait1.tsv.gz) <(zcat out/trait1.tsv.gz) | awk -F '\t' '
    function abs(x) { return x < 0 ? -x : x }
    NR > 1 && ($6 != "#NA") && (abs($5 - $18) > 1e-8 * $6 || abs($6 - $19) > 1e-8 * $6) { bad++ } # the basis is rounded in another order
    END { exit bad > 0 || NR != 1201 }' || fail "names over two tables"
# Who lacks a covariate of any table is left out.
awk 'NR != 7 && NR != 9' $e | awk -v OFS='\t' 'NR == 20 { $4 = "NA" } 1' >lack.tsv
assoc out --covar c.covar.tsv,lack.tsv --cat-covar-name batch
grep -q "^samples left out: a covariate is missing	3$" out/filters.tsv || fail "who lacks a component: $(cat out/filters.tsv)"

refuse() {
    expect_error "$1" 64 "$2" ranks 2 assoc --quiet --store c.h5 --pheno c.pheno.tsv --out refused "${@:3}"
    [ ! -e refused ] || fail "$1: something was written"
}
refuse "a name in two tables" "all.tsv:1: column '.*' stands in c.covar.tsv too" --covar c.covar.tsv,all.tsv \
    --cat-covar-name batch
refuse "a table twice" "command line: --covar: 'c.covar.tsv' is named twice" --covar c.covar.tsv,c.covar.tsv
refuse "an empty name" "command line: --covar: an empty name" --covar ,c.covar.tsv
refuse "a table that is not there" "nowhere.tsv: cannot be opened" --covar c.covar.tsv,nowhere.tsv
refuse "a name in none" "--covar-name: 'PC9' is no column of c.covar.tsv,$e; it has .*PC3" --covar c.covar.tsv,$e --covar-name PC9
sed '1!s/^/x/; 1!s/\t/\tx/' $e >others.tsv
refuse "other people" "others.tsv: no sample in common" --covar c.covar.tsv,others.tsv --cat-covar-name batch
sed '3s/\t[^\t]*$/\tmany/' $e >word.tsv
refuse "a word in the second table" "word.tsv:3: column 'PC3': 'many'" --covar c.covar.tsv,word.tsv --cat-covar-name batch

# ---- other commands ----
blup() {
    rm -rf "$1"
    "$GP_DIST" blup --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 --covar "$2" --cat-covar-name batch --out "$1" 2>log ||
        fail "blup: $(head -c 300 log)"
}
blup b1 all.tsv
blup b2 "c.covar.tsv,$e"
diff -r b1 b2 >/dev/null || fail "blup: other bytes"
for n in 1 3; do
    ranks $n predict --quiet --model b1 --store c.h5 --covar all.tsv --out p1.tsv || fail "predict, $n ranks"
    ranks $n predict --quiet --model b1 --store c.h5 --covar "$e,c.covar.tsv" --out p2.tsv || fail "predict, two tables, $n ranks"
    same "predict, $n ranks" p1.tsv p2.tsv
done
expect_error "predict without a table" 64 "c.covar.tsv: has no column for the model's covariate 'PC1'" \
    ranks 2 predict --quiet --model b1 --store c.h5 --covar c.covar.tsv --out p3.tsv
expect_error "predict with a name twice" 64 "all.tsv:1: column '.*' stands in $e too" \
    ranks 2 predict --quiet --model b1 --store c.h5 --covar "$e,all.tsv" --out p3.tsv
finish
