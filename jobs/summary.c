#include "jobs/summary.h"
#include "io/number.h"
#include "jobs/summary_inside.h"
#include "mpi/gather.h"
#include "mpi/order.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int gp_summary_init(gp_summary *s, gp_store *store, gp_err *err) {
    s->store = store;
    s->smallest_p = -1.0;
    s->chromosomes = gp_store_chromosome_count(store);
    s->span = gp_mem_alloc(s->chromosomes, sizeof *s->span, err);
    for (int64_t k = 0; s->span != NULL && k < s->chromosomes; k++)
        s->span[k] = (gp_summary_span){.before = INT64_MIN, .last = -1};
    return err->code;
}

void gp_summary_free(gp_summary *s) {
    free(s->span);
    free(s->key);
    free(s->cell);
    gp_text_free(&s->smallest);
    *s = (gp_summary){0};
}

/* ---- first pass ---- */

static int bad_word(const char *path, const gp_summary_line *line, const char *column,
                    const char *word, gp_err *err) {
    return gp_err_set(err, GP_EINPUT, "%s: position %lld: '%.40s' does not belong in the column %s",
                      path, (long long)line->position, word, column);
}

/* NaN where there is none. -0 becomes 0. */
static double read_neglog10p(const char *word) {
    double value;
    return word[0] != '#' && gp_number_read(word, &value) && value >= 0.0 ? value + 0.0 : NAN;
}

static int set_smallest(gp_summary *s, const gp_summary_line *line, double value, gp_err *err) {
    s->smallest_p = value;
    s->smallest.length = 0;
    gp_text_print(&s->smallest, err, "{\"chromosome\":");
    gp_summary_string(&s->smallest, gp_store_chromosome(s->store, line->chromosome)->name, err);
    gp_text_print(&s->smallest, err,
                  ",\"base_pair_location\":%lld,\"id\":", (long long)line->position);
    gp_summary_string(&s->smallest, line->id, err);
    gp_text_print(&s->smallest, err, ",\"neg_log_10_p_value\":");
    gp_summary_real(&s->smallest, value, err);
    return gp_text_add(&s->smallest, "}", 1, err);
}

int gp_summary_add(gp_summary *s, const char *path, const gp_summary_line *line, gp_err *err) {
    gp_summary_span *span = &s->span[line->chromosome];
    int status = 0;
    while (status < GP_STATUS_COUNT && strcmp(line->status, gp_status_name(status)) != 0)
        status++;
    if (status == GP_STATUS_COUNT)
        return bad_word(path, line, "status", line->status, err);
    double value = read_neglog10p(line->neglog10p);
    if (isnan(value) && strcmp(line->neglog10p, "#NA") != 0)
        return bad_word(path, line, "neg_log_10_p_value", line->neglog10p, err);
    s->status[status]++;
    span->lines++;
    span->before = gp_most(span->before, -1 - line->position);
    span->last = gp_most(span->last, line->position);
    if (isnan(value))
        return GP_OK;
    if (value > s->smallest_p)
        set_smallest(s, line, value, err);
    if (gp_mem_grow(&s->key, &s->capacity, s->numbers + 1, sizeof *s->key, err) == GP_OK)
        s->key[s->numbers++] = gp_order_key(value);
    return err->code;
}

/* ---- between the passes ---- */

/* A round step that gives at most GP_SUMMARY_HEIGHT cells. */
static double choose_step(double most) {
    static const double round[] = {0.01, 0.02, 0.05};
    for (double scale = 1.0;; scale *= 10.0)
        for (int k = 0; k < 3; k++)
            if (most / (round[k] * scale) < GP_SUMMARY_HEIGHT - 1)
                return round[k] * scale;
}

static double length_of(const gp_summary_span *span) {
    return (double)(span->last - gp_summary_first(span) + 1);
}

