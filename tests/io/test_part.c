#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/part.h"
#include "tests/support/fail_alloc.h"

#include <fcntl.h>
#include <htslib/bgzf.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t random_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

enum { BLOCKS = 9, THREADS = 2 };

static gp_pack *packs; /* [THREADS] */
static const char header[] = "chromosome\tbase_pair_location\teffect_allele\n";

static char folder[64], name[6][128];
static char *const table = name[0];

static int make_folder(void **state) {
    (void)state;
    gp_err err = {0};
    packs = gp_packs_new(THREADS, &err);
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
    gp_packs_free(packs, THREADS);
    for (int k = 0; k < 6; k++)
        unlink(name[k]);
    return rmdir(folder);
}

/* Text block b >= 1 of a table of `blocks`: lines of chromosome 1 or 2. */
static void print_block(int b, int blocks, gp_text *text) {
    gp_err err = {0};
    uint64_t seed = (uint64_t)b;
    int lines = b == 2 ? 3 : GP_TEXT_BLOCK;
    for (int k = 0; k < lines; k++)
        gp_text_print(text, &err, "%d\t%d\tA\tC\t%.9g\t0.25\t1e-300\t20000\trs%d\tOK\n",
                      2 * b < blocks ? 1 : 2, 10000 * b + k,
                      (double)(random_bits(&seed) >> 11) * 0x1p-53, k);
    assert_int_equal(err.code, GP_OK);
}

/* Adds blocks [first, end) to a part; block 0 is the header. */
static void fill_part(gp_part *part, int first, int end, int blocks, int threads) {
    gp_err err = {0};
    gp_text text = {0};
    for (int b = first; b < end; b++) {
        if (b == 0) {
            gp_text_print(&text, &err, "%s", header);
            assert_int_equal(gp_part_add_header(part, &text, packs, &err), GP_OK);
        } else {
            print_block(b, blocks, &text);
            assert_int_equal(gp_part_append(part, &text, packs, threads, &err), GP_OK);
        }
        assert_int_equal(text.length, 0);
    }
    gp_text_free(&text);
}

