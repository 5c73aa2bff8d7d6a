#include "io/store.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Five arrays share one capacity: each grows from the same old value. */
static int reserve(gp_samples *s, int64_t need, gp_err *err) {
    int64_t *array[4] = {s->family, s->individual, s->father, s->mother};
    if (need <= s->capacity)
        return GP_OK;
    int64_t capacity = s->capacity;
    int code = GP_OK;
    for (int k = 0; k < 4 && code == GP_OK; k++) {
        capacity = s->capacity;
        code = gp_mem_grow(&array[k], &capacity, need, sizeof *array[k], err);
    }
    s->family = array[0];
    s->individual = array[1];
    s->father = array[2];
    s->mother = array[3];
    if (code == GP_OK) {
        capacity = s->capacity;
        code = gp_mem_grow(&s->sex, &capacity, need, sizeof *s->sex, err);
    }
    if (code == GP_OK)
        s->capacity = capacity;
    return code;
}

static int add_id(gp_ids *ids, const char *text, int64_t *number, gp_err *err) {
    return gp_ids_add(ids, text, (int64_t)strlen(text), number, NULL, err);
}

int gp_samples_add(gp_samples *s, const gp_sample *sample, gp_err *err) {
    int64_t i = s->n;
    if (reserve(s, i + 1, err) != GP_OK ||
        add_id(&s->fid, sample->fid, &s->family[i], err) != GP_OK ||
        add_id(&s->iid, sample->iid, &s->individual[i], err) != GP_OK ||
        add_id(&s->parent, sample->father, &s->father[i], err) != GP_OK ||
        add_id(&s->parent, sample->mother, &s->mother[i], err) != GP_OK)
        return err->code;
    s->sex[i] = (int8_t)(sample->sex == 1 || sample->sex == 2 ? sample->sex : 0);
    s->n++;
    return GP_OK;
}

const char *gp_samples_fid(const gp_samples *s, int64_t i) {
    return gp_ids_get(&s->fid, s->family[i]);
}

const char *gp_samples_iid(const gp_samples *s, int64_t i) {
    return gp_ids_get(&s->iid, s->individual[i]);
}

const char *gp_samples_father(const gp_samples *s, int64_t i) {
    return gp_ids_get(&s->parent, s->father[i]);
}

const char *gp_samples_mother(const gp_samples *s, int64_t i) {
    return gp_ids_get(&s->parent, s->mother[i]);
}

void gp_samples_free(gp_samples *s) {
    gp_ids_free(&s->fid);
    gp_ids_free(&s->iid);
    gp_ids_free(&s->parent);
    free(s->family);
    free(s->individual);
    free(s->father);
    free(s->mother);
    free(s->sex);
    *s = (gp_samples){0};
}
