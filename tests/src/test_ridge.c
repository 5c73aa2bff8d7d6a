/* src/assoc/ridge, row_sums: many ridge regressions at once, against each one solved whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/assoc/design.h"
#include "src/assoc/ridge.h"
#include "src/assoc/row_sums.h"
#include "src/assoc/spectrum.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/pca/subspace.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *room(int64_t count, size_t size) {
    gp_err err = {0};
    void *x = gp_mem_alloc(count, (int64_t)size, &err);
    assert_non_null(x);
    return x;
}

/* Rows of Z' are samples: K = Z' Z / m is applied as two products of plain loops. Sums over samples
 * are made block by block, so that ranks can be played (see below). */
typedef struct problem {
    int64_t n, m, covariates, designs, columns, penalties, basis;
    double *z; /* [n x m] */
    double *x; /* [covariates x n] */
    double *y; /* [columns x n] as given */
    double *lambda;
    int64_t *design;
    uint8_t *mask, *asked; /* [designs x n] */
    double *e;             /* [designs x basis x n] */
    double *clean;         /* [columns x n] projected */
} problem;

/* The basis of a design, written on to all rows; collinear covariates leave columns of 0. */
static void make_basis(problem *p, int64_t d) {
    int64_t n = p->n, c = p->covariates, count = 0, *list = room(n, sizeof *list);
    uint8_t *kept = room(c, 1);
    for (int64_t i = 0; i < n; i++)
        if (p->mask[d * n + i])
            list[count++] = i;
    double *q = room(c * count, sizeof *q), *e = p->e + d * p->basis * n;
    for (int64_t k = 0; k < c; k++)
        for (int64_t i = 0; i < count; i++)
            q[k * count + i] = p->x[k * n + list[i]];
    int64_t rank = gp_design_basis(q, count, c, kept);
    for (int64_t i = 0; i < n; i++)
        e[i] = 1.0 / sqrt((double)count);
    for (int64_t k = 0, at = 0; k < c; k++) {
        if (!kept[k])
            continue;
        double mean = 0.0, *to = e + (1 + at) * n, *turn = room(rank, sizeof *turn);
        for (int64_t i = 0; i < count; i++)
            mean += p->x[k * n + list[i]] / (double)count;
        for (int64_t b = 0; b <= at; b++)
            for (int64_t i = 0; i < count; i++)
                turn[b] += q[b * count + i] * (p->x[k * n + list[i]] - mean);
        for (int64_t i = 0; i < n; i++) {
            to[i] = p->x[k * n + i] - mean;
            for (int64_t b = 0; b < at; b++)
                to[i] -= turn[b] * e[(1 + b) * n + i];
            to[i] /= turn[at];
        }
        at++;
        free(turn);
    }
    for (int64_t j = 0; j < p->columns; j++) {
        if (p->design[j] != d)
            continue;
        double *y = room(count, sizeof *y);
        for (int64_t i = 0; i < count; i++)
            y[i] = p->y[j * n + list[i]];
        double length = gp_design_residual(q, count, rank, y);
        for (int64_t i = 0; i < count; i++)
            p->clean[j * n + list[i]] = y[i] * length;
        free(y);
    }
    free(q);
    free(kept);
    free(list);
}

