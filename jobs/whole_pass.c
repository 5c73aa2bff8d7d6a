#include "jobs/whole_pass.h"
#include "src/base/split.h"
#include "src/geno/code.h"

enum { ROWS_BYTES = 16 << 20 };

int gp_whole_pass_init(gp_whole_pass *whole, gp_job *job, gp_store *store,
                       const gp_selection *selection, const int64_t *count, gp_err *err) {
    gp_pass *pass = &whole->pass;
    *pass = (gp_pass){.job = job, .store = store, .plan = &whole->plan, .selection = selection};
    int64_t n = gp_store_sample_count(store), shards = gp_par_shards(job->par);
    int64_t shard = gp_par_shard(job->par) < 0 ? 0 : gp_par_shard(job->par);
    pass->first = gp_split_begin(n, GP_GENO_GROUP, shards, shard);
    pass->samples = gp_split_begin(n, GP_GENO_GROUP, shards, shard + 1) - pass->first;
    /* Batches are the same for all shards of a group. */
    int64_t stride = gp_geno_stride(gp_split_begin(n, GP_GENO_GROUP, shards, 1));
    int64_t least = gp_store_chunk_variants(store, err);
    for (pass->batch = GP_WHOLE_PASS_BATCH;
         pass->batch > least && pass->batch * stride > ROWS_BYTES;)
        pass->batch /= 2;
    return gp_plan_init(&whole->plan, count, selection->chromosomes, gp_store_block(store),
                        gp_par_groups(job->par), err);
}

void gp_whole_pass_free(gp_whole_pass *whole) {
    gp_plan_free(&whole->plan);
}
