/* Clumps of a table over all ranks: the bytes that a plain loop over all pairs of lines gives. */
#include "io/digits.h"
#include "io/file.h"
#include "jobs/hits.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "tests/support/mpi_test.h"
#include "tests/support/scratch.h"

#include <htslib/bgzf.h>
#include <htslib/tbx.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 150, CHROMOSOMES = 3, M = 2700, FIELD = 40 };

static gp_par *par;
static char folder[400];
static char note[1024];
static int8_t call[M][N];
static const int64_t first[CHROMOSOMES + 1] = {0, 2300, 2301, M};
static const gp_chromosome chromosome[CHROMOSOMES] = {
    {"1", GP_AUTOSOME, 2300}, {"2", GP_AUTOSOME, 1}, {"X", GP_X, M - 2301}};
static int64_t position[M];
static char id[M][FIELD];

static void keep_note(void *context, int level, const char *line) {
    (void)context;
    if (level == GP_NOTE)
        snprintf(note, sizeof note, "%s", line);
}

static gp_sink sink = {.say = keep_note};
static gp_job job = {.sink = &sink};

static double uniform(int64_t kind, int64_t a, int64_t b) {
    return (double)(number_of(23, kind, a, b) >> 11) * 0x1p-53;
}

static const char *path_of(const char *name) {
    static char path[4][600];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* ---- the store ---- */

static int chromosome_of(int64_t v) {
    int k = 0;
    while (v >= first[k + 1])
        k++;
    return k;
}

/* Variants copy most of their calls from the one before; some stand at one place, the place where
 * a text block begins among them, and there are two of the same name. */
static void make_variants(void) {
    for (int k = 0; k < CHROMOSOMES; k++)
        for (int64_t v = first[k], at = 10; v < first[k + 1]; v++) {
            int64_t j = v - first[k];
            int stays = (j >= 1018 && j <= 1027) || number_of(1, v, 0, 0) % 9 == 0;
            at += stays ? 0 : 1 + (int64_t)(number_of(2, v, 0, 0) % 400);
            at += number_of(3, v, 0, 0) % 50 == 0 ? 9000 : 0;
            position[v] = at;
            snprintf(id[v], FIELD, number_of(4, v, 0, 0) % 20 == 0 ? "." : "rs%d",
                     (int)(j == 1022 ? v - 1 : v));
            for (int64_t i = 0; i < N; i++) {
                int fresh = j == 0 || uniform(5, v, i) < 0.15;
                int drawn = (uniform(6, v, i) < 0.3) + (uniform(7, v, i) < 0.3);
                call[v][i] = fresh ? (int8_t)drawn : call[v - 1][i];
            }
        }
    for (int64_t v = 0; v < M; v++)
        for (int64_t i = 0; i < N; i++)
            if (v % 3 == 0 && uniform(8, v, i) < 0.05)
                call[v][i] = GP_GENO_MISSING;
    for (int64_t i = 0; i < N; i++)
        call[77][i] = 0; /* does not vary */
}

static int append(gp_store_writer *writer, int k, gp_err *err) {
    gp_variants v = {0};
    int64_t count = first[k + 1] - first[k], stride = gp_geno_stride(N);
    static char a[] = "A", c[] = "C", none[] = ".";
    uint8_t *row = gp_mem_alloc(count, stride, err);
    if (gp_variants_reserve(&v, count, 0, err) == GP_OK && row != NULL) {
        v.count = count;
        for (int64_t j = 0; j < count; j++) {
            v.position[j] = position[first[k] + j];
            v.id[j] = id[first[k] + j];
            v.alt[j] = a;
            v.ref[j] = j % 10 == 3 ? none : c;
            for (int64_t i = 0; i < N; i++)
                gp_geno_set(row + j * stride, i, call[first[k] + j][i]);
        }
        if (gp_store_begin_chromosome(writer, &chromosome[k], 0, err) == GP_OK)
            gp_store_append(writer, &v, row, err);
    }
    free(row);
    gp_variants_free(&v);
    return err->code;
}

static int write_store(gp_err *err) {
    gp_samples samples = {0};
    gp_store_writer *writer = NULL;
    for (int i = 0; i < N; i++) {
        char iid[20];
        snprintf(iid, sizeof iid, "i%d", i);
        gp_samples_add(&samples, &(gp_sample){.fid = "f", .iid = iid, .father = "0", .mother = "0"},
                       err);
    }
    const gp_store_plan plan = {.samples = &samples, .variants = M, .provenance = "test"};
    if (err->code == GP_OK && gp_store_create(&writer, path_of("s.h5"), &plan, err) == GP_OK) {
        for (int k = 0; k < CHROMOSOMES && err->code == GP_OK; k++)
            append(writer, k, err);
        if (err->code == GP_OK)
            gp_store_finish(writer, err);
        else
            gp_store_discard(writer);
    }
    gp_samples_free(&samples);
    return err->code;
}

/* ---- a table, and what a plain loop finds in it ---- */

typedef struct table_line {
    int64_t variant;
    char p[FIELD], strength[FIELD];
    double p_value, neglog10p;
    int64_t leader, clumped, begin, end;
} table_line;

typedef struct table {
    table_line line[M];
    int64_t count;
    int attributed; /* has columns of attribution */
    gp_hits_options options;
} table;

static void make_table(table *t, int64_t seed, double signals) {
    *t = (table){.options = GP_HITS_DEFAULTS, .attributed = seed % 2 == 0};
    for (int64_t v = 0; v < M; v++) {
        table_line *line = &t->line[t->count];
        double block = uniform(30 + seed, v / 40, 0), own = uniform(60 + seed, v, 1);
        if (uniform(90 + seed, v, 2) < 0.1)
            continue; /* filtered */
        *line = (table_line){.variant = v};
        line->neglog10p = block < signals ? floor(own * 40) / 2 : -log10(own);
        if (number_of(7, v, seed, 3) % 40 == 0)
            line->neglog10p = NAN;
        if (number_of(7, v, seed, 4) % 200 == 0 && block < signals)
            line->neglog10p = 400.25;
        *gp_digits_real(line->strength, line->neglog10p) = 0;
        *gp_digits_power(line->p, line->neglog10p) = 0;
        line->p_value = strtod(line->p, NULL);
        if (isnan(line->neglog10p))
            line->p_value = 2;
        t->count++;
    }
}

/* The columns that a hit repeats. */
static void print_columns(const table *t, const table_line *line, gp_text *text, gp_err *err) {
    int64_t v = line->variant;
    int k = chromosome_of(v);
    gp_text_print(text, err, "%s\t%lld\t%s\tA\t%s\t0.%d\t%g\t1e-3\t%s\t%s", chromosome[k].name,
                  (long long)position[v], id[v], (v - first[k]) % 10 == 3 ? "#NA" : "C",
                  (int)(v % 9 + 1), (double)v, line->p, line->strength);
    if (t->attributed)
        gp_text_print(text, err, "\t%g\t%d", 0.5 * (double)v, (int)v + 1);
    else
        gp_text_print(text, err, "\t#NA\t#NA");
}

/* The table has columns in another order, and more of them. */
static int write_table(const table *t, const char *path, gp_err *err) {
    gp_text text = {0};
    gp_text_print(&text, err,
                  "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_"
                  "error\teffect_allele_frequency\tp_value\tn\tid\tneg_log_10_p_value%s\n",
                  t->attributed ? "\tattribution\tattribution_rank" : "");
    for (int64_t i = 0; i < t->count; i++) {
        int64_t v = t->line[i].variant;
        int k = chromosome_of(v);
        gp_text_print(&text, err, "%s\t%lld\tA\t%s\t%g\t1e-3\t0.%d\t%s\t100\t%s\t%s",
                      chromosome[k].name, (long long)position[v],
                      (v - first[k]) % 10 == 3 ? "#NA" : "C", (double)v, (int)(v % 9 + 1),
                      t->line[i].p, id[v], t->line[i].strength);
        if (t->attributed)
            gp_text_print(&text, err, "\t%g\t%d", 0.5 * (double)v, (int)v + 1);
        gp_text_add(&text, "\n", 1, err);
    }
    BGZF *f = bgzf_open(path, "w");
    const tbx_conf_t form = {0, 1, 2, 2, '#', 1};
    if (f == NULL || bgzf_write(f, text.bytes, (size_t)text.length) < 0 || bgzf_close(f) != 0 ||
        tbx_index_build(path, 0, &form) != 0)
        gp_err_set(err, GP_EFAIL, "%s: could not be made", path);
    gp_text_free(&text);
    return err->code;
}

static double plain_r2(int64_t v, int64_t w) {
    int n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < N; i++) {
        int x = call[v][i], y = call[w][i], both = x != GP_GENO_MISSING && y != GP_GENO_MISSING;
        x *= both;
        y *= both;
        n += both, a += x, b += y, aa += x * x, bb += y * y, ab += x * y;
    }
    double va = n * aa - a * a, vb = n * bb - b * b, r = (n * ab - a * b) / sqrt(va * vb);
    return va == 0 || vb == 0 ? -1 : r * r;
}

