/** Prefix codes of RFC 1951: lengths from counts, codes from lengths. Integers alone, so the same
 *  on every machine. Local; allocates nothing.
 *
 *  Source: lengths by Moffat and Katajainen 1995 (LNCS 955:393); codes by RFC 1951, 3.2.2.
 */
#ifndef GP_IO_HUFFMAN_H
#define GP_IO_HUFFMAN_H

#include <stdint.h>

enum { GP_HUFFMAN_SYMBOLS = 288 /* at most, of the literals and lengths */ };

/** Code lengths of the symbols, none above a limit, the code complete: every string of bits begins
 *  with a symbol. To that end symbols 0 and 1 count as used where fewer than two are.
 *    count   in   [n] how often each symbol comes; 0 gives it no code
 *    n       in   2 to GP_HUFFMAN_SYMBOLS
 *    limit   in   bits; 2^limit >= n
 *    length  out  [n] bits; 0 = no code
 *  Cost: linear. */
void gp_huffman_lengths(const uint32_t *count, int n, int limit, uint8_t *length);

/** The codes of such lengths, first bit lowest, as a deflate stream takes them.
 *    length  in   [n] bits, at most 15
 *    code    out  [n]; 0 where there is none */
void gp_huffman_codes(const uint8_t *length, int n, uint16_t *code);

#endif
