/* Phases and their table: what is kept, what is written, what is not there without --times. */
#include "io/file.h"
#include "jobs/times.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

#include <string.h>
#include <unistd.h>

static gp_sink sink;
static gp_common common;
static gp_times times;
static gp_job job = {.sink = &sink, .common = &common, .times = &times};

enum { NAP = 20000 /* microseconds */ };

static int begin(void **state) {
    (void)state;
    times = (gp_times){0};
    return 0;
}

static void a_phase_ends_the_one_before_and_goes_on_where_it_was(void **state) {
    (void)state;
    gp_times_command(&times, "assoc");
    gp_times_phase(&job, "scan");
    usleep(NAP);
    gp_times_phase(&job, "write");
    gp_times_phase(&job, "scan");
    usleep(NAP);
    gp_times_phase(&job, "write");
    assert_all(times.rows == 3 && strcmp(times.row[1].phase, "scan") == 0);
    assert_all(times.row[1].seconds >= 2e-6 * NAP); /* a nap is never shorter */
    assert_all(times.row[0].seconds < times.row[1].seconds);
    assert_all(times.row[1].peak > 1 << 20); /* a process has more than a megabyte */
}

static void commands_within_a_command_keep_their_phases_apart(void **state) {
    (void)state;
    gp_times_command(&times, "run");
    gp_times_command(&times, "pca");
    gp_times_phase(&job, "load");
    gp_times_command(&times, "assoc");
    gp_times_phase(&job, "load");
    gp_times_command(&times, "run");
    assert_all(times.rows == 5 && times.now == 0);
    assert_all(strcmp(times.row[2].command, "pca") == 0 && strcmp(times.row[2].phase, "load") == 0);
    assert_all(strcmp(times.row[4].command, "assoc") == 0);
}

static void phases_that_do_not_fit_count_with_the_last(void **state) {
    (void)state;
    static char name[GP_TIMES_ROWS + 3][8];
    gp_times_command(&times, "run");
    for (int k = 0; k < GP_TIMES_ROWS + 3; k++) {
        snprintf(name[k], sizeof name[k], "p%d", k);
        gp_times_phase(&job, name[k]);
    }
    usleep(NAP);
    gp_times_phase(&job, "p0");
    assert_all(times.rows == GP_TIMES_ROWS && times.now == 1);
    assert_all(times.row[GP_TIMES_ROWS - 1].seconds >= 1e-6 * NAP);
}

static void exchanges_count_with_the_phase_that_they_are_in(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t x[5] = {0};
    int many = gp_par_size(job.par) > 1;
    gp_times_command(&times, "assoc");
    gp_par_agree(job.par, &err);
    gp_times_phase(&job, "scan");
    gp_par_sum(job.par, x, 5, &err);
    gp_par_sum(job.par, x, 2, &err);
    gp_times_phase(&job, "write");
    assert_all(times.row[0].traffic.messages == many && times.row[0].traffic.bytes == 4 * many);
    assert_all(times.row[1].traffic.messages == 2 * many);
    assert_all(times.row[1].traffic.bytes == 56 * many);
}

static void without_the_option_nothing_is_kept_and_nothing_written(void **state) {
    (void)state;
    gp_err err = {0};
    gp_job plain = {.par = job.par, .sink = &sink, .common = &common};
    gp_times_command(NULL, "assoc");
    gp_times_phase(&plain, "scan");
    gp_times_phase(&job, "scan"); /* before any command */
    assert_all(gp_times_write(&plain, 1, &err) == GP_OK && times.rows == 0);
}

/* The table's lines: each rank's phases in turn. */
static void the_table_has_a_line_for_each_phase_of_each_rank(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    int size = gp_par_size(job.par), rank = -1, ranks, lines = 0;
    long long threads;
    char phase[16], folder[256] = ".";
    snprintf(folder, sizeof folder, "%s", scratch("times.csv"));
    common.times = folder;
    gp_times_command(&times, "assoc");
    gp_times_phase(&job, "scan");
    assert_all(gp_times_write(&job, 3, &err) == GP_OK);
    if (gp_par_rank(job.par) == 0) {
        gp_io_read_text(folder, &text, &err);
        char *line = strtok(text.bytes, "\n");
        assert_string_equal(line, "command,phase,rank,ranks,threads,seconds,waiting,bytes,"
                                  "messages,peak_memory");
        while ((line = strtok(NULL, "\n")) != NULL) {
            assert_int_equal(
                sscanf(line, "assoc,%15[a-z],%d,%d,%lld,", phase, &rank, &ranks, &threads), 4);
            assert_int_equal(rank, lines / 2);
            assert_true(ranks == size && threads == 3);
            assert_string_equal(phase, lines % 2 == 0 ? "start" : "scan");
            lines++;
        }
        assert_int_equal(lines, 2 * size);
    }
    gp_text_free(&text);
}

static void refused_memory_on_any_rank_ends_it_on_all(void **state) {
    (void)state;
    int size = gp_par_size(job.par), rank = gp_par_rank(job.par);
    char path[256];
    snprintf(path, sizeof path, "%s", scratch("none.csv"));
    common.times = path;
    gp_times_command(&times, "assoc");
    for (int failing = 0; failing < size; failing++)
        for (int64_t k = 1; k <= 2; k++) { /* this rank's rows; the header, or all rows */
            gp_err err = {0};
            gp_mem_fail_at(rank == failing ? k : 0);
            int rc = gp_times_write(&job, 1, &err);
            gp_mem_fail_at(0);
            assert_all(rc == GP_EFAIL && strstr(err.text, "refused") != NULL);
            assert_all(access(path, F_OK) != 0);
        }
}

static void a_table_that_cannot_be_written_ends_it_on_all(void **state) {
    (void)state;
    gp_err err = {0};
    common.times = "/dev/null/times.csv";
    gp_times_command(&times, "assoc");
    assert_all(gp_times_write(&job, 1, &err) == GP_EFAIL);
    assert_all(strstr(err.text, "/dev/null/times.csv") != NULL);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&job.par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_phase_ends_the_one_before_and_goes_on_where_it_was, begin),
        cmocka_unit_test_setup(commands_within_a_command_keep_their_phases_apart, begin),
        cmocka_unit_test_setup(phases_that_do_not_fit_count_with_the_last, begin),
        cmocka_unit_test_setup(exchanges_count_with_the_phase_that_they_are_in, begin),
        cmocka_unit_test_setup(without_the_option_nothing_is_kept_and_nothing_written, begin),
        cmocka_unit_test_setup(the_table_has_a_line_for_each_phase_of_each_rank, begin),
        cmocka_unit_test_setup(refused_memory_on_any_rank_ends_it_on_all, begin),
        cmocka_unit_test_setup(a_table_that_cannot_be_written_ends_it_on_all, begin),
    };
    int failed = only_rank_0_reports(gp_par_rank(job.par))
                     ? cmocka_run_group_tests_name("times", tests, scratch_make, scratch_remove)
                     : 1;
    gp_par_close(job.par);
    return failed;
}
