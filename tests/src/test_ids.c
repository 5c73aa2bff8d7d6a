/* The map from strings to numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/ids.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t add(gp_ids *ids, const char *s, int *fresh) {
    gp_err err = {0};
    int64_t number = -2;
    assert_int_equal(gp_ids_add(ids, s, (int64_t)strlen(s), &number, fresh, &err), GP_OK);
    return number;
}

static void numbers_follow_the_order_of_adding(void **state) {
    (void)state;
    gp_ids ids = {0};
    int fresh = -1;
    assert_int_equal(gp_ids_find(&ids, "a", 1), -1);
    assert_int_equal(add(&ids, "a", &fresh), 0);
    assert_int_equal(fresh, 1);
    assert_int_equal(add(&ids, "", NULL), 1);
    assert_int_equal(add(&ids, "ab", NULL), 2);
    assert_int_equal(add(&ids, "a", &fresh), 0);
    assert_int_equal(fresh, 0);
    assert_int_equal(ids.count, 3);
    assert_string_equal(gp_ids_get(&ids, 2), "ab");
    assert_int_equal(gp_ids_find(&ids, "", 0), 1);
    gp_ids_free(&ids);
    assert_int_equal(gp_ids_find(&ids, "a", 1), -1);
    gp_ids_free(&ids);
}

static void only_the_first_n_bytes_count(void **state) {
    (void)state;
    gp_ids ids = {0};
    add(&ids, "sample", NULL);
    assert_int_equal(gp_ids_find(&ids, "sample7", 6), 0);
    assert_int_equal(gp_ids_find(&ids, "sample7", 7), -1);
    assert_int_equal(gp_ids_find(&ids, "sample", 5), -1);
    gp_ids_free(&ids);
}

static void a_zero_inside_a_string_reads_nothing_beyond_it(void **state) {
    (void)state;
    gp_ids ids = {0};
    gp_err err = {0};
    int64_t number = 0;
    char long_one[200] = "x"; /* "x" and 199 zeros */
    add(&ids, "x", NULL);
    for (int64_t n = 2; n < 200; n++)
        assert_int_equal(gp_ids_find(&ids, long_one, n), -1);
    assert_int_equal(gp_ids_add(&ids, long_one, 200, &number, NULL, &err), GP_OK);
    gp_ids_free(&ids);
}

/* FNV-1a of "a" and of "foobar", as its authors publish them, through the final mix. */
static void hashes_are_the_same_on_every_machine(void **state) {
    (void)state;
    const struct {
        const char *s;
        uint64_t fnv;
    } known[] = {{"", 0xcbf29ce484222325u},
                 {"a", 0xaf63dc4c8601ec8cu},
                 {"foobar", 0x85944171f73967e8u},
                 {"\xff", 0xaf64724c8602eb6eu}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint64_t h = known[i].fnv ^ known[i].fnv >> 32;
        h *= 0x9E3779B97F4A7C15u;
        assert_true(gp_ids_hash(known[i].s, (int64_t)strlen(known[i].s)) == (h ^ h >> 29));
    }
}

/* The oracle: words sorted by qsort, each word's number the least index at which it came. */
typedef struct word {
    char text[12];
    int64_t at, number;
} word;

static int by_text(const void *a, const void *b) {
    const word *v = a, *w = b;
    int order = strcmp(v->text, w->text);
    return order ? order : v->at < w->at ? -1 : 1;
}

static int by_place(const void *a, const void *b) {
    const word *v = a, *w = b;
    return v->at < w->at ? -1 : 1;
}

static void hundred_thousand_random_strings_agree_with_a_sorted_list(void **state) {
    (void)state;
    enum { N = 100000 };
    word *words = calloc(N, sizeof *words);
    assert_non_null(words);
    uint64_t seed = 1;
    for (int64_t i = 0; i < N; i++) {
        words[i].at = i;
        int64_t length = gp_test_below(&seed, 5), letters = i % 2 ? 26 : 200;
        for (int64_t k = 0; k < length; k++)
            words[i].text[k] = (char)(1 + gp_test_below(&seed, letters));
    }
    qsort(words, N, sizeof *words, by_text);
    for (int64_t i = 0; i < N; i++)
        words[i].number =
            i && strcmp(words[i].text, words[i - 1].text) == 0 ? words[i - 1].number : words[i].at;
    qsort(words, N, sizeof *words, by_place);
    /* From the first place to the running number. */
    gp_ids ids = {0};
    int64_t count = 0;
    for (int64_t i = 0; i < N; i++) {
        int fresh = -1, is_new = words[i].number == i;
        int64_t want = is_new ? count++ : words[words[i].number].number;
        assert_int_equal(add(&ids, words[i].text, &fresh), want);
        assert_int_equal(fresh, is_new);
        words[i].number = want;
    }
    assert_int_equal(ids.count, count);
    assert_true(count > 1000 && count < N);
    for (int64_t i = 0; i < N; i++) {
        assert_int_equal(gp_ids_find(&ids, words[i].text, (int64_t)strlen(words[i].text)),
                         words[i].number);
        assert_string_equal(gp_ids_get(&ids, words[i].number), words[i].text);
    }
    assert_int_equal(gp_ids_find(&ids, "not there", 9), -1);
    gp_ids_free(&ids);
    free(words);
}

static int add_many(void *context, gp_err *err) {
    gp_ids ids = {0};
    int code = GP_OK;
    int64_t number = 0, added = 0;
    for (; added < 500 && code == GP_OK; added++) {
        char s[40];
        int n = snprintf(s, sizeof s, "a longer identifier %d", (int)added);
        code = gp_ids_add(&ids, s, n, &number, NULL, err);
    }
    /* What was added before the failure is still there, and no half of the next. */
    assert_int_equal(ids.count, code == GP_OK ? added : added - 1);
    if (ids.count > 0)
        assert_int_equal(gp_ids_find(&ids, "a longer identifier 0", 21), 0);
    *(int64_t *)context = ids.count;
    gp_ids_free(&ids);
    return code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    int64_t count = 0;
    assert_true(gp_test_fail_each(add_many, &count) > 10);
    assert_int_equal(count, 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_follow_the_order_of_adding),
        cmocka_unit_test(only_the_first_n_bytes_count),
        cmocka_unit_test(a_zero_inside_a_string_reads_nothing_beyond_it),
        cmocka_unit_test(hashes_are_the_same_on_every_machine),
        cmocka_unit_test(hundred_thousand_random_strings_agree_with_a_sorted_list),
        cmocka_unit_test(every_failing_allocation_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
