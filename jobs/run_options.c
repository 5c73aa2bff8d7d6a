/* The options of `gp-dist run`: its own, and those of its steps, by the names that they have
 * there. */
#include "jobs/hits.h"
#include "jobs/run.h"
#include "jobs/run_command.h"

#include <math.h>
#include <string.h>

enum { MOST = 256 };

/* A value that was not said is NULL, NaN, 0 (flags) or UNSAID. */
static const int64_t UNSAID = INT64_MIN;

static int64_t count; /* options made so far */

gp_option gp_run_option_table[MOST];
gp_run_value gp_run_values[MOST];

static const gp_option own[] = {
    {.name = "Pipeline", .type = GP_HEADING},
    {"out", GP_TEXT, 0, "DIR", "the run's directory; what is finished there is not done again", 0,
     0, NULL},
    {"pca", GP_WHOLE, 0, "K",
     "principal components that are covariates of networks and regressions (default 10; 0: none)",
     0, 1000, NULL},
    {"offset", GP_CHOICE, 0, NULL,
     "predictions that stand beside a tested variant, made without its chromosome (default: the "
     "better ones, where cross-validation finds a signal in them; else none)",
     0, 0, "none|ridge|transformer"},
    {"warm-start", GP_FLAG, 0, NULL,
     "train on from the last run's networks where data have changed", 0, 0, NULL},
    {"compare", GP_TEXT, 0, "DIR", "write what changed since the run in DIR: changes.tsv, report",
     0, 0, NULL},
    {"restart", GP_FLAG, 0, NULL, "start afresh in a directory that holds another run", 0, 0, NULL},
    {"dry-run", GP_FLAG, 0, NULL,
     "check the input, print the plans of the regression and of the first network; then stop", 0, 0,
     NULL},
    {0}};

enum { OWN = sizeof own / sizeof *own - 1 };

/* Options of the steps that the pipeline gives itself. */
static const char *const given[] = {"grm",
                                    "project",
                                    "components",
                                    "approx",
                                    "loadings",
                                    "assoc",
                                    "trait",
                                    "attribution",
                                    "run",
                                    "objective",
                                    "init",
                                    "lora",
                                    "offsets",
                                    "offset-name",
                                    "keep-folds",
                                    "max-samples",
                                    "loco",
                                    "no-loco",
                                    "chromosome-dropout",
                                    NULL};

extern const gp_command gp_command_assoc, gp_command_train, gp_command_pca, gp_command_explain,
    gp_command_merge, gp_command_report;

/* In the order of their headings; of options that several have the first one's row stands. */
static const gp_command *const steps[] = {&gp_command_assoc,
                                          &gp_command_pca,
                                          &gp_command_train,
                                          &gp_command_explain,
                                          &gp_command_merge,
                                          &gp_command_report,
                                          NULL};

static int is_among(const char *const *names, const char *name) {
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return 1;
    return 0;
}

static int64_t find(const char *name) {
    for (int64_t k = 0; k < count; k++)
        if (gp_run_option_table[k].type != GP_HEADING &&
            strcmp(gp_run_option_table[k].name, name) == 0)
            return k;
    return -1;
}

static void forget(int64_t k) {
    switch (gp_run_option_table[k].type) {
    case GP_FLAG:
        gp_run_values[k].flag = 0;
        break;
    case GP_WHOLE:
        gp_run_values[k].whole = UNSAID;
        break;
    case GP_REAL:
        gp_run_values[k].real = NAN;
        break;
    default:
        gp_run_values[k].text = NULL;
    }
}

static void add(const gp_option *option) {
    if (count >= MOST - 1)
        return;
    gp_run_option_table[count] = *option;
    gp_run_option_table[count].offset = (size_t)count * sizeof(gp_run_value);
    forget(count++);
}

/* A heading goes in only when an option follows it. */
static void add_table(const gp_option *table) {
    const gp_option *heading = NULL;
    for (const gp_option *o = table; o->name != NULL; o++) {
        if (o->type == GP_HEADING)
            heading = o;
        if (o->type == GP_HEADING || o->type == GP_OPERAND || find(o->name) >= 0 ||
            (table != own && is_among(given, o->name)))
            continue;
        if (heading != NULL)
            add(heading);
        heading = NULL;
        add(o);
    }
}

void gp_run_options_make(void) {
    if (count > 0)
        return;
    add_table(own);
    for (int k = 0; steps[k] != NULL; k++)
        add_table(steps[k]->options);
}

/* ---- values ---- */

const char *gp_run_text(const char *name) {
    int64_t k = find(name);
    return k >= 0 ? gp_run_values[k].text : NULL;
}

int gp_run_flag(const char *name) {
    int64_t k = find(name);
    return k >= 0 && gp_run_values[k].flag;
}

int64_t gp_run_whole(const char *name, int64_t otherwise) {
    int64_t k = find(name);
    return k >= 0 && gp_run_values[k].whole != UNSAID ? gp_run_values[k].whole : otherwise;
}

double gp_run_real(const char *name, double otherwise) {
    int64_t k = find(name);
    return k >= 0 && !isnan(gp_run_values[k].real) ? gp_run_values[k].real : otherwise;
}

