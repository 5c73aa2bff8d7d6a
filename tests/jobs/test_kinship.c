/* Relationship matrices: made from a store by all ranks, read back onto their grid, against sums
 * taken one by one. */
#include "jobs/kinship.h"
#include "jobs/simulation.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

#include <math.h>

enum { N = 333, M = 400, CHROMOSOMES = 3 };

static gp_par *par;
static gp_sink sink;
static gp_job job = {.sink = &sink};
static char folder[300]; /* one for all ranks */
static int8_t *calls;    /* [M x N] as in the store */
static int64_t first_of[CHROMOSOMES + 1];
static char said[2000]; /* warnings */

static const char *in_folder(const char *name) {
    static char path[4][400];
    static int turn;
    char *to = path[turn++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static void remember(void *context, int level, const char *line) {
    (void)context;
    if (level == GP_WARN)
        snprintf(said, sizeof said, "%s", line);
}

/* ---- a run ---- */

typedef struct run {
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
} run;

static int run_open(run *r, gp_err *err) {
    const gp_cohort_options everybody = {0};
    const gp_selection_options everything = {.filter = {NAN, NAN, NAN, NAN}};
    *r = (run){0};
    gp_store_open(&r->store, in_folder("c.h5"), err);
    if (gp_par_agree(par, err) == GP_OK &&
        gp_cohort_load(&job, &everybody, r->store, &r->cohort, err) == GP_OK)
        gp_selection_load(&job, &everything, r->store, &r->selection, err);
    return err->code;
}

static void run_close(run *r) {
    gp_selection_free(&r->selection);
    gp_cohort_free(&r->cohort);
    gp_store_close(r->store);
}

static int make(run *r, const char *name, int centred, int chromosomes, gp_err *err) {
    gp_kinship_plan plan = {.path = in_folder(name),
                            .centred = centred,
                            .chromosomes = chromosomes,
                            .store = r->store,
                            .cohort = &r->cohort,
                            .selection = &r->selection};
    return gp_kinship_make(&job, &plan, err);
}

static int is_kept(int some, int64_t i) {
    return !some || (i % 7 != 3 && i != N - 1);
}

/* Leaves some samples out. */
static void keep_some(run *r) {
    for (int64_t i = 0; i < N; i++)
        r->cohort.kept[i] = (uint8_t)is_kept(1, i);
}

/* ---- what is expected ---- */

/* The relationship of two samples, where `some` or all samples are kept, without the variants of a
 * chromosome. */
static double expected(int some, int centred, int64_t except, int64_t a, int64_t b) {
    double sum = 0;
    int64_t variants = 0;
    static double mean[2][M], weight[2][M];
    static int known[2];
    for (int64_t v = 0; v < M && !known[some]; v++) {
        int64_t called = 0, copies = 0;
        for (int64_t i = 0; i < N; i++)
            if (is_kept(some, i) && calls[v * N + i] != 3) {
                called++;
                copies += calls[v * N + i];
            }
        double p = (double)copies / (double)called / 2;
        mean[some][v] = 2 * p;
        weight[some][v] = copies > 0 && copies < 2 * called ? 1 / (2 * p * (1 - p)) : 0;
    }
    known[some] = 1;
    for (int64_t v = 0; v < M; v++) {
        int left_out = except >= 0 && v >= first_of[except] && v < first_of[except + 1];
        if (weight[some][v] == 0 || left_out)
            continue;
        variants++;
        double x = calls[v * N + a], y = calls[v * N + b], mu = mean[some][v];
        if (x != 3 && y != 3)
            sum += (x - mu) * (y - mu) * (centred ? 1 : weight[some][v]);
    }
    return sum / (double)variants;
}

/* Loads a matrix of chosen samples, and looks at every element here. 1 where they are within
 * tolerance. */
static int loads(const gp_kinship *k, const int64_t *sample, int64_t n, int64_t except,
                 double (*element)(const void *, int64_t, int64_t), const void *context) {
    gp_err err = {0};
    gp_par_grid *grid = NULL;
    gp_dense a = {0};
    double worst = 0;
    int64_t seen = 0;
    if (gp_par_grid_open(par, &grid, &err) != GP_OK ||
        gp_dense_init(&a, par, grid, n, &err) != GP_OK ||
        gp_kinship_load(&job, k, sample, except, &a, &err) != GP_OK)
        print_error("%s\n", err.text);
    for (int64_t r = 0; err.code == GP_OK && r < a.layout.local_rows; r++)
        for (int64_t c = 0; c < a.layout.local_columns; c++) {
            int64_t row = gp_layout_row_place(&a.layout, r),
                    column = gp_layout_column_place(&a.layout, c);
            if (row < column)
                continue;
            double theirs = element(context, sample[gp_layout_sample(&a.layout, row)],
                                    sample[gp_layout_sample(&a.layout, column)]);
            worst = fmax(worst, fabs(a.value[c * a.lead + r] - theirs));
            seen++;
        }
    gp_dense_free(&a);
    gp_par_grid_close(grid);
    gp_par_sum(par, &seen, 1, &err);
    /* 4 digits: 4.3e-9 / sqrt(m), and sqrt(mean weight) times as much on the diagonal. */
    return err.code == GP_OK && seen == n * (n + 1) / 2 && worst < 1e-7;
}

typedef struct of_the_store {
    int some, centred;
    int64_t except;
} of_the_store;

static double element_of_the_store(const void *context, int64_t a, int64_t b) {
    const of_the_store *o = context;
    return expected(o->some, o->centred, o->except, a, b);
}

/* ---- tests ---- */

static void a_matrix_that_was_made_is_read_back_onto_the_grid(void **state) {
    (void)state;
    for (int form = 0; form < 4; form++) {
        gp_err err = {0};
        run r;
        gp_kinship k = {.chromosomes = 1};
        of_the_store of = {.some = form & 1, .centred = form >> 1, .except = GP_GRM_WHOLE};
        int64_t sample[N], n = 0;
        assert_all(run_open(&r, &err) == GP_OK);
        if (of.some)
            keep_some(&r);
        assert_all(make(&r, "m.h5", of.centred, form == 1, &err) == GP_OK);
        assert_all(gp_kinship_open(&job, in_folder("m.h5"), &r.cohort, &k, &err) == GP_OK);
        for (int64_t i = 0; i < N; i++)
            if (is_kept(of.some, i))
                sample[n++] = i;
        assert_all(gp_kinship_chromosome(&k, "2") == (form == 1 ? 1 : GP_GRM_WHOLE));
        assert_all(gp_kinship_chromosome(&k, "X") == GP_GRM_WHOLE);
        assert_all(loads(&k, sample, n, GP_GRM_WHOLE, element_of_the_store, &of));
        for (of.except = 0; form == 1 && of.except < CHROMOSOMES; of.except++)
            assert_all(loads(&k, sample, n, of.except, element_of_the_store, &of));
        of.except = GP_GRM_WHOLE;
        /* Those with a phenotype, say. */
        int64_t few = 0;
        for (int64_t i = 0; i < n; i++)
            if (i % 3 != 1)
                sample[few++] = sample[i];
        assert_all(loads(&k, sample, few, GP_GRM_WHOLE, element_of_the_store, &of));
        assert_all(loads(&k, sample, 2, GP_GRM_WHOLE, element_of_the_store, &of));
        gp_kinship_close(&k);
        run_close(&r);
    }
}

static void samples_that_a_matrix_does_not_have_are_left_out_and_said(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    gp_kinship k = {.chromosomes = 1};
    assert_all(run_open(&r, &err) == GP_OK);
    keep_some(&r);
    assert_all(make(&r, "m.h5", 1, 0, &err) == GP_OK);
    memset(r.cohort.kept, 1, N);
    r.cohort.kept[10] = 0; /* is left out anyway */
    assert_all(gp_kinship_open(&job, in_folder("m.h5"), &r.cohort, &k, &err) == GP_OK);
    int64_t out = 0;
    for (int64_t i = 0; i < N; i++)
        out += !is_kept(1, i);
    assert_all(k.missing == out - 1 && gp_cohort_kept(&r.cohort) == N - out);
    assert_all(strstr(said, "are not in it and are left out") != NULL);
    gp_kinship_close(&k);
    /* None is left. */
    for (int64_t i = 0; i < N; i++)
        r.cohort.kept[i] = (uint8_t)!is_kept(1, i);
    assert_all(gp_kinship_open(&job, in_folder("m.h5"), &r.cohort, &k, &err) == GP_EINPUT);
    assert_all(strstr(err.text, "has none of the") != NULL);
    gp_kinship_close(&k);
    run_close(&r);
}

/* ---- other programs' files ---- */

/* Exact in single precision. */
static double made_up(const void *context, int64_t a, int64_t b) {
    (void)context;
    int64_t i = a > b ? a : b, j = a > b ? b : a;
    return (double)(int64_t)(number_of(3, i, j, 0) >> 50) / 1024 + (i == j) * 16;
}

/* Sample number of a GCTA file's row: not the store's order, and some are missing. */
static int64_t sample_of_row(int64_t row) {
    return (row * 100 + 17) % N;
}

static int write_gcta(int64_t n, int64_t twice, const gp_samples *samples) {
    FILE *bin = fopen(in_folder("g.grm.bin"), "wb"), *id = fopen(in_folder("g.grm.id"), "w");
    FILE *count = fopen(in_folder("g.grm.N.bin"), "wb");
    if (bin == NULL || id == NULL || count == NULL)
        return 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t s = sample_of_row(i == twice ? i - 1 : i);
        fprintf(id, "%s\t%s\n", gp_samples_fid(samples, s), gp_samples_iid(samples, s));
        for (int64_t j = 0; j <= i; j++) {
            float x[2] = {(float)made_up(NULL, s, sample_of_row(j)), 100};
            fwrite(&x[0], sizeof x[0], 1, bin);
            fwrite(&x[1], sizeof x[1], 1, count);
        }
    }
    return (fclose(bin) | fclose(id) | fclose(count)) == 0;
}

static int on_rank_0(int done) {
    gp_err err = {0};
    if (!done)
        gp_err_set(&err, GP_EFAIL, "a file of the test");
    return gp_par_agree(par, &err) == GP_OK;
}

static void a_matrix_of_gcta_in_another_order_is_joined_by_ids(void **state) {
    (void)state;
    enum { ROWS = N - 20 };
    gp_err err = {0};
    run r;
    gp_kinship k = {.chromosomes = 1};
    int64_t sample[N], n = 0;
    assert_all(run_open(&r, &err) == GP_OK);
    assert_all(on_rank_0(gp_par_rank(par) != 0 || write_gcta(ROWS, -1, &r.cohort.samples)));
    assert_all(gp_kinship_open(&job, in_folder("g.grm.bin"), &r.cohort, &k, &err) == GP_OK);
    assert_all(k.missing == N - ROWS);
    for (int64_t i = 0; i < N; i++)
        if (r.cohort.kept[i])
            sample[n++] = i;
    assert_all(n == ROWS);
    assert_all(loads(&k, sample, n, GP_GRM_WHOLE, made_up, NULL));
    gp_kinship_close(&k);
    assert_all(on_rank_0(gp_par_rank(par) != 0 || write_gcta(ROWS, 9, &r.cohort.samples)));
    assert_all(gp_kinship_open(&job, in_folder("g.grm.bin"), &r.cohort, &k, &err) == GP_EINPUT);
    assert_all(strstr(err.text, "is there twice, in rows 9 and 10") != NULL);
    gp_kinship_close(&k);
    run_close(&r);
}

/* One element may be another word. */
static int write_text(int64_t n, const char *last) {
    FILE *text = fopen(in_folder("k.txt"), "w");
    if (text == NULL)
        return 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            if (i == n - 1 && j == n - 1 && last != NULL)
                fprintf(text, "%s\n", last);
            else
                fprintf(text, "%.10g%c", made_up(NULL, i, j), j == n - 1 ? '\n' : '\t');
        }
    return fclose(text) == 0;
}

