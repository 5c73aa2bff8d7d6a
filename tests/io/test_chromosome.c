/* Chromosome names: numbers, kinds, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/chromosome.h"

static void number_is_read_with_and_without_chr(void **state) {
    (void)state;
    assert_int_equal(gp_chromosome_number("1"), 1);
    assert_int_equal(gp_chromosome_number("chr22"), 22);
    assert_int_equal(gp_chromosome_number("CHR07"), 7);
    assert_int_equal(gp_chromosome_number("0"), 0);
    assert_int_equal(gp_chromosome_number("1000000000"), 1000000000);
}

static void other_names_have_no_number(void **state) {
    (void)state;
    assert_int_equal(gp_chromosome_number(""), -1);
    assert_int_equal(gp_chromosome_number("chr"), -1);
    assert_int_equal(gp_chromosome_number("X"), -1);
    assert_int_equal(gp_chromosome_number("2L"), -1);
    assert_int_equal(gp_chromosome_number("-1"), -1);
    assert_int_equal(gp_chromosome_number("99999999999999999999"), -1);
}

static void known_names_have_their_kind_in_any_case(void **state) {
    (void)state;
    assert_int_equal(gp_chromosome_kind("X", 0), GP_X);
    assert_int_equal(gp_chromosome_kind("chrx", 22), GP_X);
    assert_int_equal(gp_chromosome_kind("chrY", 0), GP_Y);
    assert_int_equal(gp_chromosome_kind("XY", 0), GP_XY);
    assert_int_equal(gp_chromosome_kind("par1", 0), GP_XY);
    assert_int_equal(gp_chromosome_kind("PAR2", 0), GP_XY);
    assert_int_equal(gp_chromosome_kind("chrXY", 0), GP_XY);
    assert_int_equal(gp_chromosome_kind("M", 0), GP_MT);
    assert_int_equal(gp_chromosome_kind("mt", 0), GP_MT);
    assert_int_equal(gp_chromosome_kind("chrM", 0), GP_MT);
}

static void every_other_name_is_an_autosome(void **state) {
    static const char *const names[] = {"1", "2L", "scaffold_9", "Z", "W", "Xa", "chrUn", "PAR3"};
    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        assert_int_equal(gp_chromosome_kind(names[k], 22), GP_AUTOSOME);
}

static void numbers_above_the_autosomes_are_sex_chromosomes(void **state) {
    (void)state;
    assert_int_equal(gp_chromosome_kind("22", 22), GP_AUTOSOME);
    assert_int_equal(gp_chromosome_kind("23", 22), GP_X);
    assert_int_equal(gp_chromosome_kind("chr24", 22), GP_Y);
    assert_int_equal(gp_chromosome_kind("25", 22), GP_XY);
    assert_int_equal(gp_chromosome_kind("26", 22), GP_MT);
    assert_int_equal(gp_chromosome_kind("27", 22), GP_AUTOSOME);
    assert_int_equal(gp_chromosome_kind("23", 29), GP_AUTOSOME);
    assert_int_equal(gp_chromosome_kind("30", 29), GP_X);
    assert_int_equal(gp_chromosome_kind("23", 0), GP_AUTOSOME);
}

static int compare(const char *a, const char *b) {
    return gp_chromosome_compare(a, gp_chromosome_kind(a, 22), b, gp_chromosome_kind(b, 22));
}

static void order_is_that_of_a_karyotype(void **state) {
    static const char *const names[] = {
        "0", "1",    "chr1", "02", "2",  "10", "22", "30",         "23",          "X", "24",
        "Y", "PAR1", "XY",   "26", "MT", "2L", "2R", "scaffold2a", "scaffold10a", "un"};
    int64_t count = (int64_t)(sizeof names / sizeof names[0]);
    (void)state;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < count; j++) {
            int order = compare(names[i], names[j]);
            if ((order > 0) - (order < 0) != (i > j) - (i < j))
                fail_msg("%s against %s gives %d", names[i], names[j], order);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_is_read_with_and_without_chr),
        cmocka_unit_test(other_names_have_no_number),
        cmocka_unit_test(known_names_have_their_kind_in_any_case),
        cmocka_unit_test(every_other_name_is_an_autosome),
        cmocka_unit_test(numbers_above_the_autosomes_are_sex_chromosomes),
        cmocka_unit_test(order_is_that_of_a_karyotype),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
