/* The baselines of a prediction, from a store by all ranks, against dense systems solved whole.
 * With arguments it writes what it finds for another cohort: for ridge.sh, which compares runs on
 * different numbers of ranks. */
#include "jobs/ridge.h"
#include "jobs/ridge_private.h"
#include "jobs/simulation.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"
#include "tests/support/mpi_test.h"
#include "tests/support/random.h"
#include "tests/support/scratch.h"

#include <math.h>

enum { N = 170, M = 300, CHROMOSOMES = 3, COVARIATES = 3, FOLDS = 3, TRAITS = 3 };

static gp_par *par;
static gp_sink sink;
static gp_job job = {.sink = &sink};
static char folder[300]; /* one for all ranks */
static int8_t *calls;    /* [M x N] as in the store */

static const char *in_folder(const char *name) {
    static char path[4][400];
    static int turn;
    char *to = path[turn++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

/* ---- a run ---- */

typedef struct run {
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_folds folds;
    int64_t trait[TRAITS];
    gp_ridge_plan plan;
    gp_ridge ridge;
} run;

static int run_open(run *r, const char *prefix, int64_t folds, gp_err *err) {
    gp_text store = {0}, pheno = {0};
    const gp_selection_options everything = {.filter = {NAN, NAN, NAN, NAN}};
    const gp_folds_options by_number = {.folds = folds};
    *r = (run){0};
    gp_text_print(&store, err, "%s.h5", prefix);
    gp_text_print(&pheno, err, "%s.pheno.tsv", prefix);
    const gp_cohort_options tables = {.pheno = pheno.bytes};
    gp_store_open(&r->store, store.bytes, err);
    if (gp_par_agree(par, err) == GP_OK &&
        gp_cohort_load(&job, &tables, r->store, &r->cohort, err) == GP_OK &&
        gp_selection_load(&job, &everything, r->store, &r->selection, err) == GP_OK)
        gp_folds_init(&job, &by_number, &r->cohort, &r->folds, err);
    for (int64_t t = 0; t < TRAITS; t++)
        r->trait[t] = t;
    r->plan = (gp_ridge_plan){.store = r->store,
                              .cohort = &r->cohort,
                              .selection = &r->selection,
                              .folds = &r->folds,
                              .trait = r->trait,
                              .traits = gp_least(r->cohort.traits, TRAITS)};
    gp_text_free(&store);
    gp_text_free(&pheno);
    return err->code;
}

static void run_close(run *r) {
    gp_ridge_free(&r->ridge);
    gp_folds_free(&r->folds);
    gp_selection_free(&r->selection);
    gp_cohort_free(&r->cohort);
    gp_store_close(r->store);
}

/* Two covariates and a combination of them; some samples lack one, and some are not kept. */
static int add_covariates(run *r, gp_err *err) {
    gp_cohort *c = &r->cohort;
    uint64_t seed = 8;
    c->covariates = COVARIATES;
    c->covariate = gp_mem_alloc(COVARIATES, sizeof *c->covariate, err);
    for (int64_t k = 0; err->code == GP_OK && k < COVARIATES; k++) {
        c->covariate[k].name = gp_mem_string("x", 1, err);
        c->covariate[k].value = gp_mem_alloc(c->samples.n, sizeof(double), err);
        for (int64_t i = 0; err->code == GP_OK && i < c->samples.n; i++)
            c->covariate[k].value[i] = k == 2 ? c->covariate[0].value[i] - c->covariate[1].value[i]
                                              : 50.0 + 3.0 * gp_test_normal(&seed);
    }
    for (int64_t i = 0; err->code == GP_OK && i < c->samples.n; i++) {
        c->kept[i] = i % 13 != 5;
        c->complete[i] = i % 17 != 4;
        if (!c->complete[i])
            c->covariate[1].value[i] = c->covariate[2].value[i] = NAN;
        for (int64_t t = 0; c->complete[i] && t < c->traits; t++)
            c->trait[t].value[i] += t < 2 ? 0.2 * c->covariate[t].value[i] : 0.0;
    }
    return gp_par_agree(par, err);
}

static int open_all(run *r, int64_t folds, gp_err *err) {
    return run_open(r, in_folder("c"), folds, err) == GP_OK ? add_covariates(r, err) : err->code;
}

/* ---- the dense computation ---- */

typedef struct dense {
    run *r;
    int64_t n;
    double *k; /* [n x n] relationships of the kept samples */
    double *z; /* [M x n]; rows of variants that do not count are 0 */
    double diagonal;
    int64_t total; /* variants that count */
} dense;

static void *room(int64_t count, size_t size) {
    gp_err err = {0};
    void *x = gp_mem_alloc(count, (int64_t)size, &err);
    if (x == NULL)
        abort();
    return x;
}

static dense dense_new(run *r) {
    dense d = {.r = r, .n = r->ridge.n};
    d.k = room(d.n * d.n, sizeof *d.k);
    d.z = room(M * d.n, sizeof *d.z);
    for (int64_t v = 0; v < M; v++) {
        double copies = 0, called = 0;
        int64_t seen[3] = {0};
        for (int64_t i = 0; i < d.n; i++) {
            int call = calls[v * N + r->ridge.sample[i]];
            copies += call < 3 ? call : 0;
            called += call < 3;
            if (call < 3)
                seen[call]++;
        }
        double p = copies / called / 2;
        if ((double)seen[0] == called || (double)seen[1] == called || (double)seen[2] == called)
            continue;
        d.total++;
        for (int64_t i = 0; i < d.n; i++) {
            int call = calls[v * N + r->ridge.sample[i]];
            d.z[v * d.n + i] = call < 3 ? (call - 2 * p) / sqrt(2 * p * (1 - p)) : 0.0;
        }
    }
    for (int64_t a = 0; a < d.n; a++)
        for (int64_t b = 0; b < d.n; b++) {
            double sum = 0;
            for (int64_t v = 0; v < M; v++)
                sum += d.z[v * d.n + a] * d.z[v * d.n + b];
            d.k[a * d.n + b] = sum / (double)d.total;
            d.diagonal += a == b ? d.k[a * d.n + b] / (double)d.n : 0.0;
        }
    return d;
}

static void dense_free(dense *d) {
    free(d->k);
    free(d->z);
}

static void eliminate(int64_t n, double *a, double *b) {
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; i++)
            best = fabs(a[i * n + k]) > fabs(a[best * n + k]) ? i : best;
        for (int64_t j = 0; j < n; j++) {
            double t = a[k * n + j];
            a[k * n + j] = a[best * n + j];
            a[best * n + j] = t;
        }
        double t = b[k];
        b[k] = b[best];
        b[best] = t;
        for (int64_t i = k + 1; i < n; i++) {
            double f = a[i * n + k] / a[k * n + k];
            for (int64_t j = k; j < n; j++)
                a[i * n + j] -= f * a[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = k + 1; j < n; j++)
            b[k] -= a[k * n + j] * b[j];
        b[k] /= a[k * n + k];
    }
}

/* Whether kept sample i trains; `inner` is left out. */
static int trains(const dense *d, int64_t model, int64_t t, int64_t i) {
    const run *r = d->r;
    int64_t s = r->ridge.sample[i];
    return r->cohort.complete[s] && !isnan(r->cohort.trait[t].value[s]) &&
           (model == r->folds.count || s % r->folds.count != model);
}

/* The system with covariates as they are (the third, a combination, left out): predictions of all
 * samples with covariates. penalty < 0: covariates alone. */
static void predict(const dense *d, int64_t model, int64_t t, int64_t inner, double penalty,
                    double *guess) {
    const gp_cohort *cohort = &d->r->cohort;
    int64_t n = d->n, count = 0, number = 0, *list = room(n, sizeof *list);
    const int64_t *sample = d->r->ridge.sample;
    for (int64_t i = 0; i < n; i++) {
        int member = trains(d, model, t, i);
        if (member && number % GP_RIDGE_INNER != inner)
            list[count++] = i;
        number += member;
    }
    int64_t size = count + COVARIATES; /* the intercept and two */
    double *a = room(size * size, sizeof *a), *b = room(size, sizeof *b);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < count; k++)
            a[i * size + k] =
                (penalty < 0 ? 0.0 : d->k[list[i] * n + list[k]]) + (i == k ? fabs(penalty) : 0.0);
        for (int64_t k = 0; k < COVARIATES; k++)
            a[i * size + count + k] = a[(count + k) * size + i] =
                k == 0 ? 1.0 : cohort->covariate[k - 1].value[sample[list[i]]];
        b[i] = cohort->trait[t].value[sample[list[i]]];
    }
    eliminate(size, a, b);
    for (int64_t i = 0; i < n; i++) {
        guess[i] = b[count];
        for (int64_t k = 1; k < COVARIATES; k++)
            guess[i] += b[count + k] * cohort->covariate[k - 1].value[sample[i]];
        for (int64_t k = 0; penalty > 0 && k < count; k++)
            guess[i] += d->k[i * n + list[k]] * b[k];
    }
    free(list);
    free(a);
    free(b);
}

