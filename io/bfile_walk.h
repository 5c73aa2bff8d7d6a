/** The variants of PLINK sets, chromosome by chromosome, in the order in which a store has them:
 *  by position, equal ones as the files have them.
 *
 *  Local. Starts zeroed. What lies in order is read as it lies; of other chromosomes an index is
 *  made, and their lines are fetched one by one.
 */
#ifndef GP_IO_BFILE_WALK_H
#define GP_IO_BFILE_WALK_H

#include "io/bfile_list.h"
#include "io/bim_index.h"
#include "io/karyotype.h"
#include "src/base/err.h"

enum { GP_WALK_ENTRIES = 1 << 20 /* 32 MiB of index at once, 64 while it is sorted */ };

typedef struct gp_bfile_walk {
    const gp_bfile_list *list;
    const gp_karyotype *karyotype;
    int64_t entries;   /* index size at once (a single chromosome may have more) */
    gp_io_watch watch; /* (may be NULL) asked, with 0, whether to go on */
    void *context;
    gp_reader stream;   /* of the chromosome at hand, where it lies in order */
    gp_reader *single;  /* [sets] for single lines; opened when first needed */
    int32_t *rank;      /* [chromosomes of the map] place in the index, or -1 */
    gp_bim_index index; /* of the places first to end - 1 */
    int64_t first, end; /* first = end: there is none */
    int64_t place;      /* the chromosome at hand */
    int64_t at, stop;   /* lines (or entries of the index) read and in all */
} gp_bfile_walk;

/** A variant on the way. */
typedef struct gp_bfile_variant {
    gp_bim_line bim; /* slices, good until the next one is asked for */
    int64_t file;    /* number of its set; -1 = the chromosome has no more */
    int64_t row;     /* of that set's .bed */
} gp_bfile_variant;

/** Prepares; list and karyotype are borrowed. watch and context may be set afterwards.
 *    entries  in  0 = GP_WALK_ENTRIES */
int gp_bfile_walk_init(gp_bfile_walk *walk, const gp_bfile_list *list,
                       const gp_karyotype *karyotype, int64_t entries, gp_err *err);

/** Goes to the beginning of a chromosome, best in the karyotype's order. GP_EFAIL where a file
 *  has changed since it was mapped; GP_ESTOP where watch asks to stop. */
int gp_bfile_walk_enter(gp_bfile_walk *walk, int64_t place, gp_err *err);

/** The next variant of the chromosome. Those with a negative position are left out. */
int gp_bfile_walk_next(gp_bfile_walk *walk, gp_bfile_variant *variant, gp_err *err);

void gp_bfile_walk_free(gp_bfile_walk *walk);

#endif