/* One column for each chromosome with lines, and the others by length. */
static void share_columns(gp_summary *s) {
    int64_t there = 0, seen = 0, column = 0;
    double total = 0.0, before = 0.0;
    for (int64_t k = 0; k < s->chromosomes; k++)
        if (s->span[k].lines > 0) {
            there++;
            total += length_of(&s->span[k]);
        }
    s->columns = gp_most(GP_SUMMARY_COLUMNS, there);
    for (int64_t k = 0; k < s->chromosomes; k++) {
        gp_summary_span *span = &s->span[k];
        if (span->lines == 0)
            continue;
        before += length_of(span);
        int64_t end = ++seen + (int64_t)((double)(s->columns - there) * (before / total));
        span->column = column;
        span->columns = end - column;
        column = end;
    }
}

/* A number from 0 on as an integer that grows with it. */
static int64_t bits_of(double value) {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The line of the smallest p, of equal ones the first: that of the lowest rank that has it. It
 * comes to rank 0. */
static int join_smallest(gp_job *job, gp_summary *s, gp_err *err) {
    gp_text text = {0};
    int64_t rank = gp_par_rank(job->par), mine = s->numbers > 0 ? bits_of(s->smallest_p) : -1;
    int64_t most = mine, owner;
    gp_par_max(job->par, &most, 1, err);
    owner = most >= 0 && mine == most ? -rank : INT64_MIN;
    gp_par_max(job->par, &owner, 1, err);
    if (owner != -rank)
        s->smallest.length = 0;
    gp_par_gather(job->par, &s->smallest, &text, 1, err);
    gp_text_free(&s->smallest);
    s->smallest = text;
    if (most >= 0)
        memcpy(&s->smallest_p, &most, sizeof most);
    return gp_par_agree(job->par, err);
}

/* The ends are joined as greatest numbers, the lines as sums. */
static int join_spans(gp_job *job, gp_summary *s, gp_err *err) {
    int64_t n = s->chromosomes, *joined = gp_mem_alloc(3 * n, sizeof *joined, err);
    if (gp_par_agree(job->par, err) == GP_OK) {
        for (int64_t k = 0; k < n; k++) {
            joined[k] = s->span[k].before;
            joined[n + k] = s->span[k].last;
            joined[2 * n + k] = s->span[k].lines;
        }
        gp_par_max(job->par, joined, 2 * n, err);
        gp_par_sum(job->par, joined + 2 * n, n, err);
        for (int64_t k = 0; k < n; k++)
            s->span[k] = (gp_summary_span){
                .before = joined[k], .last = joined[n + k], .lines = joined[2 * n + k]};
        gp_par_sum(job->par, s->status, GP_STATUS_COUNT, err);
    }
    free(joined);
    return err->code;
}

int gp_summary_join(gp_job *job, gp_summary *s, gp_err *err) {
    if (join_spans(job, s, err) != GP_OK || join_smallest(job, s, err) != GP_OK)
        return err->code;
    share_columns(s);
    s->step = choose_step(s->smallest_p);
    s->cell = gp_mem_alloc(gp_summary_words(s), sizeof *s->cell, err);
    return gp_par_agree(job->par, err);
}

/* ---- second pass ---- */

void gp_summary_mark(gp_summary *s, const gp_summary_line *line) {
    const gp_summary_span *span = &s->span[line->chromosome];
    double value = read_neglog10p(line->neglog10p);
    if (isnan(value))
        return;
    double from = (double)(line->position - gp_summary_first(span));
    int64_t column = (int64_t)(from * (double)span->columns / length_of(span));
    column = span->column + gp_least(column, span->columns - 1);
    int64_t cell =
        column * GP_SUMMARY_HEIGHT + gp_least((int64_t)(value / s->step), GP_SUMMARY_HEIGHT - 1);
    s->cell[cell / GP_SUMMARY_PACKED] |= (int64_t)1 << cell % GP_SUMMARY_PACKED * GP_SUMMARY_ROOM;
}
