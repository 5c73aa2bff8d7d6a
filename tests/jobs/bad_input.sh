#!/usr/bin/env bash
# Bad input on 4 ranks: each gives one error line that names file and place, status 64, in seconds, and writes nothing.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 100 --variants 600 --chromosomes 2 --traits 2 --seed 9 --plink --out c || fail "simulate"
p=c.pheno.tsv

# refused WHAT PATTERN ARGS...: on 4 ranks; nothing may appear in this folder.
refused() {
    local what=$1 pattern=$2 before started=$SECONDS
    shift 2
    before=$(find . -not -name '*.log' | sort)
    expect_error "$what" 64 "$pattern" ranks 4 "$@"
    [ $((SECONDS - started)) -le 60 ] || fail "$what: $((SECONDS - started)) s"
    [ "$before" = "$(find . -not -name '*.log' | sort)" ] || fail "$what: something was written"
}

# ---- import ----
# plink NAME: a copy of the PLINK files to be spoilt.
plink() {
    for e in bed bim fam; do cp "c.$e" "$1.$e"; done
}
imports() {
    refused "$1" "$2" import --bfile "$3" --out new.h5
}
plink magic && printf 'PK' | dd of=magic.bed conv=notrunc status=none
imports "wrong magic" "magic\.bed: .*not 6c 1b 01" magic
plink major && printf '\0' | dd of=major.bed bs=1 seek=2 conv=notrunc status=none
imports "sample-major" "major\.bed: .*sample-major.*" major
plink size && truncate -s -1 size.bed
imports "size" "size\.bed: .*[0-9]+ bytes.*[0-9]+" size
for e in bed bim fam; do
    plink "empty$e" && : >"empty$e.$e"
    imports "empty .$e" "empty$e\.$e" "empty$e"
    plink "no$e" && rm "no$e.$e"
    imports "no .$e" "no$e\.$e: " "no$e"
done
plink twice && sed -n 1p twice.fam >>twice.fam && sed -i 50d twice.fam
imports "duplicate sample" "twice\.fam:100: " twice
plink word && sed -i '7s/[0-9]*\t\([ACGT]\)/x\t\1/' word.bim
imports "a word for a position" "word\.bim:7: " word
plink short && sed -i '9s/\t[^\t]*$//' short.bim
imports "a short line" "short\.bim:9: " short
mkdir readonly
imports "no such folder" "nowhere/deep/new\.h5|c\.bed|nowhere" "nowhere/c"
plink ids && awk -v OFS='\t' '{ if (NR % 2 == 0) $2 = "same"; print }' c.bim >ids.bim
ranks 4 import --bfile ids --out ids.h5 2>err.log || fail "duplicate variant ids are allowed"
grep -q "^gp-dist: warning: .*same" err.log || fail "duplicate variant ids: no warning: $(cat err.log)"

# ---- tables ----
tests() {
    refused "$1" "$2" assoc --store c.h5 --out out "${@:3}"
}
awk 'NR == 5 { sub(/\t[^\t]*$/, "") } 1' $p >ragged.tsv
tests "ragged line" "ragged\.tsv:5: " --pheno ragged.tsv
awk -v OFS='\t' 'NR == 6 { $3 = "tall" } 1' $p >word.tsv
tests "a word for a number" "word\.tsv:6: .*trait1.*tall" --pheno word.tsv
awk 'NR == 8 { print; print; next } 1' $p >twice.tsv
tests "duplicate sample" "twice\.tsv:9: " --pheno twice.tsv
awk -v OFS='\t' 'NR > 1 { $1 = "x" $1; $2 = "x" $2 } 1' $p >others.tsv
tests "no common sample" "others\.tsv: no sample in common" --pheno others.tsv
awk -v OFS='\t' 'NR > 1 { $3 = $4 = "NA" } 1' $p >missing.tsv
tests "all missing" "missing\.tsv: trait 'trait1'" --pheno missing.tsv
: >empty.tsv
tests "empty table" "empty\.tsv" --pheno empty.tsv
tail -n +2 $p >noheader.tsv
tests "no header" "noheader\.tsv:1: " --pheno noheader.tsv
tests "no such table" "nothere\.tsv: " --pheno nothere.tsv
tests "no such trait" "$p.*--pheno-name|.*--pheno-name" --pheno $p --pheno-name height
awk -v OFS='\t' '{ printf "%s\t%s", $1, $2; for (k = 1; k <= 120; k++) printf "\t%s", NR == 1 ? "c" k : (NR * k * 7919) % 1009; print "" }' $p >wide.tsv
tests "more covariates than samples" ".*trait1.*covariates" --pheno $p --covar wide.tsv
awk -v OFS='\t' 'NR > 1 { $3 = $4 = 5 } 1' $p >constant.tsv
tests "constant traits only" ".*trait1.*constant" --pheno constant.tsv
echo "nobody nobody" >keep.txt
tests "nobody kept" "keep\.txt: no sample remains" --pheno $p --keep keep.txt
tests "no such chromosome" ".*--chr.*99" --pheno $p --chr 99

# ---- binary traits ----
"$GP_DIST" simulate --quiet --samples 100 --variants 300 --chromosomes 1 --traits 1 --binary 1 --prevalence 0.4 --missing-pheno 0 --seed 2 \
    --out b || fail "simulate"
