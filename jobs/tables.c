#include "jobs/tables.h"
#include "io/file.h"
#include "jobs/job.h"
#include "mpi/carry.h"
#include "src/base/ids.h"
#include "src/base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* DIRECTORY/[.]NAME[SUFFIX], the leading dot for files that are not finished. NULL on failure. */
static char *path_of(const gp_tables *tables, int64_t t, int finished, const char *suffix,
                     gp_err *err) {
    gp_text path = {0};
    gp_text_print(&path, err, "%s/%s%s%s", tables->directory, finished ? "" : ".",
                  tables->table[t].name, suffix);
    return path.bytes;
}

static const char *index_suffix(const gp_tables *tables) {
    return tables->csi ? ".csi" : ".tbi";
}

/* ---- the directory ---- */

/* Bytes of the path of what holds path[0..n); 0 where that is / or the working directory. */
static int64_t parent_length(const char *path, int64_t n) {
    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 0 && path[n - 1] == '/')
        n--;
    return n;
}

/* How many bytes of a directory's path name something that is there. */
static int64_t existing_length(const char *directory, gp_err *err) {
    int64_t n = (int64_t)strlen(directory);
    char *path = gp_mem_string(directory, n, err);
    while (path != NULL && n > 0 && access(path, F_OK) != 0) {
        n = parent_length(path, n);
        path[n] = 0;
    }
    free(path);
    return n;
}

/* Removes the directories that were made, as far as they are empty. */
static void remove_directories(const gp_tables *tables) {
    gp_err ignored = {0};
    int64_t n = (int64_t)strlen(tables->directory);
    char *path = gp_mem_string(tables->directory, n, &ignored);
    while (path != NULL && n > tables->there && rmdir(path) == 0) {
        n = parent_length(path, n);
        path[n] = 0;
    }
    free(path);
}

/* Whether a file is a temporary one of a table: .TABLE and one of the suffixes below. */
static int is_temporary(const gp_ids *names, const char *file) {
    static const char *const suffix[] = {".part", ".tmp",       ".tbi",
                                         ".csi",  "-meta.yaml", "-meta.yaml.tmp"};
    int64_t length = (int64_t)strlen(file), digits = length;
    while (digits > 0 && file[digits - 1] >= '0' && file[digits - 1] <= '9')
        digits--;
    for (size_t k = 0; file[0] == '.' && k < sizeof suffix / sizeof *suffix; k++) {
        int64_t end = k == 0 ? digits : length, n = end - (int64_t)strlen(suffix[k]) - 1;
        if (n > 0 && strncmp(file + 1 + n, suffix[k], strlen(suffix[k])) == 0 &&
            gp_ids_find(names, file + 1, n) >= 0)
            return 1;
    }
    return 0;
}

/* Removes the temporary files of these tables: this run's where it failed, and those of one that
 * was killed before and may have had more ranks. */
static int remove_temporaries(const gp_tables *tables, gp_err *err) {
    gp_ids names = {0};
    gp_text path = {0};
    int64_t number = 0;
    DIR *directory = opendir(tables->directory);
    for (int64_t t = 0; t < tables->count && tables->table[t].name != NULL; t++)
        gp_ids_add(&names, tables->table[t].name, (int64_t)strlen(tables->table[t].name), &number,
                   NULL, err);
    for (struct dirent *entry;
         directory != NULL && err->code == GP_OK && (entry = readdir(directory)) != NULL;) {
        path.length = 0;
        if (is_temporary(&names, entry->d_name) &&
            gp_text_print(&path, err, "%s/%s", tables->directory, entry->d_name) == GP_OK)
            unlink(path.bytes);
    }
    if (directory != NULL)
        closedir(directory);
    gp_ids_free(&names);
    gp_text_free(&path);
    return err->code;
}

/* Rank 0: the directory as the run needs it. */
static int prepare_directory(gp_tables *tables, gp_err *err) {
    tables->there = existing_length(tables->directory, err);
    if (err->code != GP_OK || gp_io_make_directory(tables->directory, err) != GP_OK ||
        gp_io_check_writable(tables->directory, err) != GP_OK)
        return err->code;
    return remove_temporaries(tables, err);
}

/* ---- opening ---- */