static void a_matrix_as_text_is_joined_by_the_order_of_the_store(void **state) {
    (void)state;
    gp_err err = {0}, other = {0}, infinite = {0};
    run r;
    gp_kinship k = {.chromosomes = 1};
    gp_par_grid *grid = NULL;
    gp_dense a = {0};
    int64_t sample[N];
    for (int64_t i = 0; i < N; i++)
        sample[i] = i;
    assert_all(run_open(&r, &err) == GP_OK);
    assert_all(on_rank_0(gp_par_rank(par) != 0 || write_text(N, NULL)));
    assert_all(gp_kinship_open(&job, in_folder("k.txt"), &r.cohort, &k, &err) == GP_OK);
    assert_all(k.missing == 0);
    assert_all(loads(&k, sample, N, GP_GRM_WHOLE, made_up, NULL));
    assert_all(loads(&k, sample + 100, N - 100, GP_GRM_WHOLE, made_up, NULL));
    gp_kinship_close(&k);
    assert_all(on_rank_0(gp_par_rank(par) != 0 || write_text(N - 1, NULL)));
    assert_all(gp_kinship_open(&job, in_folder("k.txt"), &r.cohort, &k, &other) == GP_EINPUT);
    assert_all(strstr(other.text, "332 rows without sample ids, and the store has 333 samples") !=
               NULL);
    gp_kinship_close(&k);
    assert_all(on_rank_0(gp_par_rank(par) != 0 || write_text(N, "inf")));
    gp_par_grid_open(par, &grid, &err);
    assert_all(gp_dense_init(&a, par, grid, N, &err) == GP_OK);
    if (gp_kinship_open(&job, in_folder("k.txt"), &r.cohort, &k, &infinite) == GP_OK)
        gp_kinship_load(&job, &k, sample, GP_GRM_WHOLE, &a, &infinite);
    assert_all(infinite.code == GP_EINPUT && strstr(infinite.text, "k.txt") != NULL);
    gp_dense_free(&a);
    gp_par_grid_close(grid);
    gp_kinship_close(&k);
    run_close(&r);
}

