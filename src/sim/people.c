#include "src/sim/people.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/sim/purpose.h"

#include <math.h>
#include <stdlib.h>

#define ADMIXED 0.1 /* share of unrelated samples that stem from two populations */

const char *const gp_people_batch[GP_PEOPLE_BATCHES] = {"north", "south", "east"};

static int allocate(gp_people *people, gp_err *err) {
    int64_t n = people->n;
    people->ancestry = gp_mem_alloc(n, people->populations * 8, err);
    people->sex = gp_mem_alloc(n, sizeof *people->sex, err);
    people->father = gp_mem_alloc(n, sizeof *people->father, err);
    people->mother = gp_mem_alloc(n, sizeof *people->mother, err);
    people->age = gp_mem_alloc(n, sizeof *people->age, err);
    people->batch = gp_mem_alloc(n, sizeof *people->batch, err);
    people->exposure = gp_mem_alloc(n, sizeof *people->exposure, err);
    return err->code;
}

void gp_people_free(gp_people *people) {
    free(people->ancestry);
    free(people->sex);
    free(people->father);
    free(people->mother);
    free(people->age);
    free(people->batch);
    free(people->exposure);
    *people = (gp_people){0};
}

static void draw_person(gp_people *people, int64_t i, uint64_t seed) {
    gp_rng rng = gp_rng_stream(seed, GP_SIM_PERSON, (uint32_t)i, 0, 0);
    double *share = people->ancestry + i * people->populations;
    people->sex[i] = (int8_t)(1 + gp_rng_below(&rng, 2));
    people->father[i] = people->mother[i] = -1;
    int64_t home = gp_rng_below(&rng, people->populations);
    share[home] = 1;
    if (people->populations > 1 && gp_rng_uniform(&rng) < ADMIXED) {
        int64_t other =
            (home + 1 + gp_rng_below(&rng, people->populations - 1)) % people->populations;
        share[other] = 0.2 + 0.6 * gp_rng_uniform(&rng);
        share[home] = 1 - share[other];
    }
}

/* The population that a sample mostly stems from. */
static int64_t home_of(const gp_people *people, int64_t i) {
    const double *share = people->ancestry + i * people->populations;
    int64_t home = 0;
    for (int64_t p = 1; p < people->populations; p++)
        if (share[p] > share[home])
            home = p;
    return home;
}

/* The first sample from `from` on of a sex and a population among the first `adults`, or adults. */
static int64_t next_single(const gp_people *people, int64_t from, int64_t adults, int sex,
                           int64_t home) {
    int64_t i = from;
    while (i < adults && (people->sex[i] != sex || home_of(people, i) != home))
        i++;
    return i;
}

/* Pairs men and women of a population in the order of the samples. Returns the number of couples.
 */
static int64_t pair_up(const gp_people *people, int64_t adults, int64_t (*couple)[2]) {
    int64_t couples = 0;
    for (int64_t p = 0; p < people->populations; p++) {
        int64_t man = next_single(people, 0, adults, 1, p);
        int64_t woman = next_single(people, 0, adults, 2, p);
        while (man < adults && woman < adults) {
            couple[couples][0] = man;
            couple[couples++][1] = woman;
            man = next_single(people, man + 1, adults, 1, p);
            woman = next_single(people, woman + 1, adults, 2, p);
        }
    }
    return couples;
}

static void bear(gp_people *people, int64_t child, const int64_t couple[2]) {
    double *share = people->ancestry + child * people->populations;
    const double *his = people->ancestry + couple[0] * people->populations;
    const double *hers = people->ancestry + couple[1] * people->populations;
    people->father[child] = couple[0];
    people->mother[child] = couple[1];
    for (int64_t p = 0; p < people->populations; p++)
        share[p] = (his[p] + hers[p]) / 2;
}

static void shuffle(int64_t (*couple)[2], int64_t couples, uint64_t seed) {
    gp_rng rng = gp_rng_stream(seed, GP_SIM_COUPLE, 0, 0, 0);
    for (int64_t k = couples - 1; k > 0; k--) {
        int64_t other = gp_rng_below(&rng, k + 1);
        for (int parent = 0; parent < 2; parent++) {
            int64_t swap = couple[k][parent];
            couple[k][parent] = couple[other][parent];
            couple[other][parent] = swap;
        }
    }
}

/* Couple after couple has one to three children; after the last couple the first goes on. */
static int make_families(gp_people *people, uint64_t seed, gp_err *err) {
    int64_t adults = people->n - people->children;
    int64_t(*couple)[2] = gp_mem_alloc(adults / 2, sizeof *couple, err);
    if (couple == NULL)
        return err->code;
    int64_t couples = pair_up(people, adults, couple);
    shuffle(couple, couples, seed);
    if (couples == 0)
        people->children = 0;
    int64_t child = people->n - people->children;
    for (int64_t f = 0; child < people->n; f++) {
        gp_rng rng = gp_rng_stream(seed, GP_SIM_FAMILY, (uint32_t)f, 0, 0);
        for (int64_t born = 1 + gp_rng_below(&rng, 3); born > 0 && child < people->n; born--)
            bear(people, child++, couple[f % couples]);
    }
    free(couple);
    return GP_OK;
}

static double rounded(double x, double unit) {
    return rint(x * unit) / unit;
}

/* Parents are 45 to 80 years old, and at least 18 older than their children. */
static void draw_covariates(gp_people *people, uint64_t seed) {
    int64_t adults = people->n - people->children;
    for (int64_t i = 0; i < adults; i++)
        people->age[i] = 18;
    for (int64_t i = adults; i < people->n; i++)
        people->age[people->father[i]] = people->age[people->mother[i]] = 45;
    for (int64_t i = 0; i < people->n; i++) {
        gp_rng rng = gp_rng_stream(seed, GP_SIM_COVARIATE, (uint32_t)i, 0, 0);
        double low = people->age[i], high = 80;
        if (i >= adults) {
            low = 18;
            high = fmin(people->age[people->father[i]], people->age[people->mother[i]]) - 18;
        }
        people->age[i] = rounded(low + (high - low) * gp_rng_uniform(&rng), 10);
        people->batch[i] = (int8_t)gp_rng_below(&rng, GP_PEOPLE_BATCHES);
        double lean = 25 + 0.05 * (people->age[i] - 50);
        people->exposure[i] = rounded(lean + 3.5 * gp_rng_normal(&rng), 100);
    }
}

int gp_people_init(gp_people *people, const gp_people_plan *plan, gp_err *err) {
    *people = (gp_people){.n = plan->n, .populations = plan->populations};
    people->children = (int64_t)rint(plan->relatives * (double)plan->n);
    if (allocate(people, err) == GP_OK) {
        for (int64_t i = 0; i < people->n; i++)
            draw_person(people, i, plan->seed);
        if (make_families(people, plan->seed, err) == GP_OK)
            draw_covariates(people, plan->seed);
    }
    if (err->code != GP_OK)
        gp_people_free(people);
    return err->code;
}
