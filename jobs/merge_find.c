/* Which tables are merged, and with what. */
#include "io/file.h"
#include "jobs/job.h"
#include "jobs/merge_inside.h"
#include "src/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char table_suffix[] = ".tsv.gz", meta_suffix[] = ".tsv.gz-meta.yaml";

char *gp_merge_path(const char *directory, const char *trait, const char *suffix, gp_err *err) {
    gp_text path = {0};
    gp_text_print(&path, err, "%s/", directory);
    if (err->code == GP_OK)
        gp_io_safe_name(&path, trait, err);
    if (err->code == GP_OK)
        gp_text_print(&path, err, "%s", suffix);
    if (err->code != GP_OK)
        gp_text_free(&path);
    return path.bytes;
}

char **gp_merge_list(char *list, int64_t *count, gp_err *err) {
    char **item = NULL;
    int64_t capacity = 0;
    *count = 0;
    for (char *next = list; next != NULL && err->code == GP_OK;) {
        char *begin = next;
        next = strchr(begin, ',');
        if (next != NULL)
            *next++ = 0;
        if (*begin != 0 && gp_mem_grow(&item, &capacity, *count + 1, sizeof *item, err) == GP_OK)
            item[(*count)++] = begin;
    }
    return item;
}

/* ---- all tables of a directory ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rank 0: the files that metadata lie beside, by name, each ended by a newline. */
static int list_tables(const char *directory, gp_text *names, gp_err *err) {
    char **name = NULL;
    int64_t count = 0, capacity = 0;
    size_t length = strlen(meta_suffix);
    DIR *d = opendir(directory);
    if (d == NULL)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", directory, strerror(errno));
    for (struct dirent *entry; err->code == GP_OK && (entry = readdir(d)) != NULL;) {
        size_t n = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || n <= length ||
            strcmp(entry->d_name + n - length, meta_suffix) != 0)
            continue;
        if (gp_mem_grow(&name, &capacity, count + 1, sizeof *name, err) == GP_OK)
            name[count] = gp_mem_string(entry->d_name, (int64_t)(n - length), err);
        count += err->code == GP_OK;
    }
    closedir(d);
    if (count > 0)
        qsort(name, (size_t)count, sizeof *name, by_name);
    for (int64_t k = 0; k < count; k++) {
        gp_text_print(names, err, "%s\n", name[k]);
        free(name[k]);
    }
    free(name);
    if (count == 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: holds no table with metadata (TRAIT%s); gp-dist assoc writes them",
                   directory, meta_suffix);
    return err->code;
}

/* The tables' names without their suffix: of all there are, or of the traits asked for. A
 * collective function. */
static int name_tables(gp_merge *m, const char *traits, gp_err *err) {
    char *list = NULL, **trait = NULL;
    int64_t count = 0;
    if (traits == NULL && gp_par_rank(m->job->par) == 0)
        list_tables(m->directory, &m->names, err);
    if (traits != NULL) {
        list = gp_mem_string(traits, (int64_t)strlen(traits), err);
        trait = list == NULL ? NULL : gp_merge_list(list, &count, err);
        for (int64_t k = 0; k < count && gp_io_safe_name(&m->names, trait[k], err) == GP_OK; k++)
            gp_text_print(&m->names, err, "\n");
        if (count == 0)
            gp_err_set(err, GP_EINPUT, "command line: --trait '%.100s' names no trait", traits);
    }
    free(trait);
    free(list);
    if (gp_par_agree(m->job->par, err) != GP_OK)
        return err->code;
    return gp_par_share_text(m->job->par, &m->names, err);
}

/* ---- what is told of them ---- */

