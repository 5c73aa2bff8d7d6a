#include "io/file.h"
#include "io/json.h"
#include "io/report.h"
#include "src/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char ending[] = ".summary.json";

/* ---- names ---- */

/* A file of the run; the text keeps its bytes until the next call. */
static const char *place(const gp_report_run *run, gp_text *path, const char *folder,
                         const char *name, gp_err *err) {
    path->length = 0;
    if (gp_text_print(path, err, "%s/%s%s%s", run->directory, folder, *folder != 0 ? "/" : "",
                      name) != GP_OK)
        return "";
    return path->bytes;
}

static int is_directory(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int add_trait(gp_report_run *run, int64_t *room, const char *file, int64_t n, gp_err *err) {
    for (int64_t t = 0; t < run->traits; t++)
        if (strncmp(run->trait[t].file, file, (size_t)n) == 0 && run->trait[t].file[n] == 0)
            return GP_OK;
    if (gp_mem_grow(&run->trait, room, run->traits + 1, sizeof *run->trait, err) != GP_OK)
        return err->code;
    gp_report_trait *trait = run->trait + run->traits;
    *trait = (gp_report_trait){.file = gp_mem_string(file, n, err)};
    trait->name = trait->file;
    run->traits += trait->file != NULL;
    return err->code;
}

/* Traits are what a folder has: files of merged/, folders of model/. */
static int list(gp_report_run *run, int64_t *room, const char *folder, gp_err *err) {
    gp_text path = {0};
    DIR *d = opendir(place(run, &path, folder, "", err));
    for (struct dirent *e = NULL; d != NULL && err->code == GP_OK && (e = readdir(d)) != NULL;) {
        int64_t n = (int64_t)strlen(e->d_name), cut = n - (int64_t)(sizeof ending - 1);
        if (strcmp(folder, "merged") == 0) {
            if (cut > 0 && strcmp(e->d_name + cut, ending) == 0)
                add_trait(run, room, e->d_name, cut, err);
            continue;
        }
        gp_text_add(&path, e->d_name, n, err);
        if (e->d_name[0] != '.' && is_directory(path.bytes))
            add_trait(run, room, e->d_name, n, err);
        path.length -= n;
    }
    if (d != NULL)
        closedir(d);
    gp_text_free(&path);
    return err->code;
}

static int by_file(const void *a, const void *b) {
    const gp_report_trait *x = a, *y = b;
    return strcmp(x->file, y->file);
}

static int find_traits(gp_report_run *run, gp_err *err) {
    int64_t room = 0;
    gp_text path = {0};
    int something = 0;
    static const char *const part[] = {"merged", "model", "assoc", "pca", "manifest.json"};
    if (!is_directory(run->directory))
        return gp_err_set(err, GP_EINPUT,
                          "%s: there is no such directory; a run's directory is "
                          "what gp-dist run --out made",
                          run->directory);
    for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
        struct stat about;
        something |= stat(place(run, &path, "", part[k], err), &about) == 0;
    }
    gp_text_free(&path);
    if (!something)
        return gp_err_set(err, GP_EINPUT,
                          "%s: holds nothing of a run (merged/, model/, assoc/, pca/ or "
                          "manifest.json); a run's directory is what gp-dist run --out made",
                          run->directory);
    list(run, &room, "merged", err);
    list(run, &room, "model", err);
    if (run->traits > 0)
        qsort(run->trait, (size_t)run->traits, sizeof *run->trait, by_file);
    return err->code;
}

/* ---- JSON ---- */

