/* Simulated genotypes: frequencies, structure, correlation, relatives, missing calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/src/sim_cohort.h"
#include "tests/support/fail_alloc.h"

#include <math.h>
#include <omp.h>

/* One cohort serves most tests: 50 kb between variants, three populations, 50 children. */
static const sim_want usual = {.samples = 500,
                               .variants = 5000,
                               .chromosomes = 1,
                               .populations = 3,
                               .relatives = 0.1,
                               .missing_rate = 0.01,
                               .seed = 1};
static sim_cohort cohort;

static int make_cohort(void **state) {
    gp_err err = {0};
    (void)state;
    return sim_make(&cohort, &usual, &err);
}

static int free_cohort(void **state) {
    (void)state;
    sim_free(&cohort);
    return 0;
}

/* ---- genome ---- */

static void variants_are_shared_out_by_length_and_none_is_lost(void **state) {
    (void)state;
    for (int64_t variants = 22; variants < 40000; variants = variants * 3 + 1) {
        gp_err err = {0};
        gp_genome genome;
        int64_t sum = 0;
        assert_int_equal(gp_genome_init(&genome, 22, variants, &err), GP_OK);
        for (int64_t k = 0; k < 22; k++) {
            assert_true(genome.count[k] >= 1);
            sum += genome.count[k];
        }
        assert_int_equal(sum, variants);
        assert_true(genome.count[0] >= genome.count[20]);
    }
    gp_err err = {0};
    gp_genome genome;
    assert_int_equal(gp_genome_init(&genome, 22, 21, &err), GP_EINPUT);
    err = (gp_err){0};
    assert_int_equal(gp_genome_init(&genome, 23, 100, &err), GP_EINPUT);
}

static void positions_rise_and_fill_their_chromosome(void **state) {
    (void)state;
    int64_t first = cohort.position[0], last = cohort.position[cohort.variants - 1];
    for (int64_t v = 1; v < cohort.variants; v++)
        assert_true(cohort.position[v] > cohort.position[v - 1]);
    assert_true(first >= 1 && last <= cohort.genome.length[0]);
    assert_true(first < 1000000 && last > cohort.genome.length[0] - 1000000);
}

static void a_variant_has_two_different_bases(void **state) {
    (void)state;
    int64_t count[256] = {0};
    for (int64_t v = 0; v < 12000; v++) {
        char ref, alt;
        gp_alleles_draw(1, v, &ref, &alt);
        assert_true(ref != alt);
        count[(unsigned char)ref]++;
        count[(unsigned char)alt]++;
    }
    for (const char *base = "ACGT"; *base; base++)
        assert_in_range(count[(unsigned char)*base], 5700, 6300); /* 6000 +- 5 standard errors */
}

/* ---- frequencies, correlation, structure ---- */

static double alt_frequency(const sim_cohort *c, int64_t v, int64_t home) {
    int64_t alt = 0, called = 0;
    for (int64_t i = 0; i < c->people.n - c->people.children; i++) {
        int call = sim_call(c, v, i);
        if (call == GP_GENO_MISSING || (home >= 0 && sim_home(&c->people, i) != home))
            continue;
        alt += call;
        called += 2;
    }
    return (double)alt / (double)called;
}

static void frequencies_fall_from_rare_to_common(void **state) {
    (void)state;
    int64_t tiny = 0, rare = 0, middle = 0, common = 0;
    for (int64_t v = 0; v < cohort.variants; v++) {
        double p = alt_frequency(&cohort, v, -1), minor = p < 0.5 ? p : 1 - p;
        tiny += minor < 0.005;
        rare += minor < 0.1;
        middle += minor >= 0.1 && minor < 0.2;
        common += minor >= 0.2 && minor < 0.3;
    }
    assert_true(tiny < cohort.variants / 20); /* most are above 0.5% */
    assert_true(rare > middle && middle > common && common > cohort.variants / 50);
}

/* Squared correlation of the calls where both are called. */
static double r2(const sim_cohort *c, int64_t v, int64_t w) {
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (int64_t i = 0; i < c->people.n; i++) {
        double a = sim_call(c, v, i), b = sim_call(c, w, i);
        if (a == GP_GENO_MISSING || b == GP_GENO_MISSING)
            continue;
        n++, x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
    }
    double covariance = xy - x * y / n;
    return covariance * covariance / ((xx - x * x / n) * (yy - y * y / n));
}

static int is_common(const sim_cohort *c, int64_t v) {
    double p = alt_frequency(c, v, -1);
    return p > 0.05 && p < 0.95;
}

static void correlation_of_common_variants_decays_with_distance(void **state) {
    (void)state;
    double near = 0, far = 0, nears = 0, fars = 0;
    for (int64_t v = 0; v + 1 < cohort.variants; v++) {
        int64_t w = v + 1;
        if (!is_common(&cohort, v))
            continue;
        if (is_common(&cohort, w)) {
            near += r2(&cohort, v, w);
            nears++;
        }
        while (w < cohort.variants && cohort.position[w] - cohort.position[v] < 5000000)
            w++;
        if (w < cohort.variants && is_common(&cohort, w)) {
            far += r2(&cohort, v, w);
            fars++;
        }
    }
    assert_true(nears > 500 && fars > 500);
    assert_true(near / nears > 0.2);
    assert_true(far / fars < 0.02);
}

