/* What an import says, and how it fails. */
#include "io/file.h"
#include "src/base/mem.h"
#include "tests/io/bfile_fixture.h"

/* ---- what is said ---- */

static void negative_positions_are_left_out_and_0_stays(void **state) {
    (void)state;
    write_set("a", 5, "1 v1 0 -1 A C\n1 v2 0 0 A C\n1 v3 0 -7 A C\n1 v4 0 3 A C\n2 v5 0 -2 A C\n");
    import("a");
    assert_store("1 autosome: v2@0 v4@3;", 5);
    assert_string_equal(said, "!3 variants with a negative position are left out\n");
}

static void repeated_ids_are_kept_with_a_warning(void **state) {
    char expected[1200];
    (void)state;
    write_set("a", 5, "1 v1 0 1 A C\n1 v2 0 2 A C\n1 v1 0 3 A C\n1 v2 0 4 A C\n");
    import("a");
    assert_store("1 autosome: v1@1 v2@2 v1@3 v2@4;", 5);
    snprintf(expected, sizeof expected,
             "!2 variants have an id that an earlier one has (e.g. 'v1', %s:3); all are kept\n",
             scratch("a.bim"));
    assert_string_equal(said, expected);
}

static void unknown_ids_are_not_repeats(void **state) {
    (void)state;
    write_set("a", 5, "1 v1 0 1 A C\n1 v2 0 2 A C\n");
    scratch_text("a.bim", "1 . 0 1 A C\n1 . 0 2 A C\n");
    import("a");
    assert_string_equal(said, "");
}

static void human_numbers_are_sex_chromosomes_with_a_note(void **state) {
    (void)state;
    write_set("a", 5, "22 v1 0 1 A C\n23 v2 0 1 A C\nchr26 v3 0 1 A C\n");
    import("a");
    assert_store("22 autosome: v1@1; 23 X: v2@1; chr26 MT: v3@1;", 5);
    assert_string_equal(
        said, "chromosome 23 is taken as X; --autosome-num 23 (or more) if it is an autosome\n"
              "chromosome chr26 is taken as MT; --autosome-num 26 (or more) if it is an "
              "autosome\n");
}

static void numbers_above_26_make_all_autosomes(void **state) {
    (void)state;
    write_set("a", 5, "23 v1 0 1 A C\n29 v2 0 1 A C\nX v3 0 1 A C\n");
    import("a");
    assert_store("23 autosome: v1@1; 29 autosome: v2@1; X X: v3@1;", 5);
    assert_string_equal(said, "");
}

static void autosome_num_says_which_numbers_are_sex_chromosomes(void **state) {
    gp_err err = {0};
    gp_import_result result = {0};
    (void)state;
    write_set("a", 5, "19 v1 0 1 A C\n20 v2 0 1 A C\n23 v3 0 1 A C\n24 v4 0 1 A C\n");
    import_with("a", (gp_import){.autosomes = 19}, &result, &err);
    assert_store("19 autosome: v1@1; 24 autosome: v4@1; 20 X: v2@1; 23 MT: v3@1;", 5);
    assert_string_equal(said, "!chromosome 24 is taken as an autosome, though --autosome-num 19 "
                              "ends at 23 (MT)\n");
}

static void provenance_has_names_sizes_and_sums_but_no_folders(void **state) {
    static const char expected[] =
        "program: gp-dist test\nsamples: 4\nvariants: 1\n"
        "source: a.fam, 48 bytes, md5 %s\nsource: a.bim, 12 bytes, md5 %s\n"
        "source: a.bed, 4 bytes, md5 %s\n";
    gp_err err = {0};
    gp_store *store = NULL;
    char text[1024], fam[33], bim[33], bed[33];
    (void)state;
    scratch_text("a.fam", "F A 0 0 1 1\nF B 0 0 1 1\nF C 0 0 1 1\nF D 0 0 1 1\n");
    scratch_text("a.bim", "1 x 0 1 A C\n");
    scratch_write("a.bed", "\x6c\x1b\1\x78", 4);
    import("a");
    gp_io_md5_file(scratch("a.fam"), fam, &err);
    gp_io_md5_file(scratch("a.bim"), bim, &err);
    gp_io_md5_file(scratch("a.bed"), bed, &err);
    snprintf(text, sizeof text, expected, fam, bim, bed);
    assert_int_equal(gp_store_open(&store, scratch("out.h5"), &err), GP_OK);
    assert_string_equal(gp_store_provenance(store), text);
    gp_store_close(store);
}

static void the_same_input_gives_the_same_bytes_compressed_or_not(void **state) {
    char first[2][33], again[33];
    (void)state;
    write_set("a", 65, interleaved);
    for (int k = 0; k < 4; k++) {
        gp_err err = {0};
        gp_import_result result = {0};
        import_with("a", (gp_import){.compress = k / 2 * 6}, &result, &err);
        assert_int_equal(err.code, GP_OK);
        assert_store(interleaved_listing, 65);
        gp_io_md5_file(scratch("out.h5"), k % 2 ? again : first[k / 2], &err);
        if (k % 2)
            assert_string_equal(again, first[k / 2]);
    }
}

