/* Eigenvalues and vectors of matrices whose spectrum is known, and the columns handed out. */
#include "tests/mpi/dense_test.h"

#include <string.h>

/* Eigenvalues 2 - 2 cos(pi k / (n + 1)). */
static double second_difference(int64_t i, int64_t j, int64_t n) {
    (void)n;
    return i == j ? 2 : llabs(i - j) == 1 ? -1 : 0;
}

static double identity(int64_t i, int64_t j, int64_t n) {
    (void)n;
    return i == j;
}

static double zero(int64_t i, int64_t j, int64_t n) {
    (void)i, (void)j, (void)n;
    return 0;
}

/* Four values only, some below 0, each many times. */
static double repeated_value(int64_t i) {
    static const double values[] = {-3, 0, 1, 10};
    return values[i % 4];
}

/* H D H, H = I - 2 v v' / v'v with v = (1, 2, 3, ... , 1, 2, ...). */
static double reflected(int64_t i, int64_t j, int64_t n) {
    double vv = 0, vdv = 0;
    for (int64_t k = 0; k < n; k++) {
        double v = (double)(k % 9 + 1);
        vv += v * v;
        vdv += v * v * repeated_value(k);
    }
    double vi = (double)(i % 9 + 1), vj = (double)(j % 9 + 1), s = 2 / vv;
    return (i == j ? repeated_value(i) : 0) -
           s * vi * vj * (repeated_value(i) + repeated_value(j)) + s * s * vdv * vi * vj;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void expected_values(element_of *element, int64_t n, double *value) {
    for (int64_t i = 0; i < n; i++)
        value[i] = element == second_difference
                       ? 2 - 2 * cos(3.14159265358979323846 * (double)(i + 1) / (double)(n + 1))
                   : element == reflected ? repeated_value(i)
                                          : element(i, i, n);
    qsort(value, (size_t)n, sizeof *value, ascending);
}

/* The largest of |A v - value v| and |V'V - I|; matrices whole. */
static double residual(element_of *element, const double *v, const double *value, int64_t n) {
    double worst = 0, *a = calloc((size_t)(n * n), sizeof *a);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            a[i * n + j] = element(i, j, n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++) {
            double av = 0, vv = 0;
            for (int64_t j = 0; j < n; j++) {
                av += a[i * n + j] * v[j * n + k];
                vv += v[j * n + i] * v[j * n + k];
            }
            double d = fmax(fabs(av - value[k] * v[i * n + k]), fabs(vv - (i == k)));
            worst = d <= worst ? worst : d;
        }
    free(a);
    return worst;
}

static void spectrum_is_right(element_of *element, int64_t n) {
    gp_dense a, v;
    gp_err err = {0};
    double *value = calloc((size_t)n * 3, sizeof *value), worst = 0;
    double *only = value + n, *expected = value + 2 * n;
    make(&a, n, element, NAN);
    assert_all(gp_dense_init(&v, par, grid, n, &err) == GP_OK);
    assert_all(gp_dense_eigen(&a, value, &v, &err) == GP_OK);
    fill(&a, element, NAN);
    assert_all(gp_dense_eigen(&a, only, NULL, &err) == GP_OK);
    expected_values(element, n, expected);
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(value[i] - expected[i]));
        worst = fmax(worst, fabs(only[i] - expected[i]));
    }
    assert_all(worst < 1e-12); /* values up to 10 */
    assert_all(same_everywhere(value, n) && same_everywhere(only, n));
    double *all = whole(&v, 1);
    assert_all(residual(element, all, value, n) < 1e-12);
    free(all);
    free(value);
    gp_dense_free(&a);
    gp_dense_free(&v);
}

static void values_and_vectors_of_the_second_difference_are_known(void **state) {
    (void)state;
    static const int64_t sizes[] = {1, 2, 63, 64, 65, 257};
    for (int s = 0; s < 6; s++)
        spectrum_is_right(second_difference, sizes[s]);
}

static void repeated_and_negative_values_come_out(void **state) {
    (void)state;
    spectrum_is_right(reflected, 200);
    spectrum_is_right(identity, 130);
    spectrum_is_right(zero, 130);
}

