#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/io/grm_fixture.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- reading back ---- */

/* What differs from the fixture, or NULL; *code gets what a read said. */
static const char *compare(gp_grm *grm, gp_err *err) {
    const gp_grm_about *about = gp_grm_about_of(grm), want = grm_about();
    if (about->n != want.n || about->chromosomes != want.chromosomes ||
        strcmp(about->form, want.form) != 0 || strcmp(about->filters, want.filters) != 0 ||
        strcmp(about->store_digest, want.store_digest) != 0)
        return "the head";
    for (int64_t i = 0; i < GRM_N; i++)
        if (strcmp(about->fid[i], grm_fid[i]) != 0 || strcmp(about->iid[i], grm_iid[i]) != 0)
            return "ids";
    for (int64_t m = 0; m <= GRM_CHROMOSOMES; m++) {
        uint64_t check = 0, stored = 1;
        int64_t variants = m ? about->chromosome_variants[m - 1] : about->variants;
        if (variants != grm_variants[m])
            return "variants";
        if (m > 0 && strcmp(about->chromosome[m - 1], grm_chromosome[m - 1]) != 0)
            return "names";
        for (int64_t i = 0; i < GRM_N; i++) {
            double row[GRM_N];
            if (gp_grm_read(grm, m - 1, i, 0, i + 1, row, err) != GP_OK)
                return "a row";
            for (int64_t j = 0; j <= i; j++) {
                check += gp_grm_check(i, j, row[j]);
                if (memcmp(&row[j], &(double){grm_element(m, i, j)}, sizeof *row) != 0)
                    return "an element";
            }
        }
        if (!gp_grm_stored_check(grm, m - 1, &stored) || stored != check)
            return "a check";
    }
    return NULL;
}

static const char *made(void) {
    gp_err err = {0};
    const char *path = scratch("grm.h5");
    grm_make(path, &err);
    assert_string_equal(err.text, "");
    return path;
}

static void what_was_written_is_read_back(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm *grm = NULL;
    const char *path = made();
    assert_int_equal(gp_grm_open(&grm, path, &err), GP_OK);
    assert_null(compare(grm, &err));
    assert_string_equal(gp_grm_path(grm), path);
    double two[2];
    assert_int_equal(gp_grm_read(grm, 1, 5, 3, 2, two, &err), GP_OK);
    assert_true(two[0] == grm_element(2, 5, 3) && two[1] == grm_element(2, 5, 4));
    gp_grm_close(grm);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
}

/* The steps worked through in Python's integers. */
static void a_check_is_that_of_the_formula_by_hand(void **state) {
    (void)state;
    assert_int_equal(gp_grm_check(0, 0, 0.0), 0xF4DC0DB6A55C96C8u);
    assert_int_equal(gp_grm_check(5, 3, -1.25), 0xC730F58E5CD7B7B5u);
}

static void a_check_tells_places_values_and_signs_of_zero_apart(void **state) {
    (void)state;
    assert_true(gp_grm_check(3, 1, 1.0) != gp_grm_check(3, 2, 1.0));
    assert_true(gp_grm_check(3, 1, 1.0) + gp_grm_check(3, 2, 2.0) !=
                gp_grm_check(3, 1, 2.0) + gp_grm_check(3, 2, 1.0));
    assert_true(gp_grm_check(0, 0, 0.0) != gp_grm_check(0, 0, -0.0));
    assert_true(gp_grm_check(9, 9, 1.0) != gp_grm_check(9, 9, nextafter(1.0, 2.0)));
}

static void the_file_is_what_the_header_says(void **state) {
    (void)state;
    double sum[GRM_ELEMENTS];
    int64_t variants = 0;
    hid_t file = H5Fopen(made(), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "/chromosomes/X/sum", H5P_DEFAULT);
    assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, sum) >= 0);
    for (int64_t i = 0, k = 0; i < GRM_N; i++)
        for (int64_t j = 0; j <= i; j++, k++)
            assert_true(sum[k] == grm_element(2, i, j));
    hid_t group = H5Gopen2(file, "/matrix", H5P_DEFAULT);
    hid_t attribute = H5Aopen(group, "variants", H5P_DEFAULT);
    assert_true(H5Aread(attribute, H5T_NATIVE_INT64, &variants) >= 0);
    assert_int_equal(variants, 90);
    H5Aclose(attribute);
    H5Gclose(group);
    H5Dclose(set);
    H5Fclose(file);
}

