#include "io/file.h"
#include "io/grm.h"
#include "jobs/parallel_file.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { N = 301, CHROMOSOMES = 3 };

static gp_par *par;
static gp_job job;
static char folder[300]; /* one for all ranks */

static const char *in_folder(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static double element(int64_t matrix, int64_t i, int64_t j) {
    return (double)(int64_t)number_of(7, matrix, i, j) * 0x1p-40;
}

static const char *fid[N], *iid[N], *chromosome[CHROMOSOMES] = {"1", "22", "chrX"};
static char names[N][2][16];

static gp_grm_about about_of_the_test(void) {
    for (int i = 0; i < N; i++) {
        snprintf(names[i][0], sizeof names[i][0], "F%d", i / 2);
        snprintf(names[i][1], sizeof names[i][1], "I%d", i);
        fid[i] = names[i][0];
        iid[i] = names[i][1];
    }
    return (gp_grm_about){.form = "centred",
                          .store_digest = "0123456789abcdef0123456789abcdef",
                          .filters = "maf 0.01\n",
                          .n = N,
                          .fid = fid,
                          .iid = iid,
                          .chromosomes = CHROMOSOMES,
                          .chromosome = chromosome};
}

/* Whose run (row, piece) is. */
static int owner(int64_t row, int64_t piece, int ranks) {
    return (int)(number_of(11, row, piece, 0) % (uint64_t)ranks);
}

/* Writes this rank's runs of all matrices, and adds up their checks. */
static int write_runs(gp_grm_writer *writer, int rank, int ranks, int64_t *check, gp_err *err) {
    enum { PIECE = 37 };
    double value[PIECE];
    for (int64_t m = 0; m <= CHROMOSOMES; m++)
        for (int64_t i = 0; i < N; i++)
            for (int64_t first = 0; first <= i; first += PIECE) {
                int64_t count = i + 1 - first < PIECE ? i + 1 - first : PIECE;
                if (owner(i, first, ranks) != rank)
                    continue;
                for (int64_t k = 0; k < count; k++) {
                    value[k] = element(m, i, first + k);
                    check[m] = (int64_t)((uint64_t)check[m] + gp_grm_check(i, first + k, value[k]));
                }
                if (gp_grm_write(writer, m - 1, i, first, count, value, err) != GP_OK)
                    return err->code;
            }
    return GP_OK;
}

/* Writes the test's matrices: on all ranks, or (alone) on rank 0 without MPI. */
static int write_file(const char *path, int alone) {
    static const int64_t variants[1 + CHROMOSOMES] = {60, 10, 20, 30};
    gp_err err = {0};
    gp_grm_writer *writer = NULL;
    gp_grm_about about = about_of_the_test();
    int64_t check[1 + CHROMOSOMES] = {0}, access = 0;
    int rank = gp_par_rank(par), size = alone ? 1 : gp_par_size(par);
    if (!alone)
        access = gp_parallel_access(&job, &err);
    if (!alone || rank == 0)
        gp_grm_create(&writer, path, &about, rank == 0, &err);
    if (gp_par_agree(par, &err) == GP_OK && (!alone || rank == 0))
        gp_grm_join(writer, access, &err);
    if (gp_par_agree(par, &err) == GP_OK && (!alone || rank == 0))
        write_runs(writer, rank, size, check, &err);
    if (gp_par_agree(par, &err) == GP_OK)
        gp_par_sum(par, check, 1 + CHROMOSOMES, &err);
    if (err.code == GP_OK && (!alone || rank == 0))
        gp_grm_leave(writer, variants, (const uint64_t *)check, &err);
    gp_par_agree(par, &err);
    gp_grm_finish(writer, err.code == GP_OK, &err);
    gp_parallel_access_close(access);
    return gp_par_agree(par, &err);
}

static int same_bytes(const char *a, const char *b) {
    gp_err err = {0};
    char hex[2][33] = {"a", "b"};
    gp_io_md5_file(a, hex[0], &err);
    gp_io_md5_file(b, hex[1], &err);
    return err.code == GP_OK && strcmp(hex[0], hex[1]) == 0;
}

static void files_of_all_ranks_and_of_one_process_have_the_same_bytes(void **state) {
    (void)state;
    char parallel[400], alone[400];
    snprintf(parallel, sizeof parallel, "%s", in_folder("all.h5"));
    snprintf(alone, sizeof alone, "%s", in_folder("one.h5"));
    assert_all(write_file(parallel, 0) == GP_OK);
    assert_all(write_file(alone, 1) == GP_OK);
    assert_all(same_bytes(parallel, alone));
    assert_all(access(in_folder("all.h5.tmp"), F_OK) != 0);
}

/* Reads a whole matrix row by row against its elements and its check. */
static int reads_back(gp_grm *grm, int64_t m) {
    double row[N];
    gp_err err = {0};
    uint64_t sum = 0, stored = 1;
    for (int64_t i = 0; i < N; i++) {
        if (gp_grm_read(grm, m - 1, i, 0, i + 1, row, &err) != GP_OK)
            return 0;
        for (int64_t j = 0; j <= i; j++) {
            if (row[j] != element(m, i, j))
                return 0;
            sum += gp_grm_check(i, j, row[j]);
        }
    }
    return gp_grm_stored_check(grm, m - 1, &stored) && stored == sum;
}

static void every_rank_reads_what_all_ranks_wrote(void **state) {
    (void)state;
    gp_err err = {0};
    gp_grm *grm = NULL;
    assert_all(write_file(in_folder("all.h5"), 0) == GP_OK);
    assert_all(gp_grm_open(&grm, in_folder("all.h5"), &err) == GP_OK);
    const gp_grm_about *about = gp_grm_about_of(grm);
    assert_all(about->n == N && about->chromosomes == CHROMOSOMES && about->variants == 60);
    for (int64_t m = 0; m <= CHROMOSOMES; m++)
        assert_all(reads_back(grm, m));
    gp_grm_close(grm);
}

/* For each rank in turn: it fails while the others write. */
static void nothing_is_left_where_a_rank_fails(void **state) {
    (void)state;
    gp_grm_about about = about_of_the_test();
    for (int failing = 0; failing < gp_par_size(par); failing++) {
        gp_err err = {0}, ignored = {0};
        gp_grm_writer *writer = NULL;
        int64_t access_list = gp_parallel_access(&job, &err), check[1 + CHROMOSOMES] = {0};
        gp_grm_create(&writer, in_folder("failed.h5"), &about, gp_par_rank(par) == 0, &err);
        assert_all(gp_par_agree(par, &err) == GP_OK);
        gp_grm_join(writer, access_list, &err);
        assert_all(gp_par_agree(par, &err) == GP_OK);
        if (gp_par_rank(par) == failing)
            gp_err_set(&err, GP_EINPUT, "bad luck");
        else
            write_runs(writer, gp_par_rank(par), gp_par_size(par), check, &err);
        assert_all(gp_par_agree(par, &err) == GP_EINPUT);
        gp_grm_leave(writer, NULL, NULL, &ignored);
        gp_grm_finish(writer, 0, &ignored);
        gp_parallel_access_close(access_list);
        assert_all(gp_par_agree(par, &ignored) == GP_OK); /* all are done */
        assert_all(access(in_folder("failed.h5.tmp"), F_OK) != 0);
        assert_all(access(in_folder("failed.h5"), F_OK) != 0);
    }
}

/* A disk that takes no more, for each rank in turn, after the room for the file was found: HDF5
 * must come through it, too. */
static void a_disk_that_refuses_on_one_rank_is_reported(void **state) {
    (void)state;
    gp_grm_about about = about_of_the_test();
    signal(SIGXFSZ, SIG_IGN);
    for (int failing = 0; failing < gp_par_size(par); failing++) {
        gp_err err = {0}, ignored = {0};
        gp_grm_writer *writer = NULL;
        struct rlimit none, small;
        int64_t access_list = gp_parallel_access(&job, &err), check[1 + CHROMOSOMES] = {0};
        gp_grm_create(&writer, in_folder("full.h5"), &about, gp_par_rank(par) == 0, &err);
        assert_all(gp_par_agree(par, &err) == GP_OK);
        gp_grm_join(writer, access_list, &err);
        assert_all(gp_par_agree(par, &err) == GP_OK);
        getrlimit(RLIMIT_FSIZE, &none);
        small = (struct rlimit){500000, none.rlim_max};
        if (gp_par_rank(par) == failing)
            setrlimit(RLIMIT_FSIZE, &small);
        write_runs(writer, gp_par_rank(par), gp_par_size(par), check, &err);
        setrlimit(RLIMIT_FSIZE, &none);
        assert_all((err.code == GP_EFAIL) == (gp_par_rank(par) == failing));
        assert_all(gp_par_agree(par, &err) == GP_EFAIL);
        assert_all(strstr(err.text, "full.h5: cannot be written: ") != NULL);
        gp_grm_leave(writer, NULL, NULL, &ignored);
        gp_grm_finish(writer, 0, &ignored);
        gp_parallel_access_close(access_list);
        assert_all(gp_par_agree(par, &ignored) == GP_OK); /* all are done */
        assert_all(access(in_folder("full.h5.tmp"), F_OK) != 0);
    }
}

/* Rank 0 makes a folder and tells its name. */
static int make_folder(void) {
    gp_err err = {0};
    gp_text name = {0};
    if (gp_par_rank(par) == 0) {
        const char *base = getenv("TMPDIR");
        gp_text_print(&name, &err, "%s/gp-parallel-XXXXXX", base ? base : "/tmp");
        if (mkdtemp(name.bytes) == NULL)
            gp_err_set(&err, GP_EFAIL, "no folder");
    }
    if (gp_par_agree(par, &err) == GP_OK && gp_par_share_text(par, &name, &err) == GP_OK)
        snprintf(folder, sizeof folder, "%s", name.bytes);
    gp_text_free(&name);
    return err.code;
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    job.par = par;
    if (!only_rank_0_reports(gp_par_rank(par)) || make_folder() != GP_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_all_ranks_and_of_one_process_have_the_same_bytes),
        cmocka_unit_test(every_rank_reads_what_all_ranks_wrote),
        cmocka_unit_test(nothing_is_left_where_a_rank_fails),
        cmocka_unit_test(a_disk_that_refuses_on_one_rank_is_reported),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    gp_par_agree(par, &err);
    if (gp_par_rank(par) == 0) {
        unlink(in_folder("all.h5"));
        unlink(in_folder("one.h5"));
        rmdir(folder);
    }
    gp_par_close(par);
    return failures;
}