static void dry_run_reports_and_writes_nothing(void **state) {
    gp_err err = {0};
    gp_import_result result = {0};
    (void)state;
    write_set("a", 5, interleaved);
    assert_int_equal(import_with("a", (gp_import){.dry_run = 1}, &result, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 3);
    assert_int_equal(result.samples, 5);
    assert_int_equal(result.variants, 8);
    assert_int_equal(result.chromosomes, 3);
    const char *head = "chromosome\tkind\tvariants\torder\n1\tautosome\t3\tto be sorted\n"
                       "2\tautosome\t3\tto be sorted\n3\tautosome\t2\tsorted\n"
                       "samples\t5\nvariants\t8\nstore\tabout ";
    assert_int_equal(strncmp(result.report.bytes, head, strlen(head)), 0);
    gp_import_result_free(&result);
}

/* ---- what goes wrong ---- */

/* Files of set "a" that are not as they should be; NULL = as they should be. */
typedef struct bad_set {
    const char *fam, *bim, *bed;
    size_t bed_bytes;
    const char *file, *message; /* how the error begins */
} bad_set;

static void bad_input_is_named_and_leaves_nothing(void **state) {
    static const bad_set bad[] = {
        {.fam = "", .file = "a.fam", .message = ": is empty"},
        {.fam = "F I\n", .file = "a.fam", .message = ":1: has 2 fields"},
        {.fam = "F A 0 0 1\nF A 0 0 1\n",
         .file = "a.fam",
         .message = ":2: sample 'F A' is listed twice, first on line 1"},
        {.bim = "", .file = "a.bim", .message = ": is empty"},
        {.bim = "1 v1 0 10 A\n", .file = "a.bim", .message = ":1: has 5 fields"},
        {.bim = "1 v1 0 10 A C\n1 v2 0 x A C\n",
         .file = "a.bim",
         .message = ":2: position 'x' is not a whole number"},
        {.bim = "1 v1 0 -10 A C\n1 v2 0 -1 A C\n",
         .file = "a.bim",
         .message = ": every variant has a negative position"},
        {.bim = "1/2 v1 0 10 A C\n1 v2 0 1 A C\n",
         .file = "a.bim",
         .message = ":1: '1/2' cannot name a chromosome"},
        {.bim = ".. v1 0 10 A C\n1 v2 0 1 A C\n",
         .file = "a.bim",
         .message = ":1: '..' cannot name a chromosome"},
        {.bed = "", .bed_bytes = 0, .file = "a.bed", .message = ": is empty"},
        {.bed = "PK\3\4\5\6\7", .bed_bytes = 7, .file = "a.bed", .message = ": is not a PLINK"},
        {.bed = "\x6c\x1b\0\1\2\3\4",
         .bed_bytes = 7,
         .file = "a.bed",
         .message = ": is sample-major"},
        {.bed = "\x6c\x1b\1\1\2\3",
         .bed_bytes = 6,
         .file = "a.bed",
         .message = ": holds 6 bytes, but 5 samples (.fam) and 2 variants (.bim) need 7"},
    };
    (void)state;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        gp_err err = {0};
        gp_import_result result = {0};
        char expected[1200];
        write_set("a", 5, "1 v1 0 10 A C\n1 v2 0 20 A C\n");
        scratch_write("out.h5", "\x89HDF\r\n\x1a\nolder", 13); /* may be replaced */
        if (bad[k].fam)
            scratch_text("a.fam", bad[k].fam);
        if (bad[k].bim)
            scratch_text("a.bim", bad[k].bim);
        if (bad[k].bed)
            scratch_write("a.bed", bad[k].bed, bad[k].bed_bytes);
        assert_int_equal(import_with("a", (gp_import){0}, &result, &err), GP_EINPUT);
        snprintf(expected, sizeof expected, "%s%s", scratch(bad[k].file), bad[k].message);
        if (strncmp(err.text, expected, strlen(expected)) != 0)
            fail_msg("got '%s', not '%s'", err.text, expected);
        assert_int_equal(scratch_entries(scratch_folder, 0), 4);
    }
}

static void a_missing_file_is_named(void **state) {
    static const char *const name[] = {"a.fam", "a.bim", "a.bed"};
    (void)state;
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        gp_import_result result = {0};
        char expected[1200];
        write_set("a", 5, "1 v1 0 10 A C\n");
        unlink(scratch(name[k]));
        assert_int_equal(import_with("a", (gp_import){0}, &result, &err), GP_EINPUT);
        snprintf(expected, sizeof expected, "%s: cannot be opened: No such file or directory",
                 scratch(name[k]));
        assert_string_equal(err.text, expected);
    }
}

static void sets_with_other_samples_are_rejected(void **state) {
    gp_err err = {0};
    gp_import_result result = {0};
    (void)state;
    write_set("a", 5, "1 v1 0 10 A C\n");
    write_set("b", 5, "2 v2 0 10 A C\n");
    scratch_text("b.fam", "F0 I0 0 0 0\nF0 I2 0 0 0\nF0 I1 0 0 0\nF1 I3 0 0 0\nF1 I4 0 0 0\n");
    assert_int_equal(import_with("a,b", (gp_import){0}, &result, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "b.fam:2: sample 'F0 I2' where "));
    assert_non_null(strstr(err.text, "a.fam has 'F0 I1'"));
}

