#!/usr/bin/env bash
# merge: tables joined as an independent program joins them; summaries; the same bytes on any ranks and threads; wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 300 --variants 5000 --chromosomes 2 --traits 3 --binary 1 --prevalence 0.4 --causal 10 \
    --missing-rate 0.01 --seed 5 --out c || fail simulate
"$GP_DIST" assoc --quiet --store c.h5 --pheno c.pheno.tsv --maf 0.02 --ci 0.95 --out assoc || fail assoc
# Networks of fewer variants than the tables have lines: one of a trait, one of two.
network() {
    "$GP_DIST" train --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name "$2" --maf "$3" --folds 0 --networks 1 --layers 1 \
        --channels 16 --heads 1 --epochs 1 --out "m$1" || fail "train $2"
    "$GP_DIST" explain --quiet --model "m$1" --store c.h5 --out "a$1.tsv.gz" || fail "explain $2"
}
network 1 trait1 0.05
network 2 trait2,trait3 0.1

check() {
    python3 "$GP_SOURCE/tests/support/merged.py" "$@" || fail "$*"
}
"$GP_DIST" merge --quiet --threads 1 --store c.h5 --assoc assoc --attribution a1.tsv.gz,a2.tsv.gz --clump-p 1e-3 --out one || fail merge
check trait1 assoc/trait1.tsv.gz one/trait1.tsv.gz one/trait1.summary.json a1.tsv.gz
check trait2 assoc/trait2.tsv.gz one/trait2.tsv.gz one/trait2.summary.json a2.tsv.gz
check trait3 assoc/trait3.tsv.gz one/trait3.tsv.gz one/trait3.summary.json a2.tsv.gz
[ "$(find one -type f | wc -l)" = 15 ] || fail "files: $(ls -A one)"
for trait in trait1 trait2 trait3; do
    [ "$(md5sum <one/$trait.tsv.gz | cut -c 1-32)" = "$(sed -n 's/^data_file_md5sum: "\(.*\)"/\1/p' one/$trait.tsv.gz-meta.yaml)" ] ||
        fail "$trait: MD5"
    # All but the sum and a note is as assoc wrote it.
    diff <(grep -v md5sum assoc/$trait.tsv.gz-meta.yaml | sed 's/"$//') \
        <(grep -v md5sum one/$trait.tsv.gz-meta.yaml | sed 's/; attribution: .*"$/"/; s/"$//') >&2 || fail "$trait: metadata"
    [ "$(head -1 one/$trait.hits.tsv | cut -f 1-4 | tr '\t' ' ')" = "hit chromosome base_pair_location id" ] || fail "$trait: hits"
done
if command -v tabix >/dev/null; then
    tabix one/trait3.tsv.gz 2:100000000-120000000 >region.txt
    zcat one/trait3.tsv.gz | awk -F '\t' '$1 == "2" && $2 >= 100000000 && $2 <= 120000000' | cmp -s - region.txt && [ -s region.txt ] ||
        fail "index"
fi

# ---- ranks and threads ----
for n in 2 3 4; do
    ranks $n merge --quiet --threads $((n - 1)) --store c.h5 --assoc assoc --attribution a1.tsv.gz,a2.tsv.gz --clump-p 1e-3 --out "r$n" ||
        fail "$n ranks"
    diff -r one "r$n" >&2 || fail "$n ranks: other bytes"
done

# ---- without attributions; some traits; again over what is there ----
"$GP_DIST" merge --quiet --store c.h5 --assoc assoc --trait trait3 --out some || fail "a trait alone"
check trait3 assoc/trait3.tsv.gz some/trait3.tsv.gz some/trait3.summary.json
[ "$(ls -A some | tr '\n' ' ')" = "trait3.hits.tsv trait3.summary.json trait3.tsv.gz trait3.tsv.gz-meta.yaml trait3.tsv.gz.tbi " ] ||
    fail "a trait alone: $(ls -A some)"
ranks 2 merge --store c.h5 --assoc assoc --trait trait1,trait2 --attribution a1.tsv.gz --clump-p 1e-3 --out some 2>err.log || fail "two traits"
grep -q "trait trait2: none of the tables of attribution tells of it" err.log || fail "two traits: $(cat err.log)"
diff some/trait1.tsv.gz one/trait1.tsv.gz || fail "two traits: other bytes"
check trait2 assoc/trait2.tsv.gz some/trait2.tsv.gz some/trait2.summary.json

# ---- no numbers, no lines ----
head -8 c.pheno.tsv | cut -f 1,2 >few.txt
"$GP_DIST" assoc --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 --keep few.txt --out all || fail "few samples"
zcat all/trait1.tsv.gz | awk -F '\t' '$13 == "CONSTANT" { print $10 }' >constant.txt
"$GP_DIST" assoc --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 --keep few.txt --extract constant.txt --out none || fail none
ranks 3 merge --quiet --store c.h5 --assoc none --attribution a1.tsv.gz --out merged_none || fail "no numbers"
check trait1 none/trait1.tsv.gz merged_none/trait1.tsv.gz merged_none/trait1.summary.json a1.tsv.gz
grep -q '"lambda_gc":null' merged_none/trait1.summary.json || fail "no numbers: $(head -c 300 merged_none/trait1.summary.json)"
"$GP_DIST" assoc --quiet --store c.h5 --pheno c.pheno.tsv --pheno-name trait1 --mac 1000000 --out empty 2>/dev/null || fail empty
ranks 3 merge --quiet --store c.h5 --assoc empty --attribution a1.tsv.gz --out merged_empty || fail "no lines"
check trait1 empty/trait1.tsv.gz merged_empty/trait1.tsv.gz merged_empty/trait1.summary.json a1.tsv.gz

