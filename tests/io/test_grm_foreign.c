/* Matrices of other programs: GCTA's files and text, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/ten_digits.h"
#include "tests/io/grm_fixture.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <htslib/bgzf.h>
#include <math.h>
#include <stdlib.h>

static gp_grm *opened(const char *path) {
    gp_err err = {0};
    gp_grm *grm = NULL;
    gp_grm_open(&grm, path, &err);
    assert_string_equal(err.text, "");
    return grm;
}

static double one(gp_grm *grm, int64_t row, int64_t column) {
    gp_err err = {0};
    double value = NAN;
    gp_grm_read(grm, GP_GRM_WHOLE, row, column, 1, &value, &err);
    assert_string_equal(err.text, "");
    return value;
}

/* What reading row says of the file. */
static void row_refused(const char *path, int64_t row, const char *words) {
    gp_err err = {0};
    double value = 0.0;
    gp_grm *grm = opened(path);
    gp_grm_read(grm, GP_GRM_WHOLE, row, 0, 1, &value, &err);
    grm_says(&err, GP_EINPUT, words);
    assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
    gp_grm_close(grm);
}

static const char *compressed(const char *name, const char *mode, const char *text) {
    const char *path = scratch(name);
    BGZF *file = bgzf_open(path, mode);
    assert_true(bgzf_write(file, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(bgzf_close(file), 0);
    return path;
}

/* ---- text ---- */

static const char three[] = "1.5 -2e-3 0.25\n-2e-3 +1 .5\n0.25 .5 1.\n";

static void assert_three(gp_grm *grm) {
    uint64_t check;
    const gp_grm_about *about = gp_grm_about_of(grm);
    assert_true(about->n == 3 && about->variants == 1 && about->chromosomes == 0);
    assert_true(about->fid == NULL && about->iid == NULL);
    assert_string_equal(about->form, "unknown");
    assert_int_equal(gp_grm_stored_check(grm, GP_GRM_WHOLE, &check), 0);
    assert_true(one(grm, 0, 0) == 1.5 && one(grm, 1, 0) == -0.002 && one(grm, 1, 1) == 1.0);
    assert_true(one(grm, 2, 0) == 0.25 && one(grm, 2, 1) == 0.5 && one(grm, 2, 2) == 1.0);
    gp_grm_close(grm);
}

static void text_is_read_with_any_blanks_and_compression(void **state) {
    (void)state;
    assert_three(opened(scratch_text("k.txt", three)));
    assert_three(opened(scratch_text("k.txt", "1.5\t-2e-3\t0.25\t\r\n\n  -0.002 1 0.5\r\n\n"
                                              "0.25   0.5\t1\n \n\n")));
    assert_three(opened(scratch_text("k.txt", "1.5 -2e-3 0.25\n-2e-3 +1 .5\n0.25 .5 1.")));
    assert_three(opened(compressed("k.gz", "wg", three)));
    assert_three(opened(compressed("k.gz", "w", three)));
}

static void rows_are_read_upwards_again_and_with_gaps(void **state) {
    (void)state;
    gp_grm *grm = opened(scratch_text("k.txt", three));
    assert_true(one(grm, 2, 1) == 0.5);
    assert_true(one(grm, 0, 0) == 1.5);
    assert_true(one(grm, 2, 2) == 1.0);
    assert_true(one(grm, 1, 0) == -0.002 && one(grm, 1, 1) == 1.0);
    gp_grm_close(grm);
}

static void one_number_is_a_matrix(void **state) {
    (void)state;
    gp_grm *grm = opened(scratch_text("k.txt", "0.5\n"));
    assert_true(gp_grm_about_of(grm)->n == 1 && one(grm, 0, 0) == 0.5);
    gp_grm_close(grm);
    grm_refused(scratch_text("k.txt", "0.5\n1\n"), "k.txt:2: is one row too many");
}

static void what_is_no_number_is_named_with_line_and_column(void **state) {
    (void)state;
    grm_refused(scratch_text("k.txt", "1 x2\n3 4\n"), "k.txt:1: column 2: 'x2' is no number");
    row_refused(scratch_text("k.txt", "1 2\n\n3 nan\n"), 1,
                "k.txt:3: column 2: 'nan' is no number");
    row_refused(scratch_text("k.txt", "1 2\n3 1e999\n"), 1, "column 2: '1e999' is no number");
    row_refused(scratch_text("k.txt", "1 2\n0x10 4\n"), 1, "column 1: '0x10' is no number");
}

static void ragged_missing_and_surplus_rows_are_refused(void **state) {
    (void)state;
    row_refused(scratch_text("k.txt", "1 2 3\n2 1\n3 4 5\n"), 1, "k.txt:2: has fewer numbers");
    row_refused(scratch_text("k.txt", "1 2\n2 1 3\n"), 1, "k.txt:2: has more numbers");
    row_refused(scratch_text("k.txt", "1.0 2.0 3.0\n2.0 1.0 1.0\n"), 2, "ends after 2 rows");
    row_refused(scratch_text("k.txt", "1 2\n2 1\n3 4\n"), 1, "k.txt:3: is one row too many");
}

/* After an error the next call starts again: rows before it are still right. */
static void a_bad_row_does_not_spoil_the_others(void **state) {
    (void)state;
    gp_err err = {0};
    double value = 0.0;
    gp_grm *grm = opened(scratch_text("k.txt", "1 2 3\n4 5 x\n7 8 9\n"));
    assert_int_equal(gp_grm_read(grm, GP_GRM_WHOLE, 1, 0, 1, &value, &err), GP_EINPUT);
    err = (gp_err){0};
    assert_int_equal(gp_grm_read(grm, GP_GRM_WHOLE, 1, 0, 1, &value, &err), GP_EINPUT);
    assert_true(one(grm, 2, 1) == 8.0 && one(grm, 0, 0) == 1.0);
    gp_grm_close(grm);
}

static void files_that_are_no_matrix_are_refused(void **state) {
    (void)state;
    grm_refused(scratch_text("k.txt", ""), "is empty");
    grm_refused(scratch_text("k.txt", "\n \n"), "is empty");
    grm_refused(scratch_text("k.txt", "1 2 3 4 5 6 7 8\n"), "is too short for 8 rows");
    grm_refused(compressed("x.grm.gz", "wg", "1 1 100 0.98\n2 1 100 0.1\n"),
                "is GCTA's text form; make its binary form");
    grm_refused(scratch_write("k.bin", "1\0 2\n3 4\n", 9), "zero byte");
    grm_refused(scratch("none.txt"), "cannot be opened: No such file");
    grm_refused(scratch_folder, "is not a regular file");
}

static void a_compressed_file_cut_short_is_refused(void **state) {
    (void)state;
    char text[6001] = "", bytes[8192];
    for (int k = 0; k < 30 * 30; k++) /* too irregular for a few bytes */
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d%c", k * 7919 % 99991,
                 k % 30 == 29 ? '\n' : ' ');
    FILE *file = fopen(compressed("k.gz", "wg", text), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    gp_grm *grm = opened(scratch("k.gz"));
    assert_true(one(grm, 29, 29) == 899 * 7919 % 99991);
    gp_grm_close(grm);
    grm_refused(scratch_write("cut.gz", bytes, size / 2), "damaged or cut short");
}

/* ---- golden matrices: GEMMA's, and their sums as numpy gave them ---- */

static const char *golden(const char *name) {
    static char path[1024];
    const char *source = getenv("GP_SOURCE");
    snprintf(path, sizeof path, "%s/../shared/data/golden/%s", source ? source : ".", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

static void gemmas_matrices_have_the_numbers_that_stand_there(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t n;
        double trace, triangle, first, last; /* Python's float(), fsum(); (n - 1, 0) */
    } matrix[] = {
        {"maize-mdp/K.cXX.txt.gz", 281, 173.33098483789993, 86.66549241799669, 0.583792257,
         0.009957435581},
        {"bxd-gemma/BXD.cXX.txt.gz", 198, 44.77058027300001, 22.385290136911582, 0.2429741339,
         0.006958103753},
    };
    for (size_t k = 0; k < sizeof matrix / sizeof *matrix; k++) {
        double row[300], trace = 0.0, triangle = 0.0;
        gp_err err = {0};
        const char *path = golden(matrix[k].name);
        if (path == NULL)
            skip();
        gp_grm *grm = opened(path);
        assert_int_equal(gp_grm_about_of(grm)->n, matrix[k].n);
        assert_true(one(grm, 0, 0) == matrix[k].first);
        for (int64_t i = 0; i < matrix[k].n; i++) {
            assert_int_equal(gp_grm_read(grm, GP_GRM_WHOLE, i, 0, i + 1, row, &err), GP_OK);
            trace += row[i];
            for (int64_t j = 0; j <= i; j++)
                triangle += row[j];
        }
        assert_true(row[0] == matrix[k].last);
        /* sums of 40,000 numbers below 1, each rounded */
        assert_true(fabs(trace - matrix[k].trace) < 1e-11);
        assert_true(fabs(triangle - matrix[k].triangle) < 1e-11);
        gp_grm_close(grm);
    }
}

/* ---- GCTA ---- */

/* What GCTA would write of the 3 x 3 matrix; counts may be left out. */
static void write_gcta(int counts) {
    static const float value[6] = {1.5f, -0.002f, 1.0f, 0.25f, 0.5f, 1.0f};
    static const float variants[6] = {10, 10, 9, 10, 8, 10};
    scratch_write("g.grm.bin", value, sizeof value); /* little-endian machines only */
    scratch_text("g.grm.id", "F1\tI1\nF1\tI2\nF2\tI1\n");
    if (counts)
        scratch_write("g.grm.N.bin", variants, sizeof variants);
}

static void assert_gcta(const char *path) {
    gp_grm *grm = opened(path);
    const gp_grm_about *about = gp_grm_about_of(grm);
    assert_true(about->n == 3 && about->variants == 1);
    assert_string_equal(about->fid[1], "F1");
    assert_string_equal(about->iid[1], "I2");
    assert_string_equal(about->fid[2], "F2");
    assert_true(one(grm, 2, 0) == 0.25 && one(grm, 1, 0) == (double)-0.002f);
    assert_true(one(grm, 0, 0) == 1.5 && one(grm, 2, 1) == 0.5);
    gp_grm_close(grm);
}

static void gctas_files_are_found_by_any_of_their_names(void **state) {
    (void)state;
    write_gcta(1);
    assert_gcta(scratch("g"));
    assert_gcta(scratch("g.grm.bin"));
    assert_gcta(scratch("g.grm.id"));
    assert_gcta(scratch("g.grm.N.bin"));
    unlink(scratch("g.grm.N.bin"));
    assert_gcta(scratch("g"));
    mkdir(scratch("g"), 0777); /* a folder of the prefix's name does not hide the files */
    assert_gcta(scratch("g"));
}

static void plink2s_headers_are_no_samples(void **state) {
    (void)state;
    write_gcta(1);
    scratch_text("g.grm.id", "#FID\tIID\nF1\tI1\nF1\tI2\nF2\tI1\n");
    assert_gcta(scratch("g"));
    scratch_text("g.grm.id", "#IID\na\nb\nc\n");
    gp_grm *grm = opened(scratch("g"));
    assert_string_equal(gp_grm_about_of(grm)->fid[2], "0");
    assert_string_equal(gp_grm_about_of(grm)->iid[2], "c");
    gp_grm_close(grm);
}

static void gctas_files_that_do_not_fit_are_refused(void **state) {
    (void)state;
    write_gcta(1);
    scratch_text("g.grm.id", "F1\tI1\nF1\tI2\n");
    grm_refused(scratch("g"), "g.grm.N.bin: has 24 bytes; the 2 samples of");
    unlink(scratch("g.grm.N.bin"));
    grm_refused(scratch("g"), "g.grm.bin: has 24 bytes; the 2 samples of");
    write_gcta(1);
    scratch_text("g.grm.N.bin", "12345");
    grm_refused(scratch("g"), "g.grm.N.bin: has 5 bytes");
    write_gcta(1);
    scratch_text("g.grm.id", "F1\tI1\nF2\nF3\tI1\n");
    grm_refused(scratch("g"), "g.grm.id:2: expected FID and IID");
    scratch_text("g.grm.id", "\n");
    grm_refused(scratch("g"), "names no samples");
    unlink(scratch("g.grm.id"));
    grm_refused(scratch("g"), "g.grm.id: cannot be opened");
}

/* ---- there and back ---- */

static const char *made(void) {
    gp_err err = {0};
    const char *path = scratch("grm.h5");
    grm_make(path, &err);
    assert_string_equal(err.text, "");
    return path;
}

static double relationship(int64_t i, int64_t j) {
    return grm_element(0, i, j) / (double)grm_variants[0];
}

static void gctas_form_comes_back_as_floats(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text counts = {0};
    gp_grm *grm = opened(made());
    assert_int_equal(gp_grm_export_gcta(grm, scratch("out"), &err), GP_OK);
    gp_grm_close(grm);
    assert_int_equal(scratch_entries(scratch_folder, 0), 4);
    grm = opened(scratch("out"));
    const gp_grm_about *about = gp_grm_about_of(grm);
    assert_int_equal(about->n, GRM_N);
    for (int64_t i = 0; i < GRM_N; i++) {
        assert_string_equal(about->fid[i], grm_fid[i]);
        assert_string_equal(about->iid[i], grm_iid[i]);
        for (int64_t j = 0; j <= i; j++)
            assert_true(one(grm, i, j) == (double)(float)relationship(i, j));
    }
    gp_grm_close(grm);
    FILE *file = fopen(scratch("out.grm.N.bin"), "rb");
    float n[GRM_ELEMENTS + 1];
    assert_int_equal(fread(n, sizeof *n, GRM_ELEMENTS + 1, file), GRM_ELEMENTS);
    for (int k = 0; k < GRM_ELEMENTS; k++)
        assert_true(n[k] == 90.0f);
    fclose(file);
    gp_text_free(&counts);
}

static void text_comes_back_with_ten_digits_and_both_triangles(void **state) {
    (void)state;
    gp_err err = {0};
    gp_text text = {0};
    gp_grm *grm = opened(made());
    assert_int_equal(gp_grm_export_text(grm, scratch("out.txt"), &err), GP_OK);
    gp_grm_close(grm);
    assert_int_equal(scratch_entries(scratch_folder, 0), 2);
    grm = opened(scratch("out.txt"));
    assert_int_equal(gp_grm_about_of(grm)->n, GRM_N);
    for (int64_t i = 0; i < GRM_N; i++)
        for (int64_t j = 0; j <= i; j++) /* half a unit of the tenth digit */
            assert_true(fabs(one(grm, i, j) - relationship(i, j)) <=
                        5.1e-10 * fabs(relationship(i, j)));
    gp_grm_close(grm);
    assert_int_equal(gp_io_read_text(scratch("out.txt"), &text, &err), GP_OK);
    char *at = text.bytes;
    for (int64_t i = 0; i < GRM_N; i++)
        for (int64_t j = 0; j < GRM_N; j++) {
            double x = strtod(at, &at), y = i < j ? relationship(j, i) : relationship(i, j);
            assert_true(fabs(x - y) <= 5.1e-10 * fabs(y));
            assert_int_equal(*at++, j + 1 < GRM_N ? '\t' : '\n');
        }
    assert_int_equal(*at, 0);
    gp_text_free(&text);
}

static void assert_ten_digits(double x) {
    char text[64], want[64];
    *gp_ten_digits(text, x) = 0;
    snprintf(want, sizeof want, "%.10g", x);
    assert_string_equal(text, want);
}

static void ten_digits_are_those_of_printf(void **state) {
    (void)state;
    static const double x[] = {0.0,
                               1.0,
                               10.0,
                               12345.0,
                               0.1,
                               1e-4,
                               1e-3,
                               9.99999999949e-5,
                               99999.0,
                               99999.999995,
                               0.99999999995,
                               9.9999999999,
                               99999.99999999,
                               1e5,
                               1e300,
                               5e-324,
                               1e-5,
                               0.00012345678905,
                               1.00000000005,
                               0.5};
    uint64_t state_of = 5;
    for (size_t k = 0; k < sizeof x / sizeof *x; k++) {
        assert_ten_digits(x[k]);
        assert_ten_digits(-x[k]);
        assert_ten_digits(nextafter(x[k], 2.0 * x[k]));
        assert_ten_digits(nextafter(x[k], 0.0));
    }
    assert_ten_digits(NAN);
    assert_ten_digits(-0.0);
    for (int k = 0; k < 200000; k++) {
        double u = gp_test_uniform(&state_of);
        assert_ten_digits(u - 0.5);
        assert_ten_digits(exp(30.0 * (u - 0.5)));
        /* exact ties: eleven digits, the last a 5 that doubles hold */
        assert_ten_digits((double)(gp_test_bits(&state_of) >> 36) + 0.5);
        assert_ten_digits((double)(gp_test_bits(&state_of) >> 36) / 4096.0);
    }
}

/* A text that is written, read and written again stays as it is. */
static void text_of_text_is_the_same(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm *grm = opened(made());
    gp_grm_export_text(grm, scratch("a.txt"), &err);
    gp_grm_close(grm);
    grm = opened(scratch("a.txt"));
    gp_grm_export_text(grm, scratch("b.txt"), &err);
    gp_grm_close(grm);
    char hex[2][33];
    gp_io_md5_file(scratch("a.txt"), hex[0], &err);
    gp_io_md5_file(scratch("b.txt"), hex[1], &err);
    assert_string_equal(err.text, "");
    assert_string_equal(hex[0], hex[1]);
}

static void exports_that_cannot_be_are_refused(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm *grm = opened(scratch_text("k.txt", three));
    assert_int_equal(gp_grm_export_gcta(grm, scratch("out"), &err), GP_EINPUT);
    grm_says(&err, GP_EINPUT, "has no sample ids");
    err = (gp_err){0};
    gp_grm_export_text(grm, "/nonexistent/out.txt", &err);
    grm_says(&err, GP_EINPUT, "/nonexistent");
    gp_grm_close(grm);
    /* A source that fails half-way leaves nothing. */
    err = (gp_err){0};
    grm = opened(scratch_text("k.txt", "1 2\n2 x\n"));
    gp_grm_export_text(grm, scratch("out.txt"), &err);
    grm_says(&err, GP_EINPUT, "'x' is no number");
    gp_grm_close(grm);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
}

/* ---- memory ---- */

typedef struct names {
    char h5[1024], text[1024], gcta[1024];
} names;

static int there_and_back(void *context, gp_err *err) {
    const names *n = context;
    gp_grm *grm = NULL, *text = NULL, *gcta = NULL;
    double value;
    if (gp_grm_open(&grm, n->h5, err) == GP_OK && gp_grm_export_text(grm, n->text, err) == GP_OK &&
        gp_grm_export_gcta(grm, n->gcta, err) == GP_OK &&
        gp_grm_open(&text, n->text, err) == GP_OK && gp_grm_open(&gcta, n->gcta, err) == GP_OK)
        gp_grm_read(text, GP_GRM_WHOLE, 3, 0, 1, &value, err);
    gp_grm_close(grm);
    gp_grm_close(text);
    gp_grm_close(gcta);
    return err->code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    names n;
    snprintf(n.h5, sizeof n.h5, "%s", made());
    snprintf(n.text, sizeof n.text, "%s", scratch("out.txt"));
    snprintf(n.gcta, sizeof n.gcta, "%s", scratch("out"));
    assert_true(gp_test_fail_each(there_and_back, &n) > 30);
    assert_int_equal(scratch_entries(scratch_folder, 0), 5); /* no temporary one */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(text_is_read_with_any_blanks_and_compression, scratch_clear),
        cmocka_unit_test_teardown(rows_are_read_upwards_again_and_with_gaps, scratch_clear),
        cmocka_unit_test_teardown(one_number_is_a_matrix, scratch_clear),
        cmocka_unit_test_teardown(what_is_no_number_is_named_with_line_and_column, scratch_clear),
        cmocka_unit_test_teardown(ragged_missing_and_surplus_rows_are_refused, scratch_clear),
        cmocka_unit_test_teardown(a_bad_row_does_not_spoil_the_others, scratch_clear),
        cmocka_unit_test_teardown(files_that_are_no_matrix_are_refused, scratch_clear),
        cmocka_unit_test_teardown(a_compressed_file_cut_short_is_refused, scratch_clear),
        cmocka_unit_test(gemmas_matrices_have_the_numbers_that_stand_there),
        cmocka_unit_test_teardown(gctas_files_are_found_by_any_of_their_names, scratch_clear),
        cmocka_unit_test_teardown(plink2s_headers_are_no_samples, scratch_clear),
        cmocka_unit_test_teardown(gctas_files_that_do_not_fit_are_refused, scratch_clear),
        cmocka_unit_test_teardown(gctas_form_comes_back_as_floats, scratch_clear),
        cmocka_unit_test_teardown(text_comes_back_with_ten_digits_and_both_triangles,
                                  scratch_clear),
        cmocka_unit_test(ten_digits_are_those_of_printf),
        cmocka_unit_test_teardown(text_of_text_is_the_same, scratch_clear),
        cmocka_unit_test_teardown(exports_that_cannot_be_are_refused, scratch_clear),
        cmocka_unit_test_teardown(every_failing_allocation_comes_back, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