static void runs_outside_of_the_triangle_are_refused(void **state) {
    (void)state;
    double row[GRM_N + 1];
    static const int64_t bad[][4] = {{-1, 7, 0, 1},  {-1, -1, 0, 1}, {-1, 3, 2, 3}, {-1, 3, -1, 2},
                                     {-1, 3, 0, -1}, {2, 3, 0, 1},   {-2, 3, 0, 1}};
    gp_err none = {0};
    gp_grm *grm = NULL;
    assert_int_equal(gp_grm_open(&grm, made(), &none), GP_OK);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        gp_err err = {0};
        gp_grm_read(grm, bad[k][0], bad[k][1], bad[k][2], bad[k][3], row, &err);
        grm_says(&err, GP_EFAIL, "has no");
    }
    gp_grm_close(grm);
}

/* ---- writing that fails ---- */

static void a_writer_that_gives_up_leaves_the_old_file(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm_writer *writer = NULL;
    gp_grm_about about = grm_about();
    const char *path = scratch_text("grm.h5", "old");
    assert_int_equal(gp_grm_create(&writer, path, &about, 1, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 2);
    assert_int_equal(gp_grm_join(writer, 0, &err), GP_OK);
    assert_int_equal(gp_grm_leave(writer, NULL, NULL, &err), GP_OK);
    assert_int_equal(gp_grm_finish(writer, 0, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    grm_refused(path, "is no number");
}

static void a_rank_that_does_not_make_the_file_makes_none(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm_writer *writer = NULL;
    gp_grm_about about = grm_about();
    assert_int_equal(gp_grm_create(&writer, scratch("grm.h5"), &about, 0, &err), GP_OK);
    assert_int_equal(gp_grm_finish(writer, 0, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 0);
}

static void a_disk_too_small_is_told_before_the_work(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm_writer *writer = NULL;
    gp_grm_about about = grm_about();
    about.n = 1 << 30; /* 4.6 EB for each matrix; nothing of the ids is read before */
    gp_grm_create(&writer, scratch("grm.h5"), &about, 1, &err);
    assert_null(writer);
    grm_says(&err, GP_EFAIL, "GB of disk where");
    assert_int_equal(scratch_entries(scratch_folder, 0), 0);
}

static void a_folder_that_is_not_there_is_named(void **state) {
    (void)state;
    gp_err err = {0};
    grm_make("/nonexistent/grm.h5", &err);
    grm_says(&err, GP_EINPUT, "/nonexistent");
}

/* 1: it said so and left nothing; anything else: not. */
static void write_with_little_room(rlim_t room) {
    gp_err err = {0};
    struct rlimit limit = {room, room};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    grm_make(scratch("grm.h5"), &err);
    int right = err.code == GP_EFAIL && strstr(err.text, "cannot be written: File too large") &&
                scratch_entries(scratch_folder, 0) == 0;
    exit(right ? 1 : 2); /* exit, not _exit: HDF5 must survive its own end, too */
}

static void a_full_disk_is_reported_and_leaves_nothing(void **state) {
    (void)state;
    struct stat about;
    assert_int_equal(stat(made(), &about), 0);
    scratch_entries(scratch_folder, 1);
    scratch_remove(NULL);
    scratch_make(NULL);
    for (rlim_t room = 500; (off_t)room < about.st_size; room += 700) {
        int status = 0;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            write_with_little_room(room);
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
            fail_msg("with %lld bytes: status %x", (long long)room, status);
    }
}

static int make_and_read(void *context, gp_err *err) {
    gp_grm *grm = NULL;
    const char *path = context;
    if (grm_make(path, err) == GP_OK && gp_grm_open(&grm, path, err) == GP_OK)
        assert_null(compare(grm, err));
    gp_grm_close(grm);
    return err->code;
}

static void every_failing_allocation_comes_back(void **state) {
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s", scratch("grm.h5"));
    assert_true(gp_test_fail_each(make_and_read, path) > 20);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
}

/* ---- files that are damaged or hostile ---- */

/* Damages a made file through HDF5. */
static hid_t opened;
static const char *reopen(void) {
    const char *path = made();
    opened = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(opened > 0);
    return path;
}

static void set_number(const char *group_name, const char *name, int64_t value) {
    hid_t group = H5Gopen2(opened, group_name, H5P_DEFAULT);
    hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_INT64, &value) >= 0);
    H5Aclose(attribute);
    H5Gclose(group);
}

static void a_newer_version_is_refused(void **state) {
    (void)state;
    const char *path = reopen();
    set_number("/", "format_version", 2);
    H5Fclose(opened);
    grm_refused(path, "was written in format version 2; this program reads up to 1; use a newer");
}

static void more_samples_than_the_file_can_hold_are_refused(void **state) {
    (void)state;
    static const int64_t n[] = {0, -1, 8, 100000, INT64_MAX, INT64_MIN, (int64_t)1 << 33};
    for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
        const char *path = reopen();
        set_number("/", "samples", n[k]);
        H5Fclose(opened);
        grm_refused(path, "is damaged");
    }
}

/* Puts another dataset in the place of /matrix/sum. */
static const char *with_other_sum(hid_t type, hsize_t length, hid_t create) {
    const char *path = reopen();
    H5Ldelete(opened, "/matrix/sum", H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &length, NULL);
    hid_t set = H5Dcreate2(opened, "/matrix/sum", type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    assert_true(set > 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(create);
    H5Fclose(opened);
    return path;
}

static void other_types_shapes_and_layouts_are_refused(void **state) {
    (void)state;
    hsize_t chunk = 4;
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    grm_refused(with_other_sum(H5T_IEEE_F32LE, GRM_ELEMENTS, create), "its type");
    create = H5Pcreate(H5P_DATASET_CREATE);
    grm_refused(with_other_sum(H5T_IEEE_F64LE, GRM_ELEMENTS - 1, create), "its length");
    create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 1, &chunk);
    grm_refused(with_other_sum(H5T_IEEE_F64LE, GRM_ELEMENTS, create), "in one piece");
    create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(create, "/etc/passwd", 0, H5F_UNLIMITED);
    grm_refused(with_other_sum(H5T_IEEE_F64LE, GRM_ELEMENTS, create), "in one piece");
    create = H5Pcreate(H5P_DATASET_CREATE); /* never written: it has no place in the file */
    grm_refused(with_other_sum(H5T_IEEE_F64LE, GRM_ELEMENTS, create), "larger than the file");
}

static void no_variants_are_refused(void **state) {
    (void)state;
    const char *path = reopen();
    set_number("/matrix", "variants", 0);
    H5Fclose(opened);
    grm_refused(path, "matrix is damaged (attribute variants)");
}

static void another_hdf5_file_is_refused(void **state) {
    (void)state;
    const char *path = scratch("other.h5");
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access));
    grm_refused(path, "is an HDF5 file but no relationship matrix");
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access));
    grm_refused(path, "is an HDF5 file but no relationship matrix");
    H5Pclose(access);
}

