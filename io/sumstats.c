#include "io/sumstats.h"
#include "io/digits.h"
#include "src/base/mem.h"
#include "src/base/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 32, /* bytes copied at a time: ends of pieces are read and written that do not count */
    NAME_ROOM = 32, /* a status, its newline, zeros */
    /* What a line holds beside its variant's text: five numbers of at most 16 bytes and a power of
     * ten of 28, a count, a status, and what stands after each. */
    NUMBERS_ROOM = 5 * 17 + 29 + 21 + NAME_ROOM,
    /* A binary trait's: two counts, five numbers, a test. */
    BINARY_ROOM = 2 * 21 + 5 * 17 + NAME_ROOM
};

/* ---- the header ---- */

int gp_sumstat_add_header(const gp_sumstat_form *form, gp_text *text, gp_err *err) {
    gp_text_print(text, err,
                  "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\t"
                  "standard_error\teffect_allele_frequency\tp_value\tn\tid\tstatistic\t"
                  "neg_log_10_p_value\tstatus");
    if (form->binary)
        gp_text_print(text, err,
                      "\tn_cases\tn_controls\teffect_allele_frequency_cases\t"
                      "effect_allele_frequency_controls\ttest");
    if (form->binary && form->deviate > 0.0)
        gp_text_print(text, err, "\todds_ratio\tci_lower\tci_upper");
    return gp_text_add(text, "\n", 1, err);
}

/* ---- what the traits share ---- */

static char *put(char *to, const char *s, size_t n) {
    memcpy(to, s, n);
    to[n] = '\t';
    return to + n + 1;
}

static char *put_allele(char *to, const char *s, size_t n) {
    return s[0] == '.' && n == 1 ? put(to, "#NA", 3) : put(to, s, n);
}

static int add_site(gp_sumstat_sites *sites, const char *chromosome, size_t chromosome_length,
                    const gp_variants *v, int64_t j, gp_err *err) {
    gp_text *text = &sites->text;
    size_t effect = strlen(v->alt[j]), other = strlen(v->ref[j]), id = strlen(v->id[j]);
    /* An allele "." becomes two bytes longer; every field has one byte after it. */
    size_t room = chromosome_length + effect + other + id + 2 * 2 + 5 + GP_DIGITS_ROOM + PIECE;
    char *begin = gp_text_room(text, (int64_t)room, err);
    if (begin == NULL)
        return err->code;
    char *to = put(begin, chromosome, chromosome_length);
    to = gp_digits_integer(to, v->position[j]);
    *to++ = '\t';
    to = put_allele(to, v->alt[j], effect);
    to = put_allele(to, v->ref[j], other);
    sites->end[2 * sites->count] = text->length + (to - begin);
    to = put(to, v->id[j], id);
    *to = 0;
    text->length += to - begin;
    sites->end[2 * sites->count++ + 1] = text->length;
    return GP_OK;
}

int gp_sumstat_sites_set(gp_sumstat_sites *sites, const char *chromosome, const gp_variants *v,
                         const int64_t *chosen, int64_t count, gp_err *err) {
    size_t length = strlen(chromosome);
    sites->count = sites->text.length = 0;
    int code = gp_mem_grow(&sites->end, &sites->capacity, 2 * count, sizeof *sites->end, err);
    for (int64_t i = 0; i < count && code == GP_OK; i++)
        code = add_site(sites, chromosome, length, v, chosen[i], err);
    if (code != GP_OK)
        sites->count = 0;
    return code;
}

void gp_sumstat_sites_free(gp_sumstat_sites *sites) {
    gp_text_free(&sites->text);
    free(sites->end);
    *sites = (gp_sumstat_sites){0};
}

/* ---- lines ---- */

/* Text that many lines of a trait have in common, each with what stands after it. */
typedef struct common {
    gp_sumstat_form form;
    int64_t n; /* as n_text has it */
    int n_length;
    char n_text[PIECE];
    int status_length[GP_STATUS_COUNT];
    char status[GP_STATUS_COUNT][NAME_ROOM];
    int test_length[GP_TEST_COUNT + 1]; /* the last one: none */
    char test[GP_TEST_COUNT + 1][NAME_ROOM];
} common;

