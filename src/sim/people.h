/** Who the samples are: ancestry, sex, families, and covariates. Local.
 *
 *  Most samples are unrelated; each stems from one population, or, one in ten, from two. The last
 * ones are the children of couples among those before: one to three full siblings a couple, more
 * where couples run out. Father, mother and ages are consistent.
 */
#ifndef GP_SRC_SIM_PEOPLE_H
#define GP_SRC_SIM_PEOPLE_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_people {
    int64_t n;
    int64_t populations;
    int64_t children; /* the last so many samples */
    double *ancestry; /* [n x populations] row-major; shares that sum to 1 */
    int8_t *sex;      /* [n] 1 male, 2 female */
    int64_t *father;  /* [n] sample, or -1 */
    int64_t *mother;  /* [n] sample, or -1 */
    double *age;      /* [n] years, to one decimal */
    int8_t *batch;    /* [n] number in gp_people_batch */
    double *exposure; /* [n] like a body mass index, to two decimals */
} gp_people;

enum { GP_PEOPLE_BATCHES = 3 };
extern const char *const gp_people_batch[GP_PEOPLE_BATCHES];

typedef struct gp_people_plan {
    int64_t n, populations;
    double relatives; /* share of samples that are children, 0 … 0.5 */
    uint64_t seed;
} gp_people_plan;

/** Draws everybody. Where there is no couple (too few samples), there are no children. */
int gp_people_init(gp_people *people, const gp_people_plan *plan, gp_err *err);

void gp_people_free(gp_people *people);

#endif
