/* Whole files: reading, writing by rename, safe names, checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <htslib/bgzf.h>

#include "io/file.h"
#include "src/base/mem.h"
#include "tests/support/scratch.h"

static void assert_starts(const gp_err *err, int code, const char *path, const char *rest) {
    assert_int_equal(err->code, code);
    assert_int_equal(strncmp(err->text, path, strlen(path)), 0);
    if (strstr(err->text, rest) == NULL)
        fail_msg("'%s' is not in: %s", rest, err->text);
}

/* A text of n bytes that does not compress to nothing, as mode "w" (BGZF), "wg" (gzip), "wu". */
static const char *write_as(const char *name, const char *mode, char *bytes, int64_t n) {
    const char *path = scratch(name);
    BGZF *out = bgzf_open(path, mode);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (char)('!' + (i * i * 31 + i / 7) % 90);
    assert_int_equal(bgzf_write(out, bytes, (size_t)n), n);
    assert_int_equal(bgzf_close(out), 0);
    return path;
}

/* ---- reading ---- */

static void read_text_gives_a_plain_file(void **state) {
    gp_err err = {0};
    gp_text text = {0};
    (void)state;
    assert_int_equal(gp_io_read_text(scratch_text("a.txt", "one\ntwo"), &text, &err), GP_OK);
    assert_int_equal(text.length, 7);
    assert_string_equal(text.bytes, "one\ntwo");
    gp_text_free(&text);
}

static void read_text_of_an_empty_file_is_an_empty_string(void **state) {
    gp_err err = {0};
    gp_text text = {0};
    (void)state;
    assert_int_equal(gp_io_read_text(scratch_text("a.txt", ""), &text, &err), GP_OK);
    assert_int_equal(text.length, 0);
    assert_string_equal(text.bytes, "");
    gp_text_free(&text);
}

static void read_text_unpacks_gzip_and_bgzf(void **state) {
    enum { N = 3000000 };
    static const char *const mode[] = {"wu", "wg", "w"};
    char *bytes = malloc(N);
    (void)state;
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        gp_text text = {0};
        const char *path = write_as("a.gz", mode[k], bytes, N);
        assert_int_equal(gp_io_read_text(path, &text, &err), GP_OK);
        assert_int_equal(text.length, N);
        assert_memory_equal(text.bytes, bytes, N);
        gp_text_free(&text);
    }
    free(bytes);
}

static void read_text_rejects_compressed_files_that_are_cut_short(void **state) {
    enum { N = 300000 };
    static const char *const mode[] = {"wg", "w"};
    char *bytes = malloc(N);
    (void)state;
    for (int k = 0; k < 2; k++) {
        gp_err err = {0};
        gp_text text = {0};
        int64_t size = 0;
        const char *path = write_as("a.gz", mode[k], bytes, N);
        assert_int_equal(gp_io_file_size(path, &size, &err), GP_OK);
        assert_int_equal(truncate(path, size / 2), 0);
        gp_io_read_text(path, &text, &err);
        assert_starts(&err, GP_EINPUT, path, "damaged or cut short");
        gp_text_free(&text);
    }
    free(bytes);
}

static void read_text_names_a_missing_file_and_a_directory(void **state) {
    gp_err missing = {0}, directory = {0};
    gp_text text = {0};
    (void)state;
    gp_io_read_text(scratch("none"), &text, &missing);
    assert_starts(&missing, GP_EINPUT, scratch("none"), "cannot be opened: No such file");
    gp_io_read_text(scratch_folder, &text, &directory);
    assert_starts(&directory, GP_EINPUT, scratch_folder, "is a directory");
    gp_text_free(&text);
}

static void read_text_rejects_zero_bytes(void **state) {
    gp_err err = {0};
    gp_text text = {0};
    const char *path = scratch_write("a.txt", "o\0n\0e\0", 6);
    (void)state;
    gp_io_read_text(path, &text, &err);
    assert_starts(&err, GP_EINPUT, path, "not a text file");
    gp_text_free(&text);
}

static void read_text_survives_every_failing_allocation(void **state) {
    const char *path = scratch_text("a.txt", "text");
    (void)state;
    for (int64_t k = 1;; k++) {
        gp_err err = {0};
        gp_text text = {0};
        gp_mem_fail_at(k);
        int code = gp_io_read_text(path, &text, &err);
        gp_mem_fail_at(0);
        gp_text_free(&text);
        if (code == GP_OK)
            break;
        assert_int_equal(code, GP_EFAIL);
    }
}

