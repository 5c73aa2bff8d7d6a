#!/usr/bin/env bash
# assoc --offset of quantitative traits, beside binary ones: the numbers of the trait less its offset, chromosome by chromosome; the same
# bytes on any ranks, shards and threads, alone and among others; several tables; wrong options. And what was left out: filters.tsv.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 400 --variants 1500 --chromosomes 3 --traits 4 --binary 1 --prevalence 0.3 --missing-rate 0.02 \
    --missing-pheno 0 --seed 7 --out c || fail simulate
# a and b have everybody, c and d lack the same, e and ill others.
awk -v OFS='\t' 'NR == 1 { print $1, $2, "a", "b", "c", "d", "e", "ill"; next }
    { gone = NR % 11 == 3; print $1, $2, $3, $4, (gone ? "NA" : $5), (gone ? "NA" : $3 - $5), (NR % 13 == 5 ? "NA" : $4 + $5), (NR % 17 == 2 ? "NA" : $6) }' \
    c.pheno.tsv >p.tsv
# Offsets: another part of the traits and of noise for each chromosome; one column for all of b.
awk -v OFS='\t' 'NR == 1 { print "IID", "a@1", "a@chr2", "a@03", "b", "c@1", "c@2", "c@3", "c", "ill@1", "ill@2", "ill@3", "note"; next }
    { x = NR * 7919 % 1009 / 500 - 1; y = NR * 104729 % 997 / 500 - 1
      print $2, $3 / 2 + x, $3 / 4 - x, y, $4 / 3 + y, x, x - y, $3, "NA", x / 2, y / 2, 0.5, "none" }' c.pheno.tsv >off.tsv
gzip -k off.tsv
of=(--quiet --store c.h5 --covar c.covar.tsv --cat-covar-name batch --pheno p.tsv)

# assoc OUT ARGS...: one rank.
assoc() {
    local out=$1
    shift
    rm -rf "$out"
    "$GP_DIST" assoc "${of[@]}" --out "$out" "$@" 2>assoc.log || fail "assoc $*: $(head -c 300 assoc.log)"
}

# table DIR TRAIT [CHROMOSOME]: its lines without the header.
table() {
    zcat "$1/$2.tsv.gz" | awk -F '\t' -v only="${3:-}" 'NR > 1 && (only == "" || $1 == only)'
}

# column NAME: of off.tsv, counted from 1.
column() {
    head -1 off.tsv | tr '\t' '\n' | grep -nx "$1" | cut -d: -f1
}

# less OUT TRAIT COLUMN: a table of the trait less a column of off.tsv, with all digits of the difference.
less() {
    awk -F '\t' -v OFS='\t' -v t="$2" -v c="$(column "$3")" '
        NR == FNR { o[$1] = $c; next }
        FNR == 1 { for (k = 3; k <= NF; k++) if ($k == t) at = k; print $1, $2, t; next }
        { print $1, $2, $at == "NA" ? "NA" : sprintf("%.17g", $at - o[$2]) }' off.tsv p.tsv >"$1"
}

# ---- the trait less its offset ----
both=(--pheno-name "a,b,c,ill" --offset off.tsv.gz)
for missing in exact mean; do
    assoc "with-$missing" "${both[@]}" --missing $missing
    for one in 1:a:a@1 2:a:a@chr2 3:a:a@03 1:c:c@1 2:c:c@2 3:c:c@3 1:b:b 2:b:b 3:b:b; do
        IFS=: read -r chromosome trait name <<<"$one"
        less less.tsv "$trait" "$name"
        rm -rf out
        "$GP_DIST" assoc --quiet --store c.h5 --covar c.covar.tsv --cat-covar-name batch --pheno less.tsv --chr "$chromosome" --missing $missing \
            --out out 2>assoc.log || fail "$one: $(head -c 300 assoc.log)"
        # The difference is the same double either way, and so is all that follows.
        same "$trait less $name, --missing $missing" <(table "with-$missing" "$trait" "$chromosome") <(table out "$trait")
    done
