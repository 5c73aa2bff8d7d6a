#define _GNU_SOURCE /* sched_setaffinity */
#include "jobs/threads.h"
#include "tests/support/mpi_test.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>

static gp_par *par;

static void a_number_of_threads_is_obeyed(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t threads = 0;
    setenv("OMP_NUM_THREADS", "5", 1);
    int status = gp_threads_set(par, 3, &threads, &err);
    assert_all(status == GP_OK && threads == 3 && omp_get_max_threads() == 3);
}

static void omp_num_threads_is_obeyed_where_no_number_is_given(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t threads = 0;
    setenv("OMP_NUM_THREADS", "5", 1);
    omp_set_num_threads(5); /* the library read its variable when it was loaded */
    int status = gp_threads_set(par, 0, &threads, &err);
    assert_all(status == GP_OK && threads == 5 && omp_get_max_threads() == 5);
}

static int64_t chosen(void) {
    gp_err err = {0};
    int64_t threads = 0;
    unsetenv("OMP_NUM_THREADS");
    int status = gp_threads_set(par, 0, &threads, &err);
    assert_all(status == GP_OK && threads == omp_get_max_threads());
    return threads;
}

/* All ranks of a test are on one node. */
static void ranks_that_may_use_the_same_cores_share_them(void **state) {
    (void)state;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        CPU_SET(i, &set);
    assert_all(sched_setaffinity(0, sizeof set, &set) == 0);
    sched_getaffinity(0, sizeof set, &set); /* what the system left of it */
    int64_t share = CPU_COUNT(&set) / gp_par_size(par);
    int64_t threads = chosen();
    assert_all(threads == (share > 1 ? share : 1));
}

static void ranks_bound_to_cores_of_their_own_use_them_all(void **state) {
    (void)state;
    cpu_set_t set, own;
    sched_getaffinity(0, sizeof set, &set);
    int64_t each = CPU_COUNT(&set) / gp_par_size(par), seen = 0;
    CPU_ZERO(&own);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && each > 0 && seen++ / each == gp_par_rank(par))
            CPU_SET(i, &own);
    if (each == 0)
        skip();
    assert_all(sched_setaffinity(0, sizeof own, &own) == 0);
    int64_t threads = chosen();
    assert_all(threads == each);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_of_threads_is_obeyed),
        cmocka_unit_test(omp_num_threads_is_obeyed_where_no_number_is_given),
        cmocka_unit_test(ranks_that_may_use_the_same_cores_share_them),
        cmocka_unit_test(ranks_bound_to_cores_of_their_own_use_them_all),
    };
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    only_rank_0_reports(gp_par_rank(par));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_close(par);
    return failed;
}
