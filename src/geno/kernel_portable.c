/* For any machine, as everywhere in the project a little-endian one, and any compiler that knows
 * GCC's vectors: they become SSE2, NEON, or plain words. */
#include "src/geno/kernel.h"
#include "src/geno/kernel_list.h"

enum { LINE = 64, GROUP = 16 /* bytes of 64 packed calls */ };

typedef int16_t eight __attribute__((vector_size(16))); /* int16 */
typedef uint64_t two __attribute__((vector_size(16)));  /* words */

static int runs_here(void) {
    return 1;
}

static void unpack_samples(const gp_unpack *in, uint8_t *tile) {
    uint32_t four[256]; /* the values of a byte's four calls */
    for (uint32_t b = 0; b < 256; b++)
        four[b] = (uint32_t)in->value[b & 3] | (uint32_t)in->value[b >> 2 & 3] << 8 |
                  (uint32_t)in->value[b >> 4 & 3] << 16 | (uint32_t)in->value[b >> 6] << 24;
    for (int64_t g = 0; g < in->groups; g++, tile += GP_TILE_BYTES) {
        int64_t j = 0;
        for (; j < in->variants; j++) {
            const uint8_t *calls = in->calls + j * in->pitch + g * GROUP;
            for (int k = 0; k < GROUP; k++)
                memcpy(tile + j * LINE + 4 * k, &four[calls[k]], 4);
        }
        memset(tile + j * LINE, 0, (size_t)(GP_TILE_LINES - j) * LINE);
    }
}

/* The values of four variants, as masks may pick them: where neither bit of the call is set, what
 * the low bit changes, the high bit, and both on top of that. */
typedef struct picks {
    uint32_t none, low, high, both;
} picks;

static picks picks_of(const uint8_t *value, int64_t variants) {
    uint32_t v[4] = {0};
    for (int t = 0; t < 4 && t < variants; t++)
        for (int call = 0; call < 4; call++)
            v[call] |= (uint32_t)value[4 * t + call] << 8 * t;
    return (picks){v[0], v[0] ^ v[1], v[0] ^ v[2], v[0] ^ v[1] ^ v[2] ^ v[3]};
}

/* The values of one sample's four calls, which lie in the lowest bits of each byte. */
static uint32_t pick(picks p, uint32_t calls) {
    uint32_t low = (calls & 0x01010101) * 255, high = (calls >> 1 & 0x01010101) * 255;
    return p.none ^ (low & p.low) ^ (high & p.high) ^ (low & high & p.both);
}

/* Line q of a group's four tiles. */
static void spread_variants(const uint8_t *calls, int64_t pitch, int64_t rows, picks p,
                            uint8_t *line, int64_t next) {
    for (int k = 0; k < GROUP; k++) { /* four samples */
        uint32_t cell = 0;
        for (int64_t t = 0; t < 4 && t < rows; t++)
            cell |= (uint32_t)calls[t * pitch + k] << 8 * t;
        uint8_t *to = line + k / 4 * next + 16 * (k % 4);
        for (int s = 0; s < 4; s++) {
            uint32_t values = pick(p, cell >> 2 * s);
            memcpy(to + 4 * s, &values, 4);
        }
    }
}

static void unpack_variants(const gp_unpack *in, uint8_t *tile, int64_t step) {
    int64_t next = step * GP_TILE_BYTES;
    for (int64_t q = 0; q < GP_TILE_LINES; q++) {
        int64_t rows = in->variants - 4 * q;
        picks p = picks_of(in->value + 16 * q, rows);
        const uint8_t *calls = in->calls + 4 * q * in->pitch;
        for (int64_t g = 0; g < in->groups; g++)
            spread_variants(calls + g * GROUP, in->pitch, rows, p, tile + 4 * g * next + q * LINE,
                            next);
    }
}

static void turn(const uint8_t *from, uint8_t *to) {
    for (int a = 0; a < 16; a++)
        for (int b = 0; b < 16; b++)
            memcpy(to + LINE * b + 4 * a, from + LINE * a + 4 * b, 4);
}

/* Tiles of terms whose products add up in int16: each sum takes one term of a line, so at most 7 *
 * 16 * 256 = 28,672 in size. */
enum { STRETCH = 7, LINES = STRETCH * GP_TILE_LINES };

