#!/usr/bin/env bash
# report: what a page of a run holds, also of a run without this and that; the same bytes on any ranks; what changed since
# an earlier run; wrong input; and, where Chromium is there, how it looks.
. "$GP_SOURCE/tests/support/lib.sh"
make_run="python3 $GP_SOURCE/tests/support/picture_run.py"
report() {
    "$GP_DIST" report --quiet "$@"
}
# holds WHAT FILE TEXT...: a page has each text.
holds() {
    local what=$1 file=$2 text
    shift 2
    for text in "$@"; do
        grep -qF -- "$text" "$file" || fail "$what: no '$text' in $file"
    done
}
# whole FILE: well-formed XML, and HTML whose links lead to ids; nothing is loaded but the log.
whole() {
    if command -v xmllint >/dev/null; then xmllint --noout "$1" || fail "$1: not well-formed"; fi
    python3 - "$1" <<'PY' || fail "$1: see above"
import html.parser, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.loads, self.svg = [], [], [], [], 0
    def handle_startendtag(self, tag, attrs):
        self.take(tag, dict(attrs))
    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.take(tag, dict(attrs))
    def take(self, tag, attrs):
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag == "a" else []
        self.loads += [v for k, v in attrs.items() if k in ("src", "data", "srcset", "xlink:href") or (k == "href" and tag != "a")]
        assert tag != "script", "a script"
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
assert page.open == [], page.open
assert len(set(page.ids)) == len(page.ids), "an id twice"
lost = [l for l in page.links if l.startswith("#") and l[1:] not in page.ids]
assert not lost, lost
assert page.loads == ["gp-dist.log"], page.loads
PY
}

# ---- a run with everything ----
$make_run run --variants 20000 --samples 1800 --seed 3 || fail "making a run"
report --run run 2>err.log || fail "report: $(cat err.log)"
page=run/report.html
whole $page
holds "everything" $page '<h2>trait1' 'Manhattan plot' 'QQ plot' 'λ<sub>1000</sub>' 'ROC curves' 'Training curves' \
    'Prediction against observation' 'Ridge regression' 'flag">best' 'does not predict best here' 'Heritability' 'Principal components' \
    'samples left out by --remove' '<code>maf</code>' 'gp-dist.log' 'href="#t1h1"' 'id="t3h9"'
grep -qE 'nan|inf[^ol]|run/' <(sed 's/<style>.*//' $page | grep -v '^[.@a-z:*]') && fail "a number that is none, or a path of the run"
[ "$(grep -c '<section class="trait"' $page)" = 3 ] || fail "three traits"
ranks 3 report --quiet --run run --out three.html || fail "3 ranks"
same "ranks" $page three.html
cp -r run elsewhere && report --run elsewhere/ --out e.html && same "another directory" $page e.html
report --run run --out b.html --browser 'https://example.org/?r={chromosome}:{start}-{end}&x={y}' || fail browser
holds "a browser's address" b.html 'https://example.org/?r=' '&amp;x={y}'
whole b.html

# ---- what has changed ----
$make_run later --variants 20000 --samples 1800 --seed 3 --shift 2000 || fail "making another run"
report --run later --compare run 2>err.log || fail "compare: $(cat err.log)"
[ "$(head -1 later/changes.tsv | tr '\t' ' ')" = "trait what id chromosome base_pair_location before after" ] || fail "header of changes.tsv"
[ "$(cut -f 1,2 later/changes.tsv | grep -c 'moved hit')" = 26 ] || fail "moved: $(cut -f 1-3 later/changes.tsv | head -40)"
[ "$(grep -c "$(printf 'trait3\tlost hit\t')" later/changes.tsv)" = 1 ] || fail "lost: $(cut -f 1-3 later/changes.tsv | grep lost)"
holds "changes" later/report.html 'Changes since' 'lost hit'
report --run run --compare run --out same.html && [ "$(wc -l <changes.tsv)" = 1 ] || fail "a run against itself"
holds "no changes" same.html 'Nothing changed'
whole later/report.html

# ---- without this and that ----
mkdir -p bare/assoc bare/merged && printf 'what\tcount\nsamples in the store\t5\nvariants in the store\t0\n' >bare/assoc/filters.tsv
report --run bare || fail "a run without traits"
holds "no traits" bare/report.html 'holds no trait' 'No principal components' 'no manifest'
cat >bare/merged/zero.summary.json <<'J'
{"format":"gp-dist summary 1","trait":"zero","model":"linear","samples":5,"cases":null,"lines":0,"status":{"OK":0},"lambda_gc":null,
"lambda_1000":null,"smallest":null,"chromosomes":[],"manhattan":{"columns":1200,"step":0.01,"chromosome":[],"cells":[]},"qq":[]}
J
head -1 run/merged/trait1.hits.tsv >bare/merged/zero.hits.tsv
report --run bare || fail "no variant tested"
holds "no variant tested" bare/report.html 'No variant has a result' 'No variant is below' 'No network was trained'
whole bare/report.html
for part in merged model pca assoc manifest.json merged/trait1.hits.tsv model/trait1/metrics.tsv model/trait2/predictions.tsv \
    model/trait3/training.tsv pca/pca.eigenval; do
    rm -rf part && cp -r run part && rm -r "part/$part"
    report --run part 2>err.log || fail "without $part: $(cat err.log)"
    whole part/report.html