/* ---- faults ---- */

static int flip_byte(const char *path, long from_end) {
    FILE *file = fopen(path, "r+b");
    int byte;
    if (file == NULL || fseek(file, -from_end, SEEK_END) != 0 || (byte = fgetc(file)) == EOF ||
        fseek(file, -1, SEEK_CUR) != 0)
        return 0;
    fputc(byte ^ 4, file);
    return fclose(file) == 0;
}

static void a_damaged_matrix_is_refused(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    gp_kinship k = {.chromosomes = 1};
    assert_all(run_open(&r, &err) == GP_OK);
    assert_all(make(&r, "m.h5", 0, 1, &err) == GP_OK);
    assert_all(on_rank_0(gp_par_rank(par) != 0 || flip_byte(in_folder("m.h5"), (long)N * N * 3)));
    assert_all(gp_kinship_open(&job, in_folder("m.h5"), &r.cohort, &k, &err) == GP_EINPUT);
    assert_all(strstr(err.text, "do not add up to their check") != NULL);
    gp_kinship_close(&k);
    run_close(&r);
}

static void samples_of_another_cohort_are_refused(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    gp_kinship k = {.chromosomes = 1};
    assert_all(run_open(&r, &err) == GP_OK);
    assert_all(make(&r, "m.h5", 0, 0, &err) == GP_OK);
    gp_samples others = {0};
    for (int64_t i = 0; i < N; i++) {
        char id[32];
        snprintf(id, sizeof id, "other%lld", (long long)i);
        gp_sample one = {id, id, "0", "0", 0};
        gp_samples_add(&others, &one, &err);
    }
    gp_samples_free(&r.cohort.samples);
    r.cohort.samples = others;
    assert_all(gp_kinship_open(&job, in_folder("m.h5"), &r.cohort, &k, &err) == GP_EINPUT);
    assert_all(strstr(err.text, "no sample in common with the store") != NULL);
    assert_all(strstr(err.text, "other0 other0, other1 other1") != NULL);
    gp_kinship_close(&k);
    run_close(&r);
}

