/** How full logistic models are kept between rounds. Private to src/assoc/logit_fit.c,
 *  logit_newton.c and logit_single.c.
 *
 *  A fit is of one variant. It wants up to two passes in a round: of the lines of all coefficients
 *  (src/assoc/logit_newton.c) or of the points of the variant's alone
 * (src/assoc/logit_single.c).
 */
#ifndef GP_SRC_ASSOC_LOGIT_FIT_INSIDE_H
#define GP_SRC_ASSOC_LOGIT_FIT_INSIDE_H

#include "src/assoc/logit_fit.h"

/** A maximisation over the first `free` of d coefficients. */
typedef struct gp_logit_line {
    int going; /* wants a pass at beta */
    int64_t free;
    int levers; /* FIRTH: the pass is the second one there */
    int passes, halvings;
    int slow;                   /* steps in a row that did not shrink as Newton's do */
    double loglik;              /* at from, with the penalty; at the end at the maximum */
    double size;                /* of the step to beta, in standard errors */
    double *beta, *from, *step; /* [d] */
    double *inverse;            /* [d x d] of the information's factor, at from */
    double *factor, *matrix;    /* [d x d] of a pass: what it gave, and of its factor the inverse */
    double *value;              /* [all_width(d)] of a pass */
} gp_logit_line;

/** A maximisation over the variant's coefficient. */
typedef struct gp_logit_point {
    int going;
    int passes;
    double aim;         /* slope that is taken off: SPA's other tail has its root where U = aim */
    double t;           /* of the next pass */
    double low, high;   /* the maximum lies between */
    double last, slope; /* the pass before: where, and the slope there */
    double best;        /* what was reached: at the end at the maximum */
    double information; /* at the end at the maximum */
    double tail;        /* of SPA, log10; NaN until it is known */
} gp_logit_point;

enum { GP_LOGIT_FULL, GP_LOGIT_FLAT /* with beta_g = 0: FIRTH alone */, GP_LOGIT_LINES };

typedef struct gp_logit_fit {
    gp_logit_start start;
    gp_result *result;
    double beta, se; /* the score test's */
    double *inverse; /* [d x d] of the Cholesky factor of the information at the null model */
    gp_logit_line line[GP_LOGIT_LINES];
    double *gamma;             /* [c] */
    int begun;                 /* the pass at beta_g = 0 is done */
    double score, null_loglik; /* there */
    gp_logit_point point[GP_LOGIT_LINES];
} gp_logit_fit;

/** One pass of a round. */
typedef struct gp_logit_wish {
    int64_t fit;
    int number; /* of its line or point */
} gp_logit_wish;

struct gp_logit_batch {
    int64_t c, d;
    gp_logit *model;
    gp_logit_kind kind;
    const gp_calls *calls;
    int64_t count, wishes;
    gp_logit_fit *fit;   /* [GP_LOGIT_BATCH] */
    gp_logit_wish *wish; /* [2 GP_LOGIT_BATCH] */
    double *room;        /* of all fits */
    int threads;
    double *scratch; /* [threads x scratch_size] of passes */
    int64_t scratch_size;
    int64_t *part; /* [threads x part_size] sums of a part */
    int64_t part_size;
};

/** The inverse of the lower Cholesky factor of the information at the null model [d x d]. A
 *  covariate that missing calls took away (of which less than 1e-9 is left) has a row of 0: it is
 *  skipped, as if it had not been given.
 *    whole  in  [c x c] over all of S */
void gp_logit_factor_start(const double *a, int64_t d, const double *whole, double *inverse);

/** The same elsewhere, skipping what start skips; 0 where there is none. */
int gp_logit_factor(const double *a, int64_t d, const double *start, double *inverse);

/** Ends a fit without numbers. */
void gp_logit_give_up(gp_logit_fit *fit, gp_status status);

/* ---- all coefficients ---- */

/** Numbers of room that a line's arrays take, and their places. */
int64_t gp_logit_line_room(int64_t d);
void gp_logit_line_place(gp_logit_line *line, int64_t d, double *room);

/** Begins with WALD or FIRTH; start and inverse are set. */
void gp_logit_newton_begin(const gp_logit_batch *batch, gp_logit_fit *fit);

/** Takes the sums of a line's pass, and of a fit whose lines are all done makes the result. */
void gp_logit_newton_take(const gp_logit_batch *batch, gp_logit_fit *fit, int number,
                          const int64_t *sums);
void gp_logit_newton_finish(const gp_logit_batch *batch, gp_logit_fit *fit);

/* ---- the variant's alone ---- */

/** The same for APPROX and SPA. */
void gp_logit_single_begin(const gp_logit_batch *batch, gp_logit_fit *fit);
void gp_logit_single_take(const gp_logit_batch *batch, gp_logit_fit *fit, int number,
                          const int64_t *sums);
void gp_logit_single_finish(const gp_logit_batch *batch, gp_logit_fit *fit);

#endif
