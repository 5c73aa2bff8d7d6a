#include "io/store.h"
#include "io/store_h5.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "tests/io/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const fixture_chromosome several[] = {{"10", GP_AUTOSOME, 1500, 1},
                                             {"2 left arm", GP_AUTOSOME, 3, 0},
                                             {"chrX", GP_X, 70, 0},
                                             {"MT", GP_MT, 1, 1},
                                             {0}};
static const fixture_chromosome one[] = {{"1", GP_AUTOSOME, 300, 0}, {0}};
static const fixture_chromosome tiny[] = {{"1", GP_AUTOSOME, 2, 1}, {"X", GP_X, 1, 0}, {0}};
static const fixture usual = {130, several, 400, 0, 0, "source a.bed\nsource b.bed\n"};
static const fixture smallest = {3, tiny, 2, 0, 0, "x"};

static char folder[64], path[128], other[128];

static int setup(void **state) {
    (void)state;
    fixture_folder(folder);
    snprintf(path, sizeof path, "%s/cohort.h5", folder);
    snprintf(other, sizeof other, "%s/other.h5", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_count_files(folder, 1);
    return 0;
}

static void assert_ok(const gp_err *err) {
    if (err->code != GP_OK)
        fail_msg("%s", err->text);
}

static void assert_says(const gp_err *err, int code, const char *words) {
    assert_int_equal(err->code, code);
    if (strstr(err->text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err->text);
}

static void write_store(const fixture *f, const char *to) {
    gp_err err = {0};
    fixture_write(f, to, &err);
    assert_ok(&err);
}

static gp_store *open_store(const char *from) {
    gp_err err = {0};
    gp_store *store = NULL;
    gp_store_open(&store, from, &err);
    assert_ok(&err);
    return store;
}

static uint8_t *file_bytes(const char *from, int64_t *size) {
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc((size_t)*size + 1);
    assert_int_equal(fread(bytes, 1, (size_t)*size, file), *size);
    fclose(file);
    return bytes;
}

static void poke(const char *to, int64_t at, uint8_t byte) {
    FILE *file = fopen(to, "r+b");
    fseek(file, at, SEEK_SET);
    fputc(byte, file);
    fclose(file);
}

static int same_files(const char *a, const char *b) {
    int64_t na = 0, nb = 0;
    uint8_t *bytes_a = file_bytes(a, &na), *bytes_b = file_bytes(b, &nb);
    int same = na == nb && memcmp(bytes_a, bytes_b, (size_t)na) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

/* ---- content ---- */

static void a_store_reads_back_as_written(void **state) {
    (void)state;
    gp_err err = {0};
    write_store(&usual, path);
    gp_store *store = open_store(path);
    const char *bad = fixture_compare(&usual, store, &err);
    assert_ok(&err);
    if (bad != NULL)
        fail_msg("differs: %s", bad);
    assert_string_equal(gp_store_path(store), path);
    gp_store_close(store);
    assert_int_equal(gp_store_verify(path, NULL, NULL, &err), GP_OK);
}

static void a_compressed_store_holds_the_same_content(void **state) {
    (void)state;
    gp_err err = {0};
    fixture packed = usual;
    packed.compress = 6;
    write_store(&usual, path);
    write_store(&packed, other);
    gp_store *a = open_store(path), *b = open_store(other);
    assert_null(fixture_compare(&packed, b, &err));
    assert_string_equal(gp_store_digest(a), gp_store_digest(b));
    gp_store_close(a);
    gp_store_close(b);
    assert_int_equal(gp_store_verify(other, NULL, NULL, &err), GP_OK);
    struct stat plain, small;
    stat(path, &plain);
    stat(other, &small);
    assert_true(small.st_size < plain.st_size);
}

static void a_slice_of_samples_is_the_middle_of_the_whole(void **state) {
    (void)state;
    gp_err err = {0};
    fixture wide = {40000, one, 100, 0, 0, "x"}; /* three chunks across */
    int64_t from[] = {0, 64, 16000, 25600, 39936}, samples[] = {64, 38400, 192, 14400, 64};
    int64_t stride = gp_geno_stride(wide.samples);
    write_store(&wide, path);
    gp_store *store = open_store(path);
    uint8_t *whole = malloc((size_t)(150 * stride)), *slice = malloc((size_t)(150 * stride));
    gp_store_read_genotypes(store, 0, 101, 150, 0, wide.samples, whole, &err);
    for (int k = 0; k < 5; k++) {
        int64_t width = gp_geno_stride(samples[k]);
        gp_store_read_genotypes(store, 0, 101, 150, from[k], samples[k], slice, &err);
        assert_ok(&err);
        for (int64_t i = 0; i < 150; i++)
            assert_memory_equal(slice + i * width, whole + i * stride + from[k] / 4, (size_t)width);
    }
    assert_int_equal(gp_store_read_genotypes(store, 0, 0, 1, 32, 64, slice, &err), GP_EFAIL);
    gp_store_close(store);
    free(whole);
    free(slice);
}

static void reading_a_range_that_is_not_there_fails(void **state) {
    (void)state;
    gp_variants v = {0};
    gp_counts counts[4];
    write_store(&smallest, path);
    gp_store *store = open_store(path);
    for (int k = 0; k < 3; k++) {
        gp_err err = {0};
        int64_t first[] = {1, -1, 0}, count[] = {2, 1, -1};
        assert_int_equal(gp_store_read_variants(store, 0, first[k], count[k], &v, &err), GP_EFAIL);
    }
    gp_err err = {0}, none = {0};
    assert_int_equal(gp_store_read_counts(store, 2, 0, 1, counts, &err), GP_EFAIL);
    assert_int_equal(gp_store_read_variants(store, 0, 1, 0, &v, &none), GP_OK);
    assert_int_equal(v.count, 0);
    gp_variants_free(&v);
    gp_store_close(store);
}

static void the_same_input_gives_the_same_bytes_however_it_comes(void **state) {
    (void)state;
    fixture again = usual;
    again.run = 7;
    again.dirty = 1; /* what lies behind the last sample has no say */
    write_store(&usual, path);
    sleep(1); /* a time kept somewhere would show */
    write_store(&again, other);
    assert_true(same_files(path, other));
}

/* tests/oracle/store_digest.py computes it from the words in io/store_digest.h alone. */
static void the_digest_is_the_one_that_is_documented(void **state) {
    (void)state;
    write_store(&smallest, path);
    gp_store *store = open_store(path);
    assert_string_equal(gp_store_digest(store), "bd3357093200c8430224fc53d4f40856");
    assert_string_equal(gp_store_chromosome_digest(store, 0), "148bc4c7b46fcc67618ab29b463d9c9c");
    assert_string_equal(gp_store_chromosome_digest(store, 1), "80efd1447b633352c33b42dcfe9a51d2");
    gp_store_close(store);
}

static void blocks_are_the_largest_that_leave_1024_of_them(void **state) {
    (void)state;
    int64_t variants[] = {1, 8192, 16383, 16384, 262143, 262144, 300000};
    int64_t block[] = {8, 8, 8, 16, 128, 256, 256};
    for (int k = 0; k < 7; k++) {
        fixture_chromosome c[] = {{"1", GP_AUTOSOME, variants[k], 0}, {0}};
        fixture f = {1, c, 5000, 0, 0, ""};
        write_store(&f, path);
        gp_store *store = open_store(path);
        assert_int_equal(gp_store_block(store), block[k]);
        gp_store_close(store);
    }
}

/* ---- writing ---- */

static void a_finished_store_has_the_usual_mode_and_no_neighbours(void **state) {
    (void)state;
    struct stat info;
    mode_t old = umask(027);
    write_store(&smallest, path);
    umask(old);
    stat(path, &info);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(fixture_count_files(folder, 0), 1);
}

typedef struct begun {
    gp_samples samples;
    gp_store_writer *writer;
} begun;

/* A writer of one sample and three variants. */
static begun begin(gp_err *err) {
    begun b = {{0}, NULL};
    gp_sample sample = {"F", "I", "0", "0", 1};
    gp_samples_add(&b.samples, &sample, err);
    gp_store_plan plan = {&b.samples, 3, 0, ""};
    gp_store_create(&b.writer, path, &plan, err);
    assert_ok(err);
    return b;
}

static void end(begun *b) {
    gp_store_discard(b->writer);
    gp_samples_free(&b->samples);
    assert_int_equal(fixture_count_files(folder, 0), 0);
}

static void a_discarded_store_leaves_nothing(void **state) {
    (void)state;
    gp_err err = {0};
    begun b = begin(&err);
    assert_int_equal(fixture_count_files(folder, 0), 1);
    assert_int_not_equal(access(path, F_OK), 0);
    end(&b);
}

static void a_store_with_variants_lacking_is_not_finished(void **state) {
    (void)state;
    gp_err err = {0};
    begun b = begin(&err);
    char name[] = "1";
    gp_chromosome c = {name, GP_AUTOSOME, 3};
    gp_store_begin_chromosome(b.writer, &c, 0, &err);
    gp_store_finish(b.writer, &err);
    assert_says(&err, GP_EFAIL, "0 variants of chromosome 1 came where 3 were announced");
    b.writer = NULL;
    end(&b);
}

static void names_that_hdf5_would_take_for_paths_are_refused(void **state) {
    (void)state;
    char names[][4] = {"", ".", "..", "a/b", "1"};
    for (int k = 0; k < 5; k++) {
        gp_err err = {0};
        begun b = begin(&err);
        gp_chromosome c = {names[k], GP_AUTOSOME, 1};
        gp_store_begin_chromosome(b.writer, &c, 0, &err);
        assert_int_equal(err.code, k < 4 ? GP_EINPUT : GP_OK);
        end(&b);
    }
}

static void a_chromosome_that_comes_twice_is_refused(void **state) {
    (void)state;
    fixture_chromosome twice[] = {
        {"1", GP_AUTOSOME, 2, 0}, {"2", GP_AUTOSOME, 2, 0}, {"1", GP_AUTOSOME, 2, 0}, {0}};
    fixture f = {4, twice, 2, 0, 0, ""};
    gp_err err = {0};
    fixture_write(&f, path, &err);
    assert_says(&err, GP_EINPUT, "chromosome '1' comes twice");
    assert_int_equal(fixture_count_files(folder, 0), 0);
}

static void positions_may_not_go_back(void **state) {
    (void)state;
    gp_err err = {0};
    begun b = begin(&err);
    char name[] = "1", text[] = "A";
    char *texts[3] = {text, text, text};
    int64_t position[3] = {5, 5, 4};
    uint8_t rows[48] = {0};
    gp_chromosome c = {name, GP_AUTOSOME, 3};
    gp_variants v = {.count = 3, .position = position, .id = texts, .ref = texts, .alt = texts};
    gp_store_begin_chromosome(b.writer, &c, 0, &err);
    gp_store_append(b.writer, &v, rows, &err);
    assert_says(&err, GP_EFAIL, "position 4 of chromosome 1 comes after 5");
    end(&b);
}

static void a_folder_that_is_not_there_is_named(void **state) {
    (void)state;
    gp_err err = {0};
    fixture_write(&smallest, "/nonexistent/cohort.h5", &err);
    assert_says(&err, GP_EINPUT, "/nonexistent/cohort.h5: cannot be made: No such file");
}

static void another_programs_hdf5_file_is_not_replaced(void **state) {
    (void)state;
    gp_err before = {0}, after = {0};
    write_store(&smallest, path);
    assert_int_equal(gp_store_check_new(path, &before), GP_OK);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(gp_h5_put_text(file, "format", "gp-dist grm") >= 0);
    H5Fclose(file);
    gp_store_check_new(path, &after);
    assert_says(&after, GP_EINPUT, "is there already and is no store");
}

/* 1: it said so and left nothing; anything else: not. */
static void write_with_little_room(rlim_t room) {
    gp_err err = {0};
    struct rlimit limit = {room, room};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    fixture_write(&usual, path, &err);
    int right = err.code == GP_EFAIL && strstr(err.text, "cannot be written: File too large") &&
                fixture_count_files(folder, 0) == 0;
    exit(right ? 1 : 2); /* exit, not _exit: HDF5 must survive its own end, too */
}

static void a_full_disk_is_reported_and_leaves_nothing(void **state) {
    (void)state;
    for (rlim_t room = 1000; room < 100000; room += 9000) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
            write_with_little_room(room);
        waitpid(pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
            fail_msg("with %lld bytes: status %x", (long long)room, status);
    }
}

/* ---- refusals ---- */

static void assert_refused(const char *what, const char *words) {
    gp_err err = {0};
    gp_store *store = NULL;
    gp_store_open(&store, what, &err);
    assert_null(store);
    assert_says(&err, GP_EINPUT, words);
    assert_int_equal(strncmp(err.text, what, strlen(what)), 0);
}

static void what_is_no_store_is_refused(void **state) {
    (void)state;
    FILE *file = fopen(other, "w");
    fputs("FID IID T\n", file);
    fclose(file);
    assert_refused(path, "cannot be opened: No such file");
    assert_refused(folder, "is not a file");
    assert_refused(other, "is not an HDF5 file");
    fclose(fopen(other, "w"));
    assert_refused(other, "is not an HDF5 file");
}

static void make_hdf5(H5F_libver_t version, const char *format, int64_t format_version) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, version, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 32);
    if (format != NULL) {
        char text[32] = "";
        snprintf(text, sizeof text, "%s", format);
        hid_t a = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, type, text);
        H5Aclose(a);
        a = H5Acreate2(file, "format_version", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, H5T_NATIVE_INT64, &format_version);
        H5Aclose(a);
    }
    H5Tclose(type);
    H5Sclose(space);
    H5Pclose(access);
    H5Fclose(file);
}

