#include "jobs/terminal.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_CELLS = 22, LINE_EVERY = 60 /* seconds */ };

static struct terminal {
    int rank, quiet;
    int has_bar; /* a bar stands on the last line */
    FILE *log;
    double log_began;
} terminal;

double gp_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- lines ---- */

static void clear_bar(void) {
    if (terminal.has_bar)
        fputs("\r\033[K", stderr);
    terminal.has_bar = 0;
}

static void write_log(const char *kind, const char *line) {
    if (terminal.log == NULL)
        return;
    fprintf(terminal.log, "%10.2f  %s%s\n", gp_clock() - terminal.log_began, kind, line);
    fflush(terminal.log);
}

static void say(void *context, int level, const char *line) {
    const struct terminal *t = context;
    write_log(level == GP_WARN ? "warning: " : "", line);
    if (t->rank != 0 || (t->quiet && level != GP_WARN))
        return;
    clear_bar();
    fprintf(stderr, "gp-dist: %s%s\n", level == GP_WARN ? "warning: " : "", line);
}

void gp_terminal_open(gp_sink *sink, int rank, int quiet) {
    terminal = (struct terminal){.rank = rank, .quiet = quiet};
    *sink = (gp_sink){.say = say, .context = &terminal};
}

void gp_terminal_log(const char *path) {
    char when[64] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (terminal.log != NULL)
        fclose(terminal.log);
    terminal.log = fopen(path, "a");
    terminal.log_began = gp_clock();
    if (gmtime_r(&now, &utc) != NULL && strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &utc))
        write_log("", when);
}

void gp_terminal_error(int rank, const gp_err *err) {
    if (rank != 0)
        return;
    clear_bar();
    write_log("error: ", err->text);
    fprintf(stderr, "gp-dist: error: %s\n", err->text);
}

/* ---- progress ---- */

/* 12,345,678; n is not negative. */
static void group_digits(int64_t n, char out[32]) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, n), used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = 0;
}

/* 1.2 M/s */
static void print_rate(double rate, char *out, size_t size) {
    static const char *const units[] = {"", " k", " M", " G", " T"};
    int i = 0;
    for (; rate >= 999.5 && i < 4; i++)
        rate /= 1000;
    snprintf(out, size, "%.*f%s/s", rate < 9.95 ? 1 : 0, rate, i == 0 ? " " : units[i]);
}

/* 0:32, 12:05, 3:12:05 */
static void print_time(double seconds, char *out, size_t size) {
    if (!(seconds < 1e9)) {
        snprintf(out, size, "?");
        return;
    }
    int64_t s = llround(seconds), h = s / 3600;
    if (h > 0)
        snprintf(out, size, "%" PRId64 ":%02d:%02d", h, (int)(s / 60 % 60), (int)(s % 60));
    else
        snprintf(out, size, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void show(gp_progress *p, double now) {
    double share = (double)p->done / (double)p->total, seconds = now - p->started;
    if (share > 1)
        share = 1;
    char rate[32], left[40];
    print_rate(seconds > 0 ? (double)p->done / seconds : 0, rate, sizeof rate);
    print_time(share > 0 ? seconds * (1 - share) / share : INFINITY, left, sizeof left);
    p->shown = now;
    if (!p->is_terminal) {
        char done[32], total[32];
        group_digits(p->done, done);
        group_digits(p->total, total);
        fprintf(stderr, "gp-dist: %s of %s %s (%.1f%%), %s, %s left\n", done, total, p->what,
                100 * share, rate, left);
        return;
    }
    char bar[BAR_CELLS + 1];
    int filled = (int)(share * BAR_CELLS);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '-', (size_t)(BAR_CELLS - filled));
    bar[BAR_CELLS] = 0;
    fprintf(stderr, "\r%.16s [%s] %5.1f%%  %s  %s left\033[K", p->what, bar, 100 * share, rate,
            left); /* below 80 columns */
    terminal.has_bar = 1;
}

void gp_progress_open(gp_progress *p, const gp_sink *sink, const char *what, int64_t total) {
    const char *kind = getenv("TERM");
    *p = (gp_progress){.what = what, .total = total, .started = gp_clock()};
    p->shown = p->started;
    p->on = sink != NULL && sink->context == &terminal && terminal.rank == 0 && !terminal.quiet &&
            total > 0;
    p->is_terminal = isatty(STDERR_FILENO) && kind != NULL && strcmp(kind, "dumb") != 0;
}

void gp_progress_at(gp_progress *p, int64_t done) {
    p->done = done;
    if (!p->on)
        return;
    double now = gp_clock();
    if (now - p->shown >= (p->is_terminal ? 0.1 : LINE_EVERY))
        show(p, now);
}

void gp_progress_close(gp_progress *p) {
    if (p->on)
        clear_bar();
    p->on = 0;
}

/* ---- signals ---- */

static volatile sig_atomic_t caught;
static volatile double caught_at; /* written once, before caught is set */

static void on_signal(int number) {
    if (caught == 0) {
        caught_at = gp_clock();
        caught = number;
    } else if (gp_clock() - caught_at > 1) {
        signal(number, SIG_DFL);
        raise(number); /* delivered when this handler returns */
    }
}

void gp_signals_catch(void) {
    static const int numbers[] = {SIGTERM, SIGUSR1, SIGINT};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 3; i++)
        sigaddset(&action.sa_mask, numbers[i]); /* so that caught_at is read when whole */
    for (int i = 0; i < 3; i++)
        sigaction(numbers[i], &action, NULL);
}

int gp_signals_caught(void) {
    return caught;
}
