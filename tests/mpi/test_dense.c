/* Distributed matrices against the same matrix whole on every rank: triangles, sums, centring and
 * thin products. */
#include "tests/mpi/dense_test.h"

#include <string.h>

/* No block, a part of one, just one, several, more than the grid's period. */
static const int64_t sizes[] = {1, 2, 63, 64, 65, 130, 200, 257, 400};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void a_new_matrix_is_zero_and_no_larger_than_predicted(void **state) {
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        gp_dense a;
        gp_err err = {0};
        assert_all(gp_dense_init(&a, par, grid, sizes[s], &err) == GP_OK);
        int64_t bytes = a.layout.local_rows * a.layout.local_columns * 8;
        int64_t most = gp_dense_bytes(sizes[s], gp_par_grid_rows(grid), gp_par_grid_columns(grid));
        int ok = bytes <= most && (gp_par_rank(par) != 0 || bytes == most);
        for (int64_t i = 0; i < a.layout.local_columns * a.lead; i++)
            ok &= a.value[i] == 0;
        assert_all(ok);
        gp_dense_free(&a);
        assert_all(a.value == NULL);
    }
    /* 31,250^2 doubles of 500,000 samples on 256 ranks, give or take a block */
    int64_t bytes = gp_dense_bytes(500000, 16, 16);
    assert_all(bytes >= 31250LL * 31250 * 8 && bytes <= 31296LL * 31296 * 8);
}

static void a_part_that_scalapack_cannot_count_is_refused_with_the_ranks_to_start(void **state) {
    (void)state;
    gp_dense a;
    gp_err err = {0};
    assert_all(gp_dense_init(&a, par, grid, 300000, &err) == GP_EINPUT);
    assert_all(strstr(err.text, "start at least 47 ranks") != NULL && a.value == NULL);
}

static void mirror_sets_the_upper_triangle_and_does_not_read_it(void **state) {
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        int64_t n = sizes[s];
        gp_dense a;
        gp_err err = {0};
        make(&a, n, random_symmetric, NAN);
        assert_all(gp_dense_mirror(&a, &err) == GP_OK);
        double *all = whole(&a, 0);
        int ok = 1;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                ok &= all[i * n + j] == random_symmetric(i, j, n);
        assert_all(ok);
        free(all);
        gp_dense_free(&a);
    }
}

static double one(int64_t i, int64_t j, int64_t n) {
    (void)i, (void)j, (void)n;
    return 1;
}

static void row_sums_and_trace_of_ones_are_n(void **state) {
    (void)state;
    gp_dense a;
    gp_err err = {0};
    double sum[200], trace;
    make(&a, 200, one, NAN);
    assert_all(gp_dense_row_sums(&a, sum, &err) == GP_OK);
    assert_all(gp_dense_trace(&a, &trace, &err) == GP_OK && trace == 200);
    int ok = 1;
    for (int i = 0; i < 200; i++)
        ok &= sum[i] == 200;
    assert_all(ok);
    gp_dense_scale(&a, 0.5);
    assert_all(gp_dense_trace(&a, &trace, &err) == GP_OK && trace == 100);
    gp_dense_free(&a);
}

static void row_sums_are_those_of_plain_loops(void **state) {
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        int64_t n = sizes[s];
        gp_dense a;
        gp_err err = {0};
        double sum[400], trace, diagonal = 0, worst = 0;
        make(&a, n, random_symmetric, NAN);
        assert_all(gp_dense_row_sums(&a, sum, &err) == GP_OK);
        assert_all(gp_dense_trace(&a, &trace, &err) == GP_OK);
        for (int64_t i = 0; i < n; i++) {
            double plain = 0;
            for (int64_t j = 0; j < n; j++)
                plain += random_symmetric(i, j, n);
            worst = fmax(worst, fabs(plain - sum[i]));
            diagonal += random_symmetric(i, i, n);
        }
        assert_all(worst < 1e-12); /* a few hundred roundings of numbers below 10 */
        assert_all(fabs(trace - diagonal) < 1e-12 * (1 + fabs(diagonal)));
        assert_all(same_everywhere(sum, n) && same_everywhere(&trace, 1));
        gp_dense_free(&a);
    }
}

static void centring_takes_row_and_column_means_out(void **state) {
    (void)state;
    int64_t n = 200;
    gp_dense a;
    gp_err err = {0};
    double *mean = calloc((size_t)n, sizeof *mean), total = 0, worst = 0, sum[200];
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            mean[i] += random_symmetric(i, j, n) / (double)n;
        total += mean[i] / (double)n;
    }
    make(&a, n, random_symmetric, 0);
    assert_all(gp_dense_centre(&a, &err) == GP_OK && gp_dense_mirror(&a, &err) == GP_OK);
    double *all = whole(&a, 0);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            worst = fmax(worst, fabs(all[i * n + j] -
                                     (random_symmetric(i, j, n) - mean[i] - mean[j] + total)));
    assert_all(worst < 1e-14); /* elements up to 3 */
    assert_all(gp_dense_row_sums(&a, sum, &err) == GP_OK);
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(sum[i]));
    assert_all(worst < 1e-12); /* 200 of those */
    free(mean);
    free(all);
    gp_dense_free(&a);
}

/* Not symmetric: rows are samples, columns numbers. */
static double general(int64_t i, int64_t j) {
    return noise(6, i, j);
}

static void fill_general(gp_dense *a) {
    const gp_layout *l = &a->layout;
    for (int64_t c = 0; c < l->local_columns; c++)
        for (int64_t r = 0; r < l->local_rows; r++)
            a->value[c * a->lead + r] = general(gp_layout_sample(l, gp_layout_row_place(l, r)),
                                                gp_layout_column_place(l, c));
}

