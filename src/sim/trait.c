#include "src/sim/trait.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/geno/code.h"
#include "src/sim/purpose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COVARIATES 0.2 /* of what the genetic parts leave */
#define ANCESTRY 0.05

/* Components with random effects; also the second index of their streams. */
enum { ADDITIVE, DOMINANCE, EPISTASIS, COVARIATE, STRATIFICATION };

typedef struct maker {
    const gp_trait_plan *plan;
    const gp_people *people;
    gp_cause *cause;     /* [causal] of this trait */
    const uint8_t *rows; /* [causal x stride] */
    int64_t n, causal, trait;
    double *sum, *part, *x, *y; /* [n] the trait so far, one component, and scratch */
} maker;

int gp_trait_check(const gp_trait_plan *plan, int64_t causal, gp_err *err) {
    double genetic = plan->additive + plan->dominance + plan->epistasis;
    if (genetic > 1 + 1e-9)
        return gp_err_set(err, GP_EINPUT,
                          "simulate: heritability, dominance and epistasis add up to %g; together "
                          "they are shares of one variance, so at most 1",
                          genetic);
    if (plan->epistasis > 0 && causal < 2)
        return gp_err_set(err, GP_EINPUT,
                          "simulate: epistasis needs at least 2 causal variants; choose more, or "
                          "an epistasis of 0");
    if (plan->binary > plan->traits)
        return gp_err_set(err, GP_EINPUT, "simulate: %lld binary traits of %lld; choose fewer",
                          (long long)plan->binary, (long long)plan->traits);
    return GP_OK;
}

/* ---- columns of n numbers ---- */

/* Takes the mean off; returns the variance. */
static double centre(double *x, int64_t n) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        x[i] -= mean;
        squares += x[i] * x[i];
    }
    return squares / (double)n;
}

static double covariance(const double *x, const double *y, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum / (double)n;
}

static void add(double *to, const double *x, double times, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        to[i] += times * x[i];
}

/* Copies of ALT, centred. Returns their variance. */
static double copies(const maker *m, int64_t k, double *x) {
    const uint8_t *row = m->rows + k * gp_geno_stride(m->n);
    for (int64_t i = 0; i < m->n; i++)
        x[i] = gp_geno_get(row, i);
    return centre(x, m->n);
}

/* ---- components ---- */

/* Adds a centred column with a random effect of the size that makes its own variance 1 on average;
 * one that does not vary gets none. Returns the effect. */
static double weigh(maker *m, const double *x, double variance, gp_rng *rng) {
    double z = gp_rng_normal(rng);
    if (!(variance > 1e-12))
        return 0;
    double effect = z / sqrt(variance);
    add(m->part, x, effect, m->n);
    return effect;
}

/* Adds the component to the trait, scaled to its share. Returns by how much effects were scaled. */
static double settle(maker *m, double share) {
    double variance = covariance(m->part, m->part, m->n);
    double scale = variance > 0 ? sqrt(share / variance) : 0;
    add(m->sum, m->part, scale, m->n);
    memset(m->part, 0, (size_t)m->n * sizeof *m->part);
    return scale;
}

static gp_rng effects(const maker *m, int component) {
    return gp_rng_stream(m->plan->seed, GP_SIM_EFFECT, (uint32_t)m->trait, (uint32_t)component, 0);
}

static void add_additive(maker *m) {
    gp_rng rng = effects(m, ADDITIVE);
    for (int64_t k = 0; k < m->causal; k++) {
        double variance = copies(m, k, m->x);
        m->cause[k].additive = weigh(m, m->x, variance, &rng);
        m->cause[k].additive_share = variance;
    }
    double scale = settle(m, m->plan->additive);
    for (int64_t k = 0; k < m->causal; k++) {
        gp_cause *c = m->cause + k;
        c->additive *= scale;
        c->additive_share *= c->additive * c->additive;
    }
}

/* "Is heterozygous", less its regression on copies (left in m->x). Returns the variance. */
static double heterozygotes(maker *m, int64_t k, double *het) {
    const uint8_t *row = m->rows + k * gp_geno_stride(m->n);
    double variance = copies(m, k, m->x);
    for (int64_t i = 0; i < m->n; i++)
        het[i] = gp_geno_get(row, i) == 1;
    centre(het, m->n);
    if (variance > 0)
        add(het, m->x, -covariance(het, m->x, m->n) / variance, m->n);
    return covariance(het, het, m->n);
}

static void add_dominance(maker *m) {
    gp_rng rng = effects(m, DOMINANCE);
    for (int64_t k = 0; k < m->causal; k++) {
        double variance = heterozygotes(m, k, m->y);
        m->cause[k].dominance = weigh(m, m->y, variance, &rng);
        m->cause[k].dominance_share = variance;
    }
    double scale = settle(m, m->plan->dominance);
    for (int64_t k = 0; k < m->causal; k++) {
        gp_cause *c = m->cause + k;
        c->dominance *= scale;
        c->dominance_share *= c->dominance * c->dominance;
    }
}

