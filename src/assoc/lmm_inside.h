/** How mixed-model tests keep their tables. Private to src/assoc/lmm*.c.
 *
 *  A set of points holds, at each of its t, what the null model gives there. With S = W'DW = L
 *  L' it tests x and its traits y by z = L^-1 W'Dx, and
 *
 *      P_xx = x'Dx - z'z    P_xy = x'Dy - z'z_y    P_yy = y'Dy - z_y'z_y
 *
 *  so that x is summed with c columns D W L^-1', one D y per trait, and x^2 with one column D.
 *  For slopes by t, a prime: with M = L^-1 S' L^-1' and z1 = L^-1 W'D'x - M z / 2,
 *
 *      P_xx' = x'D'x - 2 z'z1    P_xy' = x'D'y - z1'z_y - z'z1_y    (log det S)' = tr M
 *
 *  Traits are residuals of least squares on W: nothing here depends on more, and nothing is lost
 *  to large means.
 */
#ifndef GP_SRC_ASSOC_LMM_INSIDE_H
#define GP_SRC_ASSOC_LMM_INSIDE_H

#include "src/assoc/chebyshev.h"
#include "src/assoc/lmm.h"

enum {
    GP_LMM_STEPS = 8,   /* stretches' centres per region: traits with near null models share one */
    GP_LMM_PANEL = 512, /* eigenvalues of which squares are kept at a time */
    GP_LMM_ROWS = 64,   /* variants in one product */
    GP_LMM_EDGES = GP_REML_REGIONS + 1
};

typedef struct gp_lmm_set {
    int64_t points, traits;
    int slopes;
    double low, high;     /* of t: Chebyshev's points of this stretch, if there is more than one */
    int64_t *trait;       /* [traits] */
    double *t;            /* [points] */
    double *inverse;      /* [points x c x c] L^-1 */
    double *half;         /* [points x c x c] M / 2 (with slopes) */
    double *base, *base1; /* [points] - (sum log(lambda d + 1) + log det S) / 2 and its slope */
    double *zy, *zy1;     /* [points x traits x c] */
    double *yy, *yy1;     /* [points x traits] P_yy and its slope */
    int64_t x_at, xx_at;  /* first column in the tables of round 0 */
    double *room;         /* all of these arrays but the traits' */
} gp_lmm_set;

struct gp_lmm {
    int64_t n, c, p, columns;
    int exact;
    double df;
    gp_reml *null; /* [p] */
    gp_chebyshev *chebyshev;
    gp_lmm_set edges; /* the ends of the regions, with slopes */
    int64_t stretches;
    gp_lmm_set *stretch; /* [stretches] around the null models */
    int64_t *home;       /* [p] the stretch of each trait ... */
    int64_t *place;      /* ... and the trait's place in it */
    gp_lmm_set region[GP_REML_REGIONS];
    double *value, *w, *y;         /* [columns], [c x columns], [p x columns]: this shard's */
    int64_t x_columns, xx_columns; /* of round 0 */
    double *x_table;               /* [x_columns x columns] */
    double *xx_table;              /* [xx_columns x columns] */
};

/** The best that is known of one variant and trait. */
typedef struct gp_lmm_pair {
    double t, loglik;
    double beta, variance;     /* rss / P_xx; se^2 = variance / df */
    uint16_t wanted, searched; /* regions still to be searched, and those that were: a bit each */
} gp_lmm_pair;

struct gp_lmm_batch {
    const gp_lmm *model;
    int64_t most, m;
    const gp_lmm_site *site; /* of the caller, between begin and results */
    gp_status *status;       /* [most] */
    gp_lmm_pair *pair;       /* [most x p] */
    int round;               /* 0; 1 + region; -1: no more */
    int64_t *chosen;         /* [most] variants of a region's round */
    int64_t chosen_count;
    int64_t *list;       /* [p x most] places that each trait wants */
    int64_t *list_count; /* [p] */
    int threads;
    double *squares; /* [threads x GP_LMM_ROWS x GP_LMM_PANEL] */
    double *gather;  /* the same (exact) */
    double *table;   /* [GP_CHEBYSHEV x (c + 2) x GP_LMM_PANEL] (exact) */
};

/** Columns that a point of a set has in the table of x. */
static inline int64_t gp_lmm_point_columns(const gp_lmm *model, const gp_lmm_set *set) {
    return (model->c + set->traits) * (1 + set->slopes);
}

/** Room for a set; points' t and the list of traits are to be filled in. Comes zeroed. */
int gp_lmm_set_init(gp_lmm_set *set, int64_t points, int64_t traits, int slopes, int64_t c,
                    gp_err *err);
void gp_lmm_set_free(gp_lmm_set *set);
int64_t gp_lmm_set_doubles(int64_t points, int64_t traits, int slopes, int64_t c);

/** Fills in what W gives at point k, over all n eigenvalues. 0 where W'DW has no inverse. */
int gp_lmm_set_effects(gp_lmm_set *set, int64_t k, const gp_spectrum *null);

/** ... and what trait number i of the set gives; null->y its residuals. */
void gp_lmm_set_trait(gp_lmm_set *set, int64_t k, int64_t i, const gp_spectrum *null);

/** Columns D W L^-1' at point k for some of this shard's eigenvalues, and D itself.
 *    q  out  c columns, lead apart
 *    d  out  [count] */
void gp_lmm_columns(const gp_lmm *model, const gp_lmm_set *set, int64_t k, int64_t first,
                    int64_t count, double *q, int64_t lead, double *d);

/** The tables of round 0. */
void gp_lmm_tables(gp_lmm *model);

/** Sums of round 0 and of a region's round, and what follows from them. */
void gp_lmm_sum_first(gp_lmm_batch *batch, const double *x, double *sums);
void gp_lmm_sum_region(gp_lmm_batch *batch, const double *x, double *sums);
void gp_lmm_take_first(gp_lmm_batch *batch, const double *sums);
void gp_lmm_take_region(gp_lmm_batch *batch, const double *sums);

#endif