/* Squared errors of the inner folds for each penalty of the grid, and each sample's prediction from
 * models without its inner fold for one penalty. */
static void cross_validate(const dense *d, int64_t model, int64_t t, double *error, double penalty,
                           double *cross) {
    double *guess = room(d->n, sizeof *guess);
    for (int64_t inner = 0; inner < GP_RIDGE_INNER; inner++)
        for (int64_t k = 0; k <= GP_RIDGE_GRID; k++) {
            int64_t number = 0;
            predict(d, model, t, inner,
                    k < GP_RIDGE_GRID ? d->diagonal * (1 - gp_ridge_grid[k]) / gp_ridge_grid[k]
                                      : penalty,
                    guess);
            for (int64_t i = 0; i < d->n; i++) {
                if (!trains(d, model, t, i) || number++ % GP_RIDGE_INNER != inner)
                    continue;
                double rest = d->r->cohort.trait[t].value[d->r->ridge.sample[i]] - guess[i];
                if (k < GP_RIDGE_GRID)
                    error[k] += rest * rest;
                else
                    cross[i] = guess[i];
            }
        }
    free(guess);
}

/* ---- tests ---- */

static int close_to(double mine, double theirs, double tolerance) {
    return isnan(theirs) ? isnan(mine) : fabs(mine - theirs) < tolerance;
}

