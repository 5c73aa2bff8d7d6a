#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/svg.h"
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

/* 100 x 100 with a frame from 10 to 90 for 0 to 8: a unit of the data is 10 of the picture. */
static gp_svg picture(void) {
    return (gp_svg){.html = &html,
                    .width = 100.0,
                    .height = 100.0,
                    .left = 10.0,
                    .top = 10.0,
                    .right = 10.0,
                    .bottom = 10.0,
                    .high = {8.0, 8.0}};
}

static void data_is_placed_from_below(void **state) {
    (void)state;
    const gp_svg svg = picture();
    assert_true(gp_svg_x(&svg, 0.0) == 10.0);
    assert_true(gp_svg_x(&svg, 8.0) == 90.0);
    assert_true(gp_svg_y(&svg, 0.0) == 90.0);
    assert_true(gp_svg_y(&svg, 8.0) == 10.0);
}

static void steps_are_one_two_or_five(void **state) {
    (void)state;
    static const struct {
        double span;
        int most;
        double step;
    } of[] = {{10.0, 10, 1.0}, {10.0, 6, 2.0}, {1.0, 6, 0.2},   {7.3, 6, 2.0},
              {33.0, 6, 10.0}, {29.0, 6, 5.0}, {6e-7, 6, 1e-7}, {1.9e6, 4, 5e5}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++)
        assert_true(fabs(gp_svg_step(of[k].span, of[k].most) / of[k].step - 1.0) <
                    1e-12); /* powers of ten by pow() */
}

static void paths_are_relative_and_in_tenths(void **state) {
    (void)state;
    gp_svg svg = picture();
    gp_svg_begin(&svg, "class=\"a\"");
    gp_svg_move(&svg, 0.0, 0.0);   /* 10 90 */
    gp_svg_draw(&svg, 1.0, 1.0);   /* 20 80 */
    gp_svg_draw(&svg, 1.0, 2.5);   /* 20 65 */
    gp_svg_draw(&svg, 0.995, 2.5); /* 19.95 becomes 20.0: no way at all */
    gp_svg_shut(&svg);             /* back at 10 90 */
    gp_svg_dot(&svg, 0.05, 0.0);   /* 10.5 90 */
    gp_svg_dot(&svg, 0.0, 8.0);    /* 10 10 */
    gp_svg_end(&svg);
    assert_string_equal(page.bytes,
                        "<path class=\"a\" d=\"m10 90l10-10v-15v0zm.5 0h0m-.5-80h0\"/>");
}

static void text_and_titles_are_escaped(void **state) {
    (void)state;
    gp_svg svg = picture();
    gp_svg_open(&svg, "a <b> & \"c\"");
    gp_svg_text(&svg, 1.0, 2.0, "class=\"m\"", "</svg>");
    gp_svg_close(&svg);
    assert_non_null(strstr(page.bytes, "<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"));
    assert_non_null(
        strstr(page.bytes, "<text x=\"1.0\" y=\"2.0\" class=\"m\">&lt;/svg&gt;</text>"));
}

static void axes_have_round_numbers_with_a_real_minus(void **state) {
    (void)state;
    gp_svg svg = picture();
    svg.low[0] = -0.011;
    svg.high[0] = 0.021;
    gp_svg_open(&svg, "x");
    gp_svg_axes(&svg, "across", NULL);
    gp_svg_close(&svg);
    assert_non_null(strstr(page.bytes, ">\xE2\x88\x92"
                                       "0.01</text>"));
    assert_non_null(strstr(page.bytes, ">0</text>"));
    assert_non_null(strstr(page.bytes, ">0.02</text>"));
    assert_null(strstr(page.bytes, "e-"));
    assert_non_null(strstr(page.bytes, ">across</text>"));
}

static void a_range_without_width_is_widened(void **state) {
    (void)state;
    gp_svg svg = picture();
    svg.low[0] = svg.high[0] = 5.0;
    svg.low[1] = 3.0;
    svg.high[1] = 2.0;
    gp_svg_open(&svg, "x");
    gp_svg_axes(&svg, "x", "y");
    gp_svg_close(&svg);
    assert_true(svg.low[0] < 5.0 && svg.high[0] > 5.0);
    assert_true(svg.low[1] < svg.high[1]);
    assert_null(strstr(page.bytes, "nan"));
    assert_null(strstr(page.bytes, "inf"));
    assert_int_equal(err.code, GP_OK);
}

static int make_picture(void *context, gp_err *why) {
    (void)context;
    gp_text text = {0};
    const gp_html to = {.to = &text, .err = why};
    gp_svg svg = picture();
    svg.html = &to;
    gp_svg_open(&svg, "x");
    gp_svg_axes(&svg, "x", "y");
    gp_svg_begin(&svg, "");
    gp_svg_dot(&svg, 1.0, 1.0);
    gp_svg_end(&svg);
    gp_svg_close(&svg);
    gp_text_free(&text);
    return why->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    assert_true(gp_test_fail_each(make_picture, NULL) > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(data_is_placed_from_below, clear),
        cmocka_unit_test_teardown(steps_are_one_two_or_five, clear),
        cmocka_unit_test_teardown(paths_are_relative_and_in_tenths, clear),
        cmocka_unit_test_teardown(text_and_titles_are_escaped, clear),
        cmocka_unit_test_teardown(axes_have_round_numbers_with_a_real_minus, clear),
        cmocka_unit_test_teardown(a_range_without_width_is_widened, clear),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.svg", tests, NULL, NULL);
}
