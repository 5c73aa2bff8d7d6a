#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/table.h"
#include "src/base/mem.h"
#include "tests/io/some_samples.h"

#include <sys/resource.h>

static const gp_missing_codes no_codes = {0};

/* ---- cutting ---- */

/* Parses s under the name "t"; it must fail with this text. */
static void expect_error(const char *s, const char *message) {
    gp_text text = text_of(s);
    gp_err err = {0};
    gp_table table;
    assert_int_equal(gp_table_parse(&table, "t", &text, &err), GP_EINPUT);
    assert_string_equal(err.text, message);
    assert_null(table.field);
    gp_text_free(&text);
}

static void expect_cells(const char *s, const char *cells) {
    gp_text text = text_of(s), got = {0};
    gp_err err = {0};
    gp_table t;
    gp_table_parse(&t, "t", &text, &err);
    assert_string_equal(err.text, "");
    for (int64_t k = 0; k < t.columns; k++)
        gp_text_print(&got, &err, "%s|", t.name[k]);
    for (int64_t i = 0; i < t.rows; i++) {
        gp_text_print(&got, &err, " %d:%s.%s", (int)t.line[i], t.has_fid ? t.fid[i] : "", t.iid[i]);
        for (int64_t k = 0; k < t.columns; k++)
            gp_text_print(&got, &err, ",%s", t.field[i * t.columns + k]);
    }
    assert_string_equal(got.bytes, cells);
    gp_table_free(&t);
    gp_text_free(&got);
    gp_text_free(&text);
}

static void a_table_is_cut_at_tabs_and_may_have_empty_fields(void **state) {
    (void)state;
    expect_cells("FID\tIID\tx y\tz\nf\ti\t\t2\ng g\tj\t3\t\n", "x y|z| 2:f.i,,2 3:g g.j,3,");
}

static void a_table_is_cut_at_runs_of_blanks_without_a_tab_in_the_header(void **state) {
    (void)state;
    expect_cells("  IID   x y  \n a  1\t2 \nb 3 4", "x|y| 2:.a,1,2 3:.b,3,4");
}

static void all_four_headers_are_known(void **state) {
    (void)state;
    expect_cells("FID IID x\nf i 1\n", "x| 2:f.i,1");
    expect_cells("#FID IID x\nf i 1\n", "x| 2:f.i,1");
    expect_cells("IID x\ni 1\n", "x| 2:.i,1");
    expect_cells("#IID x\ni 1\n", "x| 2:.i,1");
}

static void crlf_blank_lines_and_a_byte_order_mark_change_nothing(void **state) {
    (void)state;
    expect_cells("\xEF\xBB\xBF\r\nIID\tx\r\n\r\ni\t\r\n  \r\nj\t2\r\n\n", "x| 4:.i, 6:.j,2");
}

static void what_is_wrong_with_a_table_is_said_with_its_line(void **state) {
    (void)state;
    expect_error("", "t: the file is empty; expected a header that starts FID IID or IID");
    expect_error("\n \r\n", "t: the file is empty; expected a header that starts FID IID or IID");
    expect_error("\ni 1\n",
                 "t:2: no header that starts FID IID or IID was found, but 'i'; put one first");
    expect_error("FID,IID,x\n1,1,2\n", "t:1: no header that starts FID IID or IID was found, but "
                                       "'FID,IID,x'; put tabs or blanks in place of commas");
    expect_error("FID x\n",
                 "t:1: no header that starts FID IID or IID was found, but 'x'; put one first");
    expect_error("FID IID\nf i\n",
                 "t:1: the header names only ids; expected a column of values after IID");
    expect_error("IID x\n\n", "t: a header and no line after it; expected a line per sample");
    expect_error("FID\tIID\tx\t\n", "t:1: column 4 has no name; name it");
    expect_error("IID x y x\n", "t:1: column 4: 'x' names an earlier column too; rename one");
    expect_error("IID FID x\n", "t:1: column 2 is called 'FID'; ids come first: FID IID, or IID");
    expect_error("FID IID x\nf i 1\nf j\n",
                 "t:3: 2 fields, the header has 3; a missing value is NA");
    expect_error("FID\tIID\tx\nf\n", "t:2: 1 field, the header has 3; a missing value is NA");
    expect_error("IID x\ni 1 2\n", "t:2: 3 fields, the header has 2; a missing value is NA");
    expect_error("FID\tIID\tx\nf\t\t1\n", "t:2: column 2: the IID is empty; every line needs one");
    expect_error("FID\tIID\tx\n\ti\t1\n",
                 "t:2: column 1: the FID is empty; 0 stands for no family");
    expect_error("FID IID x\nf i 1\ng i 1\n\nf i 2\n",
                 "t:5: 'f i' is there already, in line 2; keep one of them");
    expect_error("IID x\ni 1\ni 1\n", "t:3: 'i' is there already, in line 2; keep one of them");
}