/* One trait of one model. */
static int agrees(const dense *d, int64_t model, int64_t t) {
    const gp_ridge *r = &d->r->ridge;
    int64_t at = (model * r->traits + t) * d->n;
    double *guess = room(3 * d->n, sizeof *guess), error[GP_RIDGE_GRID] = {0};
    double *alone = guess + d->n, *cross = guess + 2 * d->n;
    double h2 = r->heritability[model * r->traits + t];
    double penalty = d->diagonal * (1 - h2) / h2;
    int good = 1;
    predict(d, model, t, -1, penalty, guess);
    predict(d, model, t, -1, -1.0, alone);
    cross_validate(d, model, t, error, penalty, cross);
    double best = gp_ridge_choose(error, d->diagonal);
    /* errors are good to 1e-7; where the parabola is flat, its lowest point to much less */
    good &= fabs(h2 - d->diagonal / (d->diagonal + best)) < 1e-3;
    for (int64_t i = 0; i < d->n; i++) {
        int64_t s = r->sample[i];
        int held = model < FOLDS && s % FOLDS == model;
        /* traits have a size of 10; residuals 1e-9, amplified by the system */
        good &= close_to(r->value[at + i], guess[i], 1e-6);
        good &= close_to(r->covariates[at + i], alone[i], 1e-9);
        if (trains(d, model, t, i))
            good &= close_to(r->cross[at + i], cross[i], 1e-6);
        else
            good &= held || !d->r->cohort.complete[s]
                        ? isnan(r->cross[at + i])
                        : isnan(r->cross[at + i]) || r->cross[at + i] == r->value[at + i];
    }
    free(guess);
    return good;
}

