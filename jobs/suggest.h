/** The name that a mistyped one was meant to be. Local. */
#ifndef GP_JOBS_SUGGEST_H
#define GP_JOBS_SUGGEST_H

#include <stdint.h>

/** The nearest of the names offered so far; starts with typed set and the rest zero. */
typedef struct gp_suggestion {
    const char *typed; /* borrowed; not zero-terminated */
    int64_t length;    /* of typed */
    const char *name;  /* out  the nearest, or NULL where none is near enough */
    int distance;
} gp_suggestion;

/** Offers a name. Near enough is an edit distance (insert, delete, replace, swap of neighbours)
 *  of up to a third of the longer word, or what was typed being its beginning. */
void gp_suggest(gp_suggestion *suggestion, const char *name);

#endif
