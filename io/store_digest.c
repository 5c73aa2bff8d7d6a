#include "io/store_digest.h"

#include <string.h>

static void add(gp_digest *d, const void *bytes, size_t n) {
    hts_md5_update(d->part, bytes, (unsigned long)n);
}

static void add_text(gp_digest *d, const char *text) {
    add(d, text, strlen(text) + 1);
}

static void add_word(gp_digest *d, uint64_t word) {
    uint8_t bytes[8];
    for (int k = 0; k < 8; k++)
        bytes[k] = (uint8_t)(word >> (8 * k));
    add(d, bytes, sizeof bytes);
}

static void close_part(gp_digest *d) {
    if (!d->open)
        return;
    hts_md5_final(d->sum, d->part);
    hts_md5_update(d->all, d->sum, sizeof d->sum);
    hts_md5_reset(d->part);
    d->open = 0;
}

int gp_digest_begin(gp_digest *d, const gp_samples *samples, gp_err *err) {
    d->all = hts_md5_init();
    d->part = hts_md5_init();
    if (d->all == NULL || d->part == NULL)
        return gp_err_set(err, GP_EFAIL, "memory: room for a digest was refused");
    d->row_bytes = (samples->n + 3) / 4;
    d->open = 1;
    add_word(d, (uint64_t)samples->n);
    for (int64_t i = 0; i < samples->n; i++) {
        add_text(d, gp_samples_fid(samples, i));
        add_text(d, gp_samples_iid(samples, i));
        add_text(d, gp_samples_father(samples, i));
        add_text(d, gp_samples_mother(samples, i));
        add(d, &samples->sex[i], 1);
    }
    return GP_OK;
}

void gp_digest_chromosome(gp_digest *d, const gp_chromosome *c, int with_morgan) {
    uint8_t flag = with_morgan != 0;
    close_part(d);
    d->open = 1;
    d->with_morgan = with_morgan;
    add_text(d, c->name);
    add_text(d, gp_kind_name(c->kind));
    add_word(d, (uint64_t)c->count);
    add(d, &flag, 1);
}

void gp_digest_variant(gp_digest *d, const gp_variants *v, int64_t i, const uint8_t *row) {
    add_word(d, (uint64_t)v->position[i]);
    if (d->with_morgan) {
        uint64_t bits;
        memcpy(&bits, &v->morgan[i], sizeof bits);
        add_word(d, bits);
    }
    add_text(d, v->id[i]);
    add_text(d, v->ref[i]);
    add_text(d, v->alt[i]);
    add(d, row, (size_t)d->row_bytes);
}

void gp_digest_chromosome_end(gp_digest *d, char hex[33]) {
    close_part(d);
    hts_md5_hex(hex, d->sum);
}

void gp_digest_end(gp_digest *d, char hex[33]) {
    unsigned char sum[16];
    close_part(d);
    hts_md5_final(sum, d->all);
    hts_md5_hex(hex, sum);
}

void gp_digest_free(gp_digest *d) {
    if (d->all != NULL)
        hts_md5_destroy(d->all);
    if (d->part != NULL)
        hts_md5_destroy(d->part);
    *d = (gp_digest){0};
}
