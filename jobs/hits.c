#include "jobs/hits.h"
#include "io/file.h"
#include "io/list.h"
#include "jobs/hits_private.h"
#include "mpi/gather.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

int gp_hits_check(const gp_hits_options *o, gp_err *err) {
    if (o->clump_p2 < o->clump_p)
        gp_err_set(err, GP_EINPUT,
                   "command line: --clump-p2 %g is below --clump-p %g; what may lead a clump may "
                   "also belong to one",
                   o->clump_p2, o->clump_p);
    return err->code;
}

int64_t gp_hits_reach(const gp_hits_options *options) {
    return (int64_t)(options->clump_kb * 1000.0 + 0.5);
}

/* ---- the annotation ---- */

static int knows(const gp_genes *genes, gp_store *store) {
    for (int64_t g = 0; g < gp_genes_chromosomes(genes); g++)
        for (int64_t k = 0; k < gp_store_chromosome_count(store); k++)
            if (gp_list_names(gp_genes_chromosome(genes, g), gp_store_chromosome(store, k)))
                return 1;
    return 0;
}

int gp_hits_open_genes(gp_job *job, gp_store *store, const gp_hits_options *options,
                       gp_genes **genes, gp_err *err) {
    *genes = NULL;
    if (options->genes != NULL && gp_par_rank(job->par) == 0 &&
        gp_genes_open(genes, options->genes, err) == GP_OK && !knows(*genes, store))
        gp_err_set(err, GP_EINPUT,
                   "%s: has no chromosome of %s: its first is called '%.60s', the store's '%.60s'",
                   options->genes, gp_store_path(store), gp_genes_chromosome(*genes, 0),
                   gp_store_chromosome(store, 0)->name);
    return gp_par_agree(job->par, err);
}

/* ---- each island's lines to its rank ---- */

/* A share of the lines for each rank, by the middle of an island.
 *    owner  out  [islands] */
