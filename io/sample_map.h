/** From the ids that a file gives to a store's samples. Local. */
#ifndef GP_IO_SAMPLE_MAP_H
#define GP_IO_SAMPLE_MAP_H

#include "io/store.h"
#include "src/base/err.h"
#include "src/base/ids.h"
#include "src/base/text.h"
#include <stdint.h>

enum { GP_SAMPLE_NONE = -1, GP_SAMPLE_SEVERAL = -2 };

typedef struct gp_sample_map {
    const gp_samples *samples; /* borrowed */
    int with_fid;
    int64_t *only; /* [iid.count] the sample with that IID, or GP_SAMPLE_SEVERAL */
    gp_ids pair;   /* with_fid, where IIDs repeat: "FID\tIID" of sample i is number i */
    int64_t next;  /* the sample behind the one found last: files mostly keep the store's order */
    gp_text key;   /* scratch */
} gp_sample_map;

/** Prepares look-up by FID and IID, or by IID alone. Memory 8 bytes a sample, about 40 more with
 *  FID where IIDs repeat. */
int gp_sample_map_init(gp_sample_map *map, const gp_samples *samples, int with_fid, gp_err *err);

/** The sample of an id (fid is not looked at without with_fid): its number, GP_SAMPLE_NONE, or,
 * where samples of several families bear the IID, GP_SAMPLE_SEVERAL. */
int gp_sample_map_find(gp_sample_map *map, const char *fid, const char *iid, int64_t *sample,
                       gp_err *err);

void gp_sample_map_free(gp_sample_map *map);

/** Whether a word is a header's name for the family's or the person's id: FID or #FID, IID or #IID.
 * NULL is neither. */
int gp_sample_is_fid(const char *word);
int gp_sample_is_iid(const char *word);

/** Replaces key's text by "FID\tIID", or by "IID" where fid is NULL: one string that stands for the
 * id. */
int gp_sample_key(gp_text *key, const char *fid, const char *iid, gp_err *err);

#endif
