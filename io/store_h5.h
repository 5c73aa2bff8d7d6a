/** The store's layout, and what its writer and reader share about HDF5. Private to io/store_*.c; to
 *  io/grm_*.c, whose files keep ids and numbers in the same way; and to jobs/parallel_file.c.
 *
 *  Layout, format version 1
 *  ------------------------
 *  An HDF5 file in the format of HDF5 1.10 (superblock 3), in which the library checksums all of
 * its own metadata. No times, names of machines or anything else that differs between two runs is
 * kept: the same content gives the same bytes (with the same versions of HDF5 and zlib).
 *
 *    /  attributes   format          text   "gp-dist store"
 *                    format_version  int64  1; a reader refuses a greater one
 *                    block           int64  variants per block, the unit of work: a power of two
 *                    samples         int64  n
 *                    variants        int64  m, all chromosomes together
 *                    digest          text   MD5 of the content in hex, see io/store_digest.h
 *                    provenance      text   lines: sources, program version; under 60,000 bytes
 *    /samples        fid iid father mother  strings [n]
 *                    sex             int8   [n]  1 male, 2 female, 0 unknown
 *    /chromosomes    groups in karyotype order, which is their creation order (tracked, indexed)
 *    /chromosomes/<name>  attributes
 *                    kind            text   autosome, X, Y, XY (pseudo-autosomal), MT
 *                    variants        int64  m of this chromosome, >= 1
 *                    digest          text   MD5 of its content in hex (Ck of io/store_digest.h);
 *                                    older stores have none
 *      datasets      position        int64  [m]  base pairs, 1-based, never decreasing
 *                    genetic_position float64 [m]  centimorgans; left out where unknown
 *                    id ref alt      strings [m]  "." = unknown
 *                    counts          int64  [m x 4]  samples with 0, 1, 2 copies of ALT, missing
 *                    genotype        uint8  [m x stride]  rows of the 2-bit code (src/geno/code.h),
 *                                    stride = 16 bytes per started 64 samples, padding 0
 *
 *  "strings X [k]" are two datasets: X, uint8, the zero-terminated strings back to back; and X_end,
 *  int64 [k], where each one ends in X, behind its zero. HDF5's own strings of variable length live
 *  in a heap without checksums.
 *
 *  Every dataset is chunked and carries Fletcher32 checksums, computed behind the optional deflate,
 *  so that no damaged byte reaches zlib. Chunks of genotype are cut in both directions: a row's
 *  stride into ceil(stride / 4096) pieces of near-equal width (whole 16 bytes), and as many rows, a
 *  power of two from 16 to 1024, as make at most 256 KiB; so a run of variants over all samples and
 *  a slice of samples over all variants both read few chunks. Other chunks hold up to 64 KiB.
 *  Numbers are little-endian. Unknown attributes, groups and datasets are ignored.
 */
#ifndef GP_IO_STORE_H5_H
#define GP_IO_STORE_H5_H

#include "io/store.h"
#include "src/base/err.h"
#include <hdf5.h>
#include <stdint.h>

#define GP_STORE_FORMAT "gp-dist store"

enum {
    GP_STORE_VERSION = 1,
    GP_STORE_PROVENANCE_MAX = 60000, /* an HDF5 attribute ends at 64 KiB */
    GP_STORE_CHUNK = 64 << 10,       /* bytes of a chunk, but for genotypes: */
    GP_STORE_GENOTYPE_CHUNK = 256 << 10,
    GP_STORE_GENOTYPE_WIDTH = 4096,
    GP_STORE_INFLATION = 1040, /* deflate makes nothing smaller than 1/1032 */
    /* Bytes kept in memory: chunks of each open dataset (unless one row of them needs more), and
     * metadata of the file. */
    GP_STORE_CHUNK_CACHE = 256 << 10,
    GP_STORE_METADATA_CACHE = 1 << 20
};

/** The kinds of numbers that a store holds. */
typedef enum gp_h5_type { GP_H5_UINT8, GP_H5_INT8, GP_H5_INT64, GP_H5_REAL } gp_h5_type;

/** The datasets of a chromosome; strings are followed by their ends. */
enum {
    GP_STORE_POSITION,
    GP_STORE_MORGAN,
    GP_STORE_COUNTS,
    GP_STORE_ID,
    GP_STORE_ID_END,
    GP_STORE_REF,
    GP_STORE_REF_END,
    GP_STORE_ALT,
    GP_STORE_ALT_END,
    GP_STORE_GENOTYPE,
    GP_STORE_COLUMNS
};

/** The datasets of /samples. */
enum {
    GP_STORE_FID,
    GP_STORE_FID_END,
    GP_STORE_IID,
    GP_STORE_IID_END,
    GP_STORE_FATHER,
    GP_STORE_FATHER_END,
    GP_STORE_MOTHER,
    GP_STORE_MOTHER_END,
    GP_STORE_SEX,
    GP_STORE_SAMPLE_COLUMNS
};

