/* Errors on their way up, and lines on their way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/err.h"
#include "src/base/say.h"

#include <string.h>

static void first_cause_wins(void **state) {
    (void)state;
    gp_err err = {0};
    assert_int_equal(gp_err_set(&err, GP_EINPUT, "%s:%d: bad", "a.bim", 7), GP_EINPUT);
    assert_int_equal(gp_err_set(&err, GP_EFAIL, "later"), GP_EINPUT);
    assert_int_equal(err.code, GP_EINPUT);
    assert_string_equal(err.text, "a.bim:7: bad");
}

static void control_characters_become_question_marks(void **state) {
    (void)state;
    gp_err err = {0};
    gp_err_set(&err, GP_EFAIL, "a\nb\tc\033[1m\177\r\xc3\xa9");
    assert_string_equal(err.text, "a?b?c?[1m??\xc3\xa9");
}

static void a_text_that_is_too_long_is_cut_and_ends_with_zero(void **state) {
    (void)state;
    char word[3000];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = 0;
    gp_err err = {0};
    gp_err_set(&err, GP_EFAIL, "%s", word);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(err.code, GP_EFAIL);
}

typedef struct heard {
    int times, level;
    char line[2048];
} heard;

static void hear(void *context, int level, const char *line) {
    heard *h = context;
    h->times++;
    h->level = level;
    strncpy(h->line, line, sizeof h->line - 1);
}

static void a_sink_gets_level_and_one_clean_line(void **state) {
    (void)state;
    heard h = {0};
    gp_sink sink = {hear, &h};
    gp_say(&sink, GP_WARN, "%d of %s\n", 3, "a\tb");
    assert_int_equal(h.times, 1);
    assert_int_equal(h.level, GP_WARN);
    assert_string_equal(h.line, "3 of a?b?");
    char word[3000];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = 0;
    gp_say(&sink, GP_NOTE, "%s", word);
    assert_int_equal(h.level, GP_NOTE);
    assert_int_equal(strlen(h.line), 1023);
}

static void no_sink_swallows_everything(void **state) {
    (void)state;
    gp_sink silent = {0};
    gp_say(NULL, GP_WARN, "nobody");
    gp_say(&silent, GP_WARN, "nobody");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_cause_wins),
        cmocka_unit_test(control_characters_become_question_marks),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_and_ends_with_zero),
        cmocka_unit_test(a_sink_gets_level_and_one_clean_line),
        cmocka_unit_test(no_sink_swallows_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
