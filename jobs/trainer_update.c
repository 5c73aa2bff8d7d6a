/* From sums of gradients to parameters. */
#include "jobs/trainer_inside.h"
#include "src/base/split.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Leaves the gradients of what is held out of the norm. */
static void drop_held(gp_trainer *t) {
    const gp_nn_table *table = &t->plan->model->table;
    for (int64_t k = 0, b = 0; k < table->count; k++) {
        int64_t at = table->tensor[k].first;
        int64_t end = k + 1 < table->count ? table->tensor[k + 1].first : table->parameters;
        while (t->held[k] && at < end) {
            while (t->sum.first[b + 1] <= at)
                b++;
            int64_t here = gp_least(end, t->sum.first[b + 1]) - at;
            memset(t->sum.value + at + b, 0, (size_t)here * sizeof *t->sum.value);
            at += here;
        }
    }
}

/* Exponents for the next step are of all gradients as they came; they count from then on. */
static void settle(gp_trainer *t) {
    gp_nn_sum *sum = &t->sum;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t b = 0; b < sum->buckets; b++) {
        int exponent = sum->exponent[b];
        t->next_exponent[b] = 0;
        if (!gp_par_bucket_mine(t->buckets, b))
            continue;
        gp_nn_sum_settle(sum, b);
        t->next_exponent[b] = sum->exponent[b];
        sum->exponent[b] = exponent;
    }
}

/* Squares of all buckets, in their order. With owners, each gives its buckets' and their next
 * exponents, in places of their own. */
static int add_squares(gp_trainer *t, double *squares, gp_err *err) {
    gp_nn_sum *sum = &t->sum;
    int64_t buckets = sum->buckets;
    memset(t->shared, 0, (size_t)(2 * buckets) * sizeof *t->shared);
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t b = 0; b < buckets; b++)
        if (gp_par_bucket_mine(t->buckets, b)) {
            double of_bucket = gp_nn_sum_squares(sum, b);
            memcpy(&t->shared[b], &of_bucket, sizeof of_bucket);
            t->shared[buckets + b] = t->next_exponent[b];
        }
    if (t->zero && gp_par_sum(t->par, t->shared, 2 * buckets, err) != GP_OK)
        return err->code;
    for (int64_t b = 0; b < buckets; b++) {
        double of_bucket;
        memcpy(&of_bucket, &t->shared[b], sizeof of_bucket);
        *squares += of_bucket;
        t->next_exponent[b] = (int)t->shared[buckets + b];
    }
    return GP_OK;
}

/* The adapters' gradients, of a sample; returns their squares. */
static double adapt_gradients(gp_trainer *t, double factor) {
    gp_trainer_adapters *a = &t->adapters;
    double squares = 0;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t b = 0; b < t->sum.buckets; b++)
        gp_nn_sum_get(&t->sum, b, factor, a->whole + t->sum.first[b]);
    gp_nn_lora_gradient(&a->lora, &t->plan->model->table, a->whole, a->gradient);
    for (int64_t k = 0; k < a->lora.table.parameters; k++)
        squares += (double)a->gradient[k] * (double)a->gradient[k];
    return squares;
}

static void update_network(gp_trainer *t, const gp_nn_adamw *adamw, double factor) {
    gp_nn_model *model = t->plan->model;
    const gp_nn_sum *sum = &t->sum;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t b = 0; b < sum->buckets; b++) {
        gp_real *gradient = t->lane[omp_get_thread_num()].gradient;
        int64_t first = sum->first[b], count = sum->first[b + 1] - first;
        if (!gp_par_bucket_mine(t->buckets, b))
            continue;
        gp_nn_sum_get(sum, b, factor, gradient);
        gp_nn_adamw_step(adamw, &model->table, first, count, gradient, t->m + t->own[b],
                         t->v + t->own[b], model->parameter + first);
    }
    if (t->zero)
        gp_par_buckets_share(t->buckets, model->parameter, sum->first);
}

static void update_adapters(gp_trainer *t, gp_nn_adamw adamw, double scale) {
    gp_trainer_adapters *a = &t->adapters;
    gp_nn_model *model = t->plan->model;
    adamw.frozen = NULL;
    for (int64_t k = 0; k < a->lora.table.parameters; k++)
        a->gradient[k] = (gp_real)((double)a->gradient[k] * scale);
    gp_nn_adamw_step(&adamw, &a->lora.table, 0, a->lora.table.parameters, a->gradient, a->m, a->v,
                     a->lora.parameter);
    gp_nn_lora_apply(&a->lora, &model->table, model->parameter);
}

int gp_trainer_update(gp_trainer *t, gp_err *err) {
    const gp_trainer_settings *s = t->plan->settings;
    double factor = 1 / (double)gp_most(1, gp_epoch_samples(&t->epoch, t->count.at));
    double squares = 0, adapters = 0, scale = 1;
    settle(t);
    if (t->adapts)
        adapters = adapt_gradients(t, factor);
    drop_held(t);
    if (add_squares(t, &squares, err) != GP_OK)
        return err->code;
    double norm = sqrt(squares * factor * factor + adapters);
    if (s->clip > 0 && norm > s->clip)
        scale = s->clip / norm;
    gp_nn_adamw adamw = {.rate = gp_trainer_rate(t, t->count.steps + 1),
                         .beta1 = 0.9,
                         .beta2 = 0.999,
                         .epsilon = 1e-8,
                         .decay = s->decay,
                         .l1 = s->l1,
                         .step = t->count.steps + 1,
                         .frozen = t->held};
    update_network(t, &adamw, factor * scale);
    if (t->adapts)
        update_adapters(t, adamw, scale);
    memcpy(t->sum.exponent, t->next_exponent, (size_t)t->sum.buckets * sizeof *t->sum.exponent);
    t->number.norm = norm;
    return GP_OK;
}