static void a_zero_byte_is_said_with_its_line(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_table table;
    gp_text_add(&text, "IID x\ni 1\nj \0 2\n", 16, &err);
    assert_int_equal(gp_table_parse(&table, "t", &text, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "t:3: a zero byte; "));
    gp_text_free(&text);
}

static void a_long_line_and_a_long_field_are_cut_like_any_other(void **state) {
    (void)state;
    enum { COLUMNS = 20000, LONG = 1000000 };
    gp_err err = {0};
    gp_text text = text_of("IID");
    for (int k = 0; k < COLUMNS; k++)
        gp_text_print(&text, &err, "\tc%d", k);
    gp_text_add(&text, "\ni", 2, &err);
    for (int k = 0; k < COLUMNS - 1; k++)
        gp_text_print(&text, &err, "\t%d", k);
    char *field = gp_mem_alloc(LONG, 1, &err);
    memset(field, 'x', LONG);
    field[0] = '\t';
    gp_text_add(&text, field, LONG, &err);
    gp_table t;
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    assert_int_equal(t.columns, COLUMNS);
    assert_string_equal(t.field[19998], "19998");
    assert_int_equal(strlen(t.field[COLUMNS - 1]), LONG - 1);
    double value = 0;
    assert_int_equal(gp_table_numbers(&t, COLUMNS - 1, &no_codes, &value, &err), GP_EINPUT);
    assert_true(strlen(err.text) < 300);
    free(field);
    gp_table_free(&t);
    gp_text_free(&text);
}

static void text_ends_at_its_length_whatever_lies_behind(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = text_of("IID x\ni 12\nj 2");
    text.length = 9;
    gp_table t;
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    assert_int_equal(t.rows, 1);
    assert_string_equal(t.field[0], "1");
    gp_table_free(&t);
    gp_text_free(&text);
}

static void short_lines_of_a_wide_table_do_not_make_it_ask_for_memory(void **state) {
    (void)state;
    enum { COLUMNS = 1000, FULL = 100, SHORT = 200000 };
    gp_err err = {0};
    gp_text text = text_of("IID");
    for (int k = 0; k < COLUMNS; k++)
        gp_text_print(&text, &err, "\tc%d", k);
    for (int i = 0; i < FULL; i++) {
        gp_text_print(&text, &err, "\n%d", i);
        for (int k = 0; k < COLUMNS; k++)
            gp_text_add(&text, "\t", 1, &err);
    }
    for (int i = 0; i < SHORT; i++)
        gp_text_add(&text, "\ni", 2, &err);
    gp_table t;
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_EINPUT);
    assert_string_equal(err.text, "t:102: 1 field, the header has 1001; a missing value is NA");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    assert_true(usage.ru_maxrss < 1000000); /* KiB; 2 * 10^8 fields would take 1.6 GB */
    gp_text_free(&text);
}

/* ---- choosing ---- */

static void expect_choice(const char *names, const char *result) {
    gp_text text = text_of("IID a b cc\ni 1 2 3\n"), got = {0};
    gp_err err = {0};
    gp_table t;
    int64_t *chosen = NULL, count = 0;
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    gp_table_choose(&t, names, "--pheno-name", &chosen, &count, &err);
    gp_err print = {0};
    gp_text_print(&got, &print, "%s", err.text);
    for (int64_t k = 0; k < count; k++)
        gp_text_print(&got, &print, "%d", (int)chosen[k]);
    assert_string_equal(got.bytes, result);
    free(chosen);
    gp_text_free(&got);
    gp_table_free(&t);
    gp_text_free(&text);
}

static void columns_are_chosen_in_the_order_of_the_list(void **state) {
    (void)state;
    expect_choice(NULL, "012");
    expect_choice("cc,a", "20");
}

static void a_wrong_choice_names_what_there_is(void **state) {
    (void)state;
    expect_choice("a,c", "--pheno-name: 'c' is no column of t; it has a, b, cc");
    expect_choice("b,a,b", "--pheno-name: 'b' is named twice; name it once");
    expect_choice("a,", "--pheno-name: an empty name; expected names with a comma between");
    expect_choice("", "--pheno-name: an empty name; expected names with a comma between");
}

/* ---- joining ---- */

static void rows_find_their_samples_by_both_ids_in_any_order(void **state) {
    (void)state;
    gp_samples samples = {0};
    gp_err err = {0};
    gp_table t;
    int64_t sample[6];
    some_samples(&samples, 3);
    gp_text text = text_of("FID IID x\nF2 I2 1\nF0 I1 1\nF1 I1 1\nF2 I1 1\nF0 I0 1\nF9 I2 1\n");
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    assert_int_equal(gp_table_join(&t, &samples, sample, &err), GP_OK);
    static const int64_t expected[] = {2, 3, 1, -1, 0, -1};
    assert_memory_equal(sample, expected, sizeof expected);
    gp_table_free(&t);
    gp_text_free(&text);
    gp_samples_free(&samples);
}

