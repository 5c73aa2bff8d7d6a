#include "io/sample_map.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

int gp_sample_is_fid(const char *word) {
    return word != NULL && (strcmp(word, "FID") == 0 || strcmp(word, "#FID") == 0);
}

int gp_sample_is_iid(const char *word) {
    return word != NULL && (strcmp(word, "IID") == 0 || strcmp(word, "#IID") == 0);
}

int gp_sample_key(gp_text *key, const char *fid, const char *iid, gp_err *err) {
    key->length = 0;
    if (fid != NULL && (gp_text_add(key, fid, (int64_t)strlen(fid), err) != GP_OK ||
                        gp_text_add(key, "\t", 1, err) != GP_OK))
        return err->code;
    return gp_text_add(key, iid, (int64_t)strlen(iid), err);
}

static int map_pairs(gp_sample_map *map, gp_err *err) {
    const gp_samples *s = map->samples;
    for (int64_t i = 0; i < s->n; i++) {
        const char *fid = gp_samples_fid(s, i);
        const char *iid = gp_samples_iid(s, i);
        int64_t number = 0;
        int fresh = 0;
        if (gp_sample_key(&map->key, fid, iid, err) != GP_OK ||
            gp_ids_add(&map->pair, map->key.bytes, map->key.length, &number, &fresh, err) != GP_OK)
            return err->code;
        if (!fresh)
            return gp_err_set(err, GP_EINPUT,
                              "the store: sample '%.60s %.60s' is there twice; import it again",
                              fid, iid);
    }
    return GP_OK;
}

/* Returns whether every sample has an IID of its own. */
static int map_singles(gp_sample_map *map) {
    const gp_samples *s = map->samples;
    int all = 1;
    for (int64_t k = 0; k < s->iid.count; k++)
        map->only[k] = GP_SAMPLE_NONE;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t *only = &map->only[s->individual[i]];
        all &= *only == GP_SAMPLE_NONE;
        *only = *only == GP_SAMPLE_NONE ? i : GP_SAMPLE_SEVERAL;
    }
    return all;
}

int gp_sample_map_init(gp_sample_map *map, const gp_samples *samples, int with_fid, gp_err *err) {
    *map = (gp_sample_map){.samples = samples, .with_fid = with_fid};
    map->only = gp_mem_alloc(samples->iid.count, sizeof *map->only, err);
    if (map->only != NULL && !map_singles(map) && with_fid)
        map_pairs(map, err);
    return err->code;
}

static int has_fid(const gp_sample_map *map, int64_t i, const char *fid) {
    return !map->with_fid || strcmp(gp_samples_fid(map->samples, i), fid) == 0;
}

/* By the IID's number; where IIDs do not repeat. */
static int64_t find_single(const gp_sample_map *map, const char *fid, const char *iid) {
    const gp_samples *s = map->samples;
    int64_t next = map->next;
    if (next < s->n && strcmp(gp_samples_iid(s, next), iid) == 0 &&
        map->only[s->individual[next]] == next && has_fid(map, next, fid))
        return next;
    int64_t number = gp_ids_find(&s->iid, iid, (int64_t)strlen(iid));
    int64_t sample = number < 0 ? GP_SAMPLE_NONE : map->only[number];
    return sample >= 0 && !has_fid(map, sample, fid) ? GP_SAMPLE_NONE : sample;
}

int gp_sample_map_find(gp_sample_map *map, const char *fid, const char *iid, int64_t *sample,
                       gp_err *err) {
    if (map->pair.count == 0)
        *sample = find_single(map, fid, iid);
    else if (gp_sample_key(&map->key, fid, iid, err) == GP_OK)
        *sample = gp_ids_find(&map->pair, map->key.bytes, map->key.length);
    if (err->code == GP_OK && *sample >= 0)
        map->next = *sample + 1;
    return err->code;
}

void gp_sample_map_free(gp_sample_map *map) {
    gp_ids_free(&map->pair);
    free(map->only);
    gp_text_free(&map->key);
    *map = (gp_sample_map){0};
}
