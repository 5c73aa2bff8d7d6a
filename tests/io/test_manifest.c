/* A run's manifest: there and back, damaged, and files that were changed behind its back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/manifest.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char digest[] = "0123456789abcdef0123456789abcdef";

/* A step with one file, "made.txt". */
static int make(gp_manifest *m, gp_err *err) {
    char md5[33] = "";
    m->version = gp_mem_string("0.1.0", 5, err);
    gp_manifest_option_add(m, "maf", "0.01", err);
    gp_manifest_option_add(m, "pheno",
                           "Gr\xC3\xB6\xC3\x9F"
                           "e \"of\" all.tsv",
                           err);
    gp_manifest_step *step = gp_manifest_begin(m, "train a", "gp-dist train", digest, err);
    if (step == NULL)
        return err->code;
    step->finished = 1;
    step->ranks = 4;
    step->seconds = 0.1;
    if (gp_io_md5_file(scratch("made.txt"), md5, err) == GP_OK)
        gp_manifest_add(step, scratch_folder, "made.txt", md5, err);
    gp_manifest_begin(m, "assoc a", "gp-dist assoc", digest, err);
    return err->code;
}

static void comes_back_as_it_was(void **state) {
    (void)state;
    gp_err err = {0};
    gp_manifest m = {0}, n = {0};
    int there = 1;
    assert_int_equal(gp_manifest_read(&n, scratch_folder, &there, &err), GP_OK);
    assert_int_equal(there, 0);
    scratch_text("made.txt", "result\n");
    assert_int_equal(make(&m, &err), GP_OK);
    assert_int_equal(gp_manifest_write(&m, scratch_folder, &err), GP_OK);
    assert_int_equal(gp_manifest_read(&n, scratch_folder, &there, &err), GP_OK);
    assert_int_equal(there, 1);
    assert_string_equal(n.version, "0.1.0");
    assert_int_equal(n.options, 2);
    assert_string_equal(gp_manifest_option_get(&n, "pheno"), gp_manifest_option_get(&m, "pheno"));
    assert_null(gp_manifest_option_get(&n, "covar"));
    assert_int_equal(n.steps, 2);
    gp_manifest_step *step = gp_manifest_find(&n, "train a");
    assert_non_null(step);
    assert_string_equal(step->digest, digest);
    assert_string_equal(step->command, "gp-dist train");
    assert_true(step->finished && step->ranks == 4 && step->seconds == 0.1);
    assert_int_equal(step->outputs, 1);
    assert_int_equal(step->output[0].bytes, 7);
    assert_string_equal(step->output[0].md5, m.step[0].output[0].md5);
    assert_int_equal(step->output[0].modified, m.step[0].output[0].modified);
    assert_false(gp_manifest_find(&n, "assoc a")->finished);
    gp_manifest_free(&n);
    gp_manifest_free(&m);
}

static void begun_anew_a_step_has_no_outputs(void **state) {
    (void)state;
    gp_err err = {0};
    gp_manifest m = {0};
    scratch_text("made.txt", "result\n");
    assert_int_equal(make(&m, &err), GP_OK);
    gp_manifest_step *step = gp_manifest_begin(&m, "train a", "gp-dist train --x", digest, &err);
    assert_int_equal(m.steps, 2);
    assert_ptr_equal(step, &m.step[0]);
    assert_int_equal(step->outputs, 0);
    assert_false(step->finished);
    gp_manifest_free(&m);
}

static void set_time(const char *path, long seconds) {
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void changes_behind_its_back_are_seen(void **state) {
    (void)state;
    gp_err err = {0};
    gp_manifest m = {0};
    int gone = 1;
    scratch_text("made.txt", "result\n");
    assert_int_equal(make(&m, &err), GP_OK);
    gp_manifest_step *step = &m.step[0];
    assert_null(gp_manifest_altered(step, scratch_folder, &gone, &err));
    /* Touched, but the same: its new time is taken. */
    set_time(scratch("made.txt"), 1000);
    assert_null(gp_manifest_altered(step, scratch_folder, &gone, &err));
    assert_int_equal(step->output[0].modified, INT64_C(1000000000000));
    /* As long as before, another time. */
    scratch_text("made.txt", "Result\n");
    set_time(scratch("made.txt"), 2000);
    assert_string_equal(gp_manifest_altered(step, scratch_folder, &gone, &err), "made.txt");
    assert_int_equal(gone, 0);
    /* Longer, the same time. */
    scratch_text("made.txt", "results\n");
    set_time(scratch("made.txt"), 1000);
    assert_string_equal(gp_manifest_altered(step, scratch_folder, &gone, &err), "made.txt");
    assert_int_equal(gone, 0);
    unlink(scratch("made.txt"));
    assert_string_equal(gp_manifest_altered(step, scratch_folder, &gone, &err), "made.txt");
    assert_int_equal(gone, 1);
    assert_int_equal(err.code, GP_OK);
    gp_manifest_free(&m);
}

static void expect_damaged(const char *text, const char *words) {
    gp_err err = {0};
    gp_manifest m = {0};
    int there = 0;
    scratch_text("manifest.json", text);
    assert_int_equal(gp_manifest_read(&m, scratch_folder, &there, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "manifest.json"));
    assert_non_null(strstr(err.text, words));
    gp_manifest_free(&m);
}

static void damaged_ones_are_refused(void **state) {
    (void)state;
    expect_damaged("{", "is not JSON");
    expect_damaged("", "is not JSON");
    expect_damaged("{}", "something else");
    expect_damaged("[1]", "something else");
    expect_damaged("{\"format\": \"app\"}", "something else");
    expect_damaged("{\"format\": \"gp-dist run 2\", \"version\": \"1\"}", "--restart");
    expect_damaged("{\"format\": \"gp-dist run 1\", \"version\": \"1\", \"options\": {\"a\": 1}}",
                   "--restart");
    expect_damaged("{\"format\": \"gp-dist run 1\", \"version\": \"1\", \"steps\": [{}]}",
                   "--restart");
    expect_damaged("{\"format\": \"gp-dist run 1\", \"version\": \"1\", \"steps\": [{\"name\": "
                   "\"a\", \"command\": \"b\", \"outputs\": [{}]}]}",
                   "--restart");
    expect_damaged("{\"format\": \"gp-dist run 1\", \"version\": \"1\", \"steps\": [{\"name\": "
                   "\"a\", \"command\": \"b\"}, {\"name\": \"a\", \"command\": \"b\"}]}",
                   "--restart");
}

static int there_and_back(void *context, gp_err *err) {
    (void)context;
    gp_manifest m = {0}, n = {0};
    int there = 0;
    if (make(&m, err) == GP_OK && gp_manifest_write(&m, scratch_folder, err) == GP_OK)
        gp_manifest_read(&n, scratch_folder, &there, err);
    gp_manifest_free(&n);
    gp_manifest_free(&m);
    return err->code;
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    scratch_text("made.txt", "result\n");
    assert_true(gp_test_fail_each(there_and_back, NULL) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(comes_back_as_it_was, scratch_clear),
        cmocka_unit_test_teardown(begun_anew_a_step_has_no_outputs, scratch_clear),
        cmocka_unit_test_teardown(changes_behind_its_back_are_seen, scratch_clear),
        cmocka_unit_test_teardown(damaged_ones_are_refused, scratch_clear),
        cmocka_unit_test_teardown(refused_memory_is_an_error, scratch_clear)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
