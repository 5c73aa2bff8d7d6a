#include "io/fixed_effects.h"
#include "io/lines.h"
#include "io/number.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static const char intercept[] = "(intercept)";

int gp_fixed_effects_header(gp_text *text, gp_err *err) {
    return gp_text_print(text, err, "trait\tterm\teffect\n");
}

int gp_fixed_effects_print(gp_text *text, const char *trait, const char *const *term,
                           const double *effect, int64_t terms, gp_err *err) {
    for (int64_t k = 0; k < terms; k++)
        gp_text_print(text, err, "%s\t%s\t%.17g\n", trait, k == 0 ? intercept : term[k - 1],
                      effect[k]);
    return err->code;
}

/* ---- reading ---- */

typedef struct parse {
    gp_fixed_effects *to;
    const char *path;
    gp_lines lines;
    int64_t count, capacity; /* of effect */
} parse;

static int bad_form(const parse *p, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s:%lld: expected lines of trait, term and effect, tab-separated, with the "
                      "same terms for every trait, %s first",
                      p->path, (long long)p->lines.number, intercept);
}

static int take_line(parse *p, char *line, gp_err *err) {
    const char *field[4];
    char *rest = line;
    int64_t trait = 0, term = 0;
    int fresh = 0;
    double value = 0.0;
    for (int k = 0; k < 4; k++)
        field[k] = gp_lines_field(&p->lines, &rest);
    if (field[2] == NULL || field[3] != NULL || !gp_number_read(field[2], &value))
        return bad_form(p, err);
    if (gp_ids_add(&p->to->trait, field[0], (int64_t)strlen(field[0]), &trait, &fresh, err) !=
            GP_OK ||
        gp_ids_add(&p->to->term, field[1], (int64_t)strlen(field[1]), &term, NULL, err) != GP_OK)
        return err->code;
    /* Traits come one after the other, each with the terms of the first. */
    int64_t terms = p->to->term.count;
    int begins = strcmp(field[1], intercept) == 0;
    if (fresh != begins || trait != p->to->trait.count - 1 ||
        p->count != (trait == 0 ? term : trait * terms + term))
        return bad_form(p, err);
    if (gp_mem_grow(&p->to->effect, &p->capacity, p->count + 1, sizeof value, err) == GP_OK)
        p->to->effect[p->count++] = value;
    return err->code;
}

int gp_fixed_effects_parse(gp_fixed_effects *fixed, const char *path, gp_text *text, gp_err *err) {
    parse p = {.to = fixed, .path = path};
    char *line;
    if (gp_lines_start(&p.lines, path, text, err) != GP_OK)
        return err->code;
    line = gp_lines_next(&p.lines);
    if (line == NULL || strcmp(line, "trait\tterm\teffect") != 0)
        return bad_form(&p, err);
    while (err->code == GP_OK && (line = gp_lines_next(&p.lines)) != NULL)
        take_line(&p, line, err);
    if (err->code == GP_OK && (p.count == 0 || p.count != fixed->trait.count * fixed->term.count))
        bad_form(&p, err);
    return err->code;
}

void gp_fixed_effects_free(gp_fixed_effects *fixed) {
    gp_ids_free(&fixed->trait);
    gp_ids_free(&fixed->term);
    free(fixed->effect);
    *fixed = (gp_fixed_effects){0};
}
