/* Readers of .fam, .bim and .bed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/bfile.h"
#include "io/repeats.h"
#include "src/base/mem.h"
#include "tests/support/scratch.h"

static void assert_input_error(const gp_err *err, const char *path, const char *rest) {
    assert_int_equal(err->code, GP_EINPUT);
    assert_int_equal(strncmp(err->text, path, strlen(path)), 0);
    if (strcmp(err->text + strlen(path), rest) != 0)
        fail_msg("got '%s', not PATH%s", err->text, rest);
}

/* ---- lines ---- */

/* Reads all lines of a file in pieces of chunk bytes, joined by '|'. */
static void join_lines(const char *path, int64_t chunk, char *to, gp_err *err) {
    gp_reader reader = {0};
    gp_slice line = {0};
    *to = 0;
    if (gp_reader_open(&reader, path, chunk, err) != GP_OK)
        return;
    while (gp_reader_next(&reader, &line, err) == GP_OK && line.s != NULL) {
        strncat(to, line.s, (size_t)line.n);
        sprintf(to + strlen(to), "@%d:%d|", (int)reader.number, (int)reader.offset);
    }
    gp_reader_close(&reader);
}

static void lines_are_the_same_for_any_piece_size(void **state) {
    const char *path = scratch_text("a", "\xEF\xBB\xBFone two\r\n\n \t\r\n  three\nfour");
    (void)state;
    for (int64_t chunk = 1; chunk < 40; chunk++) {
        gp_err err = {0};
        char joined[256];
        join_lines(path, chunk, joined, &err);
        assert_int_equal(err.code, GP_OK);
        assert_string_equal(joined, "one two@1:0|three@4:17|four@5:25|");
    }
}

static void an_empty_file_has_no_lines(void **state) {
    gp_err err = {0};
    char joined[256];
    (void)state;
    join_lines(scratch_text("a", ""), 64, joined, &err);
    assert_int_equal(err.code, GP_OK);
    assert_string_equal(joined, "");
}

static void seek_goes_back_and_forth(void **state) {
    gp_err err = {0};
    gp_reader reader = {0};
    gp_slice line = {0};
    char text[4001]; /* and the last zero */
    static const int64_t order[] = {399, 0, 1, 200, 3, 2, 398, 399};
    (void)state;
    for (int k = 0; k < 400; k++)
        sprintf(text + 10 * k, "line %04d\n", k);
    assert_int_equal(gp_reader_open(&reader, scratch_write("a", text, 4000), 64, &err), GP_OK);
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        gp_reader_seek(&reader, 10 * order[k], order[k] + 1);
        assert_int_equal(gp_reader_next(&reader, &line, &err), GP_OK);
        assert_int_equal(line.n, 9);
        assert_memory_equal(line.s, text + 10 * order[k], 9);
        assert_int_equal(reader.number, order[k] + 1);
    }
    gp_reader_close(&reader);
}

static void zero_bytes_and_endless_lines_are_errors(void **state) {
    enum { N = 9 << 20 };
    gp_err zero = {0}, endless = {0};
    char joined[256], *long_line = malloc(N);
    (void)state;
    join_lines(scratch_write("a", "one\nt\0o\n", 8), 64, joined, &zero);
    assert_input_error(&zero, scratch("a"), ":2: holds a zero byte; is this a text file?");
    memset(long_line, 'A', N);
    join_lines(scratch_write("b", long_line, N), 1 << 16, joined, &endless);
    assert_input_error(&endless, scratch("b"),
                       ":1: is longer than 8388608 bytes; is this a text file?");
    free(long_line);
}

/* ---- .fam ---- */

static const char fam[] = "F1 I1 0 0 1 -9\nF1 I2 I1 I9 2 1.5\nF2\tI1\t0\t0\t0\tNA\n";

static void fam_gives_samples_in_order(void **state) {
    static const char *const forms[] = {
        fam,
        "F1 I1 0 0 1\r\nF1\tI2 I1 I9 2\r\nF2 I1 0 0 other 1 2 3 4\r\n", /* CRLF, 5 fields, more */
        "\nF1 I1 0 0 1 -9\n\n F1 I2 I1 I9 2 1\nF2 I1 0 0 -9 1",         /* blank lines */
    };
    (void)state;
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        gp_samples s = {0};
        assert_int_equal(gp_fam_read(scratch_text("a.fam", forms[k]), &s, &err), GP_OK);
        assert_int_equal(s.n, 3);
        assert_string_equal(gp_samples_fid(&s, 1), "F1");
        assert_string_equal(gp_samples_iid(&s, 1), "I2");
        assert_string_equal(gp_samples_father(&s, 1), "I1");
        assert_string_equal(gp_samples_mother(&s, 1), "I9");
        assert_string_equal(gp_samples_mother(&s, 2), "0");
        assert_int_equal(s.sex[0], 1);
        assert_int_equal(s.sex[1], 2);
        assert_int_equal(s.sex[2], 0);
        gp_samples_free(&s);
    }
}