static problem problem_new(int64_t n, int64_t m, int64_t covariates, uint64_t seed) {
    problem p = {.n = n, .m = m, .covariates = covariates, .designs = 3, .columns = 5};
    p.penalties = 4;
    p.basis = 1 + covariates;
    p.z = room(n * m, sizeof *p.z);
    p.x = room(covariates * n, sizeof *p.x);
    p.y = room(p.columns * n, sizeof *p.y);
    p.clean = room(p.columns * n, sizeof *p.y);
    p.lambda = room(p.columns * p.penalties, sizeof *p.lambda);
    p.design = room(p.columns, sizeof *p.design);
    p.mask = room(p.designs * n, 1);
    p.asked = room(p.designs * n, 1);
    p.e = room(p.designs * p.basis * n, sizeof *p.e);
    for (int64_t i = 0; i < n * m; i++)
        p.z[i] = gp_test_normal(&seed) + ((i / m) % 3 == 1 ? 0.7 : -0.1); /* some structure */
    for (int64_t k = 0; k < covariates; k++)
        for (int64_t i = 0; i < n; i++) /* the third is a combination of the first two */
            p.x[k * n + i] = k == 2 ? 2.0 * p.x[i] - p.x[n + i] + 3.0 : 5.0 + gp_test_normal(&seed);
    for (int64_t j = 0; j < p.columns; j++) {
        p.design[j] = j % p.designs;
        for (int64_t i = 0; i < n; i++)
            p.y[j * n + i] = 100.0 + gp_test_normal(&seed) + 2.0 * p.z[i * m + j % m] +
                             (covariates > 0 ? p.x[i] : 0.0);
        for (int64_t s = 0; s < p.penalties; s++)
            p.lambda[j * p.penalties + s] = (0.03 + 0.01 * (double)j) * pow(6.0, (double)s);
    }
    for (int64_t d = 0; d < p.designs; d++)
        for (int64_t i = 0; i < n; i++) {
            p.mask[d * n + i] = d == 0 || i % (d + 2) != 1;
            p.asked[d * n + i] = d == 0 ? i % 4 == 0 : !p.mask[d * n + i] || i % 11 == 0;
        }
    for (int64_t d = 0; d < p.designs; d++)
        make_basis(&p, d);
    return p;
}

static void problem_free(problem *p) {
    free(p->z);
    free(p->x);
    free(p->y);
    free(p->clean);
    free(p->lambda);
    free(p->design);
    free(p->mask);
    free(p->asked);
    free(p->e);
}

/* ---- the whole system, by elimination ---- */

/* Solves a x = b in place of b, with the largest of a column's numbers as pivots. */
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

static double related(const problem *p, int64_t i, int64_t k) {
    double sum = 0.0;
    for (int64_t v = 0; v < p->m; v++)
        sum += p->z[i * p->m + v] * p->z[k * p->m + v];
    return sum / (double)p->m;
}

/* Henderson's form without any projection: (K + lambda) alpha + X b = y, X' alpha = 0, on the
 * samples of the mask. guess [n]: x b + K alpha for all rows; alpha [n]. */
static void solve_whole(const problem *p, int64_t j, double lambda, double *alpha, double *guess) {
    int64_t n = p->n, d = p->design[j], count = 0, *list = room(n, sizeof *list);
    /* The third covariate adds nothing: an exact solution leaves it out. */
    int64_t c = gp_least(p->covariates, 2);
    for (int64_t i = 0; i < n; i++)
        if (p->mask[d * n + i])
            list[count++] = i;
    int64_t size = count + 1 + c;
    double *a = room(size * size, sizeof *a), *b = room(size, sizeof *b);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < count; k++)
            a[i * size + k] = related(p, list[i], list[k]) + (i == k ? lambda : 0.0);
        for (int64_t k = 0; k <= c; k++)
            a[i * size + count + k] = a[(count + k) * size + i] =
                k == 0 ? 1.0 : p->x[(k - 1) * n + list[i]];
        b[i] = p->y[j * n + list[i]];
    }
    eliminate(size, a, b);
    memset(alpha, 0, (size_t)n * sizeof *alpha);
    for (int64_t i = 0; i < count; i++)
        alpha[list[i]] = b[i];
    for (int64_t i = 0; i < n; i++) {
        guess[i] = b[count];
        for (int64_t k = 0; k < c; k++)
            guess[i] += b[count + 1 + k] * p->x[k * n + i];
        for (int64_t k = 0; k < count; k++)
            guess[i] += related(p, i, list[k]) * b[k];
    }
    free(list);
    free(a);
    free(b);
}

/* ---- products, by one rank or several ---- */

enum { MOST_RANKS = 5 };

/* Ranks are threads that meet at a barrier: what they add is added in any order they like. */
typedef struct crowd {
    int ranks;
    pthread_barrier_t barrier;
    int64_t *sum;
    double *whole; /* [columns x n] */
} crowd;

typedef struct one {
    const problem *p;
    crowd *crowd; /* NULL: alone */
    int rank;
    int64_t first, rows;
    int fails;
    int64_t columns; /* of all products */
    double longest;
} one;

