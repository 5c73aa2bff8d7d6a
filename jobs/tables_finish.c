/* From parts to tables with their names. All is written before anything is waited for: a disk takes
 * many files in little more time than one. */
#include "io/file.h"
#include "io/tabix.h"
#include "jobs/job.h"
#include "jobs/tables_private.h"
#include "mpi/carry.h"
#include "mpi/gather.h"
#include "src/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A section on its way into the tables. */
typedef struct section {
    gp_job *job;
    gp_tables *tables;
    int last;        /* of the tables */
    int64_t *size;   /* [count] its bytes in each table */
    int64_t *offset; /* [count] where this rank's parts begin */
    gp_text *mine;   /* [count] the runs of this rank's parts */
} section;

/* Tables on their way to their names. */
typedef struct finish {
    gp_job *job;
    gp_tables *tables;
    const gp_tables_meta *meta;
    int64_t *lines; /* [count] in each table */
} finish;

static const char *index_suffix(const gp_tables *tables) {
    return tables->csi ? ".csi" : ".tbi";
}

/* ---- the parts ---- */

static int is_first(const section *s) {
    return gp_par_group(s->job->par) == 0;
}

/* Hands heads to the groups before, compresses the last text block, ends the tables' last part. */
static int close_parts(section *s, gp_err *err) {
    gp_job *job = s->job;
    gp_tables *tables = s->tables;
    for (int64_t t = 0; t < tables->count; t++) {
        gp_out_table *table = &tables->table[t];
        /* Every rank must come here for every table, whatever failed before: the carry is
         * collective. */
        gp_par_carry(job->par, &table->head, tables->open, &table->tail, err);
        if (tables->writes && err->code == GP_OK)
            gp_part_append(&table->part, &table->tail, tables->pack, tables->threads, err);
        if (tables->writes && err->code == GP_OK && s->last &&
            gp_par_group(job->par) == gp_par_groups(job->par) - 1)
            gp_part_end(&table->part, err);
    }
    return gp_par_agree(job->par, err);
}

/* Finds where each part goes. The first group's part is the table itself, earlier sections and
 * all. */