static void add_epistasis(maker *m) {
    gp_rng rng = effects(m, EPISTASIS);
    int64_t pairs = m->causal / 2;
    for (int64_t k = 0; k < pairs; k++) {
        copies(m, k, m->x);
        copies(m, m->cause[k].partner, m->y);
        for (int64_t i = 0; i < m->n; i++)
            m->x[i] *= m->y[i];
        double variance = centre(m->x, m->n);
        m->cause[k].epistasis = weigh(m, m->x, variance, &rng);
        m->cause[k].epistasis_share = variance;
    }
    double scale = settle(m, m->plan->epistasis);
    for (int64_t k = 0; k < pairs; k++) {
        gp_cause *c = m->cause + k;
        c->epistasis *= scale;
        c->epistasis_share *= c->epistasis * c->epistasis;
    }
}

static void add_covariates(maker *m, double share) {
    const gp_people *p = m->people;
    gp_rng rng = effects(m, COVARIATE);
    for (int column = 0; column < 2 + GP_PEOPLE_BATCHES + 1; column++) {
        for (int64_t i = 0; i < m->n; i++)
            m->x[i] = column == 0   ? p->age[i]
                      : column == 1 ? p->sex[i]
                      : column == 2 ? p->exposure[i]
                                    : p->batch[i] == column - 3;
        weigh(m, m->x, centre(m->x, m->n), &rng);
    }
    settle(m, share);
}

static void add_ancestry(maker *m, double share) {
    gp_rng rng = effects(m, STRATIFICATION);
    for (int64_t k = 0; k < m->people->populations; k++) {
        for (int64_t i = 0; i < m->n; i++)
            m->x[i] = m->people->ancestry[i * m->people->populations + k];
        weigh(m, m->x, centre(m->x, m->n), &rng);
    }
    settle(m, share);
}

/* Noise of the size that makes the whole's variance 1: s with var(sum + s noise) = 1. */
static void add_noise(maker *m) {
    for (int64_t i = 0; i < m->n; i++) {
        gp_rng rng = gp_rng_stream(m->plan->seed, GP_SIM_NOISE, (uint32_t)m->trait, (uint32_t)i, 0);
        m->x[i] = gp_rng_normal(&rng);
    }
    double own = centre(m->x, m->n), shared = covariance(m->sum, m->x, m->n);
    double left = 1 - covariance(m->sum, m->sum, m->n);
    if (own > 0 && left > 0)
        add(m->sum, m->x, (sqrt(shared * shared + own * left) - shared) / own, m->n);
}

/* ---- values ---- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The samples of highest liability are cases; at least one is, and one is not. */
static void make_binary(maker *m) {
    memcpy(m->x, m->sum, (size_t)m->n * sizeof *m->x);
    qsort(m->x, (size_t)m->n, sizeof *m->x, ascending);
    int64_t cases = (int64_t)rint(m->plan->prevalence * (double)m->n);
    cases = cases >= m->n ? m->n - 1 : cases;
    double threshold = m->x[m->n - (cases < 1 ? 1 : cases)];
    for (int64_t i = 0; i < m->n; i++)
        m->sum[i] = m->sum[i] >= threshold;
}

static void lose_values(const maker *m) {
    for (int64_t i = 0; i < m->n; i++) {
        gp_rng rng =
            gp_rng_stream(m->plan->seed, GP_SIM_NO_VALUE, (uint32_t)m->trait, (uint32_t)i, 0);
        if (gp_rng_uniform(&rng) < m->plan->missing)
            m->sum[i] = NAN;
    }
}

int gp_trait_make(const gp_trait_plan *plan, int64_t t, gp_causes *causes, const gp_people *people,
                  double *value, gp_err *err) {
    int64_t n = people->n, first = t * causes->each;
    maker m = {.plan = plan,
               .people = people,
               .cause = causes->cause + first,
               .rows = causes->rows + first * gp_geno_stride(n),
               .n = n,
               .causal = causes->each,
               .trait = t,
               .sum = value};
    double *scratch = gp_mem_alloc(3 * n, sizeof *scratch, err);
    if (scratch == NULL)
        return err->code;
    m.part = scratch;
    m.x = scratch + n;
    m.y = scratch + 2 * n;
    memset(value, 0, (size_t)n * sizeof *value);
    double left = 1 - plan->additive - plan->dominance - plan->epistasis;
    left = left > 0 ? left : 0;
    add_additive(&m);
    add_dominance(&m);
    add_epistasis(&m);
    add_covariates(&m, COVARIATES * left);
    add_ancestry(&m, ANCESTRY * left);
    add_noise(&m);
    if (t >= plan->traits - plan->binary)
        make_binary(&m);
    lose_values(&m);
    free(scratch);
    return GP_OK;
}
