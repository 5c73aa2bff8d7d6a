/** One mixed model at work: a pattern's spectrum, rotated, as the model of a scan. For
 *  jobs/mixed*.c only. */
#ifndef GP_JOBS_MIXED_MODEL_H
#define GP_JOBS_MIXED_MODEL_H

#include "jobs/mixed.h"
#include "src/assoc/lmm.h"
#include "src/assoc/rotation.h"

typedef struct gp_mixed_model {
    const gp_mixed *mixed;
    const gp_pattern *pattern;
    int64_t n, most;     /* samples; variants at once */
    int64_t *eigenvalue; /* [columns] numbers of this shard's */
    int64_t columns, taken;
    double *value; /* [n] eigenvalues */
    double *u;     /* [store samples] a column on its way */
    uint8_t *mask; /* [stride of the store] the pattern's samples */
    gp_rotation rotation;
    gp_lmm *lmm;
    gp_lmm_batch *batch;
    uint8_t *mine, *all; /* calls of a block: this shard's rows, and all shards' */
    gp_piece *piece;     /* [shards] views of `all` */
    int64_t *bytes;      /* [shards] of a block */
    int64_t *count;      /* [most x 4] */
    double *mean;        /* [most] */
    gp_lmm_site *site;   /* [most] */
    double *x;           /* [most x columns] */
    double *sums;        /* of a round; grows */
    int64_t sums_capacity;
    gp_result *result; /* [most x traits] */
} gp_mixed_model;

/** Makes the model of a pattern without one chromosome's relationships (or GP_GRM_WHOLE), and
 *  itself the scan's. Collective. Comes zeroed; freed in any case. */
int gp_mixed_model_init(gp_mixed_model *model, const gp_mixed *mixed, const gp_par_grid *grid,
                        int64_t pattern, int64_t except, gp_err *err);
void gp_mixed_model_free(gp_mixed_model *model);

/** Variants rotated at once: as many as keep their rotated values within 32 MiB. */
int64_t gp_mixed_block(int64_t columns);

#endif
