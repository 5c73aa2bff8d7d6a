#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/part.h"
#include "io/sumstats.h"
#include "src/base/mem.h"

#include <fcntl.h>
#include <htslib/bgzf.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t random_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

static char folder[64], name[6][128];
static char *const table = name[0], *const index_path = name[1];

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/gp-sumstats.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    static const char *const file[] = {"t.tsv.gz", "t.tsv.gz.tbi", "a", "b", "c", "full"};
    for (int k = 0; k < 6; k++)
        snprintf(name[k], sizeof name[k], "%s/%s", folder, file[k]);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    for (int k = 0; k < 6; k++)
        unlink(name[k]);
    return rmdir(folder);
}

/* Text block b of a table of `blocks`: the header, or lines of chromosome 1 or 2. */
static void print_block(int b, int blocks, gp_text *text, int64_t *lines) {
    gp_err err = {0};
    uint64_t seed = (uint64_t)b;
    *lines = b == 0 ? 0 : b == 2 ? 3 : GP_TEXT_BLOCK;
    if (b == 0)
        gp_text_print(text, &err, "%s", gp_sumstat_header);
    for (int k = 0; k < *lines; k++) {
        gp_sumstat line = {.chromosome = 2 * b < blocks ? "1" : "2",
                           .position = 10000 * b + k,
                           .effect_allele = "A",
                           .other_allele = "C",
                           .id = ".",
                           .beta = (double)(random_bits(&seed) >> 11) * 0x1p-53,
                           .status = "OK"};
        assert_int_equal(gp_sumstat_print(&line, text, &err), GP_OK);
    }
}

/* Writes a table of text blocks in parts of `run` blocks each. Returns its lines. */
static int64_t write_table(int blocks, int run) {
    gp_err err = {0};
    gp_text text = {0};
    int64_t offset = 0, total = 0;
    for (int first = 0; first < blocks; first += run) {
        gp_part part;
        assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
        for (int b = first; b < first + run && b < blocks; b++) {
            int64_t lines = 0;
            print_block(b, blocks, &text, &lines);
            assert_int_equal(gp_part_append(&part, &text, lines, &err), GP_OK);
            assert_int_equal(text.length, 0);
        }
        if (first + run >= blocks)
            assert_int_equal(gp_part_end(&part, &err), GP_OK);
        assert_int_equal(gp_part_place(&part, table, offset, &err), GP_OK);
        offset += part.size;
        total += part.lines;
        gp_part_discard(&part);
        assert_int_equal(access(name[2], F_OK), -1);
    }
    gp_text_free(&text);
    return total;
}

static gp_text read_bytes(const char *path) {
    gp_err err = {0};
    gp_text text = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t n = 1; n > 0;) {
        char *to = gp_text_room(&text, 1 << 16, &err);
        n = fread(to, 1, 1 << 16, file);
        text.length += (int64_t)n;
    }
    fclose(file);
    return text;
}

enum { BLOCKS = 9 };

static void the_bytes_do_not_depend_on_the_number_of_parts(void **state) {
    (void)state;
    gp_text whole = {0};
    for (int run = BLOCKS; run > 0; run--) {
        assert_int_equal(write_table(BLOCKS, run), 7 * GP_TEXT_BLOCK + 3);
        gp_text bytes = read_bytes(table);
        if (run == BLOCKS) {
            whole = bytes;
        } else {
            assert_int_equal(bytes.length, whole.length);
            assert_memory_equal(bytes.bytes, whole.bytes, (size_t)whole.length);
            gp_text_free(&bytes);
        }
        unlink(table);
    }
    gp_text_free(&whole);
}

static void the_parts_together_hold_the_text(void **state) {
    (void)state;
    gp_text text = {0};
    for (int b = 0; b < BLOCKS; b++) {
        int64_t lines = 0;
        print_block(b, BLOCKS, &text, &lines);
    }
    write_table(BLOCKS, 2);
    char *got = malloc((size_t)text.length + 1);
    BGZF *file = bgzf_open(table, "r");
    assert_int_equal(bgzf_check_EOF(file), 1);
    assert_int_equal(bgzf_read(file, got, (size_t)text.length + 1), text.length);
    assert_memory_equal(got, text.bytes, (size_t)text.length);
    bgzf_close(file);
    free(got);
    gp_text_free(&text);
    char command[300];
    snprintf(command, sizeof command, "! command -v bgzip >/dev/null || bgzip -t %s", table);
    assert_int_equal(system(command), 0);
    unlink(table);
}

