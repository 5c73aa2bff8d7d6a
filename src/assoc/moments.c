#include "src/assoc/moments_rows.h"
#include "src/base/mem.h"
#include "src/base/real.h"
#include "src/base/split.h"
#include "src/geno/kernel.h"

#include <stdlib.h>
#include <string.h>

enum {
    TABLE_BYTES = 512 << 10,
    LOCKS = 64,
    RUNS = 4,  /* per thread, so that all end at about the same time */
    AHEAD = 6, /* variants: rows lie too far apart for the CPU to foresee */
    LINE = 64
};

/* A thread's scratch. */
typedef struct share {
    int64_t *table;  /* [run x width] */
    double *value;   /* [c + p + GP_MOMENTS_LANES] */
    int32_t *sample; /* [run] */
    uint8_t *made;   /* [run / 4] whether four samples' rows are in the table */
} share;

/* The parts of a share that begins at `at`, or NULL; returns its bytes. */
static int64_t lay_out(const gp_moments *m, uint8_t *at, share *s) {
    int64_t table = m->run * m->width * (int64_t)sizeof *s->table,
            value = (m->c + m->p + GP_MOMENTS_LANES) * (int64_t)sizeof *s->value,
            sample = m->run * (int64_t)sizeof *s->sample;
    if (at != NULL)
        *s = (share){(int64_t *)at, (double *)(at + table), (int32_t *)(at + table + value),
                     at + table + value + sample};
    return gp_round_up(table + value + sample + m->run / 4, 64);
}

int64_t gp_moments_count(int64_t c, int64_t p, int exact) {
    int64_t k = c + p;
    return k + (exact ? c * k - c * (c - 1) / 2 + p : 0);
}

int64_t gp_moments_width(int64_t c, int64_t p, int exact) {
    return gp_round_up(gp_moments_count(c, p, exact), 8);
}

/* Of a table of all samples; 0 where that is too much. */
static int64_t kept_bytes(const gp_moments *m) {
    int64_t bytes =
        gp_round_up(m->y->terms, GP_GENO_GROUP) * (m->width * (int64_t)sizeof *m->kept + 1);
    return bytes <= m->keep ? bytes : 0;
}

int64_t gp_moments_bytes(const gp_moments *m) {
    return m->threads * m->share + LOCKS * (int64_t)sizeof *m->lock + kept_bytes(m);
}

/* All but memory; m comes zeroed, but for keep. */
static void shape(gp_moments *m, const gp_operand *y, int64_t covariates, int exact) {
    m->y = y;
    m->c = covariates;
    m->p = y->columns - covariates;
    m->exact = exact;
    m->width = gp_moments_width(m->c, m->p, exact);
    m->threads = omp_get_max_threads();
    int64_t room = TABLE_BYTES / (int64_t)sizeof(int64_t) / (m->width > 0 ? m->width : 1),
            part = m->threads > 1 ? y->terms / (RUNS * m->threads) : y->terms;
    m->run = gp_round_up(gp_least(part, room) + 1, GP_GENO_GROUP);
    m->share = lay_out(m, NULL, NULL);
}

int64_t gp_moments_bytes_of(const gp_operand *y, int64_t covariates, int exact) {
    gp_moments m = {0};
    shape(&m, y, covariates, exact);
    return gp_moments_bytes(&m);
}

int gp_moments_init(gp_moments *m, const gp_operand *y, int64_t covariates, int bits, int exact,
                    gp_err *err) {
    shape(m, y, covariates, exact);
    m->unit = gp_power_of_two(-bits);
    m->scratch = gp_mem_alloc(m->threads, m->share, err);
    m->lock = gp_mem_alloc(LOCKS, sizeof *m->lock, err);
    for (int k = 0; m->lock != NULL && k < LOCKS; k++)
        omp_init_lock(&m->lock[k]);
    return err->code;
}

void gp_moments_free(gp_moments *m) {
    for (int k = 0; m->lock != NULL && k < LOCKS; k++)
        omp_destroy_lock(&m->lock[k]);
    free(m->lock);
    free(m->scratch);
    free(m->kept);
    free(m->kept_made);
    *m = (gp_moments){0};
}

