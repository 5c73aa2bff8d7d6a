/** The plots of a report, each a whole <svg>. Local. Errors stay in html->err.
 *
 *  level: 0 is the finest; each further one halves the points along either axis, for pages of many
 *  traits.
 */
#ifndef GP_IO_REPORT_PLOTS_H
#define GP_IO_REPORT_PLOTS_H

#include "io/html.h"
#include "io/report.h"

enum { GP_REPORT_HITS = 100 /* marks in a plot, lines in a table */ };

/** -log10 p by position, with marks for the first hits, which bear the ids tNUMBERhHIT (both from
 *  1). GP_EINPUT where the summary's cells are damaged. */
void gp_plot_manhattan(const gp_html *html, const gp_report_trait *trait, int64_t number,
                       int64_t hits, int level);

/** Observed against expected p values, with what 95% of independent tests keep to. */
void gp_plot_qq(const gp_html *html, const gp_report_trait *trait, int level);

/** Losses by epoch; 0 where there are none to show. */
int gp_plot_training(const gp_html *html, const gp_report_trait *trait, int level);

/** Quantitative traits: observed by predicted. */
void gp_plot_guesses(const gp_html *html, const gp_guesses *guesses, const char *trait, int level);

/** Binary traits: sensitivity against 1 - specificity of all models; predictions by class. */
void gp_plot_curves(const gp_html *html, const gp_report_trait *trait);
void gp_plot_classes(const gp_html *html, const gp_guesses *guesses, const char *trait);

/** The first two components; eigenvalues. */
void gp_plot_people(const gp_html *html, const gp_report_run *run);
void gp_plot_eigenvalues(const gp_html *html, const gp_report_run *run);

#endif
