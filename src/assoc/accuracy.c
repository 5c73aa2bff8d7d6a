#include "src/assoc/accuracy.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>

typedef struct scored {
    double predicted;
    int is_case;
} scored;

static int by_prediction(const void *a, const void *b) {
    double x = ((const scored *)a)->predicted, y = ((const scored *)b)->predicted;
    return (x > y) - (x < y);
}

static int is_used(double observed, double predicted) {
    return !isnan(observed) && !isnan(predicted);
}

/* Sums ranks of the cases; ties share the mean of their ranks. */
static double area(scored *s, int64_t n) {
    double ranks = 0.0, cases = 0.0;
    qsort(s, (size_t)n, sizeof *s, by_prediction);
    for (int64_t i = 0, end; i < n; i = end) {
        double tied = 0.0;
        for (end = i; end < n && s[end].predicted == s[i].predicted; end++)
            tied += s[end].is_case;
        ranks += tied * 0.5 * (double)(i + 1 + end);
        cases += tied;
    }
    double controls = (double)n - cases;
    return cases > 0.0 && controls > 0.0
               ? (ranks - 0.5 * cases * (cases + 1.0)) / (cases * controls)
               : NAN;
}

static int measure_area(const double *observed, const double *predicted, int64_t n,
                        gp_accuracy *accuracy, gp_err *err) {
    scored *s = gp_mem_alloc(accuracy->n, sizeof *s, err);
    int64_t at = 0;
    if (s == NULL)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        if (is_used(observed[i], predicted[i]))
            s[at++] = (scored){predicted[i], observed[i] == 1.0};
    accuracy->auc = area(s, at);
    free(s);
    return GP_OK;
}

int gp_accuracy_of(const double *observed, const double *predicted, int64_t n, int binary,
                   gp_accuracy *accuracy, gp_err *err) {
    double y = 0.0, f = 0.0, yy = 0.0, ff = 0.0, yf = 0.0, errors = 0.0;
    *accuracy = (gp_accuracy){.r2 = NAN, .r = NAN, .mse = NAN, .auc = NAN};
    for (int64_t i = 0; i < n; i++)
        if (is_used(observed[i], predicted[i])) {
            accuracy->n++;
            y += observed[i];
            f += predicted[i];
        }
    if (accuracy->n == 0)
        return GP_OK;
    y /= (double)accuracy->n;
    f /= (double)accuracy->n;
    for (int64_t i = 0; i < n; i++)
        if (is_used(observed[i], predicted[i])) {
            double a = observed[i] - y, b = predicted[i] - f, e = observed[i] - predicted[i];
            yy += a * a;
            ff += b * b;
            yf += a * b;
            errors += e * e;
        }
    accuracy->mse = errors / (double)accuracy->n;
    if (yy > 0.0)
        accuracy->r2 = 1.0 - errors / yy;
    /* Predictions that are all alike still differ by rounding. */
    if (yy > 0.0 && ff > 1e-24 * f * f * (double)accuracy->n)
        accuracy->r = yf / sqrt(yy * ff);
    return binary ? measure_area(observed, predicted, n, accuracy, err) : GP_OK;
}
