/** Traits grouped by who has a value, and by the kind of their model: one linear regression per
 *  pattern of missing phenotypes, one logistic regression per binary trait. */
#ifndef GP_JOBS_PATTERNS_H
#define GP_JOBS_PATTERNS_H

#include "jobs/cohort.h"
#include "jobs/shift.h"
#include "src/assoc/linear.h"
#include "src/assoc/logit.h"

typedef enum gp_pattern_kind {
    GP_PATTERN_LINEAR,
    GP_PATTERN_LOGISTIC,
    GP_PATTERN_KINDS
} gp_pattern_kind;

/** A binary trait of a pattern. */
typedef struct gp_binary {
    int64_t cases;
    int64_t nulls;       /* 1, or one for each column of offsets */
    gp_logit_null *null; /* [nulls] made by jobs/null_models.h */
    /* Made by jobs/scan_logistic.h, of this shard's samples. */
    double *y;      /* [groups x 64] */
    double *offset; /* [groups x 64] of the chromosome at hand */
    int64_t at;     /* the null model that the model has; -1 = none yet */
    gp_logit *model;
} gp_binary;

typedef struct gp_pattern {
    gp_pattern_kind kind;
    int64_t n;
    int64_t *sample; /* [n] store samples with every covariate and these traits */
    int64_t traits;
    int64_t *trait; /* [traits] numbers in the cohort */
    int64_t rank;   /* of the covariates kept for it */
    /* As in gp_linear_input; of binary traits the residual is the trait itself, 0 or 1. They and
     * the samples are NULL once models are made of them. */
    double *basis, *residual, *length;
    gp_linear model;
    gp_shift shift; /* of the linear model, where a trait has offsets; else zeroed */
    /* Of binary traits. */
    gp_binary *binary;  /* [traits] */
    gp_logit_rows rows; /* of this shard, made by jobs/scan_logistic.h */
} gp_pattern;

typedef struct gp_patterns {
    gp_pattern *pattern; /* the linear ones first */
    int64_t count;
    int64_t traits;   /* of all patterns */
    uint8_t *dropped; /* [cohort covariates] 1 = adds nothing in some pattern */
    uint8_t *told;    /* [cohort traits] 1 = it was said that it is skipped */
    int firth;        /* binary traits' null models are wanted by Firth's likelihood too */
} gp_patterns;

/** What the models need beyond the cohort. */
typedef struct gp_patterns_input {
    int64_t first, samples; /* this shard: store samples [first, first + samples) */
    int exact;              /* complete cases, or mean for missing calls */
    int numbers;            /* binary traits are numbers like any other: no logistic model */
    int mixed;              /* a mixed model will need the columns: no linear one is made */
    gp_offsets *offsets;    /* or NULL; those of linear models are taken from it and freed */
} gp_patterns_input;

enum {
    GP_PATTERNS_KEEP =
        32
        << 20 /* bytes of all linear models, and of all logistic ones, to speed up missing calls */
};

/** What a trait's model is. */
gp_pattern_kind gp_patterns_kind(const gp_patterns_input *input, const gp_trait *trait);

/** Groups the usable traits, finds each group's covariate basis, frees quantitative traits
 *  from it and makes the linear models; of binary traits there are columns, for null
 *  models. Local: the same on every rank but for the shard. Traits that turn out constant,
 *  or to have too few samples, cases or controls, are marked skipped in the cohort, with a
 *  warning. The models (or columns) hold what is needed: values of traits are freed on the
 *  way, and those of covariates unless null models will need them. GP_EINPUT where no trait
 *  is left, GP_ESTOP after a signal. */
int gp_patterns_init(gp_patterns *patterns, gp_cohort *cohort, const gp_patterns_input *input,
                     const gp_sink *sink, gp_err *err);

/** Takes out the traits that were marked skipped since their patterns were made, and says so.
 *  Local; of binary traits without models alone. GP_EINPUT where no trait is left. */
int gp_patterns_drop(gp_patterns *patterns, const gp_cohort *cohort, const gp_sink *sink,
                     gp_err *err);

/** Frees the samples and columns of a pattern. */
void gp_pattern_free_columns(gp_pattern *pattern);

void gp_patterns_free(gp_patterns *patterns);

#endif
