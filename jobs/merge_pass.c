/* Tables merged side by side: a first pass over their lines takes in what the ranks must agree on
 * (which variants are in both tables, and the numbers), a second one writes. Both go stretch by
 * stretch of the genome, each rank over its own, one thread for a trait. */
#include "io/digits.h"
#include "jobs/job.h"
#include "jobs/merge_inside.h"
#include "jobs/times.h"
#include "mpi/order.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A table on its way. */
typedef struct track {
    gp_merge_table *table;
    gp_sumstats_reader *reader;
    int64_t id, effect, other, status, neglog10p; /* columns */
    gp_text header;
    gp_summary summary;
    /* The lines whose variant the table of attribution has, in order: its ranks there, and then
     * those among these. */
    uint64_t *there;
    int64_t *rank;
    int64_t ranks, capacity;
    int64_t next;  /* of rank, when they are written */
    int64_t lines; /* of this rank */
    int far;       /* a position is beyond what .tbi holds */
} track;

typedef struct pass {
    gp_merge *merge;
    track *track;
    int64_t count;
    gp_tables_trait *about; /* [count] */
    gp_tables tables;
    uint8_t *used; /* [files] these tables need it */
} pass;

static const char no_note[] = "attribution: none was given; attribution_rank neither";
static const char note[] =
    "attribution: what one more copy of effect_allele adds to a neural network's prediction of the "
    "trait, in its units (log odds of a binary trait), NA where the network does not have the "
    "variant; attribution_rank: 1 for the greatest importance among the lines that have one";

/* ---- opening ---- */

static int open_track(track *x, gp_merge_table *table, gp_store *store, gp_err *err) {
    static const char *const name[] = {"id", "effect_allele", "other_allele", "status",
                                       "neg_log_10_p_value"};
    int64_t *const column[] = {&x->id, &x->effect, &x->other, &x->status, &x->neglog10p};
    x->table = table;
    if (gp_sumstats_open(&x->reader, table->path, err) != GP_OK)
        return err->code;
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        *column[k] = gp_sumstats_find(x->reader, name[k]);
        if (*column[k] < 0)
            return gp_err_set(err, GP_EINPUT,
                              "%s: has no column %s; gp-dist assoc writes tables that have it",
                              table->path, name[k]);
    }
    if (gp_sumstats_find(x->reader, "attribution") >= 0)
        return gp_err_set(err, GP_EINPUT, "%s: has a column attribution: it is merged already",
                          table->path);
    gp_text_print(&x->header, err, "%s\tattribution\tattribution_rank\n",
                  gp_sumstats_header(x->reader));
    return gp_summary_init(&x->summary, store, err);
}

static void close_track(track *x) {
    gp_sumstats_close(x->reader);
    gp_text_free(&x->header);
    gp_summary_free(&x->summary);
    free(x->there);
    free(x->rank);
}

static int open_tracks(pass *p, int64_t first, gp_err *err) {
    gp_merge *m = p->merge;
    p->track = gp_mem_alloc(p->count, sizeof *p->track, err);
    p->about = gp_mem_alloc(p->count, sizeof *p->about, err);
    p->used = gp_mem_alloc(m->files, sizeof *p->used, err);
    for (int64_t t = 0; t < p->count && err->code == GP_OK; t++) {
        gp_merge_table *table = &m->table[first + t];
        if (table->file >= 0)
            p->used[table->file] = 1;
        open_track(&p->track[t], table, m->store, err);
        p->about[t] = (gp_tables_trait){.name = table->about.trait,
                                        .header = p->track[t].header.bytes,
                                        .meta = table->yaml.bytes,
                                        .note = table->file < 0 ? no_note : note};
    }
    return gp_par_agree(m->job->par, err);
}

static void close_tracks(pass *p) {
    for (int64_t t = 0; p->track != NULL && t < p->count; t++)
        close_track(&p->track[t]);
    free(p->track);
    free(p->about);
    free(p->used);
}

/* ---- a stretch ---- */

/* What is done with a line; value: what is told of its variant, or NULL. */
typedef int visit(pass *p, track *x, const gp_sumstats_line *text, const gp_summary_line *line,
                  const gp_attribution_value *value, gp_err *err);

