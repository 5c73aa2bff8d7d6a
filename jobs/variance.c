#include "jobs/variance.h"

#include <math.h>
#include <stddef.h>

int gp_variance_header(gp_text *text, const char *part, gp_err *err) {
    return gp_text_print(text, err,
                         "trait\t%s\tn\tlambda\tvg\tve\th2\th2_se\tlog_likelihood\tstatus\n", part);
}

int gp_variance_line(gp_text *text, const gp_variance *v, gp_err *err) {
    const gp_reml *f = &v->fit;
    const double value[] = {f->lambda, f->vg, f->ve, f->h2, f->h2_se, f->loglik};
    gp_text_print(text, err, "%s\t%s\t%lld", v->trait, v->part, (long long)v->n);
    for (size_t k = 0; k < sizeof value / sizeof *value; k++)
        if (isfinite(value[k]))
            gp_text_print(text, err, "\t%.9g", value[k]);
        else
            gp_text_print(text, err, "\t#NA");
    return gp_text_print(text, err, "\t%s\n",
                         f->end == GP_REML_NONE  ? "NO_RELATED_VARIANCE"
                         : f->end == GP_REML_ALL ? "NO_RESIDUAL_VARIANCE"
                                                 : "OK");
}