static void fam_rejects(const char *text, const char *message) {
    gp_err err = {0};
    gp_samples s = {0};
    gp_fam_read(scratch_text("a.fam", text), &s, &err);
    assert_input_error(&err, scratch("a.fam"), message);
    gp_samples_free(&s);
}

static void fam_errors_name_the_line(void **state) {
    (void)state;
    fam_rejects("", ": is empty; it should list the samples");
    fam_rejects("\n\n", ": is empty; it should list the samples");
    fam_rejects("F I 0 0 1 1\nF J 0 0\n",
                ":2: has 4 fields, where a .fam has 6 (FID, IID, father, mother, sex, phenotype)");
    fam_rejects("F I 0 0 1 1\n\nF J 0 0 1 1\nF I 0 0 1 1\n",
                ":4: sample 'F I' is listed twice, first on line 1");
}

static void fam_that_is_missing_is_named(void **state) {
    gp_err err = {0};
    gp_samples s = {0};
    (void)state;
    gp_fam_read(scratch("none.fam"), &s, &err);
    assert_input_error(&err, scratch("none.fam"), ": cannot be opened: No such file or directory");
}

static void same_iid_in_two_families_is_no_duplicate(void **state) {
    gp_err err = {0};
    gp_samples s = {0};
    (void)state;
    assert_int_equal(gp_fam_read(scratch_text("a.fam", "A BC 0 0 1\nAB C 0 0 1\n"), &s, &err),
                     GP_OK);
    assert_int_equal(s.n, 2);
    gp_samples_free(&s);
}

static void fam_compare_names_the_first_difference(void **state) {
    gp_err same = {0}, other = {0}, shorter = {0}, longer = {0}, made = {0};
    gp_samples s = {0};
    (void)state;
    assert_int_equal(gp_fam_read(scratch_text("a.fam", fam), &s, &made), GP_OK);
    scratch_text("b.fam", "F1 I1 7 8 2\nF1 I2 0 0 1\nF2 I1 0 0 1\n");
    assert_int_equal(gp_fam_compare(scratch("b.fam"), &s, "a.fam", &same), GP_OK);
    scratch_text("c.fam", "F1 I1 0 0 1\nF1 I3 0 0 1\nF2 I4 0 0 1\n");
    gp_fam_compare(scratch("c.fam"), &s, "a.fam", &other);
    assert_input_error(&other, scratch("c.fam"),
                       ":2: sample 'F1 I3' where a.fam has 'F1 I2'; all prefixes must list the "
                       "same samples in the same order");
    scratch_text("d.fam", "F1 I1 0 0 1\n");
    gp_fam_compare(scratch("d.fam"), &s, "a.fam", &shorter);
    assert_input_error(&shorter, scratch("d.fam"),
                       ": lists 1 samples where a.fam lists 3; all prefixes must list the same "
                       "samples in the same order");
    scratch_text("e.fam", "F1 I1 0 0 1\nF1 I2 0 0 1\nF2 I1 0 0 1\nF9 I9 0 0 0\n");
    gp_fam_compare(scratch("e.fam"), &s, "a.fam", &longer);
    assert_input_error(&longer, scratch("e.fam"),
                       ": lists 4 samples where a.fam lists 3; all prefixes must list the same "
                       "samples in the same order");
    gp_samples_free(&s);
}

static void fam_survives_every_failing_allocation(void **state) {
    const char *path = scratch_text("a.fam", fam);
    (void)state;
    for (int64_t k = 1;; k++) {
        gp_err err = {0};
        gp_samples s = {0};
        gp_mem_fail_at(k);
        int code = gp_fam_read(path, &s, &err);
        gp_mem_fail_at(0);
        gp_samples_free(&s);
        if (code == GP_OK)
            break;
        assert_int_equal(code, GP_EFAIL);
    }
}