static int add(void *context, int64_t *x, int64_t count, gp_err *err) {
    one *o = context;
    crowd *c = o->crowd;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (c == NULL)
        return err->code;
    if (o->rank == 0)
        memset(c->sum, 0, (size_t)count * sizeof *c->sum);
    pthread_barrier_wait(&c->barrier);
    pthread_mutex_lock(&lock);
    for (int64_t i = 0; i < count; i++)
        c->sum[i] = (int64_t)((uint64_t)c->sum[i] + (uint64_t)x[i]);
    pthread_mutex_unlock(&lock);
    pthread_barrier_wait(&c->barrier);
    memcpy(x, c->sum, (size_t)count * sizeof *x);
    pthread_barrier_wait(&c->barrier);
    return err->code;
}

/* y = Z' Z x / m of whole columns: every rank does them all, in one order. */
static int multiply(void *context, const double *x, int64_t columns, double *y, gp_err *err) {
    one *o = context;
    const problem *p = o->p;
    const double *all = x;
    if (o->fails > 0 && --o->fails == 0)
        return gp_err_set(err, GP_ESTOP, "stopped");
    if (o->crowd != NULL) {
        for (int64_t k = 0; k < columns; k++)
            memcpy(o->crowd->whole + k * p->n + o->first, x + k * o->rows,
                   (size_t)o->rows * sizeof *x);
        pthread_barrier_wait(&o->crowd->barrier);
        all = o->crowd->whole;
    }
    double *b = room(p->m, sizeof *b);
    o->columns += columns;
    for (int64_t k = 0; k < columns; k++) {
        double length = 0.0;
        memset(b, 0, (size_t)p->m * sizeof *b);
        for (int64_t i = 0; i < p->n; i++) {
            length += all[k * p->n + i] * all[k * p->n + i];
            for (int64_t v = 0; v < p->m; v++)
                b[v] += p->z[i * p->m + v] * all[k * p->n + i];
        }
        o->longest = fmax(o->longest, length);
        for (int64_t i = 0; i < o->rows; i++) {
            double sum = 0.0;
            for (int64_t v = 0; v < p->m; v++)
                sum += p->z[(o->first + i) * p->m + v] * b[v];
            y[k * o->rows + i] = sum / (double)p->m;
        }
    }
    free(b);
    if (o->crowd != NULL)
        pthread_barrier_wait(&o->crowd->barrier);
    return GP_OK;
}

static gp_ridge_solve plan_of(one *o) {
    const problem *p = o->p;
    return (gp_ridge_solve){.n = p->n,
                            .first = o->first,
                            .rows = o->rows,
                            .columns = p->columns,
                            .penalties = p->penalties,
                            .lambda = p->lambda,
                            .designs = p->designs,
                            .design = p->design,
                            .mask = p->mask,
                            .basis = p->basis,
                            .e = p->e,
                            .asked = p->asked,
                            .y = p->clean,
                            .tolerance = 1e-12,
                            .most_products = 1000,
                            .context = o,
                            .multiply = multiply,
                            .add = add};
}

/* ---- tests ---- */

static void row_sums_of_blocks_are_added_in_their_order(void **state) {
    (void)state;
    int64_t n = 2 * GP_SUBSPACE_ROWS + 10;
    gp_err err = {0};
    gp_row_sums s = {.n = n, .rows = n};
    double total[2], x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, y[] = {1, 1, 1, 1, 1, 1, 1, 1, 2};
    assert_int_equal(gp_row_sums_init(&s, 3, &err), GP_OK);
    assert_int_equal(s.blocks, 3);
    gp_row_sums_begin(&s, 2);
    for (int64_t k = s.from; k < s.to; k++) {
        int64_t count, at = gp_row_sums_at(&s, k, &count);
        assert_true(at == k * GP_SUBSPACE_ROWS && count == (k < 2 ? GP_SUBSPACE_ROWS : 10));
        gp_row_sums_set(&s, k, 0, (double)count);
        gp_row_sums_set(&s, k, 1, k == 0 ? 1e17 : k == 1 ? -1e17 : 1.0);
    }
    assert_int_equal(gp_row_sums_add(&s, total, &err), GP_OK);
    assert_true(total[0] == (double)n && total[1] == 1.0);
    assert_true(gp_dot(x, y, 9) == 54.0);
    gp_row_sums_free(&s);
}

