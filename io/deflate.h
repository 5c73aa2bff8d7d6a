/** Compresses pieces of tables of text to deflate (RFC 1951), faster than general libraries do.
 *
 *  A piece becomes one block with codes of its own, or a stored block where that is smaller. It is
 * mostly literals; repeats are looked for only where a field begins (after a tab or a line end),
 * because there tables repeat themselves, and their digits hardly do elsewhere. Own code, for two
 * reasons: results are written as fast as they are computed; and their bytes stay the same
 * whatever library, and whatever release of it, is installed. Integers alone and no state between
 * pieces: the same bytes on every machine. Local; different scratch in different threads.
 */
#ifndef GP_IO_DEFLATE_H
#define GP_IO_DEFLATE_H

#include <stdint.h>

enum {
    GP_DEFLATE_PIECE = 65280, /* bytes of text at most, as bgzip cuts it */
    GP_DEFLATE_ROOM = 16      /* bytes that the result and its writing may take beyond the text's */
};

/** What the work needs; what stands in it before does not matter. About 136 KiB. */
typedef struct gp_deflate {
    uint16_t token[GP_DEFLATE_PIECE + 64]; /* what is to be written, in order */
    uint16_t last[1 << 12];                /* by hash: where a field began last */
} gp_deflate;

/** Compresses n bytes; returns how many bytes of out they became, at most n + 5.
 *    text  in   [n], n <= GP_DEFLATE_PIECE
 *    out   out  [n + GP_DEFLATE_ROOM]; what lies beyond the result is overwritten
 *  Allocates nothing and cannot fail. Cost: about 4 cycles a byte. */
int64_t gp_deflate_piece(gp_deflate *scratch, const void *text, int64_t n, void *out);

/** The same for rows of numbers of 8 bytes, such as an index: repeats are looked for 8, 16 and 24
 * bytes before, at every byte. */
int64_t gp_deflate_numbers(gp_deflate *scratch, const void *bytes, int64_t n, void *out);

#endif
