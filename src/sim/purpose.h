/** What the simulation's random streams are for (src/base/rng.h), with the indices of each. */
#ifndef GP_SRC_SIM_PURPOSE_H
#define GP_SRC_SIM_PURPOSE_H

enum {
    GP_SIM_POSITION = 1, /* chromosome */
    GP_SIM_TREE,         /* chromosome: the founders' first tree, then its changes */
    GP_SIM_MUTATION,     /* chromosome, variant */
    GP_SIM_ALLELE,       /* variant over all chromosomes, low and high half */
    GP_SIM_PERSON,       /* sample */
    GP_SIM_COUPLE,       /* - */
    GP_SIM_FAMILY,       /* family */
    GP_SIM_COVARIATE,    /* sample */
    GP_SIM_COPY,         /* haplotype, switch, chromosome */
    GP_SIM_MEIOSIS,      /* haplotype, crossover, chromosome */
    GP_SIM_MISSING,      /* variant, chromosome */
    GP_SIM_CAUSAL,       /* trait */
    GP_SIM_EFFECT,       /* trait, component */
    GP_SIM_NOISE,        /* trait, sample */
    GP_SIM_NO_VALUE      /* trait, sample */
};

#endif
