#include "jobs/cohort.h"
#include "io/list.h"
#include "io/table.h"
#include "jobs/job.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t gp_cohort_kept(const gp_cohort *cohort) {
    int64_t kept = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++)
        kept += cohort->kept[i];
    return kept;
}

/* ---- --keep and --remove ---- */

static int apply_list(gp_job *job, const char *path, int keep, gp_cohort *cohort, gp_err *err) {
    gp_text text = {0};
    uint8_t *mark = NULL;
    int64_t listed = 0, unknown = 0;
    if (path == NULL || gp_job_read_shared(job, path, &text, err) != GP_OK)
        goto done;
    mark = gp_mem_alloc(cohort->samples.n, 1, err);
    if (mark == NULL ||
        gp_list_samples(path, &text, &cohort->samples, mark, &listed, &unknown, err) != GP_OK)
        goto done;
    for (int64_t i = 0; i < cohort->samples.n; i++)
        cohort->kept[i] &= mark[i] == keep;
    gp_say(job->sink, GP_NOTE,
           "%s: %lld samples listed, %lld of them not in the store; %lld samples remain", path,
           (long long)listed, (long long)unknown, (long long)gp_cohort_kept(cohort));
    if (gp_cohort_kept(cohort) == 0)
        gp_err_set(err, GP_EINPUT, "%s: no sample remains; %s", path,
                   keep ? "--keep takes FID IID lines of the store's samples"
                        : "--remove leaves out all that were left");
done:
    free(mark);
    gp_text_free(&text);
    return gp_par_agree(job->par, err);
}

/* ---- tables ---- */

/* A table, its bytes, and the store's sample of each row. */
typedef struct joined {
    gp_text text;
    gp_table table;
    int64_t *sample;
} joined;

static void joined_free(joined *j) {
    gp_table_free(&j->table);
    gp_text_free(&j->text);
    free(j->sample);
    *j = (joined){0};
}

static int no_common(const joined *j, const gp_samples *samples, gp_err *err) {
    const gp_table *t = &j->table;
    gp_text examples = {0};
    for (int64_t r = 0; r < t->rows && r < 3; r++)
        gp_text_print(&examples, err, "%s%.60s%s%.60s", r ? ", " : "", t->has_fid ? t->fid[r] : "",
                      t->has_fid ? " " : "", t->iid[r]);
    gp_text_print(&examples, err, "; the store has ");
    for (int64_t i = 0; i < samples->n && i < 3; i++)
        gp_text_print(&examples, err, "%s%.60s %.60s", i ? ", " : "", gp_samples_fid(samples, i),
                      gp_samples_iid(samples, i));
    gp_err_set(err, GP_EINPUT,
               "%s: no sample in common with the store: the table has %s; FID and IID must match "
               "(a table without FID is joined by IID alone)",
               t->path, examples.bytes ? examples.bytes : "");
    gp_text_free(&examples);
    return err->code;
}

static int load_table(gp_job *job, const char *path, const gp_cohort *cohort, joined *j,
                      gp_err *err) {
    int64_t common = 0, extra = 0;
    if (gp_job_read_shared(job, path, &j->text, err) != GP_OK)
        return err->code;
    if (gp_table_parse(&j->table, path, &j->text, err) != GP_OK)
        return err->code;
    j->sample = gp_mem_alloc(j->table.rows, sizeof *j->sample, err);
    if (j->sample == NULL || gp_table_join(&j->table, &cohort->samples, j->sample, err) != GP_OK)
        return err->code;
    for (int64_t r = 0; r < j->table.rows; r++) {
        extra += j->sample[r] < 0;
        common += j->sample[r] >= 0 && cohort->kept[j->sample[r]];
    }
    if (extra == j->table.rows)
        return no_common(j, &cohort->samples, err);
    gp_say(job->sink, GP_NOTE,
           "%s: %lld samples, %lld of them kept in the store, %lld not in it (ignored)", path,
           (long long)j->table.rows, (long long)common, (long long)extra);
    return GP_OK;
}

/* A column of the table as a column over the store's samples; rows is scratch of table.rows. */
static void spread(const joined *j, const double *rows, double *value, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        value[i] = NAN;
    for (int64_t r = 0; r < j->table.rows; r++)
        if (j->sample[r] >= 0)
            value[j->sample[r]] = rows[r];
}

/* What kept samples have, -9 apart: it may mean missing. */
typedef struct span {
    double low, high;
    int64_t present, minus_nine, between, ones; /* between low and high; equal to 1 */
} span;

