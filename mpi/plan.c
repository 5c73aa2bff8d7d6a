#include "mpi/plan.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>

/* A cut moves to a chromosome's end within this part of a share. Two cuts of one share can both
 * move away from it, two of another towards it: a 32nd keeps any two within (1 + 1/16) / (1 -
 * 1/16). */
enum { SNAP = 32 };

static int copy_counts(gp_plan *plan, const int64_t *count, gp_err *err) {
    for (int64_t c = 0; c < plan->chromosomes; c++) {
        plan->count[c] = count[c];
        if (count[c] < 0 || __builtin_add_overflow(plan->first[c], count[c], &plan->first[c + 1]) ||
            plan->first[c + 1] > INT64_MAX - plan->block)
            return gp_err_set(err, GP_EFAIL,
                              "plan: chromosome number %lld cannot have %lld variants",
                              (long long)c + 1, (long long)count[c]);
    }
    return GP_OK;
}

/* Where a cut near ideal goes, which lies within [low, high], a chromosome's work. */
static int64_t cut_within(int64_t low, int64_t high, int64_t block, int64_t near, int64_t ideal) {
    if (ideal - low <= near && ideal - low <= high - ideal)
        return low;
    if (high - ideal <= near)
        return high;
    int64_t below = low + (ideal - low) / block * block;
    int64_t above = below + block < high ? below + block : high;
    return ideal - below <= above - ideal ? below : above;
}

static void place_cuts(gp_plan *plan) {
    int64_t total = plan->first[plan->chromosomes];
    int64_t near = total / plan->parts / SNAP;
    int64_t c = 0;
    for (int64_t k = 0; total > 0 && k <= plan->parts; k++) {
        int64_t ideal = gp_split_begin(total, 1, plan->parts, k);
        while (plan->first[c + 1] < ideal)
            c++;
        plan->begin[k] = cut_within(plan->first[c], plan->first[c + 1], plan->block, near, ideal);
    }
}

int gp_plan_init(gp_plan *plan, const int64_t *count, int64_t chromosomes, int64_t block,
                 int64_t parts, gp_err *err) {
    if (chromosomes < 0 || block < 1 || parts < 1)
        return gp_err_set(err, GP_EFAIL,
                          "plan: %lld chromosomes in blocks of %lld cannot be cut into %lld parts",
                          (long long)chromosomes, (long long)block, (long long)parts);
    *plan = (gp_plan){.chromosomes = chromosomes, .block = block, .parts = parts};
    if ((plan->count = gp_mem_alloc(chromosomes, sizeof *plan->count, err)) == NULL ||
        (plan->first = gp_mem_alloc(chromosomes + 1, sizeof *plan->first, err)) == NULL ||
        (plan->begin = gp_mem_alloc(parts + 1, sizeof *plan->begin, err)) == NULL ||
        copy_counts(plan, count, err) != GP_OK) {
        gp_plan_free(plan);
        return err->code;
    }
    place_cuts(plan);
    return GP_OK;
}

/* The chromosome that holds work index at; chromosomes left out hold none. */
static int64_t chromosome_of(const gp_plan *plan, int64_t at) {
    int64_t low = 0, high = plan->chromosomes;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (plan->first[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int gp_plan_next(const gp_plan *plan, int64_t k, int64_t unit, int64_t *at, gp_run *run) {
    if (*at >= plan->begin[k + 1])
        return 0;
    int64_t c = chromosome_of(plan, *at);
    int64_t end = plan->begin[k + 1] < plan->first[c + 1] ? plan->begin[k + 1] : plan->first[c + 1];
    int64_t offset = *at - plan->first[c];
    int64_t to_unit = unit - offset % unit;
    int64_t count = end - *at < to_unit ? end - *at : to_unit;
    *run = (gp_run){.chromosome = c, .first = offset, .count = count};
    *at += count;
    return 1;
}

void gp_plan_free(gp_plan *plan) {
    free(plan->count);
    free(plan->first);
    free(plan->begin);
    *plan = (gp_plan){0};
}
