#include "jobs/components.h"
#include "jobs/components_product.h"
#include "jobs/kinship.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/pca/subspace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of |A v - value v|, in values: an angle of 1e-4 where the next value is 1% away, which is a
 * correlation of 1 - 5e-9 with the true vector. */
#define TOLERANCE 1e-6

enum { MOST_PRODUCTS = 300 };

void gp_components_free(gp_components *c) {
    free(c->sample);
    free(c->value);
    free(c->vector);
    *c = (gp_components){0};
}

static int init(gp_components *c, const gp_cohort *cohort, int64_t count, gp_err *err) {
    c->n = gp_cohort_kept(cohort);
    c->count = count;
    c->sample = gp_mem_alloc(c->n, sizeof *c->sample, err);
    c->value = gp_mem_alloc(count, sizeof *c->value, err);
    c->vector = gp_mem_alloc(c->n, count * (int64_t)sizeof *c->vector, err);
    for (int64_t i = 0, at = 0; err->code == GP_OK && i < cohort->samples.n; i++)
        if (cohort->kept[i])
            c->sample[at++] = i;
    return err->code;
}

/* An eigenvector's sign means nothing: the entry of largest size (the first of equal ones) shall
 * be positive. */
static void settle_signs(gp_components *c) {
    for (int64_t k = 0; k < c->count; k++) {
        double *v = c->vector + k * c->n, most = 0.0;
        for (int64_t i = 0; i < c->n; i++)
            most = fabs(v[i]) > fabs(most) ? v[i] : most;
        for (int64_t i = 0; most < 0.0 && i < c->n; i++)
            v[i] = -v[i];
    }
}

/* Values that are rounding have no direction of their own. */
static int check_values(const gp_components *c, gp_err *err) {
    int64_t found = 0;
    while (found < c->count && c->value[found] > 1e-9 * c->value[0])
        found++;
    if (found == 0)
        return gp_err_set(err, GP_EINPUT,
                          "principal components: the relationships are all 0; there is no "
                          "variance to find directions of");
    if (found < c->count)
        return gp_err_set(err, GP_EINPUT,
                          "command line: %lld components are asked for, and only %lld directions "
                          "have any variance in these samples and variants; ask for fewer",
                          (long long)c->count, (long long)found);
    return GP_OK;
}

static int too_many(int64_t wanted, const char *what, int64_t there, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "command line: %lld components are asked for, and there are only %lld %s; "
                      "ask for fewer",
                      (long long)wanted, (long long)there, what);
}

/* ---- matrix-free ---- */

static int add(void *product, int64_t *x, int64_t count, gp_err *err) {
    gp_components_product *p = product;
    return gp_par_sum(p->job->par, x, count, err);
}

static int agree(void *product, gp_err *err) {
    gp_components_product *p = product;
    return gp_par_agree(p->job->par, err);
}

/* Every rank's rows, to all ranks: a sum of integers carries the doubles over. Collective. */
static int share(const gp_components_product *p, const gp_subspace *s, gp_components *c,
                 gp_err *err) {
    memcpy(c->value, s->value, (size_t)c->count * sizeof *c->value);
    for (int64_t k = 0; k < c->count && err->code == GP_OK; k++) {
        double *all = c->vector + k * c->n;
        memset(p->y, 0, (size_t)c->n * sizeof *p->y);
        memcpy(p->y + p->first, s->vector + k * p->rows, (size_t)p->rows * sizeof *p->y);
        if (gp_par_sum(p->job->par, p->y, c->n, err) == GP_OK)
            memcpy(all, p->y, (size_t)c->n * sizeof *all);
    }
    return err->code;
}

static void report(const gp_job *job, const gp_subspace *s) {
    double worst = 0.0;
    for (int64_t k = 0; k < s->wanted; k++)
        worst = fmax(worst, s->residual[k] / s->value[k]);
    gp_say(job->sink, GP_NOTE, "%lld passes over the genotypes; residuals are at most %.1e",
           (long long)s->products, worst);
    if (!s->converged)
        gp_say(job->sink, GP_WARN,
               "the components have not settled to %.0e: some of their values are closer to each "
               "other than these passes can tell; without --approx they are found from the matrix",
               TOLERANCE);
}

static int make_free(gp_job *job, const gp_components_plan *plan, gp_components *c, gp_err *err) {
    gp_components_product p = {0};
    gp_subspace s = {.n = c->n,
                     .wanted = c->count,
                     .tolerance = TOLERANCE,
                     .most_products = MOST_PRODUCTS + c->count,
                     .seed = plan->seed,
                     .context = &p,
                     .multiply = gp_components_multiply,
                     .add = add,
                     .agree = agree};
    if (gp_components_product_init(&p, job, plan, gp_subspace_block(c->n, c->count), err) != GP_OK)
        goto done;
    if (p.variants.total < c->count) {
        too_many(c->count, "variants", p.variants.total, err);
        goto done;
    }
    gp_say(job->sink, GP_NOTE, "principal components of %lld samples, %lld variants, matrix-free",
           (long long)c->n, (long long)p.variants.total);
    s.first = p.first;
    s.rows = p.rows;
    if (gp_subspace_solve(&s, err) == GP_OK && share(&p, &s, c, err) == GP_OK &&
        check_values(c, err) == GP_OK)
        report(job, &s);
done:
    gp_subspace_free(&s);
    gp_components_product_free(&p);
    return err->code;
}

/* ---- from the matrix ---- */

