#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/crc32.h"
#include "io/deflate.h"
#include "io/huffman.h"

#if GP_HAVE_ZLIB
#include <zlib.h>
#endif
#if GP_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

enum { PIECE = GP_DEFLATE_PIECE };

static uint64_t random_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

typedef int64_t encoder(gp_deflate *, const void *, int64_t, void *);
static encoder *const encoders[] = {gp_deflate_piece, gp_deflate_numbers};

static gp_deflate *scratch;
static unsigned char piece[PIECE], packed[PIECE + GP_DEFLATE_ROOM + 1], back[PIECE + 1];

static int make_scratch(void **state) {
    (void)state;
    scratch = malloc(sizeof *scratch);
    return scratch == NULL;
}

static int free_scratch(void **state) {
    (void)state;
    free(scratch);
    return 0;
}

/* ---- other programs' decompression ---- */

static void inflate_by_zlib(int64_t size, int64_t n) {
#if GP_HAVE_ZLIB
    z_stream z = {0};
    z.next_in = packed;
    z.avail_in = (unsigned)size;
    z.next_out = back;
    z.avail_out = sizeof back;
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, n);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(inflateEnd(&z), Z_OK);
    assert_memory_equal(back, piece, (size_t)n);
#else
    (void)size, (void)n;
#endif
}

