#include "src/assoc/result.h"

const char *gp_status_name(gp_status status) {
    static const char *const name[] = {"OK",          "CONSTANT",       "ALL_MISSING", "COLLINEAR",
                                       "FEW_SAMPLES", "NO_CONVERGENCE", "SEPARATION"};
    return name[status];
}

const char *gp_test_name(gp_test test) {
    static const char *const name[] = {"SCORE", "WALD", "FIRTH", "SPA"};
    return name[test];
}
