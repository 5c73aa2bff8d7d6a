/* The share of tables that each rank reads, against the positions of all variants. */
#include "io/part.h"
#include "jobs/table_part.h"
#include "src/base/mem.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

enum { CHROMOSOMES = 4, RUN = 500, MOST = 64 };

/* One shorter than a text block, one of several, one that has all variants at one position, and one
 * whose first blocks stand at one position. */
static const int64_t count_of[CHROMOSOMES] = {300, 5000, 2500, 4000};

static int64_t position_of(int chromosome, int64_t j) {
    switch (chromosome) {
    case 0:
        return 10 + j;
    case 1:
        return 1000 + j / 3 * 10;
    case 2:
        return 0;
    default:
        return j < 3000 ? 77 : 77 + j;
    }
}

static gp_par *par;
static gp_sink sink;
static gp_job job = {.sink = &sink};
static gp_store *store;

static void append_chromosome(gp_store_writer *writer, int c, gp_err *err) {
    static char *dot[RUN], name[2] = ".";
    static uint8_t rows[RUN * 16];
    char number[8];
    gp_variants v = {0};
    snprintf(number, sizeof number, "%d", c + 1);
    const gp_chromosome chromosome = {.name = number, .kind = GP_AUTOSOME, .count = count_of[c]};
    gp_store_begin_chromosome(writer, &chromosome, 0, err);
    gp_variants_reserve(&v, RUN, 0, err);
    for (int64_t first = 0; first < count_of[c] && err->code == GP_OK; first += RUN) {
        v.count = count_of[c] - first < RUN ? count_of[c] - first : RUN;
        for (int64_t j = 0; j < v.count; j++) {
            v.position[j] = position_of(c, first + j);
            dot[j] = name;
            v.id[j] = v.ref[j] = v.alt[j] = dot[j];
        }
        gp_store_append(writer, &v, rows, err);
    }
    gp_variants_free(&v);
}

static int write_store(const char *path, gp_err *err) {
    gp_samples samples = {0};
    gp_store_writer *writer = NULL;
    gp_samples_add(&samples, &(gp_sample){"f", "i", "0", "0", 0}, err);
    const gp_store_plan plan = {.samples = &samples, .variants = 11800, .provenance = ""};
    if (gp_store_create(&writer, path, &plan, err) == GP_OK) {
        for (int c = 0; c < CHROMOSOMES; c++)
            append_chromosome(writer, c, err);
        if (err->code == GP_OK)
            gp_store_finish(writer, err);
        else
            gp_store_discard(writer);
    }
    gp_samples_free(&samples);
    return err->code;
}

/* All blocks there are. */
static int64_t expect_all(gp_table_region *region) {
    int64_t count = 0;
    for (int c = 0; c < CHROMOSOMES; c++)
        for (int64_t j = 0; j < count_of[c]; j += GP_TEXT_BLOCK) {
            int last = j + GP_TEXT_BLOCK >= count_of[c];
            gp_table_region r = {c, j, j == 0 ? 0 : position_of(c, j),
                                 last ? INT64_MAX : position_of(c, j + GP_TEXT_BLOCK) - 1};
            if (r.first <= r.last)
                region[count++] = r;
        }
    return count;
}

static int same_region(const gp_table_region *a, const gp_table_region *b) {
    return a->chromosome == b->chromosome && a->variant == b->variant && a->first == b->first &&
           a->last == b->last;
}

static void the_ranks_blocks_together_are_all_blocks_in_order(void **state) {
    (void)state;
    gp_err err = {0};
    gp_table_parts parts = {0};
    gp_table_region all[MOST];
    int64_t count = expect_all(all), before = 0;
    assert_all(gp_table_parts_init(&job, store, &parts, &err) == GP_OK);
    gp_par_sum_before(par, &parts.count, &before, 1, &err);
    int ok = before + parts.count <= count;
    for (int64_t k = 0; ok && k < parts.count; k++)
        ok = same_region(&parts.region[k], &all[before + k]);
    int64_t total = parts.count, most = parts.count;
    gp_par_sum(par, &total, 1, &err);
    gp_par_max(par, &most, 1, &err);
    assert_all(ok && total == count && err.code == GP_OK);
    gp_table_parts_free(&parts);
}

static void every_position_is_of_one_block(void **state) {
    (void)state;
    gp_err err = {0};
    gp_table_parts parts = {0};
    assert_all(gp_table_parts_init(&job, store, &parts, &err) == GP_OK);
    for (int c = 0; c < CHROMOSOMES; c++)
        for (int64_t position = 0; position < 20000; position += position < 100 ? 1 : 10) {
            int64_t found = 0;
            for (int64_t k = 0; k < parts.count; k++) {
                const gp_table_region *r = &parts.region[k];
                found += r->chromosome == c && r->first <= position && position <= r->last;
            }
            gp_par_sum(par, &found, 1, &err);
            assert_all(found == 1);
        }
    gp_table_parts_free(&parts);
}

static void memory_refused_on_any_one_rank_ends_it_on_all(void **state) {
    (void)state;
    for (int rank = 0; rank < gp_par_size(par); rank++)
        for (int64_t k = 1; k <= 5; k++) {
            gp_err err = {0};
            gp_table_parts parts = {0};
            gp_mem_fail_at(gp_par_rank(par) == rank ? k : 0);
            int code = gp_table_parts_init(&job, store, &parts, &err);
            gp_mem_fail_at(0);
            assert_all(code == err.code && (code == GP_OK || strstr(err.text, "memory") != NULL));
            assert_all(code == GP_EFAIL || k > 1);
            gp_table_parts_free(&parts);
        }
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    int rank = gp_par_rank(par), failed = 1;
    gp_text shared = {0};
    job.par = par;
    if (rank == 0 && scratch_make(NULL) == 0) {
        gp_text_print(&shared, &err, "%s", scratch("c.h5"));
        write_store(shared.bytes, &err);
    }
    if (gp_par_agree(par, &err) == GP_OK && gp_par_share_text(par, &shared, &err) == GP_OK)
        gp_store_open(&store, shared.bytes, &err);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ranks_blocks_together_are_all_blocks_in_order),
        cmocka_unit_test(every_position_is_of_one_block),
        cmocka_unit_test(memory_refused_on_any_one_rank_ends_it_on_all),
    };
    if (gp_par_agree(par, &err) != GP_OK)
        print_error("%s\n", err.text);
    else if (only_rank_0_reports(rank))
        failed = cmocka_run_group_tests_name("table_part", tests, NULL, NULL);
    gp_store_close(store);
    gp_text_free(&shared);
    gp_par_agree(par, &err);
    if (rank == 0) {
        scratch_clear(NULL);
        scratch_remove(NULL);
    }
    gp_par_close(par);
    return failed;
}
