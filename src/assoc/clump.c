#include "src/assoc/clump.h"
#include "src/base/mem.h"

#include <stdlib.h>

/* Whether a candidate leads does not depend on all that are stronger, only on those within reach:
 * it leads as soon as none of them is open, that is may still come to lead. And a candidate belongs
 * to the strongest leader that it is correlated with. So leaders can be found from the left to the
 * right, each after the stronger ones near it, and the genotypes needed next are near the last. */
typedef struct work {
    const gp_clump_plan *plan;
    int64_t *leader;
    int64_t *stack; /* [count] open candidates, each but the first within reach of a weaker one */
    int64_t *with;  /* [block] */
    double *r2;     /* [block] */
} work;

static int stronger(const gp_clump_plan *plan, int64_t a, int64_t b) {
    if (plan->strength[a] != plan->strength[b])
        return plan->strength[a] > plan->strength[b];
    return a < b;
}

/* The first candidate within reach of i. */
static int64_t window_begin(const gp_clump_plan *plan, int64_t i) {
    int64_t low = 0, high = i;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (plan->position[i] - plan->position[middle] > plan->reach)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int in_reach(const gp_clump_plan *plan, int64_t i, int64_t j) {
    return j < plan->count && plan->position[j] - plan->position[i] <= plan->reach;
}

static int is_open(const work *w, int64_t i) {
    return w->plan->leads[i] && w->leader[i] < 0;
}

/* The strongest open candidate within reach of i, which is open itself. */
static int64_t strongest_near(const work *w, int64_t i) {
    int64_t best = i;
    for (int64_t j = window_begin(w->plan, i); in_reach(w->plan, i, j); j++)
        if (is_open(w, j) && stronger(w->plan, j, best))
            best = j;
    return best;
}

static int take(work *w, int64_t i, int64_t count, gp_err *err) {
    if (count == 0)
        return GP_OK;
    if (w->plan->correlate(w->plan->context, i, w->with, count, w->r2, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < count; k++)
        if (w->r2[k] >= w->plan->r2)
            w->leader[w->with[k]] = i;
    return GP_OK;
}

/* Candidate i leads. It takes what nobody has, and what a weaker one took that was found before. */
static int lead(work *w, int64_t i, gp_err *err) {
    const gp_clump_plan *plan = w->plan;
    int64_t count = 0;
    w->leader[i] = i;
    for (int64_t j = window_begin(plan, i); in_reach(plan, i, j); j++) {
        int64_t by = w->leader[j];
        if (by == j || (by >= 0 && stronger(plan, by, i)))
            continue;
        w->with[count++] = j;
        if (count == plan->block) {
            if (take(w, i, count, err) != GP_OK)
                return err->code;
            count = 0;
        }
    }
    return take(w, i, count, err);
}

/* Settles candidate i, after those that could take it. */
static int settle(work *w, int64_t i, gp_err *err) {
    int64_t depth = 0;
    if (is_open(w, i))
        w->stack[depth++] = i;
    while (depth > 0) {
        int64_t top = w->stack[depth - 1];
        int64_t best = is_open(w, top) ? strongest_near(w, top) : -1;
        if (best >= 0 && best != top) {
            w->stack[depth++] = best;
            continue;
        }
        if (best == top && lead(w, top, err) != GP_OK)
            return err->code;
        depth--;
    }
    return GP_OK;
}

int gp_clump(const gp_clump_plan *plan, int64_t *leader, gp_err *err) {
    work w = {.plan = plan, .leader = leader};
    w.stack = gp_mem_alloc(plan->count, sizeof *w.stack, err);
    w.with = gp_mem_alloc(plan->block, sizeof *w.with, err);
    w.r2 = gp_mem_alloc(plan->block, sizeof *w.r2, err);
    for (int64_t i = 0; i < plan->count; i++)
        leader[i] = -1;
    for (int64_t i = 0; i < plan->count && err->code == GP_OK; i++)
        settle(&w, i, err);
    free(w.stack);
    free(w.with);
    free(w.r2);
    return err->code;
}