/* (2 + lambda) alpha = P y: the other direction is the intercept's. */
static void ridge_of_two_samples_by_hand(void **state) {
    (void)state;
    /* z = (1), (-1): K = [1 -1; -1 1]; y = 3, 1: P y = 1, -1 = K's vector of value 2. */
    double z[] = {1, -1}, half = sqrt(0.5), e[] = {half, half}, y[] = {1, -1}, lambda[] = {2, 6};
    int64_t design = 0;
    uint8_t all[] = {1, 1};
    problem p = {.n = 2, .m = 1, .z = z, .columns = 1, .penalties = 2, .lambda = lambda};
    p.designs = p.basis = 1;
    p.design = &design;
    p.mask = p.asked = all;
    p.e = e;
    p.clean = y;
    one o = {.p = &p, .rows = 2};
    gp_ridge_solve s = plan_of(&o);
    gp_err err = {0};
    assert_int_equal(gp_ridge_solve_run(&s, &err), GP_OK);
    assert_true(s.converged && s.products == 1 && s.asked_most == 2);
    /* some roundings of numbers near 1 */
    assert_true(fabs(s.alpha[0] - 0.25) < 1e-15 && fabs(s.alpha[1] + 0.25) < 1e-15);
    assert_true(fabs(s.value[0] - 0.5) < 1e-15 && fabs(s.value[1] + 0.5) < 1e-15);
    assert_true(fabs(s.value[2] - 0.25) < 1e-15 && fabs(s.value[3] + 0.25) < 1e-15);
    assert_true(fabs(s.along[0]) < 1e-15);
    gp_ridge_solve_free(&s);
}

/* All columns and penalties against each system solved whole. */
static void compare(const problem *p) {
    one o = {.p = p, .rows = p->n};
    gp_ridge_solve s = plan_of(&o);
    gp_err err = {0};
    double *alpha = room(p->n, sizeof *alpha), *guess = room(p->n, sizeof *guess);
    assert_int_equal(gp_ridge_solve_run(&s, &err), GP_OK);
    assert_true(s.converged);
    assert_true(o.longest <= 1.0 + 1e-12);            /* roundings of the length */
    assert_true(o.columns < s.products * p->columns); /* settled columns drop out */
    for (int64_t j = 0; j < p->columns; j++)
        for (int64_t k = 0; k < p->penalties; k++) {
            int64_t d = p->design[j], at = 0, n = p->n;
            const double *value = s.value + (j * p->penalties + k) * s.asked_most;
            solve_whole(p, j, p->lambda[j * p->penalties + k], alpha, guess);
            for (int64_t i = 0; i < n; i++) {
                if (k == 0) /* y has a size of 100 */
                    assert_true(fabs(s.alpha[j * n + i] - alpha[i]) < 1e-8);
                if (!p->asked[d * n + i])
                    continue;
                double mine = value[at++];
                for (int64_t b = 0; b < p->basis; b++) {
                    double along = 0.0;
                    for (int64_t r = 0; r < n; r++)
                        if (p->mask[d * n + r])
                            along += p->e[(d * p->basis + b) * n + r] * p->y[j * n + r];
                    mine += along * p->e[(d * p->basis + b) * n + i];
                }
                assert_true(fabs(mine - guess[i]) < 1e-8);
            }
        }
    /* Q' K alpha: what the covariates take up of the genetic values. */
    for (int64_t j = 0; j < p->columns; j++)
        for (int64_t b = 0; b < p->basis; b++) {
            double along = 0.0;
            int64_t d = p->design[j], n = p->n;
            for (int64_t i = 0; i < n; i++)
                for (int64_t k = 0; p->mask[d * n + i] && k < n; k++)
                    along +=
                        p->e[(d * p->basis + b) * n + i] * related(p, i, k) * s.alpha[j * n + k];
            assert_true(fabs(s.along[j * p->basis + b] - along) < 1e-8);
        }
    gp_ridge_solve_free(&s);
    free(alpha);
    free(guess);
}

static void ridge_is_as_each_system_solved_whole(void **state) {
    (void)state;
    for (int64_t covariates = 0; covariates < 4; covariates++) { /* with 3: collinear */
        problem p = problem_new(90, 60, covariates, 5);
        compare(&p);
        problem_free(&p);
    }
}

static void ridge_takes_more_variants_than_samples(void **state) {
    (void)state;
    problem p = problem_new(60, 200, 1, 9);
    compare(&p);
    problem_free(&p);
}

