#include "jobs/selection.h"
#include "io/list.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int load_ids(gp_job *job, const char *path, gp_ids *ids, gp_err *err) {
    gp_text text = {0};
    if (path == NULL)
        return GP_OK;
    if (gp_job_read_shared(job, path, &text, err) == GP_OK &&
        gp_list_variants(path, &text, ids, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "%s: %lld variant ids listed", path, (long long)ids->count);
    gp_text_free(&text);
    return gp_par_agree(job->par, err);
}

static int apply_chr(const char *chr, const gp_store *store, gp_selection *selection, gp_err *err) {
    int64_t chromosomes = gp_store_chromosome_count(store);
    selection->chromosomes = chromosomes;
    selection->count = gp_mem_alloc(chromosomes, sizeof *selection->count, err);
    uint8_t *mark = gp_mem_alloc(chromosomes, 1, err);
    const gp_chromosome **list = gp_mem_alloc(chromosomes, sizeof *list, err);
    if (err->code != GP_OK)
        goto done;
    for (int64_t k = 0; k < chromosomes; k++) {
        list[k] = gp_store_chromosome(store, k);
        mark[k] = 1;
    }
    if (chr != NULL && gp_list_chromosomes(chr, list, chromosomes, mark, err) != GP_OK)
        goto done;
    for (int64_t k = 0; k < chromosomes; k++)
        selection->count[k] = mark[k] ? list[k]->count : 0;
done:
    free(mark);
    free(list);
    return err->code;
}

int gp_selection_load(gp_job *job, const gp_selection_options *options, gp_store *store,
                      gp_selection *selection, gp_err *err) {
    selection->filter = options->filter;
    selection->has_extract = options->extract != NULL;
    apply_chr(options->chr, store, selection, err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        load_ids(job, options->extract, &selection->extract, err) != GP_OK)
        return err->code;
    return load_ids(job, options->exclude, &selection->exclude, err);
}

int gp_selection_masks(gp_selection *selection, const gp_cohort *cohort, int64_t first,
                       int64_t samples, gp_err *err) {
    free(selection->all);
    free(selection->females);
    selection->stride = gp_geno_stride(samples);
    selection->all = gp_mem_alloc(selection->stride, 1, err);
    selection->females = gp_mem_alloc(selection->stride, 1, err);
    if (err->code != GP_OK)
        return err->code;
    for (int64_t i = 0; i < samples; i++) {
        if (!cohort->kept[first + i])
            continue;
        gp_mask_set(selection->all, i);
        if (cohort->samples.sex[first + i] == 2)
            gp_mask_set(selection->females, i);
    }
    return GP_OK;
}

int gp_selection_counts(const gp_selection *selection) {
    const gp_filter *f = &selection->filter;
    return !isnan(f->maf) || !isnan(f->mac) || !isnan(f->geno) || !isnan(f->hwe);
}

void gp_selection_count(const gp_selection *selection, gp_kind kind, const gp_calls *calls,
                        int64_t *sums) {
    int sexes = kind == GP_X && !isnan(selection->filter.hwe);
    int64_t groups = selection->stride / GP_GENO_GROUP_BYTES;
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < calls->m; j++) {
        gp_counts all = gp_calls_count(calls, j, 0, groups, selection->all), females = {{0}};
        if (sexes)
            females = gp_calls_count(calls, j, 0, groups, selection->females);
        memcpy(sums + 8 * j, all.call, sizeof all.call);
        memcpy(sums + 8 * j + 4, females.call, sizeof females.call);
    }
}

int gp_selection_lists(const gp_selection *selection, const char *id) {
    int64_t length = (int64_t)strlen(id);
    return (!selection->has_extract || gp_ids_find(&selection->extract, id, length) >= 0) &&
           gp_ids_find(&selection->exclude, id, length) < 0;
}

int gp_selection_judge(const gp_selection *selection, gp_kind kind, const char *id,
                       const int64_t sums[8]) {
    if (!gp_selection_lists(selection, id))
        return GP_NOT_LISTED;
    gp_counts all, females;
    memcpy(all.call, sums, sizeof all.call);
    memcpy(females.call, sums + 4, sizeof females.call);
    const gp_counts *hwe = kind == GP_AUTOSOME || kind == GP_XY ? &all
                           : kind == GP_X                       ? &females
                                                                : NULL;
    return gp_filter_judge(&selection->filter, &all, hwe);
}

const char *gp_selection_reason(int reason) {
    static const char *const words[GP_REASONS] = {"tested",        "below --maf",
                                                  "below --mac",   "above --geno",
                                                  "below --hwe p", "by --extract or --exclude"};
    return words[reason];
}

void gp_selection_free(gp_selection *selection) {
    free(selection->count);
    free(selection->all);
    free(selection->females);
    gp_ids_free(&selection->extract);
    gp_ids_free(&selection->exclude);
    *selection = (gp_selection){0};
}
