#include "io/effects.h"
#include "io/number.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <htslib/bgzf.h>
#include <htslib/hts_log.h>
#include <htslib/kstring.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEADING = 6 /* columns before the traits' */ };

static const char leading_header[] =
    "chromosome\tbase_pair_location\tid\teffect_allele\tother_allele\tmean";

int gp_effects_header(gp_text *text, const char *const *trait, int64_t traits, gp_err *err) {
    gp_text_print(text, err, "%s", leading_header);
    for (int64_t t = 0; t < traits; t++)
        gp_text_print(text, err, "\t%s", trait[t]);
    return gp_text_add(text, "\n", 1, err);
}

int gp_effects_print(gp_text *text, const gp_effect *e, int64_t traits, gp_err *err) {
    gp_text_print(text, err, "%s\t%lld\t%s\t%s\t%s\t%.12g", e->chromosome, (long long)e->position,
                  e->id, e->effect_allele, e->other_allele, e->mean);
    for (int64_t t = 0; t < traits; t++)
        gp_text_print(text, err, "\t%.12g", e->value[t]);
    return gp_text_add(text, "\n", 1, err);
}

/* ---- reading ---- */

struct gp_effects {
    char *path;
    BGZF *file;
    kstring_t line;
    int64_t number; /* of the line, from 1 */
    gp_text header; /* cut at its tabs */
    int64_t traits;
    char **trait; /* [traits] views into header */
    double *value;
};

/* 1 with a line; 0 at the end or on failure. */
static int next_line(gp_effects *e, gp_err *err) {
    int got = bgzf_getline(e->file, '\n', &e->line);
    if (got < -1) {
        gp_err_set(err, GP_EINPUT, "%s: cannot be read: the file is damaged or cut short", e->path);
        return 0;
    }
    if (got == -1)
        return 0;
    e->number++;
    if (e->line.l > 0 && e->line.s[e->line.l - 1] == '\r')
        e->line.s[--e->line.l] = 0;
    return 1;
}

static int not_effects(const gp_effects *e, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: is no file of variant effects: its first line must be '%s' and the "
                      "traits, tab-separated",
                      e->path, "chromosome base_pair_location id effect_allele other_allele mean");
}

static int read_header(gp_effects *e, gp_err *err) {
    size_t length = strlen(leading_header);
    if (!next_line(e, err))
        return err->code != GP_OK ? err->code : not_effects(e, err);
    if (strncmp(e->line.s, leading_header, length) != 0 || e->line.s[length] != '\t')
        return not_effects(e, err);
    if (gp_text_add(&e->header, e->line.s + length, (int64_t)(e->line.l - length), err) != GP_OK)
        return err->code;
    for (const char *c = e->header.bytes; *c != 0; c++)
        e->traits += *c == '\t';
    e->trait = gp_mem_alloc(e->traits, sizeof *e->trait, err);
    e->value = gp_mem_alloc(e->traits, sizeof *e->value, err);
    if (err->code != GP_OK)
        return err->code;
    int64_t t = 0;
    for (char *c = e->header.bytes; *c != 0; c++)
        if (*c == '\t') {
            *c = 0;
            e->trait[t++] = c + 1;
        }
    return GP_OK;
}

int gp_effects_open(gp_effects **effects, const char *path, gp_err *err) {
    gp_effects *e = gp_mem_alloc(1, sizeof *e, err);
    *effects = NULL;
    if (e == NULL)
        return err->code;
    e->path = gp_mem_string(path, (int64_t)strlen(path), err);
    hts_set_log_level(HTS_LOG_OFF);
    int fd = err->code == GP_OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (err->code == GP_OK && fd < 0)
        gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (fd >= 0 && (e->file = bgzf_dopen(fd, "r")) == NULL) {
        close(fd);
        gp_err_set(err, GP_EINPUT, "%s: cannot be read", path);
    }
    if (err->code == GP_OK && read_header(e, err) == GP_OK)
        *effects = e;
    else
        gp_effects_close(e);
    return err->code;
}

void gp_effects_close(gp_effects *e) {
    if (e == NULL)
        return;
    if (e->file != NULL)
        bgzf_close(e->file);
    free(e->line.s);
    gp_text_free(&e->header);
    free(e->trait);
    free(e->value);
    free(e->path);
    free(e);
}

int64_t gp_effects_traits(const gp_effects *e) {
    return e->traits;
}

const char *gp_effects_trait(const gp_effects *e, int64_t t) {
    return e->trait[t];
}

/* The next field of a line; NULL behind the last. */
static char *cut(char **rest) {
    char *field = *rest;
    if (field != NULL) {
        char *tab = strchr(field, '\t');
        *rest = tab == NULL ? NULL : tab + 1;
        if (tab != NULL)
            *tab = 0;
    }
    return field;
}

static int bad_field(const gp_effects *e, const char *field, gp_err *err) {
    if (field == NULL)
        return gp_err_set(err, GP_EINPUT, "%s:%lld: has fewer fields than the header", e->path,
                          (long long)e->number);
    return gp_err_set(err, GP_EINPUT, "%s:%lld: '%.60s' is not a number", e->path,
                      (long long)e->number, field);
}

int gp_effects_next(gp_effects *e, gp_effect *effect, gp_err *err) {
    char *field[LEADING], *rest;
    double position;
    do {
        if (!next_line(e, err))
            return 0;
    } while (e->line.l == 0);
    rest = e->line.s;
    for (int k = 0; k < LEADING; k++)
        field[k] = cut(&rest);
    if (field[LEADING - 1] == NULL)
        return bad_field(e, NULL, err), 0;
    *effect = (gp_effect){.chromosome = field[0],
                          .id = field[2],
                          .effect_allele = field[3],
                          .other_allele = field[4],
                          .value = e->value};
    if (!gp_number_read(field[1], &position) || position < 0 || position > 9e15)
        return bad_field(e, field[1], err), 0;
    effect->position = (int64_t)position;
    if (!gp_number_read(field[5], &effect->mean))
        return bad_field(e, field[5], err), 0;
    if (effect->mean < 0.0 || effect->mean > 2.0) {
        gp_err_set(err, GP_EINPUT, "%s:%lld: mean %s is not within 0 to 2", e->path,
                   (long long)e->number, field[5]);
        return 0;
    }
    for (int64_t t = 0; t < e->traits; t++) {
        char *number = cut(&rest);
        if (number == NULL || !gp_number_read(number, &e->value[t]))
            return bad_field(e, number, err), 0;
    }
    if (rest != NULL) {
        gp_err_set(err, GP_EINPUT, "%s:%lld: has more fields than the header", e->path,
                   (long long)e->number);
        return 0;
    }
    return 1;
}
