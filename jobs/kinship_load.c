#include "jobs/kinship.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>

/* A class of samples that this rank has as rows, or as columns. */
typedef struct side {
    gp_layout_run run;
    int64_t at;  /* its first entry in the lists */
    int64_t low; /* the least row of the file among its samples */
} side;

/* This rank's rows, or columns, class by class. */
typedef struct sides {
    side *side; /* [count] */
    int count;
    int64_t *row;   /* [all] of the file */
    int64_t *local; /* [all] local row, or column, of the matrix */
} sides;

/* A row of the file that is wanted: of a sample that is a row here, or a column. */
typedef struct wanted {
    int64_t row;
    int is_column, side;
    int64_t at; /* within the class */
} wanted;

typedef struct load {
    const gp_kinship *kinship;
    const int64_t *sample;
    gp_dense *a;
    sides rows, columns;
    int64_t except;
    double divisor;
    double *whole, *one; /* [n of the file] */
} load;

static int sides_init(sides *s, const load *l, int columns, gp_err *err) {
    const gp_layout *layout = &l->a->layout;
    int64_t all = columns ? layout->local_columns : layout->local_rows, at = 0;
    int (*next)(const gp_layout *, int, gp_layout_run *) =
        columns ? gp_layout_column_run : gp_layout_row_run;
    int64_t (*local)(const gp_layout *, int64_t) =
        columns ? gp_layout_local_column : gp_layout_local_row;
    s->side = gp_mem_alloc(layout->classes + 1, sizeof *s->side, err);
    s->row = gp_mem_alloc(all, sizeof *s->row, err);
    s->local = gp_mem_alloc(all, sizeof *s->local, err);
    for (; err->code == GP_OK && next(layout, s->count, &s->side[s->count].run); s->count++) {
        side *class = &s->side[s->count];
        class->at = at;
        class->low = INT64_MAX;
        for (int64_t i = 0; i < class->run.count; i++, at++) {
            s->row[at] = l->kinship->row[l->sample[class->run.begin + i]];
            s->local[at] = local(layout, class->run.begin + i);
            class->low = gp_least(class->low, s->row[at]);
        }
    }
    return err->code;
}

static void sides_free(sides *s) {
    free(s->side);
    free(s->row);
    free(s->local);
}

/* Which of a class's samples make elements of the lower triangle with sample `at` of another class
 * (or its own):
 * [*begin, *end). A block of the grid's order belongs to one class, so classes part in whole
 * blocks. */
static void partners(const side *mine, int is_column, int64_t at, const side *other, int64_t *begin,
                     int64_t *end) {
    int64_t block = at / GP_GRID_BLOCK;
    *begin = 0;
    *end = other->run.count;
    if (mine->run.class == other->run.class && is_column)
        *begin = at + 1; /* the diagonal is the row's */
    else if (mine->run.class == other->run.class)
        *end = at + 1;
    else if (is_column)
        *begin = gp_least((block + (other->run.class < mine->run.class)) * GP_GRID_BLOCK, *end);
    else
        *end = gp_least((block + (mine->run.class > other->run.class)) * GP_GRID_BLOCK, *end);
}

