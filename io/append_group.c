#include "io/append_group.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

void gp_group_begin(gp_group *g, int64_t position) {
    g->position = position;
    g->count = 0;
    g->text.length = 0;
}

int gp_group_add(gp_group *g, const char *const *text, const int64_t *n, int64_t where,
                 gp_err *err) {
    if (gp_mem_grow(&g->entry, &g->capacity, g->count + 1, sizeof *g->entry, err) != GP_OK)
        return err->code;
    gp_group_entry *e = &g->entry[g->count];
    *e = (gp_group_entry){.where = where, .partner = -1};
    for (int k = 0; k < 3; k++) {
        e->at[k] = g->text.length;
        if (gp_text_add(&g->text, text[k], n[k], err) != GP_OK ||
            gp_text_add(&g->text, "", 1, err) != GP_OK)
            return err->code;
    }
    g->count++;
    return GP_OK;
}

/* Only now does the text stay where it is. */
static int settle(gp_group *g, gp_err *err) {
    if (gp_mem_grow(&g->order, &g->order_capacity, g->count, sizeof *g->order, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < g->count; i++) {
        gp_group_entry *e = g->order[i] = &g->entry[i];
        e->id = g->text.bytes + e->at[0];
        e->ref = g->text.bytes + e->at[1];
        e->alt = g->text.bytes + e->at[2];
    }
    return GP_OK;
}

/* ---- how well two agree ---- */

enum { BOTH = 10, NEITHER = 4, ONE = 1, AGAINST = -100 /* who knows the allele */ };

static int is_known(const char *allele) {
    return strcmp(allele, ".") != 0;
}

static int agree(const char *a, const char *b) {
    int known = is_known(a) + is_known(b);
    if (known == 2)
        return strcmp(a, b) == 0 ? BOTH : AGAINST;
    return known == 1 ? ONE : NEITHER;
}

/* Below 0: not the same variant. From BOTH on: an allele in common. */
static int score(const gp_group_entry *a, const gp_group_entry *b, int *swapped) {
    int straight = agree(a->ref, b->ref) + agree(a->alt, b->alt);
    int across = agree(a->ref, b->alt) + agree(a->alt, b->ref);
    *swapped = across > straight;
    return *swapped ? across : straight;
}

static int same_id(const gp_group_entry *a, const gp_group_entry *b) {
    return is_known(a->id) && strcmp(a->id, b->id) == 0;
}

static void join(gp_group *old, gp_group *new, gp_group_entry *a, gp_group_entry *b, int swapped) {
    a->partner = b - new->entry;
    b->partner = a - old->entry;
    a->swapped = b->swapped = swapped;
}

/* ---- by id ---- */

static int compare_ids(const void *x, const void *y) {
    const gp_group_entry *a = *(gp_group_entry *const *)x, *b = *(gp_group_entry *const *)y;
    int order = strcmp(a->id, b->id);
    return order != 0 ? order : (a > b) - (a < b);
}

/* The entry that fits best among those of one id that are still free. */
static void join_best(gp_group *old, gp_group *new, gp_group_entry *a, int64_t first) {
    gp_group_entry *best = NULL;
    int most = -1, turned = 0, swapped = 0;
    for (int64_t j = first; j < new->count &&strcmp(new->order[j]->id, a->id) == 0; j++) {
        int s = new->order[j]->partner < 0 ? score(a, new->order[j], &swapped) : AGAINST;
        if (s > most) {
            most = s;
            best = new->order[j];
            turned = swapped;
        }
    }
    if (best != NULL)
        join(old, new, a, best, turned);
}

static void match_ids(gp_group *old, gp_group *new) {
    int64_t j = 0;
    qsort(old->order, (size_t)old->count, sizeof *old->order, compare_ids);
    qsort(new->order, (size_t) new->count, sizeof *new->order, compare_ids);
    for (int64_t i = 0; i < old->count; i++) {
        while (j < new->count && strcmp(new->order[j]->id, old->order[i]->id) < 0)
            j++;
        if (is_known(old->order[i]->id))
            join_best(old, new, old->order[i], j);
    }
}

/* ---- by alleles ---- */

static int compare_alleles(const gp_group_entry *a, const gp_group_entry *b) {
    int turn_a = strcmp(a->ref, a->alt) > 0, turn_b = strcmp(b->ref, b->alt) > 0;
    int order = strcmp(turn_a ? a->alt : a->ref, turn_b ? b->alt : b->ref);
    return order != 0 ? order : strcmp(turn_a ? a->ref : a->alt, turn_b ? b->ref : b->alt);
}

static int compare_for_alleles(const void *x, const void *y) {
    const gp_group_entry *a = *(gp_group_entry *const *)x, *b = *(gp_group_entry *const *)y;
    int order = compare_alleles(a, b);
    return order != 0 ? order : (a > b) - (a < b);
}

/* Those of the same two known alleles, in order. */
static void match_alleles(gp_group *old, gp_group *new) {
    int swapped = 0;
    qsort(old->order, (size_t)old->count, sizeof *old->order, compare_for_alleles);
    qsort(new->order, (size_t) new->count, sizeof *new->order, compare_for_alleles);
    for (int64_t i = 0, j = 0; i < old->count && j < new->count;) {
        gp_group_entry *a = old->order[i], *b = new->order[j];
        int order = compare_alleles(a, b);
        if (a->partner >= 0 || order < 0) {
            i++;
        } else if (b->partner >= 0 || order > 0) {
            j++;
        } else {
            if (score(a, b, &swapped) >= 2 * BOTH)
                join(old, new, a, b, swapped);
            i++;
            j++;
        }
    }
}

/* Those left, one of whose alleles is unknown. */
static void match_unknown(gp_group *old, gp_group *new) {
    int swapped = 0;
    for (int64_t i = 0; i < old->count; i++)
        for (int64_t j = 0; j < new->count && old->entry[i].partner < 0; j++)
            if (new->entry[j].partner < 0 &&
                score(&old->entry[i], &new->entry[j], &swapped) >= BOTH)
                join(old, new, &old->entry[i], &new->entry[j], swapped);
}

int gp_group_match(gp_group *old, gp_group *new, gp_err *err) {
    int swapped = 0;
    if (settle(old, err) != GP_OK || settle(new, err) != GP_OK)
        return err->code;
    if (old->count == 1 && new->count == 1) { /* mostly */
        int s = score(&old->entry[0], &new->entry[0], &swapped);
        if (s >= 0 && (same_id(&old->entry[0], &new->entry[0]) || (old->position > 0 && s >= BOTH)))
            join(old, new, &old->entry[0], &new->entry[0], swapped);
        return GP_OK;
    }
    if (old->count == 0 || new->count == 0)
        return GP_OK;
    match_ids(old, new);
    if (old->position > 0) {
        match_alleles(old, new);
        match_unknown(old, new);
    }
    return GP_OK;
}

void gp_group_free(gp_group *g) {
    free(g->entry);
    free(g->order);
    gp_text_free(&g->text);
    *g = (gp_group){0};
}
