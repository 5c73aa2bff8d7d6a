#include "jobs/kinship.h"
#include "jobs/job.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- joining samples ---- */

/* Looks a sample up by both ids. A tab is in neither: tables and stores part fields by it. */
static const char *both_ids(gp_text *to, const char *fid, const char *iid, gp_err *err) {
    to->length = 0;
    return gp_text_print(to, err, "%s\t%s", fid, iid) == GP_OK ? to->bytes : NULL;
}

static int no_common(const gp_grm *grm, const gp_samples *samples, gp_err *err) {
    const gp_grm_about *about = gp_grm_about_of(grm);
    gp_text examples = {0};
    for (int64_t i = 0; i < about->n && i < 3; i++)
        gp_text_print(&examples, err, "%s%.60s %.60s", i ? ", " : "", about->fid[i], about->iid[i]);
    gp_text_print(&examples, err, "; the store has ");
    for (int64_t i = 0; i < samples->n && i < 3; i++)
        gp_text_print(&examples, err, "%s%.60s %.60s", i ? ", " : "", gp_samples_fid(samples, i),
                      gp_samples_iid(samples, i));
    gp_err_set(err, GP_EINPUT,
               "%s: no sample in common with the store: the matrix has %s; FID and IID must match",
               gp_grm_path(grm), examples.bytes ? examples.bytes : "");
    gp_text_free(&examples);
    return err->code;
}

/* The matrix's rows by their ids. */
static int number_rows(const gp_grm *grm, gp_ids *rows, gp_text *ids, gp_err *err) {
    const gp_grm_about *about = gp_grm_about_of(grm);
    for (int64_t i = 0; i < about->n; i++) {
        int64_t number = 0;
        int fresh = 0;
        if (both_ids(ids, about->fid[i], about->iid[i], err) == NULL ||
            gp_ids_add(rows, ids->bytes, ids->length, &number, &fresh, err) != GP_OK)
            return err->code;
        if (!fresh)
            return gp_err_set(err, GP_EINPUT,
                              "%s: sample %.60s %.60s is there twice, in rows %lld and %lld",
                              gp_grm_path(grm), about->fid[i], about->iid[i], (long long)number + 1,
                              (long long)i + 1);
    }
    return GP_OK;
}

static int join_by_ids(gp_kinship *k, const gp_samples *samples, gp_err *err) {
    gp_ids rows = {0};
    gp_text ids = {0};
    int64_t common = 0;
    number_rows(k->grm, &rows, &ids, err);
    for (int64_t i = 0; err->code == GP_OK && i < samples->n; i++) {
        if (both_ids(&ids, gp_samples_fid(samples, i), gp_samples_iid(samples, i), err) == NULL)
            break;
        k->row[i] = gp_ids_find(&rows, ids.bytes, ids.length);
        common += k->row[i] >= 0;
    }
    if (err->code == GP_OK && common == 0)
        no_common(k->grm, samples, err);
    gp_ids_free(&rows);
    gp_text_free(&ids);
    return err->code;
}

static int join_by_order(gp_kinship *k, const gp_samples *samples, gp_err *err) {
    const gp_grm_about *about = gp_grm_about_of(k->grm);
    if (about->n != samples->n)
        return gp_err_set(
            err, GP_EINPUT,
            "%s: %lld rows without sample ids, and the store has %lld samples; a "
            "matrix without ids needs a row for each sample of the store, in its order",
            gp_grm_path(k->grm), (long long)about->n, (long long)samples->n);
    for (int64_t i = 0; i < samples->n; i++)
        k->row[i] = i;
    return GP_OK;
}

/* Who has no row is left out of what follows. */
static int drop_missing(gp_job *job, gp_kinship *k, gp_cohort *cohort, gp_err *err) {
    gp_text some = {0};
    int64_t kept = gp_cohort_kept(cohort);
    for (int64_t i = 0; i < cohort->samples.n; i++) {
        if (!cohort->kept[i] || k->row[i] >= 0)
            continue;
        if (k->missing++ < 3)
            gp_text_print(&some, err, "%s%.60s %.60s", some.length ? ", " : "",
                          gp_samples_fid(&cohort->samples, i), gp_samples_iid(&cohort->samples, i));
        cohort->kept[i] = 0;
    }
    if (k->missing > 0 && k->missing == kept)
        gp_err_set(err, GP_EINPUT, "%s: has none of the %lld samples kept (%s)",
                   gp_grm_path(k->grm), (long long)kept, some.bytes ? some.bytes : "");
    else if (k->missing > 0)
        gp_say(job->sink, GP_WARN, "%s: %lld of %lld samples are not in it and are left out (%s%s)",
               gp_grm_path(k->grm), (long long)k->missing, (long long)kept,
               some.bytes ? some.bytes : "", k->missing > 3 ? " ..." : "");
    gp_text_free(&some);
    return err->code;
}

