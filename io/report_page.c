/* A report from head to foot, and how fine its plots may be. */
#include "io/report.h"
#include "io/report_run.h"
#include "io/report_trait.h"
#include "src/base/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- how fine ---- */

/* Bytes of a trait's section at each level; -1: not made yet. */
typedef struct sizes {
    const gp_report_page *page;
    int64_t *bytes; /* [traits x (GP_REPORT_PLAIN + 1)] */
    gp_text scratch;
} sizes;

static int64_t size_of(sizes *s, int64_t t, int level, gp_err *err) {
    int64_t *bytes = &s->bytes[t * (GP_REPORT_PLAIN + 1) + level];
    if (*bytes < 0) {
        gp_html html = {.to = &s->scratch, .err = err};
        s->scratch.length = 0;
        gp_report_print_trait(&html, s->page, t, level);
        *bytes = s->scratch.length;
    }
    return *bytes;
}

/* Whether it fits that the first `full` traits are whole, the others at a level. */
static int fits(sizes *s, int64_t full, int level, gp_err *err) {
    int64_t total = 0;
    for (int64_t t = 0; t < s->page->run->traits && err->code == GP_OK; t++)
        total += size_of(s, t, t < full ? 0 : level, err);
    return total <= s->page->most;
}

/* The finest that fits; rather coarse plots of all traits than none of some. */
static int choose(const gp_report_page *page, int64_t *full, int *level, gp_err *err) {
    static const int64_t tries[] = {3, 1, 0};
    int64_t count = page->run->traits * (GP_REPORT_PLAIN + 1);
    sizes s = {.page = page, .bytes = gp_mem_alloc(count, sizeof *s.bytes, err)};
    for (int64_t k = 0; k < count && s.bytes != NULL; k++)
        s.bytes[k] = -1;
    *full = page->run->traits;
    *level = 0;
    int found = err->code != GP_OK || fits(&s, *full, 0, err);
    for (int plain = 0; plain < 2 && !found; plain++)
        for (int k = 0; k < 3 && !found; k++)
            for (int l = plain ? GP_REPORT_PLAIN : 1; l < GP_REPORT_PLAIN + plain && !found; l++) {
                *full = tries[k];
                *level = l;
                found = fits(&s, *full, l, err);
            }
    gp_text_free(&s.scratch);
    free(s.bytes);
    return err->code;
}

/* ---- head ---- */

static void print_head(const gp_html *html, const gp_report_page *page) {
    const gp_report_run *run = page->run;
    gp_html_raw(html, "<div id=\"page\">\n<header id=\"top\">\n<h1>Genome-wide association "
                      "report</h1>\n<p class=\"soft\">");
    gp_html_count(html, run->traits);
    gp_html_raw(html, run->traits == 1 ? " trait" : " traits");
    for (int64_t i = 0; i < run->filters.rows; i++) {
        const char *what = gp_sheet_text(&run->filters, i, gp_sheet_find(&run->filters, "what"));
        if (i != 0 && strncmp(what, "variants", 8) != 0)
            continue;
        gp_html_raw(html, ", ");
        gp_html_count(html,
                      (int64_t)gp_sheet_number(&run->filters, i,
                                               gp_sheet_find(&run->filters, "count"), html->err));
        gp_html_raw(html, " ");
        gp_html_text(html, what);
        if (i != 0)
            break;
    }
    gp_html_raw(html, ". Made by gp-dist ");
    gp_html_text(html, page->version);
    gp_html_raw(html, "; this file needs no network and no other file.</p>\n</header>\n");
}

static void print_contents(const gp_html *html, const gp_report_page *page) {
    gp_html_raw(html, "<div id=\"body\">\n<nav aria-label=\"Contents\"><ul>\n"
                      "<li><a href=\"#overview\">Overview</a></li>\n");
    if (page->changes != NULL)
        gp_html_raw(html, "<li><a href=\"#changes\">Changes</a></li>\n");
    for (int64_t t = 0; t < page->run->traits; t++) {
        gp_html_raw(html, "<li><a href=\"#t%lld\">", (long long)t + 1);
        gp_html_text(html, page->run->trait[t].name);
        gp_html_raw(html, "</a></li>\n");
    }
    gp_html_raw(html, "<li><a href=\"#samples\">Samples</a></li>\n<li><a href=\"#filters\">"
                      "Filters</a></li>\n<li><a href=\"#options\">Options</a></li>\n"
                      "<li><a href=\"#log\">Log and times</a></li>\n</ul></nav>\n<main>\n");
}

/* ---- overview ---- */

