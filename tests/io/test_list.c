#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/list.h"
#include "src/base/mem.h"
#include "tests/io/some_samples.h"

/* ---- samples: F0 I0, F1 I1, F2 I2, F0 I1 ---- */

/* "MARKS listed/unknown", or the error. */
static void expect_samples(const char *list, const char *result) {
    gp_samples samples = {0};
    some_samples(&samples, 3);
    gp_text text = text_of(list), got = {0};
    gp_err err = {0}, print = {0};
    uint8_t mark[4];
    int64_t listed = 0, unknown = 0;
    if (gp_list_samples("k", &text, &samples, mark, &listed, &unknown, &err) == GP_OK)
        gp_text_print(&got, &print, "%d%d%d%d %d/%d", mark[0], mark[1], mark[2], mark[3],
                      (int)listed, (int)unknown);
    assert_string_equal(err.code == GP_OK ? got.bytes : err.text, result);
    gp_text_free(&got);
    gp_text_free(&text);
    gp_samples_free(&samples);
}

static void a_list_of_both_ids_marks_its_samples(void **state) {
    (void)state;
    expect_samples("F0 I1\nF2\tI2 more columns\n\nF7 I7\r\nF0 I1\nF7 I7", "0011 3/1");
    expect_samples("F0\tI0\tx\n", "1000 1/0");
}

static void a_list_of_iids_marks_its_samples(void **state) {
    (void)state;
    expect_samples("I0\nI2\nI9\nI2\n", "1010 3/1");
}

static void a_header_is_optional_and_says_what_the_columns_are(void **state) {
    (void)state;
    expect_samples("FID IID\nF1 I1\n", "0100 1/0");
    expect_samples("#FID\tIID\tsex\nF1\tI1\t2\n", "0100 1/0");
    expect_samples("IID sex\nI2 1\n", "0010 1/0");
    expect_samples("#IID\nI2\n", "0010 1/0");
}

static void a_list_of_samples_that_cannot_be_read_is_an_error_with_its_line(void **state) {
    (void)state;
    expect_samples("", "k: the list is empty; expected lines of FID IID, or of IID");
    expect_samples("#IID\n\n", "k: the list is empty; expected lines of FID IID, or of IID");
    expect_samples("F0 I0\nF1\n", "k:2: expected FID and IID, as in the first line");
    expect_samples("I0\nF1 I1\n", "k:2: expected one IID, as in the first line");
    expect_samples("I0\nI1\n",
                   "k:2: several samples of the store have the IID 'I1'; write FID and IID");
}

/* ---- variants ---- */

static void a_list_of_variants_is_the_set_of_first_fields(void **state) {
    (void)state;
    gp_text text = text_of("rs2\nrs1 x\r\n\n rs2\n");
    gp_err err = {0};
    gp_ids ids = {0};
    assert_int_equal(gp_list_variants("v", &text, &ids, &err), GP_OK);
    assert_int_equal(ids.count, 2);
    assert_int_equal(gp_ids_find(&ids, "rs1", 3), 1);
    gp_ids_free(&ids);
    gp_text_free(&text);
    text = text_of("\n");
    assert_int_equal(gp_list_variants("v", &text, &ids, &err), GP_EINPUT);
    assert_string_equal(err.text, "v: the list is empty; expected a variant id per line");
    gp_ids_free(&ids);
    gp_text_free(&text);
}

/* ---- chromosomes ---- */

/* Marks of the chromosomes 1, chr2, 03, 10, 23 (X), Y, MT, HLA-A, chrUn_7; or the error. */
static void expect_chromosomes(const char *list, const char *result) {
    gp_chromosome has[] = {{.name = "1"},
                           {.name = "chr2"},
                           {.name = "03"},
                           {.name = "10"},
                           {.name = "23", .kind = GP_X},
                           {.name = "Y", .kind = GP_Y},
                           {.name = "MT", .kind = GP_MT},
                           {.name = "HLA-A"},
                           {.name = "chrUn_7"}};
    enum { COUNT = sizeof has / sizeof has[0] };
    const gp_chromosome *chromosome[COUNT];
    for (int k = 0; k < COUNT; k++)
        chromosome[k] = &has[k];
    uint8_t mark[COUNT];
    char got[COUNT + 1] = "";
    gp_err err = {0};
    if (gp_list_chromosomes(list, chromosome, COUNT, mark, &err) == GP_OK)
        for (int k = 0; k < COUNT; k++)
            got[k] = mark[k] ? '1' : '0';
    assert_string_equal(err.code == GP_OK ? got : err.text, result);
}

static void chromosomes_match_with_or_without_chr(void **state) {
    (void)state;
    expect_chromosomes("1", "100000000");
    expect_chromosomes("chr1", "100000000");
    expect_chromosomes("2", "010000000");
    expect_chromosomes("CHR2", "010000000");
    expect_chromosomes("3", "001000000");
    expect_chromosomes("Un_7", "000000001");
    expect_chromosomes("chrUn_7", "000000001");
}

static void ranges_mark_what_there_is_between(void **state) {
    (void)state;
    expect_chromosomes("1-22", "111100000");
    expect_chromosomes("2-9,Y", "011001000");
    expect_chromosomes("chr2-chr3", "011000000");
    expect_chromosomes("1-999999999999999", "111110000");
}

static void sex_chromosomes_match_by_kind_and_by_name(void **state) {
    (void)state;
    expect_chromosomes("X", "000010000");
    expect_chromosomes("chrX", "000010000");
    expect_chromosomes("23", "000010000");
    expect_chromosomes("x,y,M", "000011100");
}

