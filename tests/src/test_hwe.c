/* The exact test of Hardy-Weinberg proportions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/hwe.h"
#include "tests/support/random.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20000 /* samples in the oracle's tables */ };
static long double log_factorial[2 * MOST + 1];

static int make_log_factorials(void **state) {
    (void)state;
    for (int i = 2; i <= 2 * MOST; i++)
        log_factorial[i] = log_factorial[i - 1] + logl(i);
    return 0;
}

/* log P(het | rare alleles), up to what all tables of the same n and alleles share. */
static long double log_chance(int64_t ref, int64_t het, int64_t alt) {
    return (long double)het * logl(2) - log_factorial[ref] - log_factorial[het] -
           log_factorial[alt];
}

/* The definition: the chance of all tables with these alleles that are no likelier than this one.
 */
static double by_enumeration(int64_t ref, int64_t het, int64_t alt) {
    int64_t n = ref + het + alt, ones = het + 2 * (alt < ref ? alt : ref);
    long double here = log_chance(ref, het, alt), tail = 0, total = 0;
    for (int64_t h = ones % 2; h <= ones; h += 2) {
        int64_t rare = (ones - h) / 2;
        if (n - h - rare < 0)
            continue;
        long double chance = expl(log_chance(n - h - rare, h, rare) - here);
        total += chance;
        tail += chance <= 1 + 1e-10L ? chance : 0; /* ties, as logarithms round */
    }
    return (double)(tail / total);
}

static double relative(double got, double want) {
    return fabs(got - want) / want;
}

static void numbers_by_hand(void **state) {
    (void)state;
    /* 2 samples, 2 of 4 alleles: het 2 has 2/3, het 0 has 1/3. */
    assert_true(relative(gp_hwe_exact(1, 0, 1), 1.0 / 3) < 1e-15);
    assert_true(gp_hwe_exact(0, 2, 0) == 1.0);
    /* 3 samples, 3 of 6 alleles: het 3: 8/20, het 1: 12/20. */
    assert_true(relative(gp_hwe_exact(0, 3, 0), 0.4) < 1e-15);
    assert_true(gp_hwe_exact(1, 1, 1) == 1.0);
    /* 100 samples, 21 minor alleles, the example of Wigginton et al. 2005; in exact fractions. */
    assert_true(relative(gp_hwe_exact(88, 3, 9), 1.3389415434160393e-10) < 1e-14);
    assert_true(relative(gp_hwe_exact(84, 11, 5), 0.0009188594677093134) < 1e-14);
    assert_true(relative(gp_hwe_exact(82, 15, 3), 0.069576454405007) < 1e-14);
    assert_true(relative(gp_hwe_exact(79, 21, 0), 0.5936451759273167) < 1e-14);
    assert_true(gp_hwe_exact(80, 19, 1) == 1.0);
}

static void all_tables_of_up_to_40_samples_agree_with_enumeration(void **state) {
    (void)state;
    double worst = 0.0;
    for (int64_t n = 0; n <= 40; n++)
        for (int64_t het = 0; het <= n; het++)
            for (int64_t ref = 0; ref + het <= n; ref++) {
                int64_t alt = n - het - ref;
                double got = gp_hwe_exact(ref, het, alt);
                assert_true(got >= 0.0 && got <= 1.0);
                worst = fmax(worst, relative(got, by_enumeration(ref, het, alt)));
            }
    print_message("small tables: %.2g\n", worst);
    assert_true(worst < 1e-12); /* some tens of roundings */
}

static void random_large_tables_agree_with_enumeration(void **state) {
    (void)state;
    uint64_t seed = 9;
    double worst = 0.0;
    int tested = 0;
    for (int k = 0; k < 400; k++) {
        int64_t n = 1 + gp_test_below(&seed, MOST);
        double f = pow(gp_test_uniform(&seed), 3), inbred = 0.1 * gp_test_normal(&seed);
        int64_t het = (int64_t)fmax(0.0, (double)n * 2 * f * (1 - f) * (1 - inbred));
        het = het < n ? het : n;
        int64_t alt = (int64_t)fmin((double)(n - het), (double)n * f * f), ref = n - het - alt;
        double want = by_enumeration(ref, het, alt), got = gp_hwe_exact(ref, het, alt);
        if (want < 1e-290)
            continue;
        worst = fmax(worst, relative(got, want));
        tested++;
    }
    print_message("%d large tables: %.2g\n", tested, worst);
    assert_true(tested > 100);
    assert_true(worst < 1e-9); /* 20,000 products, each rounded */
}

