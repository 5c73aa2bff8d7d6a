/** A run's directory for results: made where it is missing, and gone again if nothing came of
 *  it. Local. */
#ifndef GP_JOBS_DIRECTORY_H
#define GP_JOBS_DIRECTORY_H

#include "src/base/err.h"
#include <stdint.h>

/** Makes a directory and its parents, and sees that files can be made there.
 *    there  out  how many bytes of path name what was there before
 *  GP_EINPUT with the reason if not. */
int gp_directory_make(const char *path, int64_t *there, gp_err *err);

/** Removes the directories that gp_directory_make made, as far as they are empty. */
void gp_directory_unmake(const char *path, int64_t there);

/** 1: there is a file of that name in a directory. */
int gp_directory_has(const char *path, const char *name);

/** Removes a file that an earlier run left in a directory and that this one has no part in; nothing
 *  where there is none. */
void gp_directory_forget(const char *path, const char *name);

/** Removes a directory and all that is in it; links are not followed. Nothing where there is none.
 *  GP_EFAIL where something stays. */
int gp_directory_remove(const char *path, gp_err *err);

#endif
