/** What differs between two runs: hits, inflation, accuracy of models, counts. Local. */
#ifndef GP_JOBS_COMPARE_H
#define GP_JOBS_COMPARE_H

#include "io/report.h"

/** Appends changes.tsv: trait, what, id, chromosome, base_pair_location, before, after; NA where a
 *  column does not apply.
 *
 *    new trait, lost trait
 *    new hit, lost hit   its clump overlaps none of the other run's; p after or before
 *    moved hit           the overlapping clump has another index variant (before, after: ids), or
 *                        its p changed more than tenfold (before, after: p)
 *    lambda              when its four digits differ; likewise
 *    r2 MODEL, auc MODEL
 *    samples, variants   with a result
 *
 *  Traits are joined by name. The header is there where nothing changed. */
int gp_compare_runs(const gp_report_run *before, const gp_report_run *after, gp_text *to,
                    gp_err *err);

#endif
