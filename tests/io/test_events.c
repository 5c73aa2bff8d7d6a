/* TensorBoard's event files: bytes that other programs wrote, and a reader of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/events.h"
#include "tests/io/python_reader.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdint.h>

static void scalar(gp_text *bytes, const char *tag, int64_t step, double value) {
    gp_err err = {0};
    assert_int_equal(gp_events_scalar(bytes, tag, step, value, &err), GP_OK);
}

/* Heads of records as tensorboard_logger's test has them (test_serialization): the length's check
 * sum is the same whatever the content. The content: field numbers and kinds by hand from
 * event.proto and summary.proto; its check sum from tests/oracle/read_events.py. */
static void the_first_record_has_the_bytes_that_tensorboard_expects(void **state) {
    (void)state;
    static const char expected[] = "\x18\0\0\0\0\0\0\0\xa3\x7fK\""
                                   "\t\0\0\0\0\0\0\0\0\x1a\rbrain.Event:2"
                                   "\xee\xdf\x28\xa3";
    gp_text bytes = {0};
    gp_err err = {0};
    assert_int_equal(gp_events_begin(&bytes, &err), GP_OK);
    assert_int_equal(bytes.length, sizeof expected - 1);
    assert_memory_equal(bytes.bytes, expected, sizeof expected - 1);
    gp_text_free(&bytes);
}

/* Their second record, but at time 1: 1.5 as "v/1" at step 1. */
static void a_scalar_has_the_bytes_that_tensorboard_expects(void **state) {
    (void)state;
    static const char expected[] = "\x19\0\0\0\0\0\0\0\x8b\xf1\x08("
                                   "\t\0\0\0\0\0\0\xf0\x3f\x10\x01*\x0c\n\n\n\x03v/1\x15\0\0\xc0?"
                                   "\x30\x19\x98\x8e";
    gp_text bytes = {0};
    gp_err err = {0};
    gp_text_add(&bytes, "before", 6, &err);
    scalar(&bytes, "v/1", 1, 1.5);
    assert_int_equal(bytes.length, 6 + sizeof expected - 1);
    assert_memory_equal(bytes.bytes, "before", 6);
    assert_memory_equal(bytes.bytes + 6, expected, sizeof expected - 1);
    gp_text_free(&bytes);
}

static void the_reader_knows_what_other_programs_wrote(void **state) {
    (void)state;
    char text[1024];
    gp_test_python("read_events.py", "--test", text, sizeof text);
    assert_string_equal(text, "version brain.Event:1 time 1440183447.0\n"
                              "version brain.Event:2 time 256.5\n"
                              "v/1 step 1 time 256.5 value 1.5\n"
                              "v/22 step 2 time 256.5 value 16.0\n");
}

static void a_program_of_its_own_reads_what_was_written(void **state) {
    (void)state;
    char text[4096], expected[4096], tag[301];
    gp_text bytes = {0};
    gp_err err = {0};
    memset(tag, 'x', sizeof tag - 1);
    tag[300] = 0;
    gp_events_begin(&bytes, &err);
    scalar(&bytes, "loss/train", 0, 0.1);
    scalar(&bytes,
           "r2/Gr\xC3\xB6\xC3\x9F"
           "e",
           127, -1.0);
    scalar(&bytes, "", 128, NAN);
    scalar(&bytes, tag, INT64_MAX, 1e300);
    snprintf(expected, sizeof expected,
             "version brain.Event:2 time 0.0\n"
             "loss/train step 0 time 0.0 value 0.10000000149011612\n"
             "r2/Gr\xC3\xB6\xC3\x9F"
             "e step 127 time 127.0 value -1.0\n"
             " step 128 time 128.0 value nan\n"
             "%s step 9223372036854775807 time 9.223372036854776e+18 value inf\n",
             tag);
    scratch_write("events", bytes.bytes, (size_t)bytes.length);
    gp_text_free(&bytes);
    gp_test_python("read_events.py", scratch("events"), text, sizeof text);
    assert_string_equal(text, expected);
}

static int write_some(void *context, gp_err *err) {
    gp_text bytes = {0};
    (void)context;
    for (int k = 0; k < 20 && err->code == GP_OK; k++) {
        int64_t before = bytes.length;
        if (k == 0 ? gp_events_begin(&bytes, err) : gp_events_scalar(&bytes, "a", k, k, err))
            assert_int_equal(bytes.length, before);
    }
    gp_text_free(&bytes);
    return err->code;
}

static void every_refused_allocation_comes_back(void **state) {
    (void)state;
    assert_true(gp_test_fail_each(write_some, NULL) > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_record_has_the_bytes_that_tensorboard_expects),
        cmocka_unit_test(a_scalar_has_the_bytes_that_tensorboard_expects),
        cmocka_unit_test(the_reader_knows_what_other_programs_wrote),
        cmocka_unit_test_teardown(a_program_of_its_own_reads_what_was_written, scratch_clear),
        cmocka_unit_test(every_refused_allocation_comes_back),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