static const gp_attribution_value *look_up(const gp_attribution *a, gp_attribution_place *place,
                                           const track *x, int64_t position, char *const *field) {
    const gp_attribution_name name = {position, field[x->id], field[x->effect], field[x->other]};
    int64_t k = gp_attribution_find(a, place, &name);
    const gp_attribution_value *value =
        k < 0 ? NULL : &a->value[k * a->traits.count + x->table->trait];
    return value != NULL && value->text >= 0 ? value : NULL;
}

/* The lines of one table in a stretch. */
static int walk_lines(pass *p, track *x, const gp_table_region *region, visit *do_it, gp_err *err) {
    gp_merge *m = p->merge;
    gp_attribution *a = x->table->file < 0 ? NULL : &m->file[x->table->file];
    gp_attribution_place place = {0};
    gp_sumstats_line text;
    gp_sumstats_set_region(x->reader, gp_store_chromosome(m->store, region->chromosome)->name,
                           region->first, region->last, err);
    while (err->code == GP_OK && gp_sumstats_next(x->reader, &text, err)) {
        char *const *field = gp_sumstats_fields(x->reader, err);
        if (field == NULL)
            break;
        const gp_summary_line line = {.chromosome = region->chromosome,
                                      .position = text.position,
                                      .id = field[x->id],
                                      .status = field[x->status],
                                      .neglog10p = field[x->neglog10p]};
        do_it(p, x, &text, &line, a == NULL ? NULL : look_up(a, &place, x, text.position, field),
              err);
    }
    return err->code;
}