/** A dataset's place in the layout. */
typedef struct gp_h5_field {
    const char *name;
    gp_h5_type type;
} gp_h5_field;

extern const gp_h5_field gp_store_columns[GP_STORE_COLUMNS];
extern const gp_h5_field gp_store_sample_columns[GP_STORE_SAMPLE_COLUMNS];

/* ---- the library ---- */

/** How every HDF5 file begins. */
extern const uint8_t gp_h5_signature[8];

/** Stops HDF5 from printing; its messages go into ours. */
void gp_h5_quiet(void);

/** Access properties for one process: serial driver, no locks (a store never changes under its
 * name), the file format fixed to that of 1.10. Below 0 on failure. */
hid_t gp_h5_access(void);

/** Releases any kind of HDF5 id and makes it 0; 0 and below are accepted. */
void gp_h5_release(hid_t *id);

/** Makes a group without times; ordered: its links keep the order of their creation. Below 0 where
 * HDF5 fails. */
hid_t gp_h5_group(hid_t parent, const char *name, int ordered);

/** Turns a failed HDF5 read into an error: GP_EFAIL where the system refused to read, else
 * GP_EINPUT "PATH: OBJECT is damaged (why): …". Call it right after the failure.
 *    object  in  where it happened; 0 = the store as a whole
 *    child   in  a name inside object, or NULL */
int gp_h5_read_failed(gp_err *err, const char *path, hid_t object, const char *child);

/** Turns a failed HDF5 write into GP_EFAIL "PATH: cannot be written: why". */
int gp_h5_write_failed(gp_err *err, const char *path);

/** GP_EINPUT "PATH: OBJECT is damaged (why): …", for what HDF5 cannot see. */
int gp_h5_damaged(gp_err *err, const char *path, hid_t object, const char *child, const char *why);

/* ---- attributes; below 0 where HDF5 fails ---- */

int gp_h5_put_number(hid_t object, const char *name, int64_t value);
int gp_h5_put_text(hid_t object, const char *name, const char *text);
int gp_h5_get_number(hid_t object, const char *name, int64_t *value);
/** Adds the text to a zeroed gp_text. */
int gp_h5_get_text(hid_t object, const char *name, gp_text *text, gp_err *err);

/* ---- columns: datasets of rows that all have the same width ---- */

/** A column to be made. */
typedef struct gp_h5_plan {
    const gp_h5_field *field;
    int64_t rows;        /* in all; -1 = grows */
    int64_t width;       /* numbers in a row; 1 makes the dataset one-dimensional */
    int64_t chunk_rows;  /* rows of a chunk, and of the buffer */
    int64_t chunk_width; /* numbers of a row in one chunk */
    int compress;        /* 0, or deflate level */
} gp_h5_plan;

/** A column being written through a buffer of one row of chunks, or being read. Starts zeroed. */
typedef struct gp_h5_column {
    hid_t set;
    const char *path; /* of the store, for messages; borrowed */
    gp_h5_type type;
    int64_t rows;  /* announced (-1 = grows), or found */
    int64_t width; /* numbers in a row */
    int64_t row_bytes;
    int64_t chunk_rows;
    /* reading */
    int64_t chunk_width; /* numbers of a row in one chunk */
    int only_checksum;   /* Fletcher32 is the only filter */
    /* writing */
    int64_t filled, written;
    uint8_t *buffer; /* reading: room of io/store_chunk.c */
} gp_h5_column;

int gp_h5_column_create(gp_h5_column *column, const char *path, hid_t group, const gp_h5_plan *plan,
                        gp_err *err);

/** Appends rows; whole rows of chunks go to the file. */
int gp_h5_column_push(gp_h5_column *column, const void *rows, int64_t count, gp_err *err);

/** Where the next row goes: room for *count rows in the buffer. The caller fills some of them and
 * says so by gp_h5_column_pushed, which may write them. */
uint8_t *gp_h5_column_room(const gp_h5_column *column, int64_t *count);
int gp_h5_column_pushed(gp_h5_column *column, int64_t count, gp_err *err);

/** Writes what is left and checks the number of rows. */
int gp_h5_column_finish(gp_h5_column *column, gp_err *err);

/** Opens a column for reading and holds its shape against the layout and the file's size.
 *    rows   in  expected, or -1 = any
 *    limit  in  bytes that the file could hold at most when decompressed */
int gp_h5_column_open(gp_h5_column *column, const char *path, hid_t group, const gp_h5_plan *plan,
                      int64_t limit, gp_err *err);

/** A rectangle of a column. */
typedef struct gp_h5_part {
    int64_t first, count; /* rows */
    int64_t begin, width; /* numbers within the rows */
} gp_h5_part;

/** Reads a rectangle, [count x width] row-major. */
int gp_h5_column_read(const gp_h5_column *column, const gp_h5_part *part, void *out, gp_err *err);

/** Closes and frees; a zeroed column is accepted. */
void gp_h5_column_free(gp_h5_column *column);

#endif
