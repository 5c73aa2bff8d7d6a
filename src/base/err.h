/** An error on its way up: a status and one line of text. Below main nobody prints and nobody
 *  exits.
 *
 *  Local. A gp_err belongs to one thread. It starts zeroed ({0}); the first cause wins.
 */
#ifndef GP_SRC_BASE_ERR_H
#define GP_SRC_BASE_ERR_H

/** Codes are the process statuses that users see. */
enum {
    GP_OK = 0,
    GP_EFAIL = 1,   /* failed while running: disk, memory, network */
    GP_EINPUT = 64, /* wrong usage or bad input */
    GP_ESTOP = 75   /* stopped by a signal before the end; run the same command again */
};

typedef struct gp_err {
    int code;
    char text[1024]; /* one line, no newline: "FILE:LINE: what was found; what to do" */
} gp_err;

/** Records an error, unless one is recorded already. Returns the code that stands in err.
 *    err  inout  the error so far
 *    code  in  GP_EFAIL, GP_EINPUT or GP_ESTOP
 *    fmt  in  printf format of "WHERE: what was found; what to do"
 *  Control characters in the text (a file may hold anything) become '?'.
 */
int gp_err_set(gp_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
