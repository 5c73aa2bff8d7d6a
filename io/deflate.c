#include "io/deflate_private.h"
#include "io/huffman.h"

/* ---- tokens and symbols ---- */

static int extra_bits(int symbol) {
    if (symbol >= LITERALS)
        return symbol < LITERALS + 4 ? 0 : (symbol - LITERALS) / 2 - 1;
    return symbol < LENGTHS + 8 || symbol == LITERALS - 1 ? 0 : (symbol - LENGTHS) / 4 - 1;
}

/* 3.2.5: the least length of a symbol; 258 has a symbol of its own. */
static int least_length(int symbol) {
    int k = symbol - LENGTHS, extra = extra_bits(symbol);
    return symbol == LITERALS - 1 ? LONGEST : extra == 0 ? 3 + k : 3 + ((4 + k % 4) << extra);
}

/* How many lengths a symbol stands for. */
static int lengths_of(int symbol) {
    int extra = extra_bits(symbol), least = least_length(symbol);
    return symbol == LITERALS - 2 ? LONGEST - least : 1 << extra;
}

/* How often each symbol comes; raw bits are none. */
static void count_symbols(const uint16_t *token, int64_t n, uint32_t *count) {
    uint32_t part[4][TOKENS] = {{0}}; /* equal neighbours would wait for each other's count */
    int64_t at = 0;
    for (; at + 4 <= n; at += 4)
        for (int k = 0; k < 4; k++)
            part[k][token[at + k]]++;
    for (; at < n; at++)
        part[0][token[at]]++;
    for (int t = 0; t < RAW; t++)
        part[0][t] += part[1][t] + part[2][t] + part[3][t];
    memcpy(count, part[0], LENGTHS * sizeof *count);
    memcpy(count + LITERALS, part[0] + DISTANCE, DISTANCES * sizeof *count);
    for (int s = LENGTHS; s < LITERALS; s++) {
        const uint32_t *of = part[0] + LENGTH + least_length(s);
        count[s] = 0;
        for (int k = 0; k < lengths_of(s); k++)
            count[s] += of[k];
    }
}

/* ---- the block ---- */

static inline void store(uint8_t *to, uint64_t x) {
    x = low_first(x);
    memcpy(to, &x, 8);
}

typedef struct writer {
    uint64_t waiting;
    uint64_t count; /* of bits waiting */
    uint8_t *to;
} writer;

static inline void add_bits(writer *b, uint64_t value, int count) {
    b->waiting |= value << b->count;
    b->count += (uint64_t)count;
}

/* At most 7 bits wait afterwards, so 56 more have room. */
static inline void flush(writer *b) {
    store(b->to, b->waiting);
    b->to += b->count >> 3 & 7;
    b->waiting >>= b->count & 56;
    b->count &= 7;
}

typedef struct codes {
    uint8_t length[SYMBOLS];
    uint16_t code[SYMBOLS];
    /* The two rows of lengths as they are written (3.2.7): symbols of the third code, with the
     * value of their extra bits above bit 8. */
    uint16_t row[SYMBOLS];
    int rows, literals, distances;
    uint8_t row_length[19];
    uint16_t row_code[19];
} codes;

static const uint8_t row_order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};

static int row_extra_bits(int symbol) {
    return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
}

/* Runs of one length are written short: 16 repeats the last, 17 and 18 are zeros. */
static void make_row(codes *c, const uint8_t *length, int n) {
    c->rows = 0;
    for (int at = 0, run; at < n; at += run) {
        for (run = 1; at + run < n && length[at + run] == length[at];)
            run++;
        int zero = length[at] == 0, repeats = at > 0 && length[at - 1] == length[at];
        if (zero && run >= 3) {
            run = run < 138 ? run : 138;
            c->row[c->rows++] = (uint16_t)(run < 11 ? 17 | (run - 3) << 8 : 18 | (run - 11) << 8);
        } else if (!zero && repeats && run >= 3) {
            run = run < 6 ? run : 6;
            c->row[c->rows++] = (uint16_t)(16 | (run - 3) << 8);
        } else {
            run = 1;
            c->row[c->rows++] = length[at];
        }
    }
}

static int last_used(const uint8_t *length, int n, int least) {
    while (n > least && length[n - 1] == 0)
        n--;
    return n;
}

static void make_codes(codes *c, const uint32_t *count) {
    uint8_t both[SYMBOLS];
    uint32_t row_count[19] = {0};
    gp_huffman_lengths(count, LITERALS, LITERAL_BITS, c->length);
    gp_huffman_codes(c->length, LITERALS, c->code);
    gp_huffman_lengths(count + LITERALS, DISTANCES, DISTANCE_BITS, c->length + LITERALS);
    gp_huffman_codes(c->length + LITERALS, DISTANCES, c->code + LITERALS);
    c->literals = last_used(c->length, LITERALS, LENGTHS);
    c->distances = last_used(c->length + LITERALS, DISTANCES, 1);
    memcpy(both, c->length, (size_t)c->literals);
    memcpy(both + c->literals, c->length + LITERALS, (size_t)c->distances);
    make_row(c, both, c->literals + c->distances);
    for (int k = 0; k < c->rows; k++)
        row_count[c->row[k] & 0xFF]++;
    gp_huffman_lengths(row_count, 19, 7, c->row_length);
    gp_huffman_codes(c->row_length, 19, c->row_code);
}