static void too_little_is_refused_with_the_reason(void **state) {
    (void)state;
    gp_err err = {0}, none = {0}, lone = {0};
    run r;
    assert_all(run_open(&r, &err) == GP_OK);
    r.selection.filter.mac = 1e9;
    assert_all(make(&r, "none.h5", 0, 0, &none) == GP_EINPUT);
    assert_all(strstr(none.text,
                      "no variant is left for a relationship matrix; 400 left out: below --mac") !=
               NULL);
    memset(r.cohort.kept, 0, N);
    r.cohort.kept[5] = 1;
    assert_all(make(&r, "none.h5", 0, 0, &lone) == GP_EINPUT);
    assert_all(strstr(lone.text, "1 sample is left") != NULL);
    assert_all(access(in_folder("none.h5"), F_OK) != 0);
    run_close(&r);
}

/* Makes a matrix and loads it. */
static int work(run *r, gp_err *err) {
    gp_kinship k = {.chromosomes = 1};
    gp_par_grid *grid = NULL;
    gp_dense a = {0};
    int64_t sample[N];
    for (int64_t i = 0; i < N; i++)
        sample[i] = i;
    if (make(r, "f.h5", 0, 1, err) == GP_OK &&
        gp_kinship_open(&job, in_folder("f.h5"), &r->cohort, &k, err) == GP_OK &&
        gp_par_grid_open(par, &grid, err) == GP_OK && gp_dense_init(&a, par, grid, N, err) == GP_OK)
        gp_kinship_load(&job, &k, sample, 0, &a, err);
    gp_dense_free(&a);
    gp_par_grid_close(grid);
    gp_kinship_close(&k);
    return err->code;
}

