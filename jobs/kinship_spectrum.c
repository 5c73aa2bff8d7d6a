#include "jobs/kinship.h"
#include "src/assoc/reml.h"

int gp_kinship_spectrum(gp_job *job, const gp_kinship *kinship, const int64_t *sample,
                        int64_t except, gp_dense *vector, double *value, gp_err *err) {
    gp_dense k = {0};
    if (gp_dense_init(&k, job->par, vector->grid, vector->layout.n, err) == GP_OK &&
        gp_kinship_load(job, kinship, sample, except, &k, err) == GP_OK &&
        gp_dense_centre(&k, err) == GP_OK)
        gp_dense_eigen(&k, value, vector, err);
    gp_dense_free(&k);
    if (err->code == GP_OK)
        gp_spectrum_clean(value, vector->layout.n, err);
    return gp_par_agree(job->par, err);
}
