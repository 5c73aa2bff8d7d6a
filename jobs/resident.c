#include "jobs/resident.h"
#include "io/store_ahead.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdlib.h>
#include <string.h>

enum {
    STAGE_BYTES = 16 << 20,
    SIDE = 32,     /* calls of a 64-bit word: tiles are SIDE variants x SIDE samples */
    STRIP = 8,     /* tiles side by side in the store's rows: a cache line */
    MEETINGS = 50, /* of all ranks in a load, at most */
    ROW_BYTES = 64
};

/* Variants of a run that go to the same word of the rows. */
typedef struct tile {
    int64_t word;              /* of a row: columns word * SIDE and on */
    const uint8_t *from[SIDE]; /* by column: the stage's row, or NULL */
    uint64_t swapped; /* columns whose alleles are the other way round: both bits of each */
    uint64_t there;   /* columns that are there */
} tile;

typedef struct load {
    gp_job *job;
    const gp_resident_plan *plan;
    gp_resident *r;
    int64_t read_first, read_samples; /* whole groups of 64 */
    int64_t stride;                   /* of the stage */
    int64_t unit;                     /* variants read at once */
    uint8_t *stage;                   /* [unit x stride] as the store has them */
    tile *tile;                       /* [unit] */
    int64_t chromosome, at;           /* next to be read */
    int64_t done;
    gp_progress progress;
} load;

/* ---- from variant by variant to sample by sample ---- */

/* x[i] holds calls of row i; afterwards of column i. Squares of 16, 8 ... 1 change places with
 * those across the diagonal. Source: Warren 2012, Hacker's Delight, 2nd edition, section 7-3. */
static void transpose(uint64_t x[SIDE]) {
    uint64_t mask = 0x00000000FFFFFFFFu;
    for (int side = SIDE / 2; side > 0; side /= 2, mask ^= mask << 2 * side)
        for (int i = 0; i < SIDE; i = (i + side + 1) & ~side) {
            uint64_t swap = (x[i] >> 2 * side ^ x[i + side]) & mask;
            x[i + side] ^= swap;
            x[i] ^= swap << 2 * side;
        }
}

/* Places the calls of SIDE samples, those from `sample` of the stage on. */
static void place(const load *l, const tile *t, int64_t sample) {
    uint64_t x[SIDE];
    for (int j = 0; j < SIDE; j++) {
        x[j] = 0;
        if (t->from[j] != NULL)
            memcpy(&x[j], t->from[j] + sample / 4, sizeof x[j]);
    }
    transpose(x);
    int64_t skipped = gp_most(0, l->plan->begin - l->read_first - sample);
    int64_t end = gp_least(SIDE, l->plan->end - l->read_first - sample);
    for (int64_t i = skipped; i < end; i++) {
        int64_t row = l->read_first + sample + i - l->r->first;
        uint8_t *to = l->r->calls + row * l->r->stride + 8 * t->word;
        /* 0 and 2 change places: the high bit turns where the low one is 0. */
        uint64_t calls = x[i] ^ ((~x[i] & 0x5555555555555555u) << 1 & t->swapped), others;
        memcpy(&others, to, sizeof others);
        others = (others & ~t->there) | calls;
        memcpy(to, &others, sizeof others);
    }
}

/* Sorts a run's variants into tiles; returns how many there are. */
static int64_t make_tiles(load *l, int64_t count) {
    const gp_resident_plan *plan = l->plan;
    int64_t first = plan->first[l->chromosome] + l->at, tiles = 0;
    for (int64_t j = 0; j < count; j++) {
        int64_t column = plan->column[first + j];
        if (column < 0)
            continue;
        int64_t word = column / SIDE, k = column % SIDE;
        if (tiles == 0 || l->tile[tiles - 1].word != word)
            l->tile[tiles++] = (tile){.word = word};
        tile *t = &l->tile[tiles - 1];
        t->from[k] = l->stage + j * l->stride;
        t->there |= (uint64_t)3 << 2 * k;
        if (plan->swap != NULL && plan->swap[first + j])
            t->swapped |= (uint64_t)3 << 2 * k;
    }
    return tiles;
}

static void place_run(load *l, int64_t count) {
    int64_t tiles = make_tiles(l, count);
    int64_t strips = gp_units(l->read_samples, STRIP * SIDE);
#pragma omp parallel for schedule(static)
    for (int64_t s = 0; s < strips; s++)
        for (int64_t t = 0; t < tiles; t++)
            for (int64_t i = s * STRIP * SIDE;
                 i < gp_least((s + 1) * STRIP * SIDE, l->read_samples); i += SIDE)
                place(l, &l->tile[t], i);
}

