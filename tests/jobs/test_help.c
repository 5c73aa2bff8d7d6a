#include "jobs/help.h"
#include "jobs/page.h"
#include "src/base/mem.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A command that is not there, with one of everything. */
static const gp_option sample_options[] = {
    {"STORE.h5", GP_OPERAND, 0, NULL, "the store", 0, 0, NULL},
    {"Filters", GP_HEADING, 0, NULL, NULL, 0, 0, NULL},
    {"maf", GP_REAL, 0, "X", "least frequency; default 0", 0, 0.5, NULL},
    {"model", GP_CHOICE, 0, NULL, "which model", 0, 0, "linear|logistic|lmm"},
    {"missing-code", GP_TEXT, 0, "CODE,CODE", "also missing", 0, 0, NULL},
    {0}};

static const gp_command sample = {
    .name = "weigh",
    .summary = "weighs a store",
    .synopsis = "STORE.h5 [--maf X]",
    .description =
        "First words,\nmore of them.\n\nSecond.\n\n    gp-dist weigh a.h5\n\n.dot 'q' a\\b\n",
    .options = sample_options,
};

static void help_of_a_command_is_laid_out(void **state) {
    (void)state;
    gp_text text = {0};
    gp_err err = {0};
    assert_int_equal(gp_help_command(&sample, &text, &err), GP_OK);
    static const char expected[] =
        "gp-dist weigh - weighs a store\n"
        "\n"
        "Usage:\n"
        "  gp-dist weigh STORE.h5 [--maf X]\n"
        "\n"
        "First words, more of them.\n"
        "\n"
        "Second.\n"
        "\n"
        "    gp-dist weigh a.h5\n"
        "\n"
        ".dot 'q' a\\b\n"
        "\n"
        "Options:\n"
        "  STORE.h5                the store\n"
        "\n"
        "Filters:\n"
        "  --maf X                 least frequency; default 0; from 0 to "
        "0.5\n"
        "  --model linear|logistic|lmm\n"
        "                          which model\n"
        "  --missing-code CODE,CODE\n"
        "                          also missing\n"
        "\n"
        "Options of every command:\n";
    assert_memory_equal(text.bytes, expected, sizeof expected - 1);
    gp_text_free(&text);
}

static void roff_keeps_dashes_quotes_dots_and_backslashes(void **state) {
    (void)state;
    gp_text text = {0};
    gp_err err = {0};
    gp_page page = {.to = &text, .err = &err, .roff = 1};
    gp_page_section(&page, "Status");
    gp_page_text(&page, "One.\n\n.dot 'q' a\\b --x\n\n    kept  -1\n\nTERM two\tits text");
    assert_int_equal(err.code, GP_OK);
    assert_string_equal(text.bytes, ".SH \"STATUS\"\n"
                                    "One.\n"
                                    ".PP\n"
                                    "\\&.dot \\(aqq\\(aq a\\eb \\-\\-x\n"
                                    ".PP\n"
                                    ".nf\n"
                                    "    kept  \\-1\n"
                                    ".fi\n"
                                    ".TP\n"
                                    "\\fBTERM\\fR \\fItwo\\fR\n"
                                    "its text\n");
    gp_text_free(&text);
}

/* Lines of at most 80 columns of ASCII without blanks at their ends. */
static void check_lines(const gp_text *text) {
    int64_t column = 0;
    for (int64_t i = 0; i < text->length; i++) {
        unsigned char c = (unsigned char)text->bytes[i];
        assert_true(c == '\n' || (c >= 32 && c < 127));
        if (c == '\n' && i > 0)
            assert_true(text->bytes[i - 1] != ' ');
        column = c == '\n' ? 0 : column + 1;
        assert_true(column <= 80);
    }
}

static void every_page_is_ascii_and_fits_80_columns(void **state) {
    (void)state;
    gp_text text = {0};
    gp_err err = {0};
    assert_int_equal(gp_help_usage(&text, &err), GP_OK);
    assert_int_equal(gp_help_program(&text, &err), GP_OK);
    check_lines(&text);
    for (int i = 0; gp_commands[i] != NULL; i++) {
        text.length = 0;
        assert_int_equal(gp_help_command(gp_commands[i], &text, &err), GP_OK);
        check_lines(&text);
    }
    gp_text_free(&text);
}

static int is_number(const gp_option *o) {
    return o->type == GP_WHOLE || o->type == GP_REAL;
}

static void check_table(const gp_option *options, int own) {
    for (const gp_option *o = options; o->name != NULL; o++) {
        if (o->type == GP_HEADING)
            continue;
        assert_non_null(o->help);
        assert_true(o->help[strlen(o->help) - 1] != '.');
        if (is_number(o))
            assert_true(o->low < o->high);
        if (o->type == GP_CHOICE)
            assert_non_null(o->choices);
        if (o->type == GP_TEXT || is_number(o))
            assert_non_null(o->argument);
        for (const gp_option *p = options; p != o; p++)
            assert_string_not_equal(p->name, o->name);
        for (const gp_option *p = gp_common_options; own && p->name != NULL; p++)
            assert_string_not_equal(p->name, o->name);
    }
}

