# Sourced after lib.sh: comparisons with tables that other programs wrote.

# compare_glm WHAT OURS GOLDEN: a result table against PLINK 2's .glm.linear, joined by chromosome, position and id.
# Tolerances: beta and standard error 1e-5 relative; -log10 p 1e-4 relative, or 3e-6 absolute, which is what six printed
# digits of p leave; n exactly; frequency 1e-5. Variants without a number must have one in neither.
compare_glm() {
    { echo "@ours"; zcat "$2"; echo "@golden"; zcat "$3"; } | awk -v what="$1" '
        function abs(x) { return x < 0 ? -x : x }
        function far(a, b, t) { return abs(a - b) > t * (abs(a) > abs(b) ? abs(a) : abs(b)) }
        function bad(text) { if (errors++ < 5) print "FAIL: " what ": " key ": " text }
        /^@/ { part = $1; line = 0; next }
        { line++ }
        part == "@ours" && line > 1 {
            key = $1 ":" $2 ":" $10
            if (key in status) bad("listed twice")
            status[key] = $13; effect[key] = $3; beta[key] = $5; se[key] = $6; freq[key] = $7; n[key] = $9; nlp[key] = $12
            ours++
        }
        part == "@golden" && line == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
        part == "@golden" && line > 1 {
            key = $col["#CHROM"] ":" $col["POS"] ":" $col["ID"]
            golden++
            if (!(key in status)) { bad("is not in our table"); next }
            number = $col["BETA"] != "NA"
            if (number != (status[key] == "OK")) { bad("plink2 " $col["ERRCODE"] ", ours " status[key]); next }
            if ($col["OBS_CT"] != n[key]) bad("n " n[key] ", plink2 " $col["OBS_CT"])
            if (!number) { none[status[key] " = " $col["ERRCODE"]]++; next }
            sign = $col["A1"] == effect[key] ? 1 : -1
            f = sign > 0 ? freq[key] : 1 - freq[key]
            if (far(beta[key], sign * $col["BETA"], 1e-5)) bad("beta " beta[key] ", plink2 " $col["BETA"])
            if (far(se[key], $col["SE"], 1e-5)) bad("se " se[key] ", plink2 " $col["SE"])
            if (abs(f - $col["A1_FREQ"]) > 1e-5) bad("frequency " f ", plink2 " $col["A1_FREQ"])
            theirs = -log($col["P"]) / log(10)
            if (far(nlp[key], theirs, 1e-4) && abs(nlp[key] - theirs) > 3e-6) bad("-log10 p " nlp[key] ", plink2 " theirs)
            compared++
        }
        END {
            key = "all"
            if (ours != golden) bad(ours " variants, plink2 " golden)
            if (compared == 0) bad("nothing was compared")
            printf "%s: %d variants agree", what, compared - errors
            for (k in none) printf ", %d without a number (%s)", none[k], k
            print errors ? "; " errors " DIFFER" : ""
            exit errors > 0
        }' || fail "$1"
}

# compare_columns WHAT OURS OUR_KEY OUR_VALUE GOLDEN KEY VALUE: two tables with headers, joined by a key column (or two joined
# by '+'), value against value: 1e-5 relative or 1e-9 absolute (six printed digits). Every golden row must be found.
compare_columns() {
    { echo "@ours"; zcat -f "$2"; echo "@golden"; zcat -f "$5"; } | awk -v what="$1" -v ok="$3" -v ov="$4" -v gk="$6" -v gv="$7" '
        function abs(x) { return x < 0 ? -x : x }
        function key_of(names, k, part) {
            k = split(names, part, "+")
            return k == 1 ? $col[part[1]] : $col[part[1]] "+" $col[part[2]]
        }
        function bad(text) { if (errors++ < 5) print "FAIL: " what ": " key ": " text }
        /^@/ { section = $1; line = 0; next }
        { sub(/^ +/, ""); line++ }
        line == 1 { split("", col); for (i = 1; i <= NF; i++) col[$i] = i; next }
        section == "@ours" { ours[key_of(ok)] = $col[ov]; next }
        {
            key = key_of(gk)
            theirs = $col[gv]
            n++
            if (!(key in ours)) bad("is not in our table")
            else if ((theirs == "nan" || theirs == "NA") != (ours[key] == "NA")) bad(ours[key] ", theirs " theirs)
            else if (abs(ours[key] - theirs) > 1e-5 * abs(theirs) + 1e-9) bad(ours[key] ", theirs " theirs)
        }
        END {
            key = "all"
            if (n == 0) bad("nothing was compared")
            printf "%s: %d values%s\n", what, n, errors ? ", " errors " DIFFER" : " agree"
            exit errors > 0
        }' || fail "$1"
}
