#include "io/metrics.h"
#include "io/file.h"
#include "src/base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 1 << 20 };

const char gp_metrics_header[] = "trait\tmodel\tfold\tn\tr2\tr\tmse\tauc\n";

int gp_metrics_number(gp_text *text, double value, gp_err *err) {
    if (!isfinite(value))
        return gp_text_add(text, "\tNA", 3, err);
    return gp_text_print(text, err, "\t%.12g", value);
}

int gp_metrics_print(gp_text *text, const char *trait, const char *model, const char *fold,
                     const gp_accuracy *a, gp_err *err) {
    const double value[] = {a->r2, a->r, a->mse, a->auc};
    gp_text_print(text, err, "%s\t%s\t%s\t%lld", trait, model, fold, (long long)a->n);
    for (size_t k = 0; k < sizeof value / sizeof *value; k++)
        gp_metrics_number(text, value[k], err);
    return gp_text_add(text, "\n", 1, err);
}

/* ---- predictions ---- */

static int cannot_write(const gp_predictions *p, gp_err *err) {
    return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", p->temporary, strerror(errno));
}

static int flush(gp_predictions *p, gp_err *err) {
    if (p->text.length > 0 &&
        fwrite(p->text.bytes, 1, (size_t)p->text.length, p->file) != (size_t)p->text.length)
        return cannot_write(p, err);
    p->text.length = 0;
    return GP_OK;
}

int gp_predictions_open(gp_predictions *p, const char *path, const char *const *model,
                        int64_t models, gp_err *err) {
    int64_t length = (int64_t)strlen(path);
    p->models = models;
    p->path = gp_mem_string(path, length, err);
    p->temporary = gp_mem_alloc(length + 5, 1, err);
    if (err->code != GP_OK)
        return err->code;
    memcpy(p->temporary, path, (size_t)length);
    memcpy(p->temporary + length, ".tmp", 4);
    p->file = fopen(p->temporary, "w");
    if (p->file == NULL)
        return cannot_write(p, err);
    gp_text_print(&p->text, err, "FID\tIID\ttrait\tfold\tobserved");
    for (int64_t k = 0; k < models; k++)
        gp_text_print(&p->text, err, "\t%s", model[k]);
    return gp_text_add(&p->text, "\n", 1, err);
}

int gp_predictions_add(gp_predictions *p, const gp_prediction *line, gp_err *err) {
    gp_text_print(&p->text, err, "%s\t%s\t%s\t%s", line->fid, line->iid, line->trait,
                  line->fold != NULL ? line->fold : "NA");
    gp_metrics_number(&p->text, line->observed, err);
    for (int64_t k = 0; k < p->models; k++)
        gp_metrics_number(&p->text, line->value[k], err);
    gp_text_add(&p->text, "\n", 1, err);
    return err->code == GP_OK && p->text.length > BUFFER ? flush(p, err) : err->code;
}

int gp_predictions_finish(gp_predictions *p, gp_err *err) {
    if (err->code != GP_OK || flush(p, err) != GP_OK)
        return err->code;
    FILE *file = p->file;
    p->file = NULL;
    if (fclose(file) != 0)
        return cannot_write(p, err);
    if (gp_io_commit(p->temporary, p->path, err) == GP_OK) {
        free(p->temporary);
        p->temporary = NULL;
    }
    return err->code;
}

void gp_predictions_close(gp_predictions *p) {
    if (p->file != NULL)
        fclose(p->file);
    if (p->temporary != NULL)
        unlink(p->temporary);
    gp_text_free(&p->text);
    free(p->path);
    free(p->temporary);
    *p = (gp_predictions){0};
}
