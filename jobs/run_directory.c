/* The run's directory: who holds it, what was made in it, and with what. */
#include "io/file.h"
#include "jobs/directory.h"
#include "jobs/job.h"
#include "jobs/run.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- the lock: rank 0 holds one on DIR/.lock, whose text says who it is ---- */

static int lock = -1; /* the file; a process holds one directory */

static int lock_file(int file) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_SETLK, &whole);
}

/* The file may have been removed by its holder after it was opened here. */
static int is_still(const char *path, int file) {
    struct stat named, held;
    return stat(path, &named) == 0 && fstat(file, &held) == 0 && named.st_ino == held.st_ino &&
           named.st_dev == held.st_dev;
}

static void sign(int file) {
    char text[512], host[256] = "", when[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    gethostname(host, sizeof host - 1);
    if (gmtime_r(&now, &utc) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &utc);
    int n = snprintf(text, sizeof text, "process %lld on %s, since %s", (long long)getpid(), host,
                     when);
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)n, 0) != n)
        return; /* the lock holds without its text */
}

static int held(const gp_run *run, int file, gp_err *err) {
    char who[512] = "";
    ssize_t n = pread(file, who, sizeof who - 1, 0);
    who[n > 0 ? n : 0] = 0;
    return gp_err_set(err, GP_EINPUT,
                      "%s: another run is at work here (%s); wait for it, or name another --out",
                      run->out, who[0] != 0 ? who : "it has just begun");
}

static int take_lock(const gp_run *run, gp_err *err) {
    gp_text path = {0};
    while (gp_run_path(run, ".lock", &path, err) == GP_OK && lock < 0) {
        int file = open(path.bytes, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0) {
            gp_err_set(err, GP_EINPUT, "%s: cannot be made: %s", path.bytes, strerror(errno));
            break;
        }
        int refused = lock_file(file) != 0;
        if (refused && (errno == EACCES || errno == EAGAIN)) {
            held(run, file, err);
            close(file);
            break;
        }
        if (refused)
            gp_say(run->job->sink, GP_WARN,
                   "%s: this file system has no locks (%s): nothing keeps a second run out",
                   run->out, strerror(errno));
        if (is_still(path.bytes, file))
            lock = file;
        else
            close(file);
    }
    if (lock >= 0)
        sign(lock);
    gp_text_free(&path);
    return err->code;
}

static void drop_lock(const gp_run *run) {
    gp_err ignored = {0};
    gp_text path = {0};
    if (lock >= 0 && gp_run_path(run, ".lock", &path, &ignored) == GP_OK)
        unlink(path.bytes);
    if (lock >= 0)
        close(lock);
    lock = -1;
    gp_text_free(&path);
}

/* ---- what it was made with ---- */

typedef struct comparison {
    gp_run *run;
    gp_manifest now; /* options alone */
} comparison;

static int add_option(void *context, const gp_option *option, const char *value, int file,
                      gp_err *err) {
    comparison *c = context;
    (void)file;
    return gp_run_matters(option->name) ? gp_manifest_option_add(&c->now, option->name, value, err)
                                        : err->code;
}

static int differs(const gp_run *run, const char *name, const char *was, const char *is,
                   gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: was made with other options: --%s was %s, and is %s now; give --restart "
                      "to start afresh, or another --out",
                      run->out, name, was != NULL ? was : "not given",
                      is != NULL ? is : "not given");
}

static int compare(const comparison *c, gp_err *err) {
    const gp_manifest *was = &c->run->manifest, *is = &c->now;
    if (strcmp(was->version, gp_version) != 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: was made by gp-dist %s, and this is %s; give --restart to start "
                          "afresh, or another --out",
                          c->run->out, was->version, gp_version);
    for (int64_t k = 0; k < is->options && err->code == GP_OK; k++) {
        const char *name = is->option[k].name, *before = gp_manifest_option_get(was, name);
        /* Of files the content counts, step by step. */
        if (before == NULL ||
            (!gp_run_names_file(name) && strcmp(before, is->option[k].value) != 0))
            differs(c->run, name, before, is->option[k].value, err);
    }
    for (int64_t k = 0; k < was->options && err->code == GP_OK; k++)
        if (gp_manifest_option_get(is, was->option[k].name) == NULL)
            differs(c->run, was->option[k].name, was->option[k].value, NULL, err);
    return err->code;
}