static void empty_and_repeated_prefixes_are_rejected(void **state) {
    gp_err empty = {0}, twice = {0};
    gp_import_result result = {0};
    (void)state;
    write_set("a", 5, "1 v1 0 10 A C\n");
    assert_int_equal(import_with("a,a", (gp_import){0}, &result, &twice), GP_EINPUT);
    assert_non_null(strstr(twice.text, "is given twice"));
    gp_import ask = {.bfile = "a,,b", .out = scratch("out.h5")};
    assert_int_equal(gp_import_bfile(&ask, &result, &empty), GP_EINPUT);
    assert_string_equal(empty.text, "--bfile: an empty prefix; give PREFIX[,PREFIX...]");
}

static int never_called(void *context, const char *what, int64_t done, int64_t total) {
    (void)what, (void)done, (void)total;
    ++*(int *)context;
    return 0;
}

static void an_output_that_cannot_be_is_known_before_the_work(void **state) {
    static const char *const out[] = {"none/out.h5", "", "a.fam/out.h5", "a.fam"};
    static const char *const message[] = {"none: no file can be made", "is a directory",
                                          "a.fam: no file can be made",
                                          "a.fam: is there already and is no store"};
    (void)state;
    write_set("a", 5, "1 v1 0 10 A C\n");
    for (int k = 0; k < 4; k++) {
        gp_err err = {0};
        gp_import_result result = {0};
        int calls = 0;
        char path[600];
        snprintf(path, sizeof path, "%s", scratch(out[k]));
        gp_import ask = {.out = path, .watch = never_called, .context = &calls};
        assert_int_equal(import_with("a", ask, &result, &err), GP_EINPUT);
        assert_non_null(strstr(err.text, message[k]));
        assert_int_equal(calls, 0);
    }
}

/* Asks to stop at the k-th question. */
static int stop_at(void *context, const char *what, int64_t done, int64_t total) {
    int *left = context;
    (void)what, (void)done, (void)total;
    return --*left == 0;
}

static void a_signal_at_any_moment_stops_cleanly(void **state) {
    int k = 1;
    (void)state;
    write_long_set("a", 9, 20000);
    for (;; k++) {
        gp_err err = {0};
        gp_import_result result = {0};
        int left = k;
        gp_import ask = {.watch = stop_at, .context = &left};
        if (import_with("a", ask, &result, &err) == GP_OK)
            break;
        assert_int_equal(err.code, GP_ESTOP);
        assert_string_equal(err.text, "import: stopped by a signal; nothing was written; run the "
                                      "same command again");
        assert_int_equal(scratch_entries(scratch_folder, 0), 3);
    }
    assert_true(k > 10); /* questions were asked in every phase */
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    write_set("a", 5, interleaved);
    for (int64_t k = 1;; k++) {
        gp_err err = {0};
        gp_import_result result = {0};
        gp_mem_fail_at(k);
        int code = import_with("a", (gp_import){0}, &result, &err);
        gp_mem_fail_at(0);
        if (code == GP_OK)
            break;
        assert_int_equal(code, GP_EFAIL);
        assert_int_equal(scratch_entries(scratch_folder, 0), 3);
    }
    assert_store(interleaved_listing, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(negative_positions_are_left_out_and_0_stays, scratch_clear),
        cmocka_unit_test_teardown(repeated_ids_are_kept_with_a_warning, scratch_clear),
        cmocka_unit_test_teardown(unknown_ids_are_not_repeats, scratch_clear),
        cmocka_unit_test_teardown(human_numbers_are_sex_chromosomes_with_a_note, scratch_clear),
        cmocka_unit_test_teardown(numbers_above_26_make_all_autosomes, scratch_clear),
        cmocka_unit_test_teardown(autosome_num_says_which_numbers_are_sex_chromosomes,
                                  scratch_clear),
        cmocka_unit_test_teardown(provenance_has_names_sizes_and_sums_but_no_folders,
                                  scratch_clear),
        cmocka_unit_test_teardown(the_same_input_gives_the_same_bytes_compressed_or_not,
                                  scratch_clear),
        cmocka_unit_test_teardown(dry_run_reports_and_writes_nothing, scratch_clear),
        cmocka_unit_test_teardown(bad_input_is_named_and_leaves_nothing, scratch_clear),
        cmocka_unit_test_teardown(a_missing_file_is_named, scratch_clear),
        cmocka_unit_test_teardown(sets_with_other_samples_are_rejected, scratch_clear),
        cmocka_unit_test_teardown(empty_and_repeated_prefixes_are_rejected, scratch_clear),
        cmocka_unit_test_teardown(an_output_that_cannot_be_is_known_before_the_work, scratch_clear),
        cmocka_unit_test_teardown(a_signal_at_any_moment_stops_cleanly, scratch_clear),
        cmocka_unit_test_teardown(every_failing_allocation_is_survived, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
