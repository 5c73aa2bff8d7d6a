/** What the files that read and write relationship matrices share. Private to io/grm_*.c. */
#ifndef GP_IO_GRM_INSIDE_H
#define GP_IO_GRM_INSIDE_H

#include "io/grm.h"
#include "io/store_h5.h"

#define GP_GRM_FORMAT "gp-dist relationship matrix"

enum { GP_GRM_VERSION = 1, GP_GRM_MOST = 1 << 30 /* samples: places stay below 2^60 */ };

/** Where element (i, j), j <= i, stands in its dataset; (n, 0) is how many there are. */
static inline int64_t gp_grm_place(int64_t i, int64_t j) {
    return i * (i + 1) / 2 + j;
}

/** GP_EFAIL where elements (row, first .. first + count) are not in the lower triangle. */
int gp_grm_check_run(const char *path, int64_t n, int64_t row, int64_t first, int64_t count,
                     gp_err *err);

/** Part of a row. */
typedef struct gp_grm_run {
    int64_t matrix; /* 0 = the whole, 1 + a chromosome's number */
    int64_t row, first, count;
} gp_grm_run;

/** A form of file: how it is read, and what it gives back. */
typedef struct gp_grm_kind {
    int (*read)(gp_grm *grm, const gp_grm_run *run, double *value, gp_err *err);
    void (*close)(gp_grm *grm);
} gp_grm_kind;

struct gp_grm {
    char *path;
    gp_grm_about about;
    uint64_t *check; /* [1 + chromosomes]; NULL where the file has none */
    const gp_grm_kind *kind;
    void *source; /* the kind's own */
    /* what about points to */
    gp_text form, store_digest, filters;
    char *ids[2]; /* the texts of fid and iid, zero-terminated, back to back */
};

/** Opens for gp_grm_open, which closes where one of them fails: a file that begins as HDF5 does; */
int gp_grm_open_h5(gp_grm *grm, gp_err *err);

/** GCTA's files, grm->path being their prefix; */
int gp_grm_open_gcta(gp_grm *grm, gp_err *err);

/** anything else. */
int gp_grm_open_text(gp_grm *grm, gp_err *err);

#endif