static int share_out(gp_job *job, const gp_hit_lines *lines, int64_t islands, int64_t ranks,
                     int64_t *owner, gp_err *err) {
    int64_t before = 0, total = 0;
    for (int64_t i = 0; i < lines->count; i++)
        owner[lines->line[i].island]++;
    if (gp_par_sum(job->par, owner, islands, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < islands; k++)
        total += owner[k];
    for (int64_t k = 0; k < islands; k++) {
        int64_t mine = owner[k];
        double middle = ((double)before + 0.5 * (double)mine) / (double)total;
        owner[k] = gp_least(ranks - 1, (int64_t)(middle * (double)ranks));
        before += mine;
    }
    return GP_OK;
}

static int pack(const gp_hit_lines *lines, const int64_t *owner, gp_text *to, gp_err *err) {
    for (int64_t i = 0; i < lines->count && err->code == GP_OK; i++) {
        const gp_hit_line *line = &lines->line[i];
        gp_text *text = &to[owner[line->island]];
        gp_text_add(text, (const char *)line, sizeof *line, err);
        gp_text_add(text, lines->text.bytes + line->at, line->length, err);
    }
    return err->code;
}

static int unpack(const gp_text *text, gp_hit_lines *lines, gp_err *err) {
    gp_hit_line line;
    for (int64_t at = 0; at < text->length && err->code == GP_OK; at += line.length) {
        memcpy(&line, text->bytes + at, sizeof line);
        at += (int64_t)sizeof line;
        gp_hit_lines_add(lines, &line, text->bytes + at, err);
    }
    return err->code;
}

/* Afterwards lines are those of this rank's islands, in the order of the table. Collective. */
static int exchange(gp_job *job, int64_t islands, gp_hit_lines *lines, gp_err *err) {
    int64_t ranks = gp_least(gp_par_size(job->par), islands), rank = gp_par_rank(job->par);
    int64_t *owner = gp_mem_alloc(islands, sizeof *owner, err);
    gp_text *mine = gp_mem_alloc(ranks, sizeof *mine, err);
    gp_text *whole = gp_mem_alloc(ranks, sizeof *whole, err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        share_out(job, lines, islands, ranks, owner, err) != GP_OK)
        goto done;
    pack(lines, owner, mine, err);
    gp_hit_lines_free(lines);
    if (gp_par_agree(job->par, err) != GP_OK)
        goto done;
    gp_par_gather(job->par, mine, whole, ranks, err);
    if (err->code == GP_OK && rank < ranks)
        unpack(&whole[rank], lines, err);
    gp_par_agree(job->par, err);
done:
    for (int64_t k = 0; k < ranks; k++) {
        if (mine != NULL)
            gp_text_free(&mine[k]);
        if (whole != NULL)
            gp_text_free(&whole[k]);
    }
    free(mine);
    free(whole);
    free(owner);
    return err->code;
}

/* ---- the file, on rank 0 ---- */

static int by_strength(const void *a, const void *b) {
    const gp_hit *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength > y->strength ? -1 : 1;
    if (x->chromosome != y->chromosome)
        return x->chromosome < y->chromosome ? -1 : 1;
    return x->variant < y->variant ? -1 : x->variant > y->variant;
}

static int print_hit(const gp_hits_plan *plan, int64_t number, const gp_hit *hit,
                     const char *columns, gp_text *text, gp_err *err) {
    gp_gene gene = {0};
    if (plan->genes != NULL &&
        gp_genes_nearest(plan->genes, gp_store_chromosome(plan->store, hit->chromosome),
                         hit->position, &gene, err) != GP_OK)
        return err->code;
    gp_text_print(text, err, "%lld\t", (long long)number);
    gp_text_add(text, columns, hit->length, err);
    gp_text_print(text, err, "\t%lld\t%lld\t%lld\t", (long long)hit->clumped, (long long)hit->first,
                  (long long)hit->last);
    if (gene.name == NULL)
        return gp_text_print(text, err, "#NA\t#NA\n");
    return gp_text_print(text, err, "%s\t%lld\n", gene.name, (long long)gene.distance);
}

static int print_header(gp_text *text, gp_err *err) {
    gp_text_print(text, err, "hit");
    for (int k = 0; k < GP_HIT_COLUMNS; k++)
        gp_text_print(text, err, "\t%s", gp_hit_column[k]);
    return gp_text_print(text, err,
                         "\tclumped\tclump_start\tclump_end\tnearest_gene\tgene_distance\n");
}

/* What the ranks sent, as a sorted list. */
static gp_hit *sort_hits(const gp_text *hits, int64_t *count, gp_err *err) {
    gp_hit *list = NULL, hit;
    int64_t capacity = 0;
    *count = 0;
    for (int64_t at = 0; at < hits->length && err->code == GP_OK; at += hit.length) {
        memcpy(&hit, hits->bytes + at, sizeof hit);
        at += (int64_t)sizeof hit;
        hit.at = at;
        if (gp_mem_grow(&list, &capacity, *count + 1, sizeof *list, err) == GP_OK)
            list[(*count)++] = hit;
    }
    if (*count > 0)
        qsort(list, (size_t)*count, sizeof *list, by_strength);
    return list;
}

static int write_file(gp_job *job, const gp_hits_plan *plan, const gp_text *hits, gp_err *err) {
    gp_text text = {0};
    int64_t count = 0;
    gp_hit *list = sort_hits(hits, &count, err);
    print_header(&text, err);
    for (int64_t k = 0; k < count && err->code == GP_OK; k++)
        print_hit(plan, k + 1, &list[k], hits->bytes + list[k].at, &text, err);
    if (err->code == GP_OK && gp_io_write_file(plan->out, text.bytes, text.length, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "%s: %lld clumps of trait '%s'", plan->out, (long long)count,
               plan->trait);
    free(list);
    gp_text_free(&text);
    return err->code;
}

/* ---- together ---- */

/* This rank's islands to their leaders. Collective. */
static int find_hits(gp_job *job, const gp_hits_plan *plan, gp_hit_lines *lines, gp_text *hits,
                     gp_err *err) {
    gp_hit_islands islands = {0};
    gp_hits_collect(plan, lines, err);
    if (gp_par_agree(job->par, err) != GP_OK ||
        gp_hits_find_islands(job, lines, gp_hits_reach(plan->options), &islands, err) != GP_OK ||
        islands.count == 0)
        goto done;
    gp_hits_leave_islanders(&islands, lines);
    gp_hits_match(plan, lines, err);
    if (gp_par_agree(job->par, err) == GP_OK && exchange(job, islands.count, lines, err) == GP_OK) {
        gp_hits_clump(plan, lines, hits, err);
        gp_par_agree(job->par, err);
    }
done:
    free(islands.island);
    return err->code;
}

int gp_hits_write(gp_job *job, const gp_hits_plan *plan, gp_err *err) {
    gp_hit_lines lines = {0};
    gp_text hits = {0}, whole = {0};
    if (find_hits(job, plan, &lines, &hits, err) == GP_OK) {
        gp_par_gather(job->par, &hits, &whole, 1, err);
        if (err->code == GP_OK && gp_par_rank(job->par) == 0)
            write_file(job, plan, &whole, err);
        gp_par_agree(job->par, err);
    }
    gp_hit_lines_free(&lines);
    gp_text_free(&hits);
    gp_text_free(&whole);
    return err->code;
}
