#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/part.h"
#include "io/tabix.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <htslib/bgzf.h>
#include <htslib/hts.h>
#include <htslib/hts_log.h>
#include <htslib/kstring.h>
#include <htslib/tbx.h>

static gp_pack *pack;

static uint64_t random_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

/* ---- tables ---- */

/* A table of chromosomes 1, 2, ... with so many lines each, `step` bases apart on average (0: many
 * at one position), in parts of random size; blocks of text of up to `block` lines. */
typedef struct shape {
    int chromosomes, lines, parts, block, wide; /* wide: bytes of an allele */
    int64_t start, step;
} shape;

static void print_lines(const shape *s, int chromosome, int *line, int64_t *position,
                        uint64_t *seed, gp_text *text) {
    gp_err err = {0};
    int count = 1 + (int)(random_bits(seed) >> 40) % s->block;
    for (int k = 0; k < count && *line < s->lines; k++, ++*line) {
        gp_text_print(text, &err, "%s%d\t%lld\t%*s\t%llu\n", chromosome % 2 ? "chr" : "",
                      chromosome, (long long)*position, s->wide, "A",
                      (unsigned long long)random_bits(seed));
        *position += s->step > 0 && random_bits(seed) % 3 > 0
                         ? (int64_t)(random_bits(seed) >> 20) % (2 * s->step)
                         : 0;
    }
    assert_int_equal(err.code, GP_OK);
}

/* Writes the table to scratch "t.gz" and the messages of its parts. Returns the bytes before the
 * end-of-file marker. */
static int64_t write_table(const shape *s, gp_text *runs) {
    gp_err err = {0};
    gp_part part[8] = {{0}};
    gp_text text = {0};
    uint64_t seed = 5;
    int64_t offset = 0;
    int chromosome = 1, line = 0;
    int64_t position = s->start;
    for (int p = 0; p < s->parts; p++) {
        assert_int_equal(gp_part_open(&part[p], scratch(p == 0 ? "first" : "more"), p == 0, &err),
                         0);
        if (p == 0) {
            gp_text_print(&text, &err, "chromosome\tposition\tallele\n");
            gp_part_add_header(&part[p], &text, pack, &err);
        }
        /* The last part holds all that is left. */
        for (int64_t blocks = 0; chromosome <= s->chromosomes &&
                                 (p == s->parts - 1 || blocks < s->chromosomes * (int64_t)s->lines /
                                                                    s->block / s->parts);
             blocks++) {
            print_lines(s, chromosome, &line, &position, &seed, &text);
            assert_int_equal(gp_part_append(&part[p], &text, pack, 1, &err), GP_OK);
            if (line == s->lines) {
                chromosome++;
                line = 0;
                position = s->start;
            }
        }
        if (p == s->parts - 1)
            gp_part_end(&part[p], &err);
        if (p > 0)
            gp_part_place(&part[p], scratch("first"), offset, &err);
        assert_int_equal(gp_runs_print(&part[p].runs, offset, runs, &err), GP_OK);
        offset += part[p].size;
        if (p > 0)
            gp_part_discard(&part[p]);
    }
    assert_int_equal(err.code, GP_OK);
    assert_int_equal(rename(scratch("first"), scratch("t.gz")), 0);
    gp_part_discard(&part[0]);
    gp_text_free(&text);
    return offset - GP_PART_END;
}

/* ---- what an index says ---- */

typedef struct reading {
    const unsigned char *at;
} reading;

static uint64_t take(reading *r, int bytes) {
    uint64_t x = 0;
    for (int k = 0; k < bytes; k++)
        x |= (uint64_t)r->at[k] << (8 * k);
    r->at += bytes;
    return x;
}

