#include "io/store.h"
#include "src/base/mem.h"

#include <stdlib.h>

const char *gp_kind_name(gp_kind kind) {
    static const char *const name[] = {"autosome", "X", "Y", "XY", "MT"};
    return name[kind];
}

static int grow_text(char ***text, int64_t *capacity, int64_t count, gp_err *err) {
    return gp_mem_grow(text, capacity, count, sizeof **text, err);
}

int gp_variants_reserve(gp_variants *v, int64_t count, int with_morgan, gp_err *err) {
    /* Arrays that start from the same capacity grow to the same one. */
    int64_t room[4] = {v->capacity, v->capacity, v->capacity, v->capacity};
    int64_t morgans = v->morgan ? v->capacity : 0;
    if (gp_mem_grow(&v->position, &room[0], count, sizeof *v->position, err) != GP_OK ||
        grow_text(&v->id, &room[1], count, err) != GP_OK ||
        grow_text(&v->ref, &room[2], count, err) != GP_OK ||
        grow_text(&v->alt, &room[3], count, err) != GP_OK)
        return err->code;
    if (!with_morgan) {
        free(v->morgan);
        v->morgan = NULL;
    } else if (gp_mem_grow(&v->morgan, &morgans, room[0], sizeof *v->morgan, err) != GP_OK) {
        return err->code;
    }
    v->capacity = room[0];
    return GP_OK;
}

void gp_variants_free(gp_variants *v) {
    free(v->position);
    free(v->morgan);
    free(v->id);
    free(v->ref);
    free(v->alt);
    gp_text_free(&v->block);
    *v = (gp_variants){0};
}
