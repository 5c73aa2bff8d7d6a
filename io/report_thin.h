/** Many samples as few numbers: clouds of points, predictions beside observations. Local. */
#ifndef GP_IO_REPORT_THIN_H
#define GP_IO_REPORT_THIN_H

#include "io/report_sheet.h"
#include "src/base/err.h"
#include <stdint.h>

enum {
    GP_CLOUD_POINTS = 1500, /* shown one by one; more are counted in cells */
    GP_CLOUD_CELLS = 64,    /* along either axis */
    GP_GUESS_MODELS = 3,
    GP_GUESS_TENTHS = 10,
    GP_GUESS_STEPS = 100, /* of a ROC curve */
    GP_GUESS_CLASSES = 40 /* bars of a histogram */
};

typedef struct gp_cloud {
    int64_t n;
    double low[2], high[2]; /* of x, y */
    double *point;          /* [n x 2] where n <= GP_CLOUD_POINTS, else NULL */
    int64_t cell[GP_CLOUD_CELLS * GP_CLOUD_CELLS]; /* row-major, y from below */
} gp_cloud;

/** Fills a zeroed cloud. Points with a NaN are left out.
 *    xy  in  [n x 2] */
int gp_cloud_make(gp_cloud *cloud, const double *xy, int64_t n, gp_err *err);
void gp_cloud_free(gp_cloud *cloud);

/** "covariates", "ridge", "transformer". */
extern const char *const gp_guess_model[GP_GUESS_MODELS];

/** Out-of-fold predictions of a trait. */
typedef struct gp_guesses {
    int64_t n;      /* samples with a prediction of the transformer */
    gp_cloud cloud; /* quantitative: x predicted, y observed */
    double tenth[GP_GUESS_TENTHS]
                [2]; /* means of predicted and observed by tenth of the predicted */
    int64_t tenths;  /* 0 where there are too few samples */
    /* binary */
    int64_t cases;
    double curve[GP_GUESS_MODELS][GP_GUESS_STEPS + 1]; /* sensitivity at 1 - specificity = k /
                                                          STEPS; NaN: no such model */
    double share[2][GP_GUESS_CLASSES]; /* of controls, cases, by the transformer's prediction */
    double low, high;                  /* the histogram's ends */
} gp_guesses;

/** From the lines of a predictions.tsv that are about a trait. Starts zeroed.
 *    trait  in  its name; NULL: all lines
 *  GP_EINPUT for a damaged table. */
int gp_guesses_make(gp_guesses *guesses, const gp_sheet *sheet, const char *trait, int binary,
                    gp_err *err);
void gp_guesses_free(gp_guesses *guesses);

#endif
