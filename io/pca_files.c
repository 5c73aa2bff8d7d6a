#include "io/pca_files.h"
#include "io/digits.h"
#include "io/lines.h"
#include "io/number.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static int print_number(gp_text *to, char before, double value, gp_err *err) {
    char *at = gp_text_room(to, GP_DIGITS_ROOM + 1, err);
    if (at == NULL)
        return err->code;
    char *start = at;
    if (before != 0)
        *at++ = before;
    to->length += gp_digits_real(at, value) - start;
    to->bytes[to->length] = 0;
    return GP_OK;
}

static int print_names(gp_text *to, int64_t count, gp_err *err) {
    for (int64_t k = 1; k <= count; k++)
        gp_text_print(to, err, "\tPC%lld", (long long)k);
    return gp_text_add(to, "\n", 1, err);
}

int gp_pca_print_vectors(gp_text *to, const gp_pca_vectors *v, gp_err *err) {
    gp_text_print(to, err, "#FID\tIID");
    print_names(to, v->count, err);
    for (int64_t i = 0; i < v->n && err->code == GP_OK; i++) {
        gp_text_print(to, err, "%s\t%s", gp_samples_fid(v->samples, v->sample[i]),
                      gp_samples_iid(v->samples, v->sample[i]));
        for (int64_t k = 0; k < v->count; k++)
            print_number(to, '\t', v->vector[k * v->n + i], err);
        gp_text_add(to, "\n", 1, err);
    }
    return err->code;
}

int gp_pca_print_values(gp_text *to, const double *value, int64_t count, gp_err *err) {
    for (int64_t k = 0; k < count && err->code == GP_OK; k++)
        if (print_number(to, 0, value[k], err) == GP_OK)
            gp_text_add(to, "\n", 1, err);
    return err->code;
}

int gp_pca_print_weights_header(gp_text *to, int64_t count, gp_err *err) {
    gp_text_print(to, err, "#CHROM\tID\tMAJ\tNONMAJ\tMAJ_FREQ");
    return print_names(to, count, err);
}

int gp_pca_print_weights(gp_text *to, const gp_pca_variant *v, int64_t count, gp_err *err) {
    gp_text_print(to, err, "%s\t%s\t%s\t%s", v->chromosome, v->id, v->major, v->minor);
    print_number(to, '\t', v->frequency, err);
    for (int64_t k = 0; k < count; k++)
        print_number(to, '\t', v->weight[k], err);
    return gp_text_add(to, "\n", 1, err);
}

/* ---- reading ---- */

enum { CHROM, ID, MAJ, NONMAJ, MAJ_FREQ, NAMED };

static const char *const names[NAMED] = {"#CHROM", "ID", "MAJ", "NONMAJ", "MAJ_FREQ"};

static int read_header(gp_pca_weights *w, const char *path, gp_lines *lines, gp_err *err) {
    char *rest = gp_lines_next(lines), *field;
    for (int k = 0; k < NAMED; k++) {
        field = rest != NULL ? gp_lines_field(lines, &rest) : NULL;
        if (field == NULL || strcmp(field, names[k]) != 0)
            return gp_err_set(err, GP_EINPUT,
                              "%s:1: column %d is not %s; this must be a file that gp-dist pca "
                              "--loadings wrote",
                              path, k + 1, names[k]);
    }
    while (gp_lines_field(lines, &rest) != NULL)
        w->count++;
    if (w->count == 0)
        return gp_err_set(err, GP_EINPUT, "%s:1: no column PC1", path);
    return GP_OK;
}

static int number(const char *path, const gp_lines *lines, const char *field, double *value,
                  gp_err *err) {
    if (field == NULL)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: fewer fields than the header has", path,
                          (long long)lines->number);
    if (!gp_number_read(field, value))
        return gp_err_set(err, GP_EINPUT, "%s:%lld: '%.60s' is not a number", path,
                          (long long)lines->number, field);
    return GP_OK;
}

static int read_line(gp_pca_weights *w, const char *path, gp_lines *lines, char *line,
                     gp_err *err) {
    char *field[NAMED], *rest = line;
    int64_t i = 0;
    int fresh = 1;
    double *f = w->frequency + w->variants;
    for (int k = 0; k < NAMED; k++)
        field[k] = gp_lines_field(lines, &rest);
    if (number(path, lines, field[MAJ_FREQ], f, err) != GP_OK)
        return err->code;
    if (!(*f > 0.0 && *f < 1.0))
        return gp_err_set(err, GP_EINPUT, "%s:%lld: frequency %s is not between 0 and 1", path,
                          (long long)lines->number, field[MAJ_FREQ]);
    if (strcmp(field[ID], ".") == 0) /* no id: nothing can be joined to it */
        return GP_OK;
    if (gp_ids_add(&w->id, field[ID], (int64_t)strlen(field[ID]), &i, &fresh, err) != GP_OK)
        return err->code;
    if (!fresh)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: variant '%.60s' is there twice", path,
                          (long long)lines->number, field[ID]);
    w->major[i] = field[MAJ];
    w->minor[i] = field[NONMAJ];
    for (int64_t k = 0; k < w->count; k++)
        if (number(path, lines, gp_lines_field(lines, &rest), &w->weight[i * w->count + k], err) !=
            GP_OK)
            return err->code;
    if (gp_lines_field(lines, &rest) != NULL)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: more fields than the header has", path,
                          (long long)lines->number);
    w->variants++;
    return GP_OK;
}

int gp_pca_read_weights(gp_pca_weights *w, const char *path, gp_text *bytes, gp_err *err) {
    gp_lines lines;
    char *line;
    if (gp_lines_start(&lines, path, bytes, err) != GP_OK ||
        read_header(w, path, &lines, err) != GP_OK)
        return err->code;
    int64_t most = gp_lines_count(&lines);
    w->major = gp_mem_alloc(most, sizeof *w->major, err);
    w->minor = gp_mem_alloc(most, sizeof *w->minor, err);
    w->frequency = gp_mem_alloc(most, sizeof *w->frequency, err);
    w->weight = gp_mem_alloc(most, w->count * (int64_t)sizeof *w->weight, err);
    while (err->code == GP_OK && (line = gp_lines_next(&lines)) != NULL)
        read_line(w, path, &lines, line, err);
    if (err->code == GP_OK && w->variants == 0)
        gp_err_set(err, GP_EINPUT, "%s: holds no variant with an id", path);
    return err->code;
}

int gp_pca_read_values(double **value, int64_t *count, const char *path, gp_text *bytes,
                       gp_err *err) {
    gp_lines lines;
    char *line;
    *count = 0;
    if (gp_lines_start(&lines, path, bytes, err) != GP_OK)
        return err->code;
    *value = gp_mem_alloc(gp_lines_count(&lines), sizeof **value, err);
    while (err->code == GP_OK && (line = gp_lines_next(&lines)) != NULL) {
        double *v = *value + *count;
        if (number(path, &lines, line, v, err) != GP_OK)
            break;
        if (!(*v > 0.0))
            gp_err_set(err, GP_EINPUT, "%s:%lld: '%.60s' is not above 0", path,
                       (long long)lines.number, line);
        ++*count;
    }
    return err->code;
}

void gp_pca_weights_free(gp_pca_weights *w) {
    gp_ids_free(&w->id);
    free(w->major);
    free(w->minor);
    free(w->frequency);
    free(w->weight);
    *w = (gp_pca_weights){0};
}
