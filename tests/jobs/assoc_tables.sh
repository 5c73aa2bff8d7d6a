#!/usr/bin/env bash
# Tables of assoc: however they are written, the same samples, traits and covariates give the same bytes; --missing against
# sums made here.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 300 --variants 1200 --chromosomes 2 --traits 3 --binary 1 --missing-rate 0.03 \
    --missing-pheno 0.05 --seed 21 --plink --out c || fail "simulate"
cut -f 1-4 c.pheno.tsv >two.tsv

# assoc OUT ARGS...: one rank, linear.
assoc() {
    local out=$1
    shift
    rm -rf "$out"
    "$GP_DIST" assoc --model linear --store c.h5 --out "$out" "$@" 2>assoc.log || fail "assoc $*: $(head -c 300 assoc.log)"
}

# like WHAT DIR: trait1 and trait2 as in DIR.
like() {
    same "$1" "$2/trait1.tsv.gz" out/trait1.tsv.gz
    same "$1" "$2/trait2.tsv.gz" out/trait2.tsv.gz
}

# ---- forms of a table ----
assoc base --pheno two.tsv --covar c.covar.tsv --cat-covar-name batch
grep dropped assoc.log && fail "a covariate was dropped"
[ "$(zcat base/trait1.tsv.gz | awk -F '\t' 'NR > 1 && $13 == "OK"' | wc -l)" -gt 1100 ] || fail "few variants have a number"
cut -f 2- two.tsv >iid.tsv
cut -f 2- c.covar.tsv >iid.covar.tsv
{ head -n 1 iid.tsv; tail -n +2 iid.tsv | sort -k 2; printf 'nobody\t1\t2\n'; } | sed 's/^IID/#IID/; s/$/\r/' | gzip >iid.tsv.gz
{ head -n 1 iid.covar.tsv; tail -n +2 iid.covar.tsv | sort -r -k 3; } | tr '\t' ' ' >iid.covar.txt
assoc out --pheno iid.tsv.gz --covar iid.covar.txt --cat-covar-name batch
like "by IID, in another order, gzip, CRLF, blanks" base
grep -q "iid.tsv.gz: 301 samples, 300 of them kept in the store, 1 not in it" assoc.log || fail "counts: $(cat assoc.log)"
ranks 3 assoc --quiet --model linear --store c.h5 --out out3 --pheno iid.tsv.gz --covar iid.covar.txt --cat-covar-name batch \
    --sample-shards 2 || fail "3 ranks"
diff -r out out3 || fail "3 ranks: other bytes"
sed 's/NA/-9.0/' two.tsv | awk -v OFS='\t' '{ if ($4 == "NA") $4 = "x"; print }' >codes.tsv
assoc out --pheno codes.tsv --missing-code x,-9 --covar c.covar.tsv --cat-covar-name batch
like "--missing-code" base
sed 's/NA//g; s/^FID/#FID/' two.tsv >empty.tsv
assoc out --pheno empty.tsv --covar c.covar.tsv --cat-covar-name batch
like "empty fields" base
assoc out --pheno c.pheno.tsv --pheno-name trait2,trait1 --covar c.covar.tsv --covar-name sex,exposure,age --cat-covar-name batch
like "columns named" base
[ ! -e out/trait3.tsv.gz ] || fail "a trait that was not named was tested"

# ---- samples ----
awk 'NR > 1 && NR % 4 { print $2 }' two.tsv >keep.txt
awk 'NR == 1 || NR % 4' two.tsv >some.tsv
assoc some --pheno some.tsv
assoc out --pheno two.tsv --keep keep.txt
like "--keep is a table of the others" some
awk 'NR > 1 && NR % 4 == 0 { print $1 "\t" $2 } END { print "no\tone" }' two.tsv >remove.txt
assoc out --pheno two.tsv --remove remove.txt
like "--remove is a table of the others" some

# ---- categories ----
awk -v OFS='\t' '{ n = $6 == "north"; s = $6 == "south" } NR == 1 { n = "n"; s = "s" } { print $1, $2, $3, $4, $5, n, s }' \
    c.covar.tsv >dummies.tsv