static struct json_t *read_json(const char *path, const char *format, gp_err *err) {
    gp_text bytes = {0};
    struct json_t *root = NULL;
    struct stat about;
    if (err->code != GP_OK || (stat(path, &about) != 0 && errno == ENOENT))
        return NULL;
    if (gp_io_read_text(path, &bytes, err) == GP_OK)
        root = gp_json_parse(path, bytes.bytes, bytes.length, err);
    gp_text_free(&bytes);
    const char *found = json_string_value(json_object_get(root, "format"));
    if (err->code == GP_OK && (found == NULL || strcmp(found, format) != 0))
        gp_err_set(err, GP_EINPUT,
                   "%s: its format is '%.40s', not '%s'; it was made by another version or is "
                   "damaged: make it anew",
                   path, found != NULL ? found : "", format);
    return root;
}

/* What plots and tables rely on. */
static int check_summary(const char *path, const json_t *root, gp_err *err) {
    static const struct {
        const char *name;
        json_type type;
    } need[] = {{"trait", JSON_STRING},     {"model", JSON_STRING},  {"samples", JSON_INTEGER},
                {"lines", JSON_INTEGER},    {"status", JSON_OBJECT}, {"chromosomes", JSON_ARRAY},
                {"manhattan", JSON_OBJECT}, {"qq", JSON_ARRAY}};
    for (size_t k = 0; k < sizeof need / sizeof *need; k++) {
        const json_t *value = json_object_get(root, need[k].name);
        if (value == NULL || json_typeof(value) != need[k].type)
            return gp_err_set(err, GP_EINPUT,
                              "%s: '%s' is missing or of another kind; the file is damaged: make "
                              "it anew with gp-dist merge",
                              path, need[k].name);
    }
    return GP_OK;
}

/* ---- one trait ---- */

static const char *const hit_name[GP_HIT_COLUMNS] = {
    "chromosome",    "base_pair_location", "id",
    "effect_allele", "other_allele",       "effect_allele_frequency",
    "beta",          "standard_error",     "neg_log_10_p_value",
    "attribution",   "attribution_rank",   "clumped",
    "clump_start",   "clump_end",          "nearest_gene",
    "gene_distance"};

static int read_hits(gp_report_trait *trait, const char *path, gp_err *err) {
    static const int must[] = {GP_HIT_CHROMOSOME, GP_HIT_POSITION, GP_HIT_ID,
                               GP_HIT_NEG_LOG10,  GP_HIT_START,    GP_HIT_END};
    if (gp_sheet_read(&trait->hits, path, err) != GP_OK)
        return err->code;
    for (int k = 0; k < GP_HIT_COLUMNS; k++)
        trait->hit[k] = gp_sheet_find(&trait->hits, hit_name[k]);
    for (size_t k = 0; k < sizeof must / sizeof *must && gp_sheet_there(&trait->hits); k++)
        if (trait->hit[must[k]] < 0)
            gp_err_set(err, GP_EINPUT, "%s:1: there is no column '%s'", path, hit_name[must[k]]);
    for (int64_t i = 0; i < trait->hits.rows && err->code == GP_OK; i++)
        for (int k = 0; k < GP_HIT_GENE; k++)
            if (k != GP_HIT_CHROMOSOME && (k < GP_HIT_ID || k > GP_HIT_OTHER_ALLELE))
                gp_sheet_number(&trait->hits, i, trait->hit[k], err);
    return err->code;
}

