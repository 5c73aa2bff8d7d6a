/* Memory, growing strings, and counts cut into parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/base/text.h"
#include "tests/support/fail_alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    for (int64_t n = 0; n < 200; n += 7) {
        gp_err err = {0};
        unsigned char *p = gp_mem_alloc(n, 3, &err);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (int64_t i = 0; i < 3 * (n ? n : 1); i++)
            assert_int_equal(p[i], 0);
        memset(p, 255, (size_t)(3 * n)); /* the sanitizer sees a block that is too small */
        free(p);
    }
}

static void sizes_that_cannot_exist_are_refused(void **state) {
    (void)state;
    const int64_t bad[][2] = {{-1, 8}, {INT64_MAX, 2}, {INT64_MAX, 1}, {(int64_t)1 << 62, 4},
                              {8, 0},  {8, -1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gp_err err = {0};
        assert_null(gp_mem_alloc(bad[i][0], bad[i][1], &err));
        assert_int_equal(err.code, GP_EFAIL);
    }
}

static void refused_memory_is_told_in_bytes(void **state) {
    (void)state;
    gp_err err = {0};
    gp_mem_fail_at(1);
    assert_null(gp_mem_alloc(1000, 24, &err));
    gp_mem_fail_at(0);
    assert_int_equal(err.code, GP_EFAIL);
    assert_non_null(strstr(err.text, "24000 bytes"));
}

static void the_third_allocation_and_all_after_it_fail(void **state) {
    (void)state;
    gp_mem_fail_at(3);
    for (int i = 1; i <= 5; i++) {
        gp_err err = {0};
        void *p = gp_mem_alloc(1, 1, &err);
        assert_int_equal(p != NULL, i < 3);
        free(p);
    }
    gp_mem_fail_at(0);
    gp_err err = {0};
    void *p = gp_mem_alloc(1, 1, &err);
    assert_non_null(p);
    free(p);
}

static void growing_keeps_contents_and_zeroes_the_rest(void **state) {
    (void)state;
    gp_err err = {0};
    int32_t *a = NULL;
    int64_t capacity = 0;
    for (int32_t i = 0; i < 1000; i++) {
        assert_int_equal(gp_mem_grow(&a, &capacity, i + 1, sizeof *a, &err), GP_OK);
        assert_true(capacity > i);
        assert_int_equal(a[i], 0);
        a[i] = i + 1;
    }
    for (int32_t i = 0; i < capacity; i++)
        assert_int_equal(a[i], i < 1000 ? i + 1 : 0);
    int32_t *before = a;
    int64_t room = capacity;
    assert_int_equal(gp_mem_grow(&a, &capacity, 1000, sizeof *a, &err), GP_OK);
    assert_ptr_equal(a, before);
    gp_mem_fail_at(1);
    assert_int_equal(gp_mem_grow(&a, &capacity, room + 1, sizeof *a, &err), GP_EFAIL);
    gp_mem_fail_at(0);
    assert_ptr_equal(a, before);
    assert_int_equal(capacity, room);
    free(a);
}

static void a_string_is_copied_with_its_zero(void **state) {
    (void)state;
    gp_err err = {0};
    char *s = gp_mem_string("rs12345 and more", 7, &err), *none = gp_mem_string(NULL, 0, &err);
    assert_string_equal(s, "rs12345");
    assert_string_equal(none, "");
    free(s);
    free(none);
}

static void text_grows_by_bytes_and_formats(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    char want[5000] = "";
    for (int i = 0; i < 500; i++) {
        assert_int_equal(gp_text_print(&text, &err, "%d,", i), GP_OK);
        assert_int_equal(gp_text_add(&text, "ab!!", 2, &err), GP_OK);
        snprintf(want + strlen(want), 16, "%d,ab", i);
        assert_int_equal(text.length, strlen(want));
        assert_string_equal(text.bytes, want);
    }
    assert_int_equal(gp_text_add(&text, NULL, 0, &err), GP_OK);
    assert_string_equal(text.bytes, want);
    gp_text_free(&text);
    assert_null(text.bytes);
    gp_text_free(&text);
}

static void room_is_where_the_caller_may_write(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_text_add(&text, "x", 1, &err);
    char *to = gp_text_room(&text, 100, &err);
    assert_non_null(to);
    memset(to, 'y', 100);
    text.length += 100;
    assert_int_equal(strlen(text.bytes), 101);
    gp_text_free(&text);
}

static void text_is_unchanged_where_memory_is_refused(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_text_add(&text, "kept", 4, &err);
    int64_t capacity = text.capacity;
    char *room = NULL;
    gp_mem_fail_at(1);
    assert_int_equal(gp_text_print(&text, &err, "%1000d", 1), GP_EFAIL);
    assert_int_equal(gp_text_add(&text, text.bytes, 4000, &err), GP_EFAIL);
    room = gp_text_room(&text, 4000, &err);
    gp_mem_fail_at(0);
    assert_null(room);
    assert_string_equal(text.bytes, "kept");
    assert_int_equal(text.length, 4);
    assert_int_equal(text.capacity, capacity);
    gp_text_free(&text);
}

static int write_much(void *context, gp_err *err) {
    (void)context;
    gp_text text = {0};
    char *copy = gp_mem_string("abc", 3, err);
    int code = copy == NULL ? err->code : GP_OK;
    for (int i = 0; i < 100 && code == GP_OK; i++)
        code = i % 2 ? gp_text_print(&text, err, "%d", i) : gp_text_add(&text, copy, 3, err);
    gp_text_free(&text);
    free(copy);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    assert_true(gp_test_fail_each(write_much, NULL) >= 4);
}

static void parts_cover_all_and_differ_by_one_unit(void **state) {
    (void)state;
    for (int64_t total = 0; total < 300; total += 7)
        for (int64_t unit = 1; unit <= 64; unit *= 4)
            for (int64_t parts = 1; parts <= 11; parts++) {
                int64_t least = INT64_MAX, most = 0;
                assert_int_equal(gp_split_begin(total, unit, parts, 0), 0);
                assert_int_equal(gp_split_begin(total, unit, parts, parts), total);
                for (int64_t k = 0; k < parts; k++) {
                    int64_t from = gp_split_begin(total, unit, parts, k),
                            to = gp_split_begin(total, unit, parts, k + 1);
                    int64_t units = (to - from + unit - 1) / unit;
                    assert_true(from <= to);
                    assert_true(from % unit == 0 || from == total);
                    least = units < least ? units : least;
                    most = units > most ? units : most;
                }
                assert_true(most - least <= 1);
            }
}

static void ten_in_three_parts_are_3_3_4(void **state) {
    (void)state;
    const int64_t want[] = {0, 3, 6, 10};
    for (int64_t k = 0; k <= 3; k++)
        assert_int_equal(gp_split_begin(10, 1, 3, k), want[k]);
    /* No intermediate product overflows. */
    int64_t much = (int64_t)1 << 60;
    assert_int_equal(gp_split_begin(much, 1, 256, 256), much);
    assert_int_equal(gp_split_begin(much, 1, 256, 128), much / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(sizes_that_cannot_exist_are_refused),
        cmocka_unit_test(refused_memory_is_told_in_bytes),
        cmocka_unit_test(the_third_allocation_and_all_after_it_fail),
        cmocka_unit_test(growing_keeps_contents_and_zeroes_the_rest),
        cmocka_unit_test(a_string_is_copied_with_its_zero),
        cmocka_unit_test(text_grows_by_bytes_and_formats),
        cmocka_unit_test(room_is_where_the_caller_may_write),
        cmocka_unit_test(text_is_unchanged_where_memory_is_refused),
        cmocka_unit_test(every_failing_allocation_comes_back),
        cmocka_unit_test(parts_cover_all_and_differ_by_one_unit),
        cmocka_unit_test(ten_in_three_parts_are_3_3_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
