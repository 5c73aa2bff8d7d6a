/* gp-dist report: a run directory as one page. */
#include "io/report.h"
#include "io/file.h"
#include "jobs/command.h"
#include "jobs/compare.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct values { const char *run, *out, *compare, *browser; } values;

#define AT(field) offsetof(struct values, field)

static const gp_option options[] = {
    {"run", GP_TEXT, AT(run), "DIR", "the run: a directory that gp-dist run wrote", 0, 0, NULL},
    {"out", GP_TEXT, AT(out), "FILE.html", "the page (default: DIR/report.html)", 0, 0, NULL},
    {"compare", GP_TEXT, AT(compare), "OLD",
     "an earlier run's directory: what has changed since goes into the page, and into changes.tsv "
     "beside it",
     0, 0, NULL},
    {"browser", GP_TEXT, AT(browser), "GENOME",
     "link positions of hits to a genome browser: UCSC's name of the genome (hg38, mm39), or an "
     "address with {chromosome}, {start} and {end} where they go (default: no links)",
     0, 0, NULL},
    {0}};

static const char description[] =
    "Writes one HTML file that shows a run to people: for each trait a Manhattan plot with its "
    "hits, a QQ plot with the genomic inflation, training curves, predictions of samples left "
    "out beside what was observed, how good they are beside covariates and ridge regression, and "
    "heritability; then principal components of the samples, what was filtered and why, and the "
    "options in effect. The file needs no network and no other file; it can be printed, and "
    "colours are not needed to read it. Times are not in it: they are in gp-dist.log, which is "
    "shown at the end where it lies beside the page.\n"
    "\n"
    "Plots are thinned: ten million variants take less than 3 MB. With many traits, the first "
    "three keep their full plots, and the others have coarser ones. What a run has not made is "
    "left out, and the page says so.\n"
    "\n"
    "With --compare, changes.tsv has the columns trait, what, id, chromosome, "
    "base_pair_location, before and after. What is one of: new hit, lost hit (its clump overlaps "
    "none of the other run's), moved hit (another index variant, or its p changed more than "
    "tenfold), lambda, r2 and auc of each model, samples, variants, new trait, lost trait.\n"
    "\n"
    "The bytes are the same on any number of ranks; one of them does the work.\n"
    "\n"
    "  gp-dist report --run results\n"
    "  gp-dist report --run 2026-11 --compare 2026-10 --browser hg38";

/* What the page is written with. */
typedef struct paper {
    gp_report_run run, old;
    gp_sheet changes;
    gp_text out, beside, tsv, html; /* names of files, and what goes into them */
} paper;

static void paper_free(paper *p) {
    gp_report_free(&p->run);
    gp_report_free(&p->old);
    gp_sheet_free(&p->changes);
    gp_text_free(&p->out);
    gp_text_free(&p->beside);
    gp_text_free(&p->tsv);
    gp_text_free(&p->html);
}

static int name_files(paper *p, gp_err *err) {
    if (values.out != NULL)
        gp_text_print(&p->out, err, "%s", values.out);
    else
        gp_text_print(&p->out, err, "%s/report.html", values.run);
    if (err->code != GP_OK)
        return err->code;
    const char *slash = strrchr(p->out.bytes, '/');
    gp_text_print(&p->beside, err, "%.*schanges.tsv",
                  slash != NULL ? (int)(slash + 1 - p->out.bytes) : 0, p->out.bytes);
    return err->code;
}

static int compare(paper *p, gp_err *err) {
    gp_text copy = {0};
    if (gp_report_read(&p->old, values.compare, 1, err) == GP_OK &&
        gp_compare_runs(&p->old, &p->run, &p->tsv, err) == GP_OK &&
        gp_text_add(&copy, p->tsv.bytes, p->tsv.length, err) == GP_OK)
        gp_sheet_parse(&p->changes, p->beside.bytes, &copy, err);
    gp_text_free(&copy);
    return err->code;
}

/* On rank 0. */
static int write_report(gp_job *job, gp_err *err) {
    paper p = {0};
    if (name_files(&p, err) != GP_OK || gp_report_read(&p.run, values.run, 0, err) != GP_OK ||
        gp_io_check_new_file(p.out.bytes, err) != GP_OK ||
        (values.compare != NULL && compare(&p, err) != GP_OK))
        goto done;
    const gp_report_page page = {.run = &p.run,
                                 .changes = values.compare != NULL ? &p.changes : NULL,
                                 .version = gp_version,
                                 .browser = values.browser,
                                 .most = GP_REPORT_BYTES};
    if (gp_report_print(&page, &p.html, err) != GP_OK ||
        (values.compare != NULL &&
         gp_io_write_file(p.beside.bytes, p.tsv.bytes, p.tsv.length, err) != GP_OK))
        goto done;
    if (gp_io_write_file(p.out.bytes, p.html.bytes, p.html.length, err) == GP_OK)
        gp_say(job->sink, GP_NOTE, "%s: a report of %lld traits", p.out.bytes,
               (long long)p.run.traits);
    if (err->code == GP_OK && values.compare != NULL)
        gp_say(job->sink, GP_NOTE, "%s: %lld changes since %s", p.beside.bytes,
               (long long)p.changes.rows, values.compare);
done:
    paper_free(&p);
    return err->code;
}

static int run(gp_job *job, gp_err *err) {
    if (values.run == NULL)
        gp_err_set(err, GP_EINPUT,
                   "command line: report needs --run DIR; see gp-dist report --help");
    else if (gp_par_rank(job->par) == 0)
        write_report(job, err);
    return gp_par_agree(job->par, err);
}

const gp_command gp_command_report = {.name = "report",
                                      .summary = "show a run to people: one page of plots and "
                                                 "tables",
                                      .synopsis = "--run DIR [--out FILE.html] [--compare OLD]",
                                      .description = description,
                                      .options = options,
                                      .values = &values,
                                      .run = run};
