#!/usr/bin/env bash
# blup against GBLUP cross-validations by a program of its own (numpy): accuracy in each fold, heritability of each fold's training
# samples, and predictions of left-out samples. Then: samples predicted from the effects of variants are what the matrix gave.
. "$GP_SOURCE/tests/support/lib.sh"
data=$GP_SOURCE/../shared/data
[ -d "$data/golden" ] || { echo "skipped: no reference cohorts"; exit 77; }
compared=0

# compare_folds WHAT RESULTS JSON DIAGONAL: r within 1e-6, mean squared error within 1e-6 of it, heritability within 1e-4. Theirs is
# of a matrix that is scaled otherwise: the mean of both diagonals tells how. They search from 0.0005 on, we from 0: where they
# stand there, r is within 0.005 and mean squared error within 0.001.
compare_folds() {
    awk -v what="$1" -v diagonal="$4" -F '\t' '
        function abs(x) { return x < 0 ? -x : x }
        function bad(text) { if (errors++ < 5) print "FAIL: " what ": " text }
        function note(k, x) { if (x > worst[k]) worst[k] = x }
        FILENAME == ARGV[1] { if ($2 == "blup") { r[$1, $3] = $6; mse[$1, $3] = $7; n[$1, $3] = $4 } next }
        FILENAME == ARGV[2] { lambda[$1, $2] = $4; next }
        {
            line = $0; gsub(/[",:]/, " ", line); split(line, word, " ")
            if (line ~ /\{/ && line !~ /reml_all/) trait = word[1] == "{" ? trait : word[1]
        }
        word[1] == "mean_diag" { scale = diagonal / word[2] }
        word[1] == "fold" { key = trait SUBSEP word[2]; name = trait " fold " word[2] }
        word[1] == "n_test" && n[key] != word[2] { bad(name ": n " n[key] ", not " word[2]) }
        word[1] == "h2_train" {
            edge = word[2] < 0.00051; t = edge ? 6e-4 : 1e-4
            v = lambda[key] * scale; d = abs(v / (1 + v) - word[2]); if (!edge) note("h2", d)
            if (d > t) bad(name ": heritability " v / (1 + v) ", not " word[2])
        }
        word[1] == "r_reml" {
            d = abs(r[key] - word[2]); if (!edge) note("r", d); compared++; edges += edge
            if (!(key in r) || d > (edge ? 0.005 : 1e-6)) bad(name ": r " r[key] ", not " word[2])
        }
        word[1] == "mse_reml" {
            d = abs(mse[key] / word[2] - 1); if (!edge) note("mse", d)
            if (d > (edge ? 0.001 : 1e-6)) bad(name ": mse " mse[key] ", not " word[2])
        }
        END {
            if (compared == 0) bad("nothing was compared")
            printf "%s: %d folds (%d without heritability), largest differences: r %.1e, mse %.1e, h2 %.1e\n", what, compared, edges, worst["r"], worst["mse"], worst["h2"]
            exit errors > 0
        }' "$2/metrics.tsv" "$2/variance.tsv" "$3" || fail "$1"
}

# compare_predictions WHAT RESULTS GOLDEN: every prediction within 1e-5 of the spread of the trait; in folds without heritability
# (see above) within 0.005.
compare_predictions() {
    { echo "@variance"; cat "$2/variance.tsv"; echo "@ours"; cat "$2/predictions.tsv"; echo "@golden"; zcat "$3"; } | awk -v what="$1" -F '\t' '
        function abs(x) { return x < 0 ? -x : x }
        /^@/ { part = $1; line = 0; next }
        ++line == 1 { next }
        part == "@variance" { none[$1, $2] = $NF == "NO_RELATED_VARIANCE"; next }
        part == "@ours" { key = $2 SUBSEP $3; fold[key] = $4; blup[key] = $7; ours++; next }
        { key = $1 SUBSEP $2; golden++ }
        fold[key] != $3 { errors++; next }
        { d = abs(blup[key] - $5); if (none[$2, $3]) d /= 500; else top = d > top ? d : top; s[$2] += $4; q[$2] += $4 * $4; m[$2]++; if (d > most[$2]) most[$2] = d }
        END {
            for (t in m) if (most[t] > 1e-5 * sqrt(q[t] / m[t] - (s[t] / m[t])^2)) { errors++; print "FAIL: " what " " t ": prediction off by " most[t] }
            if (ours != golden) { errors++; print "FAIL: " what ": " ours " predictions, theirs " golden }
            printf "%s: %d predictions, largest difference %.1e\n", what, golden, top
            exit errors > 0
        }' || fail "$1: predictions"
}

# same_predictions WHAT RESULTS TABLE TOLERANCE: TABLE is from predict; in units of the predictions' spread.
same_predictions() {
    awk -v what="$1" -v tolerance="$4" -F '\t' '
        function abs(x) { return x < 0 ? -x : x }
        FILENAME == ARGV[1] { if (FNR > 1) value[$1, $2, $3] = $7; next }
        FNR == 1 { for (k = 3; k <= NF; k++) trait[k] = $k; next }
        { for (k = 3; k <= NF; k++) {
            key = $1 SUBSEP $2 SUBSEP trait[k]
            if (!(key in value)) { if ($k != "NA") errors++; continue }
            if ($k == "NA") { errors++; continue }
            d = abs($k - value[key]); if (d > most[k]) most[k] = d
            m[k]++; s[k] += $k; q[k] += $k * $k } }
        END {
            for (k in m) { sd = sqrt(q[k] / m[k] - (s[k] / m[k])^2); if (most[k] / sd > top) top = most[k] / sd; total += m[k] }
            printf "%s: %d predictions from variants, largest difference %.1e standard deviations\n", what, total, top
            exit errors > 0 || total == 0 || !(top <= tolerance)
        }' "$2/predictions.tsv" "$3" || fail "$1: predictions from variants"
}

# check NAME SET BFILE PHENO TRAITS
check() {
    local name=$1 golden=$data/golden/$2 diagonal
    "$GP_DIST" import --quiet --bfile "$data/$3" --out "$name.h5" || fail "import $name"
    "$GP_DIST" grm --quiet --store "$name.h5" --centred --export-text --out "$name.grm" || fail "grm $name"
    diagonal=$(awk '{ sum += $NR } END { printf "%.17g", sum / NR }' "$name.grm/grm.txt")
    "$GP_DIST" blup --quiet --store "$name.h5" --pheno "$4" --pheno-name "$5" --grm "$name.grm/grm.h5" --folds 5 --out "$name.cv" ||
        fail "blup $name"
    compare_folds "$name" "$name.cv" "$golden/gblup_cv.json" "$diagonal"
    compare_predictions "$name" "$name.cv" "$golden/gblup_cv.predictions.tsv.gz"
    compared=$((compared + 1))
}

check wheat wheat-bglr wheat-bglr/derived/wheat "$data/wheat-bglr/derived/wheat.pheno.txt" env1,env2,env4,env5
check maize maize-mdp maize-mdp/derived/mdp "$data/maize-mdp/derived/mdp.pheno.txt" EarHT,dpoll,EarDia
check mice mice-bglr mice-bglr/derived/mice "$data/mice-bglr/derived/mice.pheno.txt" \
    Obesity.BMI,Obesity.BodyLength,Obesity.EndNormalBW,Biochem.HDL
check regenie regenie-example regenie-example/example "$data/regenie-example/phenotype.txt" Y1,Y2
{ echo FID IID PHENO1; cat "$data/fastlmm-toydata/toydata.phe"; } >toy.pheno
check toy fastlmm-toydata fastlmm-toydata/toydata.5chrom toy.pheno PHENO1
check ldak mice-ldak mice-ldak/mice "$data/golden/mice-ldak/all.pheno.txt" PHENO1,CD8,MCH
[ "$compared" = 6 ] || fail "$compared sets, not 6"

# A matrix's integers round missing calls (src/geno/gram.h), effects do not: 4% are missing in maize, next to none elsewhere.
# predict NAME TOLERANCE ARGS...: all samples, from a model of all; the matrix has the same variants as one that is made.
predict() {
    local name=$1 tolerance=$2
    shift 2
    "$GP_DIST" blup --quiet --store "$name.h5" --grm "$name.grm/grm.h5" --out "$name.all" "$@" || fail "blup $name"
    "$GP_DIST" predict --quiet --store "$name.h5" --model "$name.all" --out "$name.tsv" || fail "predict $name"
    same_predictions "$name" "$name.all" "$name.tsv" "$tolerance"
}
predict wheat 1e-8 --pheno "$data/wheat-bglr/derived/wheat.pheno.txt"
predict maize 1e-6 --pheno "$data/maize-mdp/derived/mdp.pheno.txt"
predict regenie 1e-8 --pheno "$data/regenie-example/phenotype.txt"
predict toy 1e-8 --pheno toy.pheno
predict mice 1e-8 --pheno "$data/mice-bglr/derived/mice.pheno.txt" --pheno-name Obesity.BMI,Biochem.HDL
finish