/* Sums of one row and 16 columns, whose right lines are widened to 16 columns x 4 terms. */
static void add_row(const uint8_t *left, const eight *right, int64_t terms, int32_t *sums) {
    eight s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (int64_t k = 0; k < terms; k++, left += GP_TILE_BYTES) {
        int16_t wide[LINE];
        for (int i = 0; i < LINE; i++)
            wide[i] = left[i];
        for (int q = 0; q < GP_TILE_LINES; q++, right += 8) {
            uint64_t cell;
            memcpy(&cell, wide + 4 * q, sizeof cell);
            eight four = (eight)(two){cell, cell};
            s0 += four * right[0];
            s1 += four * right[1];
            s2 += four * right[2];
            s3 += four * right[3];
            s4 += four * right[4];
            s5 += four * right[5];
            s6 += four * right[6];
            s7 += four * right[7];
        }
    }
    const eight s[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
    int16_t part[LINE];
    memcpy(part, s, sizeof part);
    for (int c = 0; c < GP_TILE_LINES; c++)
        sums[c] += part[4 * c] + part[4 * c + 1] + part[4 * c + 2] + part[4 * c + 3];
}

static void widen(const int8_t *tile, int64_t terms, eight *to) {
    for (int64_t k = 0; k < terms * GP_TILE_BYTES; k += 8) {
        int16_t wide[8];
        for (int i = 0; i < 8; i++)
            wide[i] = tile[k + i];
        memcpy(&to[k / 8], wide, sizeof wide);
    }
}

static void multiply(const gp_tiles *p) {
    if (!p->add)
        memset(p->sums, 0, (size_t)(p->rows * p->columns) * GP_TILE_SUMS * sizeof *p->sums);
    for (int64_t k = 0; k < p->terms; k += STRETCH) {
        int64_t terms = p->terms - k < STRETCH ? p->terms - k : STRETCH;
        for (int64_t c = 0; c < p->columns; c++) {
            eight right[LINES * 8];
            widen((const int8_t *)p->right + (c * p->right_step + k) * GP_TILE_BYTES, terms, right);
            for (int64_t r = 0; r < p->rows * GP_TILE_LINES; r++) {
                int64_t row = r / GP_TILE_LINES, line = r % GP_TILE_LINES;
                add_row(p->left + (row * p->left_step + k) * GP_TILE_BYTES + line * LINE, right,
                        terms,
                        p->sums + (row * p->columns + c) * GP_TILE_SUMS + line * GP_TILE_LINES);
            }
        }
    }
}

static two load(const uint8_t *at) {
    two v;
    memcpy(&v, at, sizeof v);
    return v;
}

static two fill(uint8_t byte) {
    uint64_t word = 0x0101010101010101u * byte;
    return (two){word, word};
}

/* Sums of neighbouring fields of 2, then 4 bits. */
static two fold(two fields) {
    fields = (fields & fill(0x33)) + (fields >> 2 & fill(0x33));
    return (fields & fill(0x0F)) + (fields >> 4 & fill(0x0F));
}

static int64_t sum_of_bytes(two bytes) {
    int64_t sum = 0;
    for (int k = 0; k < 2; k++)
        for (uint64_t word = bytes[k]; word != 0; word >>= 8)
            sum += word & 255;
    return sum;
}

/* A field of 2 bits counts to 3, so three vectors add up before they are folded; four fields then
 * make at most 12, so a byte holds 21 times that. */
enum { VECTORS = 3, ROUNDS = 21 };

static void count_part(const uint8_t *row, const uint8_t *mask, int64_t bytes, two sum[4]) {
    for (int64_t k = 0; k < bytes;) {
        two all = {0}, low = all, high = all, both = all;
        for (int i = 0; i < VECTORS && k < bytes; i++, k += 16) {
            two g = load(row + k), m = load(mask + k), l = g & m, h = g >> 1 & m;
            all += m;
            low += l;
            high += h;
            both += l & h;
        }
        sum[0] += fold(all);
        sum[1] += fold(low);
        sum[2] += fold(high);
        sum[3] += fold(both);
    }
}

static void count(const uint8_t *row, const uint8_t *mask, int64_t bytes, int64_t count[4]) {
    const int64_t most = 16 * VECTORS * ROUNDS;
    for (int64_t k = 0; k < bytes; k += most) {
        two sum[4] = {{0}};
        count_part(row + k, mask + k, bytes - k < most ? bytes - k : most, sum);
        for (int i = 0; i < 4; i++)
            count[i] += sum_of_bytes(sum[i]);
    }
}

static int64_t list_missing(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                            int32_t *sample) {
    return gp_list_missing(row, mask, bytes, sample);
}

static void add_rows(const int64_t *table, int64_t width, const int32_t *row, int64_t rows,
                     int64_t *to) {
    for (int64_t k = 0; k < width; k += 8) { /* eight sums stay in registers while the rows pass */
        int64_t sum[8];
        memcpy(sum, to + k, sizeof sum);
        for (int64_t i = 0; i < rows; i++)
            for (int c = 0; c < 8; c++)
                sum[c] += table[row[i] * width + k + c];
        memcpy(to + k, sum, sizeof sum);
    }
}

const gp_kernel gp_kernel_portable = {.name = "portable",
                                      .runs_here = runs_here,
                                      .unpack_samples = unpack_samples,
                                      .unpack_variants = unpack_variants,
                                      .turn = turn,
                                      .multiply = multiply,
                                      .count = count,
                                      .list_missing = list_missing,
                                      .add_rows = add_rows};