done

cp -r run mixed && printf 'trait\tleft_out\tn\tlambda\tvg\tve\th2\th2_se\tlog_likelihood\tstatus\ntrait2\t1\t1800\t1\t0.4\t0.6\t0.4\t0.02\t-2500.5\tOK\n' \
    >mixed/assoc/variance.tsv
report --run mixed || fail "variance components"
[ "$(grep -c 'By the mixed model' mixed/report.html)" = 1 ] || fail "variance components are trait2's alone"
holds "variance components" mixed/report.html '-2500.5'

# ---- many traits ----
$make_run many --variants 4000 --samples 300 --traits 40 || fail "making many traits"
for copy in 1 2 3; do
    for file in many/merged/trait?*.summary.json; do
        trait=$(basename "$file" .summary.json)
        sed "s/\"$trait\"/\"copy$copy$trait\"/" "$file" >"many/merged/copy$copy$trait.summary.json"
        cp "many/merged/$trait.hits.tsv" "many/merged/copy$copy$trait.hits.tsv"
    done
done
report --run many || fail "160 traits"
[ "$(wc -c <many/report.html)" -lt 3000000 ] || fail "160 traits take $(wc -c <many/report.html) bytes"
holds "many traits" many/report.html 'So that the page stays small'
whole many/report.html

# ---- wrong input ----
expect_error "no run" 64 "command line: report needs --run DIR" ranks 2 report --out x.html
expect_error "nowhere" 64 "nowhere: there is no such directory" ranks 2 report --run nowhere
mkdir nothing && expect_error "an empty directory" 64 "nothing: holds nothing of a run" ranks 2 report --run nothing
expect_error "nowhere to write" 64 "nowhere" ranks 2 report --run run --out nowhere/x.html
expect_error "an old run that is none" 64 "nowhere: there is no such" ranks 2 report --run run --compare nowhere --out x.html
# damaged FILE CONTENT PATTERN
damaged() {
    rm -rf part && cp -r run part && rm -f part/report.html && printf '%s' "$2" >"part/$1"
    expect_error "a damaged $1" 64 "$3" report --run part
    [ ! -e part/report.html ] || fail "a page was written of a damaged $1"
}
damaged merged/trait1.summary.json '{"format":' 'part/merged/trait1.summary.json:1: is not JSON'
damaged merged/trait1.summary.json '{"format":"x"}' "part/merged/trait1.summary.json: its format is 'x'"
damaged merged/trait1.summary.json '' 'part/merged/trait1.summary.json'
damaged merged/trait2.hits.tsv "$(printf 'a\tb\n1\t2\n')" "part/merged/trait2.hits.tsv:1: there is no column 'chromosome'"
damaged model/trait1/predictions.tsv "$(printf 'trait\tobserved\ttransformer\ntrait1\tx\t1\n')" "part/model/trait1/predictions.tsv:2: column 'observed'"
damaged model/trait1/metrics.tsv "$(printf 'trait\tmodel\n1\n')" 'part/model/trait1/metrics.tsv:2: not as many fields'
damaged assoc/filters.tsv "$(printf 'what\tcount\nsamples\tmany\n')" "part/assoc/filters.tsv:2: column 'count'"
damaged pca/pca.eigenvec 'x' "part/pca/pca.eigenvec:1: there is no column 'PC1'"
damaged manifest.json '[]' 'part/manifest.json: its format'
[ ! -e x.html ] && [ ! -e x.html.tmp ] || fail "something was written"

# ---- how it looks ----
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || browser=
if [ -z "$browser" ]; then
    echo "no Chromium here: the page was not looked at"
elif sanitized; then
    echo "not looked at under sanitizers"
else
    mkdir look && python3 "$GP_SOURCE/tests/support/picture.py" "$browser" run/report.html look t1m=manhattan t1q=qq t1p=cells t1l=training \
        t3m=manhattan t3p=roc t3c=classes pca=people eigenvalues=bars log=log >look.log 2>&1 || fail "the picture: $(tail -n 20 look.log)"
    cat look.log
fi
finish
