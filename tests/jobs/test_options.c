#include "jobs/options.h"
#include "jobs/suggest.h"
#include "src/base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Options of a command that is not there. */
typedef struct values {
    const char *out, *model, *store;
    double maf;
    int64_t mac;
    int loco;
} values;

static const gp_option options[] = {
    {"STORE.h5", GP_OPERAND, offsetof(values, store), NULL, "the store", -1, 0, NULL},
    {"Filters", GP_HEADING, 0, NULL, NULL, 0, 0, NULL},
    {"maf", GP_REAL, offsetof(values, maf), "X", "least frequency", 0, 0.5, NULL},
    {"mac", GP_WHOLE, offsetof(values, mac), "N", "least count", 0, INFINITY, NULL},
    {"Output", GP_HEADING, 0, NULL, NULL, 0, 0, NULL},
    {"out", GP_TEXT, offsetof(values, out), "DIR", "where", 0, 0, NULL},
    {"model", GP_CHOICE, offsetof(values, model), NULL, "which", 0, 0, "linear|logistic|lmm"},
    {"loco", GP_FLAG, offsetof(values, loco), NULL, "leave one out", 0, 0, NULL},
    {0}};

/* A store that must be named. */
static const gp_option with_operand[] = {
    {"STORE.h5", GP_OPERAND, offsetof(values, store), NULL, "the store", 0, 0, NULL},
    {"out", GP_TEXT, offsetof(values, out), "DIR", "where", 0, 0, NULL},
    {0}};

enum { MOST_WORDS = 16, CONFIG_BYTES = 512 };

typedef struct outcome {
    values v;
    gp_common common;
    gp_err err;
    char *argv[MOST_WORDS];
    char line[CONFIG_BYTES], config[CONFIG_BYTES];
} outcome;

/* Parses the words of a line, parted by single blanks ('~' stands for an empty word). */
static int parse_with(outcome *o, const gp_option *table, const char *line, const char *config) {
    *o = (outcome){.v = {.maf = 0.25, .mac = 3, .model = "linear"}};
    gp_parse parse = {.options = table, .values = &o->v, .common = &o->common, .argv = o->argv};
    snprintf(o->line, sizeof o->line, "%s", line);
    for (char *word = strtok(o->line, " "); word != NULL; word = strtok(NULL, " ")) {
        if (word[0] == '~')
            word[0] = 0;
        o->argv[parse.argc++] = word;
    }
    if (config != NULL) {
        snprintf(o->config, sizeof o->config, "%s", config);
        parse.config_text = o->config;
    }
    return gp_options_parse(&parse, &o->err);
}

static int parse_line(outcome *o, const char *line) {
    return parse_with(o, options, line, NULL);
}

static int parse_config(outcome *o, const char *line, const char *config) {
    char all[CONFIG_BYTES];
    snprintf(all, sizeof all, "--config study.conf %s", line);
    return parse_with(o, options, all, config);
}

static void refused(const char *line, const char *message) {
    outcome o;
    assert_int_equal(parse_line(&o, line), GP_EINPUT);
    assert_string_equal(o.err.text, message);
}

static void config_refused(const char *config, const char *message) {
    outcome o;
    assert_int_equal(parse_config(&o, "", config), GP_EINPUT);
    assert_string_equal(o.err.text, message);
}

static void every_type_is_parsed_in_both_forms(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_line(&o, "--maf 0.05 --mac=7 --out d --model lmm --loco s.h5"), GP_OK);
    assert_true(o.v.maf == 0.05);
    assert_int_equal(o.v.mac, 7);
    assert_string_equal(o.v.out, "d");
    assert_string_equal(o.v.model, "lmm");
    assert_int_equal(o.v.loco, 1);
    assert_string_equal(o.v.store, "s.h5");
    assert_int_equal(
        parse_line(&o, "--maf=1e-3 --mac 9007199254740993 --out=a=b --threads 4 --quiet"), GP_OK);
    assert_true(o.v.maf == 1e-3);
    assert_true(o.v.mac == INT64_C(9007199254740993));
    assert_string_equal(o.v.out, "a=b");
    assert_int_equal(o.common.threads, 4);
    assert_int_equal(o.common.quiet, 1);
}