static int by_bin(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Copies an index with its bins in ascending order. htslib's stand in the order of a hash table. */
static gp_text in_order(const gp_text *index) {
    enum { WORDS = 8 };
    gp_err err = {0};
    gp_text sorted = {0};
    reading r = {(const unsigned char *)index->bytes};
    int csi = memcmp(r.at, "CSI\1", 4) == 0;
    int64_t chromosomes;
    if (csi) {
        r.at += 12;
        r.at += 4 + take(&(reading){r.at}, 4);
        chromosomes = (int64_t)take(&r, 4);
    } else {
        r.at += 4;
        chromosomes = (int64_t)take(&r, 4);
        r.at += 28 + take(&(reading){r.at + 24}, 4);
    }
    gp_text_add(&sorted, index->bytes, (const char *)r.at - index->bytes, &err);
    for (int64_t c = 0; c < chromosomes; c++) {
        uint64_t bins = take(&r, 4);
        uint64_t(*bin)[WORDS] = calloc(bins + 1, sizeof *bin);
        for (uint64_t k = 0; k < bins; k++) {
            bin[k][0] = take(&r, 4);
            bin[k][1] = csi ? take(&r, 8) : 0;
            bin[k][2] = take(&r, 4);
            assert_in_range(bin[k][2], 1, 2);
            for (uint64_t w = 0; w < 2 * bin[k][2]; w++)
                bin[k][3 + w] = take(&r, 8);
        }
        qsort(bin, bins, sizeof *bin, by_bin);
        gp_text_add(&sorted, (const char *)bin, (int64_t)(bins * sizeof *bin), &err);
        free(bin);
        if (!csi) {
            uint64_t windows = take(&r, 4);
            gp_text_add(&sorted, (const char *)r.at - 4, (int64_t)(4 + 8 * windows), &err);
            r.at += 8 * windows;
        }
    }
    gp_text_add(&sorted, (const char *)r.at, 8, &err);
    assert_ptr_equal(r.at + 8, index->bytes + index->length);
    return sorted;
}

static gp_text read_bgzf(const char *path) {
    gp_err err = {0};
    gp_text text = {0};
    BGZF *file = bgzf_open(path, "r");
    assert_non_null(file);
    assert_int_equal(bgzf_check_EOF(file), 1);
    for (ssize_t n = 1; n > 0;) {
        char *to = gp_text_room(&text, 1 << 16, &err);
        n = bgzf_read(file, to, 1 << 16);
        assert_true(n >= 0);
        text.length += n;
    }
    bgzf_close(file);
    return text;
}

static const tbx_conf_t columns = {
    .preset = TBX_GENERIC, .sc = 1, .bc = 2, .ec = 2, .meta_char = '#', .line_skip = 1};

/* htslib reads the table back and makes its index: both must say the same. */
static void check(const shape *s, int csi) {
    gp_err err = {0};
    gp_text runs = {0}, index = {0}, packed = {0};
    int64_t lines = 0, end = write_table(s, &runs);
    assert_int_equal(gp_tabix_print(&runs, end, csi, &index, &lines, &err), GP_OK);
    assert_int_equal(lines, (int64_t)s->chromosomes * s->lines);
    assert_int_equal(tbx_index_build3(scratch("t.gz"), scratch("t.idx"), csi ? 14 : 0, 0, &columns),
                     0);
    gp_text theirs = read_bgzf(scratch("t.idx"));
    gp_text a = in_order(&index), b = in_order(&theirs);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.bytes, b.bytes, (size_t)a.length);
    /* And ours survives its compression. */
    assert_int_equal(gp_pack_file(pack, &index, &packed, &err), GP_OK);
    scratch_write("t.idx", packed.bytes, (size_t)packed.length);
    gp_text again = read_bgzf(scratch("t.idx"));
    assert_int_equal(again.length, index.length);
    assert_memory_equal(again.bytes, index.bytes, (size_t)index.length);
    gp_text *const all[] = {&runs, &index, &packed, &theirs, &a, &b, &again};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        gp_text_free(all[k]);
    scratch_entries(scratch_folder, 1);
}

