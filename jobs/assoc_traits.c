#include "jobs/assoc_traits.h"
#include "jobs/assoc_offsets.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

gp_patterns_input gp_assoc_models(const gp_assoc_options *o) {
    return (gp_patterns_input){.mixed = gp_assoc_is_mixed(o),
                               .numbers = gp_assoc_is_linear(o),
                               .exact = strcmp(gp_assoc_missing(o), "exact") == 0};
}

int gp_assoc_is_logistic(const gp_assoc_options *o, const gp_trait *trait) {
    gp_patterns_input input = gp_assoc_models(o);
    return gp_patterns_kind(&input, trait) == GP_PATTERN_LOGISTIC;
}

/* What might be cases and controls is not taken for anything else in silence. */
static int check_clear(const gp_assoc_options *o, const gp_cohort *cohort, gp_err *err) {
    int by_trait = !gp_assoc_is_mixed(o) && !gp_assoc_is_linear(o);
    for (int64_t t = 0; by_trait && t < cohort->traits; t++) {
        const gp_trait *trait = &cohort->trait[t];
        if (trait->skipped == NULL && trait->unclear != NULL)
            return gp_err_set(err, GP_EINPUT,
                              "%s: trait '%s' holds only %s, or --model linear to take all as "
                              "numbers",
                              o->cohort.pheno, trait->name, trait->unclear);
    }
    return GP_OK;
}

/* With --model logistic only binary traits are tested. */
static int leave_out_quantitative(const gp_assoc_options *o, gp_cohort *cohort, const gp_sink *sink,
                                  gp_err *err) {
    static const char why[] = "it is not binary (0/1, or 1/2 with --cc12), and --model logistic "
                              "tests binary traits alone";
    int64_t left = 0;
    if (o->model == NULL || strcmp(o->model, "logistic") != 0)
        return GP_OK;
    for (int64_t t = 0; t < cohort->traits; t++) {
        gp_trait *trait = &cohort->trait[t];
        if (trait->skipped == NULL && !gp_assoc_is_logistic(o, trait))
            trait->skipped = why;
        left += trait->skipped == NULL;
    }
    for (int64_t t = 0; t < cohort->traits; t++) {
        const gp_trait *trait = &cohort->trait[t];
        if (left == 0 && trait->skipped == why)
            return gp_err_set(err, GP_EINPUT,
                              "%s: trait '%s' cannot be tested: %s; no trait is left",
                              o->cohort.pheno, trait->name, why);
        if (trait->skipped == why)
            gp_say(sink, GP_WARN, "trait '%s' is skipped: %s", trait->name, why);
    }
    return GP_OK;
}

/* Options of binary traits want one; --offset-name wants traits. */
static int check_options(const gp_assoc_options *o, const gp_cohort *cohort, gp_err *err) {
    const char *only = gp_assoc_binary_option(o);
    int64_t binary = 0;
    for (int64_t t = 0; t < cohort->traits; t++)
        binary += cohort->trait[t].skipped == NULL && gp_assoc_is_logistic(o, &cohort->trait[t]);
    if (only != NULL && binary == 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --%s is for binary traits, and %s has none (0/1, or 1/2 "
                          "with --cc12)",
                          only, o->cohort.pheno);
    gp_offset_kind *kind = gp_mem_alloc(cohort->traits, sizeof *kind, err);
    if (kind != NULL)
        gp_assoc_offset_kinds(o, cohort, kind, err);
    free(kind);
    return err->code;
}

int gp_assoc_choose(const gp_assoc_options *o, gp_cohort *cohort, const gp_sink *sink,
                    gp_err *err) {
    if (check_clear(o, cohort, err) == GP_OK &&
        leave_out_quantitative(o, cohort, sink, err) == GP_OK)
        check_options(o, cohort, err);
    return err->code;
}
