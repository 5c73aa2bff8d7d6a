/** The genotype store: one HDF5 file per cohort, written once, read by any number of processes.
 *
 *  The layout (format version 1) stands at the head of io/store_h5.h. Every dataset carries
 *  Fletcher32 checksums; a damaged chunk is an error that names the dataset. Variants are
 *  numbered from 0 within their chromosome. Genotypes are rows of the 2-bit code
 *  (src/geno/code.h). Local: each process opens the file for itself. Not thread-safe (HDF5's own
 *  lock aside).
 */
#ifndef GP_IO_STORE_H
#define GP_IO_STORE_H

#include "src/base/err.h"
#include "src/base/ids.h"
#include "src/base/text.h"
#include "src/geno/count.h"
#include <stdint.h>

typedef enum gp_kind { GP_AUTOSOME, GP_X, GP_Y, GP_XY, GP_MT } gp_kind;

/** The words used in the store and by `info` for a kind: "autosome", "X", "Y", "XY"
 *  (pseudo-autosomal), "MT". */
const char *gp_kind_name(gp_kind kind);

/** Who was genotyped, in the store's order. Starts zeroed; filled by gp_samples_add. */
typedef struct gp_samples {
    int64_t n;
    gp_ids fid;          /* distinct family ids */
    int64_t *family;     /* [n] number in fid */
    gp_ids iid;          /* distinct individual ids */
    int64_t *individual; /* [n] number in iid */
    gp_ids parent;       /* distinct parents' individual ids; "0" = unknown */
    int64_t *father;     /* [n] number in parent */
    int64_t *mother;     /* [n] number in parent */
    int8_t *sex;         /* [n] 1 male, 2 female, 0 unknown */
    int64_t capacity;    /* of the [n] arrays */
} gp_samples;

/** One sample as text, for gp_samples_add. Borrowed. */
typedef struct gp_sample {
    const char *fid, *iid, *father, *mother; /* zero-terminated; parents "0" = unknown */
    int sex;                                 /* 1 male, 2 female, anything else unknown */
} gp_sample;

/** Appends a sample; strings are copied. Duplicates are the caller's to find. */
int gp_samples_add(gp_samples *s, const gp_sample *sample, gp_err *err);

const char *gp_samples_fid(const gp_samples *s, int64_t i);
const char *gp_samples_iid(const gp_samples *s, int64_t i);
const char *gp_samples_father(const gp_samples *s, int64_t i);
const char *gp_samples_mother(const gp_samples *s, int64_t i);
void gp_samples_free(gp_samples *s);

typedef struct gp_chromosome {
    char *name;
    gp_kind kind;
    int64_t count; /* variants */
} gp_chromosome;

/** What identifies a run of variants. Strings are views into one block. */
typedef struct gp_variants {
    int64_t count;
    int64_t *position; /* [count] base pairs, 1-based */
    double *morgan; /* [count] genetic position in centimorgans, or NULL where the store has none */
    char **id, **ref, **alt; /* [count] zero-terminated; "." = unknown */
    gp_text block;           /* owns the strings */
    int64_t capacity;
} gp_variants;

/** Makes room for count variants in the arrays (not in block); morgan only where asked for, else
 *  it becomes NULL. Contents are kept. */
int gp_variants_reserve(gp_variants *v, int64_t count, int with_morgan, gp_err *err);

void gp_variants_free(gp_variants *v);

/* ---- reading ---- */

typedef struct gp_store gp_store;

/** Opens a store for reading. GP_EINPUT, naming the file, where it is missing, no HDF5, no
 *  gp-dist store, of a newer format version, cut short or damaged. */
int gp_store_open(gp_store **store, const char *path, gp_err *err);
void gp_store_close(gp_store *store);

int64_t gp_store_sample_count(const gp_store *store);
int64_t gp_store_variant_count(const gp_store *store);
int64_t gp_store_block(const gp_store *store); /* variants per block: the unit of work */
int64_t gp_store_chromosome_count(const gp_store *store);
const gp_chromosome *gp_store_chromosome(const gp_store *store, int64_t k);
const char *gp_store_path(const gp_store *store);
const char *gp_store_digest(const gp_store *store); /* hex MD5 of the content, however chunked */
const char *gp_store_provenance(const gp_store *store); /* lines of text */

/** Hex MD5 of one chromosome's name, variants and calls; NULL in stores that were made before
 *  there was one. It stays the same where only other chromosomes change. */
const char *gp_store_chromosome_digest(const gp_store *store, int64_t k);

/** Reads all samples. */
int gp_store_read_samples(gp_store *store, gp_samples *samples, gp_err *err);

/** Reads ids, positions and alleles of variants [first, first + count) of chromosome k; v is
 *  reused and grown. */
int gp_store_read_variants(gp_store *store, int64_t k, int64_t first, int64_t count, gp_variants *v,
                           gp_err *err);

/** Reads the stored counts over all samples. counts out [count]. */
int gp_store_read_counts(gp_store *store, int64_t k, int64_t first, int64_t count,
                         gp_counts *counts, gp_err *err);

/** Reads genotypes: variants [first, first + count) of chromosome k, samples [sample, sample +
 *  samples). Touches only the chunks that hold that rectangle.
 *    sample, samples  in   multiples of 64; samples may also end at the last sample
 *    rows             out  [count x gp_geno_stride(samples)] row-major
 */
int gp_store_read_genotypes(gp_store *store, int64_t k, int64_t first, int64_t count,
                            int64_t sample, int64_t samples, uint8_t *rows, gp_err *err);

/** Reads every byte of every dataset against its checksum, the counts against the genotypes, the
 *  order of positions and the content digest. progress (may be NULL) is called now and then with
 *  the bytes done and in all. */
int gp_store_verify(const char *path, void (*progress)(void *context, int64_t done, int64_t total),
                    void *context, gp_err *err);

/* ---- writing: samples, then chromosome by chromosome in karyotype order, variants by position
 * ---- */

typedef struct gp_store_writer gp_store_writer;

/** What a store needs to know before its first variant. */
typedef struct gp_store_plan {
    const gp_samples *samples;
    int64_t variants;       /* in all; chooses the block size */
    int compress;           /* 0 none, 1-9 deflate level */
    const char *provenance; /* lines of text: sources, program version; no times, no host names */
} gp_store_plan;

/** Whether a store can be written at path, before the work that fills it: files can be made there,
 *  and what has the name is a store or nothing. GP_EINPUT with the reason if not. */
int gp_store_check_new(const char *path, gp_err *err);

/** Creates PATH's temporary neighbour. Nothing appears under path before gp_store_finish. */
int gp_store_create(gp_store_writer **writer, const char *path, const gp_store_plan *plan,
                    gp_err *err);

/** Begins a chromosome of count variants; with_morgan says whether genetic positions are stored. */
int gp_store_begin_chromosome(gp_store_writer *writer, const gp_chromosome *chromosome,
                              int with_morgan, gp_err *err);

/** Appends a run of variants (any length) with their rows [v->count x gp_geno_stride(n)]; counts
 *  are made here. Positions may not decrease within a chromosome: GP_EFAIL. */
int gp_store_append(gp_store_writer *writer, const gp_variants *v, const uint8_t *rows,
                    gp_err *err);

/** Checks that all announced variants came, writes the digest, closes, renames. The writer is
 *  freed in any case. */
int gp_store_finish(gp_store_writer *writer, gp_err *err);

/** Gives up: removes the temporary file and frees. NULL is accepted. */
void gp_store_discard(gp_store_writer *writer);

#endif