/* Writes a table of text blocks in parts of `run` blocks each. Returns its lines. */
static int64_t write_table(int blocks, int run, int threads) {
    gp_err err = {0};
    gp_part part[BLOCKS] = {{0}};
    int64_t offset = 0, total = 0;
    int parts = 0;
    for (int first = 0; first < blocks; first += run, parts++) {
        gp_part *p = &part[parts];
        assert_int_equal(gp_part_open(p, name[first == 0 ? 2 : 3], first == 0, &err), GP_OK);
        fill_part(p, first, first + run < blocks ? first + run : blocks, blocks, threads);
        if (first + run >= blocks)
            assert_int_equal(gp_part_end(p, &err), GP_OK);
        if (first > 0)
            assert_int_equal(gp_part_place(p, name[2], offset, &err), GP_OK);
        offset += p->size;
        total += p->runs.lines;
        if (first > 0)
            gp_part_discard(p);
    }
    assert_int_equal(rename(name[2], table), 0);
    gp_part_discard(&part[0]);
    assert_int_equal(access(table, F_OK), 0);
    assert_int_equal(access(name[3], F_OK), -1);
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

static void the_bytes_do_not_depend_on_parts_or_threads(void **state) {
    (void)state;
    gp_text whole = {0};
    for (int run = BLOCKS; run > 0; run--) {
        assert_int_equal(write_table(BLOCKS, run, 1 + run % THREADS), 7 * GP_TEXT_BLOCK + 3);
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
    gp_err err = {0};
    gp_text_print(&text, &err, "%s", header);
    for (int b = 1; b < BLOCKS; b++)
        print_block(b, BLOCKS, &text);
    write_table(BLOCKS, 2, 1);
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
    assert_int_equal(gp_part_open(&part, name[2], 0, &err), GP_OK);
    gp_part_add_header(&part, &text, packs, &err);
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
    assert_int_equal(gp_part_open(&part, name[2], 0, &err), GP_OK);
    assert_int_equal(gp_part_end(&part, &err), GP_OK);
    gp_text bytes = read_bytes(name[2]);
    assert_int_equal(bytes.length, sizeof marker);
    assert_memory_equal(bytes.bytes, marker, sizeof marker);
    gp_text_free(&bytes);
    gp_part_discard(&part);
}

static void parts_are_private_and_the_first_follows_umask(void **state) {
    (void)state;
    gp_err err = {0};
    mode_t old = umask(027);
    for (int whole = 0; whole <= 1; whole++) {
        gp_part part;
        struct stat st;
        assert_int_equal(gp_part_open(&part, name[2], whole, &err), GP_OK);
        assert_int_equal(stat(name[2], &st), 0);
        assert_int_equal(st.st_mode & 0777, whole ? 0640 : 0600);
        gp_part_discard(&part);
    }
    umask(old);
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
    gp_text_print(&text, &err, "1\t10\tA\n");
    assert_int_equal(gp_part_open(&part, name[5], 0, &err), GP_OK);
    assert_int_equal(gp_part_append(&part, &text, packs, 1, &err), GP_EFAIL);
    snprintf(expected, sizeof expected,
             "%s: cannot be written: No space left on device; make room there, then give the same "
             "command again",
             name[5]);
    assert_string_equal(err.text, expected);
    gp_part_discard(&part); /* removes the link, not what it points at */
    assert_int_equal(access("/dev/full", W_OK), 0);

    assert_int_equal(symlink("/dev/full", name[5]), 0);
    err = (gp_err){0};
    assert_int_equal(gp_part_open(&part, name[2], 0, &err), GP_OK);
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
    assert_int_equal(gp_part_open(&part, name[2], 0, &err), GP_OK);
    gp_part_end(&part, &err);
    assert_int_equal(truncate(name[2], 20), 0);
    fclose(fopen(table, "wb"));
    assert_int_equal(gp_part_place(&part, table, 0, &err), GP_EFAIL);
    assert_non_null(strstr(err.text, "it was cut short"));
    gp_part_discard(&part);
    unlink(table);
}

static void a_directory_that_is_not_there_is_told(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part;
    assert_int_equal(gp_part_open(&part, "/nowhere/at/all", 0, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "/nowhere/at/all: cannot be made: No such file"));
    gp_part_discard(&part);
}

static void a_table_that_nobody_began_is_told(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part;
    assert_int_equal(gp_part_open(&part, name[2], 0, &err), GP_OK);
    assert_int_equal(gp_part_place(&part, table, 0, &err), GP_EFAIL);
    assert_non_null(strstr(err.text, "cannot be written: No such file"));
    gp_part_discard(&part);
}

static void lines_that_cannot_be_indexed_are_told(void **state) {
    (void)state;
    static const char *const text[] = {
        "1\t20\tA\n1\t10\tA\n",        "1\tten\tA\n", "1\n", "\t1\tA\n", "1\t\tA\n",
        "1\t99999999999999999999\tA\n"};
    for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
        gp_err err = {0};
        gp_part part;
        gp_text lines = {0};
        gp_text_print(&lines, &err, "%s", text[k]);
        assert_int_equal(gp_part_open(&part, name[2], 0, &err), GP_OK);
        assert_int_equal(gp_part_append(&part, &lines, packs, 1, &err), GP_EFAIL);
        assert_non_null(strstr(err.text, k == 0 ? "not sorted" : "no chromosome and position"));
        gp_part_discard(&part);
        gp_text_free(&lines);
    }
}

static int write_small_table(void *context, gp_err *err) {
    (void)context;
    gp_text text = {0};
    gp_part part = {0}, second = {0};
    gp_pack *pack = gp_packs_new(1, err);
    if (pack != NULL && gp_text_print(&text, err, "1\t10\tA\n") == GP_OK &&
        gp_part_open(&part, name[2], 1, err) == GP_OK &&
        gp_part_append(&part, &text, pack, 1, err) == GP_OK &&
        gp_part_open(&second, name[3], 0, err) == GP_OK && gp_part_end(&second, err) == GP_OK)
        gp_part_place(&second, name[2], part.size, err);
    gp_part_discard(&part);
    gp_part_discard(&second);
    gp_packs_free(pack, 1);
    gp_text_free(&text);
    return err->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    /* The pack, the text, two paths, the runs, the finished blocks, the copy's buffer. */
    assert_int_equal(gp_test_fail_each(write_small_table, NULL), 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_do_not_depend_on_parts_or_threads),
        cmocka_unit_test(the_parts_together_hold_the_text),
        cmocka_unit_test(text_is_cut_every_65280_bytes),
        cmocka_unit_test(the_end_is_the_marker_of_the_specification),
        cmocka_unit_test(parts_are_private_and_the_first_follows_umask),
        cmocka_unit_test(discarding_nothing_is_fine),
        cmocka_unit_test(a_full_disk_is_told_with_the_path),
        cmocka_unit_test(a_part_that_was_cut_short_is_noticed),
        cmocka_unit_test(a_directory_that_is_not_there_is_told),
        cmocka_unit_test(a_table_that_nobody_began_is_told),
        cmocka_unit_test(lines_that_cannot_be_indexed_are_told),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.part", tests, make_folder, remove_folder);
}
