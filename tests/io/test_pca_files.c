/* io/pca_files and io/spool: components in PLINK 2's forms, and files of several parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/pca_files.h"
#include "io/spool.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

static gp_text text_of(const char *s) {
    gp_text text = {0};
    gp_err err = {0};
    assert_int_equal(gp_text_add(&text, s, (int64_t)strlen(s), &err), GP_OK);
    return text;
}

static void vectors_and_values_have_the_form_of_plink2(void **state) {
    (void)state;
    gp_samples samples = {0};
    gp_err err = {0};
    gp_text text = {0};
    const int64_t sample[] = {0, 2};
    const double vector[] = {0.6, -0.8, 1.0 / 3, 0.0}, value[] = {12.5, 1e-7};
    for (int i = 0; i < 3; i++) {
        const char iid[] = {(char)('a' + i), 0};
        assert_int_equal(
            gp_samples_add(
                &samples, &(gp_sample){.fid = "f", .iid = iid, .father = "0", .mother = "0"}, &err),
            GP_OK);
    }
    const gp_pca_vectors v = {
        .n = 2, .count = 2, .samples = &samples, .sample = sample, .vector = vector};
    assert_int_equal(gp_pca_print_vectors(&text, &v, &err), GP_OK);
    assert_string_equal(text.bytes, "#FID\tIID\tPC1\tPC2\nf\ta\t0.6\t0.333333333\nf\tc\t-0.8\t0\n");
    text.length = 0;
    assert_int_equal(gp_pca_print_values(&text, value, 2, &err), GP_OK);
    assert_string_equal(text.bytes, "12.5\n1e-07\n");
    gp_text_free(&text);
    gp_samples_free(&samples);
}

static void weights_come_back_as_they_were_written(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_pca_weights w = {0};
    const double first[] = {0.25, -3}, second[] = {1e-12, 7};
    const gp_pca_variant a = {"1", "rs1", "A", "G", 0.625, first},
                         b = {"X", "rs2", "T", "TA", 0.5, second};
    assert_int_equal(gp_pca_print_weights_header(&text, 2, &err), GP_OK);
    assert_int_equal(gp_pca_print_weights(&text, &a, 2, &err), GP_OK);
    assert_int_equal(gp_pca_print_weights(&text, &b, 2, &err), GP_OK);
    assert_string_equal(text.bytes, "#CHROM\tID\tMAJ\tNONMAJ\tMAJ_FREQ\tPC1\tPC2\n"
                                    "1\trs1\tA\tG\t0.625\t0.25\t-3\n"
                                    "X\trs2\tT\tTA\t0.5\t1e-12\t7\n");
    assert_int_equal(gp_pca_read_weights(&w, "w", &text, &err), GP_OK);
    assert_int_equal(w.variants, 2);
    assert_int_equal(w.count, 2);
    assert_int_equal(gp_ids_find(&w.id, "rs2", 3), 1);
    assert_string_equal(w.major[1], "T");
    assert_string_equal(w.minor[1], "TA");
    assert_true(w.frequency[0] == 0.625 && w.weight[1] == -3 && w.weight[2] == 1e-12);
    gp_pca_weights_free(&w);
    gp_text_free(&text);
}

#define HEADER "#CHROM\tID\tMAJ\tNONMAJ\tMAJ_FREQ\tPC1\n"

static void bad_weights_are_named_by_their_line(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"", "column 1"},
        {"#CHROM\tID\tREF\n", "column 3 is not MAJ"},
        {"#CHROM\tID\tMAJ\tNONMAJ\tMAJ_FREQ\n", "no column PC1"},
        {HEADER, "no variant"},
        {HEADER "1\t.\tA\tG\t0.5\t1\n1\t.\tA\tG\t0.5\t1\n", "no variant with an id"},
        {HEADER "1\ta\tA\tG\t0.5\n", "w:2: fewer"},
        {HEADER "1\ta\n", "w:2: fewer"},
        {HEADER "1\ta\tA\tG\t0.5\t1\t2\n", "w:2: more"},
        {HEADER "1\ta\tA\tG\t0.5\tx\n", "w:2: 'x' is not a number"},
        {HEADER "1\ta\tA\tG\t1.5\t1\n", "w:2: frequency"},
        {HEADER "1\ta\tA\tG\t0.5\t1\n1\ta\tA\tG\t0.5\t1\n", "w:3: variant 'a' is there twice"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        gp_err err = {0};
        gp_text text = text_of(bad[k][0]);
        gp_pca_weights w = {0};
        assert_int_equal(gp_pca_read_weights(&w, "w", &text, &err), GP_EINPUT);
        if (strstr(err.text, bad[k][1]) == NULL)
            fail_msg("'%s' is not in '%s'", bad[k][1], err.text);
        gp_pca_weights_free(&w);
        gp_text_free(&text);
    }
}

static void values_are_read_and_checked(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = text_of("3.5\r\n0.25\n");
    double *value = NULL;
    int64_t count = 0;
    assert_int_equal(gp_pca_read_values(&value, &count, "v", &text, &err), GP_OK);
    assert_int_equal(count, 2);
    assert_true(value[0] == 3.5 && value[1] == 0.25);
    free(value);
    gp_text_free(&text);
    static const char *const bad[] = {"1\nx\n", "1\n0\n", "1\n-2\n"};
    for (int k = 0; k < 3; k++) {
        err = (gp_err){0};
        text = text_of(bad[k]);
        value = NULL;
        assert_int_equal(gp_pca_read_values(&value, &count, "v", &text, &err), GP_EINPUT);
        assert_non_null(strstr(err.text, "v:2:"));
        free(value);
        gp_text_free(&text);
    }
}

static int read_once(void *context, gp_err *err) {
    gp_pca_weights w = {0};
    gp_text *text = context, copy = {0};
    if (gp_text_add(&copy, text->bytes, text->length, err) == GP_OK)
        gp_pca_read_weights(&w, "w", &copy, err);
    gp_pca_weights_free(&w);
    gp_text_free(&copy);
    return err->code;
}

static void weights_report_any_memory_refused(void **state) {
    (void)state;
    gp_text text = text_of(HEADER "1\ta\tA\tG\t0.5\t1\n1\tb\tA\tG\t0.5\t1\n");
    assert_true(gp_test_fail_each(read_once, &text) > 4);
    gp_text_free(&text);
}

static void parts_come_together_in_any_order(void **state) {
    (void)state;
    gp_err err = {0};
    gp_spool one = {0}, two = {0};
    gp_text text = {0}, whole = {0};
    const char *path = scratch("whole");
    assert_int_equal(gp_io_fill_file(path, "", 0, &err), GP_OK);
    assert_int_equal(gp_spool_open(&one, scratch("one"), &err), GP_OK);
    assert_int_equal(gp_spool_open(&two, scratch("two"), &err), GP_OK);
    gp_text_print(&text, &err, "first ");
    assert_int_equal(gp_spool_add(&one, &text, &err), GP_OK);
    gp_text_print(&text, &err, "second\n");
    assert_int_equal(gp_spool_add(&one, &text, &err), GP_OK);
    gp_text_print(&text, &err, "third\n");
    assert_int_equal(gp_spool_add(&two, &text, &err), GP_OK);
    assert_int_equal(gp_spool_place(&two, path, one.size, &err), GP_OK);
    assert_int_equal(gp_spool_place(&one, path, 0, &err), GP_OK);
    gp_spool_discard(&one);
    gp_spool_discard(&two);
    gp_spool_discard(&two);
    assert_int_equal(gp_io_read_text(path, &whole, &err), GP_OK);
    assert_string_equal(whole.bytes, "first second\nthird\n");
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    gp_text_free(&text);
    gp_text_free(&whole);
}

static void a_part_without_a_place_is_an_error(void **state) {
    (void)state;
    gp_err err = {0};
    gp_spool part = {0};
    assert_int_equal(gp_spool_open(&part, scratch("none/part"), &err), GP_EINPUT);
    err = (gp_err){0};
    assert_int_equal(gp_spool_open(&part, scratch("part"), &err), GP_OK);
    assert_int_equal(gp_spool_place(&part, scratch("missing"), 0, &err), GP_EFAIL);
    gp_spool_discard(&part);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_and_values_have_the_form_of_plink2),
        cmocka_unit_test(weights_come_back_as_they_were_written),
        cmocka_unit_test(bad_weights_are_named_by_their_line),
        cmocka_unit_test(values_are_read_and_checked),
        cmocka_unit_test(weights_report_any_memory_refused),
        cmocka_unit_test_teardown(parts_come_together_in_any_order, scratch_clear),
        cmocka_unit_test_teardown(a_part_without_a_place_is_an_error, scratch_clear)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