static span span_of(const gp_cohort *cohort, const double *value) {
    span s = {.low = INFINITY, .high = -INFINITY};
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        double v = value[i];
        if (!cohort->kept[i] || isnan(v))
            continue;
        s.present++;
        s.minus_nine += v == -9.0;
        s.low = v != -9.0 ? fmin(s.low, v) : s.low;
        s.high = v != -9.0 ? fmax(s.high, v) : s.high;
    }
    for (int64_t i = 0; i < cohort->samples.n; i++)
        if (cohort->kept[i] && value[i] > s.low && value[i] < s.high) {
            s.between++;
            s.ones += value[i] == 1.0;
        }
    return s;
}

static void warn_of_minus_nine(const gp_job *job, const char *path, const char *what,
                               const char *name, const span *s) {
    if (s->minus_nine > 0)
        gp_say(job->sink, GP_WARN,
               "%s: %s '%s' holds -9 (%lld times) as a value; if it means missing, add "
               "--missing-code -9",
               path, what, name, (long long)s->minus_nine);
}

/* Whether all samples together, also those that are not kept, have just the values low and low + 1.
 */
static int has_two(const gp_cohort *cohort, const double *value, double low) {
    int64_t other = 0, count[2] = {0};
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        other += !isnan(value[i]) && value[i] != low && value[i] != low + 1.0;
        count[0] += value[i] == low;
        count[1] += value[i] == low + 1.0;
    }
    return other == 0 && count[0] > 0 && count[1] > 0;
}

/* Recognises binary coding, and what looks like it but for an option that was forgotten. */
static void inspect_trait(const gp_job *job, const gp_cohort_options *options,
                          const gp_cohort *cohort, gp_trait *trait) {
    span s = span_of(cohort, trait->value);
    warn_of_minus_nine(job, options->pheno, "trait", trait->name, &s);
    if (s.present == 0)
        trait->skipped = "no sample in use has a value";
    int zero_one = s.between == 0 && s.low == 0.0 && s.high == 1.0;
    int one_two = s.between == 0 && s.low == 1.0 && s.high == 2.0;
    if ((zero_one || one_two) && s.minus_nine > 0)
        trait->unclear = "two values and -9; say --missing-code -9 if that means missing";
    else if (one_two && !options->cc12)
        trait->unclear = "the values 1 and 2; say --cc12 if they mean control and case";
    else if (options->cc12 && s.low == 0.0 && s.high == 2.0 && s.between == s.ones)
        trait->unclear =
            "the values 0, 1 and 2; say --missing-code 0 if 0 means missing (in covariates too)";
    else
        trait->binary = zero_one || one_two;
    if (!options->cc12 && s.low == 0.0 && s.high == 2.0 && s.between == s.ones)
        gp_say(
            job->sink, GP_WARN,
            "%s: trait '%s' holds 0, 1 and 2 alone and is taken as numbers; if 0 means missing, 1 "
            "control and 2 case, say --cc12 --missing-code 0",
            options->pheno, trait->name);
    if (s.low == s.high && s.minus_nine == 0) {
        one_two = options->cc12 && has_two(cohort, trait->value, 1.0);
        trait->one_class = one_two || has_two(cohort, trait->value, 0.0);
    }
    if ((trait->binary || trait->one_class) && one_two)
        for (int64_t i = 0; i < cohort->samples.n; i++)
            trait->value[i] -= 1.0;
}

static int load_traits(gp_job *job, const gp_cohort_options *options, const gp_missing_codes *codes,
                       gp_cohort *cohort, gp_err *err) {
    joined j = {0};
    int64_t *chosen = NULL, count = 0, n = cohort->samples.n;
    double *rows = NULL;
    if (load_table(job, options->pheno, cohort, &j, err) != GP_OK ||
        gp_table_choose(&j.table, options->pheno_name, "--pheno-name", &chosen, &count, err) !=
            GP_OK)
        goto done;
    rows = gp_mem_alloc(j.table.rows, sizeof *rows, err);
    cohort->trait = gp_mem_alloc(count, sizeof *cohort->trait, err);
    if (rows == NULL || cohort->trait == NULL)
        goto done;
    for (int64_t t = 0; t < count; t++) {
        gp_trait *trait = &cohort->trait[cohort->traits++];
        const char *name = j.table.name[chosen[t]];
        trait->name = gp_mem_string(name, (int64_t)strlen(name), err);
        trait->value = gp_mem_alloc(n, sizeof *trait->value, err);
        if (trait->name == NULL || trait->value == NULL ||
            gp_table_numbers(&j.table, chosen[t], codes, rows, err) != GP_OK)
            goto done;
        spread(&j, rows, trait->value, n);
        inspect_trait(job, options, cohort, trait);
    }
done:
    free(rows);
    free(chosen);
    joined_free(&j);
    return err->code;
}

/* ---- covariates ---- */

/* The table of covariates while its columns become the cohort's. */
typedef struct source {
    const gp_job *job;
    joined j;
    const gp_missing_codes *codes;
    gp_cohort *cohort;
    int64_t capacity; /* of cohort->covariate */
    double *rows;     /* [table rows] scratch */
} source;

