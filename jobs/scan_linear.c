#include "jobs/scan_linear.h"
#include "src/base/mem.h"

#include <stdlib.h>

static int64_t widest(const gp_patterns *patterns) {
    int64_t width = 0;
    for (int64_t k = 0; k < patterns->count; k++) {
        if (patterns->pattern[k].kind != GP_PATTERN_LINEAR)
            continue;
        int64_t w = gp_linear_sums_width(&patterns->pattern[k].model);
        width = w > width ? w : width;
    }
    return width;
}

static int test(void *context, const gp_scan_block *block, gp_result *result, gp_err *err) {
    gp_scan_linear *linear = context;
    gp_linear *model = &block->pattern->model;
    int64_t m = block->batch->run.count;
    gp_shift_to(&block->pattern->shift, model, block->batch->run.chromosome);
    gp_linear_sums(model, &block->batch->calls, linear->sums);
    if (gp_pass_sum(linear->job, linear->sums, m * gp_linear_sums_width(model), err) < 0)
        return -1;
    if (linear->writes)
        gp_linear_test(model, linear->sums, m, block->chosen, block->count, result);
    return GP_OK;
}

int gp_scan_linear_init(gp_scan_linear *linear, gp_scan *scan, gp_err *err) {
    linear->job = scan->pass.job;
    linear->writes = gp_par_shard(scan->pass.job->par) == 0;
    linear->sums =
        gp_mem_alloc(scan->pass.batch * widest(scan->patterns) + 1, sizeof *linear->sums, err);
    scan->model[GP_PATTERN_LINEAR] = (gp_scan_model){test, linear};
    return err->code;
}

void gp_scan_linear_free(gp_scan_linear *linear) {
    free(linear->sums);
    *linear = (gp_scan_linear){0};
}

int64_t gp_scan_linear_bytes(const gp_scan *scan) {
    int64_t bytes = 8 * (scan->pass.batch * widest(scan->patterns) + 1);
    for (int64_t k = 0; k < scan->patterns->count; k++) {
        const gp_pattern *pattern = &scan->patterns->pattern[k];
        if (pattern->kind == GP_PATTERN_LINEAR)
            bytes += gp_linear_bytes(&pattern->model) +
                     gp_shift_bytes(&pattern->shift, scan->pass.samples);
    }
    return bytes;
}
