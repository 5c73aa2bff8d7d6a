#include "jobs/offset.h"
#include "io/list.h"
#include "io/table.h"
#include "jobs/job.h"
#include "jobs/traits.h"
#include "jobs/words.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The largest offsets: log odds of a chance of 1e-43 are none, and others are squared. */
#define MOST_LOG_ODDS 100.0
#define MOST_UNITS 1e150

/* Where a trait's offsets for a chromosome come from. */
typedef struct choice {
    int fit; /* 0 = nowhere, so far */
    int64_t table, column;
    int64_t other; /* a later table with a column that fits as well; -1 = none */
} choice;

typedef struct loader {
    gp_job *job;
    const gp_offsets_input *in;
    gp_cohort *cohort;
    gp_offsets *offsets;
    gp_words path;
    gp_missing_codes codes;
    choice *choice; /* [traits x chromosomes] */
    int64_t *out;   /* [traits] samples that lack an offset */
    int64_t first;  /* of this rank's samples in null models */
    /* The table in hand. */
    int64_t at; /* -1 = none */
    gp_text text;
    gp_table table;
    int64_t *sample; /* [rows] of the store, or -1 */
    double *rows;    /* [rows] scratch */
} loader;

static void close_table(loader *l) {
    gp_table_free(&l->table);
    gp_text_free(&l->text);
    free(l->sample);
    free(l->rows);
    l->sample = NULL;
    l->rows = NULL;
    l->at = -1;
}

static void loader_free(loader *l) {
    close_table(l);
    gp_words_free(&l->path);
    gp_missing_codes_free(&l->codes);
    free(l->choice);
    free(l->out);
}

static int loader_init(loader *l, gp_err *err) {
    int64_t traits = l->cohort->traits, chromosomes = l->in->selection->chromosomes;
    int64_t n = l->cohort->samples.n, ranks = gp_par_size(l->job->par),
            rank = gp_par_rank(l->job->par);
    l->first = gp_split_begin(n, GP_GENO_GROUP, ranks, rank);
    l->offsets->part = gp_split_begin(n, GP_GENO_GROUP, ranks, rank + 1) - l->first;
    l->at = -1;
    gp_words_cut(&l->path, l->in->paths, "--offset", err);
    gp_missing_codes_parse(&l->codes, l->in->missing_code, err);
    l->choice = gp_mem_alloc(traits * chromosomes, sizeof *l->choice, err);
    l->out = gp_mem_alloc(traits, sizeof *l->out, err);
    l->offsets->samples = n;
    l->offsets->trait = gp_mem_alloc(traits, sizeof *l->offsets->trait, err);
    l->offsets->traits = l->offsets->trait != NULL ? traits : 0;
    for (int64_t t = 0; t < traits && err->code == GP_OK; t++) {
        gp_offset *offset = &l->offsets->trait[t];
        if (l->in->kind[t] == GP_OFFSET_NONE)
            continue;
        offset->value = gp_mem_alloc(chromosomes, sizeof *offset->value, err);
        offset->part = gp_mem_alloc(chromosomes, sizeof *offset->part, err);
        offset->of = gp_mem_alloc(chromosomes, sizeof *offset->of, err);
        for (int64_t k = 0; offset->of != NULL && k < chromosomes; k++)
            offset->of[k] = -1;
    }
    return gp_par_agree(l->job->par, err);
}

/* Collective; nothing to do for the table in hand. */
static int open_table(loader *l, int64_t number, gp_err *err) {
    const char *path = l->path.word[number];
    if (number == l->at)
        return GP_OK;
    close_table(l);
    if (gp_job_read_shared(l->job, path, &l->text, err) == GP_OK &&
        gp_table_parse(&l->table, path, &l->text, err) == GP_OK)
        l->at = number;
    return gp_par_agree(l->job->par, err);
}

/* ---- which columns ---- */

/* How well a column's name fits a trait and a chromosome: 3 as written, 2 another name of it, 1 the
 * trait alone, 0 not. */
static int fits(const char *column, const char *trait, const gp_chromosome *chromosome) {
    size_t length = strlen(trait);
    if (strncmp(column, trait, length) != 0)
        return 0;
    if (column[length] == 0)
        return 1;
    if (column[length] != '@')
        return 0;
    const char *name = column + length + 1;
    return strcmp(name, chromosome->name) == 0 ? 3 : gp_list_names(name, chromosome) ? 2 : 0;
}

/* Looks for better columns in the table in hand. */
static void choose(const loader *l, const char *trait, const gp_chromosome *chromosome, choice *c) {
    choice best = {.other = -1};
    for (int64_t k = 0; k < l->table.columns; k++) {
        int fit = fits(l->table.name[k], trait, chromosome);
        if (fit > best.fit)
            best = (choice){fit, l->at, k, -1};
    }
    if (best.fit > c->fit)
        *c = best;
    else if (best.fit == c->fit && best.fit > 0)
        c->other = l->at;
}