/* Results that no manifest tells of are not this run's to replace. */
static int look_for_others(const gp_run *run, gp_err *err) {
    static const char *const name[] = {"assoc",
                                       "model",
                                       "merged",
                                       "pca",
                                       "report.html",
                                       "config.json",
                                       "model.safetensors",
                                       "effects.tsv.gz"};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++)
        if (gp_directory_has(run->out, name[k]))
            return gp_err_set(
                err, GP_EINPUT,
                "%s: holds %s, and no manifest.json that tells where it is from; name "
                "another --out, or give --restart to replace it",
                run->out, name[k]);
    return GP_OK;
}

/* Takes over the options of this run; the steps stay. */
static int take_options(gp_run *run, gp_manifest *now, gp_err *err) {
    gp_manifest fresh = {.version = gp_mem_string(gp_version, (int64_t)strlen(gp_version), err),
                         .option = now->option,
                         .options = now->options,
                         .option_capacity = now->option_capacity,
                         .step = run->manifest.step,
                         .steps = run->manifest.steps,
                         .step_capacity = run->manifest.step_capacity};
    run->manifest.step = NULL;
    run->manifest.steps = 0;
    gp_manifest_free(&run->manifest);
    run->manifest = fresh;
    return err->code;
}

/* A run that failed before anything was finished, or trained in part, holds nothing. */
static int holds_nothing(const gp_manifest *m) {
    for (int64_t k = 0; k < m->steps; k++)
        if (m->step[k].finished || strncmp(m->step[k].name, "train ", 6) == 0)
            return 0;
    return m->steps > 0;
}

/* On rank 0. */
static int open_manifest(gp_run *run, gp_err *err) {
    comparison c = {.run = run};
    gp_err reading = {0};
    int there = 0, restart = gp_run_flag("restart");
    gp_manifest_read(&run->manifest, run->out, &there, &reading);
    run->ours = there == 1;
    if (reading.code != GP_OK && (!restart || there < 0))
        gp_err_set(err, reading.code, "%s", reading.text);
    gp_run_options_each(add_option, &c, err);
    if (err->code == GP_OK && !restart) {
        if (there && !holds_nothing(&run->manifest))
            compare(&c, err);
        else if (!there)
            look_for_others(run, err);
    }
    if (err->code == GP_OK)
        take_options(run, &c.now, err);
    else
        gp_manifest_free(&c.now);
    return err->code;
}

/* ---- what is left of an earlier run ---- */

static int is_among(const gp_text *names, const char *name) {
    const char *end = names->bytes + names->length;
    for (const char *s = names->bytes; s < end; s += strlen(s) + 1)
        if (strcmp(s, name) == 0)
            return 1;
    return 0;
}

/* Everything that runs make. */
static int clear_all(gp_run *run, gp_err *err) {
    static const char *const name[] = {"manifest.json", "pca",    "grm",         "model",
                                       "assoc",         "merged", "report.html", "changes.tsv"};
    gp_text path = {0};
    for (size_t k = 0; k < sizeof name / sizeof *name && err->code == GP_OK; k++)
        if (gp_run_path(run, name[k], &path, err) == GP_OK)
            gp_directory_remove(path.bytes, err);
    gp_text_free(&path);
    return err->code;
}

/* What a step left: files that stay within the directory, and a network's directory. */
static int clear_step(const gp_run *run, const gp_manifest_step *step, gp_err *err) {
    static const char train[] = "train ";
    gp_text name = {0}, path = {0};
    for (int64_t i = 0; i < step->outputs; i++) {
        const char *file = step->output[i].path;
        if (*file != '/' && strncmp(file, "../", 3) != 0 && strstr(file, "/../") == NULL)
            gp_directory_forget(run->out, file);
    }
    if (strncmp(step->name, train, sizeof train - 1) == 0 &&
        gp_text_print(&name, err, "model/") == GP_OK &&
        gp_io_safe_name(&name, step->name + sizeof train - 1, err) == GP_OK &&
        gp_run_path(run, name.bytes, &path, err) == GP_OK)
        gp_directory_remove(path.bytes, err);
    gp_text_free(&name);
    gp_text_free(&path);
    return err->code;
}

int gp_run_clear(gp_run *run, const gp_text *steps, int look, gp_err *err) {
    gp_manifest *m = &run->manifest;
    int all = gp_run_flag("restart"), some = all && run->ours;
    if (all && run->ours && !look && clear_all(run, err) != GP_OK)
        return some;
    for (int64_t k = 0; k < m->steps && err->code == GP_OK;) {
        if (!all && is_among(steps, m->step[k].name)) {
            k++;
            continue;
        }
        some = 1;
        if (look)
            break;
        if (clear_step(run, &m->step[k], err) != GP_OK)
            break;
        if (!all)
            gp_say(run->job->sink, GP_NOTE, "'%s' is no step of this run any more: its results go",
                   m->step[k].name);
        gp_manifest_remove(m, k);
    }
    return some;
}