static int in_reach(const table *t, const table_line *a, const table_line *b) {
    return chromosome_of(a->variant) == chromosome_of(b->variant) &&
           (double)llabs(position[a->variant] - position[b->variant]) <= 1000 * t->options.clump_kb;
}

static void plain_clump(table *t, int64_t best) {
    table_line *lead = &t->line[best];
    lead->leader = best;
    lead->begin = lead->end = position[lead->variant];
    for (int64_t j = 0; j < t->count; j++) {
        table_line *line = &t->line[j];
        if (line->leader >= 0 || line->p_value > t->options.clump_p2 || !in_reach(t, lead, line) ||
            plain_r2(lead->variant, line->variant) < t->options.clump_r2)
            continue;
        line->leader = best;
        lead->clumped++;
        int64_t at = position[line->variant];
        lead->begin = at < lead->begin ? at : lead->begin;
        lead->end = at > lead->end ? at : lead->end;
    }
}

static int64_t expected(table *t, gp_text *text, gp_err *err) {
    int64_t hits = 0;
    gp_text_print(text, err,
                  "hit\tchromosome\tbase_pair_location\tid\teffect_allele\tother_allele\teffect_"
                  "allele_frequency\tbeta\tstandard_error\tp_value\tneg_log_10_p_value\t"
                  "attribution\tattribution_rank\tclumped\tclump_start\tclump_end\tnearest_gene\t"
                  "gene_distance\n");
    for (int64_t i = 0; i < t->count; i++)
        t->line[i].leader = -1;
    for (;; hits++) {
        int64_t best = -1;
        for (int64_t i = 0; i < t->count; i++)
            if (t->line[i].leader < 0 && t->line[i].p_value <= t->options.clump_p &&
                (best < 0 || t->line[i].neglog10p > t->line[best].neglog10p))
                best = i;
        if (best < 0)
            return hits;
        plain_clump(t, best);
        gp_text_print(text, err, "%lld\t", (long long)hits + 1);
        print_columns(t, &t->line[best], text, err);
        gp_text_print(text, err, "\t%lld\t%lld\t%lld\t", (long long)t->line[best].clumped,
                      (long long)t->line[best].begin, (long long)t->line[best].end);
        /* One gene, on chromosome 1, from 5001 to 6000. */
        int64_t at = position[t->line[best].variant];
        int64_t far = at < 5001 ? 5001 - at : at > 6000 ? at - 6000 : 0;
        if (t->options.genes != NULL && t->line[best].variant < first[1])
            gp_text_print(text, err, "GENE\t%lld\n", (long long)far);
        else
            gp_text_print(text, err, "#NA\t#NA\n");
    }
}