static void homozygotes_may_be_swapped(void **state) {
    (void)state;
    uint64_t seed = 10;
    for (int k = 0; k < 2000; k++) {
        int64_t a = gp_test_below(&seed, 500), h = gp_test_below(&seed, 500),
                b = gp_test_below(&seed, 500);
        double p = gp_hwe_exact(a, h, b), q = gp_hwe_exact(b, h, a);
        assert_true(p == q);
    }
}

static void extremes_end_at_once_between_0_and_1(void **state) {
    (void)state;
    const int64_t n = 500000;
    const int64_t table[][3] = {
        {0, n, 0}, {n, 0, 0},           {0, 0, n},     {n / 2, 0, n / 2}, {n, 1, 0},
        {n, 0, 1}, {0, 0, 0},           {0, 1, 0},     {1, n, 1},         {n / 2, n, n / 2},
        {n, n, n}, {n - 1000, 0, 1000}, {3, 2 * n, n}, {n / 2, 1, n / 2}, {40 * n, 20 * n, 3 * n}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double p = gp_hwe_exact(table[i][0], table[i][1], table[i][2]);
        assert_true(p >= 0.0 && p <= 1.0); /* and so no NaN */
    }
    assert_true(gp_hwe_exact(0, n, 0) == 0.0);
    assert_true(gp_hwe_exact(n, 0, 0) == 1.0 && gp_hwe_exact(0, 0, 0) == 1.0);
    assert_true(gp_hwe_exact(n, 1, 0) == 1.0);
    assert_true(gp_hwe_exact(n / 2, n, n / 2) > 0.99);
}

/* One table of PLINK 2: #CHROM ID A1 AX HOM_A1_CT HET_A1_CT TWO_AX_CT O(HET_A1) E(HET_A1) P.
 * Returns its lines. */
static int compare_table(const char *path, double *worst) {
    char command[4200], line[4096];
    int lines = 0;
    if (snprintf(command, sizeof command, "gzip -dc '%s'", path) >= (int)sizeof command)
        return 0;
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe) != NULL) {
        long long a, h, x;
        double p;
        if (sscanf(line, "%*s %*s %*s %*s %lld %lld %lld %*s %*s %lf", &a, &h, &x, &p) != 4)
            continue;
        double got = gp_hwe_exact(a, h, x);
        if (p < 1e-290) /* PLINK 2 prints 0 or a denormal number there */
            assert_true(got < 1e-289);
        else
            *worst = fmax(*worst, relative(got, p));
        lines++;
    }
    assert_int_equal(pclose(pipe), 0);
    return lines;
}

static void plink2s_tables_agree(void **state) {
    (void)state;
    glob_t found = {0};
    int lines = 0;
    double worst = 0.0;
    if (glob(GP_SOURCE "/../shared/data/golden/*/qc.hardy.gz", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            lines += compare_table(found.gl_pathv[i], &worst);
    globfree(&found);
    if (lines == 0) {
        print_message("skipped: no tables of PLINK 2 here\n");
        skip();
    }
    print_message("%d lines of PLINK 2: %.2g\n", lines, worst);
    assert_true(worst < 1e-5); /* they have 6 digits */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(all_tables_of_up_to_40_samples_agree_with_enumeration),
        cmocka_unit_test(random_large_tables_agree_with_enumeration),
        cmocka_unit_test(homozygotes_may_be_swapped),
        cmocka_unit_test(extremes_end_at_once_between_0_and_1),
        cmocka_unit_test(plink2s_tables_agree),
    };
    return cmocka_run_group_tests(tests, make_log_factorials, NULL);
}