/* ---- together ---- */

static void open_log(const gp_run *run) {
    gp_err ignored = {0};
    gp_text path = {0};
    if (gp_run_path(run, "gp-dist.log", &path, &ignored) == GP_OK)
        gp_terminal_log(path.bytes);
    gp_text_free(&path);
}

int gp_run_open(gp_run *run, gp_err *err) {
    if (gp_par_rank(run->job->par) == 0 && gp_directory_make(run->out, &run->there, err) == GP_OK) {
        if (take_lock(run, err) == GP_OK && open_manifest(run, err) == GP_OK)
            open_log(run);
        if (err->code != GP_OK) {
            drop_lock(run);
            gp_directory_unmake(run->out, run->there);
        }
    }
    return gp_par_agree(run->job->par, err);
}

void gp_run_close(gp_run *run) {
    gp_err ignored = {0};
    gp_par_agree(run->job->par, &ignored); /* nobody is at work in it any more */
    if (gp_par_rank(run->job->par) != 0)
        return;
    int begun = gp_directory_has(run->out, "manifest.json");
    if (!begun)
        gp_directory_forget(run->out, "gp-dist.log");
    drop_lock(run);
    if (!begun)
        gp_directory_unmake(run->out, run->there);
}

/* ---- keeping ---- */

/* Digests of files, one rank a file: [count] each two numbers. */
static int digest_all(gp_run *run, const gp_text *paths, int64_t count, int64_t *half,
                      gp_err *err) {
    int64_t k = 0;
    gp_text whole = {0};
    for (const char *s = paths->bytes; k < count && err->code == GP_OK; s += strlen(s) + 1, k++) {
        char md5[33] = "", part[17] = "";
        if (k % gp_par_size(run->job->par) != gp_par_rank(run->job->par))
            continue;
        if (gp_run_path(run, s, &whole, err) != GP_OK ||
            gp_io_md5_file(whole.bytes, md5, err) != GP_OK)
            break;
        for (int h = 0; h < 2; h++) {
            memcpy(part, md5 + 16 * h, 16);
            half[2 * k + h] = (int64_t)strtoull(part, NULL, 16);
        }
    }
    gp_text_free(&whole);
    if (gp_par_agree(run->job->par, err) == GP_OK)
        gp_par_sum(run->job->par, half, 2 * count, err);
    return err->code;
}

/* Those of the names that are there; all ranks learn which. */
static int find_files(gp_run *run, const gp_text *paths, gp_text *found, int64_t *count,
                      gp_err *err) {
    const char *end = paths->bytes + paths->length;
    if (gp_par_rank(run->job->par) == 0)
        for (const char *s = paths->bytes; s < end && err->code == GP_OK; s += strlen(s) + 1)
            if (gp_directory_has(run->out, s))
                gp_text_add(found, s, (int64_t)strlen(s) + 1, err);
    if (gp_par_agree(run->job->par, err) != GP_OK ||
        gp_par_share_text(run->job->par, found, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < found->length; k++)
        *count += found->bytes[k] == 0;
    return GP_OK;
}

int gp_run_keep(gp_run *run, const char *step, const gp_text *paths, double seconds, gp_err *err) {
    gp_text found = {0};
    int64_t count = 0, *half = NULL;
    if (find_files(run, paths, &found, &count, err) == GP_OK) {
        half = gp_mem_alloc(2 * count, sizeof *half, err);
        if (gp_par_agree(run->job->par, err) == GP_OK)
            digest_all(run, &found, count, half, err);
    }
    gp_manifest_step *entry = gp_manifest_find(&run->manifest, step);
    if (err->code == GP_OK && gp_par_rank(run->job->par) == 0 && entry != NULL) {
        const char *s = found.bytes;
        for (int64_t k = 0; k < count; k++, s += strlen(s) + 1) {
            char md5[33];
            snprintf(md5, sizeof md5, "%016llx%016llx", (unsigned long long)half[2 * k],
                     (unsigned long long)half[2 * k + 1]);
            gp_manifest_add(entry, run->out, s, md5, err);
        }
        entry->finished = 1;
        entry->seconds = seconds;
        entry->ranks = gp_par_size(run->job->par);
    }
    free(half);
    gp_text_free(&found);
    return gp_par_agree(run->job->par, err);
}
