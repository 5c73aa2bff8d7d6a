/* Tables read back by stretches of the genome, against all of their lines; their metadata; damage;
 * refused memory. */
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
#include "io/sumstats.h"
#include "io/sumstats_read.h"
#include "io/tabix.h"
#include "src/base/split.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <unistd.h>

enum { MOST = 6000 };

static gp_pack *pack;

/* ---- tables ---- */

/* A line of the table as written. */
static struct made {
    char chromosome[8];
    int64_t position;
    int number;
} made[MOST];
static int lines_made;

static uint64_t random_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

static void print_line(int k, gp_text *text) {
    gp_err err = {0};
    gp_text_print(text, &err, "%s\t%lld\trs%d\t%s\t%d\n", made[k].chromosome,
                  (long long)made[k].position, k, k % 7 == 0 ? "" : "A", made[k].number);
    assert_int_equal(err.code, GP_OK);
}

/* Names NAME.gz and its index. */
static void finish_table(const char *name, gp_part *part, int csi) {
    gp_err err = {0};
    gp_text runs = {0}, index = {0}, file = {0};
    char beside[100];
    int64_t lines = 0;
    snprintf(beside, sizeof beside, "%s.%s", name, csi ? "csi" : "tbi");
    gp_runs_print(&part->runs, 0, &runs, &err);
    gp_tabix_print(&runs, part->size, csi, &index, &lines, &err);
    gp_pack_file(pack, &index, &file, &err);
    gp_part_end(part, &err);
    gp_io_fill_file(scratch(beside), file.bytes, file.length, &err);
    assert_int_equal(err.code, GP_OK);
    assert_int_equal(lines, lines_made);
    char there[400];
    snprintf(there, sizeof there, "%s", scratch(name));
    assert_int_equal(rename(part->path, there), 0);
    gp_part_discard(part);
    gp_text_free(&runs);
    gp_text_free(&index);
    gp_text_free(&file);
}

/* Chromosomes 1, X and 2 of so many lines each, `step` bases apart on average (0: all at one
 * position), from position `start`. */
static void write_table(const char *name, int lines, int64_t start, int64_t step, int csi) {
    static const char *const chromosome[] = {"1", "X", "2"};
    gp_err err = {0};
    gp_part part = {0};
    gp_text text = {0};
    uint64_t seed = 3;
    lines_made = 0;
    assert_int_equal(gp_part_open(&part, scratch("new"), 1, &err), GP_OK);
    gp_text_print(&text, &err, "chromosome\tbase_pair_location\tid\teffect_allele\tnumber\n");
    gp_part_add_header(&part, &text, pack, &err);
    for (int c = 0; c < 3; c++) {
        int64_t position = start;
        for (int k = 0; k < lines; k++, lines_made++) {
            struct made *m = &made[lines_made];
            snprintf(m->chromosome, sizeof m->chromosome, "%s", chromosome[c]);
            m->position = position;
            m->number = (int)(random_bits(&seed) >> 40);
            print_line(lines_made, &text);
            position += step == 0 || random_bits(&seed) % 4 == 0
                            ? 0
                            : (int64_t)(random_bits(&seed) >> 20) % (2 * step);
            if (k % 1000 == 999)
                gp_part_append(&part, &text, pack, 1, &err);
        }
        gp_part_append(&part, &text, pack, 1, &err);
    }
    assert_int_equal(err.code, GP_OK);
    finish_table(name, &part, csi);
    gp_text_free(&text);
}

static int make_all(void **state) {
    gp_err err = {0};
    pack = gp_packs_new(1, &err);
    return pack == NULL || scratch_make(state);
}

static int remove_all(void **state) {
    gp_packs_free(pack, 1);
    return scratch_remove(state);
}

/* ---- reading ---- */

/* The lines of a region as they should be, from line `at` of those made on. Returns how many. */
static int expect_region(gp_sumstats_reader *r, const char *chromosome, int64_t first,
                         int64_t last) {
    gp_err err = {0};
    gp_sumstats_line line;
    int count = 0;
    assert_int_equal(gp_sumstats_set_region(r, chromosome, first, last, &err), GP_OK);
    for (int k = 0; k < lines_made; k++) {
        const struct made *m = &made[k];
        if (strcmp(m->chromosome, chromosome) != 0 || m->position < first || m->position > last)
            continue;
        gp_text text = {0};
        print_line(k, &text);
        assert_int_equal(gp_sumstats_next(r, &line, &err), 1);
        assert_int_equal(line.position, m->position);
        assert_int_equal(line.length, text.length - 1);
        assert_memory_equal(line.text, text.bytes, line.length);
        char *const *field = gp_sumstats_fields(r, &err);
        assert_string_equal(field[0], chromosome);
        assert_string_equal(field[3], k % 7 == 0 ? "" : "A");
        assert_int_equal(atoi(field[4]), m->number);
        gp_text_free(&text);
        count++;
    }
    assert_int_equal(gp_sumstats_next(r, &line, &err), 0);
    assert_int_equal(gp_sumstats_next(r, &line, &err), 0);
    assert_int_equal(err.code, GP_OK);
    return count;
}