/* ---- reading ---- */

static int is_wanted(const load *l, int64_t count) {
    const int64_t *column = l->plan->column + l->plan->first[l->chromosome] + l->at;
    for (int64_t j = 0; j < count; j++)
        if (column[j] >= 0)
            return 1;
    return 0;
}

/* Loads whole runs until `until` variants are done. */
static void load_to(load *l, int64_t until, gp_err *err) {
    while (l->done < until && err->code == GP_OK) {
        if (l->at == l->plan->count[l->chromosome]) {
            l->chromosome++;
            l->at = 0;
            continue;
        }
        int64_t count = gp_least(l->unit, l->plan->count[l->chromosome] - l->at);
        if (l->read_samples > 0 && is_wanted(l, count)) {
            if (gp_store_read_genotypes(l->plan->store, l->chromosome, l->at, count, l->read_first,
                                        l->read_samples, l->stage, err) != GP_OK)
                return;
            place_run(l, count);
        }
        l->at += count;
        l->done += count;
        gp_progress_at(&l->progress, l->done);
    }
}

/* All calls missing; what is behind the last of a row is 0. */
static void blank(gp_resident *r) {
    int64_t whole = r->variants / 4, rest = r->variants % 4;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < r->samples; i++) {
        uint8_t *row = r->calls + i * r->stride;
        memset(row, 0xFF, (size_t)whole);
        if (rest > 0)
            row[whole] = (uint8_t)((1 << 2 * rest) - 1);
    }
}

static int prepare(load *l, gp_err *err) {
    const gp_resident_plan *plan = l->plan;
    gp_resident *r = l->r;
    int64_t n = gp_store_sample_count(plan->store);
    *r = (gp_resident){.variants = plan->variants,
                       .stride = gp_round_up(gp_units(plan->variants, 4), ROW_BYTES),
                       .first = plan->begin,
                       .samples = gp_most(0, plan->end - plan->begin)};
    r->calls = gp_mem_alloc(r->samples, r->stride, err);
    l->unit = gp_store_chunk_variants(plan->store, err);
    if (err->code != GP_OK)
        return err->code;
    blank(r);
    if (r->samples > 0) {
        l->read_first = plan->begin / GP_GENO_GROUP * GP_GENO_GROUP;
        l->read_samples = gp_least(gp_round_up(plan->end, GP_GENO_GROUP), n) - l->read_first;
    }
    l->stride = gp_geno_stride(l->read_samples);
    /* Whole chunks, as many as the largest chromosome has, but not more than the room is for. */
    int64_t most = 1, row = l->stride + (int64_t)sizeof *l->tile;
    for (int64_t k = 0; k < gp_store_chromosome_count(plan->store); k++)
        most = gp_most(most, plan->count[k]);
    most = gp_least(gp_units(most, l->unit), STAGE_BYTES / (l->unit * row));
    l->unit *= gp_most(1, most);
    l->tile = gp_mem_alloc(l->unit, sizeof *l->tile, err);
    l->stage = gp_mem_alloc(l->unit * l->stride, 1, err);
    return err->code;
}

int gp_resident_load(gp_job *job, const gp_resident_plan *plan, gp_resident *resident,
                     gp_err *err) {
    load l = {.job = job, .plan = plan, .r = resident};
    int64_t total = 0, meetings;
    for (int64_t k = 0; k < gp_store_chromosome_count(plan->store); k++)
        total += plan->count[k];
    prepare(&l, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    meetings = gp_units(total, gp_store_chunk_variants(plan->store, err));
    meetings = gp_most(1, gp_least(MEETINGS, meetings));
    gp_progress_open(&l.progress, job->sink, "variants", total);
    for (int64_t k = 1; k <= meetings; k++) {
        load_to(&l, gp_split_begin(total, 1, meetings, k), err);
        gp_job_check_signals(err);
        if (gp_par_agree(job->par, err) != GP_OK)
            break;
    }
    gp_progress_close(&l.progress);
done:
    free(l.tile);
    free(l.stage);
    return err->code;
}

void gp_resident_free(gp_resident *resident) {
    free(resident->calls);
    *resident = (gp_resident){0};
}