/* ---- all ranks ---- */

typedef struct setting {
    gp_hits_plan plan;
    gp_table_parts parts;
    gp_store *store;
    gp_genes *genes;
} setting;

static void setting_free(setting *s) {
    gp_genes_close(s->genes);
    gp_table_parts_free(&s->parts);
    gp_store_close(s->store);
}

static int setting_make(setting *s, const table *t, int64_t cache, gp_err *err) {
    *s = (setting){0};
    gp_store_open(&s->store, path_of("s.h5"), err);
    if (gp_par_agree(par, err) != GP_OK ||
        gp_table_parts_init(&job, s->store, &s->parts, err) != GP_OK ||
        gp_hits_open_genes(&job, s->store, &t->options, &s->genes, err) != GP_OK)
        return err->code;
    s->plan = (gp_hits_plan){.store = s->store,
                             .trait = "t",
                             .table = path_of("t.tsv.gz"),
                             .out = path_of("t.hits.tsv"),
                             .options = &t->options,
                             .parts = &s->parts,
                             .genes = s->genes,
                             .cache_bytes = cache};
    return GP_OK;
}

/* Writes the table and its hits; whether they are as expected. Collective. */
static int hits_are_right(table *t, int64_t cache, int64_t *count) {
    setting s;
    gp_err err = {0};
    gp_text found = {0}, wanted = {0};
    int right = 1;
    if (gp_par_rank(par) == 0)
        write_table(t, path_of("t.tsv.gz"), &err);
    if (gp_par_agree(par, &err) == GP_OK && setting_make(&s, t, cache, &err) == GP_OK)
        gp_hits_write(&job, &s.plan, &err);
    setting_free(&s);
    if (gp_par_rank(par) == 0 && err.code == GP_OK) {
        *count = expected(t, &wanted, &err);
        gp_io_read_text(path_of("t.hits.tsv"), &found, &err);
        right = err.code == GP_OK && strcmp(found.bytes, wanted.bytes) == 0;
    }
    if (err.code != GP_OK)
        print_error("%s\n", err.text);
    gp_text_free(&found);
    gp_text_free(&wanted);
    return err.code == GP_OK && right;
}

