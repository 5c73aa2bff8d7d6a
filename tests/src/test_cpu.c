/* Which kernel is chosen, by the machine or by GP_KERNEL. The choice is made once per process, so
 * each is made in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/cpu.h"
#include "src/geno/kernel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const gp_kernel *first_that_runs(void) {
    int k = 0;
    while (!gp_kernel_at(k)->runs_here())
        k++;
    return gp_kernel_at(k);
}

/* A fresh process in which GP_KERNEL is name (NULL: not set): 0 where it uses the wanted kernel and
 * the check gives the wanted code, with a text that names it. */
static int choose_in_child(const char *name, const gp_kernel *want, int code) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        gp_err err = {0};
        if (name != NULL)
            setenv("GP_KERNEL", name, 1);
        else
            unsetenv("GP_KERNEL");
        int bad = gp_kernel_chosen() != want || strcmp(gp_cpu_kernel(), want->name) != 0;
        bad |= gp_cpu_check(&err) != code || err.code != code;
        bad |= code != GP_OK && (strstr(err.text, "GP_KERNEL") == NULL ||
                                 strstr(err.text, name != NULL ? name : "") == NULL);
        unsetenv("GP_KERNEL"); /* the choice stays for the process */
        bad |= gp_kernel_chosen() != want;
        _exit(bad);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_fastest_kernel_is_chosen(void **state) {
    (void)state;
    assert_int_equal(choose_in_child(NULL, first_that_runs(), GP_OK), 0);
    assert_int_equal(choose_in_child("", first_that_runs(), GP_OK), 0);
}

static void the_environment_chooses_a_kernel(void **state) {
    (void)state;
    for (int k = 0; gp_kernel_at(k) != NULL; k++) {
        const gp_kernel *named = gp_kernel_at(k);
        int runs = named->runs_here();
        assert_int_equal(choose_in_child(named->name, runs ? named : first_that_runs(),
                                         runs ? GP_OK : GP_EINPUT),
                         0);
    }
    assert_int_equal(choose_in_child("fortran", first_that_runs(), GP_EINPUT), 0);
    assert_int_equal(choose_in_child("avx", first_that_runs(), GP_EINPUT), 0);
}

static void the_portable_kernel_is_the_last_resort(void **state) {
    (void)state;
    int k = 0;
    while (gp_kernel_at(k + 1) != NULL)
        k++;
    assert_ptr_equal(gp_kernel_at(k), &gp_kernel_portable);
    assert_true(gp_kernel_portable.runs_here());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_portable_kernel_is_the_last_resort),
        cmocka_unit_test(the_fastest_kernel_is_chosen),
        cmocka_unit_test(the_environment_chooses_a_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