enum { TURNED, PLAIN, SYMMETRIC };

static double product_at(int what, const double *x, int64_t n, int64_t k, int64_t i, int64_t c) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
        double element = what == TURNED  ? general(j, i)
                         : what == PLAIN ? general(i, j)
                                         : random_symmetric(i, j, n);
        sum += element * x[j * k + c];
    }
    return sum;
}

static void products_are_right(int64_t n, int64_t k) {
    gp_dense a, s;
    gp_err err = {0};
    double *x = calloc((size_t)(n * k), sizeof *x), *y = calloc((size_t)(3 * n * k), sizeof *y);
    make(&a, n, one, 0);
    fill_general(&a);
    make(&s, n, random_symmetric, NAN);
    for (int64_t i = 0; i < n * k; i++)
        x[i] = noise(7, i, 0);
    for (int64_t i = 0; i < 3 * n * k; i++)
        y[i] = NAN; /* what was there does not count */
    assert_all(gp_dense_times_turned(&a, x, k, y, &err) == GP_OK);
    assert_all(gp_dense_times(&a, x, k, y + n * k, &err) == GP_OK);
    assert_all(gp_dense_symmetric_times(&s, x, k, y + 2 * n * k, &err) == GP_OK);
    double worst = 0;
    for (int what = TURNED; what <= SYMMETRIC; what++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t c = 0; c < k; c++) {
                double d = fabs(y[(what * n + i) * k + c] - product_at(what, x, n, k, i, c));
                worst = d <= worst ? worst : d; /* a NaN stays */
            }
    assert_all(worst < 1e-13); /* sums of up to 257 products below 1 */
    assert_all(same_everywhere(y, 3 * n * k));
    free(x);
    free(y);
    gp_dense_free(&a);
    gp_dense_free(&s);
}

static void thin_products_are_those_of_plain_loops(void **state) {
    (void)state;
    static const int64_t wide[] = {1, 2, 7, 70};
    for (int s = 0; s < SIZES - 1; s++)
        for (int k = 0; k < 4; k++)
            products_are_right(sizes[s], wide[k]);
}

static void a_thin_matrix_without_columns_is_refused(void **state) {
    (void)state;
    gp_dense a;
    gp_err err = {0};
    double x = 0, y = 3;
    make(&a, 10, one, 0);
    assert_all(gp_dense_times(&a, &x, 0, &y, &err) == GP_EFAIL && y == 3);
    gp_dense_free(&a);
}

/* Every collective function, with the k-th allocation of one rank refused; whether it failed. */
static int refused(int what, gp_dense *a, int rank, int k) {
    gp_err err = {0};
    gp_dense fresh = {0};
    double x[300] = {0}, y[300];
    int rc;
    if (gp_par_rank(par) == rank)
        gp_mem_fail_at(k);
    switch (what) {
    case 0:
        rc = gp_dense_init(&fresh, par, grid, 150, &err);
        break;
    case 1:
        rc = gp_dense_mirror(a, &err);
        break;
    case 2:
        rc = gp_dense_row_sums(a, x, &err);
        break;
    case 3:
        rc = gp_dense_centre(a, &err);
        break;
    case 4:
        rc = gp_dense_trace(a, x, &err);
        break;
    case 5:
        rc = gp_dense_times_turned(a, x, 2, y, &err);
        break;
    case 6:
        rc = gp_dense_times(a, x, 2, y, &err);
        break;
    default:
        rc = gp_dense_symmetric_times(a, x, 2, y, &err);
    }
    gp_mem_fail_at(0);
    gp_dense_free(&fresh);
    assert_all(rc == GP_OK || (rc == GP_EFAIL && strstr(err.text, "refused") != NULL));
    return rc != GP_OK;
}

static void memory_refused_on_one_rank_fails_all_and_changes_nothing(void **state) {
    (void)state;
    gp_dense a;
    gp_err err = {0};
    static const int allocations[8] = {3, 0, 1, 3, 0, 6, 6, 6};
    make(&a, 150, random_symmetric, 0);
    assert_all(gp_dense_centre(&a, &err) == GP_OK && gp_dense_mirror(&a, &err) == GP_OK);
    double *before = whole(&a, 0);
    for (int what = 0; what < 8; what++)
        for (int rank = 0; rank < gp_par_size(par); rank++) {
            int k = 1;
            while (refused(what, &a, rank, k))
                k++;
            assert_all(k == allocations[what] + 1);
        }
    double *after = whole(&a, 0), worst = 0; /* centred twice: rounding */
    for (int64_t i = 0; i < 150 * 150; i++)
        worst = fmax(worst, fabs(before[i] - after[i]));
    assert_all(worst < 1e-13);
    free(before);
    free(after);
    gp_dense_free(&a);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK ||
        gp_par_grid_open(par, &grid, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_matrix_is_zero_and_no_larger_than_predicted),
        cmocka_unit_test(a_part_that_scalapack_cannot_count_is_refused_with_the_ranks_to_start),
        cmocka_unit_test(mirror_sets_the_upper_triangle_and_does_not_read_it),
        cmocka_unit_test(row_sums_and_trace_of_ones_are_n),
        cmocka_unit_test(row_sums_are_those_of_plain_loops),
        cmocka_unit_test(centring_takes_row_and_column_means_out),
        cmocka_unit_test(thin_products_are_those_of_plain_loops),
        cmocka_unit_test(a_thin_matrix_without_columns_is_refused),
        cmocka_unit_test(memory_refused_on_one_rank_fails_all_and_changes_nothing),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("dense", tests, NULL, NULL)
                     : 1;
    gp_par_grid_close(grid);
    gp_par_close(par);
    return failed;
}
