/* Every kernel that runs here against plain loops over the layout that kernel.h describes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/geno/kernel.h"
#include "tests/support/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gp_kernel *kernel; /* under test */

enum { LINE = 64, GUARD = 128, FILL = 0x5A };

/* Room between guard bytes, aligned to 64. Its end is that of the allocation, so that the address
 * sanitizer sees reads behind it too, where a line's worth of bytes is asked for. */
typedef struct room {
    uint8_t *whole, *at;
    size_t bytes;
} room;

static room room_of(size_t bytes) {
    size_t whole = GUARD + (bytes + LINE - 1) / LINE * LINE + GUARD;
    room r = {.whole = aligned_alloc(LINE, whole), .bytes = bytes};
    assert_non_null(r.whole);
    r.at = r.whole + GUARD;
    memset(r.whole, FILL, whole);
    return r;
}

static void close_room(room *r) {
    for (int k = 0; k < GUARD; k++) {
        assert_int_equal(r->whole[k], FILL);
        assert_int_equal(r->at[r->bytes + (size_t)k], FILL);
    }
    free(r->whole);
}

static uint8_t *random_bytes(size_t bytes, uint64_t *seed) {
    uint8_t *b = malloc(bytes ? bytes : 1);
    assert_non_null(b);
    for (size_t k = 0; k < bytes; k++)
        b[k] = (uint8_t)gp_test_bits(seed);
    return b;
}

/* Packed calls whose first byte lies anywhere and whose last is the allocation's. */
typedef struct packed {
    uint8_t *whole;
    _Alignas(16) uint8_t value[64 * 4];
    gp_unpack in;
} packed;

static void draw_packed(packed *p, int64_t variants, int64_t groups, uint64_t *seed) {
    int64_t pitch = 16 * groups + gp_test_below(seed, 40), shift = gp_test_below(seed, 70);
    p->whole = random_bytes((size_t)(shift + (variants - 1) * pitch + 16 * groups), seed);
    for (int k = 0; k < 64 * 4; k++)
        p->value[k] = (uint8_t)gp_test_bits(seed);
    p->in = (gp_unpack){.calls = p->whole + shift,
                        .pitch = pitch,
                        .variants = variants,
                        .groups = groups,
                        .value = p->value};
}

static int call_of(const gp_unpack *in, int64_t variant, int64_t sample) {
    return in->calls[variant * in->pitch + sample / 4] >> (2 * (sample % 4)) & 3;
}

static void calls_become_left_tiles_of_samples(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int64_t variants = 1; variants <= GP_TILE_LINES; variants++)
        for (int64_t groups = 1; groups <= 9; groups++) {
            packed p;
            draw_packed(&p, variants, groups, &seed);
            room to = room_of((size_t)groups * GP_TILE_BYTES);
            kernel->unpack_samples(&p.in, to.at);
            for (int64_t j = 0; j < GP_TILE_LINES; j++)
                for (int64_t i = 0; i < GP_TILE_TERMS * groups; i++) {
                    int want = j < variants ? p.value[call_of(&p.in, j, i)] : 0;
                    assert_int_equal(to.at[GP_TILE_BYTES * (i / 64) + 64 * j + i % 64], want);
                }
            close_room(&to);
            free(p.whole);
        }
}

static void calls_become_right_tiles_of_variants(void **state) {
    (void)state;
    uint64_t seed = 2;
    for (int64_t variants = 1; variants <= GP_TILE_TERMS; variants++) {
        int64_t groups = 1 + gp_test_below(&seed, 6), step = 1 + gp_test_below(&seed, 3);
        packed p;
        draw_packed(&p, variants, groups, &seed);
        room to = room_of((size_t)(4 * groups * step) * GP_TILE_BYTES);
        kernel->unpack_variants(&p.in, to.at, step);
        for (int64_t t = 0; t < 4 * groups * step; t++)
            for (int64_t k = 0; k < GP_TILE_TERMS; k++)
                for (int64_t c = 0; c < GP_TILE_LINES; c++) {
                    int want = FILL; /* tiles between are left alone */
                    if (t % step == 0)
                        want = k < variants ? p.value[4 * k + call_of(&p.in, k, t / step * 16 + c)]
                                            : 0;
                    assert_int_equal(to.at[GP_TILE_BYTES * t + 64 * (k / 4) + 4 * c + k % 4], want);
                }
        close_room(&to);
        free(p.whole);
    }
}

