#include "src/base/split.h"
#include "src/geno/kernel_x86.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AMX __attribute__((target("amx-tile,amx-int8")))
#define INLINE AMX __attribute__((always_inline)) static inline

/* Source: Intel SDM vol. 1, 18.3 (palette 1): all eight tiles are 16 rows of 64 bytes. */
typedef struct config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} config;

static const config whole_tiles __attribute__((aligned(64))) = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

enum { LINE = 64 };

/* A load that leaves the first cache to those that come again: what streams past is read from the
 * second cache anyway, and would push out the side that stays. */
#define LOAD(tile, at, passing)                                                                    \
    do {                                                                                           \
        if (passing)                                                                               \
            _tile_stream_loadd(tile, at, LINE);                                                    \
        else                                                                                       \
            _tile_loadd(tile, at, LINE);                                                           \
    } while (0)

/* Four products at a time keep the multiplier busy while the next tiles come in: two tiles of each
 * side, or, at an edge of one tile, four of the other side. Fewer where no more are left. */
typedef struct block {
    const uint8_t *left[4], *right[4];
    int32_t *sums[4]; /* two by two, or in order */
    int64_t bytes;    /* of a side's terms */
    int fresh;
} block;

INLINE void begin_sums(const block *b, int count) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (b->fresh)
        return;
    _tile_loadd(0, b->sums[0], LINE);
    if (count > 1)
        _tile_loadd(1, b->sums[1], LINE);
    if (count > 2)
        _tile_loadd(2, b->sums[2], LINE);
    if (count > 3)
        _tile_loadd(3, b->sums[3], LINE);
}

INLINE void end_sums(const block *b, int count) {
    _tile_stored(0, b->sums[0], LINE);
    if (count > 1)
        _tile_stored(1, b->sums[1], LINE);
    if (count > 2)
        _tile_stored(2, b->sums[2], LINE);
    if (count > 3)
        _tile_stored(3, b->sums[3], LINE);
}

/* Tiles 0 to 3 are sums, 4 and 5 left, 6 and 7 right. */
INLINE void add_square(const block *b, int passing_left) {
    begin_sums(b, 4);
    for (int64_t k = 0; k < b->bytes; k += GP_TILE_BYTES) {
        LOAD(4, b->left[0] + k, passing_left);
        LOAD(6, b->right[0] + k, !passing_left);
        _tile_dpbusd(0, 4, 6);
        LOAD(7, b->right[1] + k, !passing_left);
        _tile_dpbusd(1, 4, 7);
        LOAD(5, b->left[1] + k, passing_left);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
    }
    end_sums(b, 4);
}

/* Up to four left tiles by one right tile. */
INLINE void add_column(const block *b, int rows, int passing_left) {
    begin_sums(b, rows);
    for (int64_t k = 0; k < b->bytes; k += GP_TILE_BYTES) {
        LOAD(7, b->right[0] + k, !passing_left);
        LOAD(4, b->left[0] + k, passing_left);
        _tile_dpbusd(0, 4, 7);
        if (rows > 1) {
            LOAD(5, b->left[1] + k, passing_left);
            _tile_dpbusd(1, 5, 7);
        }
        if (rows > 2) {
            LOAD(6, b->left[2] + k, passing_left);
            _tile_dpbusd(2, 6, 7);
        }
        if (rows > 3) {
            LOAD(4, b->left[3] + k, passing_left);
            _tile_dpbusd(3, 4, 7);
        }
    }
    end_sums(b, rows);
}

/* One left tile by up to four right tiles. */
INLINE void add_row(const block *b, int columns, int passing_left) {
    begin_sums(b, columns);
    for (int64_t k = 0; k < b->bytes; k += GP_TILE_BYTES) {
        LOAD(7, b->left[0] + k, passing_left);
        LOAD(4, b->right[0] + k, !passing_left);
        _tile_dpbusd(0, 7, 4);
        if (columns > 1) {
            LOAD(5, b->right[1] + k, !passing_left);
            _tile_dpbusd(1, 7, 5);
        }
        if (columns > 2) {
            LOAD(6, b->right[2] + k, !passing_left);
            _tile_dpbusd(2, 7, 6);
        }
        if (columns > 3) {
            LOAD(4, b->right[3] + k, !passing_left);
            _tile_dpbusd(3, 7, 4);
        }
    }
    end_sums(b, columns);
}

