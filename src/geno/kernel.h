/** What a CPU does for the exact products: it unpacks calls into byte tiles, multiplies byte tiles,
 *  and counts calls. Private to src/geno.
 *
 *  All three products are one multiplication of bytes, left (unsigned) by right (signed), summed in
 *  int32. They differ in what is unpacked into which side, and in what the terms of the sum are:
 *  samples or variants. Bytes lie in tiles of 1 KiB, aligned to 64:
 *
 *    left tile   16 rows x 64 terms     byte 64 r + k is term k of row r
 *    right tile  64 terms x 16 columns  byte 64 (k / 4) + 4 c + k % 4 is term k of column c
 *    sum tile    16 rows x 16 columns   int32, row-major
 *
 *  So a left tile and a right tile of the same 16 lines are each other's transposed 16 x 16
 *  matrices of 4-byte cells; `turn` makes one from the other.
 *
 *  Bounds. A left byte is 0, 1 or 2, a right byte -128 to 127: a term is at most 256 in size, so
 *  the sum of GP_KERNEL_MOST_TERMS terms, in one product or in several that add up, stays within
 *  2^30 and int32 cannot overflow. Some kernels add up in int16 first, for so few terms (STRETCH in
 *  their files) that it stays below 2^15. Those with any_left do not: to them a left byte may be
 *  anything; a term is then at most 255 * 128, and the sum of GP_KERNEL_MOST_WIDE terms below 2^31.
 *
 *  Bytes of calls are little-endian (src/geno/code.h), as the machine is. Rows and masks may have
 *  any alignment.
 *
 *  All functions are local, thread-safe, and allocate nothing. Every kernel gives the same bytes.
 */
#ifndef GP_SRC_GENO_KERNEL_H
#define GP_SRC_GENO_KERNEL_H

#include <stdint.h>

enum {
    GP_TILE_LINES = 16, /* rows, or columns */
    GP_TILE_TERMS = 64,
    GP_TILE_BYTES = GP_TILE_LINES * GP_TILE_TERMS,
    GP_TILE_SUMS = GP_TILE_LINES * GP_TILE_LINES,
    GP_KERNEL_MOST_TERMS = 1 << 22,
    GP_KERNEL_MOST_WIDE = 1 << 16 /* where a left byte is above 2 */
};

/** Packed calls to unpack: variants, and groups of 64 samples (16 bytes of each row). */
typedef struct gp_unpack {
    const uint8_t *calls; /* the first variant's first group; any alignment */
    int64_t pitch;        /* bytes from one variant to the next */
    int64_t variants;     /* 1 to 16 in unpack_samples, 1 to 64 in unpack_variants */
    int64_t groups;       /* of 64 samples */
    /* [64][4], aligned to 16: the byte that stands for calls 0, 1, 2 and missing of each variant.
     * unpack_samples takes those of the first variant for all. */
    const uint8_t *value;
} gp_unpack;

/** A product of tiles. */
typedef struct gp_tiles {
    const uint8_t *left; /* [rows][left_step] tiles, of which the first `terms` of a row are used */
    const uint8_t *right;         /* [columns][right_step] tiles, likewise */
    int64_t rows, columns, terms; /* in tiles; at least 1 */
    int64_t left_step, right_step;
    int32_t *sums; /* [rows][columns] sum tiles, aligned to 64 */
    int add;       /* 0: sums are overwritten; 1: added to */
} gp_tiles;

typedef struct gp_kernel {
    const char *name;
    int any_left; /* whether multiply takes left bytes above 2 */
    /** Whether this CPU and operating system let it run. */
    int (*runs_here)(void);

    /** Terms are samples: one left tile per group, line j holding variant j; lines without a
     *  variant are 0.
     *    tile  out  [groups] tiles */
    void (*unpack_samples)(const gp_unpack *in, uint8_t *tile);

    /** Terms are variants: four right tiles per group, whose 16 columns are 16 samples; terms
     *  without a variant are 0.
     *    tile  out  [groups][4] tiles, `step` tiles from one to the next */
    void (*unpack_variants)(const gp_unpack *in, uint8_t *tile, int64_t step);

    /** Makes a left tile of a right one, or the reverse. from and to differ. */
    void (*turn)(const uint8_t *from, uint8_t *to);

    void (*multiply)(const gp_tiles *product);

    /** Adds counts of bits to count: of the mask, of low & mask, of high & mask, and of low & high
     * & mask, where low and high are the two bits of a call. bytes is a multiple of 16. */
    void (*count)(const uint8_t *row, const uint8_t *mask, int64_t bytes, int64_t count[4]);

    /** Lists the samples of the mask whose call is missing, in ascending order, counted from the
     *  row's first. bytes is a multiple of 16. Returns their number.
     *    sample  out  [that number] */
    int64_t (*list_missing)(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                            int32_t *sample);

    /** Adds rows of a table: to[k] += sum over i of table[row[i] * width + k]. width is a multiple
     * of 8; to and table are aligned to 64. */
    void (*add_rows)(const int64_t *table, int64_t width, const int32_t *row, int64_t rows,
                     int64_t *to);
} gp_kernel;

extern const gp_kernel gp_kernel_portable; /* the reference: any machine, any compiler */
#if defined(__x86_64__)
extern const gp_kernel gp_kernel_avx2;
extern const gp_kernel gp_kernel_avx512; /* VNNI and VBMI */
extern const gp_kernel gp_kernel_amx;    /* the same, with int8 tiles */
#endif

/** The fastest kernel that runs here, or the one that the environment variable GP_KERNEL names:
 *  portable, avx2, avx512 or amx. One that is unknown or cannot run counts as not set here;
 *  gp_cpu_check (src/geno/cpu.h) tells the user. Chosen once per process. Thread-safe. */
const gp_kernel *gp_kernel_chosen(void);

/** The k-th of the kernels that this program was built with, fastest first; NULL at the end. */
const gp_kernel *gp_kernel_at(int k);

#endif