static void memory_that_is_refused_on_one_rank_ends_all(void **state) {
    (void)state;
    gp_err err = {0};
    run r;
    assert_all(run_open(&r, &err) == GP_OK);
    int bad = gp_par_size(par) - 1;
    /* All of them on one and two ranks; on more, which take seconds a round, a share. */
    int64_t step = bad > 1 ? bad + 1 : 1;
    for (int64_t k = 1;; k += step) {
        gp_err refused = {0};
        if (gp_par_rank(par) == bad)
            gp_mem_fail_at(k);
        int code = work(&r, &refused);
        gp_mem_fail_at(0);
        assert_all(code == refused.code);
        if (code == GP_OK)
            break;
        assert_all(code == GP_EFAIL && strstr(refused.text, "memory") != NULL);
        assert_all(k < 1000);
    }
    run_close(&r);
    if (gp_par_rank(par) == 0) {
        unlink(in_folder("f.h5"));
        assert_int_equal(access(in_folder("f.h5.tmp"), F_OK), -1);
    }
}

/* ---- the cohort ---- */

static int simulate(gp_err *err) {
    const gp_simulation_options ask = {.out = in_folder("c"),
                                       .samples = N,
                                       .variants = M,
                                       .chromosomes = CHROMOSOMES,
                                       .populations = 2,
                                       .relatives = 0.2,
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
        gp_store_open(&store, in_folder("c.h5"), err);
    for (int64_t k = 0; err->code == GP_OK && k < CHROMOSOMES; k++) {
        int64_t count = gp_store_chromosome(store, k)->count;
        gp_store_read_genotypes(store, k, 0, count, 0, N, rows, err);
        for (int64_t j = 0; j < count; j++, variant++)
            for (int64_t i = 0; i < N; i++)
                calls[variant * N + i] = (int8_t)gp_geno_get(rows + j * stride, i);
        first_of[k + 1] = variant;
    }
    free(rows);
    gp_store_close(store);
    return gp_par_agree(par, err);
}

static int set_up(gp_err *err) {
    gp_text name = {0};
    if (gp_par_rank(par) == 0 && scratch_make(NULL) == 0)
        gp_text_print(&name, err, "%s", scratch_folder);
    if (gp_par_agree(par, err) == GP_OK && gp_par_share_text(par, &name, err) == GP_OK)
        snprintf(folder, sizeof folder, "%s", name.bytes);
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
    sink.say = remember;
    if (!only_rank_0_reports(gp_par_rank(par)) || set_up(&err) != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_that_was_made_is_read_back_onto_the_grid),
        cmocka_unit_test(samples_that_a_matrix_does_not_have_are_left_out_and_said),
        cmocka_unit_test(a_matrix_of_gcta_in_another_order_is_joined_by_ids),
        cmocka_unit_test(a_matrix_as_text_is_joined_by_the_order_of_the_store),
        cmocka_unit_test(a_damaged_matrix_is_refused),
        cmocka_unit_test(samples_of_another_cohort_are_refused),
        cmocka_unit_test(too_little_is_refused_with_the_reason),
        cmocka_unit_test(memory_that_is_refused_on_one_rank_ends_all),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_agree(par, &err);
    if (gp_par_rank(par) == 0)
        scratch_remove(NULL);
    free(calls);
    gp_par_close(par);
    return failures;
}
