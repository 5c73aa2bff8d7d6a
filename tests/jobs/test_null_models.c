/* Null models over all ranks: the same numbers on any of them; covariates that separate are named;
 * memory that is refused on one rank ends all. */
#include "jobs/null_models.h"
#include "src/assoc/design.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 500, COVARIATES = 2 };

static gp_par *par;
static char warning[1024];

static void keep_warning(void *context, int level, const char *line) {
    (void)context;
    if (level == GP_WARN)
        snprintf(warning, sizeof warning, "%s", line);
}

static gp_sink sink = {.say = keep_warning};
static gp_job job = {.sink = &sink};

/* A cohort of one or two binary traits, the second of which a covariate may tell apart. */
typedef struct people {
    gp_cohort cohort;
    gp_patterns patterns;
    gp_offsets offsets;
} people;

static void *room(int64_t count, int64_t size) {
    gp_err err = {0};
    void *bytes = gp_mem_alloc(count, size, &err);
    if (bytes == NULL)
        abort();
    return bytes;
}

static double uniform(int64_t kind, int64_t i) {
    return (double)(number_of(17, kind, i, 0) >> 11) / 9007199254740992.0;
}

static char *copy(const char *text) {
    gp_err err = {0};
    return gp_mem_string(text, (int64_t)strlen(text), &err);
}

static void people_make(people *p, int64_t traits, int separated) {
    gp_cohort *c = &p->cohort;
    *p = (people){0};
    c->samples.n = SAMPLES;
    c->kept = room(SAMPLES, 1);
    c->complete = room(SAMPLES, 1);
    c->trait = room(traits, sizeof *c->trait);
    c->traits = traits;
    c->covariate = room(COVARIATES, sizeof *c->covariate);
    c->covariates = COVARIATES;
    for (int64_t k = 0; k < COVARIATES; k++)
        c->covariate[k] =
            (gp_covariate){copy(k == 0 ? "age" : "marker"), room(SAMPLES, sizeof(double))};
    for (int64_t t = 0; t < traits; t++)
        c->trait[t] = (gp_trait){.name = copy(t == 0 ? "one" : "two"),
                                 .value = room(SAMPLES, sizeof(double)),
                                 .binary = 1};
    for (int64_t i = 0; i < SAMPLES; i++) {
        c->kept[i] = c->complete[i] = 1;
        c->covariate[0].value[i] = uniform(1, i);
        c->covariate[1].value[i] = uniform(2, i);
        for (int64_t t = 0; t < traits; t++)
            c->trait[t].value[i] = uniform(3 + t, i) < 0.2 + 0.3 * uniform(1, i);
        if (i % 9 == 0)
            c->trait[0].value[i] = NAN;
        if (separated && traits > 1) /* cases up to where controls begin */
            c->covariate[1].value[i] =
                c->trait[1].value[i] == 1.0 ? -(double)(i % 3) : (double)(i % 4);
    }
}

static int people_fit(people *p, gp_err *err) {
    const gp_patterns_input input = {.samples = SAMPLES, .exact = 1};
    gp_patterns_init(&p->patterns, &p->cohort, &input, job.sink, err);
    p->patterns.firth = 1;
    if (gp_par_agree(par, err) == GP_OK)
        gp_null_models_fit(&job, &p->patterns, &p->cohort, &p->offsets, err);
    return err->code;
}

static void people_free(people *p) {
    gp_patterns_free(&p->patterns);
    gp_cohort_free(&p->cohort);
}

