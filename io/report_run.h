/** The sections of a report that are about no trait. Local. Errors stay in html->err. */
#ifndef GP_IO_REPORT_RUN_H
#define GP_IO_REPORT_RUN_H

#include "io/html.h"
#include "io/report.h"

/** Principal components. */
void gp_report_print_samples(const gp_html *html, const gp_report_run *run);

/** What was left out, and why. */
void gp_report_print_filters(const gp_html *html, const gp_report_run *run);

/** Options in effect, and the log, which lies beside the page: it holds times, the page does not.
 */
void gp_report_print_options(const gp_html *html, const gp_report_page *page);

#endif
