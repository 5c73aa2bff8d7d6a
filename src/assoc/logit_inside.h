/** What a logistic model is made of. Private to src/assoc/logit.c and logit_{sums,score}.c. */
#ifndef GP_SRC_ASSOC_LOGIT_INSIDE_H
#define GP_SRC_ASSOC_LOGIT_INSIDE_H

#include "src/assoc/logit.h"
#include "src/assoc/moments.h"

/** The operands depend on the null model, their exponents do not: |w x| <= 2^(exponent of x - 2),
 *  |r| <= 1, |w^(1/2) x| <= 2^(exponent of x - 1). So all shards have the same ones.
 *
 *  Products of moments are w x x' and r x: "covariates" w^(1/2) x, and r / w^(1/2) as two "traits",
 *  of which every sample has one: up to 2^GP_LOGIT_NEAR, where nearly all are, finely, and beyond
 *  (what happened had a chance below 2^-16) coarsely, up to 2^GP_LOGIT_FAR. Only where the chance
 *  was below 2^-32 are they cut off. */
enum { GP_LOGIT_NEAR = 8, GP_LOGIT_FAR = 16 };

struct gp_logit {
    const gp_logit_rows *rows;
    const double *y, *offset;
    const gp_logit_null *null;
    int exact, threads;
    int bits; /* of the fixed point */
    int64_t c;
    gp_operand weighted; /* [samples x (c + 1)] w x, then r */
    gp_operand weight;   /* [samples x 1] w */
    gp_operand root;     /* [samples x (c + 2)] w^(1/2) x, r / w^(1/2) near and far: exact alone */
    gp_product *product, *product_of_two;
    gp_moments moments;  /* of root */
    uint8_t *cases;      /* [16 groups] mask of the cases in S */
    double *odds;        /* [groups x 64], by maximum likelihood */
    double *firth_odds;  /* and by Firth's */
    double *unit;        /* [c + 1] what sums of weighted count in */
    double *moment_unit; /* [moments] and those of moments */
    double *inverse;     /* [c x c] of the lower Cholesky factor of the information */
    int64_t chunk;       /* variants that are turned into calls of two copies at a time */
    uint8_t *two;        /* [chunk x stride] */
    int64_t *list;       /* [chunk] */
    int64_t scratch_size;
    double *scratch; /* [threads x scratch_size] */
};

/** Where the runs of a block's sums begin. The first one is aligned. */
typedef struct gp_logit_block {
    int64_t missing;  /* [m x missing_width] moments, or sums of weighted, of the missing calls */
    int64_t weighted; /* [m x (c + 1)] */
    int64_t two;      /* [m] sums of w over calls of two copies */
    int64_t calls;    /* [m x 4] counts */
    int64_t cases;    /* [m x 4] the same among cases */
    int64_t missing_width, end;
} gp_logit_block;

static inline gp_logit_block gp_logit_block_of(const gp_logit *model, int64_t m) {
    gp_logit_block b = {.missing_width = model->exact ? model->moments.width : model->c + 1};
    b.weighted = m * b.missing_width;
    b.two = b.weighted + m * (model->c + 1);
    b.calls = b.two + m;
    b.cases = b.calls + 4 * m;
    b.end = b.cases + 4 * m;
    return b;
}

/** Numbers of scratch that a test takes. */
int64_t gp_logit_test_scratch(int64_t c);

#endif