static void another_hdf5_file_is_refused(void **state) {
    (void)state;
    make_hdf5(H5F_LIBVER_EARLIEST, NULL, 0);
    assert_refused(path, "is an HDF5 file but not a gp-dist store");
    make_hdf5(H5F_LIBVER_LATEST, NULL, 0);
    assert_refused(path, "is an HDF5 file but not a gp-dist store");
    make_hdf5(H5F_LIBVER_LATEST, "something else", 1);
    assert_refused(path, "is an HDF5 file but not a gp-dist store");
    make_hdf5(H5F_LIBVER_LATEST, "gp-dist store", 1);
    assert_refused(path, "is damaged (attribute block)");
}

static void a_newer_format_is_refused(void **state) {
    (void)state;
    make_hdf5(H5F_LIBVER_LATEST, "gp-dist store", 2);
    assert_refused(path, "was written in format version 2; this program reads up to 1; use a newer "
                         "gp-dist");
}

static void a_cut_store_is_refused_with_its_lengths(void **state) {
    (void)state;
    char words[100];
    struct stat info;
    write_store(&usual, path);
    stat(path, &info);
    assert_int_equal(truncate(path, info.st_size - 1), 0);
    snprintf(words, sizeof words, "is cut short: %lld of %lld bytes are there",
             (long long)info.st_size - 1, (long long)info.st_size);
    assert_refused(path, words);
    assert_int_equal(truncate(path, info.st_size + 1), 0);
    assert_refused(path, "it is longer than it was written");
}