static void every_option_is_explained_once_and_bounded(void **state) {
    (void)state;
    check_table(gp_common_options, 0);
    for (int i = 0; gp_commands[i] != NULL; i++)
        check_table(gp_commands[i]->options, 1);
}

static void the_man_page_has_every_command_and_option(void **state) {
    (void)state;
    gp_text text = {0};
    gp_err err = {0};
    assert_int_equal(gp_help_man(&text, &err), GP_OK);
    for (int i = 0; gp_commands[i] != NULL; i++) {
        const gp_command *c = gp_commands[i];
        char wanted[256];
        snprintf(wanted, sizeof wanted, ".SS \"%s ", c->name);
        assert_non_null(strstr(text.bytes, wanted));
        for (const gp_option *o = c->options; o->name != NULL; o++) {
            size_t n = (size_t)snprintf(wanted, sizeof wanted, "\\fB\\-\\-");
            for (const char *s = o->name; *s != 0; s++)
                n += (size_t)snprintf(wanted + n, sizeof wanted - n, *s == '-' ? "\\-" : "%c", *s);
            if (o->type != GP_HEADING && o->type != GP_OPERAND)
                assert_non_null(strstr(text.bytes, wanted));
        }
    }
    gp_text_free(&text);
}

/* Words of plain help and of what roff would print from the man page must be the same: here, that
 * a section's title and its first word come in both. */
static void both_pages_have_the_same_sections(void **state) {
    (void)state;
    gp_text plain = {0}, man = {0};
    gp_err err = {0};
    assert_int_equal(gp_help_program(&plain, &err), GP_OK);
    assert_int_equal(gp_help_man(&man, &err), GP_OK);
    static const char *const titles[] = {"Commands", "Config file", "Status", "Signals",
                                         "Environment"};
    for (int i = 0; i < 5; i++) {
        char in_plain[64], in_man[64];
        snprintf(in_plain, sizeof in_plain, "\n%s:\n", titles[i]);
        size_t n = (size_t)snprintf(in_man, sizeof in_man, ".SH \"");
        for (const char *s = titles[i]; *s != 0; s++)
            in_man[n++] = (char)toupper((unsigned char)*s);
        snprintf(in_man + n, sizeof in_man - n, "\"\n");
        assert_non_null(strstr(plain.bytes, in_plain));
        assert_non_null(strstr(man.bytes, in_man));
    }
    gp_text_free(&plain);
    gp_text_free(&man);
}

static void a_refused_allocation_is_an_error(void **state) {
    (void)state;
    for (int64_t k = 1;; k++) {
        gp_text text = {0};
        gp_err err = {0};
        gp_mem_fail_at(k);
        int status = gp_help_man(&text, &err);
        gp_mem_fail_at(0);
        gp_text_free(&text);
        if (status == GP_OK) {
            assert_true(k > 1);
            return;
        }
        assert_int_equal(status, GP_EFAIL);
    }
}

static int place(const char *a, const char *b, const char *c, int *at, gp_err *err) {
    char words[4][32];
    char *argv[4] = {words[0], words[1], words[2], words[3]};
    const char *given[4] = {"gp-dist", a, b, c};
    int argc = 0;
    for (; argc < 4 && given[argc] != NULL; argc++)
        snprintf(words[argc], sizeof words[argc], "%s", given[argc]);
    *err = (gp_err){0};
    return gp_command_place(argc, argv, at, err);
}

static void the_command_is_the_first_word_that_is_no_option(void **state) {
    (void)state;
    int at = 0;
    gp_err err;
    assert_int_equal(place("info", "--threads", "2", &at, &err), GP_OK);
    assert_int_equal(at, 1);
    assert_int_equal(place("--threads", "2", "info", &at, &err), GP_OK);
    assert_int_equal(at, 3);
    assert_int_equal(place("--threads=2", "info", NULL, &at, &err), GP_OK);
    assert_int_equal(at, 2);
    assert_int_equal(place("-h", "info", NULL, &at, &err), GP_OK);
    assert_int_equal(at, 2);
    assert_int_equal(place("--quiet", NULL, NULL, &at, &err), GP_OK);
    assert_int_equal(at, 2); /* argc: none */
    assert_int_equal(place("--maf", "0.1", "assoc", &at, &err), GP_EINPUT);
    assert_string_equal(err.text, "command line: unknown option '--maf' before the command; a "
                                  "command's options follow its name");
    assert_int_equal(place("--hepl", NULL, NULL, &at, &err), GP_EINPUT);
    assert_string_equal(err.text, "command line: unknown option '--hepl'; did you mean '--help'?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_of_a_command_is_laid_out),
        cmocka_unit_test(roff_keeps_dashes_quotes_dots_and_backslashes),
        cmocka_unit_test(every_page_is_ascii_and_fits_80_columns),
        cmocka_unit_test(every_option_is_explained_once_and_bounded),
        cmocka_unit_test(the_man_page_has_every_command_and_option),
        cmocka_unit_test(both_pages_have_the_same_sections),
        cmocka_unit_test(a_refused_allocation_is_an_error),
        cmocka_unit_test(the_command_is_the_first_word_that_is_no_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
