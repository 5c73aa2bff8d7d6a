#include "jobs/loadings.h"
#include "io/file.h"
#include "io/spool.h"
#include "jobs/components_product.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_BYTES = 1 << 20 /* between two writes */ };

/* A file under way. */
typedef struct writer {
    const gp_components *components;
    gp_components_product product;
    gp_text part, whole; /* names */
    gp_spool spool;
    gp_text text;
    double *weight; /* [components] */
    double *unit;   /* [components] */
} writer;

static int take(void *context, const gp_ahead_batch *batch, const double *c, gp_err *err) {
    writer *w = context;
    const gp_kinship_variants *v = &w->product.variants;
    const int64_t *calls = v->calls + v->first[batch->run.chromosome] + batch->run.first;
    int64_t count = w->components->count;
    for (int64_t j = 0; j < batch->run.count && err->code == GP_OK; j++) {
        if (calls[j] == 0)
            continue;
        double alt = 0.5 * gp_kinship_mean(calls[j]);
        int is_alt = alt > 0.5;
        for (int64_t k = 0; k < count; k++)
            w->weight[k] = (is_alt ? 1.0 : -1.0) * c[j * w->product.columns + k] * w->unit[k];
        const gp_pca_variant line = {
            .chromosome = gp_store_chromosome(w->product.store, batch->run.chromosome)->name,
            .id = batch->variants.id[j],
            .major = is_alt ? batch->variants.alt[j] : batch->variants.ref[j],
            .minor = is_alt ? batch->variants.ref[j] : batch->variants.alt[j],
            .frequency = is_alt ? alt : 1.0 - alt,
            .weight = w->weight};
        gp_pca_print_weights(&w->text, &line, count, err);
        if (w->text.length > TEXT_BYTES)
            gp_spool_add(&w->spool, &w->text, err);
    }
    return err->code;
}

static int open_part(writer *w, const gp_job *job, const char *path, gp_err *err) {
    int64_t count = w->components->count;
    gp_text_print(&w->whole, err, "%s.tmp", path);
    gp_text_print(&w->part, err, "%s.part%d", path, gp_par_rank(job->par));
    w->weight = gp_mem_alloc(count, sizeof *w->weight, err);
    w->unit = gp_mem_alloc(count, sizeof *w->unit, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t k = 0; k < count; k++)
        w->unit[k] = 1.0 / sqrt(w->components->value[k]);
    if (gp_spool_open(&w->spool, w->part.bytes, err) == GP_OK && gp_par_rank(job->par) == 0) {
        gp_pca_print_weights_header(&w->text, count, err);
        gp_io_fill_file(w->whole.bytes, "", 0, err);
    }
    return err->code;
}

/* Puts the parts together. Collective. */
static int place(writer *w, gp_job *job, const char *path, gp_err *err) {
    int64_t before = 0;
    if (w->text.length > 0)
        gp_spool_add(&w->spool, &w->text, err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_par_sum_before(job->par, &w->spool.size, &before, 1, err) != GP_OK)
        return err->code;
    gp_spool_place(&w->spool, w->whole.bytes, before, err);
    if (gp_par_agree(job->par, err) == GP_OK && gp_par_rank(job->par) == 0)
        gp_io_commit(w->whole.bytes, path, err);
    return gp_par_agree(job->par, err);
}

int gp_loadings_write(gp_job *job, const gp_components_plan *plan, const gp_components *components,
                      const char *path, gp_err *err) {
    writer w = {.components = components};
    if (gp_components_product_init(&w.product, job, plan, components->count, err) != GP_OK)
        goto done;
    open_part(&w, job, path, err);
    if (gp_par_agree(job->par, err) == GP_OK &&
        gp_components_visit(&w.product, components->vector, components->count, take, &w, err) ==
            GP_OK)
        place(&w, job, path, err);
    if (err->code != GP_OK && w.spool.path != NULL && gp_par_rank(job->par) == 0)
        unlink(w.whole.bytes);
done:
    gp_spool_discard(&w.spool);
    gp_components_product_free(&w.product);
    gp_text_free(&w.part);
    gp_text_free(&w.whole);
    gp_text_free(&w.text);
    free(w.weight);
    free(w.unit);
    return gp_par_agree(job->par, err);
}
