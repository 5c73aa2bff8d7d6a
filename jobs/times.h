/** Where the time of a command goes: its phases on every rank, for --times.
 *
 *  A command names its phases as they begin. Where --times was not given a call does nothing.
 *  Names are plain words without commas, and stay where they are until the table is written.
 */
#ifndef GP_JOBS_TIMES_H
#define GP_JOBS_TIMES_H

#include "jobs/command.h"
#include "mpi/traffic.h"

/** One phase of a command on this rank; seconds and traffic of all the times that it began. */
typedef struct gp_times_row {
    const char *command, *phase;
    double seconds;
    gp_par_traffic traffic;
    int64_t peak; /* bytes of memory, the most that the process has had when the phase last ended */
} gp_times_row;

enum { GP_TIMES_ROWS = 64 /* what does not fit counts with the last one */ };

/** Starts zeroed; owns nothing. */
typedef struct gp_times {
    gp_times_row row[GP_TIMES_ROWS];
    int rows, now;     /* now: the row of the phase that goes on */
    double from;       /* when it began, and what had been exchanged */
    gp_par_traffic at; /* until then */
} gp_times;

/** Ends what goes on and begins the phase "start" of a command. Local; nothing for NULL. */
void gp_times_command(gp_times *times, const char *command);

/** Ends the phase that goes on and begins another of the same command, or goes on with it where
 *  it was there before: its seconds add up. Local. */
void gp_times_phase(gp_job *job, const char *phase);

/** Ends what goes on, brings the ranks' rows together and writes them: comma-separated values,
 *  a header, then by rank. Nothing without --times. Collective.
 *    threads  in  of this rank
 *  GP_EFAIL on all ranks where memory is refused or the file cannot be written; an old one
 *  stays. */
int gp_times_write(gp_job *job, int64_t threads, gp_err *err);

#endif
