/** The hits of a trait: clumps of significant variants, each told by its strongest one, with the
 *  nearest gene.
 *
 *  A line of the finished table with p <= --clump-p may lead a clump; one with p <= --clump-p2 may
 *  belong to one (src/assoc/clump.h). The default of p2 and the rules are PLINK's. r2 is the
 *  squared correlation of allele counts (as PLINK 2's --clump-unphased) over all samples of the
 *  store that both variants are called in: those the trait was not tested in too, and children of
 *  others too (PLINK leaves these out). p is the table's printed p_value, order its printed
 *  neg_log_10_p_value, ties by place: any reader of the table can check both.
 *
 *  The windows of all that may lead, joined where they touch, are islands that know nothing of
 *  each other; they are shared out over the ranks. So a rank holds the lines of its islands, and a
 *  bounded store of genotypes; rank 0 a line for each clump. The bytes are the same for any ranks
 *  and threads.
 */
#ifndef GP_JOBS_HITS_H
#define GP_JOBS_HITS_H

#include "io/genes.h"
#include "io/store.h"
#include "jobs/command.h"
#include "jobs/table_part.h"

typedef struct gp_hits_options {
    double clump_kb, clump_r2, clump_p, clump_p2;
    const char *genes; /* an annotation, or NULL */
} gp_hits_options;

/** What holds where the user says nothing. */
#define GP_HITS_DEFAULTS                                                                           \
    { .clump_kb = 250, .clump_r2 = 0.1, .clump_p = 5e-8, .clump_p2 = 0.01 }

/** Rows for the option table of the struct `fields`, which has a gp_hits_options hits. */
#define GP_ROWS_HITS(fields)                                                                       \
    {.name = "Hits", .type = GP_HEADING},                                                          \
        {"clump-p",                                                                                \
         GP_REAL,                                                                                  \
         offsetof(fields, hits.clump_p),                                                           \
         "P",                                                                                      \
         "a variant of at most this p may lead a clump (default: 5e-8)",                           \
         0,                                                                                        \
         1,                                                                                        \
         NULL},                                                                                    \
        {"clump-p2",                                                                               \
         GP_REAL,                                                                                  \
         offsetof(fields, hits.clump_p2),                                                          \
         "P",                                                                                      \
         "one of at most this p may belong to a clump (default: 0.01)",                            \
         0,                                                                                        \
         1,                                                                                        \
         NULL},                                                                                    \
        {"clump-kb",                                                                               \
         GP_REAL,                                                                                  \
         offsetof(fields, hits.clump_kb),                                                          \
         "KB",                                                                                     \
         "a clump reaches so many kilobases to both sides of its leader (default: 250)",           \
         0,                                                                                        \
         1e6,                                                                                      \
         NULL},                                                                                    \
        {"clump-r2",                                                                               \
         GP_REAL,                                                                                  \
         offsetof(fields, hits.clump_r2),                                                          \
         "R2",                                                                                     \
         "r2 with the leader from which on a variant belongs to the clump (default: 0.1)",         \
         0,                                                                                        \
         1,                                                                                        \
         NULL},                                                                                    \
    {                                                                                              \
        "genes", GP_TEXT, offsetof(fields, hits.genes), "FILE",                                    \
            "annotation that tells the nearest gene: .gff3, .gtf or .bed, plain or .gz; with its " \
            "index only what is needed is read",                                                   \
            0, 0, NULL                                                                             \
    }

/** Whether the options fit each other. Local. */
int gp_hits_check(const gp_hits_options *options, gp_err *err);

/** Opens the annotation that the options name, for the hits of any number of traits. Collective.
 *    genes  out  on rank 0 the annotation; NULL elsewhere, and where the options name none
 *  GP_EINPUT where it cannot be read, or has no chromosome of the store. */
int gp_hits_open_genes(gp_job *job, gp_store *store, const gp_hits_options *options,
                       gp_genes **genes, gp_err *err);

/** What the hits of a trait are made of, and where they go. Borrowed. */
typedef struct gp_hits_plan {
    gp_store *store;
    const char *trait;
    const char *table; /* the finished table with its index, which every rank can read: columns
                          chromosome base_pair_location id effect_allele other_allele p_value
                          neg_log_10_p_value; the others of the hits are #NA where it has none */
    const char *out;   /* the file of hits */
    const gp_hits_options *options;
    const gp_table_parts *parts;
    gp_genes *genes;     /* on rank 0, or NULL */
    int64_t cache_bytes; /* genotypes held at a time; 0 = 512 MiB */
} gp_hits_plan;

/** Finds the clumps and writes them, a line each, the smallest p first; a header alone where there
 *  are none. Collective. The file appears whole, by rename. GP_EINPUT where the table is damaged
 *  or not of this store; GP_ESTOP after a signal. */
int gp_hits_write(gp_job *job, const gp_hits_plan *plan, gp_err *err);

#endif
