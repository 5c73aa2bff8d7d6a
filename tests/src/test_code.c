/* The 2-bit code, counts, masks and lists of missing calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/code.h"
#include "src/geno/count.h"
#include "tests/support/random.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1100 };

static void a_row_is_whole_groups_of_64_samples(void **state) {
    (void)state;
    const int64_t want[][2] = {{0, 0}, {1, 16}, {64, 16}, {65, 32}, {128, 32}, {129, 48}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_int_equal(gp_geno_stride(want[i][0]), want[i][1]);
    assert_true(gp_geno_stride((int64_t)1 << 40) == (int64_t)1 << 38);
}

/* PLINK's documentation: 00 is homozygous for allele 1, 01 missing, 10 heterozygous, 11 homozygous
 * for allele 2; the first sample has the lowest bits. */
static void decode_follows_plinks_table_for_all_256_bytes(void **state) {
    (void)state;
    const int copies[4] = {2, GP_GENO_MISSING, 1, 0};
    for (int b = 0; b < 256; b++) {
        uint8_t bed = (uint8_t)b, row[16], back = 0;
        gp_geno_from_bed(&bed, 4, row);
        for (int i = 0; i < 4; i++)
            assert_int_equal(gp_geno_get(row, i), copies[b >> (2 * i) & 3]);
        gp_geno_to_bed(row, 4, &back);
        assert_int_equal(back, b);
    }
}

static void decode_of_a_known_row_is_known(void **state) {
    (void)state;
    /* 0xdc = 11 01 11 00, 0x0f = .. .. 11 11: the example row of PLINK's documentation. */
    const uint8_t bed[2] = {0xdc, 0x0f};
    const int want[6] = {2, 0, 3, 0, 0, 0};
    uint8_t row[16];
    gp_geno_from_bed(bed, 6, row);
    for (int i = 0; i < 6; i++)
        assert_int_equal(gp_geno_get(row, i), want[i]);
}

static void round_trip_keeps_calls_and_zeroes_padding(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int64_t n = 1; n <= 130; n++) {
        uint8_t bed[40], row[64], back[40];
        int64_t bytes = (n + 3) / 4, stride = gp_geno_stride(n);
        for (int64_t k = 0; k < bytes; k++)
            bed[k] = (uint8_t)gp_test_bits(&seed); /* unused bits hold anything */
        memset(row, 0xAA, sizeof row);
        memset(back, 0xAA, sizeof back);
        gp_geno_from_bed(bed, n, row);
        gp_geno_to_bed(row, n, back);
        for (int64_t i = n; i < 4 * stride; i++)
            assert_int_equal(gp_geno_get(row, i), 0);
        assert_int_equal(row[stride], 0xAA);
        assert_int_equal(back[bytes], 0xAA);
        int last = n % 4 ? (1 << (2 * (n % 4))) - 1 : 255;
        assert_int_equal(back[bytes - 1], bed[bytes - 1] & last);
        assert_memory_equal(back, bed, (size_t)bytes - 1);
    }
}

static void set_changes_one_call_only(void **state) {
    (void)state;
    uint64_t seed = 6;
    uint8_t row[32] = {0};
    int call[128] = {0};
    for (int k = 0; k < 5000; k++) {
        int64_t i = gp_test_below(&seed, 128);
        call[i] = (int)gp_test_below(&seed, 4);
        gp_geno_set(row, i, call[i]);
        for (int64_t s = 0; s < 128; s++)
            assert_int_equal(gp_geno_get(row, s), call[s]);
    }
}

/* A random row, and a mask that selects about share of its samples. */
typedef struct picture {
    int64_t n, stride;
    _Alignas(8) uint8_t row[MOST];
    _Alignas(8) uint8_t mask[MOST];
} picture;

static void draw(picture *p, int64_t n, double share, uint64_t *seed) {
    memset(p, 0, sizeof *p);
    p->n = n;
    p->stride = gp_geno_stride(n);
    for (int64_t i = 0; i < n; i++) {
        gp_geno_set(p->row, i, (int)gp_test_below(seed, 4));
        if (gp_test_uniform(seed) < share)
            gp_mask_set(p->mask, i);
    }
}

static void counts_agree_with_a_plain_loop(void **state) {
    (void)state;
    uint64_t seed = 7;
    static picture p;
    for (int64_t n = 0; n <= 1000; n += n < 135 ? 1 : 97)
        for (int share = 0; share <= 3; share++) {
            draw(&p, n, share / 3.0, &seed);
            int64_t want[4] = {0}, selected = 0;
            for (int64_t i = 0; i < n; i++)
                if (gp_mask_get(p.mask, i)) {
                    want[gp_geno_get(p.row, i)]++;
                    selected++;
                }
            gp_counts got = gp_geno_count(p.row, p.mask, p.stride);
            for (int k = 0; k < 4; k++)
                assert_int_equal(got.call[k], want[k]);
            assert_int_equal(gp_mask_count(p.mask, p.stride), selected);
            assert_true(share != 3 || selected == n);
        }
}

static void missing_calls_are_listed_in_order(void **state) {
    (void)state;
    uint64_t seed = 8;
    static picture p;
    int64_t list[MOST];
    for (int64_t n = 0; n <= 1000; n += n < 135 ? 1 : 97) {
        draw(&p, n, 0.7, &seed);
        int64_t found = gp_geno_list_missing(p.row, p.mask, p.stride, list), at = 0;
        for (int64_t i = 0; i < n; i++)
            if (gp_geno_get(p.row, i) == GP_GENO_MISSING && gp_mask_get(p.mask, i)) {
                assert_true(at < found);
                assert_int_equal(list[at++], i);
            }
        assert_int_equal(at, found);
        assert_int_equal(found, gp_geno_count(p.row, p.mask, p.stride).call[GP_GENO_MISSING]);
    }
}

static void a_mask_has_the_low_bit_of_each_call_only(void **state) {
    (void)state;
    uint8_t mask[16] = {0};
    gp_mask_set(mask, 0);
    gp_mask_set(mask, 3);
    gp_mask_set(mask, 5);
    assert_int_equal(mask[0], 0x41);
    assert_int_equal(mask[1], 0x04);
    assert_int_equal(gp_mask_get(mask, 3), 1);
    assert_int_equal(gp_mask_get(mask, 4), 0);
}

static void frequency_counts_two_copies_a_sample(void **state) {
    (void)state;
    const gp_counts some = {{4, 2, 2, 90}}, none = {{0, 0, 0, 5}}, all = {{0, 0, 7, 0}};
    assert_true(gp_counts_alt_frequency(&some) == 6.0 / 16.0);
    assert_true(gp_counts_alt_frequency(&all) == 1.0);
    assert_true(isnan(gp_counts_alt_frequency(&none)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_whole_groups_of_64_samples),
        cmocka_unit_test(decode_follows_plinks_table_for_all_256_bytes),
        cmocka_unit_test(decode_of_a_known_row_is_known),
        cmocka_unit_test(round_trip_keeps_calls_and_zeroes_padding),
        cmocka_unit_test(set_changes_one_call_only),
        cmocka_unit_test(counts_agree_with_a_plain_loop),
        cmocka_unit_test(missing_calls_are_listed_in_order),
        cmocka_unit_test(a_mask_has_the_low_bit_of_each_call_only),
        cmocka_unit_test(frequency_counts_two_copies_a_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