static void set_number(const char *object, const char *attribute, int64_t value) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t owner = H5Oopen(file, object, H5P_DEFAULT); /* H5Aopen_by_name of 1.10 writes to "/" */
    hid_t a = H5Aopen(owner, attribute, H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_INT64, &value) >= 0);
    H5Aclose(a);
    H5Oclose(owner);
    H5Fclose(file);
}

/* A chromosome's digest is replaced by another text, or removed. */
static void set_digest(const char *text) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t owner = H5Oopen(file, "/chromosomes/X", H5P_DEFAULT);
    assert_true(H5Adelete(owner, "digest") >= 0);
    if (text != NULL)
        assert_true(gp_h5_put_text(owner, "digest", text) >= 0);
    H5Oclose(owner);
    H5Fclose(file);
}

static void a_chromosome_without_a_digest_of_its_own_is_an_older_stores(void **state) {
    gp_err err = {0};
    (void)state;
    write_store(&smallest, path);
    set_digest(NULL);
    gp_store *store = open_store(path);
    assert_string_equal(gp_store_chromosome_digest(store, 0), "148bc4c7b46fcc67618ab29b463d9c9c");
    assert_null(gp_store_chromosome_digest(store, 1));
    gp_store_close(store);
    assert_int_equal(gp_store_verify(path, NULL, NULL, &err), GP_OK);
}