/* ---- the file's check ---- */

/* First row of a rank's share of the elements. */
static int64_t share_begin(int64_t n, int rank, int size) {
    return rank >= size ? n : (int64_t)((double)n * sqrt((double)rank / (double)size));
}

static int check_rows(gp_grm *grm, int64_t chromosome, const int64_t rows[2], double *line,
                      uint64_t *check, gp_err *err) {
    for (int64_t i = rows[0]; i < rows[1]; i++) {
        uint64_t sum = 0;
        if (gp_grm_read(grm, chromosome, i, 0, i + 1, line, err) != GP_OK)
            return err->code;
#pragma omp parallel for schedule(static) reduction(+ : sum) if (i > 16384)
        for (int64_t j = 0; j <= i; j++)
            sum += gp_grm_check(i, j, line[j]);
        *check += sum;
    }
    return GP_OK;
}

/* Collective: every rank reads a share of every matrix that will be used. */
static int verify(gp_job *job, gp_kinship *k, gp_err *err) {
    const gp_grm_about *about = gp_grm_about_of(k->grm);
    int64_t count = 1 + (k->chromosomes ? about->chromosomes : 0);
    uint64_t stored = 0;
    int rank = gp_par_rank(job->par), size = gp_par_size(job->par);
    int64_t rows[2] = {share_begin(about->n, rank, size), share_begin(about->n, rank + 1, size)};
    /* Alike on all ranks: they have opened the same file. */
    if (!gp_grm_stored_check(k->grm, GP_GRM_WHOLE, &stored))
        return GP_OK;
    uint64_t *check = gp_mem_alloc(count, sizeof *check, err);
    double *line = gp_mem_alloc(about->n, sizeof *line, err);
    for (int64_t c = 0; c < count && err->code == GP_OK; c++)
        check_rows(k->grm, c - 1, rows, line, &check[c], err);
    gp_job_check_signals(err);
    if (gp_par_agree(job->par, err) == GP_OK)
        gp_par_sum(job->par, (int64_t *)check, count, err);
    for (int64_t c = 0; c < count && err->code == GP_OK; c++)
        if (gp_grm_stored_check(k->grm, c - 1, &stored) && stored != check[c])
            gp_err_set(
                err, GP_EINPUT,
                "%s: damaged: the numbers of %s%s do not add up to their check; make it anew",
                gp_grm_path(k->grm), c == 0 ? "the matrix" : "chromosome ",
                c == 0 ? "" : about->chromosome[c - 1]);
    free(check);
    free(line);
    return gp_par_agree(job->par, err);
}

/* ---- opening ---- */

int gp_kinship_open(gp_job *job, const char *path, gp_cohort *cohort, gp_kinship *kinship,
                    gp_err *err) {
    const gp_samples *samples = &cohort->samples;
    kinship->row = gp_mem_alloc(samples->n, sizeof *kinship->row, err);
    if (err->code == GP_OK)
        gp_grm_open(&kinship->grm, path, err);
    if (err->code == GP_OK && gp_grm_about_of(kinship->grm)->fid == NULL)
        join_by_order(kinship, samples, err);
    else if (err->code == GP_OK)
        join_by_ids(kinship, samples, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    const gp_grm_about *about = gp_grm_about_of(kinship->grm);
    gp_say(job->sink, GP_NOTE, "%s: relationship matrix (%s) of %lld samples", path, about->form,
           (long long)about->n);
    drop_missing(job, kinship, cohort, err);
    if (gp_par_agree(job->par, err) != GP_OK)
        return err->code;
    return verify(job, kinship, err);
}

void gp_kinship_close(gp_kinship *kinship) {
    gp_grm_close(kinship->grm);
    free(kinship->row);
    *kinship = (gp_kinship){0};
}

int64_t gp_kinship_chromosome(const gp_kinship *kinship, const char *name) {
    const gp_grm_about *about = gp_grm_about_of(kinship->grm);
    for (int64_t k = 0; k < about->chromosomes; k++)
        if (strcmp(about->chromosome[k], name) == 0)
            return k;
    return GP_GRM_WHOLE;
}