/* Adds what stands in rows, under a name. */
static int add_covariate(source *from, const char *name, gp_err *err) {
    gp_cohort *cohort = from->cohort;
    if (gp_mem_grow(&cohort->covariate, &from->capacity, cohort->covariates + 1,
                    sizeof *cohort->covariate, err) != GP_OK)
        return err->code;
    gp_covariate *covariate = &cohort->covariate[cohort->covariates++];
    covariate->name = gp_mem_string(name, (int64_t)strlen(name), err);
    covariate->value = gp_mem_alloc(cohort->samples.n, sizeof *covariate->value, err);
    if (err->code == GP_OK)
        spread(&from->j, from->rows, covariate->value, cohort->samples.n);
    return err->code;
}

static int no_value(const source *from, int64_t column, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: covariate '%s': no sample in use has a value; check the table's ids and "
                      "missing codes, or name the covariates to use",
                      from->j.table.path, from->j.table.name[column]);
}

static int is_kept(const source *from, int64_t row) {
    int64_t i = from->j.sample[row];
    return i >= 0 && from->cohort->kept[i];
}

static int add_number(source *from, int64_t column, gp_err *err) {
    int64_t present = 0;
    gp_err wrong = {0};
    if (gp_table_numbers(&from->j.table, column, from->codes, from->rows, &wrong) != GP_OK)
        return gp_err_set(err, wrong.code, "%s; --cat-covar-name takes a column as categories",
                          wrong.text);
    for (int64_t r = 0; r < from->j.table.rows; r++)
        present += is_kept(from, r) && !isnan(from->rows[r]);
    if (present == 0)
        return no_value(from, column, err);
    if (add_covariate(from, from->j.table.name[column], err) != GP_OK)
        return err->code;
    span s = span_of(from->cohort, from->cohort->covariate[from->cohort->covariates - 1].value);
    warn_of_minus_nine(from->job, from->j.table.path, "covariate", from->j.table.name[column], &s);
    return GP_OK;
}

/* A column as categories. */
typedef struct category {
    int64_t column;
    int64_t *level; /* [table rows] number in levels; -1 = missing */
    gp_ids levels;
    uint8_t *used; /* [levels] 1 = some kept sample has it: the table may hold many others */
    int64_t count; /* of levels in use */
} category;

static int find_levels(const source *from, category *c, gp_err *err) {
    const gp_table *table = &from->j.table;
    c->level = gp_mem_alloc(table->rows, sizeof *c->level, err);
    if (c->level == NULL ||
        gp_table_levels(table, c->column, from->codes, c->level, &c->levels, err) != GP_OK)
        return err->code;
    c->used = gp_mem_alloc(c->levels.count, 1, err);
    if (c->used == NULL)
        return err->code;
    for (int64_t r = 0; r < table->rows; r++)
        if (c->level[r] >= 0 && is_kept(from, r)) {
            c->count += !c->used[c->level[r]];
            c->used[c->level[r]] = 1;
        }
    if (c->count == 0)
        return no_value(from, c->column, err);
    /* A category with as many levels as people explains nothing, and n^2 numbers would not fit. */
    if (c->count > 1000)
        return gp_err_set(err, GP_EINPUT,
                          "%s:1: column '%s' has %lld levels, more than 1000; is it really a "
                          "category?",
                          table->path, table->name[c->column], (long long)c->count);
    return GP_OK;
}

/* A 0/1 column: who has level l. */
static int add_level(source *from, const category *c, int64_t l, gp_err *err) {
    gp_text name = {0};
    for (int64_t r = 0; r < from->j.table.rows; r++)
        from->rows[r] = c->level[r] < 0 ? NAN : c->level[r] == l;
    if (gp_text_print(&name, err, "%s=%s", from->j.table.name[c->column],
                      gp_ids_get(&c->levels, l)) == GP_OK)
        add_covariate(from, name.bytes, err);
    gp_text_free(&name);
    return err->code;
}

/* A column for every level in use but the first. */
static int add_levels(source *from, int64_t column, gp_err *err) {
    category c = {.column = column};
    find_levels(from, &c, err);
    /* A single level still needs its column: it says who has a value. */
    int left_out = c.count < 2;
    for (int64_t l = 0; l < c.levels.count && err->code == GP_OK; l++) {
        if (c.used[l] && left_out)
            add_level(from, &c, l, err);
        left_out |= c.used[l];
    }
    free(c.level);
    free(c.used);
    gp_ids_free(&c.levels);
    return err->code;
}

