#include "jobs/assoc_outcome.h"
#include "src/base/mem.h"
#include "src/geno/cpu.h"

#include <stdlib.h>
#include <string.h>

/* Every table's outcomes over all ranks, in one sum. Collective. */
static int sum_outcomes(gp_job *job, gp_tables *tables, gp_err *err) {
    enum { ROW = GP_STATUS_COUNT + GP_TEST_COUNT };
    int64_t count = tables->count;
    int64_t *all = gp_mem_alloc(count, ROW * (int64_t)sizeof *all, err);
    if (gp_par_agree(job->par, err) == GP_OK) {
        for (int64_t t = 0; t < count; t++) {
            memcpy(all + t * ROW, tables->table[t].status, sizeof tables->table->status);
            memcpy(all + t * ROW + GP_STATUS_COUNT, tables->table[t].test,
                   sizeof tables->table->test);
        }
        gp_par_sum(job->par, all, count * ROW, err);
        for (int64_t t = 0; t < count; t++) {
            memcpy(tables->table[t].status, all + t * ROW, sizeof tables->table->status);
            memcpy(tables->table[t].test, all + t * ROW + GP_STATUS_COUNT,
                   sizeof tables->table->test);
        }
    }
    free(all);
    return err->code;
}

/* ", 3 CONSTANT; 950 by SCORE, 47 by FIRTH" */
static int print_outcomes(const gp_out_table *table, gp_text *text, gp_err *err) {
    int tests = 0;
    for (int k = 1; k < GP_STATUS_COUNT; k++)
        if (table->status[k] > 0)
            gp_text_print(text, err, ", %lld %s", (long long)table->status[k], gp_status_name(k));
    for (int k = 0; table->trait->form.binary && k < GP_TEST_COUNT; k++)
        if (table->test[k] > 0)
            gp_text_print(text, err, "%s %lld by %s", tests++ > 0 ? "," : ";",
                          (long long)table->test[k], gp_test_name(k));
    return err->code;
}

int gp_outcome_tell(const gp_outcome *outcome, gp_err *err) {
    gp_job *job = outcome->job;
    int64_t *sum = outcome->selection->sum;
    gp_par_sum(job->par, sum, GP_REASONS, err);
    /* Every shard of a group counted the group's variants. */
    int64_t shards = gp_par_shards(job->par);
    for (int r = 1; r < GP_REASONS; r++)
        if (sum[r] > 0)
            gp_say(job->sink, GP_NOTE, "%lld variants left out: %s", (long long)(sum[r] / shards),
                   gp_selection_reason(r));
    if (sum_outcomes(job, outcome->tables, err) != GP_OK)
        return err->code;
    for (int64_t t = 0; t < outcome->tables->count; t++) {
        const gp_out_table *table = &outcome->tables->table[t];
        gp_text odd = {0};
        print_outcomes(table, &odd, err);
        gp_say(job->sink, GP_NOTE, "%s/%s: %lld variants%s", outcome->out, table->name,
               (long long)(sum[0] / shards), odd.bytes ? odd.bytes : "");
        gp_text_free(&odd);
    }
    if (sum[GP_KEPT] == 0)
        gp_say(job->sink, GP_WARN,
               "no variant was left to test; the tables hold their header alone");
    double tested = (double)(sum[GP_KEPT] / shards);
    gp_say(job->sink, GP_NOTE,
           "%.0f variants tested in %.2f s (kernel %s): %.3g variants/s, %.3g genotypes/s", tested,
           outcome->seconds, gp_cpu_kernel(), tested / outcome->seconds,
           tested / outcome->seconds * (double)outcome->cohort->samples.n);
    return gp_par_agree(job->par, err);
}
