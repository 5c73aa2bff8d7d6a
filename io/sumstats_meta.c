/* The -meta.yaml beside a table. */
#include "io/sumstats.h"

#include <string.h>

/* One character of UTF-8 at s (n bytes left): its code point and, in *size, its bytes. A byte that
 * is no UTF-8 stands for itself, as in Latin-1. */
static uint32_t next_character(const unsigned char *s, int64_t n, int *size) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int length = s[0] < 0x80       ? 1
                 : s[0] >> 5 == 6  ? 2
                 : s[0] >> 4 == 14 ? 3
                 : s[0] >> 3 == 30 ? 4
                                   : 0;
    *size = 1;
    if (length < 2 || length > n)
        return s[0];
    uint32_t c = s[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if (s[i] >> 6 != 2)
            return s[0];
        c = c << 6 | (s[i] & 0x3F);
    }
    if (c < least[length] || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF)
        return s[0];
    *size = length;
    return c;
}

/* Whether a character may stand unescaped between double quotes and survive a reader of YAML 1.1
 * or 1.2 (c-printable, without line ends and the byte-order mark). */
static int is_plain(uint32_t c) {
    return c >= 0x20 && c != '"' && c != '\\' && (c < 0x7F || c >= 0xA0) && c != 0x2028 &&
           c != 0x2029 && c != 0xFEFF && (c & 0xFFFE) != 0xFFFE;
}

/* n bytes as a double-quoted scalar (YAML 1.2, 7.3.1). */
static int add_quoted(gp_text *yaml, const char *s, int64_t n, gp_err *err) {
    gp_text_add(yaml, "\"", 1, err);
    for (int64_t at = 0; at < n && err->code == GP_OK;) {
        int size = 1;
        uint32_t c = next_character((const unsigned char *)s + at, n - at, &size);
        if (is_plain(c) && (c < 0x80 || size > 1))
            gp_text_add(yaml, s + at, size, err);
        else if (c == '"' || c == '\\')
            gp_text_print(yaml, err, "\\%c", (int)c);
        else if (c == '\n' || c == '\t')
            gp_text_add(yaml, c == '\n' ? "\\n" : "\\t", 2, err);
        else
            gp_text_print(yaml, err,
                          c < 0x100     ? "\\x%02X"
                          : c < 0x10000 ? "\\u%04X"
                                        : "\\U%08X",
                          c);
        at += size;
    }
    return gp_text_add(yaml, "\"", 1, err);
}

/* "KEY: "VALUE"" and a line end. */
static int add_field(gp_text *yaml, const char *key, const char *value, gp_err *err) {
    gp_text_add(yaml, key, (int64_t)strlen(key), err);
    add_quoted(yaml, value, (int64_t)strlen(value), err);
    return gp_text_add(yaml, "\n", 1, err);
}

static int add_covariates(gp_text *yaml, const char *names, gp_err *err) {
    if (*names == 0)
        return GP_OK;
    gp_text_print(yaml, err, "adjusted_covariates:\n");
    while (names != NULL && err->code == GP_OK) {
        const char *comma = strchr(names, ',');
        gp_text_add(yaml, "  - ", 4, err);
        add_quoted(yaml, names, comma != NULL ? comma - names : (int64_t)strlen(names), err);
        gp_text_add(yaml, "\n", 1, err);
        names = comma != NULL ? comma + 1 : NULL;
    }
    return err->code;
}

static int add_notes(gp_text *yaml, const gp_sumstats_meta *meta, gp_err *err) {
    gp_text notes = {0};
    gp_text_print(&notes, err, "model: %s; ", meta->model);
    if (meta->test != NULL)
        gp_text_print(&notes, err, "test: %s; ", meta->test);
    gp_text_print(&notes, err,
                  "missing genotypes: %s; effect_allele is ALT; beta is %sper copy of it; "
                  "p_value is two-sided; variants: %lld; genotypes: MD5 %s",
                  meta->missing, meta->test != NULL ? "the log of the odds ratio " : "",
                  (long long)meta->variants, meta->store_digest);
    if (err->code == GP_OK)
        add_field(yaml, "author_notes: ", notes.bytes, err);
    gp_text_free(&notes);
    return err->code;
}

int gp_sumstats_meta_print(const gp_sumstats_meta *meta, gp_text *yaml, gp_err *err) {
    gp_text_print(yaml, err, "# Study meta-data\n");
    add_notes(yaml, meta, err);
    gp_text_print(yaml, err, "\n# Trait information\ntrait_description:\n");
    add_field(yaml, "  - ", meta->trait, err);
    gp_text_print(yaml, err,
                  "\n# Genotyping information\ngenome_assembly: unknown\n"
                  "coordinate_system: 1-based\n"
                  "\n# Sample information\nsamples:\n  - sample_size: %lld\n",
                  (long long)meta->samples);
    if (meta->test != NULL)
        gp_text_print(yaml, err,
                      "    case_control_study: true\n    case_count: %lld\n"
                      "    control_count: %lld\n",
                      (long long)meta->cases, (long long)(meta->samples - meta->cases));
    gp_text_print(yaml, err, "\n# Summary statistic information\n");
    add_field(yaml, "data_file_name: ", meta->file_name, err);
    gp_text_print(yaml, err, "file_type: GWAS-SSF v1.0\n");
    add_field(yaml, "data_file_md5sum: ", meta->md5, err);
    add_field(yaml, "analysis_software: ", meta->program, err);
    add_covariates(yaml, meta->covariates, err);
    gp_text_print(yaml, err, "\n# Harmonisation status\nis_harmonised: false\nis_sorted: true\n");
    return err->code;
}