/* ---- .bim ---- */

static int parse_bim(const char *text, gp_bim_line *bim, gp_err *err) {
    gp_reader reader = {.path = "x.bim", .number = 7};
    return gp_bim_parse(&reader, (gp_slice){text, (int64_t)strlen(text)}, bim, err);
}

static int is(gp_slice s, const char *text) {
    return gp_slice_equal(s, (gp_slice){text, (int64_t)strlen(text)});
}

static void bim_line_is_cut_into_its_fields(void **state) {
    static const char *const forms[] = {"chrX\trs1\t1.25\t1000\tA\tGT", "chrX rs1  1.25 1000 A GT"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        gp_err err = {0};
        gp_bim_line bim = {0};
        assert_int_equal(parse_bim(forms[k], &bim, &err), GP_OK);
        assert_true(is(bim.chromosome, "chrX") && is(bim.id, "rs1"));
        assert_true(is(bim.alt, "A") && is(bim.ref, "GT")); /* allele 1 is ALT */
        assert_true(bim.centimorgan == 1.25);
        assert_int_equal(bim.position, 1000);
    }
}

static void bim_positions_may_be_0_negative_and_long(void **state) {
    gp_err err = {0};
    gp_bim_line bim = {0};
    (void)state;
    assert_int_equal(parse_bim("1 a 0 0 A C", &bim, &err), GP_OK);
    assert_int_equal(bim.position, 0);
    assert_int_equal(parse_bim("1 a 0 -5 A C", &bim, &err), GP_OK);
    assert_int_equal(bim.position, -5);
    assert_int_equal(parse_bim("1 a -1e-3 999999999999 A C", &bim, &err), GP_OK);
    assert_int_equal(bim.position, 999999999999);
    assert_true(bim.centimorgan == -1e-3);
}

static void bim_positions_may_have_an_exponent_as_r_writes_them(void **state) {
    gp_err err = {0};
    gp_bim_line bim = {0};
    (void)state;
    assert_int_equal(parse_bim("1 a 0 1e+05 A C", &bim, &err), GP_OK);
    assert_int_equal(bim.position, 100000);
    assert_int_equal(parse_bim("1 a 0 1.5e+07 A C", &bim, &err), GP_OK);
    assert_int_equal(bim.position, 15000000);
    assert_int_equal(parse_bim("1 a 0 -1e+05 A C", &bim, &err), GP_OK);
    assert_int_equal(bim.position, -100000);
}

static void bim_rejects(const char *text, const char *message) {
    gp_err err = {0};
    gp_bim_line bim = {0};
    parse_bim(text, &bim, &err);
    assert_input_error(&err, "x.bim:7: ", message);
}

static void bim_errors_name_the_line(void **state) {
    static const char position[] = " is not a whole number below 10^12";
    static const char *const bad[] = {"12x",
                                      "1.5",
                                      "1e-3",
                                      "-",
                                      "1e",
                                      "0x10",
                                      "inf",
                                      "1e300",
                                      "1000000000000",
                                      "99999999999999999999"};
    (void)state;
    bim_rejects("1 a 0 5 A", "has 5 fields, where a .bim has 6 (chromosome, id, centimorgans, "
                             "position, allele 1, allele 2)");
    bim_rejects("1 a 0 5 A C T", "has more than 6 fields, where a .bim has 6 (chromosome, id, "
                                 "centimorgans, position, allele 1, allele 2)");
    bim_rejects("1 a NA 5 A C", "genetic position 'NA' is not a number; put 0 where it is unknown");
    bim_rejects("1 a inf 5 A C",
                "genetic position 'inf' is not a number; put 0 where it is unknown");
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        char line[64], message[128];
        snprintf(line, sizeof line, "1 a 0 %s A C", bad[k]);
        snprintf(message, sizeof message, "position '%s'%s", bad[k], position);
        bim_rejects(line, message);
    }
}

/* ---- .bed ---- */

static void bed_reads_rows_by_number(void **state) {
    static const uint8_t bytes[] = {0x6c, 0x1b, 1, 10, 11, 20, 21, 30, 31};
    gp_err err = {0};
    gp_bed bed = {0};
    uint8_t rows[4];
    (void)state;
    assert_int_equal(gp_bed_open(&bed, scratch_write("a.bed", bytes, sizeof bytes), 5, &err),
                     GP_OK);
    assert_int_equal(bed.row, 2);
    assert_int_equal(gp_bed_check_size(&bed, 5, 3, &err), GP_OK);
    assert_int_equal(gp_bed_read(&bed, 1, 2, rows, &err), GP_OK);
    assert_memory_equal(rows, bytes + 5, 4);
    assert_int_equal(gp_bed_read(&bed, 2, 2, rows, &err), GP_EFAIL);
    gp_bed_close(&bed);
}

