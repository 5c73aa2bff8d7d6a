/* The summary as a file: numbers looked up by their places in the order of all, and the JSON. */
#include "io/digits.h"
#include "io/file.h"
#include "io/json.h"
#include "jobs/summary_inside.h"
#include "mpi/order.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Median of a chi-square variate with one degree of freedom. */
static const double median_chi2 = 0.4549364;

/* ---- strings and numbers ---- */

int gp_summary_string(gp_text *json, const char *s, gp_err *err) {
    gp_err not_text = {0};
    int64_t length = json->length;
    if (gp_json_string(json, s, &not_text) == GP_OK)
        return GP_OK;
    if (not_text.code != GP_EINPUT)
        return gp_err_set(err, not_text.code, "%s", not_text.text);
    json->length = length;
    char *plain = gp_mem_string(s, (int64_t)strlen(s), err);
    for (char *c = plain; c != NULL && *c != 0; c++)
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    if (plain != NULL)
        gp_json_string(json, plain, err);
    free(plain);
    return err->code;
}

int gp_summary_real(gp_text *json, double value, gp_err *err) {
    char *to = gp_text_room(json, GP_DIGITS_ROOM, err);
    if (to == NULL)
        return err->code;
    if (!isfinite(value))
        return gp_text_add(json, "null", 4, err);
    json->length += gp_digits_real(to, value) - to;
    return GP_OK;
}

/* ---- the order of the numbers ---- */

typedef struct order {
    int64_t numbers;                      /* of all ranks */
    int64_t points;                       /* of the QQ plot */
    int64_t place[GP_SUMMARY_POINTS + 2]; /* theirs, from 0; then the two in the middle */
    uint64_t key[GP_SUMMARY_POINTS + 2];  /* what is there */
} order;

static void choose_points(order *q) {
    double most = q->numbers > 0 ? gp_log((double)q->numbers) : 0.0;
    for (int i = 0; i < GP_SUMMARY_POINTS && q->numbers > 0; i++) {
        int64_t k = (int64_t)(gp_exp(most * i / (GP_SUMMARY_POINTS - 1)) + 0.5) - 1;
        k = i == GP_SUMMARY_POINTS - 1 ? q->numbers - 1 : gp_least(k, q->numbers - 1);
        if (q->points == 0 || k > q->place[q->points - 1])
            q->place[q->points++] = k;
    }
    if (q->numbers == 0)
        return;
    q->place[q->points] = (q->numbers - 1) / 2;
    q->place[q->points + 1] = q->numbers / 2;
}

static int find_order(gp_job *job, gp_summary *s, order *q, gp_err *err) {
    q->numbers = s->numbers;
    gp_par_sum(job->par, &q->numbers, 1, err);
    choose_points(q);
    gp_order_sort(s->key, s->numbers, err);
    if (gp_par_agree(job->par, err) == GP_OK && q->numbers > 0)
        gp_par_order_find(job->par, s->key, s->numbers, q->place, q->key, q->points + 2, err);
    return err->code;
}

/* ---- the file ---- */

static double lambda_of(const order *q) {
    double a = gp_normal_deviate(gp_order_real(q->key[q->points]));
    double b = gp_normal_deviate(gp_order_real(q->key[q->points + 1]));
    return q->numbers == 0 ? NAN : (a * a + b * b) / 2.0 / median_chi2;
}

/* Scaled to 1000 cases and 1000 controls. */
static double scaled(double lambda, const gp_sumstats_about *about) {
    double cases = about->cases < 0 ? (double)about->samples / 2.0 : (double)about->cases;
    double controls = (double)about->samples - cases;
    return 1.0 + (lambda - 1.0) * (1.0 / cases + 1.0 / controls) / (2.0 / 1000.0);
}

static void add_head(const gp_summary *s, const order *q, const gp_sumstats_about *about,
                     gp_text *json, gp_err *err) {
    int64_t lines = 0;
    for (int k = 0; k < GP_STATUS_COUNT; k++)
        lines += s->status[k];
    gp_text_print(json, err, "{\"format\":\"gp-dist summary 1\",\n\"trait\":");
    gp_summary_string(json, about->trait, err);
    gp_text_print(json, err, ",\n\"model\":");
    gp_summary_string(json, about->model, err);
    gp_text_print(json, err, ",\n\"samples\":%lld,\n\"cases\":", (long long)about->samples);
    if (about->cases < 0)
        gp_text_print(json, err, "null");
    else
        gp_text_print(json, err, "%lld", (long long)about->cases);
    gp_text_print(json, err, ",\n\"lines\":%lld,\n\"status\":{", (long long)lines);
    for (int k = 0; k < GP_STATUS_COUNT; k++)
        gp_text_print(json, err, "%s\"%s\":%lld", k > 0 ? "," : "", gp_status_name((gp_status)k),
                      (long long)s->status[k]);
    gp_text_print(json, err, "},\n\"lambda_gc\":");
    gp_summary_real(json, lambda_of(q), err);
    gp_text_print(json, err, ",\n\"lambda_1000\":");
    gp_summary_real(json, scaled(lambda_of(q), about), err);
    gp_text_print(json, err, ",\n\"smallest\":%s",
                  s->smallest.length > 0 ? s->smallest.bytes : "null");
}

