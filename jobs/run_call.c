/* A command called as if it was typed. */
#include "jobs/run.h"
#include "jobs/times.h"
#include "src/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Values of options lie in static memory, and a command is called more than once: what stood there
 * when the program started is kept, an option at a time. */
typedef union saved {
    int flag;
    int64_t whole;
    double real;
    const char *text;
} saved;

typedef struct kept {
    const gp_command *command;
    saved *value; /* [options] */
    struct kept *next;
} kept;

static kept *first;

static int64_t count_options(const gp_command *command) {
    int64_t n = 0;
    while (command->options[n].name != NULL)
        n++;
    return n;
}

static void move(const gp_option *o, void *values, saved *to, int back) {
    size_t size = o->type == GP_FLAG    ? sizeof to->flag
                  : o->type == GP_WHOLE ? sizeof to->whole
                  : o->type == GP_REAL  ? sizeof to->real
                                        : sizeof to->text;
    char *at = (char *)values + o->offset;
    if (o->type == GP_HEADING)
        return;
    if (back)
        memcpy(at, to, size);
    else
        memcpy(to, at, size);
}

/* Gives all options of a command the values that they had before its first call. */
static int reset(const gp_command *command, gp_err *err) {
    int64_t n = count_options(command);
    kept *k = first;
    while (k != NULL && k->command != command)
        k = k->next;
    int back = k != NULL;
    if (k == NULL) {
        k = gp_mem_alloc(1, sizeof *k, err);
        saved *value = gp_mem_alloc(n, sizeof *value, err);
        if (k == NULL || value == NULL) {
            free(k);
            free(value);
            return err->code;
        }
        *k = (kept){command, value, first};
        first = k;
    }
    for (int64_t i = 0; i < n; i++)
        move(&command->options[i], command->values, &k->value[i], back);
    return GP_OK;
}

void gp_run_call_free(void) {
    while (first != NULL) {
        kept *k = first;
        first = k->next;
        free(k->value);
        free(k);
    }
}

/* The arguments as argv; borrows them. */
static char **list(const gp_text *arguments, int *argc, gp_err *err) {
    char *at = arguments->bytes, *end = at + arguments->length;
    int64_t n = 0;
    for (char *s = at; s < end; s += strlen(s) + 1)
        n++;
    char **argv = gp_mem_alloc(n + 1, sizeof *argv, err);
    for (*argc = 0; argv != NULL && at < end; at += strlen(at) + 1)
        argv[(*argc)++] = at;
    return argv;
}

int gp_run_call(gp_job *job, const gp_command *command, const gp_text *arguments, gp_err *err) {
    gp_common common = *job->common;
    int argc = 0;
    char **argv = list(arguments, &argc, err);
    if (argv != NULL && reset(command, err) == GP_OK) {
        gp_parse parse = {.options = command->options,
                          .values = command->values,
                          .common = &common,
                          .argc = argc,
                          .argv = argv};
        gp_options_parse(&parse, err);
    }
    if (gp_par_agree(job->par, err) == GP_OK) {
        gp_times_command(job->times, command->name);
        command->run(job, err);
        gp_times_command(job->times, "run");
        gp_par_agree(job->par, err);
    }
    gp_err other = {0};
    gp_par_set_shards(job->par, 1, &other);
    if (other.code != GP_OK)
        gp_err_set(err, other.code, "%s", other.text);
    free(argv);
    return err->code;
}

/* ---- answers ---- */

/* Lets standard output go to a file that nobody sees; what it was before, or -1. */
static int divert(FILE *to) {
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    if (before >= 0 && dup2(fileno(to), STDOUT_FILENO) < 0) {
        close(before);
        return -1;
    }
    return before;
}

static void restore(int before) {
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
}

static int read_back(FILE *from, gp_text *answer, gp_err *err) {
    char part[4096];
    size_t n;
    rewind(from);
    while (err->code == GP_OK && (n = fread(part, 1, sizeof part, from)) > 0)
        gp_text_add(answer, part, (int64_t)n, err);
    return err->code;
}

int gp_run_ask(gp_job *job, const gp_command *command, const gp_text *arguments, gp_text *answer,
               gp_err *err) {
    gp_job silent = *job;
    silent.sink = NULL;
    FILE *file = gp_par_rank(job->par) == 0 ? tmpfile() : NULL;
    int before = file != NULL ? divert(file) : -1;
    if (gp_par_rank(job->par) == 0 && before < 0)
        gp_err_set(err, GP_EFAIL, "no temporary file can be made: %s", strerror(errno));
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_run_call(&silent, command, arguments, err);
    if (before >= 0) {
        restore(before);
        read_back(file, answer, err);
    }
    if (file != NULL)
        fclose(file);
    return gp_par_agree(job->par, err);
}

/* ---- in words ---- */

static int is_plain(const char *s) {
    static const char more[] = "-_./=,:@%+";
    for (; *s != 0; s++)
        if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
              strchr(more, *s) != NULL))
            return 0;
    return 1;
}

/* In single quotes, as a shell takes it. */
static void print_quoted(gp_text *words, const char *s, gp_err *err) {
    gp_text_print(words, err, "'");
    for (; *s != 0; s++)
        gp_text_print(words, err, *s == '\'' ? "'\\''" : "%c", *s);
    gp_text_print(words, err, "'");
}

int gp_run_words(const gp_command *command, const gp_text *arguments, gp_text *words, gp_err *err) {
    const char *end = arguments->bytes + arguments->length;
    gp_text_print(words, err, "gp-dist %s", command->name);
    for (const char *s = arguments->bytes; s < end; s += strlen(s) + 1) {
        gp_text_print(words, err, " ");
        if (is_plain(s))
            gp_text_print(words, err, "%s", s);
        else
            print_quoted(words, s, err);
    }
    return err->code;
}
