#!/usr/bin/env bash
# The plan that --dry-run prints: shares of the ranks within 15% of each other.
. "$GP_SOURCE/tests/support/lib.sh"

# shares RANKS CHROMOSOMES VARIANTS
shares() {
    "$GP_DIST" simulate --quiet --samples 64 --variants "$3" --chromosomes "$2" --traits 1 --seed 3 --out c || fail "simulate"
    ranks "$1" assoc --quiet --store c.h5 --pheno c.pheno.tsv --dry-run >plan || fail "$2 chromosomes on $1 ranks"
    awk -v ranks="$1" -v variants="$3" -v what="$2 chromosomes on $1 ranks" '
        $3 ~ /%$/ && NF >= 4 { n++; sum += $2; if (!low || $2 < low) low = $2; if ($2 > high) high = $2 }
        END {
            printf "%s: %d to %d variants a rank, ratio %.3f\n", what, low, high, high / low
            exit !(n == ranks && sum == variants && high / low <= 1.15)
        }' plan || { cat plan; fail "$2 chromosomes on $1 ranks"; }
    [ ! -e results ] || fail "--dry-run wrote something"
}

shares 3 22 22000
shares 8 3 6000
shares 4 1 3000
shares 5 22 3000
shares 8 3 600
finish
