/* The program: starts MPI, finds the command, parses, runs it, and ends all ranks with one status.
 */
#include "io/file.h"
#include "jobs/command.h"
#include "jobs/help.h"
#include "jobs/run_command.h"
#include "jobs/threads.h"
#include "jobs/times.h"
#include "mpi/par.h"
#include "src/base/ids.h"
#include "src/geno/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

/* Prints what a help function made; status 1 where standard output refuses it. */
static int print_text(const gp_text *text, FILE *to, gp_err *err) {
    if (text->length > 0)
        fwrite(text->bytes, 1, (size_t)text->length, to);
    if (fflush(to) != 0 || ferror(to))
        return gp_err_set(err, GP_EFAIL, "standard output: it cannot be written");
    return GP_OK;
}

static int print_man(void) {
    gp_err err = {0};
    gp_text page = {0};
    if (gp_help_man(&page, &err) == GP_OK)
        print_text(&page, stdout, &err);
    if (err.code != GP_OK)
        gp_terminal_error(0, &err);
    gp_text_free(&page);
    return err.code;
}

/* --help and --version, on rank 0. */
static int answer(const gp_par *par, const gp_command *command, int version, gp_err *err) {
    gp_text text = {0};
    if (gp_par_rank(par) != 0)
        return GP_OK;
    if (version)
        gp_text_print(&text, err, "gp-dist %s\n", gp_version);
    else if (command != NULL)
        gp_help_command(command, &text, err);
    else
        gp_help_program(&text, err);
    if (err->code == GP_OK)
        print_text(&text, stdout, err);
    gp_text_free(&text);
    return err->code;
}

static int no_command(const gp_par *par, gp_err *err) {
    gp_text usage = {0};
    if (gp_par_rank(par) == 0 && gp_help_usage(&usage, err) == GP_OK)
        print_text(&usage, stderr, err);
    gp_text_free(&usage);
    return gp_err_set(err, GP_EINPUT, "command line: a command is missing; see gp-dist --help");
}

/* What was typed. */
typedef struct call {
    int argc;
    char **argv;
    int first; /* of the options, once the command is found */
    const gp_command *command;
} call;

/* Collective. Ranks with other arguments would wait for each other in different places. */
static int check_same_arguments(gp_par *par, const call *c, gp_err *err) {
    int64_t hash = c->argc;
    for (int i = 1; i < c->argc; i++)
        hash = (hash * 31 + (int64_t)(gp_ids_hash(c->argv[i], (int64_t)strlen(c->argv[i])) >> 8)) &
               ((INT64_C(1) << 56) - 1);
    int64_t ends[2] = {hash, -hash};
    if (gp_par_max(par, ends, 2, err) != GP_OK)
        return err->code;
    if (ends[0] != -ends[1])
        return gp_err_set(err, GP_EINPUT,
                          "command line: the ranks were started with different arguments; give all "
                          "the same");
    return GP_OK;
}

/* Collective. Finds the command and moves it to argv[1], before the options that stood before it.
 * It stays NULL where --help or --version need none. */
static int find_command(gp_par *par, call *c, gp_err *err) {
    int at = c->argc, answers = gp_options_find_flag(c->argc, c->argv, 1, "help") ||
                                gp_options_find_flag(c->argc, c->argv, 1, "version");
    int has_config = gp_options_find_config(c->argc, c->argv, 1) != NULL;
    gp_err placing = {0};
    c->first = 1;
    if (gp_command_place(c->argc, c->argv, &at, &placing) == GP_OK && at < c->argc) {
        char *name = c->argv[at];
        memmove(c->argv + 2, c->argv + 1, (size_t)(at - 1) * sizeof *c->argv);
        c->argv[1] = name;
        c->first = 2;
        c->command = gp_command_find(name);
        if (c->command == NULL)
            gp_command_unknown(name, err);
    } else if (has_config) {
        c->command = gp_command_find("run"); /* its options may follow */
    } else if (placing.code != GP_OK) {
        *err = placing;
    } else if (!answers) {
        no_command(par, err);
    }
    return gp_par_agree(par, err);
}

/* Collective. The config file's bytes, read once; empty without one. */
static int read_config(gp_par *par, const char *path, gp_text *config, gp_err *err) {
    if (path == NULL || path[0] == 0)
        return GP_OK;
    if (gp_par_rank(par) == 0)
        gp_io_read_text(path, config, err);
    if (gp_par_agree(par, err) != GP_OK)
        return err->code;
    return gp_par_share_text(par, config, err);
}

