/** What the files that make up the store share: an open store, runs of strings, /samples. Private
 * to io/store_*.c and io/grm_*.c.
 */
#ifndef GP_IO_STORE_INSIDE_H
#define GP_IO_STORE_INSIDE_H

#include "io/store_h5.h"

struct gp_store {
    char *path;
    hid_t file, chromosomes;
    int64_t limit; /* bytes that the file can hold at most, decompressed */
    int64_t n, stride, m, block;
    char digest[33];
    gp_text provenance;
    gp_chromosome *chromosome;
    char (*chromosome_digest)[33]; /* [chromosome_count] "" = not known */
    int64_t chromosome_count;
    int64_t current; /* chromosome that group and column belong to, or -1 */
    hid_t group;
    gp_h5_column column[GP_STORE_COLUMNS]; /* opened when first used */
    int64_t *end[3];                       /* scratch: ends of id, ref, alt */
    int64_t end_capacity[3];
};

/** Closes what is open of the current chromosome. */
void gp_store_leave_chromosome(gp_store *s);

/** A rectangle of genotypes; samples as in gp_store_read_genotypes. */
typedef struct gp_store_slice {
    int64_t chromosome, first, count; /* variants */
    int64_t sample, samples;
} gp_store_slice;

/** Opens the genotype column that a slice lies in, once it is one that can be read. */
int gp_store_use_genotypes(gp_store *s, const gp_store_slice *slice, gp_err *err);

/** A run of strings: where they lie in their column. */
typedef struct gp_strings {
    const gp_h5_column *text, *ends;
    int64_t first, count;
    int64_t *end; /* [count + 1], the caller's; end[0] is where the first string starts */
} gp_strings;

/** Reads where the strings end, and checks that they can. */
int gp_strings_read_ends(const gp_strings *r, gp_err *err);

/** Bytes of the run's text, once its ends are read. */
int64_t gp_strings_bytes(const gp_strings *r);

/** Reads the run's text to a place that has room for it; every string ends with the only zero in
 * it. */
int gp_strings_read(const gp_strings *r, char *to, gp_err *err);

/** Where samples are written to. */
typedef struct gp_store_target {
    const char *path; /* for messages */
    int compress;
} gp_store_target;

int gp_store_write_samples(hid_t file, const gp_store_target *to, const gp_samples *s, gp_err *err);

#endif
