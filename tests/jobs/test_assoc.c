/* assoc with every allocation refused in turn, on one rank of several; offsets that a rank does not
 * need; lists of names. */
#include "jobs/assoc_options.h"
#include "jobs/offset.h"
#include "jobs/simulation.h"
#include "jobs/words.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

#include <math.h>

extern const gp_command gp_command_assoc;

enum { N = 90, M = 140, CHROMOSOMES = 2, LINE = 400 };

static gp_par *par;
static gp_sink sink;
static gp_job job = {.sink = &sink};
static char folder[512];

static const char *in_folder(const char *name) {
    static char path[8][600];
    static int turn;
    char *to = path[turn++ % 8];
    snprintf(to, sizeof path[0], "%s/%s", folder, name);
    return to;
}

static int simulate(void) {
    static char prefix[600];
    gp_err err = {0};
    snprintf(prefix, sizeof prefix, "%s", in_folder("c"));
    gp_simulation_options ask = {.out = prefix,
                                 .samples = N,
                                 .variants = M,
                                 .chromosomes = CHROMOSOMES,
                                 .populations = 2,
                                 .missing_rate = 0.02,
                                 .missing_pheno = 0.1,
                                 .traits = 3,
                                 .binary = 1,
                                 .causal = 20,
                                 .heritability = 0.5,
                                 .prevalence = 0.5,
                                 .seed = 3};
    gp_simulation s = {.ask = &ask, .sink = &sink};
    if (gp_simulation_check(&s, &err) == GP_OK)
        gp_simulation_write(&s, &err);
    gp_simulation_free(&s);
    return err.code;
}

/* Offsets for the people of c.pheno.tsv but the third, in two tables; more covariates. Person i's
 * are i for trait1 on the first chromosome, and i - 50 on the second. */
static int write_tables(void) {
    FILE *from = fopen(in_folder("c.pheno.tsv"), "r"), *one = fopen(in_folder("one.tsv"), "w"),
         *two = fopen(in_folder("two.tsv"), "w"), *more = fopen(in_folder("more.tsv"), "w");
    char line[LINE], fid[LINE], iid[LINE];
    int ok = from != NULL && one != NULL && two != NULL && more != NULL;
    for (int i = -1; ok && fgets(line, sizeof line, from) != NULL; i++) {
        if (sscanf(line, "%s %s", fid, iid) != 2)
            return 0;
        if (i < 0)
            fprintf(one, "FID\tIID\ttrait1@1\ttrait1\n");
        else if (i != 2)
            fprintf(one, "%s\t%s\t%d\t%d\n", fid, iid, i, i - 50);
        fprintf(two, i < 0 ? "%s\t%s\ttrait2\ttrait3\n" : "%s\t%s\t0.25\t0.5\n", fid, iid);
        fprintf(more, i < 0 ? "%s\t%s\tx\n" : "%s\t%s\t%d\n", fid, iid, i * i % 17);
    }
    ok = ok && fclose(from) == 0 && fclose(one) == 0 && fclose(two) == 0 && fclose(more) == 0;
    return ok;
}

static void ask(const char *out) {
    static char store[600], pheno[600], covar[1300], offset[1300], to[600];
    snprintf(store, sizeof store, "%s", in_folder("c.h5"));
    snprintf(pheno, sizeof pheno, "%s", in_folder("c.pheno.tsv"));
    snprintf(covar, sizeof covar, "%s,%s", in_folder("c.covar.tsv"), in_folder("more.tsv"));
    snprintf(offset, sizeof offset, "%s,%s", in_folder("one.tsv"), in_folder("two.tsv"));
    snprintf(to, sizeof to, "%s", in_folder(out));
    gp_assoc_values.store = store;
    gp_assoc_values.cohort.pheno = pheno;
    gp_assoc_values.cohort.covar = covar;
    gp_assoc_values.cohort.cat_covar_name = "batch";
    gp_assoc_values.offset = offset;
    gp_assoc_values.offset_name = "trait1,trait3";
    gp_assoc_values.out = to;
}

