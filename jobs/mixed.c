#include "jobs/mixed.h"
#include "jobs/job.h"
#include "jobs/mixed_model.h"
#include "jobs/variance.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t gp_mixed_shards(int64_t n, int64_t ranks) {
    const int64_t most = (int64_t)4 << 30;
    int64_t shards = gp_units(gp_operand_bytes(n, n, GP_ROTATION_BITS), most);
    shards = shards < ranks ? shards : ranks;
    while (ranks % shards != 0) /* no rank shall be left over */
        shards++;
    return shards;
}

enum { SUMS = 40 /* points at which a variant is summed, at most, in one round */ };

/* A model's phases: the spectrum is found; its vectors are handed out; variants are tested. */
static int64_t model_bytes(const gp_scan *scan, const gp_pattern *p, int rows, int columns) {
    int64_t n = p->n, samples = scan->cohort->samples.n,
            shards = gp_par_shards(scan->pass.job->par);
    int64_t share = gp_dense_columns_count(n, (int)shards, 0), block = gp_mixed_block(share);
    int64_t matrix = gp_dense_bytes(n, rows, columns);
    int64_t rotation = gp_rotation_bytes(samples, share, block) + 8 * block * share;
    gp_lmm_input shape = {.n = n, .c = 1 + p->rank, .p = p->traits, .columns = share, .exact = 1};
    int64_t thin = 16 * n * (1 + p->rank + p->traits);
    int64_t spectrum = 2 * matrix + gp_dense_eigen_bytes(n, rows, columns);
    int64_t sums = 8 * block * SUMS * (2 + p->rank + p->traits);
    int64_t testing = rotation + gp_lmm_bytes(&shape, block) + sums;
    int64_t handing = matrix + rotation + 8 * n * GP_GRID_BLOCK;
    return thin + gp_most(spectrum, gp_most(handing, testing));
}

int64_t gp_mixed_bytes(const gp_scan *scan, int makes_kinship, int loco) {
    enum { BLAS = 40000000 /* its buffers */ };
    int rows, columns;
    int64_t bytes = 0, columns_bytes = 0;
    gp_par_grid_choose(gp_par_size(scan->pass.job->par), &rows, &columns);
    if (makes_kinship)
        bytes = gp_kinship_make_bytes(scan->cohort->samples.n, rows, columns, loco);
    for (int64_t k = 0; k < scan->patterns->count; k++) {
        const gp_pattern *p = &scan->patterns->pattern[k];
        columns_bytes += 8 * (scan->cohort->samples.n + p->n * (p->rank + p->traits));
        bytes = gp_most(bytes, model_bytes(scan, p, rows, columns));
    }
    return BLAS + columns_bytes + bytes;
}

/* Chromosomes that are tested with the same relationships. */
typedef struct stage {
    int64_t first, end; /* chromosomes */
    int64_t except;     /* whose relationships are left out */
    int64_t work;       /* variants */
} stage;

typedef struct walk {
    const gp_mixed *mixed;
    gp_par_grid *grid;
    gp_text *components;
    stage *stage;
    int64_t stages;
    double seconds; /* for the spectra */
} walk;

/* Consecutive chromosomes with the same exception make a stage; those without work make none. */
static int find_stages(walk *w, gp_err *err) {
    const gp_scan *scan = w->mixed->scan;
    const gp_selection *selection = scan->selection;
    const gp_grm_about *about = gp_grm_about_of(w->mixed->kinship->grm);
    w->stage = gp_mem_alloc(selection->chromosomes, sizeof *w->stage, err);
    for (int64_t k = 0; err->code == GP_OK && k < selection->chromosomes; k++) {
        if (selection->count[k] == 0)
            continue;
        int64_t except = GP_GRM_WHOLE;
        if (w->mixed->loco)
            except = gp_kinship_chromosome(w->mixed->kinship,
                                           gp_store_chromosome(scan->pass.store, k)->name);
        if (except != GP_GRM_WHOLE && about->chromosome_variants[except] >= about->variants)
            return gp_err_set(err, GP_EINPUT,
                              "%s: no variant is left without chromosome %s, whose variants are to "
                              "be tested; say --no-loco",
                              gp_grm_path(w->mixed->kinship->grm), about->chromosome[except]);
        stage *last = w->stages > 0 ? &w->stage[w->stages - 1] : NULL;
        if (last == NULL || last->except != except)
            w->stage[w->stages++] = (stage){k, k + 1, except, selection->count[k]};
        else {
            last->end = k + 1;
            last->work += selection->count[k];
        }
    }
    return err->code;
}

/* The plan of a stage: its chromosomes' variants, shared out over all groups. */
static int make_plan(const gp_scan *scan, const stage *r, gp_plan *plan, gp_err *err) {
    int64_t *count = gp_mem_alloc(scan->selection->chromosomes, sizeof *count, err);
    if (count == NULL)
        return err->code;
    for (int64_t k = r->first; k < r->end; k++)
        count[k] = scan->selection->count[k];
    gp_plan_init(plan, count, scan->selection->chromosomes, gp_store_block(scan->pass.store),
                 gp_par_groups(scan->pass.job->par), err);
    free(count);
    return err->code;
}