static void baselines_are_as_dense_systems_solved_whole(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    assert_all(open_all(&r, FOLDS, &err) == GP_OK);
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &err) == GP_OK);
    assert_all(r.ridge.models == FOLDS + 1 && r.ridge.traits == TRAITS);
    assert_all(!r.ridge.dropped[0] && !r.ridge.dropped[1] && r.ridge.dropped[2]);
    dense d = dense_new(&r);
    assert_all(d.total == r.ridge.variants.total);
    for (int64_t t = 0; t < TRAITS; t++)
        for (int64_t model = 0; model <= FOLDS; model++)
            assert_all(gp_par_rank(par) != 0 || agrees(&d, model, t));
    dense_free(&d);
    run_close(&r);
}

static void effects_of_variants_and_covariates_give_the_predictions(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    assert_all(open_all(&r, FOLDS, &err) == GP_OK);
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &err) == GP_OK);
    dense d = dense_new(&r);
    double *effect = room(M * TRAITS, sizeof *effect);
    for (int64_t model = 0; model <= FOLDS; model += FOLDS) {
        assert_all(gp_ridge_effects(&job, &r.plan, &r.ridge, model, effect, &err) == GP_OK);
        for (int64_t t = 0; t < TRAITS; t++) {
            const double *fixed = r.ridge.fixed + (model * TRAITS + t) * (1 + COVARIATES);
            const double *alone = r.ridge.alone + (model * TRAITS + t) * (1 + COVARIATES);
            double worst = 0, worst_alone = 0;
            assert_all(fixed[3] == 0.0 && alone[3] == 0.0);
            for (int64_t i = 0; i < d.n; i++) {
                int64_t s = r.ridge.sample[i], at = (model * TRAITS + t) * d.n + i, counting = 0;
                double sum = fixed[0], base = alone[0];
                if (!r.cohort.complete[s])
                    continue;
                for (int64_t k = 0; k < COVARIATES; k++) {
                    sum += fixed[1 + k] * r.cohort.covariate[k].value[s];
                    base += alone[1 + k] * r.cohort.covariate[k].value[s];
                }
                for (int64_t v = 0; v < M; v++) {
                    int counts = 0;
                    for (int64_t k = 0; k < d.n && !counts; k++)
                        counts = d.z[v * d.n + k] != 0.0;
                    if (counts)
                        sum += d.z[v * d.n + i] * effect[counting++ * TRAITS + t];
                }
                worst = fmax(worst, fabs(sum - r.ridge.value[at]));
                worst_alone = fmax(worst_alone, fabs(base - r.ridge.covariates[at]));
            }
            /* alpha is off by its residual, and products by 1e-11; traits have a size of 10 */
            assert_all(worst < 1e-6 && worst_alone < 1e-10);
        }
    }
    free(effect);
    dense_free(&d);
    run_close(&r);
}

/* What a chromosome's variants add, by dense effects of the fold's model. */
typedef struct parts {
    const run *r;
    const dense *d;
    const double *effect; /* [FOLDS][M x TRAITS] */
    double *left;         /* [TRAITS x n] of the predictions, without the chromosomes so far */
    int64_t chromosomes;
    double worst;
} parts;

static void take_part(void *context, int64_t chromosome, const double *part) {
    parts *w = context;
    const gp_ridge *g = &w->r->ridge;
    int64_t first = 0, counting = 0;
    for (int64_t k = 0; k < chromosome; k++)
        first += gp_store_chromosome(w->r->store, k)->count;
    int64_t last = first + gp_store_chromosome(w->r->store, chromosome)->count;
    double *sum = room(TRAITS * g->n, sizeof *sum);
    for (int64_t v = 0; v < last; v++) {
        int counts = 0;
        for (int64_t k = 0; k < g->n && !counts; k++)
            counts = w->d->z[v * g->n + k] != 0.0;
        for (int64_t i = 0; i < g->n && counts && v >= first; i++)
            for (int64_t t = 0; t < TRAITS; t++)
                sum[t * g->n + i] += w->d->z[v * g->n + i] *
                                     w->effect[(g->sample[i] % FOLDS * M + counting) * TRAITS + t];
        counting += counts;
    }
    for (int64_t i = 0; i < TRAITS * g->n; i++) {
        w->worst = fmax(w->worst, fabs(part[i] - sum[i]));
        w->left[i] -= part[i];
    }
    w->chromosomes++;
    free(sum);
}