binary() {
    refused "$1" "$2" assoc --store b.h5 --out out "${@:3}"
}
b=b.pheno.tsv
awk -v OFS='\t' 'NR > 1 { $3++ } 1' $b >onetwo.tsv
binary "1/2 without --cc12" "onetwo\.tsv: trait 'trait1' holds only the values 1 and 2; say --cc12" --pheno onetwo.tsv
binary "1/2 without --cc12, logistic" "onetwo\.tsv: trait 'trait1' .*--cc12" --pheno onetwo.tsv --model logistic
awk 'NR > 1 && $3 == 1 { print $1, $2 }' $b >cases.txt
binary "one class" "trait 'trait1' cannot be tested: it has no controls among the samples in use" --pheno $b --keep cases.txt
awk -v OFS='\t' '{ print $1, $2, NR == 1 ? "marker" : 2 * $3 + NR % 2 }' $b >marker.tsv
binary "a covariate separates the classes" "trait 'trait1' .*covariate 'marker' separates" --pheno $b --covar marker.tsv
binary "no table of offsets" "nothere\.tsv: " --pheno $b --offset nothere.tsv
binary "offsets of other traits" "b\.covar\.tsv: has neither a column 'trait1@" --pheno $b --offset b.covar.tsv

# Not errors: said, and the rest goes on.
awk -v OFS='\t' 'NR > 1 { $3 = 5 } 1' $p >half.tsv
ranks 4 assoc --store c.h5 --pheno half.tsv --out half 2>err.log || fail "a constant trait beside another"
grep -q "^gp-dist: warning: trait 'trait1' is skipped: .*constant" err.log || fail "constant trait: $(cat err.log)"
[ -e half/trait2.tsv.gz ] && [ ! -e half/trait1.tsv.gz ] || fail "constant trait: $(ls half)"
awk -v OFS='\t' '{ print $1, $2, NR == 1 ? "a" : NR % 7, NR == 1 ? "b" : 2 * (NR % 7) + 1, NR == 1 ? "c" : 3 }' $p >collinear.tsv
ranks 4 assoc --store c.h5 --pheno $p --covar collinear.tsv --out collinear 2>err.log || fail "collinear covariates"
for k in b c; do
    grep -q "^gp-dist: warning: covariate '$k' is dropped" err.log || fail "collinear: $k is not named: $(cat err.log)"
done
grep -q "covariate 'a' is dropped" err.log && fail "collinear: a was dropped too"
awk '{ print $1, $2, $3 == "trait1" ? "a" : NR % 7 }' $p >single.tsv
ranks 4 assoc --quiet --store c.h5 --pheno $p --covar single.tsv --out single || fail "one covariate"
same "collinear covariates change nothing" <(zcat single/trait1.tsv.gz) <(zcat collinear/trait1.tsv.gz)
awk -v OFS='\t' 'NR == 4 { $3 = -9 } 1' $p >nine.tsv
ranks 4 assoc --store c.h5 --pheno nine.tsv --out nine 2>err.log || fail "-9"
grep -q "^gp-dist: warning: nine.tsv: trait 'trait1' holds -9" err.log || fail "-9 is not warned about: $(cat err.log)"

# ---- stores ----
stores() {
    refused "$1" "$2" assoc --store "$3" --pheno $p --out out
}
stores "no store" "nothere\.h5: " nothere.h5
echo "hello" >text.h5
stores "no HDF5" "text\.h5: .*HDF5" text.h5
cp c.h5 cut.h5 && truncate -s -3000 cut.h5
stores "cut short" "cut\.h5: " cut.h5
cp c.h5 flip.h5
at=$(($(stat -c %s flip.h5) / 2))
byte=$(od -An -tu1 -j "$at" -N1 flip.h5)
# shellcheck disable=SC2059 # the format is the byte
printf "\\$(printf %03o $((byte ^ 255)))" | dd of=flip.h5 bs=1 seek="$at" conv=notrunc status=none
refused "a flipped byte" "flip\.h5: " info --verify flip.h5

# A store replaces a store, nothing else: the genotypes themselves, say.
plink twin
refused "--out names an input" "twin\.bed: is there already" import --bfile twin --out twin.bed
same "--out names an input" c.bed twin.bed
cp c.h5 old.h5
ranks 4 import --quiet --bfile twin --out old.h5 || fail "a store over a store"

# ---- options ----
refused "unknown option" "command line: .*--phenos" assoc --store c.h5 --phenos $p --out out
GP_KERNEL=mmx refused "unknown kernel" "environment: GP_KERNEL=mmx is no kernel" assoc --store c.h5 --pheno $p --out out
refused "wrong value" "command line: --maf: 'lots'" assoc --store c.h5 --pheno $p --maf lots --out out
refused "value out of range" "command line: --maf: " assoc --store c.h5 --pheno $p --maf 0.7 --out out
refused "no --out" "command line: assoc needs --out" assoc --store c.h5 --pheno $p
refused "unknown command" "command line: .*assok.*assoc" assok --store c.h5
refused "an output directory that is a file" "text\.h5" assoc --store c.h5 --pheno $p --out text.h5
if [ "$(id -u)" != 0 ]; then
    chmod 555 readonly
    refused "unwritable output directory" "readonly" assoc --store c.h5 --pheno $p --out readonly
    refused "unwritable output directory" "readonly" import --bfile c --out readonly/new.h5
    chmod 755 readonly
fi
refused "unwritable output directory" "/proc/" assoc --store c.h5 --pheno $p --out /proc/gp-dist
finish
