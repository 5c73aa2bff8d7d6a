#include "jobs/tables.h"
#include "io/file.h"
#include "jobs/directory.h"
#include "jobs/tables_private.h"
#include "src/base/ids.h"
#include "src/base/mem.h"

#include <dirent.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

char *gp_tables_path(const gp_tables *tables, int64_t t, int finished, const char *suffix,
                     gp_err *err) {
    gp_text path = {0};
    gp_text_print(&path, err, "%s/%s%s%s", tables->directory, finished ? "" : ".",
                  tables->table[t].name, suffix);
    return path.bytes;
}

/* ---- the directory ---- */

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
    if (gp_directory_make(tables->directory, &tables->there, err) != GP_OK)
        return err->code;
    return remove_temporaries(tables, err);
}

/* ---- opening ---- */

static int add_header(const gp_tables_trait *trait, gp_text *text, gp_err *err) {
    if (trait->header != NULL)
        return gp_text_add(text, trait->header, (int64_t)strlen(trait->header), err);
    return gp_sumstat_add_header(&trait->form, text, err);
}

/* The first part of a table begins the table's own file; it holds the header. */
static int open_part(const gp_job *job, gp_tables *tables, int64_t t, gp_err *err) {
    int first = gp_par_group(job->par) == 0;
    gp_text *tail = &tables->table[t].tail;
    char suffix[32] = GP_TABLES_WHOLE;
    if (!first)
        snprintf(suffix, sizeof suffix, ".part%d", gp_par_rank(job->par));
    char *path = gp_tables_path(tables, t, 0, suffix, err);
    if (path != NULL)
        gp_part_open(&tables->table[t].part, path, first, err);
    free(path);
    if (err->code == GP_OK && first && add_header(tables->table[t].trait, tail, err) == GP_OK)
        gp_part_add_header(&tables->table[t].part, tail, tables->pack, err);
    return err->code;
}

static int name_tables(gp_tables *tables, const gp_tables_trait *trait, gp_err *err) {
    for (int64_t t = 0; t < tables->count; t++) {
        gp_text name = {0};
        tables->table[t].trait = &trait[t];
        if (gp_io_safe_name(&name, trait[t].name, err) == GP_OK)
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

int gp_tables_open(gp_job *job, gp_tables *tables, const char *directory,
                   const gp_tables_trait *trait, int64_t count, gp_err *err) {
    tables->directory = directory;
    tables->there = (int64_t)strlen(directory);
    tables->table = gp_mem_alloc(count, sizeof *tables->table, err);
    tables->count = tables->table == NULL ? 0 : count;
    tables->writes = gp_par_shard(job->par) == 0;
    name_tables(tables, trait, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    if (gp_par_rank(job->par) == 0)
        prepare_directory(tables, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    allow_files(count);
    tables->threads = omp_get_max_threads();
    if (tables->writes)
        tables->pack = gp_packs_new(tables->threads, err);
    for (int64_t t = 0; tables->writes && t < count && err->code == GP_OK; t++)
        open_part(job, tables, t, err);
    return gp_par_agree(job->par, err);
}

/* ---- filling ---- */

void gp_tables_begin(gp_tables *tables, int64_t first) {
    if (first % GP_TEXT_BLOCK == 0)
        tables->open = 1;
}

gp_text *gp_tables_text(gp_tables *tables, int64_t t) {
    return tables->open ? &tables->table[t].tail : &tables->table[t].head;
}

int gp_tables_end_block(gp_tables *tables, gp_err *err) {
    if (!tables->open)
        return GP_OK;
    if (tables->count == 1)
        return gp_part_append(&tables->table[0].part, &tables->table[0].tail, tables->pack,
                              tables->threads, err);
#pragma omp parallel for schedule(dynamic) num_threads(tables->threads)
    for (int64_t t = 0; t < tables->count; t++) {
        gp_err mine = {0};
        gp_part_append(&tables->table[t].part, &tables->table[t].tail,
                       &tables->pack[omp_get_thread_num()], 1, &mine);
        if (mine.code != GP_OK)
#pragma omp critical
            gp_err_set(err, mine.code, "%s", mine.text);
    }
    return err->code;
}

/* ---- closing ---- */

void gp_tables_close(gp_job *job, gp_tables *tables) {
    gp_err ignored = {0};
    for (int64_t t = 0; t < tables->count; t++)
        gp_part_discard(&tables->table[t].part);
    gp_par_agree(job->par, &ignored); /* all parts are closed before the directory is swept */
    if (gp_par_rank(job->par) == 0 && tables->directory != NULL && !tables->finished) {
        remove_temporaries(tables, &ignored);
        gp_directory_unmake(tables->directory, tables->there);
    }
    for (int64_t t = 0; t < tables->count; t++) {
        gp_text_free(&tables->table[t].runs);
        gp_text_free(&tables->table[t].head);
        gp_text_free(&tables->table[t].tail);
        free(tables->table[t].name);
    }
    gp_packs_free(tables->pack, tables->threads);
    free(tables->table);
    *tables = (gp_tables){0};
}