static int check(const loader *l, const char *trait, const gp_chromosome *chromosome,
                 const choice *c, gp_err *err) {
    const gp_words *path = &l->path;
    if (c->fit > 0 && c->other < 0)
        return GP_OK;
    if (c->fit > 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --offset: both %.300s and %.300s have offsets of trait "
                          "'%.200s' for variants of chromosome %.60s; give one of them",
                          path->word[c->table], path->word[c->other], trait, chromosome->name);
    return gp_err_set(err, GP_EINPUT,
                      "%.300s: %s neither a column '%.200s@%.60s' nor '%.200s', for variants of "
                      "chromosome %.60s; --chr chooses chromosomes, --offset-name traits that have "
                      "offsets",
                      path->count == 1 ? path->word[0] : "command line: --offset",
                      path->count == 1 ? "has" : "the tables have", trait, chromosome->name, trait,
                      chromosome->name);
}

/* Calls of f for every trait that has offsets and every tested chromosome, until one fails. */
static int for_each(loader *l, int (*f)(loader *, int64_t, int64_t, choice *, gp_err *),
                    gp_err *err) {
    int64_t chromosomes = l->in->selection->chromosomes;
    for (int64_t t = 0; t < l->cohort->traits; t++)
        for (int64_t k = 0; k < chromosomes && l->in->kind[t] != GP_OFFSET_NONE; k++)
            if (l->in->selection->count[k] > 0 &&
                f(l, t, k, &l->choice[t * chromosomes + k], err) != GP_OK)
                return err->code;
    return GP_OK;
}

static int choose_one(loader *l, int64_t t, int64_t k, choice *c, gp_err *err) {
    if (l->at == 0)
        c->other = -1;
    choose(l, l->cohort->trait[t].name, gp_store_chromosome(l->in->store, k), c);
    return err->code;
}

static int check_one(loader *l, int64_t t, int64_t k, choice *c, gp_err *err) {
    return check(l, l->cohort->trait[t].name, gp_store_chromosome(l->in->store, k), c, err);
}

/* ---- their values ---- */

/* Finds the rows' samples. */
static int join(loader *l, gp_err *err) {
    const char *path = l->path.word[l->at];
    int64_t common = 0;
    l->sample = gp_mem_alloc(l->table.rows, sizeof *l->sample, err);
    l->rows = gp_mem_alloc(l->table.rows, sizeof *l->rows, err);
    if (err->code != GP_OK ||
        gp_table_join(&l->table, &l->cohort->samples, l->sample, err) != GP_OK)
        return err->code;
    for (int64_t r = 0; r < l->table.rows; r++)
        common += l->sample[r] >= 0 && l->cohort->kept[l->sample[r]];
    if (common == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: none of its %lld samples is among those in use; FID and IID must "
                          "match (a table without FID is joined by IID alone)",
                          path, (long long)l->table.rows);
    gp_say(l->job->sink, GP_NOTE, "%s: %lld samples, %lld of them kept in the store", path,
           (long long)l->table.rows, (long long)common);
    return GP_OK;
}