/* ---- writing ---- */

static void write_file_replaces_and_leaves_one_file(void **state) {
    gp_err err = {0};
    gp_text text = {0};
    const char *path = scratch_text("a.txt", "old and longer");
    (void)state;
    assert_int_equal(gp_io_write_file(path, "new", 3, &err), GP_OK);
    assert_int_equal(gp_io_read_text(path, &text, &err), GP_OK);
    assert_string_equal(text.bytes, "new");
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    gp_text_free(&text);
}

static void write_file_that_fails_leaves_nothing(void **state) {
    gp_err into_nowhere = {0}, over_folder = {0};
    (void)state;
    gp_io_write_file(scratch("none/a.txt"), "new", 3, &into_nowhere);
    assert_starts(&into_nowhere, GP_EFAIL, scratch("none/a.txt"), "cannot be made");
    assert_int_equal(mkdir(scratch("folder"), 0777), 0);
    gp_io_write_file(scratch("folder"), "new", 3, &over_folder);
    assert_starts(&over_folder, GP_EFAIL, scratch("folder"), "cannot be put in place");
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
}

static void write_file_to_a_full_disk_says_so(void **state) {
    gp_err err = {0};
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(symlink("/dev/full", scratch("a.txt.tmp")), 0);
    gp_io_write_file(scratch("a.txt"), "new", 3, &err);
    assert_starts(&err, GP_EFAIL, scratch("a.txt"), "No space left");
    assert_int_equal(scratch_entries(scratch_folder, 0), 0);
}

/* ---- directories ---- */

static void make_directory_makes_parents_and_accepts_an_existing_one(void **state) {
    gp_err err = {0};
    struct stat about;
    (void)state;
    assert_int_equal(gp_io_make_directory(scratch("a/b//c/"), &err), GP_OK);
    assert_int_equal(gp_io_make_directory(scratch("a/b/c"), &err), GP_OK);
    assert_int_equal(stat(scratch("a/b/c"), &about), 0);
    assert_true(S_ISDIR(about.st_mode));
}

static void make_directory_names_the_part_that_is_a_file(void **state) {
    gp_err err = {0};
    const char *path = scratch_text("file", "");
    (void)state;
    gp_io_make_directory(scratch("file/b"), &err);
    assert_starts(&err, GP_EINPUT, path, "the directory cannot be made: Not a directory");
}

static void check_writable_leaves_nothing_and_names_the_directory(void **state) {
    gp_err good = {0}, bad = {0};
    (void)state;
    assert_int_equal(gp_io_check_writable(scratch_folder, &good), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 0);
    gp_io_check_writable(scratch("none"), &bad);
    assert_starts(&bad, GP_EINPUT, scratch("none"), "no file can be made");
}

/* ---- names ---- */

static void safe_name_escapes_what_a_path_would_take_amiss(void **state) {
    static const char *const pairs[][2] = {
        {"height", "height"},
        {"BMI.2-x_(y)", "BMI.2-x_(y)"},
        {"a/b", "a%2Fb"},
        {"..", "%2E."},
        {"../../etc", "%2E.%2F..%2Fetc"},
        {"50%", "50%25"},
        {"a b\tc\n", "a%20b%09c%0A"},
        {"\x7F", "%7F"},
        {"Gr\xC3\xB6\xC3\x9F"
         "e",
         "Gr\xC3\xB6\xC3\x9F"
         "e"},
        {"\xE8\xBA\xAB\xF0\x9F\x8C\xBE", "\xE8\xBA\xAB\xF0\x9F\x8C\xBE"},
        {"\xF6", "%F6"},               /* Latin-1 */
        {"\xC3", "%C3"},               /* cut short */
        {"\xC0\xAF", "%C0%AF"},        /* an overlong '/' */
        {"\xE0\x80\xAF", "%E0%80%AF"}, /* again */
        {"\xED\xA0\x80", "%ED%A0%80"}, /* half a surrogate pair */
        {"\xC2\x85", "%C2%85"}};       /* a control character */
    (void)state;
    for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
        gp_err err = {0};
        gp_text text = {0};
        assert_int_equal(gp_text_print(&text, &err, "d/"), GP_OK);
        assert_int_equal(gp_io_safe_name(&text, pairs[k][0], &err), GP_OK);
        assert_string_equal(text.bytes + 2, pairs[k][1]);
        gp_text_free(&text);
    }
}

