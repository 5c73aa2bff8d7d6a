#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/html.h"
#include "tests/support/fail_alloc.h"

#include <math.h>

static gp_text page;
static gp_err err;
static const gp_html html = {.to = &page, .err = &err};

static int clear(void **state) {
    (void)state;
    gp_text_free(&page);
    err = (gp_err){0};
    return 0;
}

/* The page is exactly this, and starts anew. */
static void expect(const char *text) {
    assert_int_equal(err.code, GP_OK);
    assert_string_equal(page.length > 0 ? page.bytes : "", text);
    page.length = 0;
}

static void text_is_escaped_for_elements_and_attributes(void **state) {
    (void)state;
    gp_html_text(&html, "<script>alert(\"a\" & 'b')</script>");
    expect("&lt;script&gt;alert(&quot;a&quot; &amp; &#39;b&#39;)&lt;/script&gt;");
    gp_html_text(&html, NULL);
    gp_html_text(&html, "");
    expect("");
}

static void utf8_stays_and_everything_else_is_replaced(void **state) {
    (void)state;
    gp_html_text(&html, "\xCE\xBB \xE2\x82\x81 \xF0\x9F\xA7\xAC\tx");
    expect("\xCE\xBB \xE2\x82\x81 \xF0\x9F\xA7\xAC\tx");
    /* Latin 1, a lone start, an overlong slash, a surrogate, a non-character, beyond U+10FFFF */
    static const char *const bad[] = {"\xE9",         "\xC3",         "\xC0\xAF",
                                      "\xED\xA0\x80", "\xEF\xBF\xBF", "\xF4\x90\x80\x80"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        gp_html_text(&html, bad[k]);
        assert_int_equal(page.length, 3 * strlen(bad[k])); /* U+FFFD for every byte */
        page.length = 0;
    }
    gp_html_text(&html, "a\x01\x7F\x1B[2Jb");
    expect("a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD[2Jb");
    gp_html_text(&html, "\xC2\x85"); /* a control character of two bytes */
    expect("\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void counts_have_commas(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } of[] = {{0, "0"},
              {999, "999"},
              {1000, "1,000"},
              {1234567, "1,234,567"},
              {-1234, "\xE2\x88\x92"
                      "1,234"},
              {INT64_MAX, "9,223,372,036,854,775,807"}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        gp_html_count(&html, of[k].value);
        expect(of[k].text);
    }
}

static void numbers_have_a_minus_sign_and_a_dash_where_there_is_none(void **state) {
    (void)state;
    gp_html_real(&html, "%.3f", -0.1234);
    expect("\xE2\x88\x92"
           "0.123");
    gp_html_real(&html, "%.3g", NAN);
    expect("\xE2\x80\x93");
    gp_html_real(&html, "%.3g", INFINITY);
    expect("\xE2\x80\x93");
}

static void p_values_below_a_thousandth_have_powers_of_ten(void **state) {
    (void)state;
    gp_html_p(&html, 0.0);
    expect("1");
    gp_html_p(&html, 1.49485002); /* 0.032 */
    expect("0.032");
    gp_html_p(&html, 8.49485002); /* 3.2e-9 */
    expect("3.2\xC3\x97"
           "10<sup>\xE2\x88\x92"
           "9</sup>");
    gp_html_p(&html, 8.0);
    expect("1.0\xC3\x97"
           "10<sup>\xE2\x88\x92"
           "8</sup>");
    gp_html_p(&html, 7.0001); /* 9.9977e-8 is written 1.0e-7, not 10.0e-8 */
    expect("1.0\xC3\x97"
           "10<sup>\xE2\x88\x92"
           "7</sup>");
    gp_html_p(&html, 1234.2);
    expect("6.3\xC3\x97"
           "10<sup>\xE2\x88\x92"
           "1235</sup>");
    gp_html_p(&html, NAN);
    expect("\xE2\x80\x93");
}

static void a_page_names_nothing_outside_itself(void **state) {
    (void)state;
    gp_html_begin(&html, "a <b>");
    gp_html_end(&html);
    assert_non_null(strstr(page.bytes, "<title>a &lt;b&gt;</title>"));
    assert_non_null(strstr(page.bytes, "@media print"));
    assert_null(strstr(page.bytes, "<script"));
    assert_null(strstr(page.bytes, "url("));
    assert_null(strstr(page.bytes, "@import"));
}

static int make_page(void *context, gp_err *why) {
    (void)context;
    gp_text text = {0};
    const gp_html to = {.to = &text, .err = why};
    gp_html_begin(&to, "x & y");
    gp_html_count(&to, 12345);
    gp_html_p(&to, 9.0);
    gp_html_end(&to);
    gp_text_free(&text);
    return why->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    assert_true(gp_test_fail_each(make_page, NULL) > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(text_is_escaped_for_elements_and_attributes, clear),
        cmocka_unit_test_teardown(utf8_stays_and_everything_else_is_replaced, clear),
        cmocka_unit_test_teardown(counts_have_commas, clear),
        cmocka_unit_test_teardown(numbers_have_a_minus_sign_and_a_dash_where_there_is_none, clear),
        cmocka_unit_test_teardown(p_values_below_a_thousandth_have_powers_of_ten, clear),
        cmocka_unit_test_teardown(a_page_names_nothing_outside_itself, clear),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.html", tests, NULL, NULL);
}
