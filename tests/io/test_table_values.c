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

#include <math.h>

static const gp_missing_codes no_codes = {0};

/* ---- numbers ---- */

/* The one column of a table of one row. */
static int one_number(const char *field, const gp_missing_codes *codes, double *value,
                      gp_err *err) {
    char *name = "BMI", *cell = gp_mem_string(field, (int64_t)strlen(field), err);
    int64_t line = 3;
    gp_table t = {.path = "pheno.tsv",
                  .has_fid = 1,
                  .columns = 1,
                  .name = &name,
                  .rows = 1,
                  .line = &line,
                  .field = &cell};
    int code = gp_table_numbers(&t, 0, codes, value, err);
    free(cell);
    return code;
}

static void numbers_are_those_of_strtod(void **state) {
    (void)state;
    static const char *const given[] = {"0",
                                        "-0",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "-.5e1",
                                        "1e22",
                                        "1e23",
                                        "9007199254740993",
                                        "1e-22",
                                        "1e-23",
                                        "123456789012345678901234567890",
                                        "0.1",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "1e-400",
                                        "0000000000000000000000000000001",
                                        "0.00000000000000000000000000000000001",
                                        "2.5E+3",
                                        "9223372036854775808e-5",
                                        "18446744073709551616",
                                        "99999999999999999999e-20"};
    for (size_t k = 0; k < sizeof given / sizeof given[0]; k++) {
        gp_err err = {0};
        double value = 7, expected = strtod(given[k], NULL);
        assert_int_equal(one_number(given[k], &no_codes, &value, &err), GP_OK);
        assert_memory_equal(&value, &expected, sizeof value);
    }
}

static void random_numbers_are_those_of_strtod(void **state) {
    (void)state;
    uint64_t r = 1;
    for (int k = 0; k < 200000; k++) {
        char field[64];
        r = r * 6364136223846793005u + 1442695040888963407u;
        int digits = 1 + (int)(r >> 59), exponent = (int)(r >> 20 & 63) - 32;
        snprintf(field, sizeof field, "%s%llu.%0*lluE%d", r & 4096 ? "-" : "",
                 (unsigned long long)(r >> 40), digits % 12 + 1,
                 (unsigned long long)(r >> 13 & 4095), exponent);
        gp_err err = {0};
        double value = 7, expected = strtod(field, NULL);
        assert_int_equal(one_number(field, &no_codes, &value, &err), GP_OK);
        assert_memory_equal(&value, &expected, sizeof value);
    }
}

static void a_huge_exponent_that_digits_make_up_for_is_read_right(void **state) {
    (void)state;
    static const struct {
        int zeros;
        const char *tail;
        int code;
    } given[] = {{1000000, "25e1000001", GP_OK}, {99998, "25e1000000", GP_EINPUT}};
    for (int k = 0; k < 2; k++) {
        gp_err err = {0};
        gp_text field = text_of("0.");
        for (int zero = 0; zero < given[k].zeros; zero++)
            gp_text_add(&field, "0", 1, &err);
        gp_text_print(&field, &err, "%s", given[k].tail);
        double value = 0;
        assert_int_equal(one_number(field.bytes, &no_codes, &value, &err), given[k].code);
        assert_true(given[k].code != GP_OK || value == 2.5);
        gp_text_free(&field);
    }
}

static void what_is_no_decimal_number_is_refused_with_its_place(void **state) {
    (void)state;
    static const char *const given[] = {
        "abc", "1x", "inf",   "-inf", "0x10",  "1e",     "1e+", ".",  "-",        "1,5",
        " 1",  "1 ", "1e999", "--1",  "1.2.3", "nan(1)", "1d5", "e5", "infinity", "-nan"};
    for (size_t k = 0; k < sizeof given / sizeof given[0]; k++) {
        gp_err err = {0};
        double value = 7;
        assert_int_equal(one_number(given[k], &no_codes, &value, &err), GP_EINPUT);
    }
    gp_err err = {0};
    double value = 7;
    one_number("abc", &no_codes, &value, &err);
    assert_string_equal(err.text, "pheno.tsv:3: column 'BMI': 'abc' is not a number (column 3); "
                                  "missing is NA; --missing-code adds a code for it");
}

static void expect_missing(const char *field, const char *list, int missing) {
    gp_err err = {0};
    gp_missing_codes codes;
    double value = 7;
    assert_int_equal(gp_missing_codes_parse(&codes, list, &err), GP_OK);
    assert_int_equal(one_number(field, &codes, &value, &err), GP_OK);
    assert_int_equal(isnan(value), missing);
    gp_missing_codes_free(&codes);
}

static void na_nan_and_an_empty_field_are_missing(void **state) {
    (void)state;
    expect_missing("", NULL, 1);
    expect_missing("NA", "", 1);
    expect_missing("na", NULL, 1);
    expect_missing("nan", NULL, 1);
    expect_missing("NaN", NULL, 1);
    expect_missing("-9", NULL, 0);
    expect_missing("0", NULL, 0);
}

static void missing_codes_compare_as_numbers_or_as_written(void **state) {
    (void)state;
    expect_missing("-9", "-9", 1);
    expect_missing("-9.0", "-9", 1);
    expect_missing("-90e-1", "x,-9,.", 1);
    expect_missing("9", "-9", 0);
    expect_missing(".", "-9,.", 1);
    expect_missing("x", "x", 1);
    gp_err err = {0};
    gp_missing_codes codes;
    assert_int_equal(gp_missing_codes_parse(&codes, "a,,b", &err), GP_EINPUT);
}

/* ---- levels ---- */

static void levels_are_numbered_in_byte_order(void **state) {
    (void)state;
    gp_text text = text_of("IID site\na x\nb NA\nc B\nd a\ne x\nf -9.0\ng B2\nh b\n");
    gp_err err = {0};
    gp_table t;
    gp_missing_codes codes;
    gp_ids levels = {0};
    int64_t level[8];
    assert_int_equal(gp_table_parse(&t, "t", &text, &err), GP_OK);
    assert_int_equal(gp_missing_codes_parse(&codes, "-9", &err), GP_OK);
    assert_int_equal(gp_table_levels(&t, 0, &codes, level, &levels, &err), GP_OK);
    static const char *const name[] = {"B", "B2", "a", "b", "x"};
    static const int64_t expected[] = {4, -1, 0, 2, 4, -1, 1, 3};
    assert_int_equal(levels.count, 5);
    for (int64_t k = 0; k < levels.count; k++)
        assert_string_equal(gp_ids_get(&levels, k), name[k]);
    assert_memory_equal(level, expected, sizeof expected);
    gp_ids_free(&levels);
    gp_missing_codes_free(&codes);
    gp_table_free(&t);
    gp_text_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_strtod),
        cmocka_unit_test(random_numbers_are_those_of_strtod),
        cmocka_unit_test(a_huge_exponent_that_digits_make_up_for_is_read_right),
        cmocka_unit_test(what_is_no_decimal_number_is_refused_with_its_place),
        cmocka_unit_test(na_nan_and_an_empty_field_are_missing),
        cmocka_unit_test(missing_codes_compare_as_numbers_or_as_written),
        cmocka_unit_test(levels_are_numbered_in_byte_order),
    };
    return cmocka_run_group_tests_name("io.table_values", tests, NULL, NULL);
}