/* Ratio of averages. Source: Bhatia et al. 2013, Genome Res 23:1514, equation 10 (Hudson). */
static void populations_differ_a_little(void **state) {
    (void)state;
    int64_t size[3] = {0};
    for (int64_t i = 0; i < cohort.people.n - cohort.people.children; i++)
        if (sim_home(&cohort.people, i) >= 0)
            size[sim_home(&cohort.people, i)]++;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < a; b++) {
            double between = 0, within = 0;
            for (int64_t v = 0; v < cohort.variants; v++) {
                double p = alt_frequency(&cohort, v, a), q = alt_frequency(&cohort, v, b);
                between += (p - q) * (p - q) - p * (1 - p) / (double)(2 * size[a] - 1) -
                           q * (1 - q) / (double)(2 * size[b] - 1);
                within += p * (1 - q) + q * (1 - p);
            }
            assert_true(between / within > 0.02 && between / within < 0.12);
        }
}

/* ---- people ---- */

static void families_are_consistent(void **state) {
    (void)state;
    const gp_people *p = &cohort.people;
    int64_t children = 0, brothers = 0;
    for (int64_t i = 0; i < p->n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < p->populations; k++)
            sum += p->ancestry[i * p->populations + k];
        assert_true(fabs(sum - 1) < 1e-12);
        assert_true(p->sex[i] == 1 || p->sex[i] == 2);
        assert_true(p->age[i] >= 18 && p->age[i] <= 80);
        assert_true((p->father[i] < 0) == (p->mother[i] < 0));
        if (p->father[i] < 0)
            continue;
        children++;
        brothers += i > 0 && p->father[i] == p->father[i - 1];
        assert_true(p->father[i] < i && p->mother[i] < i);
        assert_int_equal(p->sex[p->father[i]], 1);
        assert_int_equal(p->sex[p->mother[i]], 2);
        assert_true(p->age[p->father[i]] >= p->age[i] + 18 - 1e-9);
        assert_true(p->age[p->mother[i]] >= p->age[i] + 18 - 1e-9);
    }
    assert_int_equal(children, p->children);
    assert_int_equal(children, 50);
    assert_true(brothers > 10);
}

static void two_samples_of_one_sex_have_no_children(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        gp_err err = {0};
        gp_people people;
        gp_people_plan plan = {3, 1, 0.4, seed};
        assert_int_equal(gp_people_init(&people, &plan, &err), GP_OK);
        assert_int_equal(people.children, people.sex[0] != people.sex[1]);
        gp_people_free(&people);
    }
}

static void children_have_one_allele_of_either_parent(void **state) {
    (void)state;
    const gp_people *p = &cohort.people;
    for (int64_t i = p->n - p->children; i < p->n; i++)
        for (int64_t v = 0; v < cohort.variants; v++) {
            int child = sim_call(&cohort, v, i);
            int his = sim_call(&cohort, v, p->father[i]), hers = sim_call(&cohort, v, p->mother[i]);
            if (child == 3 || his == 3 || hers == 3)
                continue;
            assert_true(child >= his / 2 + hers / 2);
            assert_true(child <= (his + 1) / 2 + (hers + 1) / 2);
        }
}

/* Source: Manichaikul et al. 2010, Bioinformatics 26:2867, equation 9 (KING-robust). */
static double kinship(const sim_cohort *c, int64_t i, int64_t j) {
    int64_t both = 0, opposite = 0, het_i = 0, het_j = 0;
    for (int64_t v = 0; v < c->variants; v++) {
        int a = sim_call(c, v, i), b = sim_call(c, v, j);
        if (a == 3 || b == 3)
            continue;
        both += a == 1 && b == 1;
        opposite += abs(a - b) == 2;
        het_i += a == 1;
        het_j += b == 1;
    }
    double least = (double)(het_i < het_j ? het_i : het_j);
    return ((double)both - 2 * (double)opposite) / (2 * least) + 0.5 -
           0.25 * (double)(het_i + het_j) / least;
}

static void siblings_and_parents_have_kinship_a_quarter(void **state) {
    (void)state;
    const gp_people *p = &cohort.people;
    double siblings = 0, parents = 0, strangers = 0, pairs[3] = {0};
    for (int64_t i = p->n - p->children; i < p->n; i++) {
        parents += kinship(&cohort, i, p->father[i]) + kinship(&cohort, i, p->mother[i]);
        pairs[0] += 2;
        if (p->father[i] == p->father[i - 1]) {
            siblings += kinship(&cohort, i, i - 1);
            pairs[1]++;
        }
        /* KING takes different ancestry for less than no kinship. */
        if (sim_home(p, p->father[i]) >= 0 && sim_home(p, p->mother[i]) >= 0) {
            strangers += kinship(&cohort, p->father[i], p->mother[i]);
            pairs[2]++;
        }
    }
    /* Admixed parents look a little less related to their children. */
    assert_true(fabs(parents / pairs[0] - 0.25) < 0.02);
    /* One chromosome of 2.5 morgans: a pair deviates by 0.07, their mean by a fifth of it. */
    assert_true(fabs(siblings / pairs[1] - 0.25) < 0.05);
    assert_true(fabs(strangers / pairs[2]) < 0.03);
}