/* A column of the table over the store's samples. */
static double *read_column(loader *l, int64_t column, int log_odds, gp_err *err) {
    int64_t n = l->offsets->samples;
    double most = log_odds ? MOST_LOG_ODDS : MOST_UNITS;
    double *value = gp_mem_alloc(n, sizeof *value, err);
    if (value == NULL || gp_table_numbers(&l->table, column, &l->codes, l->rows, err) != GP_OK) {
        free(value);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        value[i] = NAN;
    for (int64_t r = 0; r < l->table.rows; r++) {
        if (fabs(l->rows[r]) > most)
            gp_err_set(err, GP_EINPUT, "%s:%lld: column '%s': %g is too large for %s (%g at most)",
                       l->table.path, (long long)l->table.line[r], l->table.name[column],
                       l->rows[r], log_odds ? "log odds" : "an offset", most);
        if (l->sample[r] >= 0)
            value[l->sample[r]] = l->rows[r];
    }
    return value;
}

/* Samples that lack an offset lose the trait's value. */
static void leave_out(loader *l, int64_t t, const double *offset) {
    gp_trait *trait = &l->cohort->trait[t];
    for (int64_t i = 0; i < l->offsets->samples; i++)
        if (isnan(offset[i])) {
            l->out[t] += gp_trait_uses(l->cohort, trait, i);
            trait->value[i] = NAN;
        }
}

/* Whether this rank tests variants with a trait's column c of the table in hand. */
static int is_needed(const loader *l, int64_t t, int64_t c) {
    int64_t chromosomes = l->in->selection->chromosomes;
    int needed = 0;
    for (int64_t k = 0; k < chromosomes; k++) {
        const choice *other = &l->choice[t * chromosomes + k];
        needed |=
            l->in->visited[k] && other->fit > 0 && other->table == l->at && other->column == c;
    }
    return needed;
}

/* Takes what this rank needs of a column as the trait's next one. */
static int take(loader *l, int64_t t, int64_t column, double *value, gp_err *err) {
    gp_offset *offset = &l->offsets->trait[t];
    int64_t number = offset->count++, size = (int64_t)sizeof *value;
    leave_out(l, t, value);
    if (l->in->kind[t] == GP_OFFSET_LOG_ODDS) {
        offset->part[number] = gp_mem_alloc(l->offsets->part, size, err);
        if (offset->part[number] != NULL)
            memcpy(offset->part[number], value + l->first, (size_t)(l->offsets->part * size));
    }
    if (is_needed(l, t, column))
        offset->value[number] = value;
    else
        free(value);
    return err->code;
}

/* Reads a chosen column of the table in hand, unless a chromosome before had the same. */
static int read_one(loader *l, int64_t t, int64_t k, choice *c, gp_err *err) {
    gp_offset *offset = &l->offsets->trait[t];
    const choice *first = c - k;
    int64_t before = 0;
    if (c->table != l->at)
        return GP_OK;
    while (first[before].fit == 0 || first[before].table != c->table ||
           first[before].column != c->column)
        before++;
    if (before < k) {
        offset->of[k] = offset->of[before];
        return GP_OK;
    }
    double *value = read_column(l, c->column, l->in->kind[t] == GP_OFFSET_LOG_ODDS, err);
    if (value == NULL)
        return err->code;
    offset->of[k] = offset->count;
    return take(l, t, c->column, value, err);
}

/* What the table in hand and the columns take together. */
static int64_t bytes_now(const loader *l) {
    enum { ROW = 100 };
    return l->text.capacity + l->table.rows * (ROW + 8 * l->table.columns) +
           gp_offsets_bytes(l->offsets);
}

/* Reads what was chosen of a table. Collective. */
static int read_table(loader *l, int64_t number, gp_err *err) {
    if (open_table(l, number, err) == GP_OK && join(l, err) == GP_OK)
        for_each(l, read_one, err);
    l->offsets->peak = gp_most(l->offsets->peak, bytes_now(l));
    return gp_par_agree(l->job->par, err);
}

static void tell(const loader *l) {
    for (int64_t t = 0; t < l->cohort->traits; t++)
        if (l->out[t] > 0)
            gp_say(l->job->sink, GP_NOTE,
                   "%s: %lld samples with a value of trait '%s' are left out of it: "
                   "they have no offset",
                   l->path.count == 1 ? l->path.word[0] : "--offset", (long long)l->out[t],
                   l->cohort->trait[t].name);
}

/* Columns are chosen by the headers of all tables before any is read. The last table, which is in
 * hand then, comes first. */
int gp_offsets_load(gp_job *job, const gp_offsets_input *input, gp_cohort *cohort,
                    gp_offsets *offsets, gp_err *err) {
    loader l = {.job = job, .in = input, .cohort = cohort, .offsets = offsets};
    loader_init(&l, err);
    for (int64_t k = 0; k < l.path.count && err->code == GP_OK; k++)
        if (open_table(&l, k, err) == GP_OK)
            for_each(&l, choose_one, err);
    if (err->code == GP_OK)
        for_each(&l, check_one, err);
    for (int64_t k = l.path.count - 1; k >= 0 && err->code == GP_OK; k--)
        read_table(&l, k, err);
    if (err->code == GP_OK)
        tell(&l);
    loader_free(&l);
    return gp_par_agree(job->par, err);
}

void gp_offsets_free_parts(gp_offsets *offsets) {
    for (int64_t t = 0; t < offsets->traits; t++)
        for (int64_t k = 0; k < offsets->trait[t].count; k++) {
            free(offsets->trait[t].part[k]);
            offsets->trait[t].part[k] = NULL;
        }
}

int64_t gp_offsets_bytes(const gp_offsets *offsets) {
    int64_t numbers = 0;
    for (int64_t t = 0; t < offsets->traits; t++)
        for (int64_t k = 0; k < offsets->trait[t].count; k++)
            numbers += (offsets->trait[t].value[k] != NULL ? offsets->samples : 0) +
                       (offsets->trait[t].part[k] != NULL ? offsets->part : 0);
    return (int64_t)sizeof(double) * numbers;
}

void gp_offsets_free(gp_offsets *offsets) {
    gp_offsets_free_parts(offsets);
    for (int64_t t = 0; t < offsets->traits; t++) {
        gp_offset *offset = &offsets->trait[t];
        for (int64_t k = 0; k < offset->count; k++)
            free(offset->value[k]);
        free(offset->value);
        free(offset->part);
        free(offset->of);
    }
    free(offsets->trait);
    *offsets = (gp_offsets){0};
}
