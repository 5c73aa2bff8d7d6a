#include "io/append_match.h"
#include "io/append_group.h"
#include "io/bfile_walk.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN = 4096 /* variants of the store read at once */ };

/* Both sides of one chromosome, as far as they have been read. */
typedef struct matcher {
    gp_append *a;
    gp_append_match *match;
    gp_bfile_walk walk;
    gp_bfile_variant next; /* of the sets */
    gp_variants v;         /* of the store: a run, and where in it we are */
    int64_t chromosome, first, at;
    gp_group old, new;
    gp_import_tally tally;
} matcher;

/* ---- in words ---- */

static void put_example(char *to, const char *chromosome, int64_t position,
                        const gp_group_entry *e) {
    if (to[0] == 0)
        snprintf(to, GP_EXAMPLE, "'%.60s' at %.40s:%lld %.20s/%.20s", e->id, chromosome,
                 (long long)position, e->ref, e->alt);
}

/* An allele 0 of a .bim is unknown. */
static gp_slice allele(gp_slice s) {
    return s.n == 1 && s.s[0] == '0' ? (gp_slice){".", 1} : s;
}

/* ---- the sets' side ---- */

static int add_next(matcher *m, gp_err *err) {
    const gp_bim_line *bim = &m->next.bim;
    gp_slice ref = allele(bim->ref), alt = allele(bim->alt);
    const char *text[3] = {bim->id.s, ref.s, alt.s};
    int64_t n[3] = {bim->id.n, ref.n, alt.n};
    if (gp_group_add(&m->new, text, n, m->next.row * m->a->list.count + m->next.file, err) != GP_OK)
        return err->code;
    return gp_bfile_walk_next(&m->walk, &m->next, err);
}

/* One that is before all that the store has left. */
static int pass_by(matcher *m, gp_err *err) {
    const gp_bim_line *bim = &m->next.bim;
    m->match->extra++;
    if (m->match->lone[0] == 0)
        snprintf(m->match->lone, GP_EXAMPLE, "'%.*s' at %.*s:%lld %.*s/%.*s",
                 (int)gp_least(bim->id.n, 60), bim->id.s, (int)gp_least(bim->chromosome.n, 40),
                 bim->chromosome.s, (long long)bim->position, (int)gp_least(bim->ref.n, 20),
                 bim->ref.s, (int)gp_least(bim->alt.n, 20), bim->alt.s);
    return gp_bfile_walk_next(&m->walk, &m->next, err);
}

/* The sets' variants at the old group's position. */
static int gather_new(matcher *m, gp_err *err) {
    gp_group_begin(&m->new, m->old.position);
    while (err->code == GP_OK && m->next.file >= 0 && m->next.bim.position < m->old.position)
        pass_by(m, err);
    while (err->code == GP_OK && m->next.file >= 0 && m->next.bim.position == m->old.position)
        add_next(m, err);
    return err->code;
}

/* ---- the store's side ---- */

/* Whether the store has another variant here; the next run is read where needed. */
static int has_old(matcher *m, gp_err *err) {
    int64_t all = gp_store_chromosome(m->a->store, m->chromosome)->count;
    if (m->at < m->v.count)
        return 1;
    m->first += m->v.count;
    m->at = m->v.count = 0;
    if (m->first == all)
        return 0;
    if (gp_store_read_variants(m->a->store, m->chromosome, m->first, gp_least(RUN, all - m->first),
                               &m->v, err) != GP_OK)
        return 0;
    if (gp_import_tell(&m->tally, m->v.count)) {
        gp_err_set(err, GP_ESTOP, "import: stopped while comparing variants");
        return 0;
    }
    return 1;
}

/* The store's next position; base is the chromosome's first variant. */
static int gather_old(matcher *m, int64_t base, gp_err *err) {
    gp_group_begin(&m->old, m->v.position[m->at]);
    while (has_old(m, err) && m->v.position[m->at] == m->old.position) {
        const char *text[3] = {m->v.id[m->at], m->v.ref[m->at], m->v.alt[m->at]};
        int64_t n[3];
        for (int k = 0; k < 3; k++)
            n[k] = (int64_t)strlen(text[k]);
        if (gp_group_add(&m->old, text, n, base + m->first + m->at++, err) != GP_OK)
            break;
    }
    return err->code;
}

/* ---- what was found ---- */

/* Takes down an allele that only the sets know; -1 where there is nothing to learn. */
static int64_t learn(gp_append_match *match, const char *old, const char *new, gp_err *err) {
    int64_t at = match->names.length;
    if (strcmp(old, ".") != 0 || strcmp(new, ".") == 0)
        return -1;
    gp_text_add(&match->names, new, (int64_t)strlen(new) + 1, err);
    return at;
}

static int fill_in(gp_append_match *match, const gp_group_entry *a, const gp_group_entry *b,
                   gp_err *err) {
    gp_append_fill fill = {.variant = a->where};
    fill.ref = learn(match, a->ref, a->swapped ? b->alt : b->ref, err);
    fill.alt = learn(match, a->alt, a->swapped ? b->ref : b->alt, err);
    if (err->code != GP_OK || (fill.ref < 0 && fill.alt < 0) ||
        gp_mem_grow(&match->fill, &match->capacity, match->fills + 1, sizeof *match->fill, err) !=
            GP_OK)
        return err->code;
    match->fill[match->fills++] = fill;
    return GP_OK;
}

