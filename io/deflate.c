#include "io/deflate.h"
#include "io/huffman.h"

#include <string.h>

/* A token is what is written in one go: an index of a table of at most 17 bits each.
 *     0 to 255      a literal
 *     256           the end
 *     LENGTH + n    a repeat of n bytes: its symbol and that symbol's extra bits
 *     DISTANCE + k  symbol k of a distance, which one or two tokens of extra bits follow
 *     RAW           bits: after the other raw ones of fewer bits, in the order of their value */
enum {
    END = 256,
    LENGTH = 254, /* from LENGTH + 3 on */
    DISTANCE = 513,
    RAW = 543,
    RAW_BITS = 7,
    TOKENS = RAW + (2 << RAW_BITS) - 2,
    LITERALS = 286, /* symbols of literals, the end and lengths (RFC 1951, 3.2.5) */
    LENGTHS = 257,  /* the first of a length */
    DISTANCES = 30,
    SYMBOLS = LITERALS + DISTANCES,
    /* With these limits four tokens never need more than 56 bits: a length has 12 + 5, a distance
     * 13 and at least one raw token behind it. */
    LITERAL_BITS = 12,
    DISTANCE_BITS = 13,
    HASH_BITS = 12,
    NEAREST = 5, /* distances below have no extra bits */
    WINDOW = 32768,
    LONGEST = 258
};

/* Eight bytes as a number, the first lowest, on a machine of either byte order. */
static inline uint64_t low_first(uint64_t x) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(x);
#else
    return x;
#endif
}

static inline uint64_t load(const uint8_t *from) {
    uint64_t x;
    memcpy(&x, from, 8);
    return low_first(x);
}

static inline void store(uint8_t *to, uint64_t x) {
    x = low_first(x);
    memcpy(to, &x, 8);
}

/* ---- text to tokens ---- */

/* Which of 64 bytes are control characters (tabs and line ends, in a table): below 16. */
static inline uint64_t find_separators(const uint8_t *text) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t found = 0;
    for (int k = 0; k < 8; k++) {
        uint64_t high = load(text + 8 * k) & (ones * 0xF0);
        uint64_t set = ~(((high & (ones * 0x7F)) + ones * 0x7F) | high) & (ones * 0x80);
        /* The product gathers the eight highest bits in the highest byte. */
        found |= ((set >> 7) * 0x0102040810204080u >> 56) << (8 * k);
    }
    return found;
}

/* How many bytes agree at two places before `end`, LONGEST at most; a few less near the end. */
static inline int64_t match_length(const uint8_t *text, int64_t a, int64_t b, int64_t end) {
    for (int64_t n = 0; b + n + 16 <= end && n < LONGEST; n += 16) {
        uint64_t low = load(text + a + n) ^ load(text + b + n);
        uint64_t high = load(text + a + n + 8) ^ load(text + b + n + 8);
        /* Nearly all end here, without a branch for which half it was in. */
        if ((low | high) != 0) {
            int64_t more = n + (low != 0 ? 0 : 8) + __builtin_ctzll(low != 0 ? low : high) / 8;
            return more < LONGEST ? more : LONGEST;
        }
    }
    return b + LONGEST <= end ? LONGEST : (end - b) & ~(int64_t)15;
}

/* Reads and writes up to 31 beyond n. */
static inline uint16_t *add_literals(uint16_t *token, const uint8_t *text, int64_t n) {
    for (int64_t at = 0; at < n; at += 32)
        for (int k = 0; k < 32; k++)
            token[at + k] = text[at + k];
    return token + n;
}

static inline uint16_t raw(int bits, uint32_t value) {
    return (uint16_t)(RAW - 2 + (1u << bits) + value);
}

/* 3.2.5: a distance's symbol says its two highest bits, extra bits the others, lowest first. */
static inline uint16_t *add_match(uint16_t *token, int64_t length, int64_t distance) {
    uint32_t x = (uint32_t)distance - 1;
    int extra = 30 - __builtin_clz(x);
    uint32_t value = x & ((1u << extra) - 1);
    int first = extra < RAW_BITS ? extra : RAW_BITS;
    token[0] = (uint16_t)(LENGTH + length);
    token[1] = (uint16_t)(DISTANCE + 2 * (uint32_t)extra + (x >> extra));
    token[2] = raw(first, value & ((1u << first) - 1));
    token[3] = raw(extra - first, value >> first); /* overwritten where there is none */
    return token + 3 + (extra > RAW_BITS);
}

/* Where a field with this one's first bytes began last (0 where none did); notes this one. */
static inline int64_t look_up(gp_deflate *s, const uint8_t *text, int64_t at) {
    uint16_t *slot = &s->last[load(text + at) * 0x9E3779B97F4A7C15u >> (64 - HASH_BITS)];
    int64_t before = *slot;
    *slot = (uint16_t)at;
    return before;
}