static void what_is_not_given_keeps_its_default(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_line(&o, ""), GP_OK);
    assert_true(o.v.maf == 0.25);
    assert_int_equal(o.v.mac, 3);
    assert_string_equal(o.v.model, "linear");
    assert_null(o.v.out);
}

static void a_value_may_start_with_a_dash_but_not_with_two(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_line(&o, "--out -9"), GP_OK);
    assert_string_equal(o.v.out, "-9");
    refused("--out --loco", "command line: --out needs a value: DIR");
    assert_int_equal(parse_line(&o, "--out=--loco"), GP_OK);
    assert_string_equal(o.v.out, "--loco");
}

static void two_dashes_end_the_options(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_line(&o, "-- --maf"), GP_OK);
    assert_string_equal(o.v.store, "--maf");
    refused("-- a --maf", "command line: '--maf' is not expected here; option names start with --");
}

static void a_wrong_value_is_named_with_what_is_allowed(void **state) {
    (void)state;
    refused("--maf 0.7x",
            "command line: --maf: '0.7x' is not a number; give a number from 0 to 0.5");
    refused("--maf 0.51", "command line: --maf: 0.51 is out of range; give a number from 0 to 0.5");
    refused("--maf=-0.1", "command line: --maf: -0.1 is out of range; give a number from 0 to 0.5");
    refused("--mac 1.5",
            "command line: --mac: '1.5' is not a whole number; give a whole number at least 0");
    refused("--mac 9223372036854775808",
            "command line: --mac: 9223372036854775808 is out of range; "
            "give a whole number at least 0");
    refused("--model ridge", "command line: --model: 'ridge' is not one of linear|logistic|lmm");
    refused("--model log", "command line: --model: 'log' is not one of linear|logistic|lmm");
    refused("--loco=yes", "command line: --loco takes no value");
}

static void a_number_is_decimal_and_nothing_else(void **state) {
    (void)state;
    static const char *const wrong[] = {"nan", "inf", "0x1p-2", "1e",  ".",  "-",
                                        "+",   "1e+", "0.1.2",  "0,1", "e5", "0.1f"};
    static const char *const right[] = {"0.5", ".5", "5e-1", "+0.5", "0.005E2", "00.50"};
    outcome o;
    char line[64];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(line, sizeof line, "--maf=%s", wrong[i]);
        assert_int_equal(parse_line(&o, line), GP_EINPUT);
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        snprintf(line, sizeof line, "--maf=%s", right[i]);
        assert_int_equal(parse_line(&o, line), GP_OK);
        assert_true(o.v.maf == 0.5);
    }
}

static void a_missing_or_empty_value_is_an_error(void **state) {
    (void)state;
    refused("--maf", "command line: --maf needs a value: X from 0 to 0.5");
    refused("--maf=", "command line: --maf needs a value: X from 0 to 0.5");
    refused("--out ~", "command line: --out needs a value: DIR");
    refused("--model", "command line: --model needs a value: linear|logistic|lmm");
}

static void an_option_given_twice_is_an_error(void **state) {
    (void)state;
    refused("--maf 0.1 --maf 0.1", "command line: --maf is given twice");
    refused("--loco --loco", "command line: --loco is given twice");
    refused("--quiet --quiet", "command line: --quiet is given twice");
}

static void an_unknown_option_is_answered_with_the_nearest(void **state) {
    (void)state;
    refused("--maff 1", "command line: unknown option '--maff'; did you mean '--maf'?");
    refused("--mdoel=x", "command line: unknown option '--mdoel'; did you mean '--model'?");
    refused("--thr 2", "command line: unknown option '--thr'; did you mean '--threads'?");
    refused("--zzz",
            "command line: unknown option '--zzz'; --help lists the options of this command");
    refused("-m", "command line: unknown option '-m'; options have long names, as in --help");
    refused("--Filters",
            "command line: unknown option '--Filters'; --help lists the options of this command");
}

