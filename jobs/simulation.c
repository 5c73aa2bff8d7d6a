#include "jobs/simulation.h"
#include "io/file.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- before the work ---- */

int gp_simulation_check(gp_simulation *s, gp_err *err) {
    const gp_simulation_options *ask = s->ask;
    s->plan = (gp_trait_plan){.additive = ask->heritability,
                              .dominance = ask->dominance,
                              .epistasis = ask->epistasis,
                              .traits = ask->traits,
                              .binary = ask->binary,
                              .prevalence = ask->prevalence,
                              .missing = ask->missing_pheno,
                              .seed = (uint64_t)ask->seed};
    if (gp_genome_init(&s->genome, ask->chromosomes, ask->variants, err) != GP_OK ||
        gp_trait_check(&s->plan, ask->causal, err) != GP_OK)
        return err->code;
    if (ask->causal > ask->variants)
        return gp_err_set(err, GP_EINPUT,
                          "command line: --causal %lld is more than --variants %lld; choose fewer",
                          (long long)ask->causal, (long long)ask->variants);
    return GP_OK;
}

/* What cannot be written shall be known before the work. */
static int check_output(const char *prefix, gp_err *err) {
    gp_text store = {0};
    size_t length = strlen(prefix);
    if (length == 0 || prefix[length - 1] == '/')
        return gp_err_set(err, GP_EINPUT,
                          "%s: --out wants a folder and the beginning of file names in it", prefix);
    if (gp_text_print(&store, err, "%s.h5", prefix) == GP_OK)
        gp_store_check_new(store.bytes, err);
    gp_text_free(&store);
    return err->code;
}

int gp_simulation_predict(const gp_simulation *s, gp_text *text, gp_err *err) {
    enum { VARIANT = 210 /* bytes in the store: positions, counts, ids, alleles */ };
    const gp_simulation_options *ask = s->ask;
    double n = (double)ask->samples, m = (double)ask->variants, p = (double)ask->traits;
    double stride = (double)gp_geno_stride(ask->samples), causal = p * (double)ask->causal;
    gp_text_print(text, err, "chromosome\tvariants\n");
    for (int64_t k = 0; k < s->genome.chromosomes && err->code == GP_OK; k++)
        gp_text_print(text, err, "%lld\t%lld\n", (long long)k + 1, (long long)s->genome.count[k]);
    gp_text_print(text, err, "samples\t%lld\nvariants\t%lld\n", (long long)ask->samples,
                  (long long)ask->variants);
    gp_text_print(text, err, "store\tabout %.1f MB before compression\n",
                  1e-6 * m * (stride + VARIANT));
    if (ask->plink)
        gp_text_print(text, err, "PLINK files\tabout %.1f MB\n",
                      1e-6 * (m * (n / 4 + 36) + 32 * n));
    gp_text_print(text, err, "tables\tabout %.1f MB\n",
                  1e-6 * (n * (18 + 9 * p) + n * 38 + 150 * causal));
    /* Genotype chunks and a run are small change beside these. */
    return gp_text_print(text, err, "memory\tabout %.0f MB\n",
                         40 + 1e-6 * (causal * stride + n * (550 + 17 * p)));
}

/* ---- the work ---- */

static int allocate(gp_simulation *s, gp_err *err) {
    const gp_simulation_options *ask = s->ask;
    uint64_t seed = (uint64_t)ask->seed;
    gp_people_plan people = {ask->samples, ask->populations, ask->relatives, seed};
    gp_causes_plan causes = {ask->traits, ask->causal, ask->samples, ask->variants, seed};
    if (gp_people_init(&s->people, &people, err) != GP_OK ||
        gp_causes_init(&s->causes, &causes, err) != GP_OK ||
        gp_mosaic_init(&s->mosaic, &s->people, seed, err) != GP_OK)
        return err->code;
    int64_t longest = gp_mosaic_run(&s->mosaic);
    s->rows = gp_mem_alloc(longest, gp_geno_stride(ask->samples), err);
    if (s->rows == NULL)
        return err->code;
    return gp_variants_reserve(&s->run, longest, 1, err);
}

static int create_files(gp_simulation *s, gp_err *err) {
    const gp_simulation_options *ask = s->ask;
    gp_text path = {0}, provenance = {0};
    gp_text_print(&path, err, "%s.h5", ask->out);
    gp_text_print(&provenance, err,
                  "program: gp-dist %s\nsimulated: --samples %lld --variants %lld --chromosomes "
                  "%lld --populations %lld --relatives %g --missing-rate %g --seed %lld\n",
                  gp_version, (long long)ask->samples, (long long)ask->variants,
                  (long long)ask->chromosomes, (long long)ask->populations, ask->relatives,
                  ask->missing_rate, (long long)ask->seed);
    gp_store_plan plan = {.samples = &s->samples,
                          .variants = ask->variants,
                          .compress = (int)ask->compress,
                          .provenance = provenance.bytes};
    if (err->code == GP_OK && gp_store_create(&s->store, path.bytes, &plan, err) == GP_OK &&
        ask->plink)
        gp_bfile_write_open(&s->bfile, ask->out, &s->samples, err);
    gp_text_free(&path);
    gp_text_free(&provenance);
    return err->code;
}

