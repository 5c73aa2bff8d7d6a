/** The variants of a relationship matrix: which of them count, and their means. For
 *  jobs/kinship_make.c. */
#ifndef GP_JOBS_KINSHIP_VARIANTS_H
#define GP_JOBS_KINSHIP_VARIANTS_H

#include "jobs/kinship.h"

typedef struct gp_kinship_variants {
    int64_t chromosomes;
    int64_t *count;     /* [chromosomes] variants of the chosen autosomes; 0 = left out */
    int64_t *first;     /* [chromosomes + 1] where a chromosome's variants begin in calls */
    int64_t *counting;  /* [chromosomes] variants that count */
    int64_t *calls;     /* [first[chromosomes]] of the kept samples: copies of ALT * 2^31 + calls
                           that are there; 0 = the variant does not count */
    int64_t total;      /* that count */
    double most_weight; /* gp_gram_weight of any that counts */
    int64_t sum[GP_REASONS]; /* variants of the autosomes chosen by what the selection says */
    int64_t elsewhere;       /* of other chromosomes chosen */
    int64_t constant;        /* that the selection keeps */
} gp_kinship_variants;

/** Looks at every variant chosen; the same on all ranks. Collective. Reads stored counts
 *  where all samples are kept, else all genotypes, once: samples are then shared out over the
 *  shards there are (mpi/par.h). GP_EINPUT where none counts. 8 bytes a variant. Comes
 *  zeroed; freed in any case. */
int gp_kinship_variants_init(gp_job *job, const gp_kinship_plan *plan, gp_kinship_variants *v,
                             gp_err *err);
void gp_kinship_variants_free(gp_kinship_variants *v);

/** The mean of a variant that counts, from its calls. */
static inline double gp_kinship_mean(int64_t calls) {
    return (double)(calls >> 31) / (double)(calls & INT32_MAX);
}

#endif
