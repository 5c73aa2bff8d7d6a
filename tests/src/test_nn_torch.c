/* Networks against PyTorch: loss, outputs, all gradients and ten steps of training, as
 * tests/oracle/torch_network.py made them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/base/split.h"
#include "src/nn/adamw.h"
#include "src/nn/gradient.h"
#include "tests/src/torch_network.h"

/* Of float32, over sums of some hundred terms; relative to the largest number of a tensor. */
static const double NEAR = 1e-4;

enum { STEPS = 10, SHARD = 2 /* samples */ };
static double worst; /* of what was compared, in units of a tensor's largest number */

/* Goes to the line "word name" of the network, behind it. */
static void find(fixture *f, const char *word, const char *name) {
    char want[80], line[4096];
    snprintf(want, sizeof want, "%s%s%s", word, *name ? " " : "", name);
    size_t n = strlen(want);
    while (fgets(line, sizeof line, f->file) != NULL)
        if (strncmp(line, want, n) == 0 && (line[n] == ' ' || line[n] == '\n')) {
            /* Numbers may stand on the same line. */
            assert_int_equal(fseek(f->file, -(long)(strlen(line) - n), SEEK_CUR), 0);
            return;
        }
    fail_msg("the oracle has no line '%s'", want);
}

static double next(fixture *f) {
    double x = NAN;
    assert_int_equal(fscanf(f->file, "%lf", &x), 1);
    return x;
}

static void is_near(double got, double want, double size, const char *what) {
    worst = fmax(worst, size > 0 ? fabs(got - want) / size : 0);
    if (!(fabs(got - want) <= NEAR * size))
        fail_msg("%s: %.9g, PyTorch has %.9g", what, got, want);
}

/* The next numbers of the oracle. */
static void are_near(fixture *f, const gp_real *got, int64_t count, const char *what) {
    gp_err err = {0};
    double *want = gp_mem_alloc(count, sizeof *want, &err), size = 0;
    for (int64_t k = 0; k < count; k++) {
        want[k] = next(f);
        size = fmax(size, fabs(want[k]));
    }
    for (int64_t k = 0; k < count; k++)
        is_near((double)got[k], want[k], size, what);
    free(want);
}

static void loss_outputs_and_gradients_are_those_of_pytorch(void **state) {
    (void)state;
    worst = 0;
    for (size_t w = 0; w < sizeof NETWORKS / sizeof *NETWORKS; w++) {
        fixture f;
        gp_err err = {0};
        init(&f, &NETWORKS[w]);
        find(&f, "network", NETWORKS[w].name);
        int64_t outputs = f.batch.samples * f.model.shape.traits;
        gp_real *output = gp_mem_alloc(outputs, sizeof *output, &err);
        double loss = gp_nn_forward(&f.model, f.work, &f.batch, output);
        find(&f, "loss", "");
        double want = next(&f);
        is_near(loss, want, fabs(want), "loss");
        find(&f, "output", "");
        are_near(&f, output, outputs, "output");
        const gp_real *gradient = gp_nn_backward(&f.model, f.work, &f.batch, NULL, NULL);
        for (int64_t k = 0; k < f.model.table.count; k++) {
            const gp_nn_tensor *t = &f.model.table.tensor[k];
            find(&f, "gradient", t->name);
            assert_true(next(&f) == (double)t->rows && next(&f) == (double)t->columns);
            are_near(&f, gradient + t->first, t->rows * t->columns, t->name);
        }
        free(output);
        end(&f);
    }
    print_message("off by %.2g at most\n", worst);
}

/* Some samples of the fixture's batch. */
static gp_nn_batch part_of(const fixture *f, int64_t from, int64_t samples) {
    const gp_nn_shape *s = &f->model.shape;
    gp_nn_batch part = f->batch;
    part.samples = samples;
    part.calls += from;
    part.sample += from;
    part.covariate += from * s->covariates;
    part.offset += from * s->traits;
    part.target += from * s->traits;
    part.masked += part.masked != NULL ? from * s->patches : 0;
    return part;
}

/* Adds all shards; returns the loss of the batch. */
static double add_shards(fixture *f, gp_nn_sum *sum) {
    double loss = 0;
    gp_nn_sum_clear(sum);
    for (int64_t from = 0; from < f->batch.samples; from += SHARD) {
        gp_nn_batch part = part_of(f, from, gp_least(SHARD, f->batch.samples - from));
        loss += gp_nn_forward(&f->model, f->work, &part, NULL);
        const gp_real *gradient = gp_nn_backward(&f->model, f->work, &part, NULL, NULL);
        for (int64_t b = 0; b < sum->buckets; b++)
            gp_nn_sum_add(sum, b, gradient);
    }
    return loss;
}