/* Reads damaged files in a child, so that a crash inside HDF5 is a finding. */
enum { REPORTED = 1, HARMLESS, WRONG };

static uint8_t judge(const char *path) {
    gp_err err = {0};
    gp_grm *grm = NULL;
    if (gp_grm_open(&grm, path, &err) != GP_OK)
        return err.code == GP_EINPUT && strstr(err.text, path) == err.text ? REPORTED : WRONG;
    const char *differs = compare(grm, &err);
    uint8_t outcome = differs == NULL ? HARMLESS : REPORTED;
    /* Another element than was written must be told by the check. */
    if (differs != NULL && strcmp(differs, "an element") == 0) {
        outcome = WRONG;
        for (int64_t m = 0; m <= GRM_CHROMOSOMES; m++) {
            uint64_t sum = 0, stored = 0;
            gp_grm_stored_check(grm, m - 1, &stored);
            for (int64_t i = 0; i < GRM_N; i++) {
                double row[GRM_N];
                gp_grm_read(grm, m - 1, i, 0, i + 1, row, &err);
                for (int64_t j = 0; j <= i; j++)
                    sum += gp_grm_check(i, j, row[j]);
            }
            if (sum != stored)
                outcome = REPORTED;
        }
    }
    gp_grm_close(grm);
    return outcome;
}

