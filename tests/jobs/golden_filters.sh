#!/usr/bin/env bash
# Filters of assoc leave in what PLINK's own counts say: --maf, --mac, --geno, --hwe, --mind, and lists.
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
golden=$data/golden

# tested ARGS...: ids of the variants that assoc tests, sorted.
tested() {
    rm -rf out
    "$GP_DIST" assoc --quiet --model linear --out out "$@" || fail "assoc $*"
    zcat out/y.tsv.gz | awk -F '\t' 'NR > 1 { print $10 }' | sort >tested.txt
}

# expect WHAT FILE: the ids in FILE, and neither none nor all of them.
expect() {
    sort "$2" >expected.txt
    cmp -s expected.txt tested.txt || fail "$1: $(comm -3 expected.txt tested.txt | wc -l) variants differ"
    [ -s expected.txt ] && [ "$(wc -l <expected.txt)" -lt "$all" ] || fail "$1: $(wc -l <expected.txt) of $all left: no test"
    echo "$1: $(wc -l <expected.txt) of $all variants"
}

"$GP_DIST" import --quiet --bfile "$data/maize-mdp/derived/mdp" --out maize.h5 || fail "import"
awk 'BEGIN { print "FID IID y" } { print $1, $2, (NR * 7919) % 101 }' "$data/maize-mdp/derived/mdp.fam" >y.txt
maize=(--store maize.h5 --pheno y.txt)
all=$(wc -l <"$data/maize-mdp/derived/mdp.bim")
minor='{ f = $5 < 0.5 ? $5 : 1 - $5 }'

tested "${maize[@]}" --maf 0.05
zcat "$golden/maize-mdp/qc.afreq.gz" | awk "NR > 1 $minor NR > 1 && f >= 0.05 { print \$2 }" >ids
expect "--maf 0.05" ids
tested "${maize[@]}" --mac 20
zcat "$golden/maize-mdp/qc.afreq.gz" | awk "NR > 1 $minor NR > 1 && int(f * \$6 + 0.5) >= 20 { print \$2 }" >ids
expect "--mac 20" ids
tested "${maize[@]}" --geno 0.05
zcat "$golden/maize-mdp/qc.vmiss.gz" | awk 'NR > 1 && $5 <= 0.05 { print $2 }' >ids
expect "--geno 0.05" ids
tested "${maize[@]}" --hwe 1e-70
zcat "$golden/maize-mdp/qc.hardy.gz" | awk 'NR > 1 && $10 >= 1e-70 { print $2 }' >ids
expect "--hwe 1e-70" ids

awk 'NR > 1 && $5 <= 0.02' "$golden/maize-mdp/qc.smiss" >kept
kept=$(wc -l <kept)
tested "${maize[@]}" --mind 0.02 --missing mean
n=$(zcat out/y.tsv.gz | awk -F '\t' 'NR > 1 { print $9 }' | sort -u)
[ "$n" = "$kept" ] && [ "$kept" -lt 281 ] || fail "--mind 0.02: $n samples, not $kept"
cp out/y.tsv.gz mind.gz
awk '{ print $1, $2 }' kept >keep.txt
tested "${maize[@]}" --keep keep.txt --missing mean
same "--mind is --keep of the others" mind.gz out/y.tsv.gz
awk 'NR > 1 && $5 > 0.02 { print $1, $2 }' "$golden/maize-mdp/qc.smiss" >remove.txt
tested "${maize[@]}" --remove remove.txt --missing mean
same "--remove is --keep of the others" mind.gz out/y.tsv.gz
ranks 3 assoc --quiet --model linear --out out3 "${maize[@]}" --mind 0.02 --missing mean --sample-shards 3 || fail "--mind, 3 shards"
same "--mind in shards" mind.gz out3/y.tsv.gz

awk 'NR % 3 == 0 { print $2 }' "$data/maize-mdp/derived/mdp.bim" >third
awk 'NR % 3 != 0 { print $2 }' "$data/maize-mdp/derived/mdp.bim" >others
tested "${maize[@]}" --extract third
expect "--extract" third
tested "${maize[@]}" --exclude others
expect "--exclude" third
tested "${maize[@]}" --chr 2-4,9
awk '$1 ~ /^[2349]$/ { print $2 }' "$data/maize-mdp/derived/mdp.bim" >ids
expect "--chr 2-4,9" ids

# X is tested in females, as PLINK 1.9 does; p printed with 4 digits.
"$GP_DIST" import --quiet --bfile "$data/plinkqc/data" --out qc.h5 || fail "import plinkqc"
awk 'BEGIN { print "FID IID y" } { print $1, $2, (NR * 7919) % 101 }' "$data/plinkqc/data.fam" >y.txt
all=$(awk '$1 == 23' "$data/plinkqc/data.bim" | wc -l)
tested --store qc.h5 --pheno y.txt --chr X --hwe 0.3
zcat "$golden/plinkqc/p19.hwe.gz" | awk '$1 == 23 && $3 ~ /ALL/ && $9 >= 0.3 { print $2 }' >ids
expect "--hwe on X" ids
finish
