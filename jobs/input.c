#include "jobs/input.h"
#include "io/file.h"

#include <unistd.h>

int gp_input_load(gp_job *job, const gp_input *in, gp_err *err) {
    /* Where results cannot go shall be known before the work; a new directory is made after it. */
    if (gp_par_rank(job->par) == 0 && in->out != NULL && access(in->out, F_OK) == 0)
        gp_io_check_writable(in->out, err);
    gp_store_open(in->store, in->path, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    const gp_store *store = *in->store;
    gp_say(job->sink, GP_NOTE, "%s: %lld samples, %lld variants, %lld chromosomes", in->path,
           (long long)gp_store_sample_count(store), (long long)gp_store_variant_count(store),
           (long long)gp_store_chromosome_count(store));
    if (gp_cohort_load(job, in->cohort_options, *in->store, in->cohort, err) == GP_OK)
        gp_selection_load(job, in->selection_options, *in->store, in->selection, err);
    return err->code;
}