static int measure(section *s, gp_err *err) {
    gp_tables *tables = s->tables;
    s->size = gp_mem_alloc(tables->count, sizeof *s->size, err);
    s->offset = gp_mem_alloc(tables->count, sizeof *s->offset, err);
    s->mine = gp_mem_alloc(tables->count, sizeof *s->mine, err);
    if (gp_par_agree(s->job->par, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; tables->writes && t < tables->count; t++) {
        gp_out_table *table = &tables->table[t];
        s->size[t] = table->part.size - (is_first(s) ? table->base : 0);
        table->wrote += s->size[t];
    }
    gp_par_sum_before(s->job->par, s->size, s->offset, tables->count, err);
    gp_par_sum(s->job->par, s->size, tables->count, err);
    return gp_par_agree(s->job->par, err);
}

/* Copies all parts but the first behind it. */
static int place_parts(section *s, gp_err *err) {
    gp_tables *tables = s->tables;
    for (int64_t t = 0; tables->writes && t < tables->count && gp_job_check_signals(err) == GP_OK;
         t++) {
        gp_part *part = &tables->table[t].part;
        int64_t offset = is_first(s) ? 0 : tables->table[t].base + s->offset[t];
        gp_runs_print(&part->runs, offset, &s->mine[t], err);
        if (is_first(s))
            continue;
        char *path = gp_tables_path(tables, t, 0, GP_TABLES_WHOLE, err);
        if (path != NULL)
            gp_part_place(part, path, offset, err);
        free(path);
    }
    return gp_par_agree(s->job->par, err);
}

/* Brings the runs to the ranks that will describe the tables. */
static int gather_runs(section *s, gp_err *err) {
    gp_tables *tables = s->tables;
    gp_text *runs = gp_mem_alloc(tables->count, sizeof *runs, err);
    if (gp_par_agree(s->job->par, err) == GP_OK) {
        for (int64_t t = 0; t < tables->count; t++)
            runs[t] = tables->table[t].runs;
        gp_par_gather(s->job->par, s->mine, runs, tables->count, err);
        for (int64_t t = 0; t < tables->count; t++)
            tables->table[t].runs = runs[t];
        gp_par_agree(s->job->par, err);
    }
    free(runs);
    return err->code;
}

static void begin_next(section *s) {
    gp_tables *tables = s->tables;
    tables->open = 0;
    for (int64_t t = 0; t < tables->count; t++) {
        gp_out_table *table = &tables->table[t];
        table->base += s->size[t];
        table->head.length = table->tail.length = 0;
        gp_runs_free(&table->part.runs);
        if (tables->writes)
            table->part.size = is_first(s) ? table->base : 0;
    }
}

static int end_section(gp_job *job, gp_tables *tables, int last, gp_err *err) {
    section s = {.job = job, .tables = tables, .last = last};
    if (close_parts(&s, err) == GP_OK && measure(&s, err) == GP_OK &&
        place_parts(&s, err) == GP_OK && gather_runs(&s, err) == GP_OK)
        begin_next(&s);
    for (int64_t t = 0; s.mine != NULL && t < tables->count; t++)
        gp_text_free(&s.mine[t]);
    free(s.size);
    free(s.offset);
    free(s.mine);
    return err->code;
}

int gp_tables_end_section(gp_job *job, gp_tables *tables, gp_err *err) {
    return end_section(job, tables, 0, err);
}

/* ---- describing ---- */

/* That the table is all there: as many lines as were owed, as many bytes as were written. */
static int check_whole(const finish *f, int64_t t, int64_t lines, const char *data, gp_err *err) {
    int64_t size = 0;
    if (gp_io_file_size(data, &size, err) == GP_OK &&
        (lines != f->lines[t] || size != f->tables->table[t].base))
        gp_err_set(err, GP_EFAIL,
                   "%s/%s: %lld lines in %lld bytes were written, %lld in %lld are there; run the "
                   "command again",
                   f->tables->directory, f->tables->table[t].name, (long long)f->lines[t],
                   (long long)f->tables->table[t].base, (long long)lines, (long long)size);
    return err->code;
}

/* What a thread describes tables with, one after the other: megabytes, to be had once. */
typedef struct desk {
    gp_pack *pack; /* a rank without parts has none of tables->pack */
    gp_text index, packed;
} desk;

static void free_desk(desk *d) {
    gp_packs_free(d->pack, 1);
    gp_text_free(&d->index);
    gp_text_free(&d->packed);
}

static int add_index(finish *f, int64_t t, const char *data, desk *d, gp_err *err) {
    gp_tables *tables = f->tables;
    int64_t lines = 0;
    d->index.length = d->packed.length = 0;
    char *path = gp_tables_path(tables, t, 0, index_suffix(tables), err);
    if (path != NULL &&
        gp_tabix_print(&tables->table[t].runs, tables->table[t].base - GP_PART_END, tables->csi,
                       &d->index, &lines, err) == GP_OK &&
        check_whole(f, t, lines, data, err) == GP_OK &&
        gp_pack_file(d->pack, &d->index, &d->packed, err) == GP_OK)
        gp_io_fill_file(path, d->packed.bytes, d->packed.length, err);
    free(path);
    return err->code;
}

static int print_metadata(const finish *f, int64_t t, const char *md5, gp_text *yaml, gp_err *err) {
    const gp_out_table *table = &f->tables->table[t];
    const gp_tables_trait *trait = table->trait;
    char program[64];
    if (trait->meta != NULL)
        return gp_sumstats_meta_revise(trait->meta, md5, trait->note, yaml, err);
    snprintf(program, sizeof program, "gp-dist %s", gp_version);
    const gp_sumstats_meta about = {.trait = trait->name,
                                    .file_name = table->name,
                                    .md5 = md5,
                                    .program = program,
                                    .model = trait->model,
                                    .test = trait->test,
                                    .missing = f->meta->missing,
                                    .covariates = f->meta->covariates,
                                    .store_digest = f->meta->store_digest,
                                    .samples = trait->samples,
                                    .cases = trait->cases,
                                    .variants = f->lines[t]};
    return gp_sumstats_meta_print(&about, yaml, err);
}

static int add_metadata(const finish *f, int64_t t, const char *data, gp_err *err) {
    char md5[33] = "";
    gp_text yaml = {0};
    char *path = gp_tables_path(f->tables, t, 0, "-meta.yaml", err);
    if (path != NULL && gp_io_md5_file(data, md5, err) == GP_OK &&
        print_metadata(f, t, md5, &yaml, err) == GP_OK)
        gp_io_fill_file(path, yaml.bytes, yaml.length, err);
    gp_text_free(&yaml);
    free(path);
    return err->code;
}

static int describe_one(finish *f, int64_t t, desk *d, gp_err *err) {
    char *data = gp_tables_path(f->tables, t, 0, GP_TABLES_WHOLE, err);
    if (data != NULL && add_index(f, t, data, d, err) == GP_OK)
        add_metadata(f, t, data, err);
    free(data);
    return err->code;
}

/* Indexes and describes this rank's share of the tables. */
static int describe(finish *f, gp_err *err) {
    int rank = gp_par_rank(f->job->par), size = gp_par_size(f->job->par);
#pragma omp parallel
    {
        gp_err mine = {0};
        desk d = {.pack = gp_packs_new(1, &mine)};
#pragma omp for schedule(dynamic)
        for (int64_t t = rank; t < f->tables->count; t += size)
            if (mine.code == GP_OK && gp_job_check_signals(&mine) == GP_OK)
                describe_one(f, t, &d, &mine);
        free_desk(&d);
        if (mine.code != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return gp_par_agree(f->job->par, err);
}

/* ---- the names ---- */

static int sync_one(const finish *f, int64_t t, const char *suffix, gp_err *err) {
    char *path = gp_tables_path(f->tables, t, 0, suffix, err);
    if (path != NULL)
        gp_io_sync(path, err);
    free(path);
    return err->code;
}

/* Waits until all that this rank wrote is on disk. */
static int sync_all(finish *f, gp_err *err) {
    int rank = gp_par_rank(f->job->par), size = gp_par_size(f->job->par);
    for (int64_t t = 0; t < f->tables->count && gp_job_check_signals(err) == GP_OK; t++) {
        if (f->tables->table[t].wrote > 0)
            sync_one(f, t, GP_TABLES_WHOLE, err);
        if (t % size == rank && err->code == GP_OK &&
            sync_one(f, t, index_suffix(f->tables), err) == GP_OK)
            sync_one(f, t, "-meta.yaml", err);
    }
    return gp_par_agree(f->job->par, err);
}

static int rename_one(const gp_tables *tables, int64_t t, const char *from_suffix,
                      const char *to_suffix, gp_err *err) {
    char *from = gp_tables_path(tables, t, 0, from_suffix, err),
         *to = gp_tables_path(tables, t, 1, to_suffix, err);
    if (err->code == GP_OK)
        gp_io_rename(from, to, err);
    free(from);
    free(to);
    return err->code;
}

/* The index of an earlier run in the other form would be found first, and be wrong. */
static void remove_other_index(const gp_tables *tables, int64_t t) {
    gp_err ignored = {0};
    char *path = gp_tables_path(tables, t, 1, tables->csi ? ".tbi" : ".csi", &ignored);
    if (path != NULL)
        unlink(path);
    free(path);
}

/* Names this rank's share of the tables; the names last once the directory is on disk. */
static int rename_all(finish *f, gp_err *err) {
    gp_tables *tables = f->tables;
    int rank = gp_par_rank(f->job->par), size = gp_par_size(f->job->par);
    for (int64_t t = rank; t < tables->count && err->code == GP_OK; t += size) {
        remove_other_index(tables, t);
        if (rename_one(tables, t, GP_TABLES_WHOLE, "", err) == GP_OK &&
            rename_one(tables, t, index_suffix(tables), index_suffix(tables), err) == GP_OK)
            rename_one(tables, t, "-meta.yaml", "-meta.yaml", err);
    }
    if (rank < tables->count) {
        gp_err ignored = {0};
        char *path = gp_tables_path(tables, rank, 1, "", &ignored);
        if (path != NULL)
            gp_io_sync_directory_of(path);
        free(path);
    }
    return gp_par_agree(f->job->par, err);
}

/* What the ranks owe and found, over all of them. */
static int join_ranks(finish *f, int64_t lines, gp_err *err) {
    int64_t csi = f->tables->csi, count = f->tables->count;
    f->lines = gp_mem_alloc(count, sizeof *f->lines, err);
    if (gp_par_agree(f->job->par, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < count; t++)
        f->lines[t] = lines + f->tables->table[t].owed;
    gp_par_sum(f->job->par, f->lines, count, err);
    gp_par_max(f->job->par, &csi, 1, err);
    f->tables->csi = (int)csi;
    return gp_par_agree(f->job->par, err);
}

int gp_tables_finish(gp_job *job, gp_tables *tables, int64_t lines, const gp_tables_meta *meta,
                     gp_err *err) {
    finish f = {.job = job, .tables = tables, .meta = meta};
    if (end_section(job, tables, 1, err) == GP_OK && join_ranks(&f, lines, err) == GP_OK &&
        describe(&f, err) == GP_OK && sync_all(&f, err) == GP_OK)
        tables->finished = rename_all(&f, err) == GP_OK;
    free(f.lines);
    return err->code;
}
