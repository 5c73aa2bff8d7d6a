#!/usr/bin/env bash
# Hits of merged tables: clumps as PLINK 1.9's, the nearest gene from any form of annotation, the same bytes on any ranks and
# threads, wrong input.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 500 --variants 6000 --chromosomes 3 --traits 1 --causal 25 --heritability 0.7 \
    --missing-rate 0.01 --seed 5 --plink --out s || fail simulate
# Without heterozygous calls PLINK 1.9's r2, of haplotypes made likely by EM, is that of allele counts.
python3 - <<'EOF' || fail "no .bed"
bed = bytearray(open("s.bed", "rb").read())
table = bytes(sum(((0 if c >> k & 3 == 2 else c >> k & 3) << k) for k in (0, 2, 4, 6)) for c in range(256))
open("h.bed", "wb").write(bytes(bed[:3]) + bytes(bed[3:]).translate(table))
EOF
cp s.bim h.bim && awk '{ $3 = $4 = 0; print }' s.fam >h.fam # PLINK would leave children out
"$GP_DIST" import --quiet --bfile h --out h.h5 || fail import
"$GP_DIST" assoc --quiet --store h.h5 --pheno s.pheno.tsv --out assoc || fail assoc
trait=$(basename assoc/*.tsv.gz .tsv.gz)
merge=(merge --store h.h5 --assoc assoc)

# ---- genes: the same ones in three forms, with and without an index ----
awk 'BEGIN { srand(2); for (c = 1; c <= 3; c++) for (at = 1e5; at < 6e7; at += 1e5 + rand() * 1e6)
    print "chr" c, int(at), int(at + rand() * 2e5), "G" c "_" n++ }' >genes.txt
tab=$(printf '\t')
awk -v OFS="$tab" '{ print $1, $2 - 1, $3, $4 }' genes.txt >g.bed
awk -v OFS="$tab" '{ print $1, "t", "gene", $2, $3, ".", "+", ".", "ID=gene:" NR ";Name=" $4 }' genes.txt | gzip >g.gff3.gz
awk -v OFS="$tab" '{ for (k = 0; k < 2; k++) print $1, "t", "exon", k ? $3 - 5 : $2, k ? $3 : $2 + 5, ".", "+", ".",
    "gene_id \"E" NR "\"; gene_name \"" $4 "\";" }' genes.txt >g.gtf

# merged NAME RANKS ARGS...: the hits of a run.
merged() {
    local name=$1 n=$2
    shift 2
    ranks "$n" "${merge[@]}" --clump-p 1e-4 "$@" --out "$name" 2>err.log || fail "$name: $(cat err.log)"
    cp "$name/$trait.hits.tsv" "$name.hits" || fail "$name: no hits"
}
merged bed 1 --genes g.bed --threads 2
merged gff 3 --genes g.gff3.gz --threads 1
merged gtf 2 --genes g.gtf --threads 1
same "GFF3, 3 ranks" bed.hits gff.hits
same "GTF, 2 ranks" bed.hits gtf.hits
if command -v bgzip >/dev/null && command -v tabix >/dev/null; then
    bgzip -c g.bed >i.bed.gz && tabix -p bed i.bed.gz
    merged indexed 2 --genes i.bed.gz --threads 1
    same "an index" bed.hits indexed.hits
fi
grep -q "$trait.hits.tsv: [0-9]* clumps of trait '$trait'" err.log || fail "the clumps are not counted: $(cat err.log)"

# ---- what the file holds ----
[ "$(head -1 bed.hits | tr '\t' ' ')" = "hit chromosome base_pair_location id effect_allele other_allele effect_allele_frequency beta \
standard_error p_value neg_log_10_p_value attribution attribution_rank clumped clump_start clump_end nearest_gene gene_distance" ] ||
    fail "header: $(head -1 bed.hits)"
awk -F '\t' 'NR > 1 && (NF != 18 || $1 != NR - 1 || $10 > 1e-4 || (NR > 2 && $11 > last) || $15 > $3 || $16 < $3 ||
    $12 != "#NA") { bad = 1 } { last = $11 } END { exit bad || NR < 10 }' bed.hits || fail "lines of hits: $(head -3 bed.hits)"
zcat "bed/$trait.tsv.gz" | awk -F '\t' 'NR == FNR { if (FNR > 1) want[$4] = $3 FS $5 FS $6 FS $7 FS $8 FS $9 FS $10 FS $11; next }
    $10 in want { found++; if (want[$10] != $2 FS $3 FS $4 FS $7 FS $5 FS $6 FS $8 FS $12) bad++ }
    END { exit bad > 0 || !found }' bed.hits - || fail "hits differ from the table's lines"
awk 'NR == FNR { chr[NR] = substr($1, 4); a[NR] = $2; b[NR] = $3; name[NR] = $4; n = NR; next }
    FNR > 1 { best = 1e18; for (g = 1; g <= n; g++) if (chr[g] == $2) {
        d = $3 < a[g] ? a[g] - $3 : $3 > b[g] ? $3 - b[g] : 0
        if (d < best) { best = d; who = name[g] } }
        if ($17 != who || $18 != best) exit 1 }' genes.txt bed.hits || fail "a gene is not the nearest"
"$GP_DIST" "${merge[@]}" --quiet --clump-p 1e-300 --out none || fail none
[ "$(wc -l <"none/$trait.hits.tsv")" = 1 ] || fail "hits where nothing is significant"

# ---- against PLINK 1.9 ----
plink=$(command -v plink1.9 || command -v plink)
if [ -n "$plink" ]; then
    zcat assoc/*.tsv.gz | awk -F '\t' 'NR == 1 { print "SNP P" } NR > 1 && $8 != "#NA" { print $10, $8 }' >p.txt
    while read -r kb r2 p1 p2; do
        "$plink" --bfile h --clump p.txt --clump-kb "$kb" --clump-r2 "$r2" --clump-p1 "$p1" --clump-p2 "$p2" --out plink >plink.out 2>&1 ||
            fail "plink: $(tail -3 plink.out)"
        ranks 3 "${merge[@]}" --quiet --clump-kb "$kb" --clump-r2 "$r2" --clump-p "$p1" --clump-p2 "$p2" --threads 1 --out golden || fail golden
        awk 'NR > 1 && NF > 3 { print $3, $12 == "NONE" ? 0 : split($12, member, ",") }' plink.clumped >theirs
        awk -F '\t' 'NR > 1 { print $4, $14 }' "golden/$trait.hits.tsv" >ours
        diff theirs ours >diff.txt || fail "PLINK's clumps, --clump-kb $kb --clump-r2 $r2: $(head -5 diff.txt)"
        [ "$(wc -l <ours)" -gt 5 ] || fail "--clump-kb $kb --clump-r2 $r2: too few clumps to compare"
    done <<'EOF'
250 0.1 1e-4 0.01
100 0.5 1e-3 0.05
20 0.25 1e-2 0.01
2000 0.05 1e-2 0.2
EOF
else
    echo "PLINK 1.9 is not here: not compared"
fi

# ---- wrong input ----
expect_error "p2 below p" 64 "command line: --clump-p2 1e-05 is below --clump-p" \
    ranks 2 "${merge[@]}" --clump-p 1e-4 --clump-p2 1e-5 --out x
expect_error "an unknown form" 64 "genes.txt: its name tells no form" ranks 2 "${merge[@]}" --genes genes.txt --out x
expect_error "no annotation" 64 "none.gtf: cannot be opened" ranks 2 "${merge[@]}" --genes none.gtf --out x
sed '7s/^chr[0-9]*\t[0-9]*/chr1\tx/' g.bed >bad.bed
expect_error "a damaged line" 64 "bad.bed:7: columns 2 and 3 are no start and end" ranks 2 "${merge[@]}" --genes bad.bed --out x
sed 's/^chr/NC_00/' g.bed >names.bed
expect_error "other chromosomes" 64 "names.bed: has no chromosome of h.h5: its first is called 'NC_001', the store's '1'" \
    ranks 2 "${merge[@]}" --genes names.bed --out x
head -c 2000 g.gff3.gz >cut.gff3.gz
expect_error "cut short" 64 "cut.gff3.gz: cannot be read" ranks 2 "${merge[@]}" --genes cut.gff3.gz --out x
[ ! -e "x/$trait.hits.tsv" ] || fail "hits were written"
finish
