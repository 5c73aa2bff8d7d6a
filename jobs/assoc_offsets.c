#include "jobs/assoc_offsets.h"
#include "jobs/assoc_traits.h"
#include "jobs/words.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static gp_offset_kind kind_of(const gp_assoc_options *o, const gp_trait *trait) {
    if (trait->skipped != NULL)
        return GP_OFFSET_NONE;
    return gp_assoc_is_logistic(o, trait) ? GP_OFFSET_LOG_ODDS : GP_OFFSET_UNITS;
}

int gp_assoc_offset_kinds(const gp_assoc_options *o, const gp_cohort *cohort, gp_offset_kind *kind,
                          gp_err *err) {
    gp_words names = {0};
    for (int64_t t = 0; t < cohort->traits; t++)
        kind[t] = o->offset != NULL && o->offset_name == NULL ? kind_of(o, &cohort->trait[t])
                                                              : GP_OFFSET_NONE;
    gp_words_cut(&names, o->offset_name, "--offset-name", err);
    for (int64_t k = 0; k < names.count && err->code == GP_OK; k++) {
        int64_t t = 0;
        while (t < cohort->traits && strcmp(cohort->trait[t].name, names.word[k]) != 0)
            t++;
        if (t == cohort->traits)
            gp_err_set(err, GP_EINPUT,
                       "command line: --offset-name: '%.200s' is none of the traits that are "
                       "tested; --pheno-name chooses those",
                       names.word[k]);
        else
            kind[t] = kind_of(o, &cohort->trait[t]);
    }
    gp_words_free(&names);
    return err->code;
}

/* Marks the chromosomes of this rank's part. */
static void mark_visited(const gp_pass *pass, uint8_t *visited) {
    const gp_plan *plan = pass->plan;
    int part = gp_par_group(pass->job->par);
    int64_t at = part < 0 ? 0 : plan->begin[part];
    gp_run run;
    while (part >= 0 && gp_plan_next(plan, part, INT64_MAX, &at, &run))
        visited[run.chromosome] = 1;
}

int gp_assoc_offsets_load(const gp_assoc_options *o, const gp_pass *pass, gp_cohort *cohort,
                          gp_offsets *offsets, gp_err *err) {
    if (o->offset == NULL)
        return GP_OK;
    gp_offset_kind *kind = gp_mem_alloc(cohort->traits, sizeof *kind, err);
    uint8_t *visited = gp_mem_alloc(pass->selection->chromosomes, 1, err);
    if (err->code == GP_OK)
        gp_assoc_offset_kinds(o, cohort, kind, err);
    if (gp_par_agree(pass->job->par, err) == GP_OK) {
        mark_visited(pass, visited);
        gp_offsets_input input = {.paths = o->offset,
                                  .missing_code = o->cohort.missing_code,
                                  .store = pass->store,
                                  .selection = pass->selection,
                                  .kind = kind,
                                  .visited = visited};
        gp_offsets_load(pass->job, &input, cohort, offsets, err);
    }
    free(kind);
    free(visited);
    return err->code;
}
