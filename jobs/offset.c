#include "jobs/offset.h"
#include "io/list.h"
#include "io/table.h"
#include "jobs/job.h"
#include "jobs/traits.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100 /* an offset's size: a chance of 1e-43 is none */ };

typedef struct loader {
    gp_job *job;
    const gp_offsets_input *in;
    gp_cohort *cohort;
    gp_offsets *offsets;
    gp_text text;
    gp_table table;
    gp_missing_codes codes;
    int64_t *sample; /* [rows] of the store, or -1 */
    double *rows;    /* [rows] scratch */
    int64_t *column; /* [chromosomes] of the table, for the trait at hand */
} loader;

static void loader_free(loader *l) {
    gp_table_free(&l->table);
    gp_missing_codes_free(&l->codes);
    gp_text_free(&l->text);
    free(l->sample);
    free(l->rows);
    free(l->column);
}

/* ---- the table ---- */

static int read_table(loader *l, gp_err *err) {
    const char *path = l->in->path;
    int64_t common = 0;
    if (gp_job_read_shared(l->job, path, &l->text, err) != GP_OK ||
        gp_table_parse(&l->table, path, &l->text, err) != GP_OK ||
        gp_missing_codes_parse(&l->codes, l->in->missing_code, err) != GP_OK)
        return err->code;
    l->sample = gp_mem_alloc(l->table.rows, sizeof *l->sample, err);
    l->rows = gp_mem_alloc(l->table.rows, sizeof *l->rows, err);
    l->column = gp_mem_alloc(l->in->selection->chromosomes, sizeof *l->column, err);
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

static int choose_column(const loader *l, const char *trait, const gp_chromosome *chromosome,
                         int64_t *chosen, gp_err *err) {
    int best = 0;
    for (int64_t k = 0; k < l->table.columns; k++) {
        int fit = fits(l->table.name[k], trait, chromosome);
        if (fit > best)
            *chosen = k;
        best = fit > best ? fit : best;
    }
    if (best == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: has neither a column '%.200s@%.60s' nor '%.200s', for variants of "
                          "chromosome %.60s; --chr chooses chromosomes, --pheno-name traits",
                          l->in->path, trait, chromosome->name, trait, chromosome->name);
    return GP_OK;
}

/* ---- a trait ---- */

/* A column of the table over the store's samples. */
static double *read_column(loader *l, int64_t column, gp_err *err) {
    int64_t n = l->offsets->samples;
    double *value = gp_mem_alloc(n, sizeof *value, err);
    if (value == NULL || gp_table_numbers(&l->table, column, &l->codes, l->rows, err) != GP_OK) {
        free(value);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        value[i] = NAN;
    for (int64_t r = 0; r < l->table.rows; r++) {
        if (fabs(l->rows[r]) > MOST)
            gp_err_set(
                err, GP_EINPUT, "%s:%lld: column '%s': %g is too large for log odds (%d at most)",
                l->in->path, (long long)l->table.line[r], l->table.name[column], l->rows[r], MOST);
        if (l->sample[r] >= 0)
            value[l->sample[r]] = l->rows[r];
    }
    return value;
}

/* The table's column for each tested chromosome, and each different one once. */
static int load_trait(loader *l, int64_t t, gp_err *err) {
    gp_offset *offset = &l->offsets->trait[t];
    int64_t chromosomes = l->in->selection->chromosomes;
    offset->value = gp_mem_alloc(chromosomes, sizeof *offset->value, err);
    offset->of = gp_mem_alloc(chromosomes, sizeof *offset->of, err);
    for (int64_t k = 0; k < chromosomes && err->code == GP_OK; k++) {
        int64_t before = 0;
        offset->of[k] = l->column[k] = -1;
        if (l->in->selection->count[k] == 0 ||
            choose_column(l, l->cohort->trait[t].name, gp_store_chromosome(l->in->store, k),
                          &l->column[k], err) != GP_OK)
            continue;
        while (l->column[before] != l->column[k])
            before++;
        if (before < k) {
            offset->of[k] = offset->of[before];
        } else if ((offset->value[offset->count] = read_column(l, l->column[k], err)) != NULL) {
            offset->of[k] = offset->count++;
        }
    }
    return err->code;
}

/* Samples that lack an offset lose their value. */
static void leave_out(const loader *l, int64_t t) {
    const gp_offset *offset = &l->offsets->trait[t];
    gp_trait *trait = &l->cohort->trait[t];
    int64_t out = 0;
    for (int64_t i = 0; i < l->offsets->samples; i++) {
        int lacks = 0;
        for (int64_t k = 0; k < offset->count; k++)
            lacks |= isnan(offset->value[k][i]);
        if (!lacks)
            continue;
        out += gp_trait_uses(l->cohort, trait, i);
        trait->value[i] = NAN;
    }
    if (out > 0)
        gp_say(l->job->sink, GP_NOTE,
               "%s: %lld samples with a value of trait '%s' are left out of it: "
               "they have no offset",
               l->in->path, (long long)out, trait->name);
}

int gp_offsets_load(gp_job *job, const gp_offsets_input *input, gp_cohort *cohort,
                    gp_offsets *offsets, gp_err *err) {
    loader l = {.job = job, .in = input, .cohort = cohort, .offsets = offsets};
    offsets->trait = gp_mem_alloc(cohort->traits, sizeof *offsets->trait, err);
    offsets->traits = cohort->traits;
    offsets->samples = cohort->samples.n;
    if (gp_par_agree(job->par, err) == GP_OK && read_table(&l, err) == GP_OK)
        for (int64_t t = 0; t < cohort->traits && err->code == GP_OK; t++)
            if (input->wanted[t] && load_trait(&l, t, err) == GP_OK)
                leave_out(&l, t);
    loader_free(&l);
    return gp_par_agree(job->par, err);
}

int64_t gp_offsets_bytes(const gp_offsets *offsets) {
    int64_t columns = 0;
    for (int64_t t = 0; offsets->trait != NULL && t < offsets->traits; t++)
        columns += offsets->trait[t].count;
    return 8 * columns * offsets->samples;
}

void gp_offsets_free(gp_offsets *offsets) {
    for (int64_t t = 0; offsets->trait != NULL && t < offsets->traits; t++) {
        gp_offset *offset = &offsets->trait[t];
        for (int64_t k = 0; k < offset->count; k++)
            free(offset->value[k]);
        free(offset->value);
        free(offset->of);
    }
    free(offsets->trait);
    *offsets = (gp_offsets){0};
}