/* The same alone: all samples on this rank. */
static int fit_alone(const people *p, gp_logit_null *null, gp_err *err) {
    gp_logit_rows rows = {0};
    int64_t sample[SAMPLES], n = 0;
    static double basis[COVARIATES * SAMPLES], value[SAMPLES];
    uint8_t kept[COVARIATES];
    for (int64_t i = 0; i < SAMPLES; i++)
        if (!isnan(p->cohort.trait[0].value[i]))
            sample[n++] = i;
    for (int64_t i = 0; i < n; i++) {
        value[i] = p->cohort.trait[0].value[sample[i]];
        for (int64_t k = 0; k < COVARIATES; k++)
            basis[k * n + i] = p->cohort.covariate[k].value[sample[i]];
    }
    gp_design_basis(basis, n, COVARIATES, kept);
    gp_logit_rows_input input = {
        .n = n, .sample = sample, .covariates = COVARIATES, .basis = basis, .samples = SAMPLES};
    double *y = room(SAMPLES + GP_GENO_GROUP, sizeof *y),
           *zero = room(SAMPLES + GP_GENO_GROUP, sizeof *y);
    if (gp_logit_rows_init(&rows, &input, err) == GP_OK) {
        gp_logit_rows_spread(&rows, sample, value, y);
        gp_logit_null_fit(null, &rows, y, zero, NULL, err);
    }
    gp_logit_rows_free(&rows);
    free(y);
    free(zero);
    return err->code;
}

static void ranks_together_find_the_bits_that_one_finds_alone(void **state) {
    (void)state;
    gp_err err = {0};
    gp_logit_null alone = {0};
    people p;
    people_make(&p, 1, 0);
    assert_all(fit_alone(&p, &alone, &err) == GP_OK && alone.status == GP_STATUS_OK);
    assert_all(people_fit(&p, &err) == GP_OK);
    assert_all(p.patterns.count == 1 && p.patterns.pattern[0].kind == GP_PATTERN_LOGISTIC);
    const gp_binary *binary = &p.patterns.pattern[0].binary[0];
    size_t c = COVARIATES + 1;
    assert_all(binary->nulls == 1 && binary->null[0].cases == alone.cases &&
               binary->cases == alone.cases);
    assert_all(memcmp(binary->null[0].beta, alone.beta, c * sizeof *alone.beta) == 0);
    assert_all(memcmp(binary->null[0].firth, alone.firth, c * sizeof *alone.firth) == 0);
    assert_all(memcmp(binary->null[0].information, alone.information, c * c * sizeof *alone.beta) ==
               0);
    assert_all(p.cohort.covariate[0].value == NULL);
    gp_logit_null_free(&alone);
    people_free(&p);
}

static void a_trait_that_a_covariate_tells_apart_is_skipped_and_the_other_stays(void **state) {
    (void)state;
    gp_err err = {0};
    people p;
    people_make(&p, 2, 1);
    warning[0] = 0;
    assert_all(people_fit(&p, &err) == GP_OK);
    assert_all(p.patterns.count == 1 && p.patterns.pattern[0].traits == 1 &&
               p.patterns.pattern[0].trait[0] == 0);
    assert_all(
        strcmp(warning,
               "trait 'two' is skipped: covariate 'marker' separates its cases from its controls; "
               "leave it out, or join its rare levels") == 0);
    people_free(&p);
}

/* The k-th allocation fails on one rank: all leave with the same code, and none waits. */
static void memory_refused_on_one_rank_ends_all(void **state) {
    (void)state;
    for (int bad = 0; bad < gp_par_size(par); bad++)
        for (int64_t k = 1;; k++) {
            gp_err err = {0};
            people p;
            people_make(&p, 2, 0);
            if (gp_par_rank(par) == bad)
                gp_mem_fail_at(k);
            int code = people_fit(&p, &err);
            gp_mem_fail_at(0);
            people_free(&p);
            assert_all(code == err.code);
            if (code == GP_OK)
                break;
            assert_all(code == GP_EFAIL);
            assert_all(k < 1000);
        }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_together_find_the_bits_that_one_finds_alone),
        cmocka_unit_test(a_trait_that_a_covariate_tells_apart_is_skipped_and_the_other_stays),
        cmocka_unit_test(memory_refused_on_one_rank_ends_all),
    };
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    job.par = par;
    only_rank_0_reports(gp_par_rank(par));
    int failed = cmocka_run_group_tests_name("jobs.null_models", tests, NULL, NULL);
    gp_par_close(par);
    return failed;
}
