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

static int map_singles(gp_sample_map *map, gp_err *err) {
    const gp_samples *s = map->samples;
    map->only = gp_mem_alloc(s->iid.count, sizeof *map->only, err);
    if (map->only == NULL)
        return err->code;
    for (int64_t k = 0; k < s->iid.count; k++)
        map->only[k] = GP_SAMPLE_NONE;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t *only = &map->only[s->individual[i]];
        *only = *only == GP_SAMPLE_NONE ? i : GP_SAMPLE_SEVERAL;
    }
    return GP_OK;
}

int gp_sample_map_init(gp_sample_map *map, const gp_samples *samples, int with_fid, gp_err *err) {
    *map = (gp_sample_map){.samples = samples, .with_fid = with_fid};
    return with_fid ? map_pairs(map, err) : map_singles(map, err);
}

int gp_sample_map_find(gp_sample_map *map, const char *fid, const char *iid, int64_t *sample,
                       gp_err *err) {
    if (map->with_fid) {
        if (gp_sample_key(&map->key, fid, iid, err) != GP_OK)
            return err->code;
        *sample = gp_ids_find(&map->pair, map->key.bytes, map->key.length);
        return GP_OK;
    }
    int64_t number = gp_ids_find(&map->samples->iid, iid, (int64_t)strlen(iid));
    *sample = number < 0 ? GP_SAMPLE_NONE : map->only[number];
    return GP_OK;
}

void gp_sample_map_free(gp_sample_map *map) {
    gp_ids_free(&map->pair);
    free(map->only);
    gp_text_free(&map->key);
    *map = (gp_sample_map){0};
}