static void
chromosomes_add_what_their_effects_say_and_together_all_but_the_covariates(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    double worst = 0;
    assert_all(open_all(&r, FOLDS, &err) == GP_OK);
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &err) == GP_OK);
    dense d = dense_new(&r);
    int64_t n = d.n;
    double *effect = room(FOLDS * M, TRAITS * sizeof *effect);
    parts w = {.r = &r, .d = &d, .effect = effect, .left = room(TRAITS * n, sizeof *w.left)};
    for (int64_t f = 0; f < FOLDS; f++)
        assert_all(gp_ridge_effects(&job, &r.plan, &r.ridge, f, effect + f * M * TRAITS, &err) ==
                   GP_OK);
    for (int64_t t = 0; t < TRAITS; t++)
        for (int64_t i = 0; i < n; i++)
            w.left[t * n + i] = r.ridge.value[(r.ridge.sample[i] % FOLDS * TRAITS + t) * n + i];
    assert_all(gp_ridge_parts(&job, &r.plan, &r.ridge, take_part, &w, &err) == GP_OK);
    assert_all(w.chromosomes == CHROMOSOMES);
    /* products are good to 1e-11; traits have a size of 10 */
    assert_all(w.worst < 1e-9);
    for (int64_t t = 0; t < TRAITS; t++)
        for (int64_t i = 0; i < n; i++) {
            int64_t s = r.ridge.sample[i];
            const double *fixed = r.ridge.fixed + (s % FOLDS * TRAITS + t) * (1 + COVARIATES);
            double rest = fixed[0];
            for (int64_t k = 0; k < COVARIATES; k++)
                rest += fixed[1 + k] * r.cohort.covariate[k].value[s];
            if (r.cohort.complete[s])
                worst = fmax(worst, fabs(w.left[t * n + i] - rest));
        }
    assert_all(worst < 1e-6); /* alpha is off by its residual */
    free(w.left);
    free(effect);
    dense_free(&d);
    run_close(&r);
}

static void take_nothing(void *context, int64_t chromosome, const double *part) {
    (void)context;
    (void)chromosome;
    (void)part;
}

static void memory_that_is_refused_on_one_rank_ends_the_parts_of_chromosomes(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    assert_all(open_all(&r, 2, &err) == GP_OK);
    r.plan.traits = 1;
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &err) == GP_OK);
    for (int64_t k = 1;; k = k < 50 ? k + 1 : k * 3) {
        gp_err refused = {0};
        if (gp_par_rank(par) == gp_par_size(par) - 1)
            gp_mem_fail_at(k);
        int code = gp_ridge_parts(&job, &r.plan, &r.ridge, take_nothing, NULL, &refused);
        gp_mem_fail_at(0);
        assert_all(code == refused.code);
        if (code == GP_OK)
            break;
        assert_all(code == GP_EFAIL && strstr(refused.text, "memory") != NULL);
        assert_all(k < 1000000);
    }
    run_close(&r);
}

static void a_trait_without_signal_is_predicted_by_its_covariates(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    uint64_t seed = 77;
    double ridge = 0, alone = 0;
    assert_all(open_all(&r, 0, &err) == GP_OK);
    for (int64_t i = 0; i < N; i++)
        r.cohort.trait[0].value[i] = gp_test_normal(&seed);
    for (int64_t i = 0; i < N; i++) /* what covariates determine leaves nothing to explain */
        r.cohort.trait[1].value[i] = 2.0 + 3.0 * r.cohort.covariate[0].value[i];
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &err) == GP_OK);
    assert_all(r.ridge.models == 1 && r.ridge.heritability[0] < 0.2);
    for (int64_t i = 0; i < r.ridge.n; i++) {
        int64_t s = r.ridge.sample[i];
        if (!r.cohort.complete[s])
            continue;
        double y = r.cohort.trait[0].value[s], second = r.ridge.value[r.ridge.n + i];
        ridge += (y - r.ridge.cross[i]) * (y - r.ridge.cross[i]);
        alone += (y - r.ridge.covariates[i]) * (y - r.ridge.covariates[i]);
        assert_all(fabs(second - (2.0 + 3.0 * r.cohort.covariate[0].value[s])) < 1e-9); /* of 150 */
    }
    assert_all(ridge < 1.15 * alone);
    run_close(&r);
}