/* A run of a product's terms. */
typedef struct run {
    const gp_tiles *p;
    int64_t term, terms;
} run;

INLINE block block_at(const run *at, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    const gp_tiles *p = at->p;
    block b = {.bytes = at->terms * GP_TILE_BYTES, .fresh = at->term == 0 && !p->add};
    for (int64_t i = 0; i < rows; i++)
        b.left[i] = p->left + ((row + i) * p->left_step + at->term) * GP_TILE_BYTES;
    for (int64_t j = 0; j < columns; j++)
        b.right[j] = p->right + ((column + j) * p->right_step + at->term) * GP_TILE_BYTES;
    for (int64_t k = 0; k < rows * columns; k++)
        b.sums[k] =
            p->sums + ((row + k / columns) * p->columns + column + k % columns) * GP_TILE_SUMS;
    return b;
}

/* All pairs of tiles whose rows and columns come in twos. */
INLINE void add_squares(const run *at, int passing_left) {
    int64_t rows = at->p->rows & ~(int64_t)1, columns = at->p->columns & ~(int64_t)1;
    int64_t pairs = rows / 2 * (columns / 2);
    for (int64_t k = 0; k < pairs; k++) {
        /* The side that does not pass stays in the first cache. */
        int64_t r = passing_left ? 2 * (k % (rows / 2)) : 2 * (k / (columns / 2));
        int64_t c = passing_left ? 2 * (k / (rows / 2)) : 2 * (k % (columns / 2));
        block b = block_at(at, r, 2, c, 2);
        add_square(&b, passing_left);
    }
}

/* What is left of odd numbers of rows or columns. */
INLINE void add_edges(const run *at, int passing_left) {
    const gp_tiles *p = at->p;
    for (int64_t r = 0; p->columns % 2 != 0 && r < p->rows; r += 4) {
        int64_t rows = gp_least(p->rows - r, 4);
        block b = block_at(at, r, rows, p->columns - 1, 1);
        if (rows == 4)
            add_column(&b, 4, passing_left);
        else if (rows == 3)
            add_column(&b, 3, passing_left);
        else if (rows == 2)
            add_column(&b, 2, passing_left);
        else
            add_column(&b, 1, passing_left);
    }
    for (int64_t c = 0; p->rows % 2 != 0 && c < p->columns - p->columns % 2; c += 4) {
        int64_t columns = gp_least(p->columns - p->columns % 2 - c, 4);
        block b = block_at(at, p->rows - 1, 1, c, columns);
        if (columns == 4)
            add_row(&b, 4, passing_left);
        else
            add_row(&b, 2, passing_left);
    }
}

/* Tiles of terms after which the next lines take their turn: two lines' fill two thirds of the
 * first cache, and stay while the other side passes. */
enum { STRETCH = 16 };

AMX static void multiply(const gp_tiles *p) {
    __asm__ volatile("" ::: "memory"); /* the tile loads of some compilers do not say they read */
    _tile_loadconfig(&whole_tiles);
    for (int64_t k = 0; k < p->terms; k += STRETCH) {
        run at = {p, k, gp_least(p->terms - k, STRETCH)};
        if (p->rows >= p->columns) {
            add_squares(&at, 1);
            add_edges(&at, 1);
        } else {
            add_squares(&at, 0);
            add_edges(&at, 0);
        }
    }
    _tile_release();
}

const gp_kernel gp_kernel_amx = {.name = "amx",
                                 .any_left = 1,
                                 .runs_here = gp_x86_runs_amx,
                                 .unpack_samples = gp_avx512_unpack_samples,
                                 .unpack_variants = gp_avx512_unpack_variants,
                                 .turn = gp_avx512_turn,
                                 .multiply = multiply,
                                 .count = gp_avx512_count,
                                 .list_missing = gp_avx512_list_missing,
                                 .add_rows = gp_avx512_add_rows};
#endif