static void the_index_is_the_one_that_htslib_makes(void **state) {
    (void)state;
    static const shape shapes[] = {
        {.chromosomes = 3, .lines = 4000, .parts = 1, .block = 1024, .start = 1, .step = 300},
        {.chromosomes = 5, .lines = 3000, .parts = 4, .block = 1024, .start = 77777, .step = 60},
        {.chromosomes = 22, .lines = 100, .parts = 3, .block = 7, .start = 1000000, .step = 900000},
        {.chromosomes = 2, .lines = 2000, .parts = 2, .block = 500, .start = 16384, .step = 0},
        {.chromosomes = 1, .lines = 9000, .parts = 5, .block = 3, .start = 0, .step = 9},
        {.chromosomes = 2, .lines = 3000, .parts = 2, .block = 1024, .wide = 900, .step = 5000},
        {.chromosomes = 3, .lines = 20, .parts = 1, .block = 9, .wide = 90000, .step = 5000},
        {.chromosomes = 2, .lines = 1, .parts = 3, .block = 1, .start = 5},
        {.chromosomes = 1, .lines = 1, .parts = 1, .block = 1, .start = 536870912},
        {.chromosomes = 0, .lines = 0, .parts = 2, .block = 1},
    };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        for (int csi = 0; csi <= 1; csi++)
            check(&shapes[k], csi);
}

static void far_positions_need_the_csi_form(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text runs = {0}, index = {0};
    int64_t lines = 0;
    const shape far = {.chromosomes = 2,
                       .lines = 500,
                       .parts = 2,
                       .block = 100,
                       .start = 536870913,
                       .step = 3000000};
    check(&far, 1);
    int64_t end = write_table(&far, &runs);
    assert_int_equal(gp_tabix_print(&runs, end, 0, &index, &lines, &err), GP_EFAIL);
    assert_non_null(strstr(err.text, "too large for tbi"));
    gp_text_free(&runs);
    gp_text_free(&index);
}

/* A line may end exactly where its block does: the next begins in the next block. */
static void lines_that_end_with_their_block_are_found(void **state) {
    (void)state;
    gp_err err = {0};
    gp_part part = {0};
    gp_text text = {0}, runs = {0}, index = {0};
    int64_t lines = 0;
    assert_int_equal(gp_part_open(&part, scratch("t.gz"), 1, &err), GP_OK);
    gp_text_print(&text, &err, "header\n");
    gp_part_add_header(&part, &text, pack, &err);
    for (int k = 0; k < 2 * GP_PART_PIECE / 64; k++) /* lines of 64 bytes, 20,000 bases apart */
        gp_text_print(&text, &err, "1\t%9d\t%51s\n", 100000000 + 20000 * k, "A");
    assert_int_equal(text.length, 2 * GP_PART_PIECE);
    assert_int_equal(gp_part_append(&part, &text, pack, 1, &err), GP_OK);
    gp_part_end(&part, &err);
    gp_runs_print(&part.runs, 0, &runs, &err);
    assert_int_equal(gp_tabix_print(&runs, part.size - GP_PART_END, 0, &index, &lines, &err),
                     GP_OK);
    assert_int_equal(tbx_index_build3(scratch("t.gz"), scratch("t.idx"), 0, 0, &columns), 0);
    gp_text theirs = read_bgzf(scratch("t.idx")), a = in_order(&index), b = in_order(&theirs);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.bytes, b.bytes, (size_t)a.length);
    gp_text *const all[] = {&text, &runs, &index, &theirs, &a, &b};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        gp_text_free(all[k]);
    gp_part_discard(&part);
}

static void tabix_finds_lines_by_our_index(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text runs = {0}, index = {0}, packed = {0};
    const shape s = {
        .chromosomes = 3, .lines = 4000, .parts = 2, .block = 1024, .start = 1, .step = 300};
    for (int csi = 0; csi <= 1; csi++) {
        runs.length = index.length = packed.length = 0;
        int64_t lines = 0, end = write_table(&s, &runs);
        gp_tabix_print(&runs, end, csi, &index, &lines, &err);
        gp_pack_file(pack, &index, &packed, &err);
        assert_int_equal(err.code, GP_OK);
        scratch_write("t.idx", packed.bytes, (size_t)packed.length);
        tbx_t *tbx = tbx_index_load2(scratch("t.gz"), scratch("t.idx"));
        htsFile *file = hts_open(scratch("t.gz"), "r");
        assert_non_null(tbx);
        static const char *const region[] = {"chr1", "2", "chr3", "4"};
        static const int expected[] = {4000, 4000, 4000, 0};
        for (int k = 0; k < 4; k++) {
            hts_itr_t *it = tbx_itr_querys(tbx, region[k]);
            kstring_t line = {0};
            int hits = 0;
            while (it != NULL && tbx_itr_next(file, tbx, it, &line) >= 0)
                hits++;
            free(line.s);
            tbx_itr_destroy(it);
            assert_int_equal(hits, expected[k]);
        }
        hts_close(file);
        tbx_destroy(tbx);
    }
    gp_text_free(&runs);
    gp_text_free(&index);
    gp_text_free(&packed);
}

