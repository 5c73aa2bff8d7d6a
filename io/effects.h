/** Effects of variants on traits: the additive model that predicts new samples.
 *
 *  A file of text, BGZF or gzip or plain, tab separated, one line per variant:
 *    chromosome  base_pair_location  id  effect_allele  other_allele  mean
 *  and then a column per trait, under its name.
 *
 *  A sample's genetic value is the sum of effect * (copies of effect_allele - mean); a missing
 *  call counts as the mean. Unknown ids and alleles are ".". Local.
 */
#ifndef GP_IO_EFFECTS_H
#define GP_IO_EFFECTS_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

/** One variant. Strings are borrowed. */
typedef struct gp_effect {
    const char *chromosome;
    int64_t position;
    const char *id, *effect_allele, *other_allele;
    double mean;   /* copies of effect_allele, 0 to 2 */
    double *value; /* [traits] */
} gp_effect;

/** Appends the header line; appends a variant's line, numbers with 12 significant digits. */
int gp_effects_header(gp_text *text, const char *const *trait, int64_t traits, gp_err *err);
int gp_effects_print(gp_text *text, const gp_effect *effect, int64_t traits, gp_err *err);

/* ---- reading, line by line, in bounded memory ---- */

typedef struct gp_effects gp_effects;

/** Opens a file and reads its header. GP_EINPUT where it is missing, damaged or has another
 *  header. *effects is NULL on failure. */
int gp_effects_open(gp_effects **effects, const char *path, gp_err *err);
void gp_effects_close(gp_effects *effects);

int64_t gp_effects_traits(const gp_effects *effects);
const char *gp_effects_trait(const gp_effects *effects, int64_t t);

/** The next variant, valid until the next call: 1, or 0 at the end or on failure. GP_EINPUT
 *  "PATH:LINE: ..." for a ragged line or what is not a number; where the file is cut short. */
int gp_effects_next(gp_effects *effects, gp_effect *effect, gp_err *err);

#endif