static double sum_of_shards(fixture *f, gp_nn_sum *sum) {
    double loss = add_shards(f, sum);
    if (gp_nn_sum_misfits(sum) > 0) {
        gp_nn_sum_refit(sum);
        loss = add_shards(f, sum);
    }
    assert_int_equal(gp_nn_sum_misfits(sum), 0);
    return loss;
}

typedef struct training {
    gp_nn_sum sum;
    gp_real *m, *v, *gradient;
    int64_t step;
} training;

static void train_one(fixture *f, training *t) {
    const double clip = 0.5, peak = 0.01;
    double samples = (double)f->batch.samples, squares = 0;
    gp_nn_adamw adamw = {.rate = gp_nn_rate(peak, t->step, 3, 12),
                         .beta1 = 0.9,
                         .beta2 = 0.999,
                         .epsilon = 1e-8,
                         .decay = 0.1,
                         .l1 = f->network->l1,
                         .step = t->step};
    double loss = sum_of_shards(f, &t->sum) / samples, want = next(f);
    is_near(loss, want, fabs(want), "loss of a step");
    for (int64_t b = 0; b < t->sum.buckets; b++)
        squares += gp_nn_sum_squares(&t->sum, b);
    double norm = sqrt(squares) / samples;
    want = next(f);
    is_near(norm, want, want, "norm of the gradient");
    want = next(f);
    is_near(adamw.rate, want, want, "rate");
    double factor = fmin(1, clip / norm) / samples;
    for (int64_t b = 0; b < t->sum.buckets; b++) {
        int64_t first = t->sum.first[b], count = t->sum.first[b + 1] - first;
        gp_nn_sum_get(&t->sum, b, factor, t->gradient + first);
        gp_nn_sum_settle(&t->sum, b);
        gp_nn_adamw_step(&adamw, &f->model.table, first, count, t->gradient + first, t->m + first,
                         t->v + first, f->model.parameter + first);
    }
}

static void compare_parameters(fixture *f) {
    for (int64_t k = 0; k < f->model.table.count; k++) {
        const gp_nn_tensor *t = &f->model.table.tensor[k];
        const gp_real *x = f->model.parameter + t->first;
        int64_t count = t->rows * t->columns;
        if (count == 0)
            continue;
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < count; i++) {
            sum += (double)x[i];
            squares += (double)x[i] * (double)x[i];
        }
        find(f, "after", t->name);
        double size = sqrt(squares / (double)count); /* of a number */
        is_near(sum, next(f), size * (double)count, t->name);
        is_near(squares, next(f), squares, t->name);
        const int64_t at[] = {0, count / 2, count - 1};
        for (int i = 0; i < 3; i++)
            is_near((double)x[at[i]], next(f), size, t->name);
    }
}

static void ten_steps_in_shards_are_those_of_pytorch(void **state) {
    (void)state;
    worst = 0;
    for (size_t w = 0; w < sizeof NETWORKS / sizeof *NETWORKS; w++) {
        fixture f;
        training t = {0};
        gp_err err = {0};
        init(&f, &NETWORKS[w]);
        int64_t count = f.model.table.parameters;
        assert_int_equal(gp_nn_sum_init(&t.sum, &f.model.table, 4, &err), GP_OK);
        t.m = gp_mem_alloc(count, sizeof *t.m, &err);
        t.v = gp_mem_alloc(count, sizeof *t.v, &err);
        t.gradient = gp_mem_alloc(count, sizeof *t.gradient, &err);
        find(&f, "network", NETWORKS[w].name);
        for (t.step = 1; t.step <= STEPS; t.step++) {
            char number[8];
            snprintf(number, sizeof number, "%d", (int)t.step);
            find(&f, "step", number);
            train_one(&f, &t);
            compare_parameters(&f);
        }
        free(t.m);
        free(t.v);
        free(t.gradient);
        gp_nn_sum_free(&t.sum);
        end(&f);
    }
    print_message("off by %.2g at most\n", worst);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_outputs_and_gradients_are_those_of_pytorch),
        cmocka_unit_test(ten_steps_in_shards_are_those_of_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
