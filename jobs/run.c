/* gp-dist run: the whole pipeline. */
#include "jobs/run.h"
#include "jobs/job.h"
#include "jobs/run_command.h"

#include <string.h>

static const char description[] =
    "Does the whole analysis of a cohort: principal components; for each trait a transformer and "
    "ridge regression, cross-validated; attribution; tests of all variants, beside predictions "
    "that were made without the tested chromosome where cross-validation finds a signal in them; "
    "merged tables with top hits; a report. gp-dist --config FILE means run.\n"
    "\n"
    "Each step is a gp-dist command, and DIR/gp-dist.log holds them as they could be typed. "
    "Finished steps are kept: the same command continues an interrupted run, does again only what "
    "changed input requires (a changed trait alone, say), and says so. Options of the steps are "
    "options of run.\n"
    "\n"
    "DIR/report.html\teverything to look at; it needs nothing beside it\n"
    "DIR/merged/TRAIT.tsv.gz\ttests and attributions of all variants; TRAIT.hits.tsv: the top "
    "hits\n"
    "DIR/assoc, DIR/model/TRAIT, DIR/pca\twhat gp-dist assoc, train, explain and pca write\n"
    "DIR/manifest.json, DIR/gp-dist.log\twhat was done, with which input, how long it took\n"
    "\n"
    "All files but the last two are the same, byte for byte, for any number of ranks and threads, "
    "interrupted or not.\n"
    "\n"
    "  mpirun -n 256 gp-dist run --store cohort.h5 --pheno traits.tsv \\\n"
    "      --covar covars.tsv --out study\n"
    "  mpirun -n 256 gp-dist --config study.conf";

static int tell_option(void *context, const gp_option *option, const char *value, int file,
                       gp_err *err) {
    const gp_run *run = context;
    (void)file;
    gp_say(run->job->sink, GP_NOTE, "option %s = %s", option->name, value);
    return err->code;
}

static void tell_start(gp_run *run, gp_err *err) {
    int64_t kept = gp_cohort_kept(&run->cohort);
    gp_say(run->job->sink, GP_NOTE, "gp-dist %s: run in %s, %d ranks", gp_version, run->out,
           gp_par_size(run->job->par));
    gp_run_options_each(tell_option, run, err);
    gp_say(run->job->sink, GP_NOTE, "%lld samples, %lld of them kept; %lld variants; %lld traits",
           (long long)run->cohort.samples.n, (long long)kept,
           (long long)gp_store_variant_count(run->store), (long long)run->traits);
}

void gp_run_say(const gp_run *run, int level, gp_text *lines) {
    for (char *line = lines->bytes, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = 0;
        if (*line != 0)
            gp_say(run->job->sink, level, "%s", line);
    }
}

static void tell_end(const gp_run *run) {
    if (run->done == 0)
        gp_say(run->job->sink, GP_NOTE, "%s: is finished already; nothing has changed", run->out);
    else
        gp_say(run->job->sink, GP_NOTE, "%s/report.html: %lld steps done, %lld as they were",
               run->out, (long long)run->done, (long long)run->fresh);
}

static int work(gp_run *run, gp_err *err) {
    if (gp_run_load(run, err) != GP_OK)
        return err->code;
    if (gp_run_flag("dry-run")) {
        gp_run_say(run, GP_WARN, &run->notes);
        return gp_run_plan(run, err);
    }
    if (gp_run_open(run, err) != GP_OK)
        return err->code;
    tell_start(run, err);
    gp_run_say(run, GP_WARN, &run->notes);
    if (gp_par_agree(run->job->par, err) == GP_OK && gp_run_steps(run, err) == GP_OK)
        tell_end(run);
    gp_run_close(run);
    return err->code;
}

static int start(gp_job *job, gp_err *err) {
    gp_run run = {.job = job, .out = gp_run_text("out")};
    gp_run_check(err);
    if (gp_par_agree(job->par, err) == GP_OK)
        work(&run, err);
    gp_run_unload(&run);
    gp_run_call_free();
    return err->code;
}

const gp_command gp_command_run = {.name = "run",
                                   .summary =
                                       "the whole pipeline: networks, tests, merged tables, report",
                                   .synopsis = "--store STORE.h5 --pheno FILE --out DIR [options]",
                                   .description = description,
                                   .options = gp_run_option_table,
                                   .values = gp_run_values,
                                   .run = start};
