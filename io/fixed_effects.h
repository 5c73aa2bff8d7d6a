/** The intercepts and covariate effects of an additive model: model.tsv.
 *
 *  Tab separated, with the header: trait, term, effect; for every trait a line for the term
 *  "(intercept)" first, then one per covariate in use, all traits with the same terms. A
 *  covariate of a category is "column=level": it counts 1 where the column holds that level,
 *  else 0. Local.
 */
#ifndef GP_IO_FIXED_EFFECTS_H
#define GP_IO_FIXED_EFFECTS_H

#include "src/base/err.h"
#include "src/base/ids.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_fixed_effects {
    gp_ids trait, term; /* term 0 is the intercept */
    double *effect;     /* [traits x terms] */
} gp_fixed_effects;

/** Appends the header; a trait's lines.
 *    term    in  [terms - 1] covariates
 *    effect  in  [terms] the intercept first */
int gp_fixed_effects_header(gp_text *text, gp_err *err);
int gp_fixed_effects_print(gp_text *text, const char *trait, const char *const *term,
                           const double *effect, int64_t terms, gp_err *err);

/** Reads the whole text of a file. Comes zeroed; freed in any case. GP_EINPUT "PATH:LINE: ..."
 *  where it has another form. */
int gp_fixed_effects_parse(gp_fixed_effects *fixed, const char *path, gp_text *text, gp_err *err);
void gp_fixed_effects_free(gp_fixed_effects *fixed);

#endif
