/** An option that takes several names with commas between them. Local. */
#ifndef GP_JOBS_WORDS_H
#define GP_JOBS_WORDS_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_words {
    char **word; /* [count] */
    int64_t count;
} gp_words;

/** Cuts a list (NULL = none). words comes zeroed, and is freed in any case.
 *    option  in  for messages, e.g. "--covar"
 *  GP_EINPUT for an empty name, or one that is given twice. */
int gp_words_cut(gp_words *words, const char *list, const char *option, gp_err *err);
void gp_words_free(gp_words *words);

#endif
