/* A rank's own samples, sample by sample, against calls taken one by one. */
#include "jobs/resident.h"
#include "jobs/simulation.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

enum { N = 1333, M = 700, CHROMOSOMES = 3 };

static gp_par *par;
static gp_sink sink;
static gp_job job = {.sink = &sink};
static char path[400];
static int8_t *calls; /* [M x N] as in the store */
static int64_t count[CHROMOSOMES], first[CHROMOSOMES + 1];

/* Loads, and compares every call of this rank. 1 where all are right. */
static int loads(const gp_resident_plan *plan, gp_err *err) {
    gp_resident r = {0};
    int64_t wrong = 0;
    int8_t *expected = malloc((size_t)plan->variants);
    if (gp_resident_load(&job, plan, &r, err) != GP_OK)
        goto done;
    wrong += r.stride % 64 != 0 || r.first != plan->begin || r.samples != plan->end - plan->begin;
    for (int64_t i = plan->begin; i < plan->end; i++) {
        const uint8_t *row = gp_resident_row(&r, i);
        memset(expected, GP_GENO_MISSING, (size_t)plan->variants);
        for (int64_t v = 0; v < first[CHROMOSOMES]; v++) {
            int8_t call = calls[v * N + i];
            if (plan->column[v] < 0)
                continue;
            int swap = plan->swap != NULL && plan->swap[v] && call != GP_GENO_MISSING;
            expected[plan->column[v]] = (int8_t)(swap ? 2 - call : call);
        }
        for (int64_t v = 0; v < plan->variants; v++)
            wrong += gp_geno_get(row, v) != expected[v];
        for (int64_t v = plan->variants; v < 4 * r.stride; v++)
            wrong += gp_geno_get(row, v) != 0;
    }
done:
    free(expected);
    gp_resident_free(&r);
    return err->code == GP_OK && wrong == 0;
}

static int open_store(gp_resident_plan *plan, gp_err *err) {
    gp_store_open(&plan->store, path, err);
    plan->count = count;
    plan->first = first;
    plan->begin = N * (int64_t)gp_par_rank(par) / gp_par_size(par);
    plan->end = N * (int64_t)(gp_par_rank(par) + 1) / gp_par_size(par);
    return gp_par_agree(par, err);
}

static void all_variants_of_a_ranks_samples_are_loaded(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t column[M];
    gp_resident_plan plan = {.column = column, .variants = M};
    for (int64_t v = 0; v < M; v++)
        column[v] = v;
    assert_all(open_store(&plan, &err) == GP_OK);
    assert_all(loads(&plan, &err));
    gp_store_close(plan.store);
}

static void some_variants_some_swapped_some_missing_are_loaded_in_any_order(void **state) {
    (void)state;
    for (int round = 0; round < 6; round++) {
        gp_err err = {0};
        int64_t column[M];
        uint8_t swap[M];
        gp_resident_plan plan = {.column = column, .swap = swap, .variants = M + 37};
        for (int64_t v = 0; v < M; v++) {
            int64_t order = round % 2 == 0 ? v + v / 20 : (v * 97 + 11) % (M + 37);
            column[v] = number_of(1, round, v, 0) % 3 == 0 ? -1 : order;
            swap[v] = number_of(2, round, v, 0) % 4 == 0;
        }
        for (int64_t v = 100; round == 4 && v < M; v++)
            column[v] = -1;
        assert_all(open_store(&plan, &err) == GP_OK);
        assert_all(loads(&plan, &err));
        gp_store_close(plan.store);
    }
}

static void any_range_of_samples_may_be_asked_for_and_none(void **state) {
    (void)state;
    static const int64_t range[][2] = {{0, 1},    {63, 64},   {63, 65},    {64, 128},  {5, 5},
                                       {31, 100}, {1, N - 1}, {N - 1, N},  {1280, N},  {700, 960},
                                       {0, N},    {33, 34},   {N - 60, N}, {300, 300}, {0, 64}};
    int64_t column[M];
    for (int64_t v = 0; v < M; v++)
        column[v] = v % 5 == 0 ? -1 : v;
    for (size_t k = 0; k < sizeof range / sizeof *range; k++) {
        gp_err err = {0};
        gp_resident_plan plan = {.column = column, .variants = M};
        assert_all(open_store(&plan, &err) == GP_OK);
        /* Other ranks ask for other ranges. */
        size_t mine = (k + (size_t)gp_par_rank(par)) % (sizeof range / sizeof *range);
        plan.begin = range[mine][0];
        plan.end = range[mine][1];
        assert_all(loads(&plan, &err));
        gp_store_close(plan.store);
    }
}

