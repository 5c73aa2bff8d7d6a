/* Which predictions stand beside a tested variant. */
#include "io/table.h"
#include "jobs/job.h"
#include "jobs/run.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How a model did on samples that it has not seen. */
typedef struct accuracy {
    double n, r2, auc;
} accuracy;

/* A prediction has a signal where it explains so much more of the trait than covariates alone, and
 * so much more than their own error: n times the gain in r2 is about chi-squared of one degree
 * of freedom where there is none; the standard error of an AUC is about sqrt(1 / (3 n)) for equal
 * classes. */
static const double LEAST_R2 = 0.005, LEAST_CHI2 = 10.0, LEAST_AUC = 0.01, ERRORS = 3.0;

static const char *const name_of[] = {"none", "ridge", "transformer"};

static double number(const char *s) {
    char *end;
    double x = strtod(s, &end);
    return end != s && *end == 0 ? x : NAN;
}

/* Columns of metrics.tsv: trait model fold n r2 r mse auc. */
enum { MODEL = 1, FOLD, N, R2, AUC = 7, COLUMNS };

/* Takes the lines of all folds together. The text is cut up. */
static void read_metrics(char *text, accuracy *covariates, accuracy *ridge, accuracy *network) {
    for (char *line = text, *next; line != NULL && *line != 0; line = next) {
        char *field[COLUMNS] = {line};
        int count = 1;
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = 0;
        for (char *s = line; *s != 0 && count < COLUMNS; s++)
            if (*s == '\t') {
                *s = 0;
                field[count++] = s + 1;
            }
        if (count < COLUMNS || strcmp(field[FOLD], "all") != 0)
            continue;
        accuracy a = {number(field[N]), number(field[R2]), number(field[AUC])};
        if (strcmp(field[MODEL], "covariates") == 0)
            *covariates = a;
        else if (strcmp(field[MODEL], "ridge") == 0)
            *ridge = a;
        else if (strcmp(field[MODEL], "transformer") == 0)
            *network = a;
    }
}

static int has_signal(const accuracy *a, const accuracy *base, int binary) {
    if (binary)
        return a->auc - base->auc > fmax(LEAST_AUC, ERRORS * sqrt(1.0 / (3.0 * a->n)));
    double gain = a->r2 - fmax(base->r2, 0.0);
    return gain > LEAST_R2 && a->n * gain > LEAST_CHI2;
}

/* The better of those with a signal; the transformer's where they are equal. */
static gp_run_offset better(const accuracy a[3], int binary) {
    double ridge = binary ? a[1].auc : a[1].r2, network = binary ? a[2].auc : a[2].r2;
    int by_ridge = has_signal(&a[1], &a[0], binary), by_network = has_signal(&a[2], &a[0], binary);
    return by_network && !(by_ridge && ridge > network) ? GP_OFFSET_TRANSFORMER
           : by_ridge                                   ? GP_OFFSET_RIDGE
                                                        : GP_OFFSET_NONE;
}

static void tell(const gp_run *run, const gp_run_trait *trait, const accuracy a[3], int measured,
                 int binary) {
    const char *why = measured != binary ? " (a binary trait that is tested as a number takes none)"
                      : gp_run_text("offset") != NULL   ? " (--offset)"
                      : trait->offset == GP_OFFSET_NONE ? " (no signal in the predictions)"
                                                        : "";
    double value[3];
    for (int k = 0; k < 3; k++)
        value[k] = measured ? a[k].auc : a[k].r2;
    gp_say(run->job->sink, GP_NOTE,
           "trait %s: cross-validated %s: covariates %.4f, ridge %.4f, transformer %.4f; "
           "offset: %s%s",
           trait->name, measured ? "auc" : "r2", value[0], value[1], value[2],
           name_of[trait->offset], why);
}

int gp_run_choose_offset(gp_run *run, gp_run_trait *trait, gp_err *err) {
    const char *wish = gp_run_text("offset"), *model = gp_run_text("model");
    int binary =
        run->cohort.trait[trait->number].binary && (model == NULL || strcmp(model, "linear") != 0);
    accuracy a[3] = {{NAN, NAN, NAN}, {NAN, NAN, NAN}, {NAN, NAN, NAN}};
    gp_text path = {0}, name = {0}, text = {0};
    trait->offset = GP_OFFSET_NONE;
    if (!trait->network || gp_run_mixed())
        return GP_OK;
    gp_text_print(&name, err, "model/%s/metrics.tsv", trait->file);
    gp_run_path(run, name.bytes, &path, err);
    if (gp_par_agree(run->job->par, err) == GP_OK &&
        gp_job_read_shared(run->job, path.bytes, &text, err) == GP_OK) {
        read_metrics(text.bytes, &a[0], &a[1], &a[2]);
        int measured = run->cohort.trait[trait->number].binary;
        if (measured != binary)
            trait->offset = GP_OFFSET_NONE;
        else if (wish != NULL)
            trait->offset = strcmp(wish, "ridge") == 0         ? GP_OFFSET_RIDGE
                            : strcmp(wish, "transformer") == 0 ? GP_OFFSET_TRANSFORMER
                                                               : GP_OFFSET_NONE;
        else
            trait->offset = better(a, binary);
        tell(run, trait, a, measured, binary);
    }
    gp_text_free(&text);
    gp_text_free(&name);
    gp_text_free(&path);
    return err->code;
}