/* Collective. Time and memory of what has run. */
static int say_cost(gp_job *job, double seconds, int64_t threads, gp_err *err) {
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    int64_t kib = usage.ru_maxrss;
    if (gp_par_max(job->par, &kib, 1, err) != GP_OK)
        return err->code;
    int ranks = gp_par_size(job->par);
    gp_say(job->sink, GP_NOTE, "%.2f s on %d rank%s of %lld thread%s; largest rank %.1f MB",
           seconds, ranks, ranks == 1 ? "" : "s", (long long)threads, threads == 1 ? "" : "s",
           (double)kib * 1024 / 1e6);
    return GP_OK;
}

/* Collective. The times of phases are kept from here on, where they are asked for. */
static int keep_times(const gp_command *command, gp_job *job, gp_times *times, gp_err *err) {
    if (job->common->times == NULL)
        return GP_OK;
    if (gp_par_rank(job->par) == 0)
        gp_io_check_new_file(job->common->times, err);
    job->times = times;
    gp_times_command(times, command->name);
    return gp_par_agree(job->par, err);
}

/* Collective. */
static int run_command(const gp_command *command, gp_job *job, gp_err *err) {
    double started = gp_clock();
    int64_t threads = 1;
    gp_times times = {0};
    gp_cpu_check(err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_threads_set(job->par, job->common->threads, &threads, err) != GP_OK ||
        keep_times(command, job, &times, err) != GP_OK)
        return err->code;
    if (!command->only_answers)
        gp_signals_catch();
    command->run(job, err);
    if (err->code == GP_OK && (fflush(stdout) != 0 || ferror(stdout)))
        gp_err_set(err, GP_EFAIL, "standard output: it cannot be written");
    if (gp_par_agree(job->par, err) != GP_OK || gp_times_write(job, threads, err) != GP_OK ||
        command->only_answers)
        return err->code;
    return say_cost(job, gp_clock() - started, threads, err);
}

/* Collective. Fills the command's values and the common options. config keeps the bytes that
 * strings point into. */
static int parse(gp_par *par, const call *c, gp_common *common, gp_text *config, gp_err *err) {
    const char *path = gp_options_find_config(c->argc, c->argv, c->first);
    if (read_config(par, path, config, err) != GP_OK)
        return err->code;
    gp_parse what = {.options = c->command->options,
                     .values = c->command->values,
                     .common = common,
                     .argc = c->argc,
                     .first = c->first,
                     .argv = c->argv,
                     .config_text = config->bytes};
    gp_options_parse(&what, err);
    return gp_par_agree(par, err);
}

/* Collective. Everything between MPI's start and its end. */
static int run(gp_par *par, int argc, char **argv, gp_err *err) {
    call c = {.argc = argc, .argv = argv};
    gp_common common = {0};
    gp_sink sink = {0};
    gp_text config = {0};
    gp_job job = {.par = par, .sink = &sink, .common = &common};
    int help = gp_options_find_flag(argc, argv, 1, "help");
    int version = gp_options_find_flag(argc, argv, 1, "version");

    if (check_same_arguments(par, &c, err) != GP_OK || find_command(par, &c, err) != GP_OK)
        goto done;
    if (help || version) {
        answer(par, c.command, !help, err);
        gp_par_agree(par, err);
        goto done;
    }
    if (parse(par, &c, &common, &config, err) != GP_OK)
        goto done;
    gp_terminal_open(&sink, gp_par_rank(par), common.quiet);
    run_command(c.command, &job, err);
done:
    gp_text_free(&config);
    return err->code;
}

/* Big arrays come and go while tables are read: the C library shall keep their memory, which is
 * ready for use, rather than hand it back and ask for new pages each time. */
static void keep_memory(void) {
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

int main(int argc, char **argv) {
    gp_err err = {0};
    gp_par *par = NULL;
    gp_run_options_make();
    if (argc == 2 && strcmp(argv[1], "--man") == 0)
        return print_man();
    keep_memory();
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK) {
        gp_terminal_error(0, &err);
        return err.code;
    }
    if (run(par, argc, argv, &err) != GP_OK)
        gp_terminal_error(gp_par_rank(par), &err);
    gp_par_close(par);
    return err.code;
}