/* The vectors of the largest values: products with unit columns. Collective. */
static int take_largest(const gp_dense *vector, const double *value, gp_components *c,
                        gp_err *err) {
    int64_t n = c->n, count = c->count;
    double *unit = gp_mem_alloc(n, count * (int64_t)sizeof *unit, err);
    double *by_sample = gp_mem_alloc(n, count * (int64_t)sizeof *by_sample, err);
    if (gp_par_agree(vector->par, err) == GP_OK) {
        for (int64_t k = 0; k < count; k++) {
            unit[(n - 1 - k) * count + k] = 1.0;
            c->value[k] = value[n - 1 - k];
        }
        gp_dense_times(vector, unit, count, by_sample, err);
        for (int64_t k = 0; k < count && err->code == GP_OK; k++)
            for (int64_t i = 0; i < n; i++)
                c->vector[k * n + i] = by_sample[i * count + k];
    }
    free(unit);
    free(by_sample);
    return gp_par_agree(vector->par, err);
}

static int solve(gp_job *job, const gp_kinship *kinship, gp_components *c, gp_err *err) {
    gp_par_grid *grid = NULL;
    gp_dense a = {0}, vector = {0};
    double *value = gp_mem_alloc(c->n, sizeof *value, err);
    if (gp_par_agree(job->par, err) == GP_OK && gp_par_grid_open(job->par, &grid, err) == GP_OK &&
        gp_dense_init(&a, job->par, grid, c->n, err) == GP_OK &&
        gp_kinship_load(job, kinship, c->sample, GP_GRM_WHOLE, &a, err) == GP_OK &&
        gp_dense_init(&vector, job->par, grid, c->n, err) == GP_OK) {
        gp_say(job->sink, GP_NOTE, "principal components of %lld samples by %s", (long long)c->n,
               gp_dense_solver());
        if (gp_dense_eigen(&a, value, &vector, err) == GP_OK &&
            take_largest(&vector, value, c, err) == GP_OK)
            check_values(c, err);
    }
    gp_dense_free(&a);
    gp_dense_free(&vector);
    gp_par_grid_close(grid);
    free(value);
    return gp_par_agree(job->par, err);
}

static int make_dense(gp_job *job, const gp_components_plan *plan, gp_components *c, gp_err *err) {
    gp_kinship kinship = {0};
    gp_text path = {0};
    gp_text_print(&path, err, "%s%s", plan->grm != NULL ? plan->grm : plan->directory,
                  plan->grm != NULL ? "" : "/.pca.grm.h5");
    const gp_kinship_plan make = {.path = path.bytes,
                                  .store = plan->store,
                                  .cohort = plan->cohort,
                                  .selection = plan->selection};
    int made = 0;
    if (gp_par_agree(job->par, err) == GP_OK &&
        (plan->grm != NULL || (made = gp_kinship_make(job, &make, err) == GP_OK)) &&
        gp_kinship_open(job, path.bytes, plan->cohort, &kinship, err) == GP_OK) {
        int64_t variants = gp_grm_about_of(kinship.grm)->variants;
        gp_components_free(c);
        init(c, plan->cohort, plan->components, err);
        if (c->n < plan->components)
            too_many(plan->components, "samples", c->n, err);
        else if (plan->grm == NULL && variants < plan->components)
            too_many(plan->components, "variants", variants, err);
        if (gp_par_agree(job->par, err) == GP_OK)
            solve(job, &kinship, c, err);
    }
    gp_kinship_close(&kinship);
    if (made && gp_par_rank(job->par) == 0)
        unlink(path.bytes);
    gp_text_free(&path);
    return gp_par_agree(job->par, err);
}

/* ---- together ---- */

int gp_components_make(gp_job *job, const gp_components_plan *plan, gp_components *c, gp_err *err) {
    int64_t kept = gp_cohort_kept(plan->cohort);
    if (kept < plan->components)
        too_many(plan->components, "samples", kept, err);
    else
        init(c, plan->cohort, plan->components, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    if (plan->approx)
        make_free(job, plan, c, err);
    else
        make_dense(job, plan, c, err);
    if (err->code == GP_OK)
        settle_signs(c);
    return err->code;
}

static int64_t free_bytes(const gp_job *job, const gp_components_plan *plan, int64_t m) {
    int64_t n = plan->cohort->samples.n, kept = gp_cohort_kept(plan->cohort);
    int64_t rows = gp_split_begin(kept, GP_SUBSPACE_ROWS, gp_par_size(job->par), 1);
    int64_t columns = gp_subspace_block(kept, plan->components);
    return gp_components_product_bytes(n, m, columns) +
           gp_subspace_bytes(kept, rows, plan->components);
}

int gp_components_bytes(gp_job *job, const gp_components_plan *plan, int64_t m, int64_t *bytes,
                        gp_err *err) {
    int64_t kept = gp_cohort_kept(plan->cohort), result = 8 * kept * (plan->components + 1);
    gp_par_grid *grid = NULL;
    if (plan->approx) {
        *bytes = result + free_bytes(job, plan, m);
        return gp_par_agree(job->par, err);
    }
    if (gp_par_grid_open(job->par, &grid, err) != GP_OK)
        return err->code;
    int rows = gp_par_grid_rows(grid), columns = gp_par_grid_columns(grid);
    int64_t making = plan->grm == NULL ? gp_kinship_make_bytes(kept, rows, columns, 0) : 0;
    int64_t solving = 2 * gp_dense_bytes(kept, rows, columns) +
                      gp_dense_eigen_bytes(kept, rows, columns) + 2 * result;
    *bytes = result + (making > solving ? making : solving);
    gp_par_grid_close(grid);
    return gp_par_agree(job->par, err);
}