/* ---- faults ---- */

/* A message of one part: runs of one line each at these places. */
static gp_text message(const char *const *lines, int count) {
    gp_err err = {0};
    gp_text runs = {0};
    for (int k = 0; k < count; k++) {
        gp_runs r = {0};
        gp_runs_block block = {.end = (int64_t)strlen(lines[k]), .block = 50 * k};
        int64_t from = 0;
        assert_int_equal(gp_runs_add(&r, lines[k], block.end, &block, &from, &err), GP_OK);
        assert_int_equal(gp_runs_print(&r, 100 * k, &runs, &err), GP_OK);
        gp_runs_free(&r);
    }
    return runs;
}

static void parts_out_of_order_are_told(void **state) {
    (void)state;
    static const char *const lines[][3] = {{"1\t40000\tA\n", "1\t100\tA\n", "2\t1\tA\n"},
                                           {"1\t100\tA\n", "2\t1\tA\n", "1\t40000\tA\n"}};
    for (int k = 0; k < 2; k++) {
        gp_err err = {0};
        gp_text runs = message(lines[k], 3), index = {0};
        int64_t count = 0;
        assert_int_equal(gp_tabix_print(&runs, 1000, 0, &index, &count, &err), GP_EFAIL);
        assert_non_null(strstr(err.text, "not sorted"));
        gp_text_free(&runs);
        gp_text_free(&index);
    }
}

static void damaged_runs_are_told(void **state) {
    (void)state;
    static const char *const lines[] = {"chr1\t40000\tA\n", "chr2\t1000000\tA\n"};
    gp_text runs = message(lines, 2), index = {0};
    for (int64_t length = runs.length - 1; length > 0; length--) {
        gp_err err = {0};
        int64_t count = 0, whole = runs.length;
        char *copy = malloc((size_t)length); /* so that reading beyond is seen */
        memcpy(copy, runs.bytes, (size_t)length);
        gp_text cut = {.bytes = copy, .length = length};
        index.length = 0;
        int code = gp_tabix_print(&cut, 1000, 0, &index, &count, &err);
        assert_true(code == GP_EFAIL || count < 2);
        assert_int_equal(runs.length, whole);
        free(copy);
    }
    gp_text_free(&runs);
    gp_text_free(&index);
}

static int print_small_index(void *context, gp_err *err) {
    gp_text index = {0}, packed = {0};
    int64_t lines = 0;
    if (gp_tabix_print(context, 1000, 0, &index, &lines, err) == GP_OK)
        gp_pack_file(pack, &index, &packed, err);
    gp_text_free(&index);
    gp_text_free(&packed);
    return err->code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static const char *const lines[] = {"1\t40000\tA\n", "1\t1000000\tA\n", "2\t5\tA\n"};
    gp_text runs = message(lines, 3);
    assert_true(gp_test_fail_each(print_small_index, &runs) > 5);
    gp_text_free(&runs);
}

static int make(void **state) {
    gp_err err = {0};
    pack = gp_packs_new(1, &err);
    hts_set_log_level(HTS_LOG_OFF);
    return pack == NULL || scratch_make(state) != 0;
}

static int clean(void **state) {
    gp_packs_free(pack, 1);
    return scratch_remove(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_index_is_the_one_that_htslib_makes, scratch_clear),
        cmocka_unit_test_teardown(far_positions_need_the_csi_form, scratch_clear),
        cmocka_unit_test_teardown(lines_that_end_with_their_block_are_found, scratch_clear),
        cmocka_unit_test_teardown(tabix_finds_lines_by_our_index, scratch_clear),
        cmocka_unit_test(parts_out_of_order_are_told),
        cmocka_unit_test(damaged_runs_are_told),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("io.tabix", tests, make, clean);
}
