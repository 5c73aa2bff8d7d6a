#include "src/pca/thin.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 64 /* rows that are turned at once */ };

int gp_thin_init(gp_thin *thin, const gp_subspace *s, int64_t a, int64_t b, gp_err *err) {
    thin->s = s;
    thin->blocks = gp_units(s->n, GP_SUBSPACE_ROWS);
    thin->share = a * PANEL;
    thin->sums = gp_mem_alloc(thin->blocks, a * b * (int64_t)sizeof *thin->sums, err);
    thin->scratch = gp_mem_alloc(omp_get_max_threads(), thin->share * (int64_t)sizeof(double), err);
    return err->code;
}

void gp_thin_free(gp_thin *thin) {
    free(thin->sums);
    free(thin->scratch);
    *thin = (gp_thin){0};
}

/* Eight running sums: one order for every compiler and vector width. Four columns of b at a
 * time: a is then read from memory a fourth as often. */
static void dot(const double *x, const double *const y[4], int64_t n, double out[4]) {
    double s[4][8] = {{0}};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int c = 0; c < 4; c++)
            for (int k = 0; k < 8; k++)
                s[c][k] += x[i + k] * y[c][i + k];
    for (; i < n; i++)
        for (int c = 0; c < 4; c++)
            s[c][i & 7] += x[i] * y[c][i];
    for (int c = 0; c < 4; c++)
        out[c] = ((s[c][0] + s[c][4]) + (s[c][2] + s[c][6])) +
                 ((s[c][1] + s[c][5]) + (s[c][3] + s[c][7]));
}

/* The sums of one block of rows, into their place. */
static void cross_block(const gp_thin *thin, const double *a, int64_t columns_a, const double *b,
                        int64_t columns_b, int64_t block) {
    int64_t rows = thin->s->rows, at = block * GP_SUBSPACE_ROWS - thin->s->first;
    int64_t n = gp_least(rows - at, GP_SUBSPACE_ROWS);
    int64_t *to = thin->sums + block * columns_a * columns_b;
    for (int64_t j = 0; j < columns_b; j += 4) {
        const double *y[4];
        int64_t some = gp_least(columns_b - j, 4);
        for (int64_t c = 0; c < 4; c++)
            y[c] = b + (j + (c < some ? c : 0)) * rows + at;
        for (int64_t i = 0; i < columns_a; i++) {
            double sum[4];
            dot(a + i * rows + at, y, n, sum);
            memcpy(to + i * columns_b + j, sum, (size_t)some * sizeof *sum);
        }
    }
}

int gp_thin_cross(gp_thin *thin, const double *a, int64_t columns_a, const double *b,
                  int64_t columns_b, double *c, gp_err *err) {
    const gp_subspace *s = thin->s;
    int64_t cells = columns_a * columns_b, first = gp_units(s->first, GP_SUBSPACE_ROWS);
    int64_t end = first + gp_units(s->rows, GP_SUBSPACE_ROWS);
    memset(thin->sums, 0, (size_t)(thin->blocks * cells) * sizeof *thin->sums);
#pragma omp parallel for schedule(static)
    for (int64_t k = first; k < end; k++)
        cross_block(thin, a, columns_a, b, columns_b, k);
    /* All ranks but one have zero bits at a place: a sum of integers carries the double over. */
    if (s->add != NULL && s->add(s->context, thin->sums, thin->blocks * cells, err) != GP_OK)
        return err->code;
    memset(c, 0, (size_t)cells * sizeof *c);
    for (int64_t k = 0; k < thin->blocks; k++)
        for (int64_t i = 0; i < cells; i++) {
            double part;
            memcpy(&part, thin->sums + k * cells + i, sizeof part);
            c[i] += part;
        }
    return GP_OK;
}

void gp_thin_subtract(const gp_thin *thin, const double *a, int64_t columns_a, const double *c,
                      int64_t columns_b, double *b) {
    int64_t rows = thin->s->rows, panels = gp_units(rows, PANEL);
#pragma omp parallel for schedule(static)
    for (int64_t panel = 0; panel < panels; panel++) {
        int64_t at = panel * PANEL, n = gp_least(rows - at, PANEL);
        for (int64_t k = 0; k < columns_b; k++) {
            double *to = b + k * rows + at;
            for (int64_t j = 0; j < columns_a; j++) {
                const double *from = a + j * rows + at;
                double f = c[j * columns_b + k];
                for (int64_t i = 0; i < n; i++)
                    to[i] -= f * from[i];
            }
        }
    }
}

void gp_thin_turn(gp_thin *thin, double *a, int64_t columns, const double *r, int64_t turned) {
    int64_t rows = thin->s->rows, panels = gp_units(rows, PANEL);
#pragma omp parallel for schedule(static)
    for (int64_t panel = 0; panel < panels; panel++) {
        double *new = thin->scratch + omp_get_thread_num() * thin->share;
        int64_t at = panel * PANEL, n = gp_least(rows - at, PANEL);
        memset(new, 0, (size_t)(turned * PANEL) * sizeof *new);
        for (int64_t k = 0; k < turned; k++)
            for (int64_t j = 0; j < columns; j++) {
                const double *from = a + j * rows + at;
                double f = r[k * columns + j];
                for (int64_t i = 0; i < n; i++)
                    new[k * PANEL + i] += f *from[i];
            }
        for (int64_t k = 0; k < turned; k++)
            memcpy(a + k * rows + at, new + k *PANEL, (size_t)n * sizeof *a);
    }
}
