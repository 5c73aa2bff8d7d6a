#include "jobs/whole_pass.h"
#include "src/geno/code.h"

enum { BATCH = 1024, ROWS_BYTES = 16 << 20 };

int gp_whole_pass_init(gp_whole_pass *whole, gp_job *job, gp_store *store,
                       const gp_selection *selection, const int64_t *count, gp_err *err) {
    gp_pass *pass = &whole->pass;
    *pass = (gp_pass){.job = job, .store = store, .plan = &whole->plan, .selection = selection};
    pass->samples = gp_store_sample_count(store);
    int64_t least = gp_store_chunk_variants(store, err);
    for (pass->batch = BATCH;
         pass->batch > least && pass->batch * gp_geno_stride(pass->samples) > ROWS_BYTES;)
        pass->batch /= 2;
    return gp_plan_init(&whole->plan, count, selection->chromosomes, gp_store_block(store),
                        gp_par_groups(job->par), err);
}

void gp_whole_pass_free(gp_whole_pass *whole) {
    gp_plan_free(&whole->plan);
}