static void ridge_gives_nothing_for_a_column_without_variance(void **state) {
    (void)state;
    problem p = problem_new(60, 30, 1, 9);
    memset(p.clean + 2 * p.n, 0, (size_t)p.n * sizeof *p.clean);
    one o = {.p = &p, .rows = p.n};
    gp_ridge_solve s = plan_of(&o);
    gp_err err = {0};
    assert_int_equal(gp_ridge_solve_run(&s, &err), GP_OK);
    assert_true(s.converged);
    for (int64_t i = 0; i < p.n; i++)
        assert_true(s.alpha[2 * p.n + i] == 0.0);
    for (int64_t i = 0; i < p.penalties * s.asked_most; i++)
        assert_true(s.value[2 * p.penalties * s.asked_most + i] == 0.0);
    gp_ridge_solve_free(&s);
    problem_free(&p);
}

/* ---- ranks ---- */

typedef struct played {
    one one;
    problem part; /* this rank's rows */
    gp_ridge_solve s;
    gp_err err;
} played;

static void *play(void *context) {
    played *r = context;
    gp_ridge_solve s = plan_of(&r->one);
    s.mask = r->part.mask;
    s.asked = r->part.asked;
    s.e = r->part.e;
    s.y = r->part.clean;
    gp_ridge_solve_run(&s, &r->err);
    r->s = s;
    return NULL;
}

static void *rows_of(const void *from, int64_t count, size_t size, const one *o) {
    char *to = room(count * o->rows, size);
    for (int64_t k = 0; k < count; k++)
        memcpy(to + (size_t)(k * o->rows) * size,
               (const char *)from + (size_t)(k * o->p->n + o->first) * size,
               (size_t)o->rows * size);
    return to;
}

/* alpha [columns x n] and value [columns x penalties x asked, as the ranks have them]. */
static void play_ranks(const problem *p, int ranks, double *alpha, double *value, int64_t *values) {
    crowd c = {.ranks = ranks, .sum = room(1 << 16, sizeof *c.sum)};
    played r[MOST_RANKS] = {0};
    pthread_t thread[MOST_RANKS];
    c.whole = room(p->columns * p->n, sizeof *c.whole);
    pthread_barrier_init(&c.barrier, NULL, (unsigned)ranks);
    for (int k = 0; k < ranks; k++) {
        one *o = &r[k].one;
        *o = (one){.p = p, .crowd = &c, .rank = k};
        o->first = gp_split_begin(p->n, GP_SUBSPACE_ROWS, ranks, k);
        o->rows = gp_split_begin(p->n, GP_SUBSPACE_ROWS, ranks, k + 1) - o->first;
        r[k].part.mask = rows_of(p->mask, p->designs, 1, o);
        r[k].part.asked = rows_of(p->asked, p->designs, 1, o);
        r[k].part.e = rows_of(p->e, p->designs * p->basis, sizeof(double), o);
        r[k].part.clean = rows_of(p->clean, p->columns, sizeof(double), o);
    }
    for (int k = 0; k < ranks; k++)
        assert_int_equal(pthread_create(&thread[k], NULL, play, &r[k]), 0);
    for (int k = 0; k < ranks; k++)
        pthread_join(thread[k], NULL);
    *values = 0;
    for (int64_t j = 0; j < p->columns * p->penalties; j++)
        for (int k = 0; k < ranks; k++) {
            const one *o = &r[k].one;
            int64_t d = p->design[j / p->penalties], at = 0;
            for (int64_t i = 0; i < o->rows; i++)
                if (p->asked[d * p->n + o->first + i])
                    value[(*values)++] = r[k].s.value[j * r[k].s.asked_most + at++];
        }
    for (int k = 0; k < ranks; k++) {
        assert_int_equal(r[k].err.code, GP_OK);
        assert_true(r[k].s.converged);
        for (int64_t j = 0; j < p->columns; j++)
            memcpy(alpha + j * p->n + r[k].one.first, r[k].s.alpha + j * r[k].one.rows,
                   (size_t)r[k].one.rows * sizeof *alpha);
        gp_ridge_solve_free(&r[k].s);
        free(r[k].part.mask);
        free(r[k].part.asked);
        free(r[k].part.e);
        free(r[k].part.clean);
    }
    pthread_barrier_destroy(&c.barrier);
    free(c.sum);
    free(c.whole);
}