static gp_sumstats_reader *open_table(const char *name) {
    gp_err err = {0};
    gp_sumstats_reader *r = NULL;
    assert_int_equal(gp_sumstats_open(&r, scratch(name), &err), GP_OK);
    return r;
}

static void the_header_tells_the_columns(void **state) {
    (void)state;
    write_table("t.gz", 10, 5, 100, 0);
    gp_sumstats_reader *r = open_table("t.gz");
    assert_int_equal(gp_sumstats_columns(r), 5);
    assert_string_equal(gp_sumstats_column(r, 4), "number");
    assert_int_equal(gp_sumstats_find(r, "effect_allele"), 3);
    assert_int_equal(gp_sumstats_find(r, "effect"), -1);
    assert_string_equal(gp_sumstats_header(r),
                        "chromosome\tbase_pair_location\tid\teffect_allele\tnumber");
    gp_sumstats_close(r);
}

static void a_region_gives_its_lines_and_no_others(void **state) {
    (void)state;
    static const char *const chromosome[] = {"X", "1", "2", "3"};
    uint64_t seed = 9;
    write_table("t.gz", 2000, 7000, 3000, 0);
    gp_sumstats_reader *r = open_table("t.gz");
    for (int round = 0; round < 100; round++) {
        int64_t first = (int64_t)(random_bits(&seed) >> 20) % 7000000;
        int64_t last = first + (int64_t)(random_bits(&seed) >> 20) % (round % 3 ? 20000 : 3000000);
        expect_region(r, chromosome[random_bits(&seed) % 4], first, last);
    }
    assert_int_equal(expect_region(r, "1", 0, INT64_MAX), 2000);
    assert_int_equal(expect_region(r, "chr1", 0, INT64_MAX), 0);
    assert_int_equal(expect_region(r, "2", 0, 6999), 0);
    assert_int_equal(expect_region(r, "2", 100000000, INT64_MAX), 0);
    gp_sumstats_close(r);
}

/* Regions that follow each other give every line once, those without lines in between too. */
static void regions_side_by_side_give_every_line_once(void **state) {
    (void)state;
    static const char *const chromosome[] = {"1", "X", "2"};
    write_table("t.gz", 300, 1000, 30000, 0);
    for (int64_t width = 700; width < 4000000; width *= 13) {
        gp_sumstats_reader *r = open_table("t.gz");
        int count = 0;
        for (int c = 0; c < 3; c++) {
            for (int64_t first = 0; first < 9000000; first += width)
                count += expect_region(r, chromosome[c], first, first + width - 1);
            count += expect_region(r, chromosome[c], gp_round_up(9000000, width), INT64_MAX);
        }
        assert_int_equal(count, lines_made);
        gp_sumstats_close(r);
    }
}

/* The next one begins where this one ends, all the same. */
static void a_region_may_be_left_before_its_end(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sumstats_line line;
    write_table("t.gz", 500, 1000, 100, 0);
    gp_sumstats_reader *r = open_table("t.gz");
    for (int lines = 0; lines < 3; lines++) {
        assert_int_equal(gp_sumstats_set_region(r, "X", 0, 9999, &err), GP_OK);
        for (int k = 0; k < lines; k++)
            assert_int_equal(gp_sumstats_next(r, &line, &err), 1);
        assert_true(expect_region(r, "X", 10000, 20000) > 20);
    }
    gp_sumstats_close(r);
}

static void lines_at_position_0_and_many_at_one_position_are_found(void **state) {
    (void)state;
    write_table("t.gz", 1500, 0, 0, 0);
    gp_sumstats_reader *r = open_table("t.gz");
    assert_int_equal(expect_region(r, "X", 0, INT64_MAX), 1500);
    assert_int_equal(expect_region(r, "1", 0, 0), 1500);
    assert_int_equal(expect_region(r, "1", 1, INT64_MAX), 0);
    gp_sumstats_close(r);
}

