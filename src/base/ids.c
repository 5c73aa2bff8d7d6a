#include "src/base/ids.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

uint64_t gp_ids_hash(const char *s, int64_t n) {
    uint64_t h = 14695981039346656037u;
    for (int64_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    h ^= h >> 32;
    h *= 0x9E3779B97F4A7C15u;
    return h ^ (h >> 29);
}

const char *gp_ids_get(const gp_ids *ids, int64_t i) {
    return ids->block.bytes + ids->offset[i];
}

/* The slot that holds the string, or the free one where it belongs. */
static int64_t slot_of(const gp_ids *ids, const char *s, int64_t n) {
    uint64_t mask = (uint64_t)ids->slots - 1;
    uint64_t k = gp_ids_hash(s, n) & mask;
    while (ids->slot[k] != 0) {
        const char *t = gp_ids_get(ids, ids->slot[k] - 1);
        if (strlen(t) == (size_t)n && memcmp(t, s, (size_t)n) == 0)
            break;
        k = (k + 1) & mask;
    }
    return (int64_t)k;
}

static int rehash(gp_ids *ids, gp_err *err) {
    int64_t slots = ids->slots ? ids->slots * 2 : 64;
    int64_t *fresh = gp_mem_alloc(slots, sizeof *fresh, err);
    if (fresh == NULL)
        return err->code;
    free(ids->slot);
    ids->slot = fresh;
    ids->slots = slots;
    for (int64_t i = 0; i < ids->count; i++) {
        const char *s = gp_ids_get(ids, i);
        ids->slot[slot_of(ids, s, (int64_t)strlen(s))] = i + 1;
    }
    return GP_OK;
}

int64_t gp_ids_find(const gp_ids *ids, const char *s, int64_t n) {
    return ids->slots ? ids->slot[slot_of(ids, s, n)] - 1 : -1;
}

int gp_ids_add(gp_ids *ids, const char *s, int64_t n, int64_t *number, int *fresh, gp_err *err) {
    if (2 * (ids->count + 1) > ids->slots && rehash(ids, err) != GP_OK)
        return err->code;
    int64_t k = slot_of(ids, s, n);
    if (fresh != NULL)
        *fresh = ids->slot[k] == 0;
    if (ids->slot[k] == 0) {
        if (gp_mem_grow(&ids->offset, &ids->capacity, ids->count + 1, sizeof *ids->offset, err) !=
                GP_OK ||
            gp_text_room(&ids->block, n + 1, err) == NULL)
            return err->code;
        ids->offset[ids->count] = ids->block.length;
        gp_text_add(&ids->block, s, n, err);
        gp_text_add(&ids->block, "", 1, err);
        ids->slot[k] = ++ids->count;
    }
    *number = ids->slot[k] - 1;
    return GP_OK;
}

void gp_ids_free(gp_ids *ids) {
    gp_text_free(&ids->block);
    free(ids->offset);
    free(ids->slot);
    *ids = (gp_ids){0};
}
