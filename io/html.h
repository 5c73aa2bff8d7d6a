/** Pieces of an HTML page in memory: escaped text, numbers for people. Local.
 *
 *  What is made is well-formed XML too. Errors (memory refused) stay in err; each function returns
 *  err->code.
 */
#ifndef GP_IO_HTML_H
#define GP_IO_HTML_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

typedef struct gp_html {
    gp_text *to;
    gp_err *err;
} gp_html;

/** Markup as it stands. */
int gp_html_raw(const gp_html *html, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Text of any origin, for an element or a quoted attribute: & < > " ' are escaped; control
 *  characters and bytes that are not UTF-8 become U+FFFD. NULL is nothing. */
int gp_html_text(const gp_html *html, const char *s);

/** A number with commas: 1,234,567. */
int gp_html_count(const gp_html *html, int64_t value);

/** A number as a printf format (of one double) has it, with a real minus sign; a dash for what is
 *  not finite. */
int gp_html_real(const gp_html *html, const char *format, double value);

/** A p value from its -log10: 0.032, or 3.2 x 10 to a raised power. */
int gp_html_p(const gp_html *html, double neg_log10);

/** Everything up to <body>: title, style, for screens of any width and for paper. */
int gp_html_begin(const gp_html *html, const char *title);
int gp_html_end(const gp_html *html);

#endif