static int read_model(const gp_report_run *run, gp_report_trait *trait, int brief, gp_err *err) {
    gp_text path = {0}, folder = {0};
    gp_sheet guesses = {0};
    gp_text_print(&folder, err, "model/%s", trait->file);
    if (err->code != GP_OK)
        return err->code;
    trait->has_model = is_directory(place(run, &path, folder.bytes, "", err));
    gp_sheet_read(&trait->metrics, place(run, &path, folder.bytes, "metrics.tsv", err), err);
    for (int64_t i = 0; i < trait->metrics.rows && err->code == GP_OK; i++)
        for (int64_t k = gp_sheet_find(&trait->metrics, "n"); k >= 0 && k < trait->metrics.columns;
             k++)
            gp_sheet_number(&trait->metrics, i, k, err);
    if (trait->summary == NULL && trait->metrics.rows > 0 &&
        gp_sheet_find(&trait->metrics, "trait") >= 0) /* file is the name made safe */
        trait->name = gp_sheet_text(&trait->metrics, 0, gp_sheet_find(&trait->metrics, "trait"));
    if (trait->summary == NULL) /* only the metrics know */
        trait->binary = !isnan(gp_report_metric(trait, "ridge", "auc", NULL, NULL)) ||
                        !isnan(gp_report_metric(trait, "transformer", "auc", NULL, NULL));
    if (!brief) {
        gp_sheet_read(&trait->training, place(run, &path, folder.bytes, "training.tsv", err), err);
        gp_sheet_read(&trait->heritability,
                      place(run, &path, folder.bytes, "heritability.tsv", err), err);
        gp_sheet_read(&guesses, place(run, &path, folder.bytes, "predictions.tsv", err), err);
        if (err->code == GP_OK && gp_sheet_there(&guesses))
            gp_guesses_make(&trait->guesses, &guesses, trait->name, trait->binary, err);
    }
    gp_sheet_free(&guesses);
    gp_text_free(&folder);
    gp_text_free(&path);
    return err->code;
}

static int read_trait(const gp_report_run *run, gp_report_trait *trait, int brief, gp_err *err) {
    gp_text path = {0}, name = {0};
    gp_text_print(&name, err, "%s%s", trait->file, ending);
    if (err->code != GP_OK)
        return err->code;
    const char *file = place(run, &path, "merged", name.bytes, err);
    trait->summary = read_json(file, "gp-dist summary 1", err);
    if (err->code == GP_OK && trait->summary != NULL &&
        check_summary(file, trait->summary, err) == GP_OK &&
        gp_cells_take(&trait->cells, file, trait->summary, err) == GP_OK) {
        trait->name = json_string_value(json_object_get(trait->summary, "trait"));
        trait->binary = json_is_integer(json_object_get(trait->summary, "cases"));
    }
    name.length = 0;
    if (gp_text_print(&name, err, "%s.hits.tsv", trait->file) == GP_OK)
        read_hits(trait, place(run, &path, "merged", name.bytes, err), err);
    if (err->code == GP_OK)
        read_model(run, trait, brief, err);
    gp_text_free(&name);
    gp_text_free(&path);
    return err->code;
}

/* ---- the run ---- */

static int read_people(gp_report_run *run, gp_err *err) {
    static const char *const name[] = {"PC1", "PC2"};
    gp_text path = {0};
    gp_sheet s = {0};
    int64_t column[2] = {-1, -1};
    gp_sheet_read(&s, place(run, &path, "pca", "pca.eigenvec", err), err);
    run->has_pca = gp_sheet_there(&s);
    if (run->has_pca) /* a lone component is shown against itself */
        gp_sheet_need(&s, name, column, gp_sheet_find(&s, "PC2") < 0 ? 1 : 2, err);
    if (run->has_pca && gp_sheet_find(&s, "PC2") < 0)
        column[1] = column[0];
    double *xy = gp_mem_alloc(s.rows, 2 * sizeof *xy, err);
    for (int64_t i = 0; i < s.rows && err->code == GP_OK; i++)
        for (int k = 0; k < 2; k++)
            xy[2 * i + k] = gp_sheet_number(&s, i, column[k], err);
    if (err->code == GP_OK && run->has_pca)
        gp_cloud_make(&run->people, xy, s.rows, err);
    free(xy);
    gp_sheet_free(&s);
    gp_text_free(&path);
    return err->code;
}

