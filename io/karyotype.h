/** The chromosomes of a store to be, in karyotype order. Local. Starts zeroed. */
#ifndef GP_IO_KARYOTYPE_H
#define GP_IO_KARYOTYPE_H

#include "io/bim_map.h"
#include "io/store.h"
#include "src/base/err.h"
#include "src/base/say.h"

typedef struct gp_karyotype_place {
    gp_chromosome chromosome; /* its name is owned */
    int64_t span;             /* where its lines lie: number in the map */
} gp_karyotype_place;

typedef struct gp_karyotype {
    gp_karyotype_place *place; /* [count] */
    int64_t count;
    int64_t variants; /* in all */
} gp_karyotype;

/** Puts the map's chromosomes in order and says what kind each is.
 *    autosomes  in  PLINK's --autosome-num. 0 = not given: human numbers (23 = X …) are taken if no
 *                   number is above 26, and a note says so
 *  Chromosomes left without a variant by negative positions are left out. */
int gp_karyotype_make(gp_karyotype *karyotype, const gp_bim_map *map, int64_t autosomes,
                      const gp_sink *sink, gp_err *err);

/** Whether a chromosome's variants can be written as they come: one piece of a file, in order. */
int gp_karyotype_streams(const gp_bim_map *map, const gp_karyotype_place *place);

void gp_karyotype_free(gp_karyotype *karyotype);

#endif