static void traits_that_cannot_be_fitted_are_named_with_their_fold(void **state) {
    (void)state;
    gp_err constant = {0}, few = {0};
    run r;
    assert_all(open_all(&r, FOLDS, &constant) == GP_OK);
    for (int64_t i = 0; i < N; i++)
        r.cohort.trait[1].value[i] = i % FOLDS == 2 ? (double)(i % 4) : 7.0;
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &constant) == GP_EINPUT);
    assert_all(strstr(constant.text, "trait 'trait2', fold 2: it is constant") != NULL);
    gp_ridge_free(&r.ridge);
    for (int64_t i = 0; i < N; i++)
        r.cohort.trait[1].value[i] = i % FOLDS == 2 || i < 9 ? (double)(i % 4) : NAN;
    assert_all(gp_ridge_fit(&job, &r.plan, &r.ridge, &few) == GP_EINPUT);
    assert_all(strstr(few.text, "trait 'trait2', fold 2: ") != NULL &&
               strstr(few.text, "too few for 3 covariates") != NULL);
    run_close(&r);
}

static void the_penalty_is_where_the_parabola_is_lowest(void **state) {
    (void)state;
    double error[GP_RIDGE_GRID], target = 1.7 * 0.31 / 0.69;
    for (int k = 0; k < GP_RIDGE_GRID; k++)
        error[k] = 5.0 + pow(log(1.7 * (1 - gp_ridge_grid[k]) / gp_ridge_grid[k] / target), 2);
    assert_all(fabs(gp_ridge_choose(error, 1.7) / target - 1) < 1e-12); /* roundings of logs */
    for (int k = 0; k < GP_RIDGE_GRID; k++)
        error[k] = k;
    assert_all(fabs(gp_ridge_choose(error, 2.0) - 2.0 * 0.05 / 0.95) < 1e-15); /* one rounding */
    for (int k = 0; k < GP_RIDGE_GRID; k++)
        error[k] = 3.0; /* nothing is better than anything: the largest penalty */
    assert_all(fabs(gp_ridge_choose(error, 1.0) - 49.0) < 1e-13);
}

static void memory_that_is_refused_on_one_rank_ends_all_regressions(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    assert_all(open_all(&r, 2, &err) == GP_OK);
    int bad = gp_par_size(par) - 1;
    r.plan.traits = 1;
    for (int64_t k = 1;; k = k < 70 ? k + 1 : k * 3) {
        gp_err refused = {0};
        if (gp_par_rank(par) == bad)
            gp_mem_fail_at(k);
        int code = gp_ridge_fit(&job, &r.plan, &r.ridge, &refused);
        gp_mem_fail_at(0);
        gp_ridge_free(&r.ridge);
        assert_all(code == refused.code);
        if (code == GP_OK)
            break;
        assert_all(code == GP_EFAIL && strstr(refused.text, "memory") != NULL);
        assert_all(k < 1000000);
    }
    run_close(&r);
}

/* ---- another cohort, for ridge.sh ---- */

/* PREFIX FILE: folds by number, all numbers as they are in memory. */
static int write_all(const char *prefix, const char *path, gp_err *err) {
    run r;
    FILE *to = NULL;
    if (run_open(&r, prefix, 2, err) == GP_OK && add_covariates(&r, err) == GP_OK &&
        gp_ridge_fit(&job, &r.plan, &r.ridge, err) == GP_OK) {
        const gp_ridge *g = &r.ridge;
        int64_t fits = g->models * g->traits, all = g->variants.total * g->traits;
        double *effect = room(all, sizeof *effect);
        gp_ridge_effects(&job, &r.plan, g, 1, effect, err);
        if (gp_par_rank(par) == 0 && (to = fopen(path, "wb")) != NULL) {
            const double *part[] = {g->covariates, g->value, g->cross,       g->alpha,
                                    g->fixed,      g->alone, g->heritability};
            for (int k = 0; k < 7; k++) {
                int64_t count = k < 4 ? g->n : k < 6 ? 1 + COVARIATES : 1;
                fwrite(part[k], sizeof(double), (size_t)(fits * count), to);
            }
            fwrite(effect, sizeof *effect, (size_t)all, to);
            fclose(to);
        }
        free(effect);
    }
    run_close(&r);
    return gp_par_agree(par, err);
}