static void ridge_gives_the_same_bytes_on_any_number_of_ranks(void **state) {
    (void)state;
    problem p = problem_new(4 * GP_SUBSPACE_ROWS + 100, 12, 2, 21);
    int64_t cells = p.columns * p.penalties * p.n, values = 0, other = 0;
    double *alpha = room(2 * p.columns * p.n, sizeof *alpha),
           *value = room(2 * cells, sizeof *value);
    play_ranks(&p, 1, alpha, value, &values);
    for (int ranks = 2; ranks <= MOST_RANKS; ranks += 3) {
        play_ranks(&p, ranks, alpha + p.columns * p.n, value + cells, &other);
        assert_int_equal(values, other);
        assert_memory_equal(alpha, alpha + p.columns * p.n,
                            (size_t)(p.columns * p.n) * sizeof *alpha);
        assert_memory_equal(value, value + cells, (size_t)values * sizeof *value);
    }
    free(alpha);
    free(value);
    problem_free(&p);
}

/* ---- faults ---- */

static void ridge_says_when_it_has_not_settled_and_stops_with_a_product(void **state) {
    (void)state;
    problem p = problem_new(60, 200, 1, 9);
    one o = {.p = &p, .rows = p.n};
    gp_ridge_solve s = plan_of(&o);
    gp_err err = {0}, stopped = {0};
    s.most_products = 2;
    assert_int_equal(gp_ridge_solve_run(&s, &err), GP_OK);
    assert_true(!s.converged && s.products == 2);
    gp_ridge_solve_free(&s);
    o.fails = 2;
    s = plan_of(&o);
    assert_int_equal(gp_ridge_solve_run(&s, &stopped), GP_ESTOP);
    gp_ridge_solve_free(&s);
    problem_free(&p);
}

static void ridge_refuses_what_is_not_finite(void **state) {
    (void)state;
    for (int what = 0; what < 2; what++) {
        problem p = problem_new(60, 20, 1, 9);
        one o = {.p = &p, .rows = p.n};
        gp_ridge_solve s = plan_of(&o);
        gp_err err = {0};
        *(what ? &p.z[7] : &p.clean[8]) = NAN;
        assert_int_equal(gp_ridge_solve_run(&s, &err), GP_EFAIL);
        gp_ridge_solve_free(&s);
        problem_free(&p);
    }
}

static int solve_once(void *context, gp_err *err) {
    gp_ridge_solve s = plan_of(context);
    gp_ridge_solve_run(&s, err);
    gp_ridge_solve_free(&s);
    return err->code;
}

/* The test's own product takes memory too, which must not fail. */
static int multiply_by_nothing(void *context, const double *x, int64_t columns, double *y,
                               gp_err *err) {
    one *o = context;
    memcpy(y, x, (size_t)(columns * o->rows) * sizeof *y);
    return err->code;
}

static int solve_unrelated(void *context, gp_err *err) {
    gp_ridge_solve s = plan_of(context);
    s.multiply = multiply_by_nothing;
    gp_ridge_solve_run(&s, err);
    gp_ridge_solve_free(&s);
    return err->code;
}

static void ridge_reports_any_memory_refused(void **state) {
    (void)state;
    problem p = problem_new(30, 20, 1, 9);
    one o = {.p = &p, .rows = p.n};
    gp_err err = {0};
    assert_true(gp_test_fail_each(solve_unrelated, &o) > 10);
    assert_int_equal(solve_once(&o, &err), GP_OK);
    problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_sums_of_blocks_are_added_in_their_order),
        cmocka_unit_test(ridge_of_two_samples_by_hand),
        cmocka_unit_test(ridge_is_as_each_system_solved_whole),
        cmocka_unit_test(ridge_takes_more_variants_than_samples),
        cmocka_unit_test(ridge_gives_nothing_for_a_column_without_variance),
        cmocka_unit_test(ridge_gives_the_same_bytes_on_any_number_of_ranks),
        cmocka_unit_test(ridge_says_when_it_has_not_settled_and_stops_with_a_product),
        cmocka_unit_test(ridge_refuses_what_is_not_finite),
        cmocka_unit_test(ridge_reports_any_memory_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