static void a_turned_tile_has_its_cells_transposed(void **state) {
    (void)state;
    uint64_t seed = 3;
    room from = room_of(GP_TILE_BYTES), to = room_of(GP_TILE_BYTES);
    for (int k = 0; k < GP_TILE_BYTES; k++)
        from.at[k] = (uint8_t)gp_test_bits(&seed);
    kernel->turn(from.at, to.at);
    for (int line = 0; line < GP_TILE_LINES; line++)
        for (int term = 0; term < GP_TILE_TERMS; term++)
            assert_int_equal(to.at[64 * line + term],
                             from.at[64 * (term / 4) + 4 * line + term % 4]);
    close_room(&from);
    close_room(&to);
}

/* A product whose operands are some tiles a row apart, its sums full of rubbish. */
typedef struct problem {
    room left, right, sums;
    gp_tiles tiles;
} problem;

static void start(problem *p, int64_t rows, int64_t columns, int64_t terms, int64_t more) {
    int64_t left_step = terms + more, right_step = terms + 2 * more;
    p->left = room_of((size_t)(rows * left_step) * GP_TILE_BYTES);
    p->right = room_of((size_t)(columns * right_step) * GP_TILE_BYTES);
    p->sums = room_of((size_t)(rows * columns) * GP_TILE_SUMS * sizeof(int32_t));
    p->tiles = (gp_tiles){.left = p->left.at,
                          .right = p->right.at,
                          .rows = rows,
                          .columns = columns,
                          .terms = terms,
                          .left_step = left_step,
                          .right_step = right_step,
                          .sums = (int32_t *)(void *)p->sums.at};
}

static void stop(problem *p) {
    close_room(&p->left);
    close_room(&p->right);
    close_room(&p->sums);
}

static int64_t naive_sum(const gp_tiles *t, int64_t row, int64_t column) {
    const uint8_t *left = t->left + row / 16 * t->left_step * GP_TILE_BYTES + row % 16 * 64;
    const uint8_t *right = t->right + column / 16 * t->right_step * GP_TILE_BYTES + column % 16 * 4;
    int64_t sum = 0;
    for (int64_t k = 0; k < t->terms * GP_TILE_TERMS; k++)
        sum += (int64_t)left[k / 64 * GP_TILE_BYTES + k % 64] *
               (int8_t)right[k / 64 * GP_TILE_BYTES + k % 64 / 4 * 64 + k % 4];
    return sum;
}

static int32_t sum_at(const gp_tiles *t, int64_t row, int64_t column) {
    return t
        ->sums[(row / 16 * t->columns + column / 16) * GP_TILE_SUMS + row % 16 * 16 + column % 16];
}

static void assert_naive(const gp_tiles *t) {
    for (int64_t r = 0; r < t->rows * GP_TILE_LINES; r++)
        for (int64_t c = 0; c < t->columns * GP_TILE_LINES; c++)
            assert_int_equal(sum_at(t, r, c), naive_sum(t, r, c));
}

static void products_of_random_shapes_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 4;
    for (int shape = 0; shape < 60; shape++) {
        problem p;
        start(&p, 1 + shape % 5, 1 + shape / 5 % 5, 1 + gp_test_below(&seed, 5),
              gp_test_below(&seed, 3));
        for (size_t k = 0; k < p.left.bytes; k++)
            p.left.at[k] = (uint8_t)gp_test_below(&seed, 3);
        for (size_t k = 0; k < p.right.bytes; k++)
            p.right.at[k] = (uint8_t)gp_test_bits(&seed);
        kernel->multiply(&p.tiles);
        assert_naive(&p.tiles);
        stop(&p);
    }
}

