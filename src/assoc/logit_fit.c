#include "src/assoc/logit_fit_inside.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUNDLE = 8, /* passes that share a tile of the samples */
    TILE = 32   /* groups: their columns stay in a core's cache */
};

/* What is left of a covariate's information, as a share, where missing calls took it away. */
#define NOTHING 1e-9

/* ---- room ---- */

static int is_single(gp_logit_kind kind) {
    return kind == GP_LOGIT_APPROX || kind == GP_LOGIT_SPA;
}

static int64_t fit_room(int64_t c, gp_logit_kind kind) {
    int64_t d = c + 1;
    return 2 * d * d + c + (is_single(kind) ? 0 : GP_LOGIT_LINES * gp_logit_line_room(d));
}

static int64_t scratch_of(int64_t c) {
    const gp_logit_rows shape = {.c = c};
    return gp_round_up(gp_logit_pass_scratch(&shape), 8);
}

static int64_t part_of(int64_t c) {
    return gp_round_up(BUNDLE * gp_logit_all_width(c + 1), 8);
}

int64_t gp_logit_batch_bytes(int64_t c, gp_logit_kind kind) {
    int64_t each = (int64_t)sizeof(gp_logit_fit) + 8 * fit_room(c, kind) +
                   GP_LOGIT_LINES * (int64_t)sizeof(gp_logit_wish);
    return GP_LOGIT_BATCH * each + 8 * omp_get_max_threads() * (scratch_of(c) + part_of(c));
}

int64_t gp_logit_batch_widest(int64_t c) {
    return GP_LOGIT_LINES * GP_LOGIT_BATCH * gp_logit_all_width(c + 1);
}

/* Pointers into the room. */
static void place(gp_logit_batch *batch) {
    int64_t c = batch->c, d = batch->d, line = gp_logit_line_room(d);
    for (int64_t i = 0; i < GP_LOGIT_BATCH; i++) {
        gp_logit_fit *fit = batch->fit + i;
        double *room = batch->room + i * fit_room(c, batch->kind);
        fit->start.information = room;
        fit->inverse = room + d * d;
        fit->gamma = fit->inverse + d * d;
        for (int k = 0; k < GP_LOGIT_LINES && !is_single(batch->kind); k++)
            gp_logit_line_place(&fit->line[k], d, fit->gamma + c + k * line);
    }
}

gp_logit_batch *gp_logit_batch_new(int64_t c, gp_logit_kind kind, gp_err *err) {
    gp_logit_batch *batch = gp_mem_alloc(1, sizeof *batch, err);
    if (batch == NULL)
        return NULL;
    batch->c = c;
    batch->d = c + 1;
    batch->kind = kind;
    batch->threads = omp_get_max_threads();
    batch->scratch_size = scratch_of(c);
    batch->part_size = part_of(c);
    batch->fit = gp_mem_alloc(GP_LOGIT_BATCH, sizeof *batch->fit, err);
    batch->wish = gp_mem_alloc(GP_LOGIT_LINES * GP_LOGIT_BATCH, sizeof *batch->wish, err);
    batch->room = gp_mem_alloc(GP_LOGIT_BATCH * fit_room(c, kind), sizeof *batch->room, err);
    batch->scratch =
        gp_mem_alloc(batch->threads * batch->scratch_size, sizeof *batch->scratch, err);
    batch->part = gp_mem_alloc(batch->threads * batch->part_size, sizeof *batch->part, err);
    if (err->code != GP_OK) {
        gp_logit_batch_free(batch);
        return NULL;
    }
    place(batch);
    return batch;
}

void gp_logit_batch_free(gp_logit_batch *batch) {
    if (batch == NULL)
        return;
    free(batch->fit);
    free(batch->wish);
    free(batch->room);
    free(batch->scratch);
    free(batch->part);
    free(batch);
}

/* ---- for both models ---- */

/* Row i of L, the others above it being there. Returns the pivot's square. */
static double factor_row(const double *a, int64_t d, int64_t i, double *l) {
    double *row = l + i * d, sum = 0.0;
    for (int64_t j = 0; j <= i; j++) {
        const double *other = l + j * d;
        sum = a[i * d + j];
        for (int64_t k = 0; k < j; k++)
            sum -= row[k] * other[k];
        if (j < i)
            row[j] = other[j] > 0.0 ? sum / other[j] : 0.0;
    }
    for (int64_t j = i + 1; j < d; j++)
        row[j] = 0.0;
    return sum;
}

