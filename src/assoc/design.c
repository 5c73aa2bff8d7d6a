#include "src/assoc/design.h"
#include "src/assoc/spectrum.h"

#include <math.h>
#include <string.h>

/* What is left of a vector counts as nothing below this share of its length: far above rounding
 * (1e-16 sqrt n), far below any real information. */
#define NOTHING 1e-9

/* Eight running sums, as in gp_dot. */
static void centre(double *x, int64_t n) {
    double s[8] = {0};
    for (int64_t i = 0; i < n; i++)
        s[i & 7] += x[i];
    double mean = (((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))) / (double)n;
    for (int64_t i = 0; i < n; i++)
        x[i] -= mean;
}

static void subtract(double *x, const double *q, double a, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        x[i] -= a * q[i];
}

/* Leaves the unit vector of x's part outside the span of 1 and q, or zeros; returns that part's
 * length. */
static double reduce(const double *q, int64_t rank, double *x, int64_t n) {
    double whole = sqrt(gp_dot(x, x, n));
    centre(x, n); /* twice: the mean of many equal numbers is itself off by rounding */
    centre(x, n);
    /* A constant leaves rounding of its own size, a combination rounding of its centred size, or of
     * its own where the input was rounded when it was made (a time in seconds). */
    double nothing = fmax(1e-13 * whole, NOTHING * sqrt(gp_dot(x, x, n)));
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t j = 0; j < rank; j++)
            subtract(x, q + j * n, gp_dot(x, q + j * n, n), n);
        centre(x, n);
    }
    double length = sqrt(gp_dot(x, x, n));
    if (!(length > nothing)) {
        memset(x, 0, (size_t)n * sizeof *x);
        return 0.0;
    }
    for (int64_t i = 0; i < n; i++)
        x[i] /= length;
    return length;
}

int64_t gp_design_basis(double *x, int64_t n, int64_t c, uint8_t *kept) {
    int64_t rank = 0;
    for (int64_t j = 0; j < c; j++) {
        if (rank < j)
            memmove(x + rank * n, x + j * n, (size_t)n * sizeof *x);
        kept[j] = reduce(x, rank, x + rank * n, n) > 0.0;
        rank += kept[j];
    }
    return rank;
}

double gp_design_residual(const double *q, int64_t n, int64_t rank, double *y) {
    return reduce(q, rank, y, n);
}