/* One file must not be two tables, nor a trait. Collective. */
static int read_about(gp_merge *m, gp_merge_table *table, const char *name, gp_err *err) {
    gp_text yaml_path = {0}, path = {0};
    struct stat there;
    gp_text_print(&path, err, "%s/%s%s", m->directory, name, table_suffix);
    gp_text_print(&yaml_path, err, "%s/%s%s", m->directory, name, meta_suffix);
    table->path = path.bytes;
    if (err->code == GP_OK && gp_par_rank(m->job->par) == 0) {
        if (stat(path.bytes, &there) != 0)
            gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path.bytes, strerror(errno));
        else if (stat(yaml_path.bytes, &there) != 0)
            gp_err_set(err, GP_EINPUT,
                       "%s: the table's metadata are not there; gp-dist assoc writes both",
                       yaml_path.bytes);
    }
    if (gp_par_agree(m->job->par, err) == GP_OK &&
        gp_job_read_shared(m->job, yaml_path.bytes, &table->yaml, err) == GP_OK &&
        gp_sumstats_about_read(yaml_path.bytes, table->yaml.bytes, &table->about, err) == GP_OK &&
        strcmp(table->about.store_digest, gp_store_digest(m->store)) != 0)
        gp_err_set(err, GP_EINPUT, "%s: is of other genotypes than %s: their MD5 is %.40s, not %s",
                   path.bytes, gp_store_path(m->store), table->about.store_digest,
                   gp_store_digest(m->store));
    gp_text_free(&yaml_path);
    return gp_par_agree(m->job->par, err);
}

static int check_twice(const gp_merge *m, gp_err *err) {
    gp_ids traits = {0};
    for (int64_t t = 0; t < m->count && err->code == GP_OK; t++) {
        const char *trait = m->table[t].about.trait;
        int64_t number;
        int fresh = 1;
        gp_ids_add(&traits, trait, (int64_t)strlen(trait), &number, &fresh, err);
        if (!fresh)
            gp_err_set(err, GP_EINPUT, "%s: is of trait %.100s, which is merged already",
                       m->table[t].path, trait);
    }
    gp_ids_free(&traits);
    return err->code;
}

int gp_merge_find(gp_merge *m, const char *traits, gp_err *err) {
    if (name_tables(m, traits, err) != GP_OK)
        return err->code;
    int64_t count = 0;
    for (const char *c = m->names.bytes; *c != 0; c++)
        count += *c == '\n';
    m->table = gp_mem_alloc(count, sizeof *m->table, err);
    m->count = m->table == NULL ? 0 : count;
    if (gp_par_agree(m->job->par, err) != GP_OK)
        return err->code;
    char *name = m->names.bytes;
    for (int64_t t = 0; t < count && err->code == GP_OK; t++) {
        char *end = strchr(name, '\n');
        *end = 0;
        m->table[t].file = -1;
        read_about(m, &m->table[t], name, err);
        name = end + 1;
    }
    if (err->code == GP_OK)
        check_twice(m, err);
    return gp_par_agree(m->job->par, err);
}

/* ---- tables of attribution ---- */

/* Which tables a file has the trait of. */
static int assign(gp_merge *m, int64_t f, gp_err *err) {
    const gp_ids *traits = &m->file[f].traits;
    int64_t used = 0;
    for (int64_t t = 0; t < m->count; t++) {
        gp_merge_table *table = &m->table[t];
        const char *name = table->about.trait;
        int64_t k = gp_ids_find(traits, name, (int64_t)strlen(name));
        if (k < 0)
            continue;
        if (table->file >= 0)
            return gp_err_set(err, GP_EINPUT, "%s: tells of trait %.100s, as %s does",
                              m->file[f].path, name, m->file[table->file].path);
        table->file = f;
        table->trait = k;
        used++;
    }
    if (used == 0)
        gp_err_set(err, GP_EINPUT, "%s: tells of none of the traits that are merged%s%.100s",
                   m->file[f].path, traits->count > 0 ? ", but of " : "; it has no lines",
                   traits->count > 0 ? gp_ids_get(traits, 0) : "");
    return err->code;
}

int gp_merge_open_files(gp_merge *m, const char *paths, gp_err *err) {
    int64_t count = 0;
    m->names.length = 0;
    gp_text_print(&m->names, err, "%s", paths);
    char **path = err->code == GP_OK ? gp_merge_list(m->names.bytes, &count, err) : NULL;
    m->file = gp_mem_alloc(count, sizeof *m->file, err);
    for (; m->file != NULL && m->files < count && err->code == GP_OK; m->files++)
        if (gp_attribution_open(&m->file[m->files], path[m->files], err) == GP_OK)
            assign(m, m->files, err);
    free(path);
    if (gp_par_agree(m->job->par, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < m->count; t++)
        if (m->table[t].file < 0)
            gp_say(m->job->sink, GP_NOTE, "trait %s: none of the tables of attribution tells of it",
                   m->table[t].about.trait);
    return GP_OK;
}