static void very_large_and_very_small_matrices_keep_their_precision(void **state) {
    (void)state;
    static const double scales[] = {1e-200, 1e200, 1e-305};
    double expected[70], value[70];
    expected_values(second_difference, 70, expected);
    for (int s = 0; s < 3; s++) {
        gp_dense a, v;
        gp_err err = {0};
        double worst = 0;
        make(&a, 70, second_difference, 0);
        assert_all(gp_dense_init(&v, par, grid, 70, &err) == GP_OK);
        gp_dense_scale(&a, scales[s]);
        assert_all(gp_dense_eigen(&a, value, &v, &err) == GP_OK);
        for (int i = 0; i < 70; i++)
            worst = fmax(worst, fabs(value[i] / scales[s] - expected[i]));
        assert_all(worst < 1e-12);
        double *all = whole(&v, 1);
        assert_all(residual(second_difference, all, expected, 70) < 1e-12);
        free(all);
        gp_dense_free(&a);
        gp_dense_free(&v);
    }
}

static void a_matrix_that_is_not_finite_is_refused_on_all_ranks(void **state) {
    (void)state;
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++) {
        gp_dense a;
        gp_err err = {0};
        double value[150];
        make(&a, 150, second_difference, 0);
        int64_t r = gp_layout_local_row(&a.layout, 149), c = gp_layout_local_column(&a.layout, 149);
        if (r >= 0 && c >= 0)
            a.value[c * a.lead + r] = bad[k];
        assert_all(gp_dense_eigen(&a, value, NULL, &err) == GP_EFAIL);
        assert_all(strstr(err.text, "not finite") != NULL);
        gp_dense_free(&a);
    }
}

static void eigen_bytes_cover_what_is_asked_for(void **state) {
    (void)state;
    /* two parts of work space and little else */
    int64_t part = gp_dense_bytes(20000, 4, 4), bytes = gp_dense_eigen_bytes(20000, 4, 4);
    assert_all(bytes > 2 * part && bytes < 2 * part + 20000 * 8 * 20);
    assert_all(gp_dense_eigen_bytes(500000, 16, 16) > 0);
}

/* What a rank took. */
typedef struct taken {
    int64_t n, columns, fail_at;
    int right, calls;
    char *seen;
} taken;

static double known(int64_t i, int64_t j) {
    return noise(8, i, j);
}

static int take(void *context, const int64_t *number, int64_t count, const double *panel,
                gp_err *err) {
    taken *t = context;
    if (++t->calls == t->fail_at)
        return gp_err_set(err, GP_EFAIL, "call %d", t->calls), -1;
    for (int64_t c = 0; c < count; c++) {
        t->right &= number[c] >= 0 && number[c] < t->n && !t->seen[number[c]];
        t->seen[number[c]] = 1;
        for (int64_t i = 0; i < t->n; i++)
            t->right &= panel[c * t->n + i] == known(i, number[c]);
    }
    t->columns += count;
    return 0;
}

static void make_known(gp_dense *v, int64_t n) {
    gp_err err = {0};
    assert_all(gp_dense_init(v, par, grid, n, &err) == GP_OK);
    const gp_layout *l = &v->layout;
    for (int64_t c = 0; c < l->local_columns; c++)
        for (int64_t r = 0; r < l->local_rows; r++)
            v->value[c * v->lead + r] =
                known(gp_layout_sample(l, gp_layout_row_place(l, r)), gp_layout_column_place(l, c));
}