static void skip(int64_t d, int64_t i, double *l) {
    memset(l + i * d, 0, (size_t)d * sizeof *l);
}

/* L becomes its inverse, column by column. */
static void invert(int64_t d, double *l) {
    for (int64_t j = 0; j < d; j++) {
        if (l[j * d + j] == 0.0)
            continue;
        l[j * d + j] = 1.0 / l[j * d + j];
        for (int64_t i = j + 1; i < d; i++) {
            double sum = 0.0, pivot = l[i * d + i];
            for (int64_t k = j; k < i; k++)
                sum += l[i * d + k] * l[k * d + j];
            l[i * d + j] = pivot > 0.0 ? -sum / pivot : 0.0;
        }
    }
}

void gp_logit_factor_start(const double *a, int64_t d, const double *whole, double *inverse) {
    for (int64_t i = 0; i < d; i++) {
        double pivot = factor_row(a, d, i, inverse);
        double all = i < d - 1 ? whole[i * (d - 1) + i] : a[i * d + i];
        if (pivot > NOTHING * all)
            inverse[i * d + i] = sqrt(pivot);
        else
            skip(d, i, inverse);
    }
    invert(d, inverse);
}

int gp_logit_factor(const double *a, int64_t d, const double *start, double *inverse) {
    for (int64_t i = 0; i < d; i++) {
        double pivot = factor_row(a, d, i, inverse);
        if (start[i * d + i] == 0.0)
            skip(d, i, inverse);
        else if (pivot > 1e-13 * a[i * d + i])
            inverse[i * d + i] = sqrt(pivot);
        else
            return 0;
    }
    invert(d, inverse);
    return 1;
}

void gp_logit_give_up(gp_logit_fit *fit, gp_status status) {
    gp_result *r = fit->result;
    r->status = status;
    r->beta = r->se = r->statistic = r->neglog10p = NAN;
    for (int k = 0; k < GP_LOGIT_LINES; k++)
        fit->line[k].going = fit->point[k].going = 0;
}

/* ---- rounds ---- */

static int64_t pass_width(const gp_logit_batch *batch) {
    return is_single(batch->kind) ? GP_LOGIT_ONE_WIDTH : gp_logit_all_width(batch->d);
}

static void list_wishes(gp_logit_batch *batch) {
    batch->wishes = 0;
    for (int64_t i = 0; i < batch->count; i++)
        for (int k = 0; k < GP_LOGIT_LINES; k++)
            if (batch->fit[i].line[k].going || batch->fit[i].point[k].going)
                batch->wish[batch->wishes++] = (gp_logit_wish){i, k};
}

static void begin_fit(const gp_logit_batch *batch, gp_logit_fit *fit) {
    static const gp_test test[] = {GP_TEST_WALD, GP_TEST_FIRTH, GP_TEST_FIRTH, GP_TEST_SPA};
    gp_result *r = fit->result;
    fit->beta = r->beta;
    fit->se = r->se;
    fit->begun = 0;
    for (int k = 0; k < GP_LOGIT_LINES; k++)
        fit->line[k].going = fit->point[k].going = 0;
    r->test = test[batch->kind];
    gp_logit_factor_start(fit->start.information, batch->d,
                          gp_logit_null_of(batch->model)->information, fit->inverse);
    if (fit->inverse[batch->d * batch->d - 1] == 0.0)
        gp_logit_give_up(fit, GP_STATUS_COLLINEAR);
    else if (batch->kind == GP_LOGIT_WALD && fit->start.separated)
        gp_logit_give_up(fit, GP_STATUS_SEPARATION);
    else if (is_single(batch->kind))
        gp_logit_single_begin(batch, fit);
    else
        gp_logit_newton_begin(batch, fit);
}

void gp_logit_batch_begin(gp_logit_batch *batch, gp_logit *model, gp_logit_kind kind,
                          const gp_calls *calls, const int64_t *sums, int64_t m,
                          const int64_t *chosen, int64_t count, gp_result *const *result) {
    batch->model = model;
    batch->kind = kind;
    batch->calls = calls;
    batch->count = count;
    for (int64_t i = 0; i < count; i++) {
        batch->fit[i].result = result[i];
        gp_logit_start_at(model, sums, m, chosen[i], &batch->fit[i].start);
        begin_fit(batch, batch->fit + i);
    }
    list_wishes(batch);
}

int64_t gp_logit_batch_width(const gp_logit_batch *batch) {
    return batch->wishes * pass_width(batch);
}

