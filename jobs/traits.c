#include "jobs/traits.h"

#include <math.h>
#include <stdio.h>

int gp_trait_uses(const gp_cohort *cohort, const gp_trait *trait, int64_t i) {
    return cohort->kept[i] && cohort->complete[i] && !isnan(trait->value[i]);
}

int64_t gp_trait_samples(const gp_cohort *cohort, const gp_trait *trait, int64_t *sample) {
    int64_t n = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        if (!gp_trait_uses(cohort, trait, i))
            continue;
        if (sample != NULL)
            sample[n] = i;
        n++;
    }
    return n;
}

int gp_trait_has_samples(const gp_cohort *cohort, const gp_trait *trait, const int64_t *sample,
                         int64_t n) {
    int64_t at = 0;
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        int listed = at < n && sample[at] == i;
        if (listed != gp_trait_uses(cohort, trait, i))
            return 0;
        at += listed;
    }
    return 1;
}

void gp_trait_name_error(const gp_cohort *cohort, const int64_t *trait, int64_t traits,
                         const char *part, gp_err *err) {
    gp_err named = {0};
    long long number = 0;
    int at = 0;
    if (err->code == GP_OK || sscanf(err->text, "trait %lld: %n", &number, &at) != 1 || at == 0 ||
        number < 1 || number > traits)
        return;
    gp_err_set(&named, err->code, "trait '%s'%s: %.800s", cohort->trait[trait[number - 1]].name,
               part, err->text + at);
    *err = named;
}

void gp_trait_tell_dropped(const gp_sink *sink, const gp_cohort *cohort, int64_t k, int64_t trait) {
    gp_say(sink, GP_WARN,
           "covariate '%s' is dropped: it is constant or a combination of the others (among the "
           "samples of trait '%s')",
           cohort->covariate[k].name, cohort->trait[trait].name);
}