int gp_run_mixed(void) {
    const char *model = gp_run_text("model");
    return model != NULL && strcmp(model, "lmm") == 0;
}

int gp_run_check(gp_err *err) {
    static const char *const needed[][2] = {
        {"store", "--store STORE.h5"}, {"pheno", "--pheno FILE"}, {"out", "--out DIR"}};
    for (size_t k = 0; k < sizeof needed / sizeof *needed; k++)
        if (gp_run_text(needed[k][0]) == NULL)
            return gp_err_set(err, GP_EINPUT,
                              "command line: run needs %s, here or in a --config file; see gp-dist "
                              "run --help",
                              needed[k][1]);
    const char *offset = gp_run_text("offset"), *out = gp_run_text("out"),
               *compared = gp_run_text("compare");
    gp_hits_options hits = GP_HITS_DEFAULTS;
    hits.clump_p = gp_run_real("clump-p", hits.clump_p);
    hits.clump_p2 = gp_run_real("clump-p2", hits.clump_p2);
    hits.clump_kb = gp_run_real("clump-kb", hits.clump_kb);
    hits.clump_r2 = gp_run_real("clump-r2", hits.clump_r2);
    if (gp_hits_check(&hits, err) != GP_OK)
        return err->code;
    if (strchr(out, ',') != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --out %s: its path stands in lists of files, which have "
                          "commas between; give a name without",
                          out);
    if (compared != NULL && strcmp(compared, out) == 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --compare %s: is this run's own directory; name another "
                          "run's",
                          compared);
    if (gp_run_text("method") != NULL && strcmp(gp_run_text("method"), "attention") == 0)
        return gp_err_set(
            err, GP_EINPUT,
            "command line: --method attention: knows no traits, and the merged tables "
            "are by trait; gradient or integrated");
    if (gp_run_whole("folds", 1) == 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --folds 0: run tests variants beside predictions of "
                          "samples that were left out, and needs 2 folds or more");
    if (gp_run_mixed() && offset != NULL && strcmp(offset, "none") != 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --offset %s does not go with --model lmm, which has "
                          "relationships in its place",
                          offset);
    return GP_OK;
}

/* ---- passing on ---- */

/* The text of a value, or 0: it was not said. */
static int said(int64_t k, gp_text *text, gp_err *err) {
    text->length = 0;
    switch (gp_run_option_table[k].type) {
    case GP_HEADING:
        return 0;
    case GP_FLAG:
        return gp_run_values[k].flag && gp_text_print(text, err, "yes") == GP_OK;
    case GP_WHOLE:
        return gp_run_values[k].whole != UNSAID &&
               gp_text_print(text, err, "%lld", (long long)gp_run_values[k].whole) == GP_OK;
    case GP_REAL:
        return !isnan(gp_run_values[k].real) &&
               gp_text_print(text, err, "%.15g", gp_run_values[k].real) == GP_OK;
    default:
        return gp_run_values[k].text != NULL &&
               gp_text_print(text, err, "%s", gp_run_values[k].text) == GP_OK;
    }
}

int gp_run_knows(const gp_command *command, const char *name) {
    for (const gp_option *o = command->options; o->name != NULL; o++)
        if (o->type != GP_HEADING && strcmp(o->name, name) == 0)
            return 1;
    return 0;
}

int gp_run_forward(const gp_command *command, const char *const *but, gp_text *arguments,
                   gp_err *err) {
    gp_text text = {0};
    for (int64_t k = 0; k < count && err->code == GP_OK; k++) {
        const gp_option *o = &gp_run_option_table[k];
        if (is_among(but, o->name) || find(o->name) != k || k < OWN ||
            !gp_run_knows(command, o->name) || !said(k, &text, err))
            continue;
        if (o->type == GP_FLAG)
            gp_text_print(arguments, err, "--%s", o->name);
        else
            gp_text_print(arguments, err, "--%s=%s", o->name, text.bytes);
        gp_text_add(arguments, "", 1, err);
    }
    gp_text_free(&text);
    return err->code;
}

/* ---- for the manifest ---- */

static int names_file(const gp_option *option) {
    return option->type == GP_TEXT && option->argument != NULL &&
           (strncmp(option->argument, "FILE", 4) == 0 || strcmp(option->argument, "STORE.h5") == 0);
}

int gp_run_names_file(const char *name) {
    int64_t k = find(name);
    return k >= 0 && names_file(&gp_run_option_table[k]);
}

int gp_run_options_each(gp_run_option_visit *visit, void *context, gp_err *err) {
    gp_text text = {0};
    for (int64_t k = 0; k < count && err->code == GP_OK; k++) {
        const gp_option *o = &gp_run_option_table[k];
        if (o->type != GP_HEADING && said(k, &text, err))
            visit(context, o, text.bytes, names_file(o), err);
    }
    gp_text_free(&text);
    return err->code;
}

int gp_run_matters(const char *name) {
    static const char *const not [] = {"out",
                                       "restart",
                                       "dry-run",
                                       "compare",
                                       "warm-start",
                                       "sample-shards",
                                       "zero",
                                       "checkpoint-minutes",
                                       "checkpoint-steps",
                                       NULL};
    return !is_among(not, name);
}