static const double *offset_of(const gp_logit_batch *batch) {
    if (batch->kind == GP_LOGIT_APPROX)
        return gp_logit_firth_odds_of(batch->model);
    return batch->kind == GP_LOGIT_SPA ? gp_logit_odds_of(batch->model)
                                       : gp_logit_offset(batch->model);
}

static void add_pass(const gp_logit_batch *batch, const gp_logit_wish *wish, int64_t first,
                     int64_t groups, int64_t *sums) {
    const gp_logit_fit *fit = batch->fit + wish->fit;
    const gp_logit_line *line = &fit->line[wish->number];
    const gp_logit_rows *rows = gp_logit_rows_of(batch->model);
    gp_logit_pass pass = {.y = gp_logit_y(batch->model),
                          .offset = offset_of(batch),
                          .calls = batch->calls,
                          .variant = fit->start.variant,
                          .missing = fit->start.missing,
                          .scratch = batch->scratch + omp_get_thread_num() * batch->scratch_size};
    if (is_single(batch->kind)) {
        pass.beta = &fit->point[wish->number].t;
        pass.gamma = fit->gamma;
        gp_logit_pass_one(rows, &pass, first, groups, sums);
    } else {
        pass.beta = line->beta;
        pass.inverse = line->levers ? line->inverse : NULL;
        gp_logit_pass_all(rows, &pass, first, groups, sums);
    }
}

/* Some wishes over part k of the groups, in tiles. */
static void sum_bundle(const gp_logit_batch *batch, int64_t first_wish, int64_t k, int64_t parts,
                       int64_t *sums) {
    int64_t groups = gp_logit_rows_of(batch->model)->groups, width = pass_width(batch);
    int64_t count = gp_least(batch->wishes - first_wish, BUNDLE);
    int64_t end = gp_split_begin(groups, 1, parts, k + 1);
    int64_t *part = batch->part + omp_get_thread_num() * batch->part_size;
    memset(part, 0, (size_t)(count * width) * sizeof *part);
    for (int64_t at = gp_split_begin(groups, 1, parts, k); at < end; at += TILE)
        for (int64_t i = 0; i < count; i++)
            add_pass(batch, batch->wish + first_wish + i, at, gp_least(end - at, TILE),
                     part + i * width);
#pragma omp critical(gp_logit_fit_sums)
    for (int64_t i = 0; i < count * width; i++)
        sums[first_wish * width + i] += part[i];
}

/* Whole numbers: their sums are the same however parts are cut. */
void gp_logit_batch_sum(gp_logit_batch *batch, int64_t *sums) {
    int64_t bundles = gp_units(batch->wishes, BUNDLE);
    int64_t groups = gp_logit_rows_of(batch->model)->groups;
    int64_t parts = batch->threads == 1 ? 1 : gp_units(4 * batch->threads, gp_most(bundles, 1));
    parts = gp_most(gp_least(parts, gp_units(groups, 4)), 1);
    memset(sums, 0, (size_t)gp_logit_batch_width(batch) * sizeof *sums);
#pragma omp parallel for schedule(dynamic) num_threads(batch->threads)
    for (int64_t i = 0; i < bundles * parts; i++)
        sum_bundle(batch, i / parts * BUNDLE, i % parts, parts, sums);
}

/* All that a fit wished for; its wishes lie side by side. */
static void take_fit(const gp_logit_batch *batch, int64_t first, const int64_t *sums) {
    int64_t width = pass_width(batch);
    gp_logit_fit *fit = batch->fit + batch->wish[first].fit;
    for (int64_t i = first; i < batch->wishes && batch->wish[i].fit == batch->wish[first].fit;
         i++) {
        if (is_single(batch->kind))
            gp_logit_single_take(batch, fit, batch->wish[i].number, sums + i * width);
        else
            gp_logit_newton_take(batch, fit, batch->wish[i].number, sums + i * width);
    }
    if (is_single(batch->kind))
        gp_logit_single_finish(batch, fit);
    else
        gp_logit_newton_finish(batch, fit);
}

void gp_logit_batch_take(gp_logit_batch *batch, const int64_t *sums) {
#pragma omp parallel for schedule(dynamic) num_threads(batch->threads)
    for (int64_t i = 0; i < batch->wishes; i++)
        if (i == 0 || batch->wish[i].fit != batch->wish[i - 1].fit)
            take_fit(batch, i, sums);
    list_wishes(batch);
}
