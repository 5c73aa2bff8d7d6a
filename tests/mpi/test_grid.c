/* The order of samples on a process grid, for ranks of many grids; the grid that ranks make. */
#include "mpi/grid.h"
#include "mpi/grid_private.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <stdlib.h>
#include <string.h>

int numroc_(const int *n, const int *block, const int *mine, const int *source, const int *parts);

static gp_par *par;

static const int grids[][2] = {{1, 1}, {1, 2}, {1, 3}, {2, 2}, {2, 3}, {2, 4}, {3, 4}, {4, 4}};
enum { GRIDS = sizeof grids / sizeof *grids };

/* Around every multiple of 64 that matters to these grids. */
static const int64_t sizes[] = {0,   1,   2,   63,  64,  65,   127,  128,  129,  191,  192, 193,
                                255, 256, 257, 383, 384, 385,  500,  640,  767,  768,  769, 831,
                                832, 833, 895, 897, 999, 1023, 1024, 1025, 1536, 1537, 1600};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Calls a check for every rank of every grid and size; row and column -1 once per grid. */
static void for_every_rank(int (*check)(const gp_layout *)) {
    for (int g = 0; g < GRIDS; g++)
        for (int s = 0; s < SIZES; s++)
            for (int row = -1; row < grids[g][0]; row++)
                for (int column = row < 0 ? -1 : 0; column < (row < 0 ? 0 : grids[g][1]);
                     column++) {
                    gp_layout l;
                    gp_err err = {0};
                    assert_int_equal(gp_layout_init_as(&l, sizes[s], grids[g][0], grids[g][1], row,
                                                       column, &err),
                                     GP_OK);
                    if (!check(&l))
                        fail_msg("n %lld on %d x %d, rank at %d, %d", (long long)l.n, l.rows,
                                 l.columns, row, column);
                    gp_layout_free(&l);
                }
}

static int place_and_sample_agree(const gp_layout *l) {
    char seen[2048] = {0};
    int ok = 1;
    for (int64_t place = 0; place < l->n; place++) {
        int64_t sample = gp_layout_sample(l, place);
        ok &= sample >= 0 && sample < l->n && !seen[sample];
        seen[sample] = 1;
        ok &= gp_layout_place(l, sample) == place;
    }
    return ok;
}

static void place_is_the_inverse_of_sample(void **state) {
    (void)state;
    for_every_rank(place_and_sample_agree);
}

static int classes_are_as_the_door_says(const gp_layout *l) {
    int64_t total = 0;
    int ok = l->classes % l->rows == 0 && l->classes % l->columns == 0;
    for (int c = 0; c < l->classes; c++) {
        ok &= l->begin[c] % 64 == 0 || l->count[c] == 0;
        total += l->count[c];
    }
    for (int64_t place = 0; place < l->n; place++) {
        int class = (int)(place / GP_GRID_BLOCK % l->classes);
        int64_t within = gp_layout_sample(l, place) - l->begin[class];
        ok &= within >= 0 && within < l->count[class];
    }
    return ok && total == l->n;
}

static void block_b_belongs_to_class_b_mod_l_and_classes_begin_at_multiples_of_64(void **state) {
    (void)state;
    for_every_rank(classes_are_as_the_door_says);
}

static int extents_are_numrocs(const gp_layout *l) {
    int n = (int)l->n, block = GP_GRID_BLOCK, zero = 0;
    if (l->row < 0)
        return l->local_rows == 0 && l->local_columns == 0;
    return l->local_rows == numroc_(&n, &block, &l->row, &zero, &l->rows) &&
           l->local_columns == numroc_(&n, &block, &l->column, &zero, &l->columns);
}

static void local_rows_and_columns_are_those_of_scalapack(void **state) {
    (void)state;
    for_every_rank(extents_are_numrocs);
}