static void bed_rejects(const char *bytes, size_t size, const char *message) {
    gp_err err = {0};
    gp_bed bed = {0};
    if (gp_bed_open(&bed, scratch_write("a.bed", bytes, size), 5, &err) == GP_OK)
        gp_bed_check_size(&bed, 5, 3, &err);
    assert_input_error(&err, scratch("a.bed"), message);
    gp_bed_close(&bed);
}

static void bed_errors_say_what_was_found(void **state) {
    static const char mismatch[] = ": holds %d bytes, but 5 samples (.fam) and 3 variants (.bim) "
                                   "need 9; are the three files of one set?";
    char message[200];
    (void)state;
    bed_rejects("", 0, ": is empty; it should hold the genotypes");
    bed_rejects("\x6c\x1b", 2, ": is cut short: 2 bytes");
    bed_rejects("PK\3\4abcde", 9, ": is not a PLINK .bed (begins 50 4b 03, not 6c 1b 01)");
    bed_rejects("\x6c\x1b\2abcdef", 9, ": is not a PLINK .bed (begins 6c 1b 02, not 6c 1b 01)");
    bed_rejects("\x6c\x1b\0abcdef", 9,
                ": is sample-major, an old form of .bed; convert it first: plink2 --bfile OLD "
                "--make-bed --out NEW");
    snprintf(message, sizeof message, mismatch, 8);
    bed_rejects("\x6c\x1b\1abcde", 8, message);
    snprintf(message, sizeof message, mismatch, 10);
    bed_rejects("\x6c\x1b\1abcdefg", 10, message);
}

/* ---- repeated ids ---- */

static void repeats_are_counted_in_one_pass_or_many(void **state) {
    static const int64_t most[] = {1 << 20, 256, 64};
    (void)state;
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        gp_repeats repeats = {0};
        int64_t seen = 0;
        assert_int_equal(gp_repeats_init(&repeats, 1100, most[k], &err), GP_OK);
        assert_true(repeats.slots <= most[k]);
        for (int64_t pass = 0; pass < repeats.classes; pass++) {
            gp_repeats_begin(&repeats, pass);
            for (int i = 0; i < 1100; i++) { /* 1000 ids; 0 to 99 come twice */
                char id[16];
                int n = snprintf(id, sizeof id, "rs%d", i % 1000);
                seen += gp_repeats_see(&repeats, id, n);
            }
        }
        assert_int_equal(repeats.count, 100);
        assert_int_equal(seen, 100);
        gp_repeats_free(&repeats);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(lines_are_the_same_for_any_piece_size, scratch_clear),
        cmocka_unit_test_teardown(an_empty_file_has_no_lines, scratch_clear),
        cmocka_unit_test_teardown(seek_goes_back_and_forth, scratch_clear),
        cmocka_unit_test_teardown(zero_bytes_and_endless_lines_are_errors, scratch_clear),
        cmocka_unit_test_teardown(fam_gives_samples_in_order, scratch_clear),
        cmocka_unit_test_teardown(fam_errors_name_the_line, scratch_clear),
        cmocka_unit_test_teardown(fam_that_is_missing_is_named, scratch_clear),
        cmocka_unit_test_teardown(same_iid_in_two_families_is_no_duplicate, scratch_clear),
        cmocka_unit_test_teardown(fam_compare_names_the_first_difference, scratch_clear),
        cmocka_unit_test_teardown(fam_survives_every_failing_allocation, scratch_clear),
        cmocka_unit_test(bim_line_is_cut_into_its_fields),
        cmocka_unit_test(bim_positions_may_be_0_negative_and_long),
        cmocka_unit_test(bim_positions_may_have_an_exponent_as_r_writes_them),
        cmocka_unit_test(bim_errors_name_the_line),
        cmocka_unit_test_teardown(bed_reads_rows_by_number, scratch_clear),
        cmocka_unit_test_teardown(bed_errors_say_what_was_found, scratch_clear),
        cmocka_unit_test(repeats_are_counted_in_one_pass_or_many),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
