#include "src/geno/fixed.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int gp_fixed_bits(int64_t n) {
    if (n <= GP_FIXED_SMALL)
        return GP_FIXED_BITS_SMALL;
    int bits = GP_FIXED_BITS;
    for (int64_t room = (int64_t)1 << 20; room < n; room *= 2)
        bits--;
    return bits;
}

int gp_fixed_exponent(double max, int bits) {
    int e = 0;
    if (!(max > 0.0))
        return 0;
    double m = frexp(max, &e); /* max = m 2^e, m in [1/2, 1) */
    int exponent = m == 0.5 ? bits - e + 1 : bits - e;
    return exponent > 900 ? 900 : exponent;
}

int64_t gp_fixed_from(double x, int e) {
    return llrint(x * gp_power_of_two(e));
}

double gp_fixed_to(int64_t v, int e) {
    return (double)v * gp_power_of_two(-e);
}

/* Digits of v are the bytes of v + 128 (1 + 256 + 256^2 + ...), each less 128. Less 128 is a turn
 * of the top bit. */
#define TURN 0x8080808080808080u

int64_t gp_operand_bytes(int64_t terms, int64_t columns, int bits) {
    return gp_units(columns * gp_fixed_digits(bits), GP_TILE_LINES) *
               gp_units(terms, GP_TILE_TERMS) * GP_TILE_BYTES +
           columns * (int64_t)sizeof(int);
}

gp_operand gp_operand_shape(int64_t terms, int64_t columns, int bits) {
    int digits = gp_fixed_digits(bits);
    return (gp_operand){.terms = terms,
                        .columns = columns,
                        .digits = digits,
                        .tile_columns = gp_units(columns * digits, GP_TILE_LINES),
                        .tile_terms = gp_units(terms, GP_TILE_TERMS)};
}

int gp_operand_init(gp_operand *y, int64_t terms, int64_t columns, int bits, gp_err *err) {
    *y = gp_operand_shape(terms, columns, bits);
    y->tile = gp_mem_alloc(y->tile_columns * y->tile_terms, GP_TILE_BYTES, err);
    y->exponent = gp_mem_alloc(columns, sizeof *y->exponent, err);
    return err->code;
}

void gp_operand_free(gp_operand *y) {
    free(y->tile);
    free(y->exponent);
    *y = (gp_operand){0};
}

/* Where a term of tile column 0 lies; tile column c is in tile c / 16, 4 (c % 16) bytes on. */
static uint8_t *place(const gp_operand *y, int64_t term) {
    int64_t k = term % GP_TILE_TERMS;
    return y->tile + term / GP_TILE_TERMS * GP_TILE_BYTES + k / 4 * 64 + k % 4;
}

/* From there to tile column c. */
static int64_t step(const gp_operand *y, int64_t c) {
    return c / GP_TILE_LINES * y->tile_terms * GP_TILE_BYTES + c % GP_TILE_LINES * 4;
}

void gp_operand_set(gp_operand *y, int64_t term, int64_t column, int64_t v) {
    uint64_t digits = ((uint64_t)v + TURN) ^ TURN;
    uint8_t *to = place(y, term);
    for (int d = 0; d < y->digits; d++)
        to[step(y, column * y->digits + d)] = (uint8_t)(digits >> (8 * d));
}

/* The digits of up to four integers that lie side by side in a line of a tile. */
static void set_four(const gp_operand *y, int64_t term, int64_t column, const int64_t *v,
                     int64_t count) {
    uint64_t digits[4] = {0};
    for (int64_t k = 0; k < count; k++)
        digits[k] = ((uint64_t)v[k] + TURN) ^ TURN;
    uint8_t *to = place(y, term);
    for (int d = 0; d < y->digits; d++) {
        uint8_t cell[4];
        for (int k = 0; k < 4; k++)
            cell[k] = (uint8_t)(digits[k] >> (8 * d));
        memcpy(to + step(y, column * y->digits + d), cell, sizeof cell);
    }
}

void gp_operand_set_column(gp_operand *y, int64_t column, const int64_t *v) {
    for (int64_t i = 0; i < y->terms; i += 4)
        set_four(y, i, column, v + i, gp_least(y->terms - i, 4));
}

int64_t gp_operand_get(const gp_operand *y, int64_t term, int64_t column) {
    uint64_t digits = 0;
    const uint8_t *from = place(y, term);
    for (int d = 0; d < y->digits; d++)
        digits |= (uint64_t)from[step(y, column * y->digits + d)] << (8 * d);
    return (int64_t)((digits ^ TURN) - TURN);
}

void gp_operand_row(const gp_operand *y, int64_t term, int64_t *v) {
    const uint8_t *from = place(y, term);
    int line = 0;
    for (int64_t k = 0; k < y->columns; k++) {
        uint64_t digits = 0;
        for (int d = 0; d < 8 * y->digits; d += 8) {
            digits |= (uint64_t)from[4 * line] << d;
            if (++line == GP_TILE_LINES) {
                line = 0;
                from += y->tile_terms * GP_TILE_BYTES;
            }
        }
        v[k] = (int64_t)((digits ^ TURN) - TURN);
    }
}