/* Bases that are each other's complement: swapped alleles look like the other strand's. */
static int is_ambiguous(const gp_group_entry *e) {
    static const char *const pair[] = {"AT", "TA", "CG", "GC"};
    for (int k = 0; k < 4; k++)
        if (e->ref[0] == pair[k][0] && e->ref[1] == 0 && e->alt[0] == pair[k][1] && e->alt[1] == 0)
            return 1;
    return 0;
}

static int record(matcher *m, const gp_group_entry *a, gp_err *err) {
    gp_append_match *match = m->match;
    const char *chromosome = gp_store_chromosome(m->a->store, m->chromosome)->name;
    if (a->partner < 0) {
        match->lacking++;
        match->differ += m->old.position > 0 && m->new.count > 0;
        put_example(match->lacks, chromosome, m->old.position, a);
        return GP_OK;
    }
    const gp_group_entry *b = &m->new.entry[a->partner];
    match->from[a->where] = b->where * 2 + a->swapped;
    match->matched++;
    match->swapped += a->swapped;
    match->renamed += strcmp(a->id, ".") != 0 && strcmp(b->id, ".") != 0 && strcmp(a->id, b->id);
    if (a->swapped && is_ambiguous(a)) {
        match->ambiguous++;
        put_example(match->swaps, chromosome, m->old.position, a);
    }
    return fill_in(match, a, b, err);
}

static int record_group(matcher *m, gp_err *err) {
    for (int64_t i = 0; i < m->old.count; i++)
        if (record(m, &m->old.entry[i], err) != GP_OK)
            return err->code;
    for (int64_t j = 0; j < m->new.count; j++)
        if (m->new.entry[j].partner < 0) {
            m->match->extra++;
            put_example(m->match->lone, gp_store_chromosome(m->a->store, m->chromosome)->name,
                        m->new.position, &m->new.entry[j]);
        }
    return GP_OK;
}

/* ---- chromosomes ---- */

/* base: the chromosome's first variant; place: in the sets' karyotype, -1 = they lack it. */
static int match_chromosome(matcher *m, int64_t base, int64_t place, gp_err *err) {
    m->next.file = -1;
    m->first = m->at = m->v.count = 0;
    if (place >= 0 && (gp_bfile_walk_enter(&m->walk, place, err) != GP_OK ||
                       gp_bfile_walk_next(&m->walk, &m->next, err) != GP_OK))
        return err->code;
    while (has_old(m, err))
        if (gather_old(m, base, err) != GP_OK || gather_new(m, err) != GP_OK ||
            gp_group_match(&m->old, &m->new, err) != GP_OK || record_group(m, err) != GP_OK)
            return err->code;
    while (err->code == GP_OK && m->next.file >= 0)
        pass_by(m, err);
    return err->code;
}

/* Chromosomes that only the sets have. */
static int pass_others(matcher *m, gp_err *err) {
    for (int64_t p = 0; p < m->a->karyotype.count && err->code == GP_OK; p++)
        if (m->a->held[p] < 0 && m->match->lone[0] != 0)
            m->match->extra += m->a->karyotype.place[p].chromosome.count;
        else if (m->a->held[p] < 0 && gp_bfile_walk_enter(&m->walk, p, err) == GP_OK &&
                 gp_bfile_walk_next(&m->walk, &m->next, err) == GP_OK) {
            pass_by(m, err);
            m->match->extra += m->a->karyotype.place[p].chromosome.count - 1;
        }
    return err->code;
}

int gp_append_match_run(gp_append_match *match, gp_append *a, gp_err *err) {
    gp_import_tally tally = {a->ask, "variants compared", 0, gp_store_variant_count(a->store)};
    matcher m = {.a = a, .match = match, .tally = tally};
    int64_t base = 0;
    match->from = gp_mem_alloc(tally.total, sizeof *match->from, err);
    if (match->from == NULL ||
        gp_bfile_walk_init(&m.walk, &a->list, &a->karyotype, 0, err) != GP_OK)
        goto done;
    m.walk.watch = gp_import_tell;
    m.walk.context = &m.tally;
    for (int64_t v = 0; v < tally.total; v++)
        match->from[v] = -1;
    for (m.chromosome = 0; m.chromosome < gp_store_chromosome_count(a->store); m.chromosome++) {
        if (match_chromosome(&m, base, a->place[m.chromosome], err) != GP_OK)
            goto done;
        base += gp_store_chromosome(a->store, m.chromosome)->count;
    }
    pass_others(&m, err);
done:
    gp_bfile_walk_free(&m.walk);
    gp_variants_free(&m.v);
    gp_group_free(&m.old);
    gp_group_free(&m.new);
    return err->code;
}

void gp_append_match_free(gp_append_match *match) {
    free(match->from);
    free(match->fill);
    gp_text_free(&match->names);
    *match = (gp_append_match){0};
}
