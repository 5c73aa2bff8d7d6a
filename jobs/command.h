/** What a user can ask for: the table of commands, and what every command gets.
 *
 *  Adding a command is one file and one line in jobs/commands.c.
 */
#ifndef GP_JOBS_COMMAND_H
#define GP_JOBS_COMMAND_H

#include "jobs/options.h"
#include "jobs/terminal.h"
#include "mpi/par.h"
#include "src/base/err.h"

struct gp_times;

/** What a running command holds. */
typedef struct gp_job {
    gp_par *par;
    gp_sink *sink;           /* notes and warnings; prints on rank 0 */
    const gp_common *common; /* options every command shares */
    struct gp_times *times;  /* of its phases (jobs/times.h); NULL where nobody asked */
} gp_job;

typedef struct gp_command {
    const char *name;
    const char *summary;  /* one line for gp-dist --help, no full stop */
    const char *synopsis; /* what follows "gp-dist NAME" */
    /** ASCII for COMMAND --help and the man page. A blank line parts paragraphs, which are wrapped;
     * a line that starts with a blank stays as it is (examples). */
    const char *description;
    const gp_option *options; /* ended by a zeroed one */
    void *values;             /* the struct that options fill (static, defaults set) */
    /** Runs on every rank; collective. values is filled, the same on all ranks. SIGTERM, SIGUSR1
     * and SIGINT are caught while it runs. */
    int (*run)(gp_job *job, gp_err *err);
    int only_answers; /* 1: prints to stdout and is done: a signal ends it, and no note of time and
                         memory follows */
} gp_command;

/** The commands in the order of --help, ended by NULL. */
extern const gp_command *const gp_commands[];

/** "0.1.0" */
extern const char gp_version[];

/** The command of this name, or NULL. */
const gp_command *gp_command_find(const char *name);

/** Where argv holds the command: the index of the first argument that is no option and no value of
 * one (only options of every command may stand before it); argc when there is none. GP_EINPUT for
 * an unknown option before the command. */
int gp_command_place(int argc, char **argv, int *at, gp_err *err);

/** Records that there is no command of this name: what there is, and the nearest name. */
int gp_command_unknown(const char *name, gp_err *err);

#endif