static void a_chromosomes_digest_must_be_that_of_its_content(void **state) {
    gp_err err = {0};
    (void)state;
    write_store(&smallest, path);
    set_digest("00000000000000000000000000000000");
    assert_int_equal(gp_store_verify(path, NULL, NULL, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "/chromosomes/X is damaged: its content has the digest "
                                     "80efd1447b633352c33b42dcfe9a51d2 where 0000"));
    set_digest("no digest");
    assert_refused(path, "/chromosomes/X is damaged (attribute digest)");
}

/* Puts a dataset that says it has a million million rows in a place of one that has few. */
static void exaggerate(const char *dataset) {
    hsize_t rows = 1000000000000, chunk = 1000;
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &rows, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 1, &chunk);
    assert_true(H5Ldelete(file, dataset, H5P_DEFAULT) >= 0);
    hid_t set = H5Dcreate2(file, dataset, H5T_STD_U8LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    assert_true(set >= 0);
    H5Dclose(set);
    H5Pclose(create);
    H5Sclose(space);
    H5Fclose(file);
}

/* Checksums are right here; only the sizes are not. */
static void sizes_that_the_file_cannot_hold_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *object, *attribute, *words;
        int64_t value;
    } lie[] = {{"/", "samples", "attribute samples", INT64_MAX},
               {"/", "samples", "attribute samples", 1000000000000},
               {"/", "samples", "its length is not what the attributes say", 131},
               {"/", "variants", "attribute variants", 1000000000000},
               {"/", "variants", "the number of variants", 1575},
               {"/", "block", "attribute block", 24},
               {"/chromosomes/MT", "variants", "attribute variants", -1},
               {"/chromosomes/MT", "variants", "the number of variants", 2}};
    for (int k = 0; k < 8; k++) {
        gp_err err = {0};
        write_store(&usual, path);
        set_number(lie[k].object, lie[k].attribute, lie[k].value);
        gp_store_verify(path, NULL, NULL, &err);
        assert_says(&err, GP_EINPUT, lie[k].words);
    }
    gp_err err = {0};
    write_store(&usual, path);
    exaggerate("/chromosomes/chrX/id");
    gp_store_verify(path, NULL, NULL, &err);
    assert_says(&err, GP_EINPUT,
                "/chromosomes/chrX/id is damaged (it is larger than the file can hold)");
}

