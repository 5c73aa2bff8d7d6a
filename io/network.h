/** A trained network's directory: config.json, model.safetensors and variants.tsv.gz. Local.
 *
 *  config.json says what model.safetensors' tensors (src/nn/parameters.h; and "variant.mean",
 *  "variant.scale" [m] F64, "patch.position" [patches] F64, "patch.first" [patches + 1] I64,
 *  "patch.chromosome" [patches] I32) are made into. variants.tsv.gz (the format of io/effects.h,
 * with the additive path's effect of each trait per copy of the effect allele) says which variants
 * they are, in their order; the job writes it. Where there are several networks, the tensors of
 * number K are called "network.K.NAME".
 */
#ifndef GP_IO_NETWORK_H
#define GP_IO_NETWORK_H

#include "src/nn/parameters.h"
#include "src/nn/shape.h"

/** A covariate as the network takes it: (value - mean) / deviation. */
typedef struct gp_io_covariate {
    char *name; /* "column" or "column=level" */
    double mean, deviation;
} gp_io_covariate;

/** A trait as the network gives it. Quantitative: base + deviation * y, binary: 1 / (1 + exp(-y)),
 * where the network's offset is made of the covariates: intercept + sum effect * value, in the
 * units of y. */
typedef struct gp_io_trait {
    char *name;
    double base, deviation;
    double intercept;
    double *effect; /* [covariates] */
    double stack;   /* gamma: the share of the stack in the prediction; already in the numbers */
} gp_io_trait;

/** All that is known of a network; everything in it is owned. Starts zeroed. */
typedef struct gp_io_network {
    gp_nn_shape shape;          /* its arrays are the following */
    int64_t *first;             /* [shape.patches + 1] */
    double *position;           /* [shape.patches] */
    int32_t *place;             /* [shape.patches] numbers of chromosomes */
    gp_nn_loss *loss;           /* [shape.traits] */
    char **chromosome;          /* [shape.chromosomes] names */
    gp_io_covariate *covariate; /* [shape.covariates] */
    gp_io_trait *trait;         /* [shape.traits] */
    double *mean, *scale;       /* [m] */
    int64_t networks;           /* of this shape, whose outputs are averaged */
    float *parameter;           /* [networks x parameters] each as in src/nn/parameters.h */
    int linear;                 /* the linear path is part of predictions */
    double chromosome_dropout;  /* of training: 0 = leave-one-chromosome-out was not trained for */
    int64_t samples;            /* trained with */
    uint64_t seed;
    char *objective; /* "traits" or "masked" */
} gp_io_network;

/** Makes room for a shape, and copies the shape's own arrays, which must be there. Names and the
 *  objective are NULL, all else is 0. Room is for network->networks of them; 0 becomes 1. */
int gp_io_network_init(gp_io_network *network, const gp_nn_shape *shape, gp_err *err);
void gp_io_network_free(gp_io_network *network);

/** Writes model.safetensors and then config.json into a directory, each whole or not there.
 *  GP_EINPUT where a name is not UTF-8, before anything is written. */
int gp_io_network_write(const gp_io_network *network, const char *directory, gp_err *err);

/** Reads config.json alone: sizes, not yet checked, and names; what is [m] or [patches], and the
 *  parameters, are not there. GP_EINPUT as below. */
int gp_io_network_read_config(gp_io_network *network, const char *directory, gp_err *err);

/** Reads both and checks one against the other. GP_EINPUT names the file and what is wrong. */
int gp_io_network_read(gp_io_network *network, const char *directory, gp_err *err);

#endif