static void add_chromosomes(const gp_summary *s, gp_text *json, gp_err *err) {
    gp_text plot = {0};
    const char *comma = "";
    gp_text_print(json, err, ",\n\"chromosomes\":[");
    gp_text_print(&plot, err,
                  "],\n\"manhattan\":{\"columns\":%lld,\"step\":", (long long)s->columns);
    gp_summary_real(&plot, s->step, err);
    gp_text_print(&plot, err, ",\"chromosome\":[");
    for (int64_t k = 0; k < s->chromosomes; k++) {
        const gp_summary_span *span = &s->span[k];
        const char *name = gp_store_chromosome(s->store, k)->name;
        if (span->lines == 0)
            continue;
        gp_text_print(json, err, "%s{\"name\":", comma);
        gp_summary_string(json, name, err);
        gp_text_print(json, err, ",\"first\":%lld,\"last\":%lld,\"lines\":%lld}",
                      (long long)gp_summary_first(span), (long long)span->last,
                      (long long)span->lines);
        gp_text_print(&plot, err, "%s{\"name\":", comma);
        gp_summary_string(&plot, name, err);
        gp_text_print(&plot, err, ",\"column\":%lld,\"columns\":%lld}", (long long)span->column,
                      (long long)span->columns);
        comma = ",";
    }
    if (err->code == GP_OK)
        gp_text_add(json, plot.bytes, plot.length, err);
    gp_text_free(&plot);
}

static int has_lines(const gp_summary *s, int64_t cell) {
    return (s->cell[cell / GP_SUMMARY_PACKED] >> cell % GP_SUMMARY_PACKED * GP_SUMMARY_ROOM &
            (((int64_t)1 << GP_SUMMARY_ROOM) - 1)) != 0;
}

/* The runs of a column's cells with lines. Returns whether there are any. */
static int add_column(const gp_summary *s, int64_t column, const char *comma, gp_text *json,
                      gp_err *err) {
    int64_t cell = column * GP_SUMMARY_HEIGHT;
    int runs = 0;
    for (int y = 0; y < GP_SUMMARY_HEIGHT; y++) {
        int from = y;
        while (y < GP_SUMMARY_HEIGHT && has_lines(s, cell + y))
            y++;
        if (y == from)
            continue;
        if (runs++ == 0)
            gp_text_print(json, err, "%s\n[%lld,[", comma, (long long)column);
        gp_text_print(json, err, "%s%d,%d", runs > 1 ? "," : "", from, y - 1);
    }
    if (runs > 0)
        gp_text_print(json, err, "]]");
    return runs > 0;
}

static void add_plots(const gp_summary *s, const order *q, gp_text *json, gp_err *err) {
    const char *comma = "";
    gp_text_print(json, err, "],\"cells\":[");
    for (int64_t c = 0; c < s->columns; c++)
        if (add_column(s, c, comma, json, err))
            comma = ",";
    gp_text_print(json, err, "]},\n\"qq\":[");
    for (int64_t k = 0; k < q->points; k++) {
        double share = ((double)q->place[k] + 0.5) / (double)q->numbers;
        gp_text_print(json, err, k > 0 ? ",[" : "[");
        gp_summary_real(json, -gp_log(share) / GP_LN10, err);
        gp_text_print(json, err, ",");
        gp_summary_real(json, gp_order_real(q->key[k]), err);
        gp_text_print(json, err, "]");
    }
    gp_text_print(json, err, "]}\n");
}

int gp_summary_write(gp_job *job, gp_summary *s, const gp_sumstats_about *about, const char *path,
                     gp_err *err) {
    order q = {0};
    gp_text json = {0};
    gp_par_sum(job->par, s->cell, gp_summary_words(s), err);
    if (find_order(job, s, &q, err) == GP_OK && gp_par_rank(job->par) == 0) {
        add_head(s, &q, about, &json, err);
        add_chromosomes(s, &json, err);
        add_plots(s, &q, &json, err);
        if (err->code == GP_OK)
            gp_io_write_file(path, json.bytes, json.length, err);
    }
    gp_text_free(&json);
    return gp_par_agree(job->par, err);
}