static void products_of_many_terms_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int64_t terms = 6; terms <= 50; terms += 11) {
        problem p;
        start(&p, 2, 3, terms, 1);
        for (size_t k = 0; k < p.left.bytes; k++)
            p.left.at[k] = (uint8_t)gp_test_below(&seed, 3);
        for (size_t k = 0; k < p.right.bytes; k++)
            p.right.at[k] = gp_test_bits(&seed) & 1 ? 0x80 : 0x7F;
        kernel->multiply(&p.tiles);
        assert_naive(&p.tiles);
        stop(&p);
    }
}

static void products_add_to_what_is_there(void **state) {
    (void)state;
    uint64_t seed = 9;
    for (int shape = 0; shape < 9; shape++) {
        problem p;
        start(&p, 1 + shape % 3, 1 + shape / 3, 18, 0);
        for (size_t k = 0; k < p.left.bytes; k++)
            p.left.at[k] = (uint8_t)gp_test_below(&seed, 3);
        for (size_t k = 0; k < p.right.bytes; k++)
            p.right.at[k] = (uint8_t)gp_test_bits(&seed);
        gp_tiles first = p.tiles, second = p.tiles;
        first.terms = 7;
        second.terms -= 7;
        second.left += 7 * GP_TILE_BYTES;
        second.right += 7 * GP_TILE_BYTES;
        second.add = 1;
        kernel->multiply(&first);
        kernel->multiply(&second);
        assert_naive(&p.tiles);
        stop(&p);
    }
}

/* Sums within a kernel grow as fast as they can; all sums are the same, in closed form. */
static void extreme_terms_overflow_nowhere(void **state) {
    (void)state;
    enum { TERMS = 2048 };
    static const struct {
        int8_t right[2]; /* of even and of odd terms */
        int64_t sum;     /* of two terms with 2 on the left */
    } extreme[] = {{{-128, -128}, -512}, {{127, 127}, 508}, {{-128, 127}, -2}};
    problem p;
    start(&p, 1, 1, TERMS, 0);
    memset(p.left.at, 2, p.left.bytes);
    for (size_t e = 0; e < sizeof extreme / sizeof *extreme; e++) {
        for (size_t k = 0; k < p.right.bytes; k++)
            p.right.at[k] = (uint8_t)extreme[e].right[k % 2];
        kernel->multiply(&p.tiles);
        for (int k = 0; k < GP_TILE_SUMS; k++)
            assert_int_equal(p.tiles.sums[k], extreme[e].sum * TERMS * GP_TILE_TERMS / 2);
    }
    stop(&p);
}

static void the_largest_sum_fits(void **state) {
    (void)state;
    assert_true((int64_t)GP_KERNEL_MOST_TERMS * 2 * 128 <= (int64_t)1 << 30);
    assert_int_equal(GP_KERNEL_MOST_TERMS % GP_TILE_TERMS, 0);
}

static void naive_count(const uint8_t *row, const uint8_t *mask, int64_t bytes, int64_t count[4]) {
    for (int64_t i = 0; i < 4 * bytes; i++) {
        int in = mask[i / 4] >> (2 * (i % 4)) & 1, call = row[i / 4] >> (2 * (i % 4)) & 3;
        count[0] += in;
        count[1] += in && (call & 1);
        count[2] += in && (call & 2);
        count[3] += in && call == 3;
    }
}

static void counts_of_bits_agree_with_plain_loops(void **state) {
    (void)state;
    uint64_t seed = 6;
    for (int64_t bytes = 0; bytes <= 4000; bytes += bytes < 500 ? 16 : 272)
        for (int kind = 0; kind < 2; kind++) {
            uint8_t *row = random_bytes((size_t)bytes, &seed);
            uint8_t *mask = random_bytes((size_t)bytes, &seed);
            for (int64_t k = 0; k < bytes; k++) {
                row[k] |= kind ? 0xFF : 0;
                mask[k] = kind ? 0x55 : mask[k] & 0x55;
            }
            int64_t got[4] = {1, -2, 3, 1000}, want[4] = {1, -2, 3, 1000};
            kernel->count(row, mask, bytes, got);
            naive_count(row, mask, bytes, want);
            for (int k = 0; k < 4; k++)
                assert_int_equal(got[k], want[k]);
            free(row);
            free(mask);
        }
}