static void memory_that_is_refused_on_one_rank_ends_all(void **state) {
    (void)state;
    int64_t column[M];
    for (int64_t v = 0; v < M; v++)
        column[v] = v;
    for (int64_t k = 1;; k++) {
        gp_err err = {0};
        gp_resident_plan plan = {.column = column, .variants = M};
        gp_resident r = {0};
        assert_all(open_store(&plan, &err) == GP_OK);
        if (gp_par_rank(par) == gp_par_size(par) - 1)
            gp_mem_fail_at(k);
        int code = gp_resident_load(&job, &plan, &r, &err);
        gp_mem_fail_at(0);
        gp_resident_free(&r);
        gp_store_close(plan.store);
        assert_all(code == err.code);
        if (code == GP_OK)
            break;
        assert_all(code == GP_EFAIL && strstr(err.text, "memory") != NULL);
        assert_all(k < 100);
    }
}

static void an_error_of_one_rank_ends_all(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t column[M + 100], more[CHROMOSOMES];
    for (int64_t v = 0; v < M + 100; v++)
        column[v] = v;
    gp_resident_plan plan = {.column = column, .variants = M + 100};
    gp_resident r = {0};
    assert_all(open_store(&plan, &err) == GP_OK);
    memcpy(more, count, sizeof more);
    more[CHROMOSOMES - 1] += 100; /* the store does not have them */
    if (gp_par_rank(par) == 0)
        plan.count = more;
    assert_all(gp_resident_load(&job, &plan, &r, &err) != GP_OK);
    gp_resident_free(&r);
    gp_store_close(plan.store);
}

/* ---- the cohort ---- */

static int simulate(gp_err *err) {
    const gp_simulation_options ask = {.out = scratch("c"),
                                       .samples = N,
                                       .variants = M,
                                       .chromosomes = CHROMOSOMES,
                                       .populations = 1,
                                       .missing_rate = 0.1,
                                       .traits = 1,
                                       .causal = 4,
                                       .heritability = 0.5,
                                       .seed = 5};
    gp_simulation s = {.ask = &ask};
    if (gp_simulation_check(&s, err) == GP_OK)
        gp_simulation_write(&s, err);
    gp_simulation_free(&s);
    return err->code;
}

static int read_calls(gp_err *err) {
    gp_store *store = NULL;
    int64_t stride = gp_geno_stride(N), variant = 0;
    uint8_t *rows = gp_mem_alloc(M, stride, err);
    calls = gp_mem_alloc(M, N, err);
    if (err->code == GP_OK)
        gp_store_open(&store, path, err);
    for (int64_t k = 0; err->code == GP_OK && k < CHROMOSOMES; k++) {
        count[k] = gp_store_chromosome(store, k)->count;
        gp_store_read_genotypes(store, k, 0, count[k], 0, N, rows, err);
        for (int64_t j = 0; j < count[k]; j++, variant++)
            for (int64_t i = 0; i < N; i++)
                calls[variant * N + i] = (int8_t)gp_geno_get(rows + j * stride, i);
        first[k + 1] = variant;
    }
    free(rows);
    gp_store_close(store);
    return gp_par_agree(par, err);
}

static int set_up(gp_err *err) {
    gp_text name = {0};
    if (gp_par_rank(par) == 0 && scratch_make(NULL) == 0)
        gp_text_print(&name, err, "%s/c.h5", scratch_folder);
    if (gp_par_agree(par, err) == GP_OK && gp_par_share_text(par, &name, err) == GP_OK)
        snprintf(path, sizeof path, "%s", name.bytes);
    gp_text_free(&name);
    if (err->code == GP_OK && gp_par_rank(par) == 0)
        simulate(err);
    return gp_par_agree(par, err) == GP_OK ? read_calls(err) : err->code;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    job.par = par;
    if (!only_rank_0_reports(gp_par_rank(par)) || set_up(&err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_variants_of_a_ranks_samples_are_loaded),
        cmocka_unit_test(some_variants_some_swapped_some_missing_are_loaded_in_any_order),
        cmocka_unit_test(any_range_of_samples_may_be_asked_for_and_none),
        cmocka_unit_test(memory_that_is_refused_on_one_rank_ends_all),
        cmocka_unit_test(an_error_of_one_rank_ends_all),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_agree(par, &err);
    if (gp_par_rank(par) == 0)
        scratch_remove(NULL);
    free(calls);
    gp_par_close(par);
    return failures;
}