/* Every one of the first allocations, and later a sample of them. All ranks leave with the same
 * code, none waits, and filters.tsv appears after the tables. */
static void assoc_without_memory_on_one_rank_ends_on_all(void **state) {
    (void)state;
    for (int bad = 0; bad < gp_par_size(par); bad++) {
        char out[16], last[32], table[32];
        int64_t failed = 0;
        snprintf(out, sizeof out, "out%d", bad);
        snprintf(last, sizeof last, "%s/filters.tsv", out);
        snprintf(table, sizeof table, "%s/trait3.tsv.gz", out);
        ask(out);
        for (int64_t k = 1;; k += 1 + k / 15) {
            gp_err err = {0};
            if (gp_par_rank(par) == bad)
                gp_mem_fail_at(k);
            int code = gp_command_assoc.run(&job, &err);
            gp_mem_fail_at(0);
            assert_all(code == err.code);
            if (code == GP_OK)
                break;
            failed++;
            if (code != GP_EFAIL || strstr(err.text, "memory") == NULL)
                print_error("allocation %d on rank %d: status %d, %s\n", (int)k, bad, code,
                            err.text);
            assert_all(code == GP_EFAIL && strstr(err.text, "memory") != NULL);
            assert_all(access(in_folder(last), F_OK) != 0 || access(in_folder(table), F_OK) == 0);
            assert_all(k < 1000000);
        }
        assert_all(failed > 40);
        assert_all(scratch_entries(in_folder(out), 0) == 10); /* 3 tables of 3 files, filters.tsv */
    }
}

/* ---- offsets ---- */

typedef struct people {
    gp_store *store;
    gp_cohort cohort;
    gp_selection selection;
    gp_offsets offsets;
} people;

static void people_load(people *p, const char *table, gp_offset_kind kind, int64_t visited) {
    static char pheno[600], path[600];
    gp_err err = {0};
    snprintf(pheno, sizeof pheno, "%s", in_folder("c.pheno.tsv"));
    snprintf(path, sizeof path, "%s", in_folder(table));
    const gp_cohort_options options = {.pheno = pheno};
    const gp_selection_options all = {.filter = {NAN, NAN, NAN, NAN}};
    const gp_offset_kind kinds[3] = {kind, GP_OFFSET_NONE, GP_OFFSET_NONE};
    uint8_t visits[CHROMOSOMES] = {0};
    *p = (people){0};
    visits[visited] = 1;
    gp_store_open(&p->store, in_folder("c.h5"), &err);
    assert_all(err.code == GP_OK);
    assert_all(gp_cohort_load(&job, &options, p->store, &p->cohort, &err) == GP_OK);
    assert_all(gp_selection_load(&job, &all, p->store, &p->selection, &err) == GP_OK);
    const gp_offsets_input input = {.paths = path,
                                    .store = p->store,
                                    .selection = &p->selection,
                                    .kind = kinds,
                                    .visited = visits};
    assert_all(gp_offsets_load(&job, &input, &p->cohort, &p->offsets, &err) == GP_OK);
}

static void people_free(people *p) {
    gp_offsets_free(&p->offsets);
    gp_offsets_free(&p->offsets);
    gp_selection_free(&p->selection);
    gp_cohort_free(&p->cohort);
    gp_store_close(p->store);
}

