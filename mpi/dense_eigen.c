/* Eigenvalues and vectors as ScaLAPACK's pdsyevd finds them: reduction to tridiagonal form, divide
 * and conquer there, and the vectors turned back. The parts are called one by one: sizes are then
 * counted in 64 bits, and the reduction is pdsyntrd's, twice as fast as pdsyevd's own. */
#include "mpi/dense_private.h"
#include "src/base/blas.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = GP_GRID_BLOCK };

/* Numbers of work space of pdsyntrd, by its source: a copy of the matrix on the largest square
 * grid, and panels, at most so wide. With less it is as slow as pdsytrd; it counts in 32 bits. */
static int64_t fast_size(int64_t n, int ranks) {
    enum { PANEL = 64 };
    int64_t side = 1;
    while ((side + 1) * (side + 1) <= ranks)
        side++;
    int64_t part = gp_units(n, side);
    part = part > 2 * PANEL ? part : 2 * PANEL;
    return 2 * (PANEL + 1) * (4 * part + 2) + (part + 4) * part;
}

static int is_fast(int64_t n, int ranks) {
    return fast_size(n, ranks) <= INT_MAX;
}

/* The same of all parts, on a rank with so many rows and columns. */
static int64_t work_size(int64_t n, int ranks, int64_t rows, int64_t columns, int vectors) {
    int64_t most = 3 * n + BLOCK * (rows + 3); /* pdsytrd, pdlared1d */
    if (is_fast(n, ranks))
        most = gp_most(most, fast_size(n, ranks));
    if (vectors) {
        most = gp_most(most, 6 * n + 2 * rows * columns);                    /* pdstedc */
        most = gp_most(most, (rows + columns + 3 * (int64_t)BLOCK) * BLOCK); /* pdormtr */
    }
    return most;
}

static int64_t index_size(int64_t n, int columns) {
    return 2 + 7 * n + 8 * (int64_t)columns;
}

int64_t gp_dense_eigen_bytes(int64_t n, int rows, int columns) {
    int64_t r = gp_layout_share(n, rows, 0), c = gp_layout_share(n, columns, 0); /* most */
    return (work_size(n, rows * columns, r, c, 1) + 2 * n + 3 * c) * 8 + index_size(n, columns) * 4;
}

/* What the solver needs beside the matrices. */
typedef struct space {
    double *work, *diagonal, *beside;     /* [size], [n] and [n] of the tridiagonal matrix */
    double *part, *part_beside, *reflect; /* [local columns] of this rank */
    int *index;
    int size, index_size;
} space;

static void space_free(space *s) {
    free(s->work);
    free(s->diagonal);
    free(s->beside);
    free(s->part);
    free(s->part_beside);
    free(s->reflect);
    free(s->index);
}

static int use_elpa(const gp_layout *l) {
#ifdef GP_ELPA
    return gp_dense_elpa_can(l);
#else
    (void)l;
    return 0;
#endif
}

/* ELPA brings its own. */
static int space_init(space *s, const gp_layout *l, int vectors, gp_err *err) {
    int64_t size = work_size(l->n, l->rows * l->columns, l->local_rows, l->local_columns, vectors);
    size = use_elpa(l) ? 1 : size;
    int64_t columns = l->local_columns + 1;
    *s = (space){0};
    if (size > INT_MAX)
        return gp_err_set(err, GP_EINPUT,
                          "eigenvectors of %lld samples on %d x %d ranks need work space of more "
                          "than 2^31 numbers on a rank, which ScaLAPACK cannot count; start at "
                          "least %lld ranks",
                          (long long)l->n, l->rows, l->columns,
                          (long long)(2.2 * (double)l->n * (double)l->n / INT_MAX) + 1);
    s->size = (int)size;
    s->index_size = vectors ? (int)index_size(l->n, l->columns) : 1;
    if ((s->work = gp_mem_alloc(size, sizeof(double), err)) == NULL ||
        (s->diagonal = gp_mem_alloc(l->n + 1, sizeof(double), err)) == NULL ||
        (s->beside = gp_mem_alloc(l->n + 1, sizeof(double), err)) == NULL ||
        (s->part = gp_mem_alloc(columns, sizeof(double), err)) == NULL ||
        (s->part_beside = gp_mem_alloc(columns, sizeof(double), err)) == NULL ||
        (s->reflect = gp_mem_alloc(columns, sizeof(double), err)) == NULL)
        return err->code;
    s->index = gp_mem_alloc(s->index_size, sizeof(int), err);
    return err->code;
}

