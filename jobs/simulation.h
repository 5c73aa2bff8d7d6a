/** A simulated cohort on its way to files. Local: one rank makes it. */
#ifndef GP_JOBS_SIMULATION_H
#define GP_JOBS_SIMULATION_H

#include "io/bfile_write.h"
#include "io/store.h"
#include "jobs/command.h"
#include "src/sim/genome.h"
#include "src/sim/mosaic.h"
#include "src/sim/trait.h"
#include <stdint.h>

/** What the user asked for. */
typedef struct gp_simulation_options {
    const char *out; /* PREFIX */
    int64_t samples, variants, chromosomes, populations;
    double relatives, missing_rate, missing_pheno;
    int64_t traits, binary, causal;
    double heritability, dominance, epistasis, prevalence;
    int64_t seed, compress;
    int plink, dry_run;
} gp_simulation_options;

/** Starts with ask and sink set, the rest zeroed. */
typedef struct gp_simulation {
    const gp_simulation_options *ask; /* borrowed */
    const gp_sink *sink;
    gp_trait_plan plan;
    gp_genome genome;
    gp_people people;
    gp_samples samples;
    gp_causes causes;
    gp_mosaic mosaic;
    gp_variants run; /* the variants at hand */
    uint8_t *rows;   /* [longest run x stride] and their calls */
    gp_store_writer *store;
    gp_bfile_writer bfile;
    gp_progress progress;
    int64_t done; /* variants written */
} gp_simulation;

/** Checks that the options fit together, and sets plan and genome. */
int gp_simulation_check(gp_simulation *s, gp_err *err);

/** What would be written, and the memory it takes, as lines of text. After gp_simulation_check. */
int gp_simulation_predict(const gp_simulation *s, gp_text *text, gp_err *err);

/** Makes the cohort and writes all its files: each is whole or not there, the store comes last.
 * After gp_simulation_check. GP_ESTOP after a signal; nothing is then left behind. */
int gp_simulation_write(gp_simulation *s, gp_err *err);

void gp_simulation_free(gp_simulation *s);

/* ---- jobs/simulation_tables.c ---- */

/** Fills s->samples from s->people. */
int gp_simulation_name_samples(gp_simulation *s, gp_err *err);

/** "rs1", "rs2" … of a variant numbered over all chromosomes. */
int gp_simulation_name_variant(gp_text *text, int64_t variant, gp_err *err);

/** Makes the traits and writes PREFIX.pheno.tsv, .covar.tsv and .truth.tsv. */
int gp_simulation_write_tables(gp_simulation *s, gp_err *err);

#endif