# ---- wrong input ----
merge() {
    ranks 2 merge --store c.h5 --out out "$@"
}
expect_error "no store" 64 "command line: merge needs --store" ranks 2 merge --assoc assoc --out out
expect_error "no tables" 64 "command line: merge needs --assoc" merge
expect_error "no directory" 64 "nowhere: cannot be opened" merge --assoc nowhere
mkdir nothing
expect_error "no table" 64 "nothing: holds no table" merge --assoc nothing
expect_error "no such trait" 64 "assoc/height.tsv.gz: cannot be opened" merge --assoc assoc --trait trait1,height
expect_error "a trait twice" 64 "assoc/trait1.tsv.gz: is of trait trait1, which is merged already" merge --assoc assoc --trait trait1,trait1
expect_error "the same directory" 64 "command line: --out assoc/.: is the directory" ranks 2 merge --store c.h5 --assoc assoc --out assoc/.
expect_error "merged already" 64 "one/trait1.tsv.gz: has a column attribution" merge --assoc one
"$GP_DIST" simulate --quiet --samples 300 --variants 5000 --chromosomes 2 --traits 1 --seed 6 --out other || fail simulate
expect_error "another store" 64 "assoc/trait1.tsv.gz: is of other genotypes than other.h5" ranks 2 merge --store other.h5 --assoc assoc --out out
expect_error "no attribution" 64 "x.tsv.gz: cannot be opened" merge --assoc assoc --attribution x.tsv.gz
expect_error "no attribution of the trait" 64 "a2.tsv.gz: tells of none of the traits that are merged, but of trait2" \
    merge --assoc assoc --trait trait1 --attribution a1.tsv.gz,a2.tsv.gz
cp a1.tsv.gz again.tsv.gz && cp a1.tsv.gz.tbi again.tsv.gz.tbi
expect_error "a trait in two tables" 64 "again.tsv.gz: tells of trait trait1, as a1.tsv.gz does" \
    merge --assoc assoc --attribution a1.tsv.gz,again.tsv.gz
cp a1.tsv.gz bare.tsv.gz
expect_error "no index" 64 "bare.tsv.gz: has no index" merge --assoc assoc --attribution bare.tsv.gz
expect_error "no attributions" 64 "assoc/trait1.tsv.gz: has no column trait" merge --assoc assoc --attribution assoc/trait1.tsv.gz
"$GP_DIST" explain --quiet --method attention --model m1 --store c.h5 --out rollout.tsv.gz || fail rollout
expect_error "rollout" 64 "rollout.tsv.gz: does not tell of traits" merge --assoc assoc --attribution rollout.tsv.gz

# damaged NAME PATTERN: the copy of assoc's tables in bad/ is not merged.
damaged() {
    expect_error "$1" 64 "$2" merge --assoc bad
    rm -rf bad
    cp -r assoc bad
}
cp -r assoc bad
rm bad/trait2.tsv.gz-meta.yaml && expect_error "no metadata" 64 "bad/trait2.tsv.gz-meta.yaml: " merge --assoc bad --trait trait2
sed -i 's/genotypes: MD5/genotype/' bad/trait1.tsv.gz-meta.yaml && damaged "other metadata" "bad/trait1.tsv.gz-meta.yaml: does not tell"
rm bad/trait2.tsv.gz.tbi && damaged "no index" "bad/trait2.tsv.gz: has no index"
cp bad/trait1.tsv.gz.tbi bad/trait2.tsv.gz.tbi && damaged "another table's index" "bad/trait2.tsv.gz: "
truncate -s -100 bad/trait2.tsv.gz && damaged "cut short" "bad/trait2.tsv.gz: cannot be read"
printf '\x5a\xa5\x5a' | dd of=bad/trait3.tsv.gz bs=1 seek=100000 conv=notrunc status=none
damaged "flipped bytes" "bad/trait3.tsv.gz: cannot be read"
sed -i 's/variants: [0-9]*/variants: 17/' bad/trait1.tsv.gz-meta.yaml && damaged "lines are missing" "bad/trait1.tsv.gz: [0-9]* lines"
[ ! -e out ] || fail "something was written: $(ls -A out)"

# One rank cannot read a table, each in turn.
cat >start.sh <<'S'
#!/usr/bin/env bash
[ "${OMPI_COMM_WORLD_RANK:-0}" = "$BAD_RANK" ] && cd away
exec "$@"
S
chmod +x start.sh
mkdir away && cp c.h5 away && cp -r assoc away/assoc && truncate -s 2000 away/assoc/trait2.tsv.gz
for rank in 0 1 2; do
    BAD_RANK=$rank expect_error "rank $rank cannot read" 64 "assoc/trait2.tsv.gz: cannot be read" \
        "$GP_MPIEXEC" --quiet --oversubscribe -n 3 ./start.sh "$GP_DIST" merge --store c.h5 --assoc assoc --out "$PWD/out"
done
[ ! -e out ] || fail "something was written: $(ls -A out)"
finish