/* Which columns are used, and which of them as categories: named ones, or all of the file. */
static int choose_covariates(const gp_cohort_options *options, const gp_table *table, uint8_t *use,
                             gp_err *err) {
    int64_t *numbers = NULL, *categories = NULL, number_count = 0, category_count = 0;
    /* With categories named and --covar-name not, the rest of the file are numbers. */
    if (gp_table_choose(table, options->covar_name, "--covar-name", &numbers, &number_count, err) !=
        GP_OK)
        goto done;
    if (options->cat_covar_name != NULL &&
        gp_table_choose(table, options->cat_covar_name, "--cat-covar-name", &categories,
                        &category_count, err) != GP_OK)
        goto done;
    for (int64_t k = 0; k < number_count; k++)
        use[numbers[k]] = 1;
    for (int64_t k = 0; k < category_count; k++)
        use[categories[k]] = 2;
done:
    free(numbers);
    free(categories);
    return err->code;
}

static int load_covariates(gp_job *job, const gp_cohort_options *options,
                           const gp_missing_codes *codes, gp_cohort *cohort, gp_err *err) {
    source from = {.job = job, .codes = codes, .cohort = cohort};
    uint8_t *use = NULL;
    if (load_table(job, options->covar, cohort, &from.j, err) != GP_OK)
        goto done;
    use = gp_mem_alloc(from.j.table.columns, 1, err);
    from.rows = gp_mem_alloc(from.j.table.rows, sizeof *from.rows, err);
    if (err->code != GP_OK || choose_covariates(options, &from.j.table, use, err) != GP_OK)
        goto done;
    for (int64_t k = 0; k < from.j.table.columns && err->code == GP_OK; k++) {
        if (use[k] == 1)
            add_number(&from, k, err);
        else if (use[k] == 2)
            add_levels(&from, k, err);
    }
done:
    free(use);
    free(from.rows);
    joined_free(&from.j);
    return err->code;
}

static void mark_complete(const gp_job *job, gp_cohort *cohort) {
    int64_t without = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        cohort->complete[i] = 1;
        for (int64_t k = 0; k < cohort->covariates; k++)
            cohort->complete[i] &= !isnan(cohort->covariate[k].value[i]);
    }
    for (int64_t i = 0; i < cohort->samples.n; i++)
        without += cohort->kept[i] && !cohort->complete[i];
    if (without > 0)
        gp_say(job->sink, GP_NOTE, "%lld samples lack a covariate and are left out of every model",
               (long long)without);
}

/* Complains where no trait is left; says so of single ones. */
static int check_traits(gp_job *job, const gp_cohort_options *options, const gp_cohort *cohort,
                        gp_err *err) {
    int64_t usable = 0;
    for (int64_t t = 0; t < cohort->traits; t++)
        usable += cohort->trait[t].skipped == NULL;
    if (usable == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: trait '%s': %s%s; check the table's ids and missing codes",
                          options->pheno, cohort->trait[0].name, cohort->trait[0].skipped,
                          cohort->traits > 1 ? " (nor of the others)" : "");
    for (int64_t t = 0; t < cohort->traits; t++)
        if (cohort->trait[t].skipped != NULL)
            gp_say(job->sink, GP_WARN, "%s: trait '%s' is skipped: %s", options->pheno,
                   cohort->trait[t].name, cohort->trait[t].skipped);
    return GP_OK;
}

int gp_cohort_load(gp_job *job, const gp_cohort_options *options, gp_store *store,
                   gp_cohort *cohort, gp_err *err) {
    gp_missing_codes codes = {0};
    int64_t n = gp_store_sample_count(store);
    cohort->kept = gp_mem_alloc(n, 1, err);
    cohort->complete = gp_mem_alloc(n, 1, err);
    if (err->code == GP_OK)
        gp_store_read_samples(store, &cohort->samples, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    memset(cohort->kept, 1, (size_t)n);
    if (apply_list(job, options->keep, 1, cohort, err) != GP_OK ||
        apply_list(job, options->remove, 0, cohort, err) != GP_OK)
        return err->code;
    gp_missing_codes_parse(&codes, options->missing_code, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    if (options->pheno != NULL)
        load_traits(job, options, &codes, cohort, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    if (options->covar != NULL)
        load_covariates(job, options, &codes, cohort, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    mark_complete(job, cohort);
    if (options->pheno != NULL)
        check_traits(job, options, cohort, err);
done:
    gp_missing_codes_free(&codes);
    return gp_par_agree(job->par, err);
}

void gp_cohort_free(gp_cohort *cohort) {
    for (int64_t t = 0; t < cohort->traits; t++) {
        free(cohort->trait[t].name);
        free(cohort->trait[t].value);
    }
    for (int64_t k = 0; k < cohort->covariates; k++) {
        free(cohort->covariate[k].name);
        free(cohort->covariate[k].value);
    }
    free(cohort->trait);
    free(cohort->covariate);
    free(cohort->kept);
    free(cohort->complete);
    gp_samples_free(&cohort->samples);
    *cohort = (gp_cohort){0};
}