static void rows_without_fid_find_their_samples_unless_several_answer(void **state) {
    (void)state;
    gp_samples samples = {0};
    gp_err err = {0};
    gp_table t;
    int64_t sample[3];
    some_samples(&samples, 3);
    gp_text text = text_of("IID x\nI2 1\nI7 1\nI0 1\n");
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    assert_int_equal(gp_table_join(&t, &samples, sample, &err), GP_OK);
    static const int64_t expected[] = {2, -1, 0};
    assert_memory_equal(sample, expected, sizeof expected);
    gp_table_free(&t);
    gp_text_free(&text);
    text = text_of("IID x\nI2 1\nI1 1\n");
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    assert_int_equal(gp_table_join(&t, &samples, sample, &err), GP_EINPUT);
    assert_string_equal(
        err.text, "t:3: several samples of the store have the IID 'I1'; put a column FID first");
    gp_table_free(&t);
    gp_text_free(&text);
    gp_samples_free(&samples);
}

/* ---- faults ---- */

/* Everything that a column goes through. */
static void whole_way(gp_text *text, const gp_samples *samples, gp_err *err) {
    gp_table t = {0};
    gp_missing_codes codes = {0};
    gp_ids levels = {0};
    int64_t *chosen = NULL, count = 0, number[64];
    double value[64];
    if (gp_table_parse(&t, "t", text, err) == GP_OK && t.rows <= 64 &&
        gp_missing_codes_parse(&codes, "-9,x", err) == GP_OK &&
        gp_table_choose(&t, t.name[0], "--pheno-name", &chosen, &count, err) == GP_OK &&
        gp_table_levels(&t, chosen[0], &codes, number, &levels, err) == GP_OK &&
        gp_table_join(&t, samples, number, err) == GP_OK)
        gp_table_numbers(&t, chosen[0], &codes, value, err);
    free(chosen);
    gp_ids_free(&levels);
    gp_missing_codes_free(&codes);
    gp_table_free(&t);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    gp_samples samples = {0};
    some_samples(&samples, 100);
    int64_t k = 0;
    for (int failed = 1; failed;) {
        gp_text text = text_of("FID IID x y\nF0 I0 1 a\nF1 I1 2 b\nF2 I2 NA a\n");
        gp_err err = {0};
        gp_mem_fail_at(++k);
        whole_way(&text, &samples, &err);
        gp_mem_fail_at(0);
        failed = err.code != GP_OK;
        if (failed)
            assert_int_equal(err.code, GP_EFAIL);
        gp_text_free(&text);
    }
    assert_true(k > 20);
    gp_samples_free(&samples);
}

static void random_bytes_give_a_table_or_an_error(void **state) {
    (void)state;
    gp_samples samples = {0};
    gp_text text = {0};
    some_samples(&samples, 3);
    uint64_t seed = 20;
    int tables = 0;
    for (int k = 0; k < 100000; k++) {
        gp_err err = {0};
        random_bytes(&text, &seed);
        whole_way(&text, &samples, &err);
        assert_true(err.code == GP_OK || err.code == GP_EINPUT);
        tables += err.code == GP_OK;
    }
    assert_true(tables > 100); /* the bytes do reach the values */
    gp_text_free(&text);
    gp_samples_free(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_cut_at_tabs_and_may_have_empty_fields),
        cmocka_unit_test(a_table_is_cut_at_runs_of_blanks_without_a_tab_in_the_header),
        cmocka_unit_test(all_four_headers_are_known),
        cmocka_unit_test(crlf_blank_lines_and_a_byte_order_mark_change_nothing),
        cmocka_unit_test(what_is_wrong_with_a_table_is_said_with_its_line),
        cmocka_unit_test(a_zero_byte_is_said_with_its_line),
        cmocka_unit_test(a_long_line_and_a_long_field_are_cut_like_any_other),
        cmocka_unit_test(text_ends_at_its_length_whatever_lies_behind),
        cmocka_unit_test(short_lines_of_a_wide_table_do_not_make_it_ask_for_memory),
        cmocka_unit_test(columns_are_chosen_in_the_order_of_the_list),
        cmocka_unit_test(a_wrong_choice_names_what_there_is),
        cmocka_unit_test(rows_find_their_samples_by_both_ids_in_any_order),
        cmocka_unit_test(rows_without_fid_find_their_samples_unless_several_answer),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(random_bytes_give_a_table_or_an_error),
    };
    return cmocka_run_group_tests_name("io.table", tests, NULL, NULL);
}
