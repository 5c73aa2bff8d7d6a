#include "io/fletcher.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 300000 };

static uint8_t *random_bytes(int64_t n) {
    uint64_t seed = 1;
    uint8_t *bytes = malloc((size_t)n);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)gp_test_bits(&seed);
    return bytes;
}

/* Word by word, carries added back at once. */
static uint32_t by_definition(const uint8_t *bytes, int64_t n) {
    uint32_t one = 0, two = 0;
    for (int64_t i = 0; i < n; i += 2) {
        one += (uint32_t)bytes[i] << 8 | (i + 1 < n ? bytes[i + 1] : 0);
        one = (one & 0xffff) + (one >> 16);
        two += one;
        two = (two & 0xffff) + (two >> 16);
    }
    return two << 16 | one;
}

static void two_words_by_hand(void **state) {
    (void)state;
    const uint8_t bytes[] = {1, 2, 3, 4};
    assert_int_equal(gp_fletcher32(bytes, 0), 0);
    assert_int_equal(gp_fletcher32(bytes, 1), 0x01000100);
    assert_int_equal(gp_fletcher32(bytes, 2), 0x01020102);
    assert_int_equal(gp_fletcher32(bytes, 4), 0x05080406);
}

static void any_length_from_any_address_is_as_defined(void **state) {
    (void)state;
    uint8_t *bytes = random_bytes(MOST);
    for (int64_t n = 0; n < 2000; n++)
        assert_int_equal(gp_fletcher32(bytes + n % 7, n), by_definition(bytes + n % 7, n));
    for (int64_t n = 2000; n < MOST - 64; n += 17977)
        assert_int_equal(gp_fletcher32(bytes + n % 64, n), by_definition(bytes + n % 64, n));
    free(bytes);
}

/* The largest sums there are, and the two zeros of arithmetic modulo 65535. */
static void full_and_empty_words_overflow_nothing(void **state) {
    (void)state;
    uint8_t *bytes = malloc(MOST);
    memset(bytes, 0xff, MOST);
    for (int64_t n = 1; n < MOST; n = n * 3 + 1)
        assert_int_equal(gp_fletcher32(bytes, n), by_definition(bytes, n));
    assert_int_equal(gp_fletcher32(bytes, MOST), 0xffffffff);
    memset(bytes, 0, MOST);
    assert_int_equal(gp_fletcher32(bytes, MOST), 0);
    bytes[MOST - 2] = bytes[MOST - 1] = 0xff; /* sums that are 65535, not 0 */
    assert_int_equal(gp_fletcher32(bytes, MOST), 0xffffffff);
    free(bytes);
}

static void any_changed_bit_changes_it(void **state) {
    (void)state;
    enum { BYTES = 4096 };
    uint8_t *bytes = random_bytes(BYTES);
    uint32_t before = gp_fletcher32(bytes, BYTES);
    for (int64_t i = 0; i < 8 * BYTES; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(gp_fletcher32(bytes, BYTES), before);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    free(bytes);
}

/* What HDF5 puts behind a chunk of so many bytes. */
static uint32_t by_hdf5(const uint8_t *bytes, int64_t n) {
    hsize_t size = (hsize_t)n, at = 0;
    uint32_t skipped = 0, sum = 0;
    uint8_t *chunk = malloc((size_t)n + 4);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, &size, NULL);
    H5Pset_fapl_core(access, 1 << 20, 0);
    H5Pset_chunk(create, 1, &size);
    H5Pset_fletcher32(create);
    hid_t file = H5Fcreate("unused", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    hid_t set = H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    assert_true(H5Dwrite(set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    H5Dflush(set);
#if H5_VERSION_GE(2, 0, 0)
    size_t room = (size_t)n + 4;
    assert_true(H5Dread_chunk2(set, H5P_DEFAULT, &at, &skipped, chunk, &room) >= 0);
#else
    assert_true(H5Dread_chunk(set, H5P_DEFAULT, &at, &skipped, chunk) >= 0);
#endif
    for (int k = 0; k < 4; k++)
        sum |= (uint32_t)chunk[n + k] << 8 * k;
    H5Dclose(set);
    H5Fclose(file);
    H5Sclose(space);
    H5Pclose(create);
    H5Pclose(access);
    free(chunk);
    return sum;
}

static void hdf5_computes_the_same(void **state) {
    (void)state;
    static const int64_t length[] = {1, 2, 3, 719, 720, 721, 16384, 65535, 160768, 262144};
    uint8_t *bytes = random_bytes(MOST);
    for (size_t k = 0; k < sizeof length / sizeof *length; k++)
        assert_int_equal(gp_fletcher32(bytes, length[k]), by_hdf5(bytes, length[k]));
    memset(bytes, 0xff, MOST);
    assert_int_equal(gp_fletcher32(bytes, 262144), by_hdf5(bytes, 262144));
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_words_by_hand),
        cmocka_unit_test(any_length_from_any_address_is_as_defined),
        cmocka_unit_test(full_and_empty_words_overflow_nothing),
        cmocka_unit_test(any_changed_bit_changes_it),
        cmocka_unit_test(hdf5_computes_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