static table t;

static void clumps_are_those_of_a_plain_loop(void **state) {
    (void)state;
    static const struct {
        double signals, kb, r2, p, p2;
        int64_t cache;
    } ask[] = {{0.05, 250, 0.1, 5e-8, 0.01, 0}, {0.3, 250, 0.1, 5e-8, 0.01, 1},
               {0.3, 20, 0.5, 1e-5, 1, 0},      {0.9, 3, 0.2, 1e-3, 1e-3, 10000},
               {0.1, 0, 0.1, 1e-4, 0.5, 0},     {1, 1e6, 0.05, 1e-2, 0.1, 1},
               {0.3, 50, 0, 1e-8, 1, 0},        {0.02, 10, 1, 1e-6, 0.05, 0}};
    for (int k = 0; k < (int)(sizeof ask / sizeof *ask); k++) {
        int64_t hits = 0;
        make_table(&t, k, ask[k].signals);
        t.options = (gp_hits_options){.clump_kb = ask[k].kb,
                                      .clump_r2 = ask[k].r2,
                                      .clump_p = ask[k].p,
                                      .clump_p2 = ask[k].p2,
                                      .genes = k % 3 == 0 ? path_of("g.bed") : NULL};
        assert_all(hits_are_right(&t, ask[k].cache, &hits));
        assert_all(gp_par_rank(par) > 0 || hits > 3);
    }
}

static void nothing_significant_gives_a_header_alone(void **state) {
    (void)state;
    int64_t hits = -1;
    make_table(&t, 1, 0);
    t.options.clump_p = 1e-12;
    assert_all(hits_are_right(&t, 0, &hits));
    assert_all(gp_par_rank(par) > 0 || hits == 0);
    t.count = 0; /* a table without lines */
    assert_all(hits_are_right(&t, 0, &hits));
    assert_all(gp_par_rank(par) > 0 || strstr(note, "t.hits.tsv: 0 clumps of trait 't'") != NULL);
}

static void add_line(int64_t v, double strength) {
    table_line *line = &t.line[t.count++];
    *line = (table_line){.variant = v, .neglog10p = strength};
    *gp_digits_real(line->strength, strength) = 0;
    *gp_digits_power(line->p, strength) = 0;
    line->p_value = strtod(line->p, NULL);
}

/* Two variants of one name at one place: the second line is about the second of them. */
static void two_variants_of_one_name_are_told_apart(void **state) {
    (void)state;
    int64_t hits = 0;
    t = (table){.options = GP_HITS_DEFAULTS};
    t.options.clump_r2 = 0.3;
    for (int64_t v = 1019; v < 1028; v++)
        add_line(v, v == 1023 ? 31 : 30);
    assert_all(strcmp(id[1021], id[1022]) == 0);
    assert_all(hits_are_right(&t, 0, &hits));
}