/* Over the shards of a group, every column once. */
static int covered(const taken *t) {
    int64_t missing = 0;
    int *seen = calloc((size_t)t->n, sizeof *seen);
    for (int group = 0; group < gp_par_groups(par); group++) {
        for (int64_t c = 0; c < t->n; c++)
            seen[c] = gp_par_group(par) == group ? t->seen[c] : 0;
        MPI_Allreduce(MPI_IN_PLACE, seen, (int)t->n, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        for (int64_t c = 0; c < t->n; c++)
            missing += seen[c] != 1;
    }
    free(seen);
    return missing == 0;
}

static void every_group_gets_every_column_once(void **state) {
    (void)state;
    static const int64_t sizes[] = {1, 64, 65, 200, 400};
    for (int shards = 1; shards <= 3 && shards <= gp_par_size(par); shards++)
        for (int s = 0; s < 5; s++) {
            gp_dense v;
            gp_err err = {0};
            assert_all(gp_par_set_shards(par, shards, &err) == GP_OK);
            make_known(&v, sizes[s]);
            taken t = {.n = sizes[s], .right = 1};
            t.seen = calloc((size_t)t.n, 1);
            assert_all(gp_dense_columns(&v, take, &t, &err) == GP_OK && t.right);
            int64_t due =
                gp_par_group(par) < 0 ? 0 : gp_dense_columns_count(t.n, shards, gp_par_shard(par));
            assert_all(t.columns == due && (due > 0 || t.calls == 0));
            assert_all(covered(&t));
            free(t.seen);
            gp_dense_free(&v);
        }
}

static void one_rank_that_cannot_take_fails_all_and_the_others_still_take(void **state) {
    (void)state;
    gp_dense v;
    gp_err none = {0};
    int size = gp_par_size(par), shards = size > 1 ? 2 : 1;
    assert_all(gp_par_set_shards(par, shards, &none) == GP_OK);
    make_known(&v, 300);
    int taking = gp_par_groups(par) * shards;
    for (int failing = 0; failing < taking; failing++) {
        gp_err err = {0};
        int fails = gp_par_rank(par) == failing;
        taken t = {.n = 300, .right = 1, .fail_at = fails ? 2 : 0};
        t.seen = calloc(300, 1);
        assert_all(gp_dense_columns(&v, take, &t, &err) == GP_EFAIL);
        assert_all(strcmp(err.text, "call 2") == 0 && t.right);
        if (fails)
            assert_true(t.calls == 2 && t.columns == 64);
        else if (gp_par_group(par) >= 0)
            assert_true(t.columns == gp_dense_columns_count(300, shards, gp_par_shard(par)));
        free(t.seen);
    }
    gp_dense_free(&v);
}

/* Which of the two functions failed with the k-th allocation of one rank refused. */
static int refused(int columns, int rank, int k) {
    gp_dense a, v;
    gp_err err = {0};
    double value[70];
    taken t = {.n = 70, .right = 1};
    make(&a, 70, second_difference, 0);
    make_known(&v, 70);
    t.seen = calloc(70, 1);
    if (gp_par_rank(par) == rank)
        gp_mem_fail_at(k);
    int rc = columns ? gp_dense_columns(&v, take, &t, &err) : gp_dense_eigen(&a, value, &v, &err);
    gp_mem_fail_at(0);
    assert_all(rc == GP_OK || (rc == GP_EFAIL && strstr(err.text, "refused") != NULL));
    free(t.seen);
    gp_dense_free(&a);
    gp_dense_free(&v);
    return rc != GP_OK;
}

static void memory_refused_on_one_rank_fails_all(void **state) {
    (void)state;
    gp_err err = {0};
    assert_all(gp_par_set_shards(par, 1, &err) == GP_OK);
    for (int columns = 0; columns < 2; columns++)
        for (int rank = 0; rank < gp_par_size(par) && rank < 3; rank++) {
            int k = 1;
            while (refused(columns, rank, k))
                k++;
            assert_all(k == (columns ? 2 : 7) + 1);
        }
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK ||
        gp_par_grid_open(par, &grid, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_vectors_of_the_second_difference_are_known),
        cmocka_unit_test(repeated_and_negative_values_come_out),
        cmocka_unit_test(very_large_and_very_small_matrices_keep_their_precision),
        cmocka_unit_test(a_matrix_that_is_not_finite_is_refused_on_all_ranks),
        cmocka_unit_test(eigen_bytes_cover_what_is_asked_for),
        cmocka_unit_test(every_group_gets_every_column_once),
        cmocka_unit_test(one_rank_that_cannot_take_fails_all_and_the_others_still_take),
        cmocka_unit_test(memory_refused_on_one_rank_fails_all),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("eigen", tests, NULL, NULL)
                     : 1;
    gp_par_grid_close(grid);
    gp_par_close(par);
    return failed;
}
