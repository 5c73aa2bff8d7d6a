/* Metadata read back. Only lines as gp_sumstats_meta_print writes them are known here. */
#include "io/sumstats.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* What follows key at the beginning of a line, or NULL. */
static const char *find_line(const char *yaml, const char *key) {
    size_t n = strlen(key);
    for (const char *line = yaml; line != NULL && *line != 0;) {
        if (strncmp(line, key, n) == 0)
            return line + n;
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return NULL;
}

static int add_utf8(gp_text *text, unsigned long c, gp_err *err) {
    char s[4];
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int k = n - 1; k > 0; k--, c >>= 6)
        s[k] = (char)(0x80 | (c & 0x3F));
    s[0] = (char)(lead[n] | c);
    return gp_text_add(text, s, n, err);
}

/* One character that a backslash stands before; returns where it ends. */
static const char *add_escaped(gp_text *text, const char *s, gp_err *err) {
    int digits = *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
    if (digits == 0) {
        gp_text_add(text, *s == 'n' ? "\n" : *s == 't' ? "\t" : s, 1, err);
        return s + 1;
    }
    char hex[9] = "";
    for (int k = 0; k < digits && s[1 + k] != 0; k++)
        hex[k] = s[1 + k];
    add_utf8(text, strtoul(hex, NULL, 16), err);
    return s + 1 + strlen(hex);
}

/* A double-quoted scalar; returns NULL where there is none. To be freed. */
static char *read_quoted(const char *s, gp_err *err) {
    gp_text text = {0};
    if (s == NULL || *s++ != '"' || gp_text_add(&text, "", 0, err) != GP_OK)
        return NULL;
    while (*s != '"' && *s != 0 && *s != '\n' && err->code == GP_OK) {
        if (*s == '\\' && s[1] != 0) {
            s = add_escaped(&text, s + 1, err);
        } else {
            gp_text_add(&text, s++, 1, err);
        }
    }
    if (*s == '"' && err->code == GP_OK)
        return text.bytes;
    gp_text_free(&text);
    return NULL;
}

/* What stands behind key in the notes, up to "; " or their end; NULL where there is none. */
static char *read_note(const char *notes, const char *key, gp_err *err) {
    const char *s = notes == NULL ? NULL : strstr(notes, key);
    if (s == NULL)
        return NULL;
    s += strlen(key);
    const char *end = strstr(s, "; ");
    return gp_mem_string(s, end == NULL ? (int64_t)strlen(s) : (int64_t)(end - s), err);
}

/* -1 where there is no number. */
static int64_t read_count(const char *s) {
    return s == NULL || *s < '0' || *s > '9' ? -1 : (int64_t)strtoll(s, NULL, 10);
}

int gp_sumstats_about_read(const char *path, const char *yaml, gp_sumstats_about *about,
                           gp_err *err) {
    char *notes = read_quoted(find_line(yaml, "author_notes: "), err);
    char *variants = read_note(notes, "; variants: ", err);
    about->trait = read_quoted(find_line(yaml, "trait_description:\n  - "), err);
    about->model = read_note(notes, "model: ", err);
    about->store_digest = read_note(notes, "; genotypes: MD5 ", err);
    about->samples = read_count(find_line(yaml, "  - sample_size: "));
    about->cases = read_count(find_line(yaml, "    case_count: "));
    about->variants = read_count(variants);
    if (about->trait == NULL || about->model == NULL || about->store_digest == NULL ||
        about->samples < 0 || about->variants < 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: does not tell of a table that gp-dist assoc wrote: trait, samples, and in "
                   "author_notes model, variants and genotypes",
                   path);
    free(notes);
    free(variants);
    return err->code;
}

void gp_sumstats_about_free(gp_sumstats_about *about) {
    free(about->trait);
    free(about->model);
    free(about->store_digest);
    *about = (gp_sumstats_about){0};
}

int gp_sumstats_meta_revise(const char *yaml, const char *md5, const char *note, gp_text *revised,
                            gp_err *err) {
    static const char sum[] = "data_file_md5sum: ", notes[] = "author_notes: ";
    for (const char *line = yaml; *line != 0 && err->code == GP_OK;) {
        const char *end = strchr(line, '\n');
        int64_t n = end == NULL ? (int64_t)strlen(line) : (int64_t)(end - line);
        if (strncmp(line, sum, sizeof sum - 1) == 0)
            gp_text_print(revised, err, "%s\"%s\"", sum, md5);
        else if (strncmp(line, notes, sizeof notes - 1) == 0 && line[n - 1] == '"')
            gp_text_print(revised, err, "%.*s; %s\"", (int)(n - 1), line, note);
        else
            gp_text_add(revised, line, n, err);
        gp_text_add(revised, "\n", 1, err);
        line += n + (end != NULL);
    }
    return err->code;
}
