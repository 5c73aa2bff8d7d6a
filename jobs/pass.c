#include "jobs/pass.h"
#include "jobs/job.h"
#include "src/base/split.h"

enum { MEETINGS = 50 /* of all ranks in a pass, at most */ };

int gp_pass_sum(gp_job *job, int64_t *sums, int64_t count, gp_err *err) {
    gp_job_check_signals(err);
    /* The integer behind the sums tells how many shards failed, so that all leave together. */
    sums[count] = err->code != GP_OK;
    gp_par_sum_shards(job->par, sums, count + 1, err);
    return sums[count] != 0 ? -1 : GP_OK;
}

/* A walk under way. The reading thread runs ahead of it with a cursor of its own. */
typedef struct walk {
    const gp_pass *pass;
    gp_visit *visit;
    void *context;
    int part; /* -1 = a rank without work */
    int64_t begin, count;
    int64_t at, ahead_at; /* work indices of the plan: visited, and handed to the reader */
    gp_ahead *ahead;
    gp_progress progress;
} walk;

static int next_run(const walk *w, int64_t *at, gp_store_run *run) {
    gp_run next;
    if (w->part < 0 || !gp_plan_next(w->pass->plan, w->part, w->pass->batch, at, &next))
        return 0;
    *run = (gp_store_run){next.chromosome, next.first, next.count};
    return 1;
}

/* For the reading thread. */
static int next_to_read(void *context, gp_store_run *run) {
    walk *w = context;
    return next_run(w, &w->ahead_at, run);
}

/* For the reading thread. */
static int is_wanted(void *context, const gp_variants *variants) {
    const walk *w = context;
    for (int64_t j = 0; j < variants->count; j++)
        if (gp_selection_lists(w->pass->selection, variants->id[j]))
            return 1;
    return 0;
}

/* Visits to the first run that ends at `until` or later. An error ends it early. */
static void walk_to(walk *w, int64_t until, gp_err *err) {
    gp_store_run run;
    while (w->at < until && next_run(w, &w->at, &run)) {
        const gp_ahead_batch *batch = err->code == GP_OK ? gp_ahead_next(w->ahead, err) : NULL;
        if (w->visit(w->context, &run, batch, err) < 0)
            return;
        gp_progress_at(&w->progress, w->at - w->begin);
    }
}

/* How often all ranks meet in a pass: the same number everywhere. Meetings are far enough apart
 * to cost nothing. */
static int64_t count_meetings(const gp_pass *pass) {
    enum { BATCHES = 2 /* between two meetings, at least */ };
    const gp_plan *plan = pass->plan;
    int64_t meetings = plan->begin[plan->parts] / plan->parts / (BATCHES * pass->batch);
    return meetings < 1 ? 1 : meetings > MEETINGS ? MEETINGS : meetings;
}

static void begin(walk *w, gp_err *err) {
    const gp_pass *pass = w->pass;
    w->part = gp_par_group(pass->job->par);
    if (w->part < 0)
        return;
    w->begin = w->at = w->ahead_at = pass->plan->begin[w->part];
    w->count = pass->plan->begin[w->part + 1] - w->begin;
    gp_ahead_plan plan = {.most_variants = pass->batch,
                          .sample = pass->first,
                          .samples = pass->samples,
                          .context = w,
                          .next = next_to_read,
                          .wants = is_wanted};
    w->ahead = gp_ahead_open(pass->store, &plan, err);
}

int gp_pass_walk(const gp_pass *pass, gp_visit *visit, void *context, gp_err *err) {
    int64_t meetings = count_meetings(pass);
    walk w = {.pass = pass, .visit = visit, .context = context};
    begin(&w, err);
    gp_progress_open(&w.progress, pass->job->sink, "variants", w.count);
    for (int64_t k = 0; k <= meetings; k++) {
        walk_to(&w, w.begin + gp_split_begin(w.count, 1, meetings, k), err);
        if (gp_par_agree(pass->job->par, err) != GP_OK)
            break;
    }
    gp_progress_close(&w.progress);
    gp_ahead_close(w.ahead);
    return err->code;
}
