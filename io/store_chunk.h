/** Chunks of a column just as they lie in the file, read whole and checked here instead of by
 *  HDF5's filters, which take many times as long. Private to io/store_*.c.
 */
#ifndef GP_IO_STORE_CHUNK_H
#define GP_IO_STORE_CHUNK_H

#include "io/store_h5.h"

enum { GP_CHUNK_CHECKSUM = 4 /* bytes behind each chunk */ };

/** Whether the chunks of a genotype column can be taken as they are: not compressed, whole groups
 *  of samples, no larger than the layout's. */
int gp_chunk_is_plain(const gp_h5_column *column);

/** Reads a chunk of a plain column and holds it against its checksum.
 *    row, begin  in  its first row and the first byte of its rows
 *    to  out  [chunk_rows x chunk_width], then the checksum's 4 bytes; at the dataset's ends some
 *             of it lies outside the dataset
 *  GP_EINPUT where it is damaged, has another size, or was written without its checksum. */
int gp_chunk_read(const gp_h5_column *column, int64_t row, int64_t begin, uint8_t *to, gp_err *err);

/** Reads a rectangle of the genotype column like gp_h5_column_read. Chunks whose rows are all
 *  wanted are read plain where they can be; the others stay in HDF5's cache for the next run. */
int gp_chunk_read_part(gp_h5_column *column, const gp_h5_part *part, uint8_t *out, gp_err *err);

#endif