assoc out --pheno two.tsv --covar dummies.tsv
like "a category is its 0/1 columns" base
{ cat c.covar.tsv; for i in $(seq 1500); do printf 'x%d\tx%d\t1\t1\t1\ta%d\n' "$i" "$i" "$i"; done; } >others.tsv
assoc out --pheno two.tsv --covar others.tsv --cat-covar-name batch
like "levels of samples that are not in the store" base
awk -v OFS='\t' 'NR > 1 { if (NR % 9 == 0) $6 = "NA"; else if ($6 == "north") $6 = "b,=c" } 1' c.covar.tsv >names.tsv
awk -v OFS='\t' 'NR == FNR { if (FNR > 1 && $6 == "NA") out[$2]; next } FNR == 1 || !($2 in out)' names.tsv two.tsv >called.tsv
assoc some --pheno called.tsv --covar c.covar.tsv --cat-covar-name batch
assoc out --pheno two.tsv --covar names.tsv --cat-covar-name batch
# Another name, another order of the columns: the numbers agree but for rounding.
zcat some/trait1.tsv.gz | cut -f 2,9,13 >some.txt
zcat out/trait1.tsv.gz | cut -f 2,9,13 >out.txt
same "a missing level leaves the sample out" some.txt out.txt
awk -v OFS='\t' '{ print $1, $2, NR == 1 ? "k" : "only" }' c.covar.tsv >only.tsv
assoc some --pheno two.tsv
assoc out --pheno two.tsv --covar only.tsv --cat-covar-name k
like "a single level" some
grep -q "warning: covariate 'k=only' is dropped" assoc.log || fail "a single level: $(cat assoc.log)"
assoc out --pheno c.pheno.tsv --pheno-name trait1 --covar c.pheno.tsv --covar-name trait2
cut -f 1,2,4 c.pheno.tsv >trait2.tsv
assoc some --pheno c.pheno.tsv --pheno-name trait1 --covar trait2.tsv
same "one file for both" some/trait1.tsv.gz out/trait1.tsv.gz
refuse() {
    expect_error "$1" 64 "$2" "$GP_DIST" assoc --quiet --model linear --store c.h5 --out refused --pheno two.tsv "${@:3}"
    [ ! -e refused ] || fail "$1: something was written"
}
refuse "words for a number" "c.covar.tsv:2: column 'batch': '.*' is not a number .*--cat-covar-name" --covar c.covar.tsv
awk -v OFS='\t' '{ print $1, $2, NR == 1 ? "k" : "NA" }' c.covar.tsv >none.tsv
refuse "an empty covariate" "none.tsv: covariate 'k': no sample in use has a value" --covar none.tsv
refuse "an empty category" "none.tsv: covariate 'k': no sample in use has a value" --covar none.tsv --cat-covar-name k
refuse "a category of as many levels as samples" "trait 'trait1' cannot be tested: .*covariates" --covar c.pheno.tsv \
    --cat-covar-name trait1 --covar-name trait2
refuse "covariates without a table" "command line: --covar-name and --cat-covar-name need --covar" --covar-name age

# ---- binary traits ----
awk -v OFS='\t' '{ print $1, $2, $5 }' c.pheno.tsv >zero.tsv
awk -v OFS='\t' 'NR > 1 && $3 != "NA" { $3++ } 1' zero.tsv >one.tsv
unclear() {
    expect_error "$1" 64 "$2" "$GP_DIST" assoc --quiet --store c.h5 --out refused --pheno "${@:3}"
    [ ! -e refused ] || fail "$1: something was written"
}
unclear "1/2" "one.tsv: trait 'trait3' holds only the values 1 and 2; say --cc12" one.tsv
awk -v OFS='\t' 'NR > 1 && $3 == "NA" { $3 = -9 } 1' one.tsv >nine.tsv
unclear "1/2/-9" "nine.tsv: trait 'trait3' holds only two values and -9; say --missing-code -9" nine.tsv
unclear "1/2/-9 and --cc12" "nine.tsv: trait 'trait3' holds only two values and -9" nine.tsv --cc12
awk -v OFS='\t' 'NR > 1 && $3 == -9 { $3 = 0 } 1' nine.tsv >nought.tsv
unclear "0/1/2 and --cc12" "nought.tsv: trait 'trait3' holds only the values 0, 1 and 2" nought.tsv --cc12
assoc some --pheno zero.tsv
assoc out --pheno one.tsv --cc12
same "--cc12" some/trait3.tsv.gz out/trait3.tsv.gz
# Without --model it is logistic, however it is coded.
logistic() {
    rm -rf "$1"
    "$GP_DIST" assoc --quiet --store c.h5 --out "$@" || fail "logistic $*"
}
logistic some --pheno zero.tsv
logistic out --pheno one.tsv --cc12
same "logistic, --cc12" some/trait3.tsv.gz out/trait3.tsv.gz
logistic out --pheno nine.tsv --cc12 --missing-code -9
same "logistic, --cc12 --missing-code -9" some/trait3.tsv.gz out/trait3.tsv.gz
zcat some/trait3.tsv.gz | head -1 | grep -q "status	n_cases	n_controls" || fail "a binary trait is not logistic by itself"

# ---- variants ----
echo "no such variant" >none.txt
expect_error "a list of unknown variants" 64 "none.txt: none of its ids" \
    ranks 2 assoc --quiet --store c.h5 --pheno two.tsv --extract none.txt --out empty
[ ! -e empty ] || fail "a list of unknown variants: something was written"
ranks 2 assoc --store c.h5 --pheno two.tsv --mac 1000000 --out empty 2>err.log || fail "nothing to test"
[ "$(zcat empty/trait1.tsv.gz | wc -l)" = 1 ] && [ -s empty/trait1.tsv.gz.tbi ] || fail "nothing to test: $(ls -A empty)"
grep -q "^gp-dist: warning: no variant was left" err.log || fail "nothing to test: $(cat err.log)"

