/** The section of one trait. Local. Errors stay in html->err. */
#ifndef GP_IO_REPORT_TRAIT_H
#define GP_IO_REPORT_TRAIT_H

#include "io/html.h"
#include "io/report.h"

enum { GP_REPORT_PLAIN = 4 /* the level without plots */ };

/** Prints trait number t (from 0) of a run as section tNUMBER (from 1).
 *    level  in  how much it is thinned: 0 is whole, see io/report_plots.h */
void gp_report_print_trait(const gp_html *html, const gp_report_page *page, int64_t t, int level);

/** The table of a trait's hits.
 *    shown   in  how many of them
 *    linked  in  1: they have marks in the plot */
void gp_report_print_hits(const gp_html *html, const gp_report_page *page, int64_t t, int64_t shown,
                          int linked);

/** The measure that a trait's models are compared by: "auc" or "r2"; and how it is written. */
const char *gp_report_measure(const gp_report_trait *trait);
const char *gp_report_measure_name(const gp_report_trait *trait);

/** The number in gp_guess_model of the best model; -1 where there is none. */
int gp_report_best(const gp_report_trait *trait);

/** A sheet as a table of text, only the lines about a trait (NULL: all), at most `most`. */
void gp_report_print_sheet(const gp_html *html, const gp_sheet *sheet, const char *trait,
                           int64_t most);

#endif
