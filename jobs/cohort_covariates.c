/* Covariates: columns of numbers, and of categories. */
#include "jobs/cohort_private.h"
#include "jobs/joined.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table of covariates while its columns become the cohort's. */
typedef struct source {
    const gp_job *job;
    const gp_joined *joined;
    const gp_missing_codes *codes;
    gp_cohort *cohort;
    int64_t capacity; /* of cohort->covariate */
    double *rows;     /* [most rows of a table] scratch */
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
        gp_joined_spread(from->joined, from->rows, covariate->value, cohort->samples.n);
    return err->code;
}

static int no_value(const source *from, int64_t column, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: covariate '%s': no sample in use has a value; check the table's ids and "
                      "missing codes, or name the covariates to use",
                      from->joined->table.path, from->joined->table.name[column]);
}

static int is_kept(const source *from, int64_t row) {
    int64_t i = from->joined->sample[row];
    return i >= 0 && from->cohort->kept[i];
}

static int add_number(source *from, int64_t column, gp_err *err) {
    int64_t present = 0;
    gp_err wrong = {0};
    if (gp_table_numbers(&from->joined->table, column, from->codes, from->rows, &wrong) != GP_OK)
        return gp_err_set(err, wrong.code, "%s; --cat-covar-name takes a column as categories",
                          wrong.text);
    for (int64_t r = 0; r < from->joined->table.rows; r++)
        present += is_kept(from, r) && !isnan(from->rows[r]);
    if (present == 0)
        return no_value(from, column, err);
    if (add_covariate(from, from->joined->table.name[column], err) != GP_OK)
        return err->code;
    gp_cohort_span s = gp_cohort_span_of(
        from->cohort, from->cohort->covariate[from->cohort->covariates - 1].value);
    gp_cohort_warn_of_minus_nine(from->job, from->joined->table.path, "covariate",
                                 from->joined->table.name[column], &s);
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
    const gp_table *table = &from->joined->table;
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
    for (int64_t r = 0; r < from->joined->table.rows; r++)
        from->rows[r] = c->level[r] < 0 ? NAN : c->level[r] == l;
    if (gp_text_print(&name, err, "%s=%s", from->joined->table.name[c->column],
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

/* Adds what is used of the tables, in their order. */
static int add_used(source *from, const gp_joined_list *list, const uint8_t *use, gp_err *err) {
    for (int64_t k = 0; k < list->header.columns && err->code == GP_OK; k++) {
        int64_t column = k;
        from->joined = gp_joined_list_at(list, &column);
        if (use[k] == 1)
            add_number(from, column, err);
        else if (use[k] == 2)
            add_levels(from, column, err);
    }
    return err->code;
}

int gp_cohort_load_covariates(gp_job *job, const gp_cohort_options *options,
                              const gp_missing_codes *codes, gp_cohort *cohort, gp_err *err) {
    source from = {.job = job, .codes = codes, .cohort = cohort};
    gp_joined_list list = {0};
    uint8_t *use = NULL;
    if (gp_joined_list_load(job, options->covar, "--covar", &cohort->samples, cohort->kept, &list,
                            err) != GP_OK)
        goto done;
    use = gp_mem_alloc(list.header.columns, 1, err);
    from.rows = gp_mem_alloc(list.most_rows, sizeof *from.rows, err);
    if (err->code == GP_OK && choose_covariates(options, &list.header, use, err) == GP_OK)
        add_used(&from, &list, use, err);
done:
    free(use);
    free(from.rows);
    gp_joined_list_free(&list);
    return gp_par_agree(job->par, err);
}