/* About one call of `rarity` is missing; 0: none, 1: all. */
static void missing_calls_are_listed(void **state) {
    (void)state;
    uint64_t seed = 7;
    static const int rarity[] = {0, 1, 2, 5, 20, 100, 1000};
    for (int64_t bytes = 0; bytes <= 5000; bytes += bytes < 200 ? 16 : 592)
        for (size_t kind = 0; kind < sizeof rarity / sizeof *rarity; kind++) {
            uint8_t *row = random_bytes((size_t)bytes, &seed);
            uint8_t *mask = random_bytes((size_t)bytes, &seed);
            int32_t *want = malloc((size_t)(4 * bytes + 1) * sizeof *want), n = 0;
            assert_non_null(want);
            for (int32_t i = 0; i < 4 * bytes; i++) {
                int shift = 2 * (i % 4), all = rarity[kind] == 1;
                int missing = rarity[kind] && gp_test_below(&seed, rarity[kind]) == 0;
                row[i / 4] = (uint8_t)((row[i / 4] & ~(2 << shift)) | missing << (shift + 1) |
                                       missing << shift);
                mask[i / 4] &= (uint8_t) ~(2 << shift);
                mask[i / 4] |= (uint8_t)(all << shift);
                if (missing && mask[i / 4] >> shift & 1)
                    want[n++] = i;
            }
            room got = room_of((size_t)n * sizeof(int32_t));
            assert_int_equal(kernel->list_missing(row, mask, bytes, (int32_t *)(void *)got.at), n);
            assert_true(n == 0 || memcmp(got.at, want, got.bytes) == 0);
            close_room(&got);
            free(row);
            free(mask);
            free(want);
        }
}

static void rows_of_a_table_are_added(void **state) {
    (void)state;
    uint64_t seed = 8;
    enum { TABLE = 40 };
    for (int64_t width = 8; width <= 208; width += 8) {
        size_t line = (size_t)width * sizeof(int64_t);
        room table = room_of(TABLE * line), to = room_of(line);
        int64_t rows = gp_test_below(&seed, 60), want[208];
        int64_t *values = (int64_t *)(void *)table.at, *sums = (int64_t *)(void *)to.at;
        int32_t row[60];
        for (int64_t k = 0; k < TABLE * width; k++)
            values[k] = (int64_t)gp_test_bits(&seed) >> 8;
        for (int64_t k = 0; k < width; k++)
            want[k] = sums[k] = (int64_t)gp_test_bits(&seed) >> 8;
        for (int64_t i = 0; i < rows; i++) {
            row[i] = (int32_t)gp_test_below(&seed, TABLE);
            for (int64_t k = 0; k < width; k++)
                want[k] += values[row[i] * width + k];
        }
        kernel->add_rows(values, width, row, rows, sums);
        assert_memory_equal(sums, want, line);
        close_room(&table);
        close_room(&to);
    }
}

static int test_kernel(const gp_kernel *k) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_become_left_tiles_of_samples),
        cmocka_unit_test(calls_become_right_tiles_of_variants),
        cmocka_unit_test(a_turned_tile_has_its_cells_transposed),
        cmocka_unit_test(products_of_random_shapes_agree_with_plain_loops),
        cmocka_unit_test(products_of_many_terms_agree_with_plain_loops),
        cmocka_unit_test(products_add_to_what_is_there),
        cmocka_unit_test(extreme_terms_overflow_nowhere),
        cmocka_unit_test(the_largest_sum_fits),
        cmocka_unit_test(counts_of_bits_agree_with_plain_loops),
        cmocka_unit_test(missing_calls_are_listed),
        cmocka_unit_test(rows_of_a_table_are_added),
    };
    kernel = k;
    if (!k->runs_here()) {
        print_message("The kernel %s cannot run on this machine: not tested.\n", k->name);
        return 0;
    }
    return cmocka_run_group_tests_name(k->name, tests, NULL, NULL);
}

int main(void) {
    int failed = 0;
    for (int k = 0; gp_kernel_at(k) != NULL; k++)
        failed += test_kernel(gp_kernel_at(k));
    return failed;
}