static int local_and_place_agree(const gp_layout *l) {
    int ok = 1;
    int64_t rows = 0, columns = 0;
    for (int64_t sample = 0; sample < l->n; sample++) {
        int64_t r = gp_layout_local_row(l, sample), c = gp_layout_local_column(l, sample);
        int64_t block = gp_layout_place(l, sample) / GP_GRID_BLOCK;
        ok &= (r >= 0) == (block % l->rows == l->row);
        ok &= (c >= 0) == (block % l->columns == l->column);
        ok &= r < 0 || gp_layout_sample(l, gp_layout_row_place(l, r)) == sample;
        ok &= c < 0 || gp_layout_sample(l, gp_layout_column_place(l, c)) == sample;
        rows += r >= 0;
        columns += c >= 0;
    }
    return ok && rows == l->local_rows && columns == l->local_columns;
}

static void a_local_row_is_the_row_of_its_sample(void **state) {
    (void)state;
    for_every_rank(local_and_place_agree);
}

static int runs_cover(const gp_layout *l) {
    gp_layout_run run;
    int ok = 1;
    int64_t rows = 0, columns = 0;
    for (int k = 0; gp_layout_row_run(l, k, &run); k++, rows += run.count) {
        ok &= run.count > 0 && run.begin == l->begin[run.class];
        for (int64_t i = 0; i < run.count; i++)
            ok &= gp_layout_local_row(l, run.begin + i) >= 0;
    }
    for (int k = 0; gp_layout_column_run(l, k, &run); k++, columns += run.count) {
        ok &= run.count > 0 && run.begin == l->begin[run.class];
        for (int64_t i = 0; i < run.count; i++)
            ok &= gp_layout_local_column(l, run.begin + i) >= 0;
    }
    return ok && rows == l->local_rows && columns == l->local_columns;
}

static void the_runs_of_a_rank_cover_its_rows_and_columns(void **state) {
    (void)state;
    for_every_rank(runs_cover);
}

static void an_order_known_by_hand(void **state) {
    (void)state;
    gp_layout l;
    gp_err err = {0};
    /* 5 blocks on 1 x 2: class 0 has blocks 0, 2, 4 (2 samples in the last), class 1 blocks 1, 3;
     * class 0 comes last. */
    assert_int_equal(gp_layout_init_as(&l, 258, 1, 2, 0, 1, &err), GP_OK);
    assert_true(l.classes == 2 && l.begin[1] == 0 && l.count[1] == 128);
    assert_true(l.begin[0] == 128 && l.count[0] == 130);
    assert_true(gp_layout_sample(&l, 0) == 128 && gp_layout_sample(&l, 64) == 0);
    assert_true(gp_layout_sample(&l, 257) == 257 && gp_layout_place(&l, 64) == 192);
    assert_true(l.local_rows == 258 && l.local_columns == 128);
    gp_layout_free(&l);
}

static void half_a_million_samples_lie_on_sixteen_by_sixteen(void **state) {
    (void)state;
    gp_layout l;
    gp_err err = {0};
    assert_int_equal(gp_layout_init_as(&l, 500000, 16, 16, 3, 4, &err), GP_OK);
    int64_t n = 0;
    for (int64_t place = 0; place < l.n; place++)
        n += gp_layout_place(&l, gp_layout_sample(&l, place)) == place;
    assert_true(n == l.n && l.classes == 16);
    gp_layout_run run;
    assert_true(gp_layout_row_run(&l, 0, &run) == 1 && run.count == l.local_rows);
    assert_true(gp_layout_row_run(&l, 1, &run) == 0);
    gp_layout_free(&l);
}

static void the_grid_uses_most_ranks_with_sides_at_most_double(void **state) {
    (void)state;
    static const int known[][3] = {{1, 1, 1},  {2, 1, 2},  {3, 1, 3},  {4, 2, 2},    {5, 2, 2},
                                   {6, 2, 3},  {7, 2, 3},  {8, 2, 4},  {11, 3, 3},   {12, 3, 4},
                                   {13, 3, 4}, {16, 4, 4}, {64, 8, 8}, {256, 16, 16}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        int rows = 0, columns = 0;
        gp_par_grid_choose(known[k][0], &rows, &columns);
        if (rows != known[k][1] || columns != known[k][2])
            fail_msg("%d ranks make %d x %d", known[k][0], rows, columns);
    }
    for (int ranks = 4; ranks <= 2000; ranks++) {
        int rows = 0, columns = 0, best = 0;
        gp_par_grid_choose(ranks, &rows, &columns);
        for (int p = 1; p <= ranks; p++)
            for (int q = p; q <= 2 * p && p * q <= ranks; q++)
                best = p * q > best ? p * q : best;
        assert_true(rows * columns == best && rows <= columns && columns <= 2 * rows);
    }
}

