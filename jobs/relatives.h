/** The relationship matrix that an analysis uses: the user's, or one made for it. Collective. */
#ifndef GP_JOBS_RELATIVES_H
#define GP_JOBS_RELATIVES_H

#include "jobs/kinship.h"

/** What is asked for; all borrowed. */
typedef struct gp_relatives {
    const char *grm;         /* --grm, or NULL: it is made */
    const char *directory;   /* made as DIRECTORY/grm.h5, which stays there */
    int loco;                /* chromosomes need matrices of their own */
    int centred;             /* the form of a matrix that is made */
    gp_selection *selection; /* its variants; NULL: autosomal ones of frequency 0.01 or more with at
                                most 5% missing calls among the kept samples */
    gp_store *store;
    gp_cohort *cohort;
} gp_relatives;

/** Opens the matrix, and makes it first where there is none. Samples that it lacks are un-kept.
 *  GP_EINPUT where chromosomes need matrices that a file does not have.
 *    kinship  out  comes zeroed; closed in any case */
int gp_relatives_open(gp_job *job, const gp_relatives *relatives, gp_kinship *kinship, gp_err *err);

#endif