/* Where a row of genotypes lies in the file. */
static int64_t find_row(const fixture *f, int64_t j) {
    int64_t size = 0, at = 0, bytes = f->samples / 4;
    uint8_t row[64] = {0};
    for (int64_t i = 0; i < f->samples; i++)
        gp_geno_set(row, i, fixture_call(0, j, i));
    uint8_t *all = file_bytes(path, &size);
    while (at < size - bytes && memcmp(all + at, row, (size_t)bytes) != 0)
        at++;
    assert_true(at < size - bytes);
    free(all);
    return at;
}

static void a_damaged_chunk_is_named_and_the_others_are_read(void **state) {
    (void)state;
    gp_err err = {0};
    uint8_t *rows = malloc(1500 * 48);
    write_store(&usual, path);
    poke(path, find_row(&usual, 1200) + 5, 0x5A); /* the second of two chunks */
    gp_store *store = open_store(path);
    gp_store_read_genotypes(store, 0, 0, 1024, 0, 130, rows, &err);
    assert_ok(&err);
    gp_store_read_genotypes(store, 0, 1023, 2, 0, 130, rows, &err);
    assert_says(&err, GP_EINPUT, "cohort.h5: /chromosomes/10/genotype is damaged (checksum): ");
    gp_store_close(store);
    gp_err found = {0};
    gp_store_verify(path, NULL, NULL, &found);
    assert_says(&found, GP_EINPUT, "/chromosomes/10/genotype is damaged (checksum)");
    free(rows);
}