/* ---- the cohort ---- */

static int simulate(gp_err *err) {
    const gp_simulation_options ask = {.out = in_folder("c"),
                                       .samples = N,
                                       .variants = M,
                                       .chromosomes = CHROMOSOMES,
                                       .populations = 2,
                                       .relatives = 0.2,
                                       .missing_rate = 0.05,
                                       .missing_pheno = 0.1,
                                       .traits = TRAITS,
                                       .binary = 1,
                                       .prevalence = 0.3,
                                       .causal = 20,
                                       .heritability = 0.5,
                                       .seed = 5};
    gp_simulation s = {.ask = &ask};
    if (gp_simulation_check(&s, err) == GP_OK)
        gp_simulation_write(&s, err);
    gp_simulation_free(&s);
    return err->code;
}

static int read_calls(gp_err *err) {
    gp_store *store = NULL;
    int64_t stride = gp_geno_stride(N), variant = 0;
    uint8_t *rows = gp_mem_alloc(M, stride, err);
    calls = gp_mem_alloc(M, N, err);
    if (err->code == GP_OK)
        gp_store_open(&store, in_folder("c.h5"), err);
    for (int64_t k = 0; err->code == GP_OK && k < CHROMOSOMES; k++) {
        int64_t count = gp_store_chromosome(store, k)->count;
        gp_store_read_genotypes(store, k, 0, count, 0, N, rows, err);
        for (int64_t j = 0; j < count; j++, variant++)
            for (int64_t i = 0; i < N; i++)
                calls[variant * N + i] = (int8_t)gp_geno_get(rows + j * stride, i);
    }
    free(rows);
    gp_store_close(store);
    return gp_par_agree(par, err);
}

static int set_up(gp_err *err) {
    gp_text name = {0};
    if (gp_par_rank(par) == 0 && scratch_make(NULL) == 0)
        gp_text_print(&name, err, "%s", scratch_folder);
    if (gp_par_agree(par, err) == GP_OK && gp_par_share_text(par, &name, err) == GP_OK)
        snprintf(folder, sizeof folder, "%s", name.bytes);
    gp_text_free(&name);
    if (err->code == GP_OK && gp_par_rank(par) == 0)
        simulate(err);
    return gp_par_agree(par, err) == GP_OK ? read_calls(err) : err->code;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    job.par = par;
    if (argc == 3) {
        if (write_all(argv[1], argv[2], &err) != GP_OK && gp_par_rank(par) == 0)
            fprintf(stderr, "%s\n", err.text);
        gp_par_close(par);
        return err.code;
    }
    if (!only_rank_0_reports(gp_par_rank(par)) || set_up(&err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baselines_are_as_dense_systems_solved_whole),
        cmocka_unit_test(effects_of_variants_and_covariates_give_the_predictions),
        cmocka_unit_test(
            chromosomes_add_what_their_effects_say_and_together_all_but_the_covariates),
        cmocka_unit_test(memory_that_is_refused_on_one_rank_ends_the_parts_of_chromosomes),
        cmocka_unit_test(a_trait_without_signal_is_predicted_by_its_covariates),
        cmocka_unit_test(traits_that_cannot_be_fitted_are_named_with_their_fold),
        cmocka_unit_test(the_penalty_is_where_the_parabola_is_lowest),
        cmocka_unit_test(memory_that_is_refused_on_one_rank_ends_all_regressions),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_agree(par, &err);
    if (gp_par_rank(par) == 0)
        scratch_remove(NULL);
    free(calls);
    gp_par_close(par);
    return failures;
}