done
[ "$(table with-exact a | awk -F '\t' '$13 == "OK"' | wc -l)" -gt 1400 ] || fail "few variants have a number"
assoc plain --pheno-name a,b,c,d,e,ill
cmp -s with-exact/a.tsv.gz plain/a.tsv.gz && fail "offsets change nothing"
for trait in a b c; do
    grep -q "model: linear, with offsets" "with-exact/$trait.tsv.gz-meta.yaml" ||
        fail "metadata of $trait: $(cat "with-exact/$trait.tsv.gz-meta.yaml")"
done
grep -q "model: logistic, with offsets" with-exact/ill.tsv.gz-meta.yaml || fail "metadata of ill"
grep -q "offsets" plain/a.tsv.gz-meta.yaml && fail "metadata speak of offsets where there are none"

# ---- ranks, shards, threads ----
for way in "3 --threads 1" "2 --threads 2 --sample-shards 2" "4 --sample-shards 2" "3 --sample-shards 3"; do
    read -r n options <<<"$way"
    read -r -a options <<<"$options"
    rm -rf other
    ranks "$n" assoc "${of[@]}" "${both[@]}" "${options[@]}" --out other 2>log || fail "$way: $(head -c 300 log)"
    diff -r with-exact other >/dev/null || fail "ranks $way: other bytes"
done
rm -rf other
ranks 3 assoc "${of[@]}" "${both[@]}" --missing mean --out other || fail "mean, 3 ranks"
diff -r with-mean other >/dev/null || fail "mean, 3 ranks: other bytes"

# ---- a trait alone and among others, with offsets and without ----
alone() {
    for e in "" .tbi -meta.yaml; do
        same "$1" "$2/$3.tsv.gz$e" "$4/$3.tsv.gz$e"
    done
}
for missing in exact mean; do
    assoc "plain-$missing" --missing $missing
    for trait in a b c d e ill; do
        assoc one --pheno-name $trait --missing $missing
        alone "$trait alone, --missing $missing" "plain-$missing" $trait one
    done
    for trait in a b c ill; do
        assoc one --pheno-name $trait --offset off.tsv --missing $missing
        alone "$trait with offsets alone, --missing $missing" "with-$missing" $trait one
    done
done
assoc some --offset off.tsv --offset-name ill,c
for trait in a b d e; do
    alone "--offset-name: $trait has none" plain $trait some
done
for trait in c ill; do
    alone "--offset-name: $trait has some" with-exact $trait some
done
rm -rf other
ranks 3 assoc "${of[@]}" --offset off.tsv --offset-name ill,c --sample-shards 2 --out other || fail "--offset-name, 3 ranks"
diff -r some other >/dev/null || fail "--offset-name, 3 ranks: other bytes"
assoc out --model linear --pheno-name ill --offset off.tsv
grep -q "model: linear, with offsets" out/ill.tsv.gz-meta.yaml || fail "--model linear of a binary trait"

# ---- an offset that changes nothing ----
awk -v OFS='\t' 'NR == 1 { print $1, $2, "a", "e@1", "e" } NR > 1 { print $1, $2, 12.5, -3, 0 }' p.tsv >constant.tsv
assoc out --pheno-name a,e --offset constant.tsv
for trait in a e; do
    # A sum of 400 roundings to 2^-48 moves numbers by far less than 1e-9 of themselves, or of their errors.
    paste <(table plain $trait) <(table out $trait) | awk -F '\t' '
        function abs(x) { return x < 0 ? -x : x }
        { half = NF / 2; for (k = 1; k <= half; k++) {
            if ($k == $(k + half) || k == 8) continue # p: its logarithm is compared
            size = abs($k); if (k == 5) size += $6; if (k > 10) size += 1
            if (abs($k - $(k + half)) > 2e-9 * size) bad++ } } # 9 digits are printed
        END { exit bad > 0 || NR != 1500 }' || fail "a constant offset of $trait"
