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

/* A slot holds number + 1 and, above it, a tag of the hash: most strings that differ are told apart
 * without looking at them. */
enum { TAG_SHIFT = 44 /* numbers stay below 2^44 */ };

static int64_t number_in(int64_t slot) {
    return (int64_t)((uint64_t)slot & (((uint64_t)1 << TAG_SHIFT) - 1)) - 1;
}

static int64_t slot_value(uint64_t hash, int64_t number) {
    return (int64_t)(hash >> TAG_SHIFT << TAG_SHIFT | (uint64_t)(number + 1));
}

/* Bytes of string number i without its zero: the strings lie one behind the other. */
static int64_t length_of(const gp_ids *ids, int64_t i) {
    int64_t end = i + 1 < ids->count ? ids->offset[i + 1] : ids->block.length;
    return end - ids->offset[i] - 1;
}

/* The slot that holds the string, or the free one where it belongs. */
static int64_t slot_of(const gp_ids *ids, uint64_t hash, const char *s, int64_t n) {
    uint64_t mask = (uint64_t)ids->slots - 1;
    uint64_t k = hash & mask;
    for (; ids->slot[k] != 0; k = (k + 1) & mask) {
        int64_t i = number_in(ids->slot[k]);
        if (ids->slot[k] == slot_value(hash, i) && length_of(ids, i) == n &&
            memcmp(gp_ids_get(ids, i), s, (size_t)n) == 0)
            break;
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
        int64_t n = length_of(ids, i);
        uint64_t hash = gp_ids_hash(s, n);
        ids->slot[slot_of(ids, hash, s, n)] = slot_value(hash, i);
    }
    return GP_OK;
}

int64_t gp_ids_find(const gp_ids *ids, const char *s, int64_t n) {
    return ids->slots ? number_in(ids->slot[slot_of(ids, gp_ids_hash(s, n), s, n)]) : -1;
}

int gp_ids_add(gp_ids *ids, const char *s, int64_t n, int64_t *number, int *fresh, gp_err *err) {
    if (2 * (ids->count + 1) > ids->slots && rehash(ids, err) != GP_OK)
        return err->code;
    uint64_t hash = gp_ids_hash(s, n);
    int64_t k = slot_of(ids, hash, s, n);
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
        ids->slot[k] = slot_value(hash, ids->count++);
    }
    *number = number_in(ids->slot[k]);
    return GP_OK;
}

void gp_ids_free(gp_ids *ids) {
    gp_text_free(&ids->block);
    free(ids->offset);
    free(ids->slot);
    *ids = (gp_ids){0};
}
