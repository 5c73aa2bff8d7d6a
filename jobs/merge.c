/* gp-dist merge: the tables of assoc with what a network makes of each variant. */
#include "jobs/hits.h"
#include "jobs/job.h"
#include "jobs/merge_inside.h"
#include "jobs/option_rows.h"
#include "jobs/times.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Tables merged side by side: a rank keeps 24 bytes for each of their lines that it has. */
enum { SIDE_BY_SIDE = 8 };

typedef struct options {
    const char *store, *assoc, *trait, *attribution, *out;
    gp_hits_options hits;
} options;

static options values = {.hits = GP_HITS_DEFAULTS};

#define AT(field) offsetof(options, field)

static const gp_option option_table[] = {
    {.name = "Input", .type = GP_HEADING},
    GP_ROW_STORE(options),
    {"assoc", GP_TEXT, AT(assoc), "DIR", "tables of results: a directory that gp-dist assoc wrote",
     0, 0, NULL},
    {"trait", GP_TEXT, AT(trait), "A,B", "traits to merge (default: those of all tables there)", 0,
     0, NULL},
    {"attribution", GP_TEXT, AT(attribution), "FILE,FILE",
     "tables that gp-dist explain wrote, with the index beside each; a trait is looked for in all "
     "of them (default: none)",
     0, 0, NULL},
    GP_ROWS_HITS(options),
    {.name = "Run", .type = GP_HEADING},
    {"out", GP_TEXT, AT(out), "DIR", "directory for the merged tables", 0, 0, NULL},
    {0}};

static const char description[] =
    "Makes one table for each trait of what gp-dist assoc and gp-dist explain found, its top hits, "
    "and a summary for plots:\n"
    "\n"
    "TRAIT.tsv.gz\tthe lines of assoc's table with two more columns: attribution as explain has "
    "it, and attribution_rank: 1 for the greatest importance among the lines that have one. Both "
    "are #NA where the network does not have the variant. Variants are joined by chromosome, "
    "position, id and alleles. Index and metadata lie beside it\n"
    "TRAIT.hits.tsv\tclumps of significant variants, each told by its strongest one, with the "
    "nearest gene\n"
    "TRAIT.summary.json\tcounts, genomic inflation, and plots: Manhattan in cells, QQ in points\n"
    "\n"
    "The tables of assoc must be of the store's genotypes. The results are the same bytes on any "
    "number of ranks and threads.\n"
    "\n"
    "  mpirun -n 8 gp-dist merge --store cohort.h5 --assoc results \\\n"
    "      --attribution height.tsv.gz,weight.tsv.gz \\\n"
    "      --genes genes.gff3.gz --out merged";

static int check(const options *o, gp_err *err) {
    const char *missing = o->store == NULL   ? "--store STORE.h5"
                          : o->assoc == NULL ? "--assoc DIR"
                          : o->out == NULL   ? "--out DIR"
                                             : NULL;
    struct stat assoc, out;
    if (missing != NULL)
        return gp_err_set(err, GP_EINPUT, "command line: merge needs %s; see gp-dist merge --help",
                          missing);
    if (stat(o->assoc, &assoc) == 0 && stat(o->out, &out) == 0 && assoc.st_dev == out.st_dev &&
        assoc.st_ino == out.st_ino)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --out %s: is the directory of the tables to be merged, "
                          "whose names the merged ones have; give another",
                          o->out);
    return gp_hits_check(&o->hits, err);
}

static int load(gp_merge *m, const options *o, gp_err *err) {
    gp_store_open(&m->store, o->store, err);
    if (gp_par_agree(m->job->par, err) != GP_OK || gp_merge_find(m, o->trait, err) != GP_OK)
        return err->code;
    if (o->attribution != NULL && gp_merge_open_files(m, o->attribution, err) != GP_OK)
        return err->code;
    return gp_table_parts_init(m->job, m->store, &m->parts, err);
}

/* The hits of a finished table. */
static int write_hits(gp_merge *m, const options *o, int64_t t, gp_genes *genes, gp_err *err) {
    const char *trait = m->table[t].about.trait;
    char *table = gp_merge_path(m->out, trait, ".tsv.gz", err);
    char *out = gp_merge_path(m->out, trait, ".hits.tsv", err);
    const gp_hits_plan plan = {.store = m->store,
                               .trait = trait,
                               .table = table,
                               .out = out,
                               .options = &o->hits,
                               .parts = &m->parts,
                               .genes = genes};
    if (gp_par_agree(m->job->par, err) == GP_OK && gp_hits_write(m->job, &plan, err) == GP_OK)
        gp_say(m->job->sink, GP_NOTE, "%s: %lld variants", table,
               (long long)m->table[t].about.variants);
    free(table);
    free(out);
    return err->code;
}

static int work(gp_merge *m, const options *o, gp_err *err) {
    gp_genes *genes = NULL;
    if (gp_hits_open_genes(m->job, m->store, &o->hits, &genes, err) == GP_OK)
        for (int64_t t = 0; t < m->count && err->code == GP_OK; t += SIDE_BY_SIDE) {
            int64_t count = m->count - t < SIDE_BY_SIDE ? m->count - t : SIDE_BY_SIDE;
            if (gp_merge_some(m, t, count, err) != GP_OK)
                break;
            gp_times_phase(m->job, "hits");
            for (int64_t k = t; k < t + count && err->code == GP_OK; k++)
                write_hits(m, o, k, genes, err);
        }
    gp_genes_close(genes);
    return err->code;
}

static void merge_free(gp_merge *m) {
    for (int64_t t = 0; t < m->count; t++) {
        free(m->table[t].path);
        gp_text_free(&m->table[t].yaml);
        gp_sumstats_about_free(&m->table[t].about);
    }
    for (int64_t f = 0; m->file != NULL && f < m->files; f++)
        gp_attribution_close(&m->file[f]);
    free(m->table);
    free(m->file);
    gp_text_free(&m->names);
    gp_table_parts_free(&m->parts);
    gp_store_close(m->store);
}

static int start(gp_job *job, gp_err *err) {
    const options *o = &values;
    gp_merge m = {.job = job, .directory = o->assoc, .out = o->out};
    check(o, err);
    if (gp_par_agree(job->par, err) == GP_OK && load(&m, o, err) == GP_OK)
        work(&m, o, err);
    merge_free(&m);
    return err->code;
}

const gp_command gp_command_merge = {.name = "merge",
                                     .summary = "join results and attributions, find top hits",
                                     .synopsis = "--store STORE.h5 --assoc DIR --out DIR [options]",
                                     .description = description,
                                     .options = option_table,
                                     .values = &values,
                                     .run = start};