static void set_n(common *c, int64_t n) {
    char *to = gp_digits_integer(c->n_text, n);
    *to++ = '\t';
    c->n = n;
    c->n_length = (int)(to - c->n_text);
}

/* Returns the length of a word and the character after it. */
static int set_word(char *to, const char *word, char after) {
    size_t length = strlen(word);
    memcpy(to, word, length);
    to[length] = after;
    return (int)length + 1;
}

static void set_common(common *c, const gp_sumstat_form *form, int64_t n) {
    *c = (common){.form = *form};
    set_n(c, n);
    for (int s = 0; s < GP_STATUS_COUNT; s++)
        c->status_length[s] =
            set_word(c->status[s], gp_status_name((gp_status)s), form->binary ? '\t' : '\n');
    for (int t = 0; form->binary && t <= GP_TEST_COUNT; t++)
        c->test_length[t] =
            set_word(c->test[t], t < GP_TEST_COUNT ? gp_test_name((gp_test)t) : "#NA",
                     form->deviate > 0.0 ? '\t' : '\n');
}

static char *put_pieces(char *to, const char *s, int64_t n) {
    for (int64_t k = 0; k < n; k += PIECE)
        memcpy(to + k, s + k, PIECE);
    return to + n;
}

static char *put_real(char *to, double value) {
    to = gp_digits_real(to, value);
    *to++ = '\t';
    return to;
}

static char *put_count(char *to, int64_t count) {
    to = gp_digits_integer(to, count);
    *to++ = '\t';
    return to;
}

/* What a binary trait's line ends with. */
static char *put_binary(char *to, const gp_result *r, const common *c) {
    int test = r->status == GP_STATUS_OK ? (int)r->test : GP_TEST_COUNT;
    to = put_count(to, r->cases);
    to = put_count(to, r->n - r->cases);
    to = put_real(to, r->frequency_cases);
    to = put_real(to, r->frequency_controls);
    to = put_pieces(to, c->test[test], c->test_length[test]);
    if (!(c->form.deviate > 0.0))
        return to;
    double half = c->form.deviate * r->se;
    int there = isfinite(r->beta) && isfinite(half);
    to = put_real(to, isfinite(r->beta) ? gp_exp(r->beta) : NAN);
    to = put_real(to, there ? gp_exp(r->beta - half) : NAN);
    to = put_real(to, there ? gp_exp(r->beta + half) : NAN);
    to[-1] = '\n';
    return to;
}

/* The line of a variant whose text is front and id. */
static char *put_line(char *to, const char *front, const int64_t length[2], const gp_result *r,
                      common *c) {
    to = put_pieces(to, front, length[0]);
    to = put_real(to, r->beta);
    to = put_real(to, r->se);
    to = put_real(to, r->frequency);
    to = gp_digits_power(to, r->neglog10p);
    *to++ = '\t';
    if (r->n != c->n)
        set_n(c, r->n);
    to = put_pieces(to, c->n_text, c->n_length);
    to = put_pieces(to, front + length[0], length[1]);
    to = put_real(to, r->statistic);
    to = put_real(to, r->neglog10p);
    to = put_pieces(to, c->status[r->status], c->status_length[r->status]);
    return c->form.binary ? put_binary(to, r, c) : to;
}

int gp_sumstat_print(const gp_sumstat_sites *sites, const gp_sumstat_trait *trait, gp_text *text,
                     gp_err *err) {
    common c;
    int64_t line = NUMBERS_ROOM + (trait->form.binary ? BINARY_ROOM : 0);
    int64_t room = sites->text.length + sites->count * line + GP_DIGITS_ROOM + PIECE;
    char *begin = gp_text_room(text, room, err), *to = begin;
    if (begin == NULL)
        return err->code;
    set_common(&c, &trait->form, sites->count > 0 ? trait->result->n : 0);
    int64_t at = 0;
    for (int64_t i = 0; i < sites->count; i++) {
        const int64_t *end = sites->end + 2 * i;
        int64_t length[2] = {end[0] - at, end[1] - end[0]};
        to = put_line(to, sites->text.bytes + at, length, &trait->result[i * trait->step], &c);
        at = end[1];
    }
    *to = 0;
    text->length += to - begin;
    return GP_OK;
}