static void positions_beyond_tbi_are_read_by_csi(void **state) {
    (void)state;
    write_table("t.gz", 500, (int64_t)1 << 30, 100000, 1);
    gp_sumstats_reader *r = open_table("t.gz");
    assert_int_equal(expect_region(r, "2", ((int64_t)1 << 30) + 1000000, INT64_MAX),
                     expect_region(r, "2", ((int64_t)1 << 30) + 1000000, (int64_t)1 << 31));
    assert_int_equal(expect_region(r, "1", 0, INT64_MAX), 500);
    gp_sumstats_close(r);
}

static void without_a_region_all_lines_come(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sumstats_line line;
    write_table("t.gz", 50, 10, 10, 0);
    gp_sumstats_reader *r = open_table("t.gz");
    for (int k = 0; k < lines_made; k++) {
        assert_int_equal(gp_sumstats_next(r, &line, &err), 1);
        assert_int_equal(line.position, made[k].position);
    }
    assert_int_equal(gp_sumstats_next(r, &line, &err), 0);
    assert_int_equal(expect_region(r, "X", 0, INT64_MAX), 50);
    assert_int_equal(err.code, GP_OK);
    gp_sumstats_close(r);
}

/* ---- what is wrong ---- */

static void expect_no_table(const char *words) {
    gp_err err = {0};
    gp_sumstats_reader *r = NULL;
    assert_int_equal(gp_sumstats_open(&r, scratch("t.gz"), &err), GP_EINPUT);
    assert_null(r);
    assert_non_null(strstr(err.text, "t.gz: "));
    assert_non_null(strstr(err.text, words));
}

static void what_is_no_indexed_table_is_told(void **state) {
    (void)state;
    expect_no_table("cannot be opened");
    scratch_text("t.gz", "chromosome\tbase_pair_location\tid\n");
    expect_no_table("no BGZF file");
    write_table("t.gz", 10, 5, 100, 0);
    unlink(scratch("t.gz.tbi"));
    expect_no_table("no index");
    scratch_text("t.gz.tbi", "TBI");
    expect_no_table("no index");
    write_table("t.gz", 1000, 5, 100, 0);
    assert_int_equal(truncate(scratch("t.gz"), 1000), 0);
    expect_no_table("damaged or cut short");
}

/* Reads all regions; what went wrong, if anything did. */
static void read_all(gp_err *err) {
    static const char *const chromosome[] = {"1", "X", "2"};
    gp_sumstats_reader *r = NULL;
    gp_sumstats_line line;
    gp_sumstats_open(&r, scratch("t.gz"), err);
    for (int c = 0; c < 3 && err->code == GP_OK; c++) {
        gp_sumstats_set_region(r, chromosome[c], 0, INT64_MAX, err);
        while (gp_sumstats_next(r, &line, err) && gp_sumstats_fields(r, err) != NULL)
            ;
    }
    gp_sumstats_close(r);
}

static void flipped_bytes_are_seen_wherever_they_are(void **state) {
    (void)state;
    write_table("t.gz", 1000, 5, 100, 0);
    FILE *file = fopen(scratch("t.gz"), "r+b");
    fseek(file, 0, SEEK_END);
    long size = ftell(file) - GP_PART_END, step = size / 60;
    for (long at = 0; at < size; at += step) {
        gp_err err = {0};
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 0x55, file);
        fflush(file);
        read_all(&err);
        /* Bytes 4 to 9 of a block's header (a time, an operating system) mean nothing. */
        assert_true(err.code == GP_EINPUT || at == 0 || at < 10);
        fseek(file, at, SEEK_SET);
        fputc(byte, file);
        fflush(file);
    }
    gp_err err = {0};
    read_all(&err);
    assert_int_equal(err.code, GP_OK);
    fclose(file);
}

static void ragged_lines_and_lines_without_a_position_are_told(void **state) {
    (void)state;
    static const char *const lines[] = {"1\t5\trs1\tA\n", "1\t5\trs1\tA\t1\t2\n"};
    for (int k = 0; k < 2; k++) {
        gp_err err = {0};
        gp_part part = {0};
        gp_text text = {0};
        gp_part_open(&part, scratch("new"), 1, &err);
        gp_text_print(&text, &err, "chromosome\tbase_pair_location\tid\teffect_allele\tnumber\n");
        gp_part_add_header(&part, &text, pack, &err);
        gp_text_print(&text, &err, "%s", lines[k]);
        gp_part_append(&part, &text, pack, 1, &err);
        assert_int_equal(err.code, GP_OK);
        lines_made = 1;
        finish_table("t.gz", &part, 0);
        gp_text_free(&text);
        read_all(&err);
        assert_int_equal(err.code, GP_EINPUT);
        assert_non_null(
            strstr(err.text, k == 0 ? "has 4 fields, the header 5" : "has 6 fields, the header 5"));
    }
}

