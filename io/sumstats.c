#include "io/sumstats.h"
#include "io/digits.h"

#include <string.h>

const char gp_sumstat_header[] =
    "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\t"
    "effect_allele_frequency\tp_value\tn\tid\tstatistic\tneg_log_10_p_value\tstatus\n";

static char *put(char *to, const char *s, size_t n, char after) {
    memcpy(to, s, n);
    to[n] = after;
    return to + n + 1;
}

static char *put_allele(char *to, const char *s, size_t n) {
    return strcmp(s, ".") == 0 ? put(to, "#NA", 3, '\t') : put(to, s, n, '\t');
}

static char *put_integer(char *to, int64_t value) {
    to = gp_digits_integer(to, value);
    *to++ = '\t';
    return to;
}

static char *put_real(char *to, double value) {
    to = gp_digits_real(to, value);
    *to++ = '\t';
    return to;
}

int gp_sumstat_print(const gp_sumstat *line, gp_text *text, gp_err *err) {
    enum { NUMBERS = 8 };
    size_t chromosome = strlen(line->chromosome), id = strlen(line->id);
    size_t effect = strlen(line->effect_allele), other = strlen(line->other_allele);
    size_t status = strlen(line->status);
    /* An allele "." becomes two bytes longer; every field has one byte after it. */
    size_t room = chromosome + id + effect + other + status + 2 * 2 + 5 + NUMBERS * GP_DIGITS_ROOM;
    char *begin = gp_text_room(text, (int64_t)room, err);
    if (begin == NULL)
        return err->code;
    char *to = put(begin, line->chromosome, chromosome, '\t');
    to = put_integer(to, line->position);
    to = put_allele(to, line->effect_allele, effect);
    to = put_allele(to, line->other_allele, other);
    to = put_real(to, line->beta);
    to = put_real(to, line->se);
    to = put_real(to, line->frequency);
    to = gp_digits_power(to, line->neglog10p);
    *to++ = '\t';
    to = put_integer(to, line->n);
    to = put(to, line->id, id, '\t');
    to = put_real(to, line->statistic);
    to = put_real(to, line->neglog10p);
    to = put(to, line->status, status, '\n');
    *to = 0;
    text->length += to - begin;
    return GP_OK;
}