done
awk -v OFS='\t' '{ print $1, $2, $3 }' p.tsv >itself.tsv
assoc out --pheno-name a --offset itself.tsv
[ "$(table out a | cut -f 13 | sort -u)" = CONSTANT ] || fail "an offset that is the trait: $(table out a | head -2)"

# ---- several tables ----
cut -f 1-3 off.tsv | gzip >first.tsv.gz                 # a@1, a@chr2
cut -f "1,$(column a@03),$(column c)" off.tsv >second.tsv # and c: another table fits better
sed 's/^IID\t/IID\tb@x\t/; 1!s/\t/\tNA\t/' off.tsv | cut -f "1,2,$(($(column b) + 1))-" >third.tsv
assoc out --pheno-name a,b,c,ill --offset first.tsv.gz,second.tsv,third.tsv
diff -r with-exact out >/dev/null || fail "three tables: other bytes"
rm -rf other
ranks 3 assoc "${of[@]}" --pheno-name a,b,c,ill --offset third.tsv,second.tsv,first.tsv.gz --sample-shards 3 --out other || fail "three tables, 3 ranks"
diff -r with-exact other >/dev/null || fail "three tables in another order: other bytes"

# ---- samples without offsets ----
awk -v OFS='\t' 'NR == 1 || NR > 30' off.tsv | awk -v OFS='\t' 'NR == 40 { $4 = "NA" } 1' >lack.tsv
rm -rf out
"$GP_DIST" assoc --store c.h5 --covar c.covar.tsv --cat-covar-name batch --pheno p.tsv --pheno-name a,b --offset lack.tsv --out out 2>assoc.log ||
    fail "samples without offsets: $(cat assoc.log)"
grep -q "lack.tsv: 30 samples with a value of trait 'a' are left out of it" assoc.log || fail "samples without offsets: $(cat assoc.log)"
grep -q "lack.tsv: 29 samples with a value of trait 'b' are left out of it" assoc.log || fail "samples without offsets: $(cat assoc.log)"
[ "$(table out a | cut -f 9 | sort -n | tail -1)" -le 370 ] && grep -q "sample_size: 370" out/a.tsv.gz-meta.yaml ||
    fail "samples without offsets are tested"

# ---- wrong options and tables ----
refuse() {
    expect_error "$1" 64 "$2" ranks 2 assoc "${of[@]}" --out refused "${@:3}"
    [ ! -e refused ] || fail "$1: something was written"
}
refuse "--model lmm" "command line: --offset does not go with --model lmm" --model lmm --offset off.tsv
refuse "--offset-name alone" "command line: --offset-name needs --offset" --offset-name a
refuse "--offset-name of no trait" "command line: --offset-name: 'x' is none of the traits" --offset off.tsv --offset-name a,x
refuse "--offset-name of a trait that is not tested" "command line: --offset-name: 'b' is none of the traits" --offset off.tsv --offset-name b --pheno-name a
refuse "--offset-name twice" "command line: --offset-name: 'a' is named twice" --offset off.tsv --offset-name a,a
refuse "an empty name" "command line: --offset: an empty name" --offset off.tsv, --pheno-name a
refuse "a table twice" "command line: --offset: 'off.tsv' is named twice" --offset off.tsv,off.tsv --pheno-name a
refuse "a trait without offsets" "off.tsv: has neither a column 'd@1' nor 'd'" --offset off.tsv --pheno-name d
refuse "a trait without offsets in two tables" "command line: --offset: the tables have neither a column 'd@1' nor 'd'" --offset first.tsv.gz,second.tsv \
    --pheno-name d
refuse "two tables for one" "command line: --offset: both off.tsv and first.tsv.gz have offsets of trait 'a' for variants of chromosome 1" \
    --offset off.tsv,first.tsv.gz --pheno-name a