/* ---- missing calls ---- */

static void missing_calls_vary_by_variant_around_their_rate(void **state) {
    (void)state;
    int64_t missing = 0, without = 0, many = 0;
    for (int64_t v = 0; v < cohort.variants; v++) {
        int64_t here = 0;
        for (int64_t i = 0; i < cohort.people.n; i++)
            here += sim_call(&cohort, v, i) == GP_GENO_MISSING;
        missing += here;
        without += here == 0;
        many += here > cohort.people.n / 20;
    }
    double rate = (double)missing / (double)(cohort.variants * cohort.people.n);
    assert_true(fabs(rate - 0.01) < 0.001); /* sd of a variant's rate 0.017, 5,000 of them */
    assert_true(without > cohort.variants / 2 - 200 && without < cohort.variants * 2 / 3);
    assert_true(many > cohort.variants / 100);
}

static void no_call_is_missing_at_rate_0(void **state) {
    (void)state;
    gp_err err = {0};
    sim_cohort c;
    sim_want want = usual;
    want.variants = 200;
    want.missing_rate = 0;
    assert_int_equal(sim_make(&c, &want, &err), GP_OK);
    for (int64_t v = 0; v < c.variants; v++)
        for (int64_t i = 0; i < c.people.n; i++)
            assert_true(sim_call(&c, v, i) != GP_GENO_MISSING);
    sim_free(&c);
}

/* ---- the same bits ---- */

static void calls_depend_on_the_seed_but_not_on_threads_or_runs(void **state) {
    (void)state;
    gp_err err = {0};
    sim_cohort first, other;
    sim_want want = {.samples = 130,
                     .variants = 700,
                     .chromosomes = 3,
                     .populations = 2,
                     .relatives = 0.3,
                     .missing_rate = 0.02,
                     .seed = 9};
    assert_int_equal(sim_make(&first, &want, &err), GP_OK);
    size_t bytes = (size_t)(first.variants * first.stride);
    for (int threads = 1; threads < 4; threads++) {
        omp_set_num_threads(threads);
        want.words = 1 + 2 * (threads == 2);
        assert_int_equal(sim_make(&other, &want, &err), GP_OK);
        assert_memory_equal(first.rows, other.rows, bytes);
        sim_free(&other);
    }
    want.seed = 10;
    assert_int_equal(sim_make(&other, &want, &err), GP_OK);
    assert_true(memcmp(first.rows, other.rows, bytes) != 0);
    sim_free(&other);
    sim_free(&first);
}

static void padding_after_the_last_sample_is_zero(void **state) {
    (void)state;
    for (int64_t v = 0; v < cohort.variants; v++)
        for (int64_t i = cohort.people.n; i < 4 * cohort.stride; i++)
            assert_int_equal(sim_call(&cohort, v, i), 0);
}

static int small_cohort(void *context, gp_err *err) {
    sim_cohort c;
    (void)context;
    const sim_want want = {.samples = 20,
                           .variants = 30,
                           .chromosomes = 2,
                           .populations = 2,
                           .relatives = 0.2,
                           .seed = 1,
                           .causes = {1, 4, 20, 30, 1}};
    sim_make(&c, &want, err);
    sim_free(&c);
    return err->code;
}

static void every_refused_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    assert_true(gp_test_fail_each(small_cohort, NULL) > 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variants_are_shared_out_by_length_and_none_is_lost),
        cmocka_unit_test(positions_rise_and_fill_their_chromosome),
        cmocka_unit_test(a_variant_has_two_different_bases),
        cmocka_unit_test(frequencies_fall_from_rare_to_common),
        cmocka_unit_test(correlation_of_common_variants_decays_with_distance),
        cmocka_unit_test(populations_differ_a_little),
        cmocka_unit_test(families_are_consistent),
        cmocka_unit_test(two_samples_of_one_sex_have_no_children),
        cmocka_unit_test(children_have_one_allele_of_either_parent),
        cmocka_unit_test(siblings_and_parents_have_kinship_a_quarter),
        cmocka_unit_test(missing_calls_vary_by_variant_around_their_rate),
        cmocka_unit_test(no_call_is_missing_at_rate_0),
        cmocka_unit_test(calls_depend_on_the_seed_but_not_on_threads_or_runs),
        cmocka_unit_test(padding_after_the_last_sample_is_zero),
        cmocka_unit_test(every_refused_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, make_cohort, free_cohort);
}