/* pca.eigenval has no header: the first value stands in its place. */
static int read_eigenvalues(gp_report_run *run, gp_err *err) {
    gp_text path = {0}, bytes = {0};
    gp_sheet s = {0};
    struct stat about;
    const char *file = place(run, &path, "pca", "pca.eigenval", err);
    if (err->code == GP_OK && stat(file, &about) == 0 &&
        gp_text_print(&bytes, err, "value\n") == GP_OK &&
        gp_io_read_text(file, &bytes, err) == GP_OK)
        gp_sheet_parse(&s, file, &bytes, err);
    run->eigenvalue = gp_mem_alloc(s.rows, sizeof *run->eigenvalue, err);
    for (int64_t k = 0; k < s.rows && err->code == GP_OK; k++)
        run->eigenvalue[run->components++] = gp_sheet_number(&s, k, 0, err);
    gp_sheet_free(&s);
    gp_text_free(&bytes);
    gp_text_free(&path);
    return err->code;
}

int gp_report_read(gp_report_run *run, const char *directory, int brief, gp_err *err) {
    gp_text path = {0};
    *run = (gp_report_run){.directory = directory};
    if (find_traits(run, err) != GP_OK)
        return err->code;
    gp_sheet_read(&run->filters, place(run, &path, "assoc", "filters.tsv", err), err);
    for (int64_t i = 0; i < run->filters.rows && err->code == GP_OK; i++)
        gp_sheet_number(&run->filters, i, gp_sheet_find(&run->filters, "count"), err);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++)
        read_trait(run, &run->trait[t], brief, err);
    if (!brief && err->code == GP_OK) {
        gp_sheet_read(&run->variance, place(run, &path, "assoc", "variance.tsv", err), err);
        run->manifest =
            read_json(place(run, &path, "", "manifest.json", err), "gp-dist run 1", err);
        read_people(run, err);
        if (err->code == GP_OK)
            read_eigenvalues(run, err);
    }
    gp_text_free(&path);
    return err->code;
}

void gp_report_free(gp_report_run *run) {
    for (int64_t t = 0; t < run->traits; t++) {
        gp_report_trait *trait = &run->trait[t];
        json_decref(trait->summary);
        gp_cells_free(&trait->cells);
        gp_sheet_free(&trait->hits);
        gp_sheet_free(&trait->metrics);
        gp_sheet_free(&trait->training);
        gp_sheet_free(&trait->heritability);
        gp_guesses_free(&trait->guesses);
        free(trait->file);
    }
    free(run->trait);
    gp_sheet_free(&run->filters);
    gp_sheet_free(&run->variance);
    json_decref(run->manifest);
    gp_cloud_free(&run->people);
    free(run->eigenvalue);
    *run = (gp_report_run){0};
}

/* ---- numbers of a trait ---- */

double gp_report_number(const gp_report_trait *trait, const char *name) {
    const json_t *value = json_object_get(trait->summary, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

int64_t gp_report_tested(const gp_report_trait *trait) {
    const json_t *status = json_object_get(trait->summary, "status");
    return json_integer_value(json_object_get(status, "OK"));
}

double gp_report_metric(const gp_report_trait *trait, const char *model, const char *measure,
                        double *low, double *high) {
    const gp_sheet *s = &trait->metrics;
    gp_err none = {0};
    double all = NAN, least = NAN, most = NAN;
    int64_t of = gp_sheet_find(s, "model"), fold = gp_sheet_find(s, "fold"),
            about = gp_sheet_find(s, "trait"), column = gp_sheet_find(s, measure), folds = 0;
    for (int64_t i = 0; i < s->rows; i++) {
        if (strcmp(gp_sheet_text(s, i, of), model) != 0 ||
            (about >= 0 && strcmp(gp_sheet_text(s, i, about), trait->name) != 0))
            continue;
        double value = gp_sheet_number(s, i, column, &none);
        if (strcmp(gp_sheet_text(s, i, fold), "all") == 0 ||
            strcmp(gp_sheet_text(s, i, fold), "validation") == 0) {
            all = value;
            continue;
        }
        folds++;
        least = folds == 1 || value < least ? value : least;
        most = folds == 1 || value > most ? value : most;
    }
    if (low != NULL)
        *low = folds > 1 ? least : NAN;
    if (high != NULL)
        *high = folds > 1 ? most : NAN;
    return all;
}