static void inflate_by_libdeflate(int64_t size, int64_t n) {
#if GP_HAVE_LIBDEFLATE
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    size_t in = 0, out = 0;
    assert_int_equal(
        libdeflate_deflate_decompress_ex(d, packed, (size_t)size, back, sizeof back, &in, &out),
        LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(d);
    assert_int_equal(in, size);
    assert_int_equal(out, n);
    assert_memory_equal(back, piece, (size_t)n);
#else
    (void)size, (void)n;
#endif
}

/* Compresses the first n bytes of piece by both encoders, and has them decompressed. Returns the
 * smaller size. */
static int64_t check(int64_t n) {
    int64_t least = INT64_MAX;
    for (int k = 0; k < 2; k++) {
        memset(packed, 0xA5, sizeof packed);
        int64_t size = encoders[k](scratch, piece, n, packed);
        assert_true(size > 0 && size <= n + 5);
        for (int64_t beyond = n + GP_DEFLATE_ROOM; beyond < (int64_t)sizeof packed; beyond++)
            assert_int_equal(packed[beyond], 0xA5);
        inflate_by_zlib(size, n);
        inflate_by_libdeflate(size, n);
        least = size < least ? size : least;
    }
    return least;
}

/* ---- shapes ---- */

/* Lines like those of results. Returns their bytes, at most `most`. */
static int64_t fill_with_table(int64_t most) {
    static const char base[] = "ACGT";
    uint64_t seed = 7;
    int64_t n = 0, position = 55000;
    for (int line = 1; n + 200 < most; line++) {
        uint64_t r = random_bits(&seed), x[6];
        for (int k = 0; k < 6; k++) /* not in a call, where their order is open */
            x[k] = random_bits(&seed);
        position += (int64_t)(r % 60000);
        n += sprintf((char *)piece + n,
                     "1\t%lld\t%c\t%c\t%.9g\t%.9g\t%.6g\t%.9g\t20000\trs%d\t%.9g\t%.9g\tOK\n",
                     (long long)position, base[r >> 20 & 3], base[r >> 22 & 3],
                     (double)(int64_t)x[0] * 0x1p-66, (double)(x[1] >> 40) * 0x1p-30,
                     (double)(x[2] % 20001) / 40000, (double)(x[3] >> 11) * 0x1p-53, line,
                     (double)(int64_t)x[4] * 0x1p-62, (double)(x[5] >> 11) * 0x1p-52);
    }
    return n;
}

/* Places in a file like those of an index: each 8 bytes, several times or not, with a number before
 * it at times. Returns their bytes, at most `most`. */
static int64_t fill_with_index(int64_t most) {
    uint64_t seed = 8, place = 0;
    int64_t n = 0;
    while (n + 8 * 140 + 1 < most) {
        uint64_t r = random_bits(&seed) >> 20;
        place += r % 5000 << (r >> 20 & 1 ? 16 : 0);
        if ((r >> 24) % 64 == 0)
            piece[n++] = 7; /* what follows is not where multiples of 8 are */
        for (uint64_t k = r >> 13 & 31 ? r >> 30 & 3 : 139; k < 140; k--)
            for (int byte = 0; byte < 8; byte++)
                piece[n++] = (unsigned char)(place >> (8 * byte));
    }
    return n;
}

static void a_table_of_results_becomes_less_than_half(void **state) {
    (void)state;
    int64_t n = fill_with_table(PIECE);
    assert_in_range(check(n), n / 4, n * 47 / 100);
    for (int64_t cut = 0; cut < 300; cut++)
        check(cut);
}

static void an_index_becomes_less_than_a_third(void **state) {
    (void)state;
    int64_t n = fill_with_index(PIECE);
    int64_t size = check(n);
    assert_in_range(size, 1, n / 3);
    for (int64_t cut = 0; cut < 700; cut++)
        check(cut);
}

static void random_bytes_are_stored(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (int k = 0; k < PIECE; k++)
        piece[k] = (unsigned char)(random_bits(&seed) >> 40);
    static const int64_t size[] = {0, 1, 2, 15, 63, 64, 95, 96, 97, 1000, PIECE - 1, PIECE};
    for (size_t k = 0; k < sizeof size / sizeof *size; k++)
        assert_int_equal(check(size[k]), size[k] + 5);
}

static void bytes_of_few_kinds_come_back(void **state) {
    (void)state;
    uint64_t seed = 4;
    for (int kinds = 1; kinds <= 256; kinds = kinds < 20 ? kinds + 1 : kinds * 2) {
        for (int k = 0; k < PIECE; k++) {
            uint64_t r = random_bits(&seed) >> 33;
            piece[k] = (unsigned char)(r % 3 == 0 ? 0 : (r >> 8) % (unsigned)kinds);
        }
        check(PIECE);
        check(100 + kinds);
    }
}

static void each_byte_alone_and_all_equal_come_back(void **state) {
    (void)state;
    for (int value = 0; value < 256; value++) {
        memset(piece, value, PIECE);
        check(1);
        check(300);
        if (value < 20)
            assert_true(check(PIECE) < PIECE / 7); /* a bit a byte */
    }
}

static void all_values_in_turn_come_back(void **state) {
    (void)state;
    for (int k = 0; k < PIECE; k++)
        piece[k] = (unsigned char)k;
    check(PIECE);
    for (int k = 0; k < PIECE; k++)
        piece[k] = (unsigned char)((unsigned)k * (unsigned)k >> 6);
    check(PIECE);
}

/* A block of random fields that comes again after each distance, for every length of a repeat. */
static void repeats_of_every_length_and_distance_come_back(void **state) {
    (void)state;
    uint64_t seed = 9;
    for (int64_t distance = 1; distance < PIECE / 2; distance = distance * 5 / 4 + 1) {
        for (int64_t k = 0; k < PIECE; k++) {
            uint64_t r = random_bits(&seed) >> 30;
            piece[k] = k >= distance && r % 300 != 0 ? piece[k - distance]
                       : r % 7 == 0                  ? '\t'
                                                     : (unsigned char)(r >> 10);
        }
        check(PIECE);
    }
}

/* A repeat of nearly the longest length whose end differs, with every number of bytes behind it:
 * near the end of a piece fewer can be compared at once. */
static void repeats_that_end_near_the_end_come_back(void **state) {
    (void)state;
    enum { FROM = 240, TO = 290, BEHIND = 48 };
    for (int length = FROM; length < TO; length++)
        for (int behind = 0; behind < BEHIND; behind++) {
            int n = 0;
            for (int row = 0; row < 2; row++) {
                piece[n++] = '\n';
                for (int k = 0; k < length; k++)
                    piece[n++] = (unsigned char)("ACGT"[(k * k / 3) % 4]);
                piece[n++] = (unsigned char)('0' + row);
            }
            for (int k = 0; k < behind; k++)
                piece[n++] = (unsigned char)('a' + k % 23);
            check(n);
            /* Equal numbers, and one byte that is another. */
            n = 8 * (length / 4);
            memset(piece, 0, (size_t)n);
            piece[n - 1 - behind] = 7;
            check(n);
        }
}

static void nothing_stays_between_pieces(void **state) {
    (void)state;
    static unsigned char first[sizeof packed];
    int64_t n = fill_with_table(PIECE);
    memset(scratch, 0, sizeof *scratch);
    int64_t size = gp_deflate_piece(scratch, piece, n, first);
    memset(scratch, 0xFF, sizeof *scratch);
    assert_int_equal(gp_deflate_piece(scratch, piece, n, packed), size);
    assert_memory_equal(packed, first, (size_t)size);
}

/* The bytes of results must not change unseen: with the compiler, the machine or the release. */
static void the_bytes_are_these(void **state) {
    (void)state;
    static const char text[] = "1\t100\tA\tC\t0.5\trs1\tOK\n1\t101\tA\tC\t0.25\trs2\tOK\n"
                               "1\t110\tA\tG\t0.5\trs3\tOK\n1\t200\tA\tC\t0.75\trs4\tOK\n"
                               "1\t210\tA\tC\t0.5\trs5\tOK\n1\t221\tA\tC\t0.25\trs6\tOK\n";
    gp_crc32 crc;
    gp_crc32_init(&crc);
    memcpy(piece, text, sizeof text - 1);
    int64_t n = sizeof text - 1, size = gp_deflate_piece(scratch, piece, n, packed);
    assert_int_equal(size, 86);
    assert_int_equal(gp_crc32_of(&crc, packed, size), 0x47b6fe29);
    /* Long pieces: on some machines they take ways of their own. */
    n = fill_with_table(PIECE);
    size = gp_deflate_piece(scratch, piece, n, packed);
    assert_int_equal(gp_crc32_of(&crc, packed, size), 0xb747c75b);
    n = fill_with_index(PIECE);
    size = gp_deflate_numbers(scratch, piece, n, packed);
    assert_int_equal(gp_crc32_of(&crc, packed, size), 0x3048819f);
}

/* ---- code lengths ---- */

static void check_lengths(const uint32_t *count, int n, int limit) {
    uint8_t length[GP_HUFFMAN_SYMBOLS];
    gp_huffman_lengths(count, n, limit, length);
    int64_t sum = 0;
    for (int s = 0; s < n; s++) {
        assert_in_range(length[s], 0, limit);
        if (count[s] > 0)
            assert_in_range(length[s], 1, limit);
        sum += length[s] > 0 ? (int64_t)1 << (limit - length[s]) : 0;
        for (int t = 0; t < s; t++) /* the more there are, the shorter the code */
            if (count[s] > count[t] && count[t] > 0)
                assert_true(length[s] <= length[t]);
    }
    assert_int_equal(sum, (int64_t)1 << limit); /* complete */
}

static void lengths_keep_their_limit_and_are_complete(void **state) {
    (void)state;
    uint32_t count[GP_HUFFMAN_SYMBOLS] = {0}, a = 1, b = 1;
    for (int k = 0; k < 24; k++) { /* Fibonacci's numbers want codes of 23 bits */
        count[3 * k] = a;
        b += a;
        a = b - a;
    }
    for (int limit = 5; limit <= 15; limit++)
        check_lengths(count, GP_HUFFMAN_SYMBOLS - 2, limit < 9 ? 9 : limit);
    check_lengths(count, 3 * 24, 7);
    uint64_t seed = 11;
    for (int round = 0; round < 200; round++) {
        int n = 2 + round % (GP_HUFFMAN_SYMBOLS - 2);
        for (int s = 0; s < n; s++) {
            uint64_t r = random_bits(&seed) >> 20;
            count[s] = r % 4 == 0 ? 0 : (uint32_t)(r >> 8 & 0xFFFF) >> (r >> 4 & 15);
        }
        check_lengths(count, n, 9 + round % 7);
    }
}

/* Weights 1, 1, 2, 3, 5 make the tree 4, 4, 3, 2, 1. */
static void lengths_are_huffmans(void **state) {
    (void)state;
    const uint32_t count[] = {5, 1, 0, 3, 1, 2};
    const uint8_t expected[] = {1, 4, 0, 2, 4, 3};
    uint8_t length[6];
    gp_huffman_lengths(count, 6, 15, length);
    assert_memory_equal(length, expected, sizeof expected);
}

/* RFC 1951, 3.2.2: lengths (3, 3, 3, 3, 3, 2, 4, 4) give 010, 011, 100, 101, 110, 00, 1110, 1111.
 */
static void codes_are_those_of_the_rfc(void **state) {
    (void)state;
    const uint8_t length[] = {3, 3, 3, 3, 3, 2, 4, 4};
    const uint16_t expected[] = {2, 6, 1, 5, 3, 0, 7, 15}; /* first bit lowest */
    uint16_t code[8];
    gp_huffman_codes(length, 8, code);
    assert_memory_equal(code, expected, sizeof expected);
}

static void fewer_than_two_symbols_still_make_a_complete_code(void **state) {
    (void)state;
    for (int only = -1; only < 5; only++) {
        uint32_t count[5] = {0};
        if (only >= 0)
            count[only] = 9;
        check_lengths(count, 5, 7);
    }
}

/* ---- check sums ---- */

static void check_sums_are_those_of_the_standard(void **state) {
    (void)state;
    gp_crc32 crc;
    gp_crc32_init(&crc);
    assert_int_equal(gp_crc32_of(&crc, "123456789", 9), 0xCBF43926u); /* its known test value */
    assert_int_equal(gp_crc32_of(&crc, "", 0), 0);
    uint64_t seed = 6;
    for (int k = 0; k < PIECE; k++)
        piece[k] = (unsigned char)(random_bits(&seed) >> 40);
    for (int64_t n = 0; n < 1000; n++)
        assert_int_equal(gp_crc32_of(&crc, piece + n % 17, n),
                         gp_crc32_portable(&crc, piece + n % 17, n));
    assert_int_equal(gp_crc32_of(&crc, piece, PIECE), gp_crc32_portable(&crc, piece, PIECE));
#if GP_HAVE_ZLIB
    for (int64_t n = 0; n < 1000; n++)
        assert_int_equal(gp_crc32_of(&crc, piece + n % 17, n),
                         crc32(0, piece + n % 17, (unsigned)n));
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_results_becomes_less_than_half),
        cmocka_unit_test(an_index_becomes_less_than_a_third),
        cmocka_unit_test(random_bytes_are_stored),
        cmocka_unit_test(bytes_of_few_kinds_come_back),
        cmocka_unit_test(each_byte_alone_and_all_equal_come_back),
        cmocka_unit_test(all_values_in_turn_come_back),
        cmocka_unit_test(repeats_of_every_length_and_distance_come_back),
        cmocka_unit_test(repeats_that_end_near_the_end_come_back),
        cmocka_unit_test(nothing_stays_between_pieces),
        cmocka_unit_test(the_bytes_are_these),
        cmocka_unit_test(lengths_keep_their_limit_and_are_complete),
        cmocka_unit_test(lengths_are_huffmans),
        cmocka_unit_test(codes_are_those_of_the_rfc),
        cmocka_unit_test(fewer_than_two_symbols_still_make_a_complete_code),
        cmocka_unit_test(check_sums_are_those_of_the_standard),
    };
    return cmocka_run_group_tests_name("io.deflate", tests, make_scratch, free_scratch);
}