/* Leaders just before the places where ranks' parts may begin, and behind them. */
static void a_leader_reaches_into_another_ranks_part(void **state) {
    (void)state;
    for (int side = 0; side < 2; side++) {
        int64_t hits = 0;
        t = (table){.options = {.clump_kb = 5, .clump_p = 1e-8, .clump_p2 = 1e-2}};
        for (int64_t v = 960; v < 2120; v++) {
            int64_t from = v < 1500 ? v - 1024 : v - 2048;
            add_line(v, from == (side ? 9 : -9) ? 20 : from >= -60 && from < 60 ? 3 : 0);
        }
        assert_all(hits_are_right(&t, 0, &hits));
        assert_all(gp_par_rank(par) > 0 || hits == 2);
    }
}

/* What lies at the very end of two leaders' reach belongs to the stronger one. */
static void windows_that_touch_are_one_island(void **state) {
    (void)state;
    int64_t checked = 0;
    for (int64_t middle = 100; middle < 1000 && checked < 3; middle++) {
        int64_t a = middle - 20, b = middle, reach = position[middle] - position[a], hits = 0;
        while (position[b] - position[middle] < reach)
            b++;
        if (position[b] - position[middle] != reach)
            continue;
        t = (table){.options = GP_HITS_DEFAULTS};
        t.options.clump_kb = (double)reach / 1000;
        t.options.clump_r2 = 0;
        add_line(a, 20);
        add_line(middle, 3);
        add_line(b, 30);
        assert_all(hits_are_right(&t, 0, &hits));
        assert_all(gp_par_rank(par) > 0 || hits == 2);
        checked++;
    }
    assert_all(checked == 3);
}

/* ---- wrong input ---- */

static void expect_error(const table *about, const char *words) {
    setting s;
    gp_err err = {0};
    if (setting_make(&s, about, 0, &err) == GP_OK)
        gp_hits_write(&job, &s.plan, &err);
    setting_free(&s);
    if (gp_par_rank(par) == 0 && strstr(err.text, words) == NULL)
        print_error("'%s' is not in '%s'\n", words, err.text);
    assert_all(err.code == GP_EINPUT && strstr(err.text, words) != NULL);
}

static void a_table_of_another_store_is_an_error(void **state) {
    (void)state;
    gp_err err = {0};
    char before[FIELD];
    make_table(&t, 2, 0);
    t.line[2000].p_value = 0;
    snprintf(t.line[2000].p, FIELD, "1e-99");
    snprintf(t.line[2000].strength, FIELD, "99");
    char *name = id[t.line[2000].variant];
    memcpy(before, name, FIELD);
    snprintf(name, FIELD, "other");
    if (gp_par_rank(par) == 0)
        write_table(&t, path_of("t.tsv.gz"), &err);
    memcpy(name, before, FIELD);
    assert_all(gp_par_agree(par, &err) == GP_OK);
    expect_error(&t, "t.tsv.gz: variant 'other' at 1:");
    expect_error(&t, "is not in ");
}

static void damaged_numbers_and_missing_columns_are_errors(void **state) {
    (void)state;
    gp_err err = {0};
    make_table(&t, 2, 0.2);
    snprintf(t.line[100].p, FIELD, "1e-9");
    snprintf(t.line[100].strength, FIELD, "many");
    if (gp_par_rank(par) == 0)
        write_table(&t, path_of("t.tsv.gz"), &err);
    assert_all(gp_par_agree(par, &err) == GP_OK);
    expect_error(&t, "is 'many', beside a p_value");
    if (gp_par_rank(par) == 0) {
        BGZF *f = bgzf_open(path_of("t.tsv.gz"), "w");
        const char text[] = "chromosome\tbase_pair_location\tid\n1\t10\trs1\n";
        const tbx_conf_t form = {0, 1, 2, 2, '#', 1};
        if (f == NULL || bgzf_write(f, text, sizeof text - 1) < 0 || bgzf_close(f) != 0 ||
            tbx_index_build(path_of("t.tsv.gz"), 0, &form) != 0)
            gp_err_set(&err, GP_EFAIL, "no table");
    }
    assert_all(gp_par_agree(par, &err) == GP_OK);
    expect_error(&t, "t.tsv.gz: has no column 'effect_allele'");
}