static int read_once(void *context, gp_err *err) {
    (void)context;
    read_all(err);
    return err->code;
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    write_table("t.gz", 50, 5, 100, 0);
    assert_true(gp_test_fail_each(read_once, NULL) > 5);
}

/* ---- metadata ---- */

static const gp_sumstats_meta plain = {
    .trait = "height \"cm\"\\ \t\xC3\xA9\xE2\x80\xA8\xF0\x9F\xBF\xBE\x01",
    .file_name = "h.tsv.gz",
    .md5 = "0123",
    .program = "gp-dist 1",
    .model = "linear, with offsets",
    .missing = "exact",
    .covariates = "age,sex",
    .store_digest = "abcdef",
    .samples = 1000,
    .variants = 77};

static int read_back(void *context, gp_err *err) {
    const gp_sumstats_meta *meta = context;
    gp_text yaml = {0};
    gp_sumstats_about about = {0};
    gp_sumstats_meta_print(meta, &yaml, err);
    if (err->code == GP_OK && gp_sumstats_about_read("y", yaml.bytes, &about, err) == GP_OK) {
        assert_string_equal(about.trait, meta->trait);
        assert_string_equal(about.model, meta->model);
        assert_string_equal(about.store_digest, meta->store_digest);
        assert_int_equal(about.samples, meta->samples);
        assert_int_equal(about.cases, meta->test == NULL ? -1 : meta->cases);
        assert_int_equal(about.variants, meta->variants);
    }
    gp_sumstats_about_free(&about);
    gp_text_free(&yaml);
    return err->code;
}

static void metadata_are_read_back_as_they_were_printed(void **state) {
    (void)state;
    gp_err err = {0};
    gp_sumstats_meta meta = plain;
    assert_int_equal(read_back(&meta, &err), GP_OK);
    meta.test = "score; where it matters";
    meta.cases = 300;
    assert_int_equal(read_back(&meta, &err), GP_OK);
    assert_true(gp_test_fail_each(read_back, &meta) > 5);
}

static void metadata_of_something_else_are_told(void **state) {
    (void)state;
    static const char *const yaml[] = {"", "trait_description:\n  - \"x\"\n",
                                       "author_notes: \"model: a; variants: 3; genotypes: MD5 x"};
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        gp_sumstats_about about = {0};
        assert_int_equal(gp_sumstats_about_read("some.yaml", yaml[k], &about, &err), GP_EINPUT);
        assert_non_null(strstr(err.text, "some.yaml: does not tell"));
        gp_sumstats_about_free(&about);
    }
}

static void revised_metadata_differ_in_sum_and_note_alone(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text yaml = {0}, revised = {0}, expected = {0};
    gp_sumstats_meta meta = plain;
    gp_sumstats_meta_print(&meta, &yaml, &err);
    assert_int_equal(gp_sumstats_meta_revise(yaml.bytes, "4567", "more is told", &revised, &err),
                     GP_OK);
    meta.md5 = "4567";
    meta.store_digest = "abcdef; more is told";
    gp_sumstats_meta_print(&meta, &expected, &err);
    assert_string_equal(revised.bytes, expected.bytes);
    gp_text_free(&yaml);
    gp_text_free(&revised);
    gp_text_free(&expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_header_tells_the_columns, scratch_clear),
        cmocka_unit_test_teardown(a_region_gives_its_lines_and_no_others, scratch_clear),
        cmocka_unit_test_teardown(regions_side_by_side_give_every_line_once, scratch_clear),
        cmocka_unit_test_teardown(a_region_may_be_left_before_its_end, scratch_clear),
        cmocka_unit_test_teardown(lines_at_position_0_and_many_at_one_position_are_found,
                                  scratch_clear),
        cmocka_unit_test_teardown(positions_beyond_tbi_are_read_by_csi, scratch_clear),
        cmocka_unit_test_teardown(without_a_region_all_lines_come, scratch_clear),
        cmocka_unit_test_teardown(what_is_no_indexed_table_is_told, scratch_clear),
        cmocka_unit_test_teardown(flipped_bytes_are_seen_wherever_they_are, scratch_clear),
        cmocka_unit_test_teardown(ragged_lines_and_lines_without_a_position_are_told,
                                  scratch_clear),
        cmocka_unit_test_teardown(refused_memory_is_an_error, scratch_clear),
        cmocka_unit_test(metadata_are_read_back_as_they_were_printed),
        cmocka_unit_test(metadata_of_something_else_are_told),
        cmocka_unit_test(revised_metadata_differ_in_sum_and_note_alone),
    };
    return cmocka_run_group_tests_name("sumstats_read", tests, make_all, remove_all);
}