/* Returns how many tokens the text became. */
static int64_t tokenize(gp_deflate *s, const uint8_t *text, int64_t n) {
    uint16_t *token = s->token;
    int64_t done = 0;
    memset(s->last, 0, sizeof s->last);
    for (int64_t base = 0; base + 64 + 32 <= n; base += 64) {
        uint64_t found = find_separators(text + base);
        if (done > base)
            found &= done - base < 64 ? ~(uint64_t)0 << (done - base) : 0;
        while (found != 0) {
            int64_t at = base + __builtin_ctzll(found);
            found &= found - 1;
            int64_t before = look_up(s, text, at);
            /* Fewer than eight bytes would gain little, and be there or not as chance will: the
             * CPU could not foresee this branch. */
            if (load(text + at) != load(text + before) || at - before > WINDOW ||
                at - before < NEAREST)
                continue;
            int64_t length = match_length(text, before, at, n);
            token = add_literals(token, text + done, at - done);
            token = add_match(token, length, at - before);
            done = at + length;
            found &= done - base < 64 ? ~(uint64_t)0 << (done - base) : 0;
        }
    }
    /* Literals are copied 32 at a time, which must not read beyond the text. */
    int64_t most = (n - done) & ~(int64_t)31;
    token = add_literals(token, text + done, most);
    for (done += most; done < n; done++)
        *token++ = text[done];
    *token++ = END;
    return token - s->token;
}

/* The longest repeat of what stands 8, 16 or 24 bytes before. */
static inline int64_t best_of_numbers(const uint8_t *bytes, int64_t at, int64_t n,
                                      int64_t *distance) {
    int64_t best = 0;
    for (int64_t d = 8; d <= 24 && d <= at; d += 8) {
        uint64_t differ = load(bytes + at) ^ load(bytes + at - d);
        int64_t length =
            differ != 0 ? __builtin_ctzll(differ) / 8 : match_length(bytes, at - d, at, n);
        if (length > best) {
            best = length;
            *distance = d;
        }
    }
    return best;
}

static int64_t tokenize_numbers(gp_deflate *s, const uint8_t *bytes, int64_t n) {
    enum { LEAST = 3 };
    uint16_t *token = s->token;
    int64_t at = 0;
    while (at + 16 <= n) {
        int64_t distance = 0, length = best_of_numbers(bytes, at, n, &distance);
        if (length >= LEAST) {
            token = add_match(token, length, distance);
            at += length;
        } else
            *token++ = bytes[at++];
    }
    while (at < n)
        *token++ = bytes[at++];
    *token++ = END;
    return token - s->token;
}

/* ---- tokens and symbols ---- */

static int extra_bits(int symbol) {
    if (symbol >= LITERALS)
        return symbol < LITERALS + 4 ? 0 : (symbol - LITERALS) / 2 - 1;
    return symbol < LENGTHS + 8 || symbol == LITERALS - 1 ? 0 : (symbol - LENGTHS) / 4 - 1;
}

/* 3.2.5: lengths - 3 by their three highest bits; 258 apart. */
static int symbol_of(int token) {
    if (token <= END)
        return token;
    if (token >= DISTANCE)
        return LITERALS + token - DISTANCE;
    int x = token - LENGTH - 3, extra = x < 8 ? 0 : 29 - __builtin_clz((unsigned)x);
    return x == LONGEST - 3 ? LITERALS - 1 : LENGTHS + 4 * extra + (x >> extra);
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
    memset(count, 0, SYMBOLS * sizeof *count);
    for (int t = 0; t < RAW; t++)
        count[symbol_of(t)] += part[0][t] + part[1][t] + part[2][t] + part[3][t];
}

/* ---- the block ---- */

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

/* By token: what is written, above its number of bits (8 bits). */
static void make_table(const codes *c, uint32_t *table) {
    for (int t = 0; t < RAW; t++) {
        int s = symbol_of(t), bits = c->length[s];
        uint32_t value = c->code[s];
        if (t > END && t < DISTANCE) {
            int extra = extra_bits(s);
            value |= ((uint32_t)(t - LENGTH - 3) & ((1u << extra) - 1)) << bits;
            bits += extra;
        }
        table[t] = value << 8 | (uint32_t)bits;
    }
    for (int bits = 1; bits <= RAW_BITS; bits++)
        for (uint32_t value = 0; value < 1u << bits; value++)
            table[raw(bits, value)] = value << 8 | (uint32_t)bits;
}

static inline void write_token(writer *b, uint64_t entry) {
    /* Of count, only the lowest six bits matter until the flush. */
    b->waiting |= (entry >> 8) << (b->count & 63);
    b->count += entry;
}

static void write_tokens(writer *out, const uint32_t *table, const uint16_t *token, int64_t n) {
    writer b = *out;
    int64_t at = 0;
    for (; at + 4 <= n; at += 4) {
        write_token(&b, table[token[at]]);
        write_token(&b, table[token[at + 1]]);
        write_token(&b, table[token[at + 2]]);
        write_token(&b, table[token[at + 3]]);
        flush(&b);
    }
    for (; at < n; at++) {
        write_token(&b, table[token[at]]);
        flush(&b);
    }
    *out = b;
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
    return write_piece(scratch, tokenize(scratch, text, n), text, n, out);
}

int64_t gp_deflate_numbers(gp_deflate *scratch, const void *bytes, int64_t n, void *out) {
    return write_piece(scratch, tokenize_numbers(scratch, bytes, n), bytes, n, out);
}