static void safe_name_rejects_empty_and_long_names(void **state) {
    char name[202];
    gp_err empty = {0}, fits = {0}, too_long = {0};
    gp_text text = {0};
    (void)state;
    memset(name, 'x', sizeof name);
    name[200] = 0;
    assert_int_equal(gp_io_safe_name(&text, "", &empty), GP_EINPUT);
    assert_int_equal(gp_io_safe_name(&text, name, &fits), GP_OK);
    name[200] = 'x';
    name[201] = 0;
    assert_int_equal(gp_io_safe_name(&text, name, &too_long), GP_EINPUT);
    gp_text_free(&text);
}

/* ---- sizes and sums ---- */

static void file_size_counts_bytes_and_wants_a_regular_file(void **state) {
    gp_err good = {0}, folder = {0}, missing = {0};
    int64_t size = 0;
    (void)state;
    assert_int_equal(gp_io_file_size(scratch_write("a", "\0\1\2", 3), &size, &good), GP_OK);
    assert_int_equal(size, 3);
    assert_int_equal(gp_io_file_size(scratch_folder, &size, &folder), GP_EINPUT);
    assert_int_equal(gp_io_file_size(scratch("none"), &size, &missing), GP_EINPUT);
}

static void md5_is_that_of_rfc_1321(void **state) {
    static const char *const pairs[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"}};
    (void)state;
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        char hex[33];
        assert_int_equal(gp_io_md5_file(scratch_text("a", pairs[k][0]), hex, &err), GP_OK);
        assert_string_equal(hex, pairs[k][1]);
    }
}

static int stop_after(void *context, int64_t more) {
    int64_t *left = context;
    *left -= more;
    return *left < 0;
}

static void md5_stops_when_asked_to(void **state) {
    enum { N = 1 << 18 };
    char *zeros = calloc(1, N), hex[33];
    const char *path = scratch_write("a", zeros, N);
    gp_err goes_on = {0}, stops = {0};
    int64_t enough = N, little = N / 2;
    (void)state;
    assert_int_equal(gp_io_md5_watched(path, hex, stop_after, &enough, &goes_on), GP_OK);
    assert_int_equal(enough, 0);
    assert_int_equal(gp_io_md5_watched(path, hex, stop_after, &little, &stops), GP_ESTOP);
    free(zeros);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(read_text_gives_a_plain_file, scratch_clear),
        cmocka_unit_test_teardown(read_text_of_an_empty_file_is_an_empty_string, scratch_clear),
        cmocka_unit_test_teardown(read_text_unpacks_gzip_and_bgzf, scratch_clear),
        cmocka_unit_test_teardown(read_text_rejects_compressed_files_that_are_cut_short,
                                  scratch_clear),
        cmocka_unit_test_teardown(read_text_names_a_missing_file_and_a_directory, scratch_clear),
        cmocka_unit_test_teardown(read_text_rejects_zero_bytes, scratch_clear),
        cmocka_unit_test_teardown(read_text_survives_every_failing_allocation, scratch_clear),
        cmocka_unit_test_teardown(write_file_replaces_and_leaves_one_file, scratch_clear),
        cmocka_unit_test_teardown(write_file_that_fails_leaves_nothing, scratch_clear),
        cmocka_unit_test_teardown(write_file_to_a_full_disk_says_so, scratch_clear),
        cmocka_unit_test_teardown(make_directory_makes_parents_and_accepts_an_existing_one,
                                  scratch_clear),
        cmocka_unit_test_teardown(make_directory_names_the_part_that_is_a_file, scratch_clear),
        cmocka_unit_test_teardown(check_writable_leaves_nothing_and_names_the_directory,
                                  scratch_clear),
        cmocka_unit_test_teardown(safe_name_escapes_what_a_path_would_take_amiss, scratch_clear),
        cmocka_unit_test_teardown(safe_name_rejects_empty_and_long_names, scratch_clear),
        cmocka_unit_test_teardown(file_size_counts_bytes_and_wants_a_regular_file, scratch_clear),
        cmocka_unit_test_teardown(md5_is_that_of_rfc_1321, scratch_clear),
        cmocka_unit_test_teardown(md5_stops_when_asked_to, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
