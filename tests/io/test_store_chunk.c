/* Damage of single chunks of genotypes, as it comes out of reading ahead and of reading a run. */
#include "io/store_ahead.h"
#include "src/geno/code.h"
#include "tests/io/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64, COLUMNS = 3, BANDS = 3, WIDTH = 3344 };

static const fixture_chromosome one[] = {{"1", GP_AUTOSOME, 150, 0}, {0}};
static const fixture wide = {40000, one, 150, 0, 0, "x"};
static const char set_name[] = "/chromosomes/1/genotype";

static char folder[64], path[128];

static int setup(void **state) {
    (void)state;
    gp_err err = {0};
    fixture_folder(folder);
    snprintf(path, sizeof path, "%s/wide.h5", folder);
    return fixture_write(&wide, path, &err);
}

static int teardown(void **state) {
    (void)state;
    fixture_count_files(folder, 1);
    return 0;
}

static void poke(int64_t at, uint8_t difference) {
    FILE *file = fopen(path, "r+b");
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ difference, file);
    fclose(file);
}

/* Where the chunks lie in the file. */
static void find_chunks(int64_t address[BANDS * COLUMNS]) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, set_name, H5P_DEFAULT);
    for (hsize_t k = 0; k < BANDS * COLUMNS; k++) {
        hsize_t at[2] = {k / COLUMNS * ROWS, k % COLUMNS * WIDTH}, size = 0;
        haddr_t where = 0;
        unsigned skipped = 0;
        assert_true(H5Dget_chunk_info_by_coord(set, at, &skipped, &where, &size) >= 0);
        assert_int_equal(size, ROWS * WIDTH + 4);
        address[k] = (int64_t)where;
    }
    H5Dclose(set);
    H5Fclose(file);
}

static int next(void *context, gp_store_run *run) {
    int64_t *band = context;
    int64_t first = ROWS * *band;
    *run = (gp_store_run){0, first, first + ROWS < 150 ? ROWS : 150 - first};
    return (*band)++ < BANDS;
}

/* Reads a column of chunks ahead; returns how many batches came before the error. */
static int64_t batches_before_error(int64_t column, gp_err *err) {
    gp_store *store = NULL;
    int64_t band = 0, batches = 0, sample = column * WIDTH * 4;
    int64_t samples = column == COLUMNS - 1 ? wide.samples - sample : WIDTH * 4;
    gp_ahead_plan plan = {ROWS, sample, samples, &band, next, NULL};
    gp_err none = {0};
    assert_int_equal(gp_store_open(&store, path, &none), GP_OK);
    gp_ahead *ahead = gp_ahead_open(store, &plan, &none);
    while (gp_ahead_next(ahead, err) != NULL)
        batches++;
    gp_ahead_close(ahead);
    gp_store_close(store);
    return batches;
}

/* The same from gp_store_read_genotypes, all at once. */
static int read_column(int64_t column, gp_err *err) {
    gp_store *store = NULL;
    gp_err none = {0};
    int64_t sample = column * WIDTH * 4;
    int64_t samples = column == COLUMNS - 1 ? wide.samples - sample : WIDTH * 4;
    uint8_t *rows = malloc((size_t)(150 * gp_geno_stride(samples)));
    assert_int_equal(gp_store_open(&store, path, &none), GP_OK);
    gp_store_read_genotypes(store, 0, 0, 150, sample, samples, rows, err);
    gp_store_close(store);
    free(rows);
    return err->code;
}

/* Chunk number k is damaged, and only that one. */
static void assert_damaged(int64_t k, const char *why) {
    char words[300];
    snprintf(words, sizeof words, "%s: %s is damaged (%s): restore the file", path, set_name, why);
    for (int64_t column = 0; column < COLUMNS; column++) {
        gp_err ahead = {0}, run = {0};
        int64_t batches = batches_before_error(column, &ahead);
        read_column(column, &run);
        if (column != k % COLUMNS) {
            assert_int_equal(batches, BANDS);
            assert_int_equal(ahead.code, GP_OK);
            assert_int_equal(run.code, GP_OK);
            continue;
        }
        assert_int_equal(batches, k / COLUMNS);
        assert_int_equal(ahead.code, GP_EINPUT);
        assert_ptr_equal(strstr(ahead.text, words), ahead.text);
        assert_int_equal(run.code, GP_EINPUT);
        assert_string_equal(run.text, ahead.text);
    }
}

static void a_changed_byte_in_any_chunk_is_found_and_named(void **state) {
    (void)state;
    int64_t address[BANDS * COLUMNS];
    find_chunks(address);
    for (int64_t k = 0; k < BANDS * COLUMNS; k++) {
        const int64_t at[] = {0, ROWS * WIDTH - 1, ROWS * WIDTH, ROWS * WIDTH + 3};
        for (int i = 0; i < 4; i++) {
            poke(address[k] + at[i], 0x10);
            assert_damaged(k, "checksum");
            poke(address[k] + at[i], 0x10);
        }
    }
    gp_err err = {0};
    assert_int_equal(batches_before_error(1, &err), BANDS);
    assert_int_equal(err.code, GP_OK);
}