static int read_run(load *l, int64_t row, int64_t first, int64_t count, gp_err *err) {
    gp_grm *grm = l->kinship->grm;
    if (gp_grm_read(grm, GP_GRM_WHOLE, row, first, count, l->whole, err) != GP_OK)
        return err->code;
    if (l->except != GP_GRM_WHOLE &&
        gp_grm_read(grm, l->except, row, first, count, l->one, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < count; i++) {
        l->whole[i] =
            (l->except != GP_GRM_WHOLE ? l->whole[i] - l->one[i] : l->whole[i]) / l->divisor;
        if (!isfinite(l->whole[i]))
            return gp_err_set(err, GP_EINPUT,
                              "%s: the relationship of rows %lld and %lld is not a finite number",
                              gp_grm_path(grm), (long long)row + 1, (long long)(first + i) + 1);
    }
    return GP_OK;
}

/* The elements of one row of the file with the samples of one class. Others of them may be in later
 * rows of the file, where its order is not the store's. */
static int load_class(load *l, const wanted *w, const side *mine, const side *other, gp_err *err) {
    const sides *others = w->is_column ? &l->rows : &l->columns;
    int64_t begin, end, low = INT64_MAX, high = -1;
    partners(mine, w->is_column, w->at, other, &begin, &end);
    if (other->low > w->row)
        return GP_OK;
    for (int64_t i = other->at + begin; i < other->at + end; i++)
        if (others->row[i] <= w->row) {
            low = gp_least(low, others->row[i]);
            high = others->row[i] > high ? others->row[i] : high;
        }
    if (high < 0)
        return GP_OK;
    if (read_run(l, w->row, low, high - low + 1, err) != GP_OK)
        return err->code;
    int64_t local = (w->is_column ? l->columns : l->rows).local[mine->at + w->at];
    for (int64_t i = other->at + begin; i < other->at + end; i++) {
        int64_t r = w->is_column ? others->local[i] : local,
                c = w->is_column ? local : others->local[i];
        if (others->row[i] <= w->row)
            l->a->value[c * l->a->lead + r] = l->whole[others->row[i] - low];
    }
    return GP_OK;
}

static int by_row(const void *a, const void *b) {
    const wanted *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

static int64_t list_wanted(const sides *s, int is_column, wanted *list) {
    int64_t count = 0;
    for (int k = 0; k < s->count; k++)
        for (int64_t i = 0; i < s->side[k].run.count; i++)
            list[count++] = (wanted){s->row[s->side[k].at + i], is_column, k, i};
    return count;
}

/* In the order of the file's rows: a text can be read in no other. */
static int load_rows(load *l, gp_err *err) {
    const gp_layout *layout = &l->a->layout;
    wanted *list = gp_mem_alloc(layout->local_rows + layout->local_columns, sizeof *list, err);
    if (list == NULL)
        return err->code;
    int64_t count = list_wanted(&l->rows, 0, list);
    count += list_wanted(&l->columns, 1, list + count);
    qsort(list, (size_t)count, sizeof *list, by_row);
    for (int64_t i = 0; i < count && err->code == GP_OK; i++) {
        const wanted *w = &list[i];
        const sides *others = w->is_column ? &l->rows : &l->columns;
        const side *mine = (w->is_column ? &l->columns : &l->rows)->side + w->side;
        for (int k = 0; k < others->count && err->code == GP_OK; k++)
            load_class(l, w, mine, &others->side[k], err);
    }
    free(list);
    return err->code;
}

int gp_kinship_load(gp_job *job, const gp_kinship *kinship, const int64_t *sample, int64_t except,
                    gp_dense *a, gp_err *err) {
    const gp_grm_about *about = gp_grm_about_of(kinship->grm);
    load l = {.kinship = kinship, .sample = sample, .a = a, .except = except};
    int64_t variants =
        about->variants - (except != GP_GRM_WHOLE ? about->chromosome_variants[except] : 0);
    l.divisor = (double)variants;
    if (variants <= 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: no variant is left without chromosome %s; use a matrix of several "
                   "chromosomes, or --no-loco",
                   gp_grm_path(kinship->grm),
                   except != GP_GRM_WHOLE ? about->chromosome[except] : "-");
    l.whole = gp_mem_alloc(about->n, sizeof *l.whole, err);
    l.one = gp_mem_alloc(about->n, sizeof *l.one, err);
    if (err->code == GP_OK && sides_init(&l.rows, &l, 0, err) == GP_OK &&
        sides_init(&l.columns, &l, 1, err) == GP_OK)
        load_rows(&l, err);
    sides_free(&l.rows);
    sides_free(&l.columns);
    free(l.whole);
    free(l.one);
    return gp_par_agree(job->par, err);
}