static void a_rank_holds_the_offsets_of_its_own_chromosomes(void **state) {
    (void)state;
    for (int64_t visited = 0; visited < CHROMOSOMES; visited++) {
        people p;
        people_load(&p, "one.tsv", GP_OFFSET_UNITS, visited);
        const gp_offset *offset = gp_offset_of(&p.offsets, 0);
        assert_all(offset != NULL && offset->count == 2 && gp_offset_of(&p.offsets, 1) == NULL);
        assert_all(offset->of[0] != offset->of[1]);
        assert_all(offset->value[offset->of[1 - visited]] == NULL);
        assert_all(gp_offsets_bytes(&p.offsets) == 8 * N);
        const double *value = offset->value[offset->of[visited]];
        assert_all(value != NULL && isnan(value[2]));
        /* Who has no offset has no value either, wherever the rank's variants are. */
        assert_all(isnan(p.cohort.trait[0].value[2]));
        for (int64_t i = 3; i < N; i++)
            assert_all(value[i] == (double)(visited == 0 ? i : i - 50));
        people_free(&p);
    }
}

/* Null models are fitted with all of them, by ranks that share the samples. */
static void log_odds_of_other_chromosomes_are_held_in_parts(void **state) {
    (void)state;
    people p;
    people_load(&p, "one.tsv", GP_OFFSET_LOG_ODDS, 0);
    const gp_offset *offset = gp_offset_of(&p.offsets, 0);
    int64_t ranks = gp_par_size(par), first = gp_split_begin(N, 64, ranks, gp_par_rank(par));
    int64_t part = gp_split_begin(N, 64, ranks, gp_par_rank(par) + 1) - first;
    assert_all(offset->value[offset->of[0]] != NULL && offset->value[offset->of[1]] == NULL);
    assert_all(p.offsets.part == part && gp_offsets_bytes(&p.offsets) == 8 * (N + 2 * part));
    int64_t wrong = 0;
    for (int64_t i = first; i < first + part; i++)
        for (int64_t k = 0; k < CHROMOSOMES && i != 2; k++)
            wrong += offset->part[offset->of[k]][i - first] != (double)(i - 50 * k);
    assert_all(wrong == 0);
    gp_offsets_free_parts(&p.offsets);
    assert_all(gp_offsets_bytes(&p.offsets) == 8 * N);
    people_free(&p);
}

/* ---- names ---- */

static void names_are_cut_at_commas(void **state) {
    (void)state;
    gp_words words = {0};
    gp_err err = {0};
    assert_all(gp_words_cut(&words, "a,bc,a b", "--x", &err) == GP_OK && words.count == 3);
    assert_all(strcmp(words.word[0], "a") == 0 && strcmp(words.word[1], "bc") == 0 &&
               strcmp(words.word[2], "a b") == 0);
    gp_words_free(&words);
    assert_all(gp_words_cut(&words, NULL, "--x", &err) == GP_OK && words.count == 0);
    static const char *const bad[] = {"", ",a", "a,", "a,,b", "a,b,a"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        err = (gp_err){0};
        assert_all(gp_words_cut(&words, bad[k], "--x", &err) == GP_EINPUT);
        assert_all(strncmp(err.text, "command line: --x: ", 19) == 0);
        gp_words_free(&words);
    }
}

/* Rank 0 makes the folder; all look into it. */
static int make_folder(void **state) {
    int ok = 1;
    if (gp_par_rank(par) == 0) {
        ok = scratch_make(state) == 0;
        snprintf(folder, sizeof folder, "%s", scratch_folder);
        ok = ok && simulate() == GP_OK && write_tables();
    }
    MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_Bcast(&ok, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return !ok;
}

static int remove_folder(void **state) {
    MPI_Barrier(MPI_COMM_WORLD);
    return gp_par_rank(par) == 0 ? scratch_remove(state) : 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assoc_without_memory_on_one_rank_ends_on_all),
        cmocka_unit_test(a_rank_holds_the_offsets_of_its_own_chromosomes),
        cmocka_unit_test(log_odds_of_other_chromosomes_are_held_in_parts),
        cmocka_unit_test(names_are_cut_at_commas),
    };
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    job.par = par;
    only_rank_0_reports(gp_par_rank(par));
    int failed = cmocka_run_group_tests_name("jobs.assoc", tests, make_folder, remove_folder);
    gp_par_close(par);
    return failed;
}