# --mind counts the listed variants, and chromosome Y in males alone.
cp c.bed y.bed
awk -v OFS='\t' 'NR % 3 == 0 { $5 = 0 } 1' c.fam >y.fam
awk -v OFS='\t' '{ $1 = $1 == 2 ? "chrY" : "chr1" } 1' c.bim >y.bim
"$GP_DIST" import --quiet --bfile y --out y.h5 || fail "import"
awk 'NR % 5 { print $2 }' y.bim >listed.txt
{ awk '{ print "@sample", $1, $2, $5 }' y.fam; awk '{ print "@variant", $1, NR % 5 }' y.bim; tail -c +4 y.bed | od -An -v -tu1 -w75; } |
    awk -v limit=0.03 '
        $1 == "@sample" { id[n++] = $2 " " $3; male[n - 1] = $4 == 1; next }
        $1 == "@variant" { on_y[m] = $2 == "chrY"; listed[m++] = $3; next }
        !listed[row++] { next }
        {
            y = on_y[row - 1]
            for (i = 0; i < n; i++) if (!y || male[i]) {
                total[i]++
                missing[i] += int($(int(i / 4) + 1) / 4 ^ (i % 4)) % 4 == 1
            }
        }
        END { for (i = 0; i < n; i++) if (missing[i] / total[i] <= limit) print id[i] }' >keep.txt
[ "$(wc -l <keep.txt)" -gt 30 ] && [ "$(wc -l <keep.txt)" -lt 270 ] || fail "--mind: $(wc -l <keep.txt) kept: no test"
y=(assoc --quiet --store y.h5 --pheno two.tsv --extract listed.txt)
"$GP_DIST" "${y[@]}" --out kept --keep keep.txt || fail "--keep"
ranks 3 "${y[@]}" --out mind --mind 0.03 --sample-shards 2 2>err.log || fail "--mind: $(cat err.log)"
diff -r -x filters.tsv kept mind || fail "--mind: other samples than those of few missing calls"
"$GP_DIST" "${y[@]}" --out kept --chr y || fail "--chr y"
zcat kept/trait1.tsv.gz | awk 'NR > 1 && $1 != "chrY" { exit 1 } END { exit NR < 100 }' || fail "--chr y"

# ---- --missing, against sums over the .bed ----
# Frequency, beta and standard error of variants 1, 11, 21 ... without covariates, complete cases and mean.
{ echo "@pheno"; tail -n +2 two.tsv; echo "@bed"; tail -c +4 c.bed | od -An -v -tu1 -w75; } | awk -v n=300 '
    function line(mean, i, v, k, s, ss, sy, sg, syy, beta, yy) {
        k = s = ss = sg = sy = syy = called = 0
        for (i = 0; i < n; i++) if (has[i]) { if (g[i] >= 0) { called++; s += g[i] } }
        for (i = 0; i < n; i++) if (has[i] && (g[i] >= 0 || mean)) {
            v = g[i] >= 0 ? g[i] : s / called
            k++; sy += y[i]; syy += y[i] * y[i]; sg += v; ss += v * v; sgy[i] = v * y[i]
        }
        beta = 0
        for (i = 0; i < n; i++) if (has[i] && (g[i] >= 0 || mean)) beta += sgy[i]
        ss -= sg * sg / k; yy = syy - sy * sy / k
        if (ss < 1e-9) return "NA"
        beta = (beta - sg * sy / k) / ss
        return sprintf("%.12g %.12g %.12g %d", s / called / 2, beta, sqrt((yy - beta * beta * ss) / (k - 2) / ss), k)
    }
    /^@/ { part = $1; next }
    part == "@pheno" { i = samples++; has[i] = $3 != "NA"; y[i] = $3; next }
    row++ % 10 == 0 {
        for (i = 0; i < n; i++) {
            code = int($(int(i / 4) + 1) / 4 ^ (i % 4)) % 4
            g[i] = code == 0 ? 2 : code == 1 ? -1 : code == 2 ? 1 : 0
        }
        print row, line(0), line(1)
    }' >oracle.txt
assoc exact --pheno two.tsv
assoc mean --pheno two.tsv --missing mean
paste <(zcat exact/trait1.tsv.gz | tail -n +2 | cut -f 5,6,7,9) <(zcat mean/trait1.tsv.gz | tail -n +2 | cut -f 5,6,7,9) |
    awk '
        function far(a, b) { return (a > b ? a - b : b - a) > 1e-7 * (b < 0 ? -b : b) + 1e-9 }
        NR == FNR { want[$1] = $0; next }
        FNR in want && want[FNR] !~ /NA/ {
            split(want[FNR], w)
            if (far($1, w[3]) || far($2, w[4]) || far($3, w[2]) || $4 != w[5] || far($5, w[7]) || far($6, w[8]) ||
                far($7, w[6]) || $8 != w[9]) { bad++; print "FAIL: variant " FNR ": " $0 " is not " want[FNR] }
            n++
            different += $2 != $6 # beta is the same without covariates
        }
        END { print n " variants agree with sums of the .bed"; exit bad > 0 || n < 100 || different < 40 }' oracle.txt - ||
    fail "--missing"
finish
