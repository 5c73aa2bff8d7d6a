/** A run directory's manifest.json: with what it was made, and what is finished. Local.
 *
 *  { "format": "gp-dist run 1", "version": "0.1.0",
 *    "options": { "name": "value", ... },
 *    "steps": [ { "name": "train height", "command": "gp-dist train ...", "digest": "...",
 *                 "finished": true, "ranks": 4, "seconds": 1.5,
 *                 "outputs": [ { "path": "model/height/config.json", "bytes": 123,
 *                                "modified": 1732300000123456789, "md5": "..." }, ... ] }, ... ] }
 */
#ifndef GP_IO_MANIFEST_H
#define GP_IO_MANIFEST_H

#include "src/base/err.h"
#include <stdint.h>

/** A file that a step wrote. */
typedef struct gp_manifest_output {
    char *path; /* from the run directory on */
    int64_t bytes;
    int64_t modified; /* nanoseconds since 1970 */
    char md5[33];
} gp_manifest_output;

typedef struct gp_manifest_step {
    char *name, *command;
    char digest[33]; /* of all that its results depend on */
    int finished;    /* 0: it has begun */
    int64_t ranks;
    double seconds;
    int touched;                /* a file's time is another than the manifest on disk says */
    gp_manifest_output *output; /* [outputs] */
    int64_t outputs, capacity;
} gp_manifest_step;

typedef struct gp_manifest_option {
    char *name, *value;
} gp_manifest_option;

typedef struct gp_manifest {
    char *version;
    gp_manifest_option *option; /* [options] */
    int64_t options, option_capacity;
    gp_manifest_step *step; /* [steps] in the order in which they were first done */
    int64_t steps, step_capacity;
} gp_manifest;

/** Reads DIR/manifest.json. Comes zeroed; freed in any case.
 *    there  out  0: there is none; 1: there is one, or what is left of one; -1: there is
 *                something else's
 *  GP_EINPUT where it is damaged, or not ours. */
int gp_manifest_read(gp_manifest *manifest, const char *directory, int *there, gp_err *err);

/** Writes it, whole or not at all. */
int gp_manifest_write(const gp_manifest *manifest, const char *directory, gp_err *err);

void gp_manifest_free(gp_manifest *manifest);

/** The step of a name, or NULL. */
gp_manifest_step *gp_manifest_find(const gp_manifest *manifest, const char *name);

/** The step of a name, added where there is none, begun anew: without outputs, not finished. NULL
 *  with GP_EFAIL where memory is refused. */
gp_manifest_step *gp_manifest_begin(gp_manifest *manifest, const char *name, const char *command,
                                    const char *digest, gp_err *err);

/** Adds a file to a step: its size and time are looked up in the directory. GP_EINPUT where it is
 *  not there. */
int gp_manifest_add(gp_manifest_step *step, const char *directory, const char *path,
                    const char *md5, gp_err *err);

/** Takes out step number k. */
void gp_manifest_remove(gp_manifest *manifest, int64_t k);

int gp_manifest_option_add(gp_manifest *manifest, const char *name, const char *value, gp_err *err);

/** What the manifest says of an option; NULL: nothing. */
const char *gp_manifest_option_get(const gp_manifest *manifest, const char *name);

/** The first of a step's files that is not as it was left, or NULL: size and time are compared,
 *  and, where times differ, content. A file of other time but the same content gets its time.
 *    gone  out  1: it is not there; 0: it was changed */
const char *gp_manifest_altered(gp_manifest_step *step, const char *directory, int *gone,
                                gp_err *err);

#endif
