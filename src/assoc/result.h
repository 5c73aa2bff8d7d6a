/** What a test of one variant against one trait gives. Local. */
#ifndef GP_SRC_ASSOC_RESULT_H
#define GP_SRC_ASSOC_RESULT_H

#include <math.h>
#include <stdint.h>

/** Why there is no number; the words of the result table's status column. */
typedef enum gp_status {
    GP_STATUS_OK,
    GP_STATUS_CONSTANT, /* one genotype only, or a trait that covariates leave constant, among the
                           samples in use */
    GP_STATUS_ALL_MISSING,    /* no sample in use is called */
    GP_STATUS_COLLINEAR,      /* the covariates determine the genotype */
    GP_STATUS_FEW_SAMPLES,    /* no degree of freedom is left */
    GP_STATUS_NO_CONVERGENCE, /* iteration did not settle */
    GP_STATUS_SEPARATION,     /* genotype and covariates separate cases from controls */
    GP_STATUS_COUNT
} gp_status;

/** "OK", "CONSTANT", … */
const char *gp_status_name(gp_status status);

/** How a binary trait's numbers were found; the words of the column `test`. */
typedef enum gp_test {
    GP_TEST_SCORE,
    GP_TEST_WALD,
    GP_TEST_FIRTH,
    GP_TEST_SPA,
    GP_TEST_COUNT
} gp_test;

/** "SCORE", "WALD", … */
const char *gp_test_name(gp_test test);

typedef struct gp_result {
    gp_status status;
    int64_t n;        /* samples used */
    double frequency; /* of the effect allele among called samples in use; NaN if none */
    double beta, se;  /* per copy of the effect allele; NaN unless status is OK, as the next two */
    double statistic;
    double neglog10p;

    /* Of binary traits alone. */
    gp_test test;
    int64_t cases;                              /* of n; the others are controls */
    double frequency_cases, frequency_controls; /* of the effect allele among them; NaN if none */
    int apart;                                  /* score test: see gp_logit_score */
} gp_result;

/** A result without numbers. */
static inline gp_result gp_result_none(gp_status status, int64_t n) {
    return (gp_result){.status = status,
                       .n = n,
                       .frequency = NAN,
                       .beta = NAN,
                       .se = NAN,
                       .statistic = NAN,
                       .neglog10p = NAN,
                       .frequency_cases = NAN,
                       .frequency_controls = NAN};
}

#endif
