#include "src/sim/genome.h"
#include "src/sim/purpose.h"

/* GRCh38, chromosomes 1 to 22. */
static const int64_t human[GP_GENOME_MOST] = {
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636,
    138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345,
    83257441,  80373285,  58617616,  64444167,  46709983,  50818468};

int gp_genome_init(gp_genome *genome, int64_t chromosomes, int64_t variants, gp_err *err) {
    if (chromosomes < 1 || chromosomes > GP_GENOME_MOST)
        return gp_err_set(err, GP_EINPUT, "simulate: %lld chromosomes; choose 1 to %d",
                          (long long)chromosomes, GP_GENOME_MOST);
    *genome = (gp_genome){.chromosomes = chromosomes};
    int64_t bases = 0, before = 0;
    for (int64_t k = 0; k < chromosomes; k++)
        bases += genome->length[k] = human[k];
    if (variants < chromosomes || variants > bases / 100)
        return gp_err_set(err, GP_EINPUT,
                          "simulate: %lld variants on %lld chromosomes; choose %lld to %lld",
                          (long long)variants, (long long)chromosomes, (long long)chromosomes,
                          (long long)bases / 100);
    for (int64_t k = 0; k < chromosomes; k++) {
        /* Shares of cumulated lengths: rounding cannot lose or invent a variant. Below 2^57. */
        int64_t spread = variants - chromosomes, after = before + genome->length[k];
        genome->count[k] = 1 + spread * after / bases - spread * before / bases;
        before = after;
    }
    return GP_OK;
}

gp_places gp_places_begin(const gp_genome *genome, int64_t chromosome, uint64_t seed) {
    int64_t count = genome->count[chromosome];
    gp_places p = {.rng = gp_rng_stream(seed, GP_SIM_POSITION, (uint32_t)chromosome, 0, 0),
                   .spare = genome->length[chromosome] - count};
    /* Exponential gaps divided by their sum cut a line as sorted uniform points do, without sorting
     * and without keeping them. */
    gp_rng ahead = p.rng;
    for (int64_t i = 0; i <= count; i++)
        p.total += gp_rng_exponential(&ahead);
    return p;
}

void gp_places_next(gp_places *places, int64_t *position, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        places->sum += gp_rng_exponential(&places->rng);
        /* Each variant takes one base for itself, so no two can meet. */
        position[i] =
            1 + places->index++ + (int64_t)(places->sum / places->total * (double)places->spare);
    }
}

void gp_alleles_draw(uint64_t seed, int64_t variant, char *ref, char *alt) {
    gp_rng rng = gp_rng_stream(seed, GP_SIM_ALLELE, (uint32_t)variant,
                               (uint32_t)((uint64_t)variant >> 32), 0);
    uint32_t first = gp_rng_next(&rng) >> 30;
    uint32_t step = 1 + (uint32_t)((uint64_t)gp_rng_next(&rng) * 3 >> 32);
    *ref = "ACGT"[first];
    *alt = "ACGT"[(first + step) & 3];
}