/* What the null model of one trait found, in the trait's own units. */
static void report_trait(walk *w, const gp_mixed_model *m, int64_t t, int64_t except, gp_err *err) {
    const gp_scan *scan = w->mixed->scan;
    const gp_pattern *p = m->pattern;
    const gp_reml *fit = gp_lmm_null(m->lmm, t);
    const char *trait = scan->cohort->trait[p->trait[t]].name;
    const gp_grm_about *about = gp_grm_about_of(w->mixed->kinship->grm);
    double unit = p->length[t] * p->length[t];
    double df = (double)(m->n - 1 - p->rank);
    gp_variance line = {.trait = trait,
                        .part = except == GP_GRM_WHOLE ? "none" : about->chromosome[except],
                        .n = m->n,
                        .fit = *fit};
    line.fit.vg *= unit;
    line.fit.ve *= unit;
    line.fit.loglik -= df * log(p->length[t]);
    gp_variance_line(w->components, &line, err);
    gp_sink *sink = scan->pass.job->sink;
    const char *left_out = except == GP_GRM_WHOLE ? "" : ", without chromosome ";
    if (fit->end == GP_REML_NONE)
        gp_say(sink, GP_WARN,
               "trait '%s'%s%s: its heritability is estimated as 0 (the likelihood is highest at "
               "the lower end, lambda = 1e-5): relatives do not resemble each other in it",
               trait, left_out, except == GP_GRM_WHOLE ? "" : about->chromosome[except]);
    else if (fit->end == GP_REML_ALL)
        gp_say(sink, GP_WARN,
               "trait '%s'%s%s: its heritability is estimated as 1 (the likelihood is highest at "
               "the upper end, lambda = 1e5); duplicated samples, or a trait made of genotypes?",
               trait, left_out, except == GP_GRM_WHOLE ? "" : about->chromosome[except]);
    else if (except == GP_GRM_WHOLE)
        gp_say(sink, GP_NOTE, "trait %s: heritability %.4f (standard error %.4f)", trait, fit->h2,
               fit->h2_se);
}

/* Variants that a scan left out are counted once, however many patterns walk over them. */
static int scan_pattern(const gp_mixed *mixed, gp_plan *plan, int64_t pattern, int count,
                        gp_err *err) {
    gp_scan one = *mixed->scan;
    gp_patterns alone = {.pattern = &mixed->scan->patterns->pattern[pattern],
                         .count = 1,
                         .traits = mixed->scan->patterns->pattern[pattern].traits};
    int64_t sum[GP_REASONS];
    one.pass.plan = plan;
    one.patterns = &alone;
    memcpy(sum, one.selection->sum, sizeof sum);
    gp_scan_tests(&one, err);
    if (!count)
        memcpy(one.selection->sum, sum, sizeof sum);
    return err->code;
}

static int do_pattern(walk *w, const stage *r, gp_plan *plan, int64_t pattern, gp_err *err) {
    gp_mixed_model model = {0};
    double started = gp_clock();
    if (gp_mixed_model_init(&model, w->mixed, w->grid, pattern, r->except, err) == GP_OK) {
        w->seconds += gp_clock() - started;
        for (int64_t t = 0; t < model.pattern->traits; t++)
            report_trait(w, &model, t, r->except, err);
        if (gp_par_agree(w->mixed->scan->pass.job->par, err) == GP_OK)
            scan_pattern(w->mixed, plan, pattern, pattern == 0, err);
    }
    gp_mixed_model_free(&model);
    return err->code;
}

static int do_stage(walk *w, int64_t number, gp_err *err) {
    const gp_mixed *mixed = w->mixed;
    gp_job *job = mixed->scan->pass.job;
    const stage *r = &w->stage[number];
    gp_plan plan = {0};
    if (r->except != GP_GRM_WHOLE)
        gp_say(job->sink, GP_NOTE, "chromosome %s: relationships without it",
               gp_grm_about_of(mixed->kinship->grm)->chromosome[r->except]);
    make_plan(mixed->scan, r, &plan, err);
    if (gp_par_agree(job->par, err) == GP_OK) {
        /* A pass of its own for each pattern: a section of its own too. */
        int64_t patterns = mixed->scan->patterns->count;
        for (int64_t k = 0; k < patterns && err->code == GP_OK; k++)
            if (do_pattern(w, r, &plan, k, err) == GP_OK &&
                (number < w->stages - 1 || k < patterns - 1))
                gp_tables_end_section(job, mixed->scan->tables, err);
    }
    gp_plan_free(&plan);
    return err->code;
}

int gp_mixed_tests(const gp_mixed *mixed, gp_text *components, gp_err *err) {
    gp_job *job = mixed->scan->pass.job;
    walk w = {.mixed = mixed, .components = components};
    find_stages(&w, err);
    gp_variance_header(components, "left_out", err);
    if (gp_par_agree(job->par, err) == GP_OK && gp_par_grid_open(job->par, &w.grid, err) == GP_OK) {
        gp_say(job->sink, GP_NOTE, "mixed models: %s on %d x %d ranks, %d shards of eigenvectors",
               gp_dense_solver(), gp_par_grid_rows(w.grid), gp_par_grid_columns(w.grid),
               gp_par_shards(job->par));
        for (int64_t k = 0; k < w.stages && err->code == GP_OK; k++)
            do_stage(&w, k, err);
        if (err->code == GP_OK)
            gp_say(job->sink, GP_NOTE, "spectra of relationships took %.2f s", w.seconds);
    }
    gp_par_grid_close(w.grid);
    free(w.stage);
    return err->code;
}
