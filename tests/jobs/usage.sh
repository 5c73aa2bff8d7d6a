# What is typed wrongly, asked for, or set by a config file: statuses, one error line, the same on 1 and 4 ranks.
. "$GP_SOURCE/tests/support/lib.sh"

# says WHAT STATUS PATTERN COMMAND...: status, and standard output matches; nothing on standard error.
says() {
    local what=$1 status=$2 pattern=$3 got
    shift 3
    "$@" >out.log 2>err.log
    got=$?
    [ "$got" = "$status" ] || fail "$what: status $got, not $status: $(head -c 300 err.log)"
    [ -s err.log ] && fail "$what: standard error has: $(head -c 300 err.log)"
    grep -qE -- "$pattern" out.log || fail "$what: no /$pattern/ in: $(head -c 300 out.log)"
}

version=$("$GP_DIST" --version)
[[ "$version" =~ ^gp-dist\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "--version: '$version'"
commands=$("$GP_DIST" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
for command in import info simulate grm assoc; do
    grep -qx "$command" <<<"$commands" || fail "--help: no command $command"
done

for n in 1 4; do
    # --help and --version, with and without a command, before and after it, whatever else is typed.
    says "help, $n ranks" 0 '^Commands:' ranks $n --help
    [ "$(grep -c '^Commands:' out.log)" = 1 ] || fail "help, $n ranks: not printed once"
    says "-h, $n ranks" 0 '^Commands:' ranks $n -h
    says "version, $n ranks" 0 "^$version\$" ranks $n --version
    [ "$(wc -l <out.log)" = 1 ] || fail "version, $n ranks: not printed once"
    says "help of a command, $n ranks" 0 '^gp-dist assoc - ' ranks $n assoc --help
    says "help before a command, $n ranks" 0 '^gp-dist assoc - ' ranks $n --help assoc
    says "help beside a mistake, $n ranks" 0 '^gp-dist assoc - ' ranks $n assoc --help --bogus
    says "version of a command, $n ranks" 0 "^$version\$" ranks $n assoc --version

    # Usage errors.
    expect_error "no command, $n ranks" 64 'command line: a command is missing' ranks $n
    grep -q '^  gp-dist COMMAND' err.log || fail "no command, $n ranks: no short usage"
    expect_error "unknown command, $n ranks" 64 \
        "command line: unknown command 'improt'; did you mean 'import'\? There are import, info, simulate, .*assoc" \
        ranks $n improt --bfile a
    expect_error "unknown command far off, $n ranks" 64 "command line: unknown command 'zzzzzz'; there are import, " \
        ranks $n zzzzzz
    expect_error "unknown option, $n ranks" 64 "command line: unknown option '--outt'; did you mean '--out'\?" \
        ranks $n assoc --outt x
    expect_error "wrong number, $n ranks" 64 \
        "command line: --maf: '0.7x' is not a number; give a number from 0 to 0.5" ranks $n assoc --maf 0.7x
    expect_error "option twice, $n ranks" 64 'command line: --out is given twice' ranks $n assoc --out a --out b
    expect_error "missing value, $n ranks" 64 'command line: --out needs a value: ' ranks $n assoc --out
    expect_error "config alone means run, $n ranks" 64 'command line: run needs --pheno FILE' \
        ranks $n --config /dev/null --store x.h5
    expect_error "missing config of a run, $n ranks" 64 '(\./)?nowhere\.conf' ranks $n --config nowhere.conf
    expect_error "missing config, $n ranks" 64 '(\./)?nowhere\.conf' ranks $n assoc --config nowhere.conf
done

says "help names the range" 0 'from 0 to 0\.5' "$GP_DIST" assoc --help
for command in $commands; do
    says "help of $command" 0 "^  gp-dist $command" "$GP_DIST" "$command" --help
    awk 'length > 80 { exit 1 }' out.log || fail "help of $command: lines above 80 columns"
done

expect_error "wrong choice" 64 "command line: --model: 'magic' is not one of .*linear" "$GP_DIST" assoc --model magic
expect_error "out of range" 64 'command line: --maf: 0\.6 is out of range; .* from 0 to 0\.5' "$GP_DIST" assoc --maf 0.6
expect_error "value of a flag" 64 'command line: --quiet takes no value' "$GP_DIST" assoc --quiet=yes
expect_error "stray word" 64 "command line: 'extra' is not expected here" "$GP_DIST" assoc extra
expect_error "short option" 64 "command line: unknown option '-o'; options have long names" "$GP_DIST" assoc -o x
expect_error "option before the command" 64 "command line: unknown option '--maf' before the command" \
    "$GP_DIST" --maf 0.1 assoc
expect_error "ranks that disagree" 64 'command line: the ranks were started with different arguments' \
    "$GP_MPIEXEC" --quiet --oversubscribe -n 1 "$GP_DIST" assoc : -n 1 "$GP_DIST" info x.h5

# Config files. --maf 0.6 on the command line is met after the file is read and before it is parsed.
config_error() {
    printf "$2" >study.conf
    expect_error "config: $1" 64 "$3" "$GP_DIST" assoc --config study.conf
}
config_error "unknown option" '# study\n\nmafff = 0.1\n' "study\.conf:3: unknown option 'mafff'"
config_error "option of another command" 'bfile = x\n' "study\.conf:1: unknown option 'bfile'"
config_error "no equals sign" 'maf 0.1\n' "study\.conf:1: 'maf 0\.1' has no '='"
config_error "wrong value" 'maf = many\r\n' "study\.conf:1: maf: 'many' is not a number; give a number from 0 to 0\.5"
config_error "empty value" 'maf =   # none\n' 'study\.conf:1: maf needs a value'
config_error "given twice" 'maf = 0.1\nmaf = 0.1\n' "study\.conf:2: 'maf' is given twice, first in line 1"
config_error "open quote" 'out = "x\n' "study\.conf:1: a closing '\"' is missing"
config_error "neither yes nor no" 'quiet = maybe\n' "study\.conf:1: quiet: 'maybe' is neither yes nor no"
config_error "a zero byte" 'maf = 0.1\n\0maf = x\n' 'study\.conf: .*zero byte'
config_error "a config in a config" 'config = b.conf\n' "study\.conf:1: 'config' belongs on the command line"

printf 'store = from_config.h5\nout = from_config\npheno = p.tsv\n' >study.conf
: >p.tsv
expect_error "config sets an option" 64 '.*from_config\.h5' "$GP_DIST" assoc --config study.conf
expect_error "command line wins" 64 '.*from_line\.h5' "$GP_DIST" assoc --config study.conf --store from_line.h5
expect_error "config before the command" 64 '.*from_config\.h5' "$GP_DIST" --config study.conf assoc
[ -e from_config ] && fail "a refused run left its output directory"

# Standard output that takes nothing.
if [ -w /dev/full ]; then
    "$GP_DIST" --help >/dev/full 2>err.log
    [ $? = 1 ] || fail "help to a full disk: no status 1"
    grep -q '^gp-dist: error: standard output' err.log || fail "help to a full disk: $(cat err.log)"
fi

# The man page is made of the same tables, and troff takes it without complaint.
"$GP_DIST" --man >gp-dist.1 || fail "--man: status $?"
for command in $commands; do
    grep -q "^\.SS \"$command " gp-dist.1 || fail "man page: no $command"
done
cmp -s gp-dist.1 "$GP_BUILD/jobs/gp-dist.1" || fail "man page: the build's differs from --man"
if command -v groff >/dev/null; then
    groff -man -ww -Tascii -z gp-dist.1 2>err.log
    [ -s err.log ] && fail "man page: $(head -3 err.log)"
fi

finish
