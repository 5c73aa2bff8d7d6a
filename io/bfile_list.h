/** The PLINK sets of one --bfile: opened, checked, and mapped by chromosome.
 *
 *  Local. Starts zeroed. Sets are numbered in the order they were given.
 */
#ifndef GP_IO_BFILE_LIST_H
#define GP_IO_BFILE_LIST_H

#include "io/bfile.h"
#include "io/bim_map.h"
#include "io/file.h"
#include "src/base/err.h"

typedef struct gp_bfile {
    char *fam, *bim, *bed; /* paths */
    gp_bed calls;
    int64_t rows; /* variants, those with negative positions too */
} gp_bfile;

typedef struct gp_bfile_list {
    gp_bfile *set;      /* [count] */
    const gp_bed **bed; /* [count] each set's calls */
    int64_t count;
    gp_samples samples; /* the same in all sets */
    gp_bim_map map;
} gp_bfile_list;

/** Opens PREFIX[,PREFIX...]: reads the samples, checks that all sets have the same and that each
 * .bed begins like one. GP_EINPUT "FILE:LINE: …". */
int gp_bfile_list_open(gp_bfile_list *list, const char *prefixes, gp_err *err);

/** Reads each .bim into the map and checks its .bed's size. watch (may be NULL) is told of bytes
 * read. */
int gp_bfile_list_map(gp_bfile_list *list, gp_io_watch watch, void *context, gp_err *err);

/** Bytes of all .bim files, and of all files. */
int gp_bfile_list_bytes(const gp_bfile_list *list, int64_t *bim, int64_t *all, gp_err *err);

void gp_bfile_list_free(gp_bfile_list *list);

#endif
