/* Filters of variants: each threshold at it, just below and just above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/filter.h"
#include "src/geno/hwe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const gp_filter off = {NAN, NAN, NAN, NAN};

static int judge(gp_filter filter, gp_counts c) {
    return gp_filter_judge(&filter, &c, &c);
}

static void nan_is_no_filter(void **state) {
    (void)state;
    assert_int_equal(judge(off, (gp_counts){{10, 0, 0, 0}}), GP_KEPT);
    assert_int_equal(judge(off, (gp_counts){{0, 500, 0, 500}}), GP_KEPT);
    assert_int_equal(judge(off, (gp_counts){{0, 0, 0, 9}}), GP_KEPT);
    assert_int_equal(judge(off, (gp_counts){{0, 0, 0, 0}}), GP_KEPT);
}

static void maf_keeps_what_is_at_the_threshold(void **state) {
    (void)state;
    gp_filter f = off;
    f.maf = 0.05;
    /* 10 of 200 alleles, from either side. */
    assert_int_equal(judge(f, (gp_counts){{90, 10, 0, 7}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{91, 9, 0, 7}}), GP_LOW_MAF);
    assert_int_equal(judge(f, (gp_counts){{89, 11, 0, 7}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{0, 10, 90, 7}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{0, 9, 91, 7}}), GP_LOW_MAF);
    assert_int_equal(judge(f, (gp_counts){{0, 0, 0, 7}}), GP_LOW_MAF);
    f.maf = 0.0;
    assert_int_equal(judge(f, (gp_counts){{0, 0, 0, 7}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{7, 0, 0, 0}}), GP_KEPT);
}

static void mac_keeps_what_is_at_the_threshold(void **state) {
    (void)state;
    gp_filter f = off;
    f.mac = 20;
    assert_int_equal(judge(f, (gp_counts){{100, 20, 0, 0}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{100, 19, 0, 0}}), GP_LOW_MAC);
    assert_int_equal(judge(f, (gp_counts){{100, 1, 10, 0}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{10, 1, 100, 0}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{9, 1, 100, 0}}), GP_LOW_MAC);
    assert_int_equal(judge(f, (gp_counts){{0, 0, 0, 3}}), GP_LOW_MAC);
}

static void geno_keeps_what_is_at_the_threshold(void **state) {
    (void)state;
    gp_filter f = off;
    f.geno = 0.1;
    assert_int_equal(judge(f, (gp_counts){{50, 30, 10, 10}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{50, 30, 9, 11}}), GP_MISSING_CALLS);
    assert_int_equal(judge(f, (gp_counts){{50, 30, 11, 9}}), GP_KEPT);
    f.geno = 0.0;
    assert_int_equal(judge(f, (gp_counts){{50, 30, 20, 0}}), GP_KEPT);
    assert_int_equal(judge(f, (gp_counts){{50, 30, 20, 1}}), GP_MISSING_CALLS);
    assert_int_equal(judge(f, (gp_counts){{0, 0, 0, 0}}), GP_KEPT);
    f.geno = 1.0;
    assert_int_equal(judge(f, (gp_counts){{0, 0, 0, 5}}), GP_KEPT);
}

/* A decimal threshold is met by exactly its share: 0.29 * 100 is 28.999999999999996. */
static void shares_equal_to_a_decimal_threshold_are_at_it(void **state) {
    (void)state;
    for (int percent = 0; percent <= 100; percent++)
        for (int n = 100; n <= 1000; n += 100) {
            char text[16];
            snprintf(text, sizeof text, "%d.%02d", percent / 100, percent % 100);
            gp_filter geno = off, maf = off;
            geno.geno = maf.maf = strtod(text, NULL);
            int64_t part = (int64_t)percent * n / 100;
            assert_int_equal(judge(geno, (gp_counts){{n - part, 0, 0, part}}), GP_KEPT);
            if (part < n)
                assert_int_equal(judge(geno, (gp_counts){{n - part - 1, 0, 0, part + 1}}),
                                 GP_MISSING_CALLS);
            if (percent <= 50)
                assert_int_equal(judge(maf, (gp_counts){{n - 2 * part, 2 * part, 0, 0}}), GP_KEPT);
        }
}

static void hwe_keeps_what_is_at_the_threshold(void **state) {
    (void)state;
    gp_filter f = off;
    gp_counts c = {{84, 11, 5, 3}};
    double p = gp_hwe_exact(84, 11, 5);
    f.hwe = p;
    assert_int_equal(judge(f, c), GP_KEPT);
    f.hwe = nextafter(p, 1.0);
    assert_int_equal(judge(f, c), GP_HWE);
    f.hwe = nextafter(p, 0.0);
    assert_int_equal(judge(f, c), GP_KEPT);
}

static void hwe_looks_at_its_own_samples_or_at_none(void **state) {
    (void)state;
    gp_filter f = off;
    f.hwe = 1e-3;
    gp_counts skewed = {{500, 0, 500, 0}}, fair = {{250, 500, 250, 0}};
    assert_int_equal(gp_filter_judge(&f, &fair, &skewed), GP_HWE);
    assert_int_equal(gp_filter_judge(&f, &skewed, &fair), GP_KEPT);
    assert_int_equal(gp_filter_judge(&f, &skewed, NULL), GP_KEPT);
}

static void the_first_filter_in_order_is_named(void **state) {
    (void)state;
    gp_filter f = {0.4, 1000, 0.01, 0.9};
    gp_counts c = {{40, 1, 10, 50}};
    const int want[] = {GP_LOW_MAF, GP_LOW_MAC, GP_MISSING_CALLS, GP_HWE, GP_KEPT};
    double *threshold[] = {&f.maf, &f.mac, &f.geno, &f.hwe};
    for (int i = 0; i <= 4; i++) {
        assert_int_equal(judge(f, c), want[i]);
        if (i < 4)
            *threshold[i] = NAN;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nan_is_no_filter),
        cmocka_unit_test(maf_keeps_what_is_at_the_threshold),
        cmocka_unit_test(mac_keeps_what_is_at_the_threshold),
        cmocka_unit_test(geno_keeps_what_is_at_the_threshold),
        cmocka_unit_test(shares_equal_to_a_decimal_threshold_are_at_it),
        cmocka_unit_test(hwe_keeps_what_is_at_the_threshold),
        cmocka_unit_test(hwe_looks_at_its_own_samples_or_at_none),
        cmocka_unit_test(the_first_filter_in_order_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