/* Puts so many bytes there as chunk k. */
static void write_chunk(int64_t k, uint32_t skipped, int64_t bytes) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, set_name, H5P_DEFAULT);
    hsize_t at[2] = {(hsize_t)(k / COLUMNS * ROWS), (hsize_t)(k % COLUMNS * WIDTH)};
    uint8_t *chunk = calloc(1, (size_t)bytes); /* zeros have the checksum 0 */
    assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, skipped, at, (size_t)bytes, chunk) >= 0);
    H5Dclose(set);
    H5Fclose(file);
    free(chunk);
}

static void a_chunk_without_a_checksum_is_not_trusted(void **state) {
    (void)state;
    write_chunk(4, 1, 1); /* HDF5 notes the filters only where the size is a new one */
    write_chunk(4, 1, ROWS * WIDTH + 4);
    assert_damaged(4, "a chunk without its checksum");
}

static void a_chunk_of_another_size_is_not_trusted(void **state) {
    (void)state;
    static const int64_t bytes[] = {ROWS * WIDTH, 1, ROWS * WIDTH + 5, 4 * ROWS * WIDTH};
    for (int i = 0; i < 4; i++) {
        write_chunk(8, bytes[i] == ROWS * WIDTH, bytes[i]);
        assert_damaged(8, "the size of a chunk");
    }
}

/* The dataset made again, with all chunks but one. */
static void leave_out(int64_t missing) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, set_name, H5P_DEFAULT);
    hid_t space = H5Dget_space(set), create = H5Dget_create_plist(set);
    H5Dclose(set);
    H5Ldelete(file, set_name, H5P_DEFAULT);
    set = H5Dcreate2(file, set_name, H5T_STD_U8LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Pclose(create);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    for (int64_t k = 0; k < BANDS * COLUMNS; k++)
        if (k != missing)
            write_chunk(k, 0, ROWS * WIDTH + 4);
}

static void a_chunk_that_was_never_written_is_not_taken_for_zeros(void **state) {
    (void)state;
    gp_err err = {0};
    leave_out(5);
    assert_int_equal(batches_before_error(2, &err), 1);
    assert_int_equal(err.code, GP_EINPUT);
    assert_non_null(strstr(err.text, "/chromosomes/1/genotype is damaged ("));
    gp_err others = {0};
    assert_int_equal(batches_before_error(1, &others), BANDS);
    assert_int_equal(others.code, GP_OK);
}

enum { IDS = 7000, RUN = 100 };

static int next_ids(void *context, gp_store_run *run) {
    int64_t *at = context;
    *run = (gp_store_run){0, *at, RUN};
    *at += RUN;
    return run->first < IDS;
}

/* The first variant whose id touches byte number `end` of them. */
static int64_t variant_at(int64_t end) {
    int64_t bytes = 0, j = 0;
    for (; bytes <= end; j++) {
        char id[64];
        fixture_id(0, j, id);
        bytes += (int64_t)strlen(id) + 1;
    }
    return j - 1;
}

/* Ids are read further ahead than batches go. */
static void damaged_ids_are_named_when_their_turn_comes(void **state) {
    (void)state;
    static const fixture_chromosome many[] = {{"1", GP_AUTOSOME, IDS, 0}, {0}};
    static const fixture thin = {3, many, IDS, 0, 0, "x"};
    gp_err err = {0}, none = {0};
    assert_int_equal(fixture_write(&thin, path, &none), GP_OK);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "/chromosomes/1/id", H5P_DEFAULT);
    hid_t create = H5Dget_create_plist(set);
    hsize_t chunk[1] = {0}, size = 0;
    haddr_t where = 0;
    unsigned skipped = 0;
    H5Pget_chunk(create, 1, chunk);
    assert_true(H5Dget_chunk_info_by_coord(set, chunk, &skipped, &where, &size) >= 0);
    H5Pclose(create);
    H5Dclose(set);
    H5Fclose(file);
    poke((int64_t)where, 1);
    gp_store *store = NULL;
    assert_int_equal(gp_store_open(&store, path, &none), GP_OK);
    int64_t at = 0, batches = 0;
    gp_ahead_plan plan = {RUN, 0, 3, &at, next_ids, NULL};
    gp_ahead *ahead = gp_ahead_open(store, &plan, &none);
    while (gp_ahead_next(ahead, &err) != NULL)
        batches++;
    gp_ahead_close(ahead);
    gp_store_close(store);
    assert_int_equal(batches, variant_at((int64_t)chunk[0]) / RUN);
    assert_int_equal(err.code, GP_EINPUT);
    assert_non_null(strstr(err.text, "/chromosomes/1/id is damaged (checksum)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_changed_byte_in_any_chunk_is_found_and_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_chunk_without_a_checksum_is_not_trusted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chunk_of_another_size_is_not_trusted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_chunk_that_was_never_written_is_not_taken_for_zeros,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_ids_are_named_when_their_turn_comes, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