static void bad_grids_and_refused_memory_are_errors_that_leave_nothing(void **state) {
    (void)state;
    static const int bad[][4] = {{0, 1, 0, 0}, {1, 0, 0, 0}, {2, 2, 2, 0}, {2, 2, 0, 2}};
    gp_layout l;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        gp_err err = {0};
        assert_int_equal(gp_layout_init_as(&l, 9, bad[k][0], bad[k][1], bad[k][2], bad[k][3], &err),
                         GP_EFAIL);
        assert_null(l.begin);
    }
    for (int k = 1; k <= 2; k++) {
        gp_err err = {0};
        gp_mem_fail_at(k);
        int rc = gp_layout_init_as(&l, 100, 2, 3, 1, 1, &err);
        gp_mem_fail_at(0);
        assert_int_equal(rc, GP_EFAIL);
        assert_null(l.begin);
        assert_null(l.count);
    }
}

static void the_open_grid_is_that_of_blacs(void **state) {
    (void)state;
    gp_err err = {0};
    gp_par_grid *grid = NULL;
    for (int again = 0; again < 3; again++) {
        int rows, columns, row, column, want_rows = 0, want_columns = 0;
        assert_all(gp_par_grid_open(par, &grid, &err) == GP_OK);
        gp_par_grid_choose(gp_par_size(par), &want_rows, &want_columns);
        assert_all(gp_par_grid_rows(grid) == want_rows);
        assert_all(gp_par_grid_columns(grid) == want_columns);
        int on = gp_par_rank(par) < want_rows * want_columns;
        assert_all((grid->context >= 0) == on);
        if (on) {
            Cblacs_gridinfo(grid->context, &rows, &columns, &row, &column);
            on = rows == want_rows && columns == want_columns && row == gp_par_grid_row(grid) &&
                 column == gp_par_grid_column(grid);
        } else {
            on = gp_par_grid_row(grid) == -1 && gp_par_grid_column(grid) == -1;
        }
        assert_all(on);
        gp_layout l;
        int rc = gp_layout_init(&l, 1000, grid, &err);
        assert_all(rc == GP_OK && l.row == gp_par_grid_row(grid) &&
                   l.column == gp_par_grid_column(grid));
        gp_layout_free(&l);
        gp_par_grid_close(grid);
    }
}

static void opening_a_grid_fails_on_all_ranks_where_one_has_no_memory(void **state) {
    (void)state;
    for (int failing = 0; failing < gp_par_size(par); failing++) {
        gp_err err = {0};
        gp_par_grid *grid = NULL;
        gp_mem_fail_at(gp_par_rank(par) == failing);
        int rc = gp_par_grid_open(par, &grid, &err);
        gp_mem_fail_at(0);
        assert_all(rc == GP_EFAIL && grid == NULL && strstr(err.text, "refused") != NULL);
    }
    gp_par_grid_close(NULL);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_is_the_inverse_of_sample),
        cmocka_unit_test(block_b_belongs_to_class_b_mod_l_and_classes_begin_at_multiples_of_64),
        cmocka_unit_test(local_rows_and_columns_are_those_of_scalapack),
        cmocka_unit_test(a_local_row_is_the_row_of_its_sample),
        cmocka_unit_test(the_runs_of_a_rank_cover_its_rows_and_columns),
        cmocka_unit_test(an_order_known_by_hand),
        cmocka_unit_test(half_a_million_samples_lie_on_sixteen_by_sixteen),
        cmocka_unit_test(the_grid_uses_most_ranks_with_sides_at_most_double),
        cmocka_unit_test(bad_grids_and_refused_memory_are_errors_that_leave_nothing),
        cmocka_unit_test(the_open_grid_is_that_of_blacs),
        cmocka_unit_test(opening_a_grid_fails_on_all_ranks_where_one_has_no_memory),
    };
    int failed = only_rank_0_reports(gp_par_rank(par))
                     ? cmocka_run_group_tests_name("grid", tests, NULL, NULL)
                     : 1;
    gp_par_close(par);
    return failed;
}