/* Ids and alleles of the run that begins with variant number s->done. */
static int name_run(gp_simulation *s, gp_err *err) {
    gp_variants *run = &s->run;
    gp_text *block = &run->block;
    block->length = 0;
    for (int64_t i = 0; i < run->count; i++) {
        char allele[4] = {0}; /* ref, zero, alt, zero */
        gp_alleles_draw((uint64_t)s->ask->seed, s->done + i, &allele[0], &allele[2]);
        gp_text_add(block, allele, 4, err);
        gp_simulation_name_variant(block, s->done + i, err);
        if (gp_text_add(block, "", 1, err) != GP_OK)
            return err->code;
        run->morgan[i] = (double)run->position[i] / GP_GENOME_BASES_PER_CM;
    }
    /* The block has stopped moving. */
    char *at = block->bytes;
    for (int64_t i = 0; i < run->count; i++) {
        run->ref[i] = at;
        run->alt[i] = at + 2;
        run->id[i] = at + 4;
        at = run->id[i] + strlen(run->id[i]) + 1;
    }
    return GP_OK;
}

static int write_run(gp_simulation *s, int64_t chromosome, const char *name, int64_t first,
                     gp_err *err) {
    gp_variants *run = &s->run;
    gp_mosaic_next(&s->mosaic, run->position, run->count, s->rows);
    gp_causes_take(&s->causes, s->done, run->count, chromosome, run->position, s->rows);
    gp_mosaic_lose(&s->mosaic, s->ask->missing_rate, first, run->count, s->rows);
    if (name_run(s, err) != GP_OK || gp_store_append(s->store, run, s->rows, err) != GP_OK)
        return err->code;
    if (s->ask->plink && gp_bfile_write_append(&s->bfile, name, run, s->rows, err) != GP_OK)
        return err->code;
    s->done += run->count;
    gp_progress_at(&s->progress, s->done);
    if (gp_signals_caught())
        return gp_err_set(err, GP_ESTOP,
                          "simulate: stopped by a signal; nothing was written; run the same "
                          "command again");
    return GP_OK;
}

static int write_chromosome(gp_simulation *s, int64_t k, gp_err *err) {
    char name[8];
    snprintf(name, sizeof name, "%d", (int)k + 1);
    gp_chromosome chromosome = {.name = name, .kind = GP_AUTOSOME, .count = s->genome.count[k]};
    if (gp_store_begin_chromosome(s->store, &chromosome, 1, err) != GP_OK)
        return err->code;
    gp_places places = gp_places_begin(&s->genome, k, (uint64_t)s->ask->seed);
    int64_t longest = gp_mosaic_run(&s->mosaic), first = 0;
    gp_mosaic_begin(&s->mosaic, k);
    for (; first < chromosome.count && err->code == GP_OK; first += longest) {
        int64_t left = chromosome.count - first;
        s->run.count = left < longest ? left : longest;
        gp_places_next(&places, s->run.position, s->run.count);
        write_run(s, k, name, first, err);
    }
    return err->code;
}

static int finish_files(gp_simulation *s, gp_err *err) {
    if (gp_simulation_write_tables(s, err) != GP_OK)
        return err->code;
    if (s->ask->plink && gp_bfile_write_finish(&s->bfile, s->ask->out, err) != GP_OK)
        return err->code;
    gp_store_writer *store = s->store;
    s->store = NULL;
    return gp_store_finish(store, err);
}

int gp_simulation_write(gp_simulation *s, gp_err *err) {
    if (check_output(s->ask->out, err) != GP_OK || allocate(s, err) != GP_OK ||
        gp_simulation_name_samples(s, err) != GP_OK || create_files(s, err) != GP_OK)
        return err->code;
    gp_progress_open(&s->progress, s->sink, "variants", s->ask->variants);
    for (int64_t k = 0; k < s->genome.chromosomes && err->code == GP_OK; k++)
        write_chromosome(s, k, err);
    gp_progress_close(&s->progress);
    return err->code == GP_OK ? finish_files(s, err) : err->code;
}

void gp_simulation_free(gp_simulation *s) {
    gp_store_discard(s->store);
    gp_bfile_write_discard(&s->bfile);
    gp_people_free(&s->people);
    gp_samples_free(&s->samples);
    gp_causes_free(&s->causes);
    gp_mosaic_free(&s->mosaic);
    gp_variants_free(&s->run);
    free(s->rows);
    *s = (gp_simulation){0};
}