static void an_annotation_without_the_stores_chromosomes_is_an_error(void **state) {
    (void)state;
    make_table(&t, 2, 0);
    t.options.genes = path_of("other.bed");
    expect_error(&t, "other.bed: has no chromosome of ");
    t.options.genes = path_of("none.bed");
    expect_error(&t, "none.bed: cannot be opened");
}

static void options_must_fit_each_other(void **state) {
    (void)state;
    gp_err err = {0};
    gp_hits_options o = GP_HITS_DEFAULTS;
    assert_all(gp_hits_check(&o, &err) == GP_OK);
    o.clump_p = 0.02;
    assert_all(gp_hits_check(&o, &err) == GP_EINPUT && strstr(err.text, "--clump-p2") != NULL);
}

static void memory_that_is_refused_on_one_rank_ends_all(void **state) {
    (void)state;
    gp_err err = {0};
    make_table(&t, 4, 0.1);
    t.count = 300;
    if (gp_par_rank(par) == 0)
        write_table(&t, path_of("t.tsv.gz"), &err);
    assert_all(gp_par_agree(par, &err) == GP_OK);
    for (int victim = 0; victim < gp_par_size(par); victim++)
        for (int64_t k = 1;; k++) {
            setting s;
            err = (gp_err){0};
            assert_all(setting_make(&s, &t, 0, &err) == GP_OK);
            if (gp_par_rank(par) == victim)
                gp_mem_fail_at(k);
            int code = gp_hits_write(&job, &s.plan, &err);
            gp_mem_fail_at(0);
            setting_free(&s);
            assert_all(code == err.code);
            if (code == GP_OK)
                break;
            assert_all(code == GP_EFAIL && strstr(err.text, "memory") != NULL);
            assert_all(k < 500);
        }
}

/* ---- */

static int set_up(gp_err *err) {
    gp_text name = {0};
    if (gp_par_rank(par) == 0 && scratch_make(NULL) == 0)
        gp_text_print(&name, err, "%s", scratch_folder);
    if (gp_par_agree(par, err) == GP_OK && gp_par_share_text(par, &name, err) == GP_OK)
        snprintf(folder, sizeof folder, "%s", name.bytes);
    gp_text_free(&name);
    make_variants();
    if (err->code == GP_OK && gp_par_rank(par) == 0 && write_store(err) == GP_OK) {
        scratch_text("g.bed", "chr1\t5000\t6000\tGENE\n");
        scratch_text("other.bed", "scaffold_9\t5000\t6000\tGENE\n");
    }
    return gp_par_agree(par, err);
}

int main(int argc, char **argv) {
    gp_err err = {0};
    if (gp_par_open(&par, &argc, &argv, &err) != GP_OK)
        return 1;
    job.par = par;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clumps_are_those_of_a_plain_loop),
        cmocka_unit_test(nothing_significant_gives_a_header_alone),
        cmocka_unit_test(two_variants_of_one_name_are_told_apart),
        cmocka_unit_test(a_leader_reaches_into_another_ranks_part),
        cmocka_unit_test(windows_that_touch_are_one_island),
        cmocka_unit_test(a_table_of_another_store_is_an_error),
        cmocka_unit_test(damaged_numbers_and_missing_columns_are_errors),
        cmocka_unit_test(an_annotation_without_the_stores_chromosomes_is_an_error),
        cmocka_unit_test(options_must_fit_each_other),
        cmocka_unit_test(memory_that_is_refused_on_one_rank_ends_all)};
    int failed = 1;
    if (set_up(&err) != GP_OK)
        fprintf(stderr, "%s\n", err.text);
    else if (only_rank_0_reports(gp_par_rank(par)))
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (gp_par_rank(par) == 0)
        scratch_remove(NULL);
    gp_par_close(par);
    return failed;
}
