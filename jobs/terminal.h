/** What rank 0 says on standard error: notes, warnings, the one error line, progress. Local.
 *
 *  A process has one terminal, so this file keeps state; call it from one thread. Every line is one
 *  write.
 */
#ifndef GP_JOBS_TERMINAL_H
#define GP_JOBS_TERMINAL_H

#include "src/base/err.h"
#include "src/base/say.h"
#include <stdint.h>

/** Makes a sink that prints on rank 0 and is silent elsewhere; with quiet, warnings only.
 *  Notes: "gp-dist: …"; warnings: "gp-dist: warning: …". A progress bar steps aside for them. */
void gp_terminal_open(gp_sink *sink, int rank, int quiet);

/** From now on rank 0's lines, notes too where they are not shown, are added to a file as well,
 * each behind the seconds since then. Nothing where the file cannot be made. */
void gp_terminal_log(const char *path);

/** Prints "gp-dist: error: TEXT" on rank 0 (the only place that does). */
void gp_terminal_error(int rank, const gp_err *err);

/** A bar with rate and time left on a terminal, drawn at most 10 times a second within 80 columns;
 *  else a line a minute. Silent on ranks other than 0, with quiet, and where total is not positive.
 */
typedef struct gp_progress {
    const char *what; /* "variants" */
    int64_t total;
    int64_t done;
    double started, shown; /* seconds, monotonic clock */
    int on, is_terminal;
} gp_progress;

void gp_progress_open(gp_progress *p, const gp_sink *sink, const char *what, int64_t total);
void gp_progress_at(gp_progress *p, int64_t done); /* cheap: looks at the clock at most */
void gp_progress_close(gp_progress *p);            /* clears the bar; accepts a zeroed struct */

/** Seconds on the monotonic clock. */
double gp_clock(void);

/** Installs handlers for SIGTERM, SIGUSR1 and SIGINT that only set a flag. A signal more than a
 *  second after the first has its default action (schedulers deliver the same one twice at once).
 */
void gp_signals_catch(void);

/** The signal caught so far, or 0. */
int gp_signals_caught(void);

#endif
