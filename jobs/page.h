/** A page of help: the same calls make plain text of 80 columns or roff with man macros. Local.
 *
 *  Errors (memory refused) stay in err; what follows one is dropped.
 */
#ifndef GP_JOBS_PAGE_H
#define GP_JOBS_PAGE_H

#include "src/base/err.h"
#include "src/base/text.h"

typedef struct gp_page {
    gp_text *to;
    gp_err *err;
    int roff;
    int titled; /* a title stands right above: roff wants no new paragraph there */
} gp_page;

/** A section's title: "Title:", or .SH in capitals. */
void gp_page_section(gp_page *page, const char *title);

/** A title within a section. In plain text there is one rank of titles only. */
void gp_page_subsection(gp_page *page, const char *title);

/** A title of a group of entries. */
void gp_page_group(gp_page *page, const char *title);

/** Paragraphs, wrapped. A blank line parts them; a line that starts with a blank stays as it is; a
 * line with a tab is an entry, "term TAB text". */
void gp_page_text(gp_page *page, const char *text);

/** A term with what it means; the term's first word is its name ("--maf", then "X"). */
void gp_page_entry(gp_page *page, const char *term, const char *text);

/** How the program is called: wrapped with a hanging indent. */
void gp_page_call(gp_page *page, const char *call);

#endif
