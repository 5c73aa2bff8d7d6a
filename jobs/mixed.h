/** Tests by linear mixed models: a spectrum of relationships for each pattern of samples and, where
 *  chromosomes are left out, for each of them (src/assoc/lmm.h). All collective unless said.
 *
 *  The eigenvectors of a model are shared out over the shards of a group; every group has all of
 *  them, and its own part of the variants. A group's shards each read their samples' calls and join
 *  them.
 */
#ifndef GP_JOBS_MIXED_H
#define GP_JOBS_MIXED_H

#include "jobs/kinship.h"
#include "jobs/scan.h"

typedef struct gp_mixed {
    gp_scan *scan; /* of all chromosomes; its patterns have columns (gp_patterns_input.mixed) */
    const gp_kinship *kinship;
    int exact; /* every variant has a ratio of its own, or the null model's */
    int loco;  /* each chromosome's variants are tested without its own relationships */
} gp_mixed;

/** How many shards the eigenvectors of n samples should be shared over, where the user does not
 *  say: as few as keep them within 4 GiB on a rank. Local. */
int64_t gp_mixed_shards(int64_t n, int64_t ranks);

/** Bytes that a rank needs at most for the scan's largest model: matrices, solver, rotation and
 *  their buffers; and, where the relationships are to be made first, for that. Local. */
int64_t gp_mixed_bytes(const gp_scan *scan, int makes_kinship, int loco);

/** Tests every selected variant and adds the lines to the tables: all sections but the last are
 *  ended. What the null models found is appended to components (jobs/variance.h), header and all:
 * the same text on every rank. Errors as in gp_scan_tests; GP_EINPUT where the matrix is none, or
 * gives no model. */
int gp_mixed_tests(const gp_mixed *mixed, gp_text *components, gp_err *err);

#endif