static void operands_are_counted(void **state) {
    (void)state;
    outcome o;
    refused("a b", "command line: 'b' is not expected here; option names start with --");
    refused("~", "command line: STORE.h5 is empty");
    assert_int_equal(parse_with(&o, with_operand, "--out x", NULL), GP_EINPUT);
    assert_string_equal(o.err.text, "command line: STORE.h5 is missing: the store");
    assert_int_equal(parse_with(&o, with_operand, "--help", NULL), GP_OK);
    assert_int_equal(parse_with(&o, with_operand, "--out x s.h5", NULL), GP_OK);
}

static void a_config_file_sets_options(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_config(&o, "",
                                  "\xEF\xBB\xBF# a study\r\n"
                                  "maf = 0.01   # rare\r\n"
                                  "\r\n"
                                  "  mac=12\r\n"
                                  "out = \"my dir # 1\"  # quoted\r\n"
                                  "model\t=\tlmm\n"
                                  "loco = Yes\n"
                                  "threads = 2\n"
                                  "quiet = off"),
                     GP_OK);
    assert_true(o.v.maf == 0.01);
    assert_int_equal(o.v.mac, 12);
    assert_string_equal(o.v.out, "my dir # 1");
    assert_string_equal(o.v.model, "lmm");
    assert_int_equal(o.v.loco, 1);
    assert_int_equal(o.common.threads, 2);
    assert_int_equal(o.common.quiet, 0);
}

static void a_hash_inside_a_word_is_no_comment(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_config(&o, "", "out = run#3\n"), GP_OK);
    assert_string_equal(o.v.out, "run#3");
}

static void the_command_line_wins_over_the_config_file(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_config(&o, "--maf 0.2 --model lmm --loco",
                                  "maf = 0.01\nmac = 5\nmodel = linear\nloco = no\n"),
                     GP_OK);
    assert_true(o.v.maf == 0.2);
    assert_int_equal(o.v.mac, 5);
    assert_string_equal(o.v.model, "lmm");
    assert_int_equal(o.v.loco, 1);
}

static void an_overridden_line_is_checked_all_the_same(void **state) {
    (void)state;
    outcome o;
    assert_int_equal(parse_config(&o, "--maf 0.2", "mac = 1\nmaf = x\n"), GP_EINPUT);
    assert_string_equal(o.err.text,
                        "study.conf:2: maf: 'x' is not a number; give a number from 0 to 0.5");
}

static void a_bad_config_line_is_named(void **state) {
    (void)state;
    config_refused("mac = 1\n\nmaff = 0.1\n",
                   "study.conf:3: unknown option 'maff'; did you mean 'maf'?");
    config_refused("--maf = 0.1\n", "study.conf:1: unknown option '--maf'; did you mean 'maf'?");
    config_refused("# x\nmaf 0.1\n",
                   "study.conf:2: 'maf 0.1' has no '='; a line is: option = value");
    config_refused("= 0.1\n", "study.conf:1: nothing stands before '='; a line is: option = value");
    config_refused("maf =\n", "study.conf:1: maf needs a value: X from 0 to 0.5");
    config_refused("out = # none\n", "study.conf:1: out needs a value: DIR");
    config_refused("out = \"\"\n", "study.conf:1: out needs a value: DIR");
    config_refused("out = \"a\n", "study.conf:1: a closing '\"' is missing");
    config_refused("out = \"a\" b\n", "study.conf:1: 'b' stands behind the closing '\"'");
    config_refused("loco = maybe\n", "study.conf:1: loco: 'maybe' is neither yes nor no");
    config_refused("mac = 1\nmac = 2\n", "study.conf:2: 'mac' is given twice, first in line 1");
    config_refused("config = b.conf\n",
                   "study.conf:1: 'config' belongs on the command line, not in a config file");
    config_refused("STORE.h5 = a\n", "study.conf:1: unknown option 'STORE.h5'; --help lists the "
                                     "options of this command");
}