static void print_row(const gp_html *html, const gp_report_trait *trait, int64_t t) {
    int best = gp_report_best(trait);
    const char *measure = gp_report_measure(trait);
    gp_html_raw(html, "<tr><th><a href=\"#t%lld\">", (long long)t + 1);
    gp_html_text(html, trait->name);
    gp_html_raw(html, "</a></th><td>%s</td><td class=\"n\">",
                trait->binary ? "binary" : "quantitative");
    if (trait->summary != NULL) {
        gp_html_count(html, json_integer_value(json_object_get(trait->summary, "samples")));
        gp_html_raw(html, "</td><td class=\"n\">");
        gp_html_count(html, gp_report_tested(trait));
    } else {
        gp_html_raw(html, "\xE2\x80\x93</td><td class=\"n\">\xE2\x80\x93");
    }
    gp_html_raw(html, "</td><td class=\"n\">");
    gp_html_real(html, "%.3f", gp_report_number(trait, "lambda_gc"));
    gp_html_raw(html, "</td><td class=\"n\">");
    if (gp_sheet_there(&trait->hits))
        gp_html_count(html, trait->hits.rows);
    else
        gp_html_raw(html, "\xE2\x80\x93");
    gp_html_raw(html, "</td><td>%s</td>", gp_report_measure_name(trait));
    for (int k = 0; k < GP_GUESS_MODELS; k++) {
        gp_html_raw(html, k == best ? "<td class=\"n\"><b>" : "<td class=\"n\">");
        gp_html_real(html, "%.3f", gp_report_metric(trait, gp_guess_model[k], measure, NULL, NULL));
        gp_html_raw(html, k == best ? "</b></td>" : "</td>");
    }
    gp_html_raw(html, "</tr>\n");
}

static void print_overview(const gp_html *html, const gp_report_page *page, int64_t full,
                           int level) {
    const gp_report_run *run = page->run;
    gp_html_raw(html, "<section id=\"overview\">\n<h2>Overview</h2>\n");
    if (run->traits == 0)
        gp_html_raw(html, "<p class=\"note\">The run holds no trait: neither merged tables nor "
                          "networks.</p>\n");
    else
        gp_html_raw(html,
                    "<div class=\"scroll\"><table><thead><tr><th>Trait</th><th>Kind</th>"
                    "<th class=\"n\">Samples</th><th class=\"n\">Variants</th><th class=\"n\">"
                    "\xCE\xBB<sub>GC</sub></th><th class=\"n\">Hits</th><th>Prediction by</th>"
                    "<th class=\"n\">covariates</th><th class=\"n\">ridge</th><th class=\"n\">"
                    "transformer</th></tr></thead>\n<tbody>\n");
    for (int64_t t = 0; t < run->traits; t++)
        print_row(html, &run->trait[t], t);
    if (run->traits > 0)
        gp_html_raw(html, "</tbody></table></div>\n<p class=\"soft\">Predictions are of samples "
                          "left out of training; the best model is bold.</p>\n");
    if (full < run->traits) {
        gp_html_raw(html,
                    "<p class=\"note\">So that the page stays small, plots of %s%lld traits "
                    "are %s.</p>\n",
                    full > 0 ? "all but the first " : "all ",
                    (long long)(full > 0 ? full : run->traits),
                    level == GP_REPORT_PLAIN ? "left out" : "coarser and tables of hits shorter");
    }
    gp_html_raw(html, "</section>\n");
}

static void print_changes(const gp_html *html, const gp_sheet *changes) {
    gp_html_raw(html, "<section id=\"changes\">\n<h2>Changes since the run compared with</h2>\n");
    if (changes->rows == 0) {
        gp_html_raw(html, "<p class=\"note\">Nothing changed: the same hits, inflation, accuracy "
                          "and counts.</p>\n</section>\n");
        return;
    }
    gp_html_raw(html, "<p>A hit is new or lost where its clump overlaps none of the other run; it "
                      "has moved where the clump's index variant is another or its p changed "
                      "more than tenfold. All lines are in <code>changes.tsv</code> too.</p>\n");
    gp_report_print_sheet(html, changes, NULL, 500);
    gp_html_raw(html, "</section>\n");
}

int gp_report_print(const gp_report_page *page, gp_text *to, gp_err *err) {
    const gp_report_run *run = page->run;
    gp_html html = {.to = to, .err = err};
    int64_t full = 0;
    int level = 0;
    if (choose(page, &full, &level, err) != GP_OK)
        return err->code;
    gp_html_begin(&html, "gp-dist report");
    print_head(&html, page);
    print_contents(&html, page);
    print_overview(&html, page, full, level);
    if (page->changes != NULL)
        print_changes(&html, page->changes);
    for (int64_t t = 0; t < run->traits && err->code == GP_OK; t++)
        gp_report_print_trait(&html, page, t, t < full ? 0 : level);
    gp_report_print_samples(&html, run);
    gp_report_print_filters(&html, run);
    gp_report_print_options(&html, page);
    gp_html_raw(&html, "</main>\n</div>\n</div>\n");
    return gp_html_end(&html);
}