static void text_is_cut_every_65280_bytes(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part;
    gp_text text = {0};
    enum { PIECE = 65280, SIZE = 2 * PIECE + 1 };
    uint64_t seed = 5;
    char *to = gp_text_room(&text, SIZE, &err);
    for (int k = 0; k < SIZE; k++) /* nothing can compress it */
        to[k] = (char)(random_bits(&seed) >> 40);
    text.length = SIZE;
    assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
    gp_part_append(&part, &text, 0, &err);
    gp_part_end(&part, &err);
    static const uint32_t expected[] = {PIECE, PIECE, 1, 0};
    gp_text bytes = read_bytes(name[2]);
    const unsigned char *at = (const unsigned char *)bytes.bytes;
    for (int k = 0; k < 4; k++) {
        int size = 1 + (at[16] | at[17] << 8); /* BSIZE, SAM specification 4.1 */
        assert_int_equal(at[size - 4] | at[size - 3] << 8 | at[size - 2] << 16, expected[k]);
        at += size;
    }
    assert_ptr_equal(at, bytes.bytes + bytes.length);
    gp_text_free(&bytes);
    gp_text_free(&text);
    gp_part_discard(&part);
}

static void the_end_is_the_marker_of_the_specification(void **state) {
    (void)state;
    static const char marker[] = "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0\x42\x43\x02\0\x1b\0\x03\0\0"
                                 "\0\0\0\0\0\0"; /* 28 bytes with the terminating zero; 4.1.2 */
    gp_err err = {0};
    gp_part part;
    assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
    assert_int_equal(gp_part_end(&part, &err), GP_OK);
    gp_text bytes = read_bytes(name[2]);
    assert_int_equal(bytes.length, sizeof marker);
    assert_memory_equal(bytes.bytes, marker, sizeof marker);
    gp_text_free(&bytes);
    gp_part_discard(&part);
}

static void parts_are_private_and_the_table_follows_umask(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part;
    struct stat st;
    mode_t old = umask(027);
    assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
    gp_part_end(&part, &err);
    gp_part_place(&part, table, 0, &err);
    umask(old);
    stat(name[2], &st);
    assert_int_equal(st.st_mode & 0777, 0600);
    stat(table, &st);
    assert_int_equal(st.st_mode & 0777, 0640);
    gp_part_discard(&part);
    unlink(table);
}

static void discarding_nothing_is_fine(void **state) {
    (void)state;
    gp_part part = {0};
    gp_part_discard(&part);
    assert_int_equal(fcntl(0, F_GETFD) == -1, 0); /* standard input is still open */
}

/* ---- faults ---- */

static void a_full_disk_is_told_with_the_path(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0 || symlink("/dev/full", name[5]) != 0)
        skip();
    gp_err err = {0};
    gp_part part;
    gp_text text = {0};
    char expected[300];
    gp_text_print(&text, &err, "text\n");
    assert_int_equal(gp_part_open(&part, name[5], &err), GP_OK);
    assert_int_equal(gp_part_append(&part, &text, 1, &err), GP_EFAIL);
    snprintf(expected, sizeof expected,
             "%s: cannot be written: No space left on device; make room there, then give the same "
             "command again",
             name[5]);
    assert_string_equal(err.text, expected);
    gp_part_discard(&part); /* removes the link, not what it points at */
    assert_int_equal(access("/dev/full", W_OK), 0);

    assert_int_equal(symlink("/dev/full", name[5]), 0);
    err = (gp_err){0};
    assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
    gp_part_end(&part, &err);
    assert_int_equal(gp_part_place(&part, name[5], 0, &err), GP_EFAIL);
    assert_string_equal(err.text, expected);
    gp_part_discard(&part);
    unlink(name[5]);
    gp_text_free(&text);
}

static void a_part_that_was_cut_short_is_noticed(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part;
    assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
    gp_part_end(&part, &err);
    assert_int_equal(truncate(name[2], 20), 0);
    assert_int_equal(gp_part_place(&part, table, 0, &err), GP_EFAIL);
    assert_non_null(strstr(err.text, "it was cut short"));
    gp_part_discard(&part);
    unlink(table);
}

static void a_directory_that_is_not_there_is_told(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part;
    assert_int_equal(gp_part_open(&part, "/nowhere/at/all", &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "/nowhere/at/all: cannot be made: No such file"));
    gp_part_discard(&part);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int64_t k = 0;
    for (int failed = 1; failed;) {
        gp_err err = {0};
        gp_text text = {0};
        gp_part part = {0};
        gp_mem_fail_at(++k);
        if (gp_text_print(&text, &err, "text\n") == GP_OK &&
            gp_part_open(&part, name[2], &err) == GP_OK &&
            gp_part_append(&part, &text, 1, &err) == GP_OK)
            gp_part_place(&part, table, 0, &err);
        gp_mem_fail_at(0);
        failed = err.code != GP_OK;
        if (failed)
            assert_int_equal(err.code, GP_EFAIL);
        gp_part_discard(&part);
        gp_text_free(&text);
        unlink(table);
    }
    assert_int_equal(k, 4); /* the text, the path, the copy's buffer; then all is well */
}

/* ---- the index ---- */

