#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include "jobs/terminal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CAUGHT_BYTES = 4096 };

/* Standard error while it is redirected to a file, or to a terminal of our own. */
typedef struct capture {
    int saved, reader;
    char text[CAUGHT_BYTES];
} capture;

static void redirect(capture *c, int to) {
    fflush(stderr);
    c->saved = dup(STDERR_FILENO);
    dup2(to, STDERR_FILENO);
    close(to);
}

static void open_pipe(capture *c) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *c = (capture){.reader = ends[0]};
    redirect(c, ends[1]);
}

/* 0 where the system lends no pseudo-terminal. */
static int open_terminal(capture *c) {
    *c = (capture){.reader = posix_openpt(O_RDWR | O_NOCTTY)};
    if (c->reader < 0 || grantpt(c->reader) != 0 || unlockpt(c->reader) != 0)
        return 0;
    int slave = open(ptsname(c->reader), O_RDWR | O_NOCTTY);
    if (slave < 0)
        return 0;
    redirect(c, slave);
    setenv("TERM", "xterm", 1);
    return 1;
}

/* All that was written. The writing end is closed first, so that reading ends where the text does:
 * a terminal may hand it over in pieces, some time later. */
static const char *finish(capture *c) {
    size_t length = 0;
    fflush(stderr);
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    while (length < CAUGHT_BYTES - 1) {
        ssize_t n = read(c->reader, c->text + length, CAUGHT_BYTES - 1 - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    c->text[length] = 0;
    close(c->reader);
    return c->text;
}

static void notes_and_warnings_carry_the_program_s_name(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    open_pipe(&c);
    gp_terminal_open(&sink, 0, 0);
    gp_say(&sink, GP_NOTE, "%d samples", 12);
    gp_say(&sink, GP_WARN, "one is odd");
    assert_string_equal(finish(&c), "gp-dist: 12 samples\ngp-dist: warning: one is odd\n");
}

static void quiet_leaves_warnings(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    open_pipe(&c);
    gp_terminal_open(&sink, 0, 1);
    gp_say(&sink, GP_NOTE, "12 samples");
    gp_say(&sink, GP_WARN, "one is odd");
    assert_string_equal(finish(&c), "gp-dist: warning: one is odd\n");
}

static void other_ranks_are_silent(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    gp_err err = {.code = GP_EFAIL, .text = "lost"};
    gp_progress p;
    open_pipe(&c);
    gp_terminal_open(&sink, 1, 0);
    gp_say(&sink, GP_WARN, "one is odd");
    gp_terminal_error(1, &err);
    gp_progress_open(&p, &sink, "variants", 10);
    p.shown -= 100;
    gp_progress_at(&p, 5);
    gp_progress_close(&p);
    assert_string_equal(finish(&c), "");
}

static void the_error_is_one_line(void **state) {
    (void)state;
    capture c;
    gp_err err = {.code = GP_EINPUT, .text = "a.txt:3: ragged; mend it"};
    open_pipe(&c);
    gp_terminal_error(0, &err);
    assert_string_equal(finish(&c), "gp-dist: error: a.txt:3: ragged; mend it\n");
}

/* As if it had been opened some seconds ago. */
static void age(gp_progress *p, double seconds) {
    p->started -= seconds;
    p->shown -= seconds;
}

static void a_log_gets_a_line_a_minute(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    gp_progress p;
    open_pipe(&c);
    gp_terminal_open(&sink, 0, 0);
    gp_progress_open(&p, &sink, "variants", 50000000);
    gp_progress_at(&p, 1000);
    age(&p, 59);
    gp_progress_at(&p, 2000);
    age(&p, 61);
    gp_progress_at(&p, 12345678); /* in 120 s: 102,881 a second; 366 s are left */
    gp_progress_at(&p, 12345679);
    gp_progress_close(&p);
    assert_string_equal(finish(&c), "gp-dist: 12,345,678 of 50,000,000 variants (24.7%), 103 k/s, "
                                    "6:06 left\n");
}

static void long_waits_are_told_in_hours(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    gp_progress p;
    open_pipe(&c);
    gp_terminal_open(&sink, 0, 0);
    gp_progress_open(&p, &sink, "samples", 1000);
    age(&p, 100);
    gp_progress_at(&p, 10);
    age(&p, 100);
    gp_progress_at(&p, 0);
    assert_string_equal(finish(&c), "gp-dist: 10 of 1,000 samples (1.0%), 0.1 /s, 2:45:00 left\n"
                                    "gp-dist: 0 of 1,000 samples (0.0%), 0.0 /s, ? left\n");
}

static void a_terminal_gets_a_bar_that_makes_room_for_notes(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    gp_progress p;
    if (!open_terminal(&c))
        skip();
    gp_terminal_open(&sink, 0, 0);
    gp_progress_open(&p, &sink, "variants", 100000);
    age(&p, 1000); /* long, so that a pause of the test itself does not show */
    gp_progress_at(&p, 50000);
    gp_progress_at(&p, 50001); /* too soon to draw */
    gp_say(&sink, GP_WARN, "one is odd");
    age(&p, 3000);
    gp_progress_at(&p, 100000);
    gp_progress_close(&p);
    gp_progress_close(&p);
    /* The terminal makes \r\n of \n. */
    assert_string_equal(finish(&c),
                        "\rvariants [###########-----------]  50.0%  50 /s  16:40 left\033[K"
                        "\r\033[Kgp-dist: warning: one is odd\r\n"
                        "\rvariants [######################] 100.0%  25 /s  0:00 left\033[K"
                        "\r\033[K");
}

static void the_widest_bar_fits_80_columns(void **state) {
    (void)state;
    capture c;
    gp_sink sink;
    gp_progress p;
    if (!open_terminal(&c))
        skip();
    gp_terminal_open(&sink, 0, 0);
    gp_progress_open(&p, &sink, "a very long word for what is counted here", INT64_MAX);
    age(&p, 1000);
    gp_progress_at(&p, INT64_MAX / 1000000); /* about 31 years left */
    const char *text = finish(&c);
    assert_true(strlen(text) > 60);
    assert_true(strlen(text) - strlen("\r\033[K") < 80);
    gp_terminal_open(&sink, 0, 0);
}

static void a_sink_of_others_or_nothing_to_do_shows_no_progress(void **state) {
    (void)state;
    capture c;
    gp_sink sink, none = {0};
    gp_progress p;
    open_pipe(&c);
    gp_terminal_open(&sink, 0, 0);
    gp_progress_open(&p, &none, "variants", 10);
    age(&p, 100);
    gp_progress_at(&p, 5);
    gp_progress_open(&p, NULL, "variants", 10);
    age(&p, 100);
    gp_progress_at(&p, 5);
    gp_progress_open(&p, &sink, "variants", 0);
    age(&p, 100);
    gp_progress_at(&p, 0);
    p = (gp_progress){0};
    gp_progress_close(&p);
    assert_string_equal(finish(&c), "");
}

/* In a child process: raises signals, sleeping between them, and leaves with what was caught. */
static int child_status(int count, const int *numbers, const int *pause_ms) {
    pid_t child = fork();
    if (child == 0) {
        gp_signals_catch();
        for (int i = 0; i < count; i++) {
            usleep((unsigned)pause_ms[i] * 1000);
            raise(numbers[i]);
        }
        _exit(gp_signals_caught());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static void a_signal_sets_a_flag(void **state) {
    (void)state;
    static const int numbers[] = {SIGTERM, SIGUSR1, SIGINT};
    static const int pauses[] = {0};
    for (int i = 0; i < 3; i++) {
        int status = child_status(1, numbers + i, pauses);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), numbers[i]);
    }
}

static void the_same_signal_twice_at_once_counts_once(void **state) {
    (void)state;
    static const int numbers[] = {SIGUSR1, SIGTERM, SIGUSR1};
    static const int pauses[] = {0, 0, 10};
    int status = child_status(3, numbers, pauses);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SIGUSR1);
}

static void a_later_signal_ends_the_program(void **state) {
    (void)state;
    static const int numbers[] = {SIGUSR1, SIGTERM};
    static const int pauses[] = {0, 1100};
    int status = child_status(2, numbers, pauses);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_and_warnings_carry_the_program_s_name),
        cmocka_unit_test(quiet_leaves_warnings),
        cmocka_unit_test(other_ranks_are_silent),
        cmocka_unit_test(the_error_is_one_line),
        cmocka_unit_test(a_log_gets_a_line_a_minute),
        cmocka_unit_test(long_waits_are_told_in_hours),
        cmocka_unit_test(a_terminal_gets_a_bar_that_makes_room_for_notes),
        cmocka_unit_test(the_widest_bar_fits_80_columns),
        cmocka_unit_test(a_sink_of_others_or_nothing_to_do_shows_no_progress),
        cmocka_unit_test(a_signal_sets_a_flag),
        cmocka_unit_test(the_same_signal_twice_at_once_counts_once),
        cmocka_unit_test(a_later_signal_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