static int open_part(const gp_job *job, gp_tables *tables, int64_t t, gp_err *err) {
    char suffix[32];
    snprintf(suffix, sizeof suffix, ".part%d", gp_par_rank(job->par));
    char *path = path_of(tables, t, 0, suffix, err);
    if (path != NULL)
        gp_part_open(&tables->table[t].part, path, err);
    free(path);
    if (err->code == GP_OK && gp_par_group(job->par) == 0) {
        gp_text *tail = &tables->table[t].tail;
        if (gp_text_add(tail, gp_sumstat_header, (int64_t)strlen(gp_sumstat_header), err) == GP_OK)
            gp_part_append(&tables->table[t].part, tail, 0, err);
    }
    return err->code;
}

static int name_tables(gp_tables *tables, const char *const *traits, gp_err *err) {
    for (int64_t t = 0; t < tables->count; t++) {
        gp_text name = {0};
        tables->table[t].trait = traits[t];
        if (gp_io_safe_name(&name, traits[t], err) == GP_OK)
            gp_text_print(&name, err, ".tsv.gz");
        tables->table[t].name = name.bytes;
    }
    return err->code;
}

/* A part is an open file: the usual limit of 1024 would end at as many traits. */
static void allow_files(int64_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || (int64_t)limit.rlim_cur > count + 256)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int gp_tables_open(gp_job *job, gp_tables *tables, const char *directory, const char *const *traits,
                   int64_t count, gp_err *err) {
    tables->directory = directory;
    tables->there = (int64_t)strlen(directory);
    tables->table = gp_mem_alloc(count, sizeof *tables->table, err);
    tables->count = tables->table == NULL ? 0 : count;
    tables->writes = gp_par_shard(job->par) == 0;
    name_tables(tables, traits, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    if (gp_par_rank(job->par) == 0)
        prepare_directory(tables, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    allow_files(count);
    for (int64_t t = 0; tables->writes && t < count && err->code == GP_OK; t++)
        open_part(job, tables, t, err);
    return gp_par_agree(job->par, err);
}

/* ---- filling ---- */

void gp_tables_begin(gp_tables *tables, int64_t first) {
    if (first % GP_TEXT_BLOCK == 0)
        tables->open = 1;
}

int gp_tables_add(gp_tables *tables, int64_t t, const gp_sumstat *line, gp_status status,
                  gp_err *err) {
    gp_out_table *table = &tables->table[t];
    table->status[status]++;
    table->lines++;
    return gp_sumstat_print(line, tables->open ? &table->tail : &table->head, err);
}

int gp_tables_end_block(gp_tables *tables, gp_err *err) {
    if (!tables->open)
        return GP_OK;
#pragma omp parallel for schedule(dynamic)
    for (int64_t t = 0; t < tables->count; t++) {
        gp_err mine = {0};
        gp_part_append(&tables->table[t].part, &tables->table[t].tail, tables->table[t].lines,
                       &mine);
        tables->table[t].lines = 0;
        if (mine.code != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

/* ---- finishing ---- */

/* Hands heads to the groups before, compresses the last text block, ends the last part. */
static int close_parts(gp_job *job, gp_tables *tables, gp_err *err) {
    for (int64_t t = 0; t < tables->count; t++) {
        gp_out_table *table = &tables->table[t];
        /* Every rank must come here for every table, whatever failed before: the carry is
         * collective. */
        gp_par_carry(job->par, &table->head, tables->open, &table->tail, err);
        if (tables->writes && err->code == GP_OK)
            gp_part_append(&table->part, &table->tail, table->lines, err);
        if (tables->writes && err->code == GP_OK &&
            gp_par_group(job->par) == gp_par_groups(job->par) - 1)
            gp_part_end(&table->part, err);
    }
    return gp_par_agree(job->par, err);
}

static int place_parts(gp_job *job, gp_tables *tables, gp_err *err) {
    int64_t *size = gp_mem_alloc(tables->count, sizeof *size, err);
    int64_t *offset = gp_mem_alloc(tables->count, sizeof *offset, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    for (int64_t t = 0; t < tables->count; t++)
        size[t] = tables->writes ? tables->table[t].part.size : 0;
    gp_par_sum_before(job->par, size, offset, tables->count, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    for (int64_t t = 0; tables->writes && t < tables->count && gp_job_check_signals(err) == GP_OK;
         t++) {
        char *path = path_of(tables, t, 0, ".tmp", err);
        if (path != NULL)
            gp_part_place(&tables->table[t].part, path, offset[t], err);
        free(path);
    }
done:
    free(size);
    free(offset);
    return gp_par_agree(job->par, err);
}

/* Indexes one finished table, counts its lines and describes it. */
static int describe(gp_tables *tables, int64_t t, int64_t lines, const gp_tables_meta *meta,
                    gp_err *err) {
    gp_out_table *table = &tables->table[t];
    char md5[33] = "", program[64];
    int64_t seen = 0;
    gp_text yaml = {0};
    char *data = path_of(tables, t, 0, ".tmp", err);
    char *index = path_of(tables, t, 0, index_suffix(tables), err);
    char *about = path_of(tables, t, 0, "-meta.yaml", err);
    if (err->code != GP_OK || gp_sumstats_index(data, index, tables->csi, &seen, err) != GP_OK ||
        gp_io_md5_file(data, md5, err) != GP_OK)
        goto done;
    if (seen != lines) {
        gp_err_set(err, GP_EFAIL,
                   "%s/%s: %lld lines were written, %lld are there; run the command again",
                   tables->directory, table->name, (long long)lines, (long long)seen);
        goto done;
    }
    snprintf(program, sizeof program, "gp-dist %s", gp_version);
    gp_sumstats_meta about_table = {.trait = table->trait,
                                    .file_name = table->name,
                                    .md5 = md5,
                                    .program = program,
                                    .model = meta->model,
                                    .missing = meta->missing,
                                    .covariates = meta->covariates,
                                    .store_digest = meta->store_digest,
                                    .samples = meta->samples[t],
                                    .variants = lines};
    if (gp_sumstats_meta_print(&about_table, &yaml, err) == GP_OK)
        gp_io_write_file(about, yaml.bytes, yaml.length, err);
done:
    gp_text_free(&yaml);
    free(data);
    free(index);
    free(about);
    return err->code;
}

static int rename_one(const gp_tables *tables, int64_t t, const char *from_suffix,
                      const char *to_suffix, gp_err *err) {
    char *from = path_of(tables, t, 0, from_suffix, err),
         *to = path_of(tables, t, 1, to_suffix, err);
    if (err->code == GP_OK)
        gp_io_commit(from, to, err);
    free(from);
    free(to);
    return err->code;
}

/* The index of an earlier run in the other form would be found first, and be wrong. */
static void remove_other_index(const gp_tables *tables, int64_t t) {
    gp_err ignored = {0};
    char *path = path_of(tables, t, 1, tables->csi ? ".tbi" : ".csi", &ignored);
    if (path != NULL)
        unlink(path);
    free(path);
}

int gp_tables_finish(gp_job *job, gp_tables *tables, int64_t lines, const gp_tables_meta *meta,
                     gp_err *err) {
    int rank = gp_par_rank(job->par), size = gp_par_size(job->par);
    int64_t csi = tables->csi;
    if (close_parts(job, tables, err) != GP_OK || place_parts(job, tables, err) != GP_OK)
        return err->code;
    gp_par_sum(job->par, &lines, 1, err);
    gp_par_max(job->par, &csi, 1, err);
    tables->csi = (int)csi;
    for (int64_t t = rank; t < tables->count && gp_job_check_signals(err) == GP_OK; t += size)
        describe(tables, t, lines, meta, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    for (int64_t t = rank; t < tables->count && err->code == GP_OK; t += size) {
        remove_other_index(tables, t);
        if (rename_one(tables, t, ".tmp", "", err) == GP_OK &&
            rename_one(tables, t, index_suffix(tables), index_suffix(tables), err) == GP_OK)
            rename_one(tables, t, "-meta.yaml", "-meta.yaml", err);
    }
    tables->finished = gp_par_agree(job->par, err) == GP_OK;
    return err->code;
}

void gp_tables_close(gp_job *job, gp_tables *tables) {
    gp_err ignored = {0};
    for (int64_t t = 0; t < tables->count; t++)
        gp_part_discard(&tables->table[t].part);
    gp_par_agree(job->par, &ignored); /* all parts are closed before the directory is swept */
    if (gp_par_rank(job->par) == 0 && tables->directory != NULL && !tables->finished) {
        remove_temporaries(tables, &ignored);
        remove_directories(tables);
    }
    for (int64_t t = 0; t < tables->count; t++) {
        gp_text_free(&tables->table[t].head);
        gp_text_free(&tables->table[t].tail);
        free(tables->table[t].name);
    }
    free(tables->table);
    *tables = (gp_tables){0};
}