static void seen(void *context, int64_t done, int64_t total) {
    int64_t *last = context;
    assert_true(done > last[0] && done <= total);
    last[0] = done;
    last[1] = total;
}

static void verify_reports_progress_up_to_the_whole(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t last[2] = {0};
    write_store(&usual, path);
    gp_store_verify(path, seen, last, &err);
    assert_ok(&err);
    assert_int_equal(last[0], (1500 + 3 + 70 + 1) * 48);
    assert_int_equal(last[1], last[0]);
}

/* ---- faults ---- */

static void any_refused_allocation_while_writing_leaves_nothing(void **state) {
    (void)state;
    gp_err err = {GP_EFAIL, ""};
    int64_t k = 1;
    for (; err.code != GP_OK; k++) {
        err = (gp_err){0};
        gp_mem_fail_at(k);
        fixture_write(&smallest, path, &err);
        gp_mem_fail_at(0);
        assert_int_equal(fixture_count_files(folder, 0), err.code == GP_OK);
        if (err.code != GP_OK)
            assert_says(&err, GP_EFAIL, "memory");
        assert_true(k < 1000);
    }
    assert_true(k > 20);
}

static void any_refused_allocation_while_reading_is_reported(void **state) {
    (void)state;
    gp_err err = {GP_EFAIL, ""};
    int64_t k = 1;
    write_store(&smallest, path);
    for (; err.code != GP_OK; k++) {
        err = (gp_err){0};
        gp_mem_fail_at(k);
        gp_store_verify(path, NULL, NULL, &err);
        gp_mem_fail_at(0);
        if (err.code != GP_OK)
            assert_says(&err, GP_EFAIL, "memory");
        assert_true(k < 1000);
    }
    assert_true(k > 20);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_store_reads_back_as_written),
        CASE(a_compressed_store_holds_the_same_content),
        CASE(a_slice_of_samples_is_the_middle_of_the_whole),
        CASE(reading_a_range_that_is_not_there_fails),
        CASE(the_same_input_gives_the_same_bytes_however_it_comes),
        CASE(the_digest_is_the_one_that_is_documented),
        CASE(blocks_are_the_largest_that_leave_1024_of_them),
        CASE(a_finished_store_has_the_usual_mode_and_no_neighbours),
        CASE(a_discarded_store_leaves_nothing),
        CASE(a_store_with_variants_lacking_is_not_finished),
        CASE(names_that_hdf5_would_take_for_paths_are_refused),
        CASE(a_chromosome_that_comes_twice_is_refused),
        CASE(positions_may_not_go_back),
        CASE(a_folder_that_is_not_there_is_named),
        CASE(another_programs_hdf5_file_is_not_replaced),
        CASE(a_full_disk_is_reported_and_leaves_nothing),
        CASE(what_is_no_store_is_refused),
        CASE(another_hdf5_file_is_refused),
        CASE(a_newer_format_is_refused),
        CASE(a_cut_store_is_refused_with_its_lengths),
        CASE(a_chromosome_without_a_digest_of_its_own_is_an_older_stores),
        CASE(a_chromosomes_digest_must_be_that_of_its_content),
        CASE(sizes_that_the_file_cannot_hold_are_refused),
        CASE(a_damaged_chunk_is_named_and_the_others_are_read),
        CASE(verify_reports_progress_up_to_the_whole),
        CASE(any_refused_allocation_while_writing_leaves_nothing),
        CASE(any_refused_allocation_while_reading_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