static void a_name_with_a_dash_is_a_name(void **state) {
    (void)state;
    expect_chromosomes("HLA-A", "000000010");
}

static void one_name_is_taken_as_the_list_takes_it(void **state) {
    (void)state;
    static const gp_chromosome x = {.name = "23", .kind = GP_X}, three = {.name = "chr3"};
    assert_true(gp_list_names("23", &x) && gp_list_names("chrX", &x) && gp_list_names("x", &x));
    assert_true(gp_list_names("3", &three) && gp_list_names("03", &three));
    assert_false(gp_list_names("1-22", &three) || gp_list_names("", &three) ||
                 gp_list_names("X", &three) || gp_list_names("3", &x));
}

static void a_wrong_item_is_named(void **state) {
    (void)state;
    static const char has[] = "it has 1, chr2, 03, 10, 23, Y, MT, HLA-A, chrUn_7";
    static const char *const item[] = {"5", "1-", "-1", "4-9", "Z", "XY", "chr", "1-2-3", " 1"};
    char message[200];
    for (size_t k = 0; k < sizeof item / sizeof item[0]; k++) {
        snprintf(message, sizeof message, "--chr: '%s' is no chromosome of the store; %s", item[k],
                 has);
        expect_chromosomes(item[k], message);
    }
    expect_chromosomes("22-1", "--chr: '22-1' runs backwards; write 1-22");
    expect_chromosomes("1,,2", "--chr: an empty item; expected something like 1-22,X");
    expect_chromosomes("", "--chr: an empty item; expected something like 1-22,X");
}

static void a_store_of_many_chromosomes_is_listed_in_part(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    char name[COUNT][16];
    gp_chromosome has[COUNT];
    const gp_chromosome *chromosome[COUNT];
    for (int k = 0; k < COUNT; k++) {
        snprintf(name[k], sizeof name[k], "contig%d", k);
        has[k] = (gp_chromosome){.name = name[k]};
        chromosome[k] = &has[k];
    }
    uint8_t mark[COUNT];
    gp_err err = {0};
    assert_int_equal(gp_list_chromosomes("1", chromosome, COUNT, mark, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "contig0, contig1, "));
    assert_non_null(strstr(err.text, " more"));
}

/* ---- faults ---- */

static void every_allocation_may_fail(void **state) {
    (void)state;
    gp_samples samples = {0};
    some_samples(&samples, 100);
    uint8_t mark[101];
    int64_t k = 0, listed = 0, unknown = 0;
    for (int failed = 1; failed;) {
        gp_text both = text_of("F0 I0\nF1 I1\n"), single = text_of("I0\n"), ids = text_of("a\nb\n");
        gp_ids set = {0};
        gp_err err = {0};
        gp_mem_fail_at(++k);
        if (gp_list_samples("k", &both, &samples, mark, &listed, &unknown, &err) == GP_OK &&
            gp_list_samples("k", &single, &samples, mark, &listed, &unknown, &err) == GP_OK)
            gp_list_variants("v", &ids, &set, &err);
        gp_mem_fail_at(0);
        failed = err.code != GP_OK;
        if (failed)
            assert_int_equal(err.code, GP_EFAIL);
        gp_ids_free(&set);
        gp_text_free(&both);
        gp_text_free(&single);
        gp_text_free(&ids);
    }
    assert_true(k > 10);
    gp_samples_free(&samples);
}

static void random_bytes_give_a_list_or_an_error(void **state) {
    (void)state;
    gp_chromosome has = {.name = "chr1"};
    const gp_chromosome *chromosome = &has;
    gp_samples samples = {0};
    gp_text text = {0};
    some_samples(&samples, 3);
    uint64_t seed = 7;
    int lists = 0;
    for (int k = 0; k < 100000; k++) {
        gp_err err[3] = {{0}};
        gp_ids ids = {0};
        uint8_t mark[4];
        int64_t listed = 0, unknown = 0;
        random_bytes(&text, &seed);
        if (text.length > 0)
            gp_list_chromosomes(text.bytes, &chromosome, 1, mark, &err[0]);
        if (k % 2)
            gp_list_samples("k", &text, &samples, mark, &listed, &unknown, &err[1]);
        else
            gp_list_variants("v", &text, &ids, &err[2]);
        for (int e = 0; e < 3; e++)
            assert_true(err[e].code == GP_OK || err[e].code == GP_EINPUT);
        lists += err[1].code == GP_OK;
        gp_ids_free(&ids);
    }
    assert_true(lists > 100);
    gp_text_free(&text);
    gp_samples_free(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_both_ids_marks_its_samples),
        cmocka_unit_test(a_list_of_iids_marks_its_samples),
        cmocka_unit_test(a_header_is_optional_and_says_what_the_columns_are),
        cmocka_unit_test(a_list_of_samples_that_cannot_be_read_is_an_error_with_its_line),
        cmocka_unit_test(a_list_of_variants_is_the_set_of_first_fields),
        cmocka_unit_test(chromosomes_match_with_or_without_chr),
        cmocka_unit_test(ranges_mark_what_there_is_between),
        cmocka_unit_test(sex_chromosomes_match_by_kind_and_by_name),
        cmocka_unit_test(a_name_with_a_dash_is_a_name),
        cmocka_unit_test(one_name_is_taken_as_the_list_takes_it),
        cmocka_unit_test(a_wrong_item_is_named),
        cmocka_unit_test(a_store_of_many_chromosomes_is_listed_in_part),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(random_bytes_give_a_list_or_an_error),
    };
    return cmocka_run_group_tests_name("io.list", tests, NULL, NULL);
}