refuse "a table that is not there" "nowhere.tsv: cannot be opened" --offset off.tsv,nowhere.tsv --pheno-name a
sed '5s/\t[^\t]*/\tmany/' off.tsv >word.tsv
refuse "a word" "word.tsv:5: column 'a@1': 'many'" --offset word.tsv --pheno-name a
sed '5s/\t[^\t]*/\t1e300/' off.tsv >large.tsv
refuse "too large" "large.tsv:5: column 'a@1': 1e\+300 is too large for an offset" --offset large.tsv --pheno-name a

# ---- filters.tsv ----
# filters DIR: the numbers of its lines.
filters() {
    cut -f 2 "$1/filters.tsv" | tr '\n' ' '
}
lacking=$(awk 'NR > 1 { for (k = 3; k <= NF; k++) if ($k == "NA") { n++; break } } END { print n + 0 }' c.covar.tsv)
[ "$(filters plain)" = "count 400 0 0 0 $lacking $((400 - lacking)) 1500 0 0 0 0 0 0 1500 " ] || fail "nothing filtered: $(cat plain/filters.tsv)"
[ "$(cut -f 1 plain/filters.tsv | sort | uniq -d | wc -l)" = 0 ] && [ "$(head -1 plain/filters.tsv)" = "what	count" ] || fail "filters.tsv: $(cat plain/filters.tsv)"
awk 'NR > 1 && NR <= 351 { print $1 "\t" $2 }' p.tsv >keep.txt
awk 'NR > 341 { print $1 "\t" $2 }' p.tsv >remove.txt
zcat plain/a.tsv.gz | awk -F '\t' 'NR > 1 && $1 != 2 && NR % 4 > 0 { print $10 }' >extract.txt
two=$(table plain a 2 | wc -l) extracted=$(wc -l <extract.txt)
filtered=(--pheno-name a --keep keep.txt --remove remove.txt --mind 0.03 --chr "1,3" --extract extract.txt --maf 0.1 --geno 0.03 --hwe 1e-3)
assoc out "${filtered[@]}"
read -r -a got <<<"$(filters out)"
[ "${got[1]}" = 400 ] && [ "${got[2]}" = 50 ] && [ "${got[3]}" = 10 ] && [ $((got[1] - got[2] - got[3] - got[4] - got[5])) = "${got[6]}" ] ||
    fail "samples left out: $(cat out/filters.tsv)"
[ "${got[4]}" -gt 0 ] && grep -q "sample_size: ${got[6]}" out/a.tsv.gz-meta.yaml || fail "samples kept: $(cat out/filters.tsv)"
[ "${got[7]}" = 1500 ] && [ "${got[8]}" = "$two" ] && [ "${got[13]}" = $((1500 - two - extracted)) ] &&
    [ $((got[7] - got[8] - got[9] - got[10] - got[11] - got[12] - got[13])) = "${got[14]}" ] && [ "${got[14]}" = "$(table out a | wc -l)" ] ||
    fail "variants left out: $(cat out/filters.tsv)"
for k in 9 11 12; do
    [ "${got[k]}" -gt 0 ] || fail "no variant is left out by line $k: $(cat out/filters.tsv)"
done
rm -rf other
ranks 3 assoc "${of[@]}" "${filtered[@]}" --sample-shards 3 --out other || fail "filters, 3 shards"
diff -r out other >/dev/null || fail "filters, 3 shards: other bytes"
ranks 3 assoc "${of[@]}" --pheno-name a --out other || fail "filters, again"
same "filters.tsv of a run in the same directory" plain/filters.tsv other/filters.tsv
assoc lmm --model lmm --pheno-name a,c --no-loco
same "filters.tsv of mixed models" plain/filters.tsv lmm/filters.tsv
[ "$(find . -name '*.tmp' | wc -l)" = 0 ] || fail "something unfinished was left: $(find . -name '*.tmp')"
"$GP_DIST" assoc "${of[@]}" "${both[@]}" --out other/none --dry-run >plan.txt 2>&1 && [ ! -e other/none ] || fail "dry run: $(cat plan.txt)"
finish
