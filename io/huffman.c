#include "io/huffman.h"

#include <string.h>

enum { LONGEST = 15, SYMBOLS = GP_HUFFMAN_SYMBOLS };

/* Sorts by one byte of the counts; equal ones keep their order. */
static void sort_by_byte(const uint32_t *count, const uint16_t *from, uint16_t *to, int n,
                         int shift) {
    int begin[257] = {0};
    for (int k = 0; k < n; k++)
        begin[(count[from[k]] >> shift & 255) + 1]++;
    for (int b = 0; b < 256; b++)
        begin[b + 1] += begin[b];
    for (int k = 0; k < n; k++)
        to[begin[count[from[k]] >> shift & 255]++] = from[k];
}

/* Lists the used symbols, rarest first; equal counts in the symbols' order. */
static int sort_used(const uint32_t *count, int n, uint32_t *weight, uint16_t *symbol) {
    uint16_t other[SYMBOLS];
    uint32_t all = 0;
    int used = 0;
    for (int s = 0; s < n; s++) {
        symbol[used] = (uint16_t)s;
        used += count[s] != 0;
        all |= count[s];
    }
    for (int shift = 0; shift < 32 && all >> shift != 0; shift += 8) {
        sort_by_byte(count, symbol, other, used, shift);
        memcpy(symbol, other, (size_t)used * sizeof *symbol);
    }
    for (int k = 0; k < used; k++)
        weight[k] = count[symbol[k]];
    return used;
}

/* Turns n >= 2 ascending weights into depths of the leaves, in place: first the parents of the
 * inner nodes, then the nodes' depths, then the leaves'. */
static void weights_to_depths(uint32_t *a, int n) {
    int root = 0, leaf = 2;
    a[0] += a[1];
    for (int next = 1; next < n - 1; next++) {
        if (leaf >= n || a[root] < a[leaf]) {
            a[next] = a[root];
            a[root++] = (uint32_t)next;
        } else
            a[next] = a[leaf++];
        if (leaf >= n || (root < next && a[root] < a[leaf])) {
            a[next] += a[root];
            a[root++] = (uint32_t)next;
        } else
            a[next] += a[leaf++];
    }
    a[n - 2] = 0;
    for (int next = n - 3; next >= 0; next--)
        a[next] = a[a[next]] + 1;
    int open = 1, inner = 0, at = n - 1;
    root = n - 2;
    for (uint32_t depth = 0; open > 0; depth++) {
        while (root >= 0 && a[root] == depth) {
            inner++;
            root--;
        }
        while (open > inner) {
            a[at--] = depth;
            open--;
        }
        open = 2 * inner;
        inner = 0;
    }
}

/* How many codes of each length, none above limit: what was longer is cut, then codes are made
 * longer until all fit (Kraft's sum is 1). */
static void limit_depths(const uint32_t *depth, int n, int limit, int *of_length) {
    memset(of_length, 0, (LONGEST + 1) * sizeof *of_length);
    int64_t sum = 0;
    for (int k = 0; k < n; k++) {
        int bits = depth[k] < (uint32_t)limit ? (int)depth[k] : limit;
        of_length[bits]++;
        sum += (int64_t)1 << (limit - bits);
    }
    for (; sum > (int64_t)1 << limit; sum--) {
        int bits = limit - 1;
        while (of_length[bits] == 0)
            bits--;
        of_length[bits]--;
        of_length[bits + 1] += 2;
        of_length[limit]--;
    }
}

void gp_huffman_lengths(const uint32_t *count, int n, int limit, uint8_t *length) {
    uint32_t weight[SYMBOLS];
    uint16_t symbol[SYMBOLS];
    int of_length[LONGEST + 1];
    int used = sort_used(count, n, weight, symbol);
    for (int s = 0; s < n; s++)
        length[s] = 0;
    if (used < 2) {
        length[0] = length[1] = 1;
        /* The one that is used is one of the two, or takes the place of the second. */
        if (used == 1 && symbol[0] > 1) {
            length[1] = 0;
            length[symbol[0]] = 1;
        }
        return;
    }
    weights_to_depths(weight, used);
    limit_depths(weight, used, limit, of_length);
    for (int bits = limit, k = 0; bits > 0; bits--)
        for (int i = 0; i < of_length[bits]; i++)
            length[symbol[k++]] = (uint8_t)bits;
}

static uint16_t reverse(uint16_t code, int bits) {
    unsigned x = code;
    x = (x & 0x5555) << 1 | (x >> 1 & 0x5555);
    x = (x & 0x3333) << 2 | (x >> 2 & 0x3333);
    x = (x & 0x0F0F) << 4 | (x >> 4 & 0x0F0F);
    x = (x & 0x00FF) << 8 | x >> 8;
    return (uint16_t)(x >> (16 - bits));
}

void gp_huffman_codes(const uint8_t *length, int n, uint16_t *code) {
    uint16_t of_length[LONGEST + 1] = {0}, next[LONGEST + 1] = {0};
    for (int s = 0; s < n; s++)
        of_length[length[s]]++;
    of_length[0] = 0;
    for (int bits = 1; bits <= LONGEST; bits++)
        next[bits] = (uint16_t)((next[bits - 1] + of_length[bits - 1]) << 1);
    for (int s = 0; s < n; s++)
        code[s] = length[s] > 0 ? reverse(next[length[s]]++, length[s]) : 0;
}