void gp_moments_forget(gp_moments *m) {
    if (m->kept_made != NULL)
        memset(m->kept_made, 0, (size_t)gp_round_up(m->y->terms, GP_GENO_GROUP) / 4);
}

/* A span of groups in a run of samples, `at` samples into the run. */
typedef struct stretch {
    gp_span span;
    const uint8_t *mask;
    int64_t first, at;
} stretch;

static void fetch(const stretch *here, int64_t j) {
    const uint8_t *row = here->span.row + j * here->span.pitch;
    for (int64_t k = 0; k < here->span.groups * GP_GENO_GROUP_BYTES; k += LINE)
        __builtin_prefetch(row + k);
}

/* Adds one variant's missing calls in a stretch. */
static void add_variant(const gp_moments *m, const share *s, const stretch *here, int64_t j,
                        int64_t *sums) {
    const gp_kernel *kernel = gp_kernel_chosen();
    int64_t count = kernel->list_missing(here->span.row + j * here->span.pitch, here->mask,
                                         here->span.groups * GP_GENO_GROUP_BYTES, s->sample);
    for (int64_t i = 0; i < count; i++) {
        int64_t four = (here->at + s->sample[i]) / 4;
        if (s->made[four])
            continue;
        s->made[four] = 1;
        gp_moments_rows(m, here->first - here->at + 4 * four, s->value,
                        s->table + 4 * four * m->width);
    }
    if (count == 0)
        return;
    omp_set_lock(&m->lock[j % LOCKS]);
    kernel->add_rows(s->table + here->at * m->width, m->width, s->sample, count,
                     sums + j * m->width);
    omp_unset_lock(&m->lock[j % LOCKS]);
}

static void add_run(const gp_moments *m, const gp_calls *calls, const uint8_t *mask,
                    const int64_t *call, int64_t number, int64_t *sums) {
    int64_t first = number * m->run, end = gp_least(first + m->run, m->y->terms);
    int64_t start = number * 29 % calls->m; /* threads begin at different variants */
    share s = {0};
    lay_out(m, m->scratch + omp_get_thread_num() * m->share, &s);
    if (m->kept != NULL) {
        s.table = m->kept + first * m->width;
        s.made = m->kept_made + first / 4;
    } else {
        memset(s.made, 0, (size_t)m->run / 4);
    }
    for (int64_t at = first; at < end;) {
        int64_t groups = (end - at + GP_GENO_GROUP - 1) / GP_GENO_GROUP;
        stretch here = {gp_calls_span(calls, at / GP_GENO_GROUP, groups), mask + at / 4, at,
                        at - first};
        for (int64_t k = 0; k < calls->m; k++) {
            int64_t j = k + start < calls->m ? k + start : k + start - calls->m;
            if (j + AHEAD < calls->m)
                fetch(&here, j + AHEAD);
            if (call[4 * j + GP_GENO_MISSING] > 0)
                add_variant(m, &s, &here, j, sums);
        }
        at += here.span.groups * GP_GENO_GROUP;
    }
}

/* Where memory is refused, moments are made for each block anew. */
static void keep(gp_moments *m) {
    gp_err refused = {0};
    int64_t samples = gp_round_up(m->y->terms, GP_GENO_GROUP);
    m->kept_made = gp_mem_alloc(samples / 4, 1, &refused);
    if (m->kept_made != NULL)
        m->kept = gp_mem_alloc(samples, m->width * (int64_t)sizeof *m->kept, &refused);
}

void gp_moments_add(gp_moments *m, const gp_calls *calls, const uint8_t *mask, const int64_t *call,
                    int64_t *sums) {
    int64_t missing = 0;
    for (int64_t j = 0; j < calls->m; j++)
        missing += call[4 * j + GP_GENO_MISSING];
    if (missing == 0)
        return;
    if (m->kept_made == NULL && kept_bytes(m) > 0)
        keep(m);
#pragma omp parallel for schedule(dynamic) num_threads(m->threads)
    for (int64_t k = 0; k < (m->y->terms + m->run - 1) / m->run; k++)
        add_run(m, calls, mask, call, k, sums);
}
