/** A rank's part of a relationship matrix that is being made: exact sums on the grid of
 *  mpi/grid.h. For jobs/kinship_make.c. Local. */
#ifndef GP_JOBS_KINSHIP_PART_H
#define GP_JOBS_KINSHIP_PART_H

#include "jobs/kinship_calls.h"
#include "mpi/grid.h"
#include "src/geno/gram.h"

/** A class of samples that this rank has as rows by one that it has as columns. The product
 *  wants earlier samples on one side and later ones on the other, whichever of them are rows
 *  of the grid; so rows of a pair are the later samples. Used are the elements whose row, on
 *  the grid, comes no earlier than its column. */
typedef struct gp_kinship_pair {
    gp_layout_run early, late; /* the same class, perhaps */
    int late_is_row;
    int64_t at; /* its first sum */
} gp_kinship_pair;

typedef struct gp_kinship_part {
    gp_kinship_pair *pair; /* [pairs] */
    int64_t pairs;
    int64_t *sums; /* [size] each pair's [late x early] row-major, in units of a gp_gram_plan */
    int64_t size;  /* local rows x local columns */
} gp_kinship_part;

/** Comes zeroed; freed in any case. */
int gp_kinship_part_init(gp_kinship_part *part, const gp_layout *layout, gp_err *err);
void gp_kinship_part_free(gp_kinship_part *part);

/** Adds a block of variants. Errors as in gp_gram_add. */
int gp_kinship_part_add(gp_kinship_part *part, gp_gram *gram, const gp_kinship_calls *calls,
                        gp_err *err);

/** Hands out the elements as runs of rows of the lower triangle in the samples' own order: each
 * element of the matrix once in all, on some rank. */
typedef int gp_kinship_line(void *context, int64_t row, int64_t first, int64_t count,
                            const int64_t *sums, gp_err *err);
int gp_kinship_part_lines(const gp_kinship_part *part, gp_kinship_line *line, void *context,
                          gp_err *err);

#endif