static int rows_of_rows(const codes *c) {
    int n = 19;
    while (n > 4 && c->row_length[row_order[n - 1]] == 0)
        n--;
    return n;
}

/* Bytes that the block takes. */
static int64_t block_size(const codes *c, const uint32_t *count) {
    int64_t n = 3 + 5 + 5 + 4 + 3 * rows_of_rows(c);
    for (int k = 0; k < c->rows; k++)
        n += c->row_length[c->row[k] & 0xFF] + row_extra_bits(c->row[k] & 0xFF);
    for (int s = 0; s < SYMBOLS; s++)
        n += (int64_t)count[s] * (c->length[s] + extra_bits(s));
    return (n + 7) / 8;
}

static void write_codes(writer *b, const codes *c) {
    int n = rows_of_rows(c);
    add_bits(b, 1 | 2 << 1, 3); /* the last block, with its own codes */
    add_bits(b, (uint64_t)(c->literals - 257), 5);
    add_bits(b, (uint64_t)(c->distances - 1), 5);
    add_bits(b, (uint64_t)(n - 4), 4);
    flush(b);
    for (int k = 0; k < n; k++) {
        add_bits(b, c->row_length[row_order[k]], 3);
        flush(b);
    }
    for (int k = 0; k < c->rows; k++) {
        int symbol = c->row[k] & 0xFF;
        add_bits(b, c->row_code[symbol], c->row_length[symbol]);
        add_bits(b, c->row[k] >> 8, row_extra_bits(symbol));
        flush(b);
    }
}

static uint32_t entry_of(uint32_t value, int bits) {
    return value << 8 | (uint32_t)bits;
}

/* By token: what is written, above its number of bits (8 bits). */
static void make_table(const codes *c, uint32_t *table) {
    for (int t = 0; t <= END; t++)
        table[t] = entry_of(c->code[t], c->length[t]);
    for (int s = LENGTHS; s < LITERALS; s++) {
        int extra = extra_bits(s), n = lengths_of(s), bits = c->length[s];
        uint32_t *to = table + LENGTH + least_length(s);
        for (int k = 0; k < n; k++)
            to[k] = entry_of(c->code[s] | (uint32_t)k << bits, bits + extra);
    }
    for (int s = LITERALS; s < SYMBOLS; s++)
        table[DISTANCE + s - LITERALS] = entry_of(c->code[s], c->length[s]);
    for (int bits = 1; bits <= RAW_BITS; bits++)
        for (uint32_t value = 0; value < 1u << bits; value++)
            table[raw(bits, value)] = entry_of(value, bits);
}

static inline void write_token(writer *b, uint64_t entry) {
    /* Of count, only the lowest six bits matter until the flush. */
    b->waiting |= (entry >> 8) << (b->count & 63);
    b->count += entry;
}

static inline void write_all(writer *out, const uint32_t *table, const uint16_t *token, int64_t n) {
    writer b = *out;
    int64_t at = 0;
    for (; at + 5 <= n; at += 5) {
        write_token(&b, table[token[at]]);
        write_token(&b, table[token[at + 1]]);
        write_token(&b, table[token[at + 2]]);
        write_token(&b, table[token[at + 3]]);
        write_token(&b, table[token[at + 4]]);
        flush(&b);
    }
    for (; at < n; at++) {
        write_token(&b, table[token[at]]);
        flush(&b);
    }
    *out = b;
}

#if defined(__x86_64__)
/* The same with shifts that leave the flags alone, which are a third of the work. */
__attribute__((target("bmi2"))) static void write_by_bmi2(writer *out, const uint32_t *table,
                                                          const uint16_t *token, int64_t n) {
    write_all(out, table, token, n);
}
#endif

static void write_tokens(writer *out, const uint32_t *table, const uint16_t *token, int64_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("bmi2")) {
        write_by_bmi2(out, table, token, n);
        return;
    }
#endif
    write_all(out, table, token, n);
}

/* 3.2.4: the last block, stored; its length and the length's complement. */
static int64_t write_stored(const uint8_t *text, int64_t n, uint8_t *out) {
    out[0] = 1;
    for (int k = 0; k < 2; k++) {
        out[1 + k] = (uint8_t)(n >> (8 * k));
        out[3 + k] = (uint8_t)(~n >> (8 * k));
    }
    if (n > 0)
        memcpy(out + 5, text, (size_t)n);
    return n + 5;
}

static int64_t write_piece(gp_deflate *s, int64_t tokens, const void *bytes, int64_t n, void *out) {
    uint32_t count[SYMBOLS], table[TOKENS];
    codes c;
    count_symbols(s->token, tokens, count);
    make_codes(&c, count);
    int64_t size = block_size(&c, count);
    if (size >= n + 5)
        return write_stored(bytes, n, out);
    make_table(&c, table);
    writer b = {.to = out};
    write_codes(&b, &c);
    write_tokens(&b, table, s->token, tokens);
    flush(&b);
    return size;
}

int64_t gp_deflate_piece(gp_deflate *scratch, const void *text, int64_t n, void *out) {
    return write_piece(scratch, gp_deflate_find(scratch, text, n), text, n, out);
}

int64_t gp_deflate_numbers(gp_deflate *scratch, const void *bytes, int64_t n, void *out) {
    return write_piece(scratch, gp_deflate_find_numbers(scratch, bytes, n), bytes, n, out);
}