static int64_t read_file(const char *path, uint8_t *bytes, int64_t room) {
    FILE *file = fopen(path, "rb");
    int64_t n = (int64_t)fread(bytes, 1, (size_t)room, file);
    fclose(file);
    return n;
}

/* Tries one damage per byte; counts outcomes. */
static void try_each(int cut, int64_t *count) {
    static uint8_t bytes[1 << 17];
    int64_t size = read_file(made(), bytes, sizeof bytes);
    char broken[1024];
    snprintf(broken, sizeof broken, "%s", scratch("broken.h5"));
    uint8_t *outcome =
        mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(broken, O_RDWR | O_CREAT | O_TRUNC, 0600);
        for (int64_t at = 0; at < size; at++) {
            uint8_t flipped = (uint8_t)(bytes[at] ^ 1 << at % 8);
            if (pwrite(fd, bytes, (size_t)size, 0) != size ||
                (cut ? ftruncate(fd, at) : pwrite(fd, &flipped, 1, at) - 1) != 0)
                _exit(1);
            outcome[at] = judge(broken);
        }
        H5close();
        _exit(0); /* past the leak sanitizer: HDF5 loses bytes of damaged headers */
    }
    int status = 0;
    waitpid(pid, &status, 0);
    for (int64_t at = 0; at < size; at++) {
        if (outcome[at] == WRONG || outcome[at] == 0)
            print_message("byte %lld: outcome %d\n", (long long)at, outcome[at]);
        count[outcome[at]]++;
    }
    print_message("%lld bytes: %lld reported, %lld harmless\n", (long long)size,
                  (long long)count[REPORTED], (long long)count[HARMLESS]);
    munmap(outcome, (size_t)size);
    assert_int_equal(status, 0);
    assert_int_equal(count[WRONG] + count[0], 0);
}

static void any_flipped_bit_is_reported_or_harmless(void **state) {
    (void)state;
    int64_t count[4] = {0};
    try_each(0, count);
    assert_true(count[REPORTED] > count[HARMLESS]);
}

static void any_shorter_length_is_reported(void **state) {
    (void)state;
    int64_t count[4] = {0};
    try_each(1, count);
    assert_int_equal(count[HARMLESS], 0);
}

int main(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_was_written_is_read_back, scratch_clear),
        cmocka_unit_test(a_check_is_that_of_the_formula_by_hand),
        cmocka_unit_test(a_check_tells_places_values_and_signs_of_zero_apart),
        cmocka_unit_test_teardown(the_file_is_what_the_header_says, scratch_clear),
        cmocka_unit_test_teardown(runs_outside_of_the_triangle_are_refused, scratch_clear),
        cmocka_unit_test_teardown(a_writer_that_gives_up_leaves_the_old_file, scratch_clear),
        cmocka_unit_test_teardown(a_rank_that_does_not_make_the_file_makes_none, scratch_clear),
        cmocka_unit_test_teardown(a_disk_too_small_is_told_before_the_work, scratch_clear),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test_teardown(a_full_disk_is_reported_and_leaves_nothing, scratch_clear),
        cmocka_unit_test_teardown(every_failing_allocation_comes_back, scratch_clear),
        cmocka_unit_test_teardown(a_newer_version_is_refused, scratch_clear),
        cmocka_unit_test_teardown(more_samples_than_the_file_can_hold_are_refused, scratch_clear),
        cmocka_unit_test_teardown(other_types_shapes_and_layouts_are_refused, scratch_clear),
        cmocka_unit_test_teardown(no_variants_are_refused, scratch_clear),
        cmocka_unit_test_teardown(another_hdf5_file_is_refused, scratch_clear),
        cmocka_unit_test_teardown(any_flipped_bit_is_reported_or_harmless, scratch_clear),
        cmocka_unit_test_teardown(any_shorter_length_is_reported, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