/* The largest magnitude of the lower triangle over all ranks; infinite where one is not finite. */
static double magnitude(const gp_dense *a) {
    const gp_layout *l = &a->layout;
    double most = 0;
    for (int64_t c = 0; c < l->local_columns; c++) {
        const double *value = a->value + c * a->lead;
        int64_t r = gp_dense_row_from(l, gp_layout_column_place(l, c));
        for (; r < l->local_rows; r++) {
            double m = fabs(value[r]);
            if (!isfinite(m)) /* a NaN is not the largest of anything */
                m = INFINITY;
            most = m > most ? m : most;
        }
    }
    double from = MPI_Wtime();
    int rc = MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, a->par->world);
    gp_par_must(a->par, rc, "comparing magnitudes");
    gp_par_exchanged(a->par, from, sizeof most);
    return most;
}

static int failed(const char *part, int info, gp_err *err) {
    return gp_err_set(err, GP_EFAIL, "ScaLAPACK: %s does not come to an end (info %d)", part, info);
}

/* On the ranks of the grid. The eigenvalues are in s->diagonal afterwards. */
static int scalapack(gp_dense *a, gp_dense *vector, space *s, gp_err *err) {
    gp_desc desc = gp_dense_desc(a);
    int n = (int)a->layout.n, one = 1, info = 0;
    (is_fast(n, a->layout.rows * a->layout.columns) ? pdsyntrd_ : pdsytrd_)(
        "L", &n, a->value, &one, &one, &desc, s->part, s->part_beside, s->reflect, s->work,
        &s->size, &info);
    if (info != 0)
        return failed("pdsytrd", info, err);
    pdlared1d_(&n, &one, &one, &desc, s->part, s->diagonal, s->work, &s->size);
    pdlared1d_(&n, &one, &one, &desc, s->part_beside, s->beside, s->work, &s->size);
    if (vector == NULL) {
        dsterf_(&n, s->diagonal, s->beside, &info);
        return info == 0 ? GP_OK : failed("dsterf", info, err);
    }
    desc = gp_dense_desc(vector);
    pdstedc_("I", &n, s->diagonal, s->beside, vector->value, &one, &one, &desc, s->work, &s->size,
             s->index, &s->index_size, &info);
    if (info != 0)
        return failed("pdstedc", info, err);
    pdormtr_("L", "L", "N", &n, &n, a->value, &one, &one, &desc, s->reflect, vector->value, &one,
             &one, &desc, s->work, &s->size, &info);
    return info == 0 ? GP_OK : failed("pdormtr", info, err);
}

/* Collective. Far from 1, squares would overflow or vanish. */
static int check_values(gp_dense *a, double *scale, gp_err *err) {
    double most = magnitude(a);
    *scale = 1;
    if (!isfinite(most))
        return gp_err_set(err, GP_EFAIL,
                          "eigenvalues: the matrix has elements that are not finite numbers");
    if (most > 0 && (most < 1e-100 || most > 1e100)) {
        *scale = fmax(most, DBL_MIN);
        gp_dense_scale(a, 1 / *scale);
    }
    return GP_OK;
}

const char *gp_dense_solver(void) {
#ifdef GP_ELPA
    return "ELPA " GP_ELPA;
#else
    return "ScaLAPACK";
#endif
}

static void solve(gp_dense *a, gp_dense *vector, space *s, gp_err *err) {
#ifdef GP_ELPA
    if (use_elpa(&a->layout)) {
        gp_dense_elpa(a, s->diagonal, vector, err);
        return;
    }
#endif
    if (a->layout.row >= 0 && a->layout.n > 0)
        scalapack(a, vector, s, err);
}

int gp_dense_eigen(gp_dense *a, double *value, gp_dense *vector, gp_err *err) {
    const gp_layout *l = &a->layout;
    double scale;
    space s;
    space_init(&s, l, vector != NULL, err);
    if (gp_par_agree(a->par, err) != GP_OK || check_values(a, &scale, err) != GP_OK)
        goto done;
    gp_blas_threads(omp_get_max_threads());
    solve(a, vector, &s, err);
    gp_blas_threads(1);
    if (gp_par_agree(a->par, err) != GP_OK)
        goto done;
    double from = MPI_Wtime();
    int rc = MPI_Bcast(s.diagonal, (int)l->n, MPI_DOUBLE, 0, a->par->world);
    gp_par_must(a->par, rc, "sharing eigenvalues");
    gp_par_exchanged(a->par, from, a->par->rank == 0 ? l->n * (int64_t)sizeof(double) : 0);
    for (int64_t i = 0; i < l->n; i++)
        value[i] = s.diagonal[i] * scale;
done:
    space_free(&s);
    return err->code;
}
