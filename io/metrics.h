/** Tables of predictions and of how good they are: predictions.tsv and metrics.tsv.
 *  Tab separated, missing is NA. Local. */
#ifndef GP_IO_METRICS_H
#define GP_IO_METRICS_H

#include "src/assoc/accuracy.h"
#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>
#include <stdio.h>

/** trait, model, fold, n, r2, r, mse, auc; with its newline. */
extern const char gp_metrics_header[];

/** Appends the line of one model and fold ("all": all folds together). */
int gp_metrics_print(gp_text *text, const char *trait, const char *model, const char *fold,
                     const gp_accuracy *accuracy, gp_err *err);

/** Appends a tab and a number of 12 significant digits; NA for what is not finite. */
int gp_metrics_number(gp_text *text, double value, gp_err *err);

/** A table of predictions on its way to the disk. */
typedef struct gp_predictions {
    FILE *file;
    char *path, *temporary;
    gp_text text; /* lines not written yet */
    int64_t models;
} gp_predictions;

/** One sample and trait. */
typedef struct gp_prediction {
    const char *fid, *iid, *trait, *fold; /* fold NULL: NA */
    double observed;
    const double *value; /* [models] */
} gp_prediction;

/** Begins PATH.tmp: FID IID trait fold observed, then a column per model. Starts zeroed.
 *  GP_EFAIL where it cannot be written. */
int gp_predictions_open(gp_predictions *predictions, const char *path, const char *const *model,
                        int64_t models, gp_err *err);

int gp_predictions_add(gp_predictions *predictions, const gp_prediction *line, gp_err *err);

/** Writes what is left and gives the file its name. GP_EFAIL where the disk is full. */
int gp_predictions_finish(gp_predictions *predictions, gp_err *err);

/** Removes what was not finished; frees. A zeroed struct is accepted. */
void gp_predictions_close(gp_predictions *predictions);

#endif
