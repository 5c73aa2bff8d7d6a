#include "src/assoc/lmm_inside.h"
#include "src/assoc/spectrum.h"
#include "src/base/split.h"

#include <omp.h>
#include <string.h>

enum { K = GP_CHEBYSHEV, PANEL = GP_LMM_PANEL, ROWS = GP_LMM_ROWS };

void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc);

/* Rows of doubles, `lead` apart. */
typedef struct rows {
    const double *at;
    int64_t count, lead;
} rows;

/* out [x.count, `lead` apart] += products of every row of x with every row of the table, over
 * `terms` terms. */
static void add_products(rows table, rows x, int64_t terms, double *out, int64_t lead) {
    int m = (int)table.count, n = (int)x.count, k = (int)terms;
    int lda = (int)table.lead, ldb = (int)x.lead, ldc = (int)lead;
    double one = 1.0;
    if (m > 0 && n > 0 && k > 0)
        dgemm_("T", "N", &m, &n, &k, &one, table.at, &lda, x.at, &ldb, &one, out, &ldc);
}

/* A thread's room for squares, and for gathered rows. */
static double *squares_of(const gp_lmm_batch *batch) {
    return batch->squares + omp_get_thread_num() * ROWS * PANEL;
}

static double *gather_of(const gp_lmm_batch *batch) {
    return batch->gather + omp_get_thread_num() * ROWS * PANEL;
}

static void square(rows x, int64_t count, double *to) {
    for (int64_t i = 0; i < x.count; i++)
        gp_scale(x.at + i * x.lead, x.at + i * x.lead, count, to + i * PANEL);
}

static void sum_rows(const gp_lmm_batch *batch, const double *x, int64_t begin, double *sums) {
    const gp_lmm *model = batch->model;
    int64_t n = model->columns, width = model->x_columns + model->xx_columns;
    int64_t m = gp_least(batch->m - begin, ROWS);
    double *squares = squares_of(batch), *out = sums + begin * width;
    memset(out, 0, (size_t)(m * width) * sizeof *out);
    for (int64_t first = 0; first < n; first += PANEL) {
        int64_t count = gp_least(n - first, PANEL);
        rows part = {x + begin * n + first, m, n};
        square(part, count, squares);
        add_products((rows){model->x_table + first, model->x_columns, n}, part, count, out, width);
        add_products((rows){model->xx_table + first, model->xx_columns, n},
                     (rows){squares, m, PANEL}, count, out + model->x_columns, width);
    }
}

/* Blocks of rows are the same for any number of threads: so are dgemm's bits. */
void gp_lmm_sum_first(gp_lmm_batch *batch, const double *x, double *sums) {
#pragma omp parallel for schedule(dynamic) num_threads(batch->threads)
    for (int64_t begin = 0; begin < batch->m; begin += ROWS)
        sum_rows(batch, x, begin, sums);
}

/* Some of the chosen variants, or of those that a trait's list names: from number `begin` on. */
static rows gather(const gp_lmm_batch *batch, const double *x, const int64_t *list, int64_t begin,
                   int64_t m, int64_t first, int64_t count) {
    double *to = gather_of(batch);
    for (int64_t i = 0; i < m; i++) {
        int64_t variant = batch->chosen[list != NULL ? list[begin + i] : begin + i];
        memcpy(to + i * PANEL, x + variant * batch->model->columns + first,
               (size_t)count * sizeof *x);
    }
    return (rows){to, m, PANEL};
}

/* A panel's columns of all points: [K x c] for x, [K] for x^2, and room for [K] of a trait. */
static void panel_table(gp_lmm_batch *batch, const gp_lmm_set *set, int64_t first, int64_t count) {
    int64_t c = batch->model->c;
#pragma omp parallel for schedule(static, 1) num_threads(batch->threads)
    for (int64_t k = 0; k < K; k++)
        gp_lmm_columns(batch->model, set, k, first, count, batch->table + k * c * PANEL, PANEL,
                       batch->table + (K * c + k) * PANEL);
}

static void sum_chosen(const gp_lmm_batch *batch, const double *x, int64_t first, int64_t count,
                       double *sums) {
    int64_t c = batch->model->c, width = K * (c + 1);
#pragma omp parallel for schedule(dynamic) num_threads(batch->threads)
    for (int64_t begin = 0; begin < batch->chosen_count; begin += ROWS) {
        int64_t m = gp_least(batch->chosen_count - begin, ROWS);
        double *squares = squares_of(batch), *out = sums + begin * width;
        rows part = gather(batch, x, NULL, begin, m, first, count);
        square(part, count, squares);
        add_products((rows){batch->table, K * c, PANEL}, part, count, out, width);
        add_products((rows){batch->table + K * c * PANEL, K, PANEL}, (rows){squares, m, PANEL},
                     count, out + K * c, width);
    }
}

static void sum_listed(const gp_lmm_batch *batch, const double *x, int64_t trait, int64_t first,
                       int64_t count, double *sums) {
    const gp_lmm *model = batch->model;
    const int64_t *list = batch->list + trait * batch->most;
    double *d = batch->table + K * model->c * PANEL, *y = d + K * PANEL;
    for (int64_t k = 0; k < K; k++)
        gp_scale(model->y + trait * model->columns + first, d + k * PANEL, count, y + k * PANEL);
#pragma omp parallel for schedule(dynamic) num_threads(batch->threads)
    for (int64_t begin = 0; begin < batch->list_count[trait]; begin += ROWS) {
        int64_t m = gp_least(batch->list_count[trait] - begin, ROWS);
        add_products((rows){y, K, PANEL}, gather(batch, x, list, begin, m, first, count), count,
                     sums + begin * K, K);
    }
}

void gp_lmm_sum_region(gp_lmm_batch *batch, const double *x, double *sums) {
    const gp_lmm *model = batch->model;
    const gp_lmm_set *set = &model->region[batch->round - 1];
    memset(sums, 0, (size_t)gp_lmm_width(batch) * sizeof *sums);
    for (int64_t first = 0; first < model->columns; first += PANEL) {
        int64_t count = gp_least(model->columns - first, PANEL);
        double *out = sums + batch->chosen_count * K * (model->c + 1);
        panel_table(batch, set, first, count);
        sum_chosen(batch, x, first, count, sums);
        for (int64_t i = 0; i < model->p; i++) {
            if (batch->list_count[i] == 0)
                continue;
            sum_listed(batch, x, i, first, count, out);
            out += batch->list_count[i] * K;
        }
    }
}