/* Takes in what the tables of attribution have there. */
static int load_files(pass *p, const gp_table_region *region, gp_err *err) {
    gp_merge *m = p->merge;
    const char *chromosome = gp_store_chromosome(m->store, region->chromosome)->name;
#pragma omp parallel for schedule(dynamic)
    for (int64_t f = 0; f < m->files; f++) {
        gp_err mine = {0};
        if (p->used[f] && gp_attribution_load(&m->file[f], chromosome, region->first, region->last,
                                              &mine) != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

/* Local: a rank that fails stops at once, and all learn of it when they meet. */
static int walk_region(pass *p, const gp_table_region *region, visit *do_it, gp_err *err) {
    if (gp_job_check_signals(err) != GP_OK || load_files(p, region, err) != GP_OK)
        return err->code;
#pragma omp parallel for schedule(dynamic)
    for (int64_t t = 0; t < p->count; t++) {
        gp_err mine = {0};
        if (walk_lines(p, &p->track[t], region, do_it, &mine) != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

/* ---- the first pass ---- */

static int take_in(pass *p, track *x, const gp_sumstats_line *text, const gp_summary_line *line,
                   const gp_attribution_value *value, gp_err *err) {
    (void)p;
    x->lines++;
    x->far |= text->position >= (int64_t)1 << 29;
    if (gp_summary_add(&x->summary, x->table->path, line, err) != GP_OK || value == NULL)
        return err->code;
    if (gp_mem_grow(&x->there, &x->capacity, x->ranks + 1, sizeof *x->there, err) == GP_OK)
        x->there[x->ranks++] = value->rank;
    return err->code;
}

/* As many lines as the table's metadata tell of? */
static int check_lines(pass *p, gp_err *err) {
    gp_job *job = p->merge->job;
    for (int64_t t = 0; t < p->count; t++) {
        const track *x = &p->track[t];
        int64_t lines = x->lines;
        gp_par_sum(job->par, &lines, 1, err);
        if (lines != x->table->about.variants)
            gp_err_set(err, GP_EINPUT,
                       "%s: %lld lines are found by its index on the store's chromosomes where its "
                       "metadata tell of %lld; table, index and metadata must come from one run of "
                       "gp-dist assoc",
                       x->table->path, (long long)lines, (long long)x->table->about.variants);
    }
    return gp_par_agree(job->par, err);
}

/* Few or none is no error: the network may have other chromosomes than the table. */
static void tell_attributions(pass *p, const track *x, int64_t lines) {
    gp_say(p->merge->job->sink, lines > 0 ? GP_NOTE : GP_WARN,
           "trait %s: %lld of %lld lines have an attribution in %s", x->table->about.trait,
           (long long)lines, (long long)x->table->about.variants,
           p->merge->file[x->table->file].path);
}

/* The ranks of the lines that have an attribution, among these. */
static int join_ranks(pass *p, gp_err *err) {
    gp_job *job = p->merge->job;
    for (int64_t t = 0; t < p->count && err->code == GP_OK; t++) {
        track *x = &p->track[t];
        int64_t lines = x->ranks;
        if (x->table->file < 0)
            continue;
        gp_par_sum(job->par, &lines, 1, err);
        tell_attributions(p, x, lines);
        x->rank = gp_mem_alloc(x->ranks, sizeof *x->rank, err);
        if (gp_par_agree(job->par, err) == GP_OK)
            gp_par_order(job->par, x->there, x->rank, x->ranks, err);
        free(x->there);
        x->there = NULL;
    }
    return err->code;
}

static int first_pass(pass *p, gp_err *err) {
    gp_merge *m = p->merge;
    gp_times_phase(m->job, "read");
    for (int64_t k = 0; k < m->parts.count && err->code == GP_OK; k++)
        walk_region(p, &m->parts.region[k], take_in, err);
    if (gp_par_agree(m->job->par, err) != GP_OK || check_lines(p, err) != GP_OK ||
        join_ranks(p, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < p->count && err->code == GP_OK; t++)
        gp_summary_join(m->job, &p->track[t].summary, err);
    return err->code;
}

/* ---- the second pass ---- */

static char *put(char *to, const char *s, int64_t n) {
    memcpy(to, s, (size_t)n);
    return to + n;
}

static int write_line(pass *p, track *x, const gp_sumstats_line *text, const gp_summary_line *line,
                      const gp_attribution_value *value, gp_err *err) {
    static const char none[] = "#NA\t#NA";
    const char *told =
        value == NULL ? none : p->merge->file[x->table->file].text.bytes + value->text;
    int64_t length = (int64_t)strlen(told);
    gp_text *lines = gp_tables_text(&p->tables, x - p->track);
    char *begin = gp_text_room(lines, text->length + length + 3 + GP_DIGITS_ROOM, err);
    if (begin == NULL)
        return err->code;
    if (x->next == x->ranks && value != NULL)
        return gp_err_set(err, GP_EFAIL, "%s: has changed while it was read", x->table->path);
    char *to = put(begin, text->text, text->length);
    *to++ = '\t';
    to = put(to, told, length);
    if (value != NULL) {
        *to++ = '\t';
        to = gp_digits_integer(to, x->rank[x->next++]);
    }
    *to++ = '\n';
    *to = 0;
    lines->length += to - begin;
    gp_summary_mark(&x->summary, line);
    return GP_OK;
}

static int second_pass(pass *p, gp_err *err) {
    gp_merge *m = p->merge;
    gp_times_phase(m->job, "write");
    for (int64_t k = 0; k < m->parts.count && err->code == GP_OK; k++) {
        const gp_table_region *region = &m->parts.region[k];
        gp_tables_begin(&p->tables, region->variant);
        if (walk_region(p, region, write_line, err) == GP_OK)
            gp_tables_end_block(&p->tables, err);
    }
    for (int64_t t = 0; t < p->count; t++) {
        p->tables.table[t].owed = p->track[t].lines;
        p->tables.csi |= p->track[t].far;
    }
    if (gp_par_agree(m->job->par, err) != GP_OK)
        return err->code;
    gp_times_phase(m->job, "place");
    return gp_tables_finish(m->job, &p->tables, 0, NULL, err);
}

static int write_summaries(pass *p, gp_err *err) {
    gp_merge *m = p->merge;
    for (int64_t t = 0; t < p->count && err->code == GP_OK; t++) {
        const gp_sumstats_about *about = &p->track[t].table->about;
        char *path = gp_merge_path(m->out, about->trait, ".summary.json", err);
        if (gp_par_agree(m->job->par, err) == GP_OK)
            gp_summary_write(m->job, &p->track[t].summary, about, path, err);
        free(path);
    }
    return err->code;
}

int gp_merge_some(gp_merge *m, int64_t first, int64_t count, gp_err *err) {
    pass p = {.merge = m, .count = count};
    if (open_tracks(&p, first, err) == GP_OK && first_pass(&p, err) == GP_OK &&
        gp_tables_open(m->job, &p.tables, m->out, p.about, count, err) == GP_OK &&
        second_pass(&p, err) == GP_OK)
        write_summaries(&p, err);
    gp_tables_close(m->job, &p.tables);
    close_tracks(&p);
    return err->code;
}