static void control_characters_do_not_reach_the_message(void **state) {
    (void)state;
    config_refused("a\x1b[31m = 1\n", "study.conf:1: unknown option 'a?[31m'; --help lists the "
                                      "options of this command");
}

static void config_and_flags_are_found_before_parsing(void **state) {
    (void)state;
    char *a[] = {(char[]){"gp-dist"}, (char[]){"x"}, (char[]){"--config=f"}, (char[]){"--help"}};
    char *b[] = {(char[]){"gp-dist"}, (char[]){"--config"}, (char[]){"f"}, (char[]){"-h"}};
    char *c[] = {(char[]){"gp-dist"}, (char[]){"--"}, (char[]){"--help"}, (char[]){"--config"}};
    assert_string_equal(gp_options_find_config(4, a, 1), "f");
    assert_string_equal(gp_options_find_config(4, b, 1), "f");
    assert_null(gp_options_find_config(4, c, 1));
    assert_null(gp_options_find_config(2, b, 1));
    assert_true(gp_options_find_flag(4, a, 1, "help"));
    assert_true(gp_options_find_flag(4, b, 1, "help"));
    assert_false(gp_options_find_flag(4, b, 1, "version"));
    assert_false(gp_options_find_flag(4, c, 1, "help"));
}

static void a_refused_allocation_is_an_error(void **state) {
    (void)state;
    outcome o;
    for (int64_t k = 1;; k++) {
        gp_mem_fail_at(k);
        int status = parse_line(&o, "--maf 0.1");
        gp_mem_fail_at(0);
        if (status == GP_OK) {
            assert_true(k > 1);
            return;
        }
        assert_int_equal(status, GP_EFAIL);
    }
}

static const char *suggested(const char *typed) {
    static const char *const names[] = {"import", "info", "simulate", "assoc"};
    gp_suggestion s = {.typed = typed, .length = (int64_t)strlen(typed)};
    for (int i = 0; i < 4; i++)
        gp_suggest(&s, names[i]);
    return s.name ? s.name : "";
}

static void suggestions_are_near(void **state) {
    (void)state;
    assert_string_equal(suggested("imprt"), "import");        /* one letter missing */
    assert_string_equal(suggested("improt"), "import");       /* two swapped */
    assert_string_equal(suggested("assocc"), "assoc");        /* one too many */
    assert_string_equal(suggested("sim"), "simulate");        /* a beginning */
    assert_string_equal(suggested("simulation"), "simulate"); /* 3 of 10 letters */
    assert_string_equal(suggested("train"), "");
    assert_string_equal(suggested(""), "");
    assert_string_equal(suggested("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                        "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_parsed_in_both_forms),
        cmocka_unit_test(what_is_not_given_keeps_its_default),
        cmocka_unit_test(a_value_may_start_with_a_dash_but_not_with_two),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_wrong_value_is_named_with_what_is_allowed),
        cmocka_unit_test(a_number_is_decimal_and_nothing_else),
        cmocka_unit_test(a_missing_or_empty_value_is_an_error),
        cmocka_unit_test(an_option_given_twice_is_an_error),
        cmocka_unit_test(an_unknown_option_is_answered_with_the_nearest),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(a_config_file_sets_options),
        cmocka_unit_test(a_hash_inside_a_word_is_no_comment),
        cmocka_unit_test(the_command_line_wins_over_the_config_file),
        cmocka_unit_test(an_overridden_line_is_checked_all_the_same),
        cmocka_unit_test(a_bad_config_line_is_named),
        cmocka_unit_test(control_characters_do_not_reach_the_message),
        cmocka_unit_test(config_and_flags_are_found_before_parsing),
        cmocka_unit_test(a_refused_allocation_is_an_error),
        cmocka_unit_test(suggestions_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