static int count_hits(const char *region) {
    tbx_t *index = tbx_index_load2(table, index_path);
    htsFile *file = hts_open(table, "r");
    assert_non_null(index);
    hts_itr_t *it = tbx_itr_querys(index, region);
    kstring_t line = {0};
    int hits = 0;
    while (it != NULL && tbx_itr_next(file, index, it, &line) >= 0)
        hits++;
    free(line.s);
    tbx_itr_destroy(it);
    hts_close(file);
    tbx_destroy(index);
    return hits;
}

static void the_index_counts_and_finds_all_lines(void **state) {
    (void)state;
    for (int csi = 0; csi <= 1; csi++) {
        gp_err err = {0};
        int64_t lines = 0, written = write_table(BLOCKS, 2);
        assert_int_equal(gp_sumstats_index(table, index_path, csi, &lines, &err), GP_OK);
        assert_int_equal(lines, written);
        assert_int_equal(count_hits("1:10000-10000"), 1);
        assert_int_equal(count_hits("1:11000-30001"), 24 + 3 + 2); /* of blocks 1, 2 and 3 */
        assert_int_equal(count_hits("2"), 4 * GP_TEXT_BLOCK);
        assert_int_equal(count_hits("3"), 0);
        unlink(index_path);
        unlink(table);
    }
}

/* Makes a table of the header and one text. */
static void write_text(const char *lines) {
    gp_err err = {0};
    gp_text text = {0};
    gp_part part;
    assert_int_equal(gp_part_open(&part, name[2], &err), GP_OK);
    gp_text_print(&text, &err, "%s%s", gp_sumstat_header, lines);
    gp_part_append(&part, &text, 1, &err);
    gp_part_end(&part, &err);
    assert_int_equal(gp_part_place(&part, table, 0, &err), GP_OK);
    gp_part_discard(&part);
    gp_text_free(&text);
}

static void far_positions_need_the_csi_form(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t lines = 0;
    write_text("1\t536870912\tA\n1\t1000000000\tA\n");
    assert_int_equal(gp_sumstats_index(table, index_path, 0, &lines, &err), GP_EFAIL);
    assert_int_equal(access(index_path, F_OK), -1);
    err = (gp_err){0};
    assert_int_equal(gp_sumstats_index(table, index_path, 1, &lines, &err), GP_OK);
    assert_int_equal(lines, 2);
    assert_int_equal(count_hits("1:1000000000-1000000000"), 1);
    unlink(index_path);
    unlink(table);
}

static void a_table_without_a_line_has_an_index_of_none(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t lines = 7;
    write_text("");
    assert_int_equal(gp_sumstats_index(table, index_path, 0, &lines, &err), GP_OK);
    assert_int_equal(lines, 0);
    unlink(index_path);
    unlink(table);
}

static void a_table_that_is_not_whole_gets_no_index(void **state) {
    (void)state;
    struct stat st;
    gp_err err[4] = {{0}};
    int64_t lines = 0;
    assert_int_equal(gp_sumstats_index(table, index_path, 0, &lines, &err[0]), GP_EFAIL);
    write_text("1\t20\tA\n1\t10\tA\n");
    assert_int_equal(gp_sumstats_index(table, index_path, 0, &lines, &err[1]), GP_EFAIL);
    assert_non_null(strstr(err[1].text, "not sorted"));
    stat(table, &st);
    assert_int_equal(truncate(table, st.st_size - 28), 0);
    assert_int_equal(gp_sumstats_index(table, index_path, 0, &lines, &err[2]), GP_EFAIL);
    assert_non_null(strstr(err[2].text, "cut short"));
    assert_int_equal(access(index_path, F_OK), -1);
    unlink(table);
    write_text("1\t10\tA\n");
    assert_int_equal(gp_sumstats_index(table, "/nowhere/at/all", 0, &lines, &err[3]), GP_EFAIL);
    assert_non_null(strstr(err[3].text, "/nowhere/at/all: cannot be written"));
    unlink(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_do_not_depend_on_the_number_of_parts),
        cmocka_unit_test(the_parts_together_hold_the_text),
        cmocka_unit_test(text_is_cut_every_65280_bytes),
        cmocka_unit_test(the_end_is_the_marker_of_the_specification),
        cmocka_unit_test(parts_are_private_and_the_table_follows_umask),
        cmocka_unit_test(discarding_nothing_is_fine),
        cmocka_unit_test(a_full_disk_is_told_with_the_path),
        cmocka_unit_test(a_part_that_was_cut_short_is_noticed),
        cmocka_unit_test(a_directory_that_is_not_there_is_told),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_index_counts_and_finds_all_lines),
        cmocka_unit_test(far_positions_need_the_csi_form),
        cmocka_unit_test(a_table_without_a_line_has_an_index_of_none),
        cmocka_unit_test(a_table_that_is_not_whole_gets_no_index),
    };
    return cmocka_run_group_tests_name("io.part", tests, make_folder, remove_folder);
}
