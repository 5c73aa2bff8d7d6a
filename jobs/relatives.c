#include "jobs/relatives.h"
#include "jobs/directory.h"

#include <math.h>
#include <stdlib.h>

static int make(gp_job *job, const gp_relatives *r, const char *path, gp_err *err) {
    gp_selection selection = {0};
    const gp_selection_options options = {
        .filter = {.maf = 0.01, .mac = NAN, .geno = 0.05, .hwe = NAN}};
    int64_t there = 0;
    int made = gp_par_rank(job->par) == 0 && gp_directory_make(r->directory, &there, err) == GP_OK;
    if (gp_par_agree(job->par, err) == GP_OK &&
        (r->selection != NULL ||
         gp_selection_load(job, &options, r->store, &selection, err) == GP_OK)) {
        gp_kinship_plan plan = {.path = path,
                                .keep = 1,
                                .centred = r->centred,
                                .chromosomes = r->loco,
                                .store = r->store,
                                .cohort = r->cohort,
                                .selection = r->selection != NULL ? r->selection : &selection};
        gp_kinship_make(job, &plan, err);
    }
    gp_selection_free(&selection);
    if (made && err->code != GP_OK)
        gp_directory_unmake(r->directory, there);
    return err->code;
}

int gp_relatives_open(gp_job *job, const gp_relatives *r, gp_kinship *kinship, gp_err *err) {
    gp_text path = {0};
    kinship->chromosomes = r->loco;
    gp_text_print(&path, err, "%s%s", r->grm != NULL ? r->grm : r->directory,
                  r->grm != NULL ? "" : "/grm.h5");
    if (gp_par_agree(job->par, err) == GP_OK &&
        (r->grm != NULL || make(job, r, path.bytes, err) == GP_OK))
        gp_kinship_open(job, path.bytes, r->cohort, kinship, err);
    if (err->code == GP_OK && r->loco && gp_grm_about_of(kinship->grm)->chromosomes == 0)
        gp_err_set(err, GP_EINPUT,
                   "%s: holds no matrices by chromosome, which leaving out the tested one needs; "
                   "make it with gp-dist grm --loco, or say --no-loco",
                   path.bytes);
    gp_text_free(&path);
    return err->code;
}
