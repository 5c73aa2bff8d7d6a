#!/usr/bin/env bash
# --times: a table of phases and ranks beside the same results.
. "$GP_SOURCE/tests/support/lib.sh"

"$GP_DIST" simulate --quiet --samples 200 --variants 300 --chromosomes 2 --traits 1 --seed 3 --out cohort || fail "simulate"
options=(assoc --quiet --store cohort.h5 --pheno cohort.pheno.tsv --threads 1)
"$GP_DIST" "${options[@]}" --out plain || fail "without --times"
ranks 3 "${options[@]}" --out timed --times times.csv || fail "with --times"
same "the table" plain/trait1.tsv.gz timed/trait1.tsv.gz
[ "$(find timed plain . -maxdepth 1 -name '*.tmp' | wc -l)" = 0 ] || fail "something half-written lies there"

# Three ranks with the same phases, one after the other; they wait, but no longer than a phase takes.
awk -F , '
    NR == 1 {
        if ($0 != "command,phase,rank,ranks,threads,seconds,waiting,bytes,messages,peak_memory") bad = "header"
        next
    }
    { lines[$3]++; messages += $9; bytes += $8; phase[$3] = phase[$3] " " $2 }
    NF != 10 || $1 != "assoc" || $4 != 3 || $5 != 1 || $6 < 0 || $7 < 0 || $7 > $6 + 1e-6 || $10 < 1e6 { bad = $0 }
    END {
        if (bad == "" && (lines[0] < 2 || phase[0] != phase[1] || phase[0] != phase[2])) bad = phase[0] "," phase[1] "," phase[2]
        if (bad == "" && (messages < 10 || bytes < 100)) bad = messages " messages of " bytes " bytes"
        if (bad != "") { print bad; exit 1 }
    }' times.csv || fail "times.csv: $(cat times.csv)"

# What one rank does is no exchange.
"$GP_DIST" "${options[@]}" --out one --times one.csv || fail "one rank"
awk -F , 'NR > 1 && ($7 != 0 || $8 != 0 || $9 != 0) { exit 1 }' one.csv || fail "one rank exchanges: $(cat one.csv)"

# Where it cannot lie is said before any work.
expect_error "a folder that is not there" 64 'none: no file can be made in this directory' "$GP_DIST" "${options[@]}" --out late --times none/times.csv
[ ! -e late ] || fail "work was done before --times was looked at"
finish
