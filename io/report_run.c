#include "io/report_run.h"
#include "io/report_plots.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- samples ---- */

void gp_report_print_samples(const gp_html *html, const gp_report_run *run) {
    double sum = 0.0;
    gp_html_raw(html, "<section id=\"samples\">\n<h2>Samples</h2>\n");
    if (!run->has_pca) {
        gp_html_raw(html, "<p class=\"note\">No principal components were made.</p>\n</section>\n");
        return;
    }
    gp_html_raw(html, "<div class=\"plots\">\n<figure id=\"pca\">");
    gp_plot_people(html, run);
    gp_html_raw(html, "<figcaption><b>Principal components</b> of ");
    gp_html_count(html, run->people.n);
    gp_html_raw(html, " samples%s.</figcaption></figure>\n",
                run->people.point == NULL
                    ? ", counted in cells, darker where there are more (logarithmic)"
                    : "");
    for (int64_t k = 0; k < run->components; k++)
        sum += run->eigenvalue[k];
    if (run->components > 0) {
        gp_html_raw(html, "<figure id=\"eigenvalues\">");
        gp_plot_eigenvalues(html, run);
        gp_html_raw(html, "<figcaption><b>Eigenvalues.</b> The first has ");
        gp_html_real(html, "%.0f", 100.0 * run->eigenvalue[0] / sum);
        gp_html_raw(html, "%% of the sum of the %lld shown.</figcaption></figure>\n",
                    (long long)run->components);
    }
    gp_html_raw(html, "</div>\n</section>\n");
}

/* ---- filters ---- */

void gp_report_print_filters(const gp_html *html, const gp_report_run *run) {
    const gp_sheet *s = &run->filters;
    int64_t what = gp_sheet_find(s, "what"), count = gp_sheet_find(s, "count");
    gp_html_raw(html, "<section id=\"filters\">\n<h2>What was filtered, and why</h2>\n");
    if (s->rows == 0) {
        gp_html_raw(html, "<p class=\"note\">The run has no counts of its filters.</p>\n"
                          "</section>\n");
        return;
    }
    gp_html_raw(html, "<div class=\"scroll\"><table><thead><tr><th>What</th><th class=\"n\">Count"
                      "</th></tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < s->rows; i++) {
        double value = gp_sheet_number(s, i, count, html->err);
        gp_html_raw(html, "<tr><th>");
        gp_html_text(html, gp_sheet_text(s, i, what));
        gp_html_raw(html, "</th><td class=\"n\">");
        if (isfinite(value) && fabs(value) < 9e15)
            gp_html_count(html, (int64_t)value);
        else
            gp_html_real(html, "%.0f", NAN);
        gp_html_raw(html, "</td></tr>\n");
    }
    gp_html_raw(html, "</tbody></table></div>\n</section>\n");
}

/* ---- options ---- */

static void print_value(const gp_html *html, const json_t *value) {
    const json_t *item;
    size_t i;
    if (json_is_string(value))
        gp_html_text(html, json_string_value(value));
    else if (json_is_integer(value))
        gp_html_raw(html, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        gp_html_raw(html, "%.12g", json_real_value(value));
    else if (json_is_array(value))
        json_array_foreach(value, i, item) {
            gp_html_raw(html, i > 0 ? ", " : "");
            print_value(html, item);
        }
    else
        gp_html_raw(html, json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "");
}

/* What says where a run is or on how many threads: the page is the same without. */
static int passed_over(const char *name) {
    static const char *const names[] = {"out", "threads", "compare", "config", "quiet", "restart"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(name, names[k]) == 0)
            return 1;
    return 0;
}

static void print_options(const gp_html *html, json_t *options) {
    const char *name;
    const json_t *value;
    gp_html_raw(html, "<div class=\"scroll\"><table><thead><tr><th>Option</th><th>Value</th></tr>"
                      "</thead>\n<tbody>\n");
    json_object_foreach(options, name, value) {
        if (passed_over(name))
            continue;
        gp_html_raw(html, "<tr><th><code>");
        gp_html_text(html, name);
        gp_html_raw(html, "</code></th><td class=\"w\">");
        print_value(html, value);
        gp_html_raw(html, "</td></tr>\n");
    }
    gp_html_raw(html, "</tbody></table></div>\n");
}

void gp_report_print_options(const gp_html *html, const gp_report_page *page) {
    json_t *options = json_object_get(page->run->manifest, "options");
    gp_html_raw(html, "<section id=\"options\">\n<h2>Options in effect</h2>\n<p>gp-dist ");
    gp_html_text(html, page->version);
    gp_html_raw(html, ".</p>\n");
    if (json_object_size(options) > 0)
        print_options(html, options);
    else
        gp_html_raw(html, "<p class=\"note\">The run has no manifest of its options.</p>\n");
    gp_html_raw(html,
                "</section>\n<section id=\"log\">\n<h2>Log and times</h2>\n<p>Times per phase "
                "and the numbers of ranks are in <a href=\"gp-dist.log\">gp-dist.log</a>, "
                "which lies beside this file.</p>\n<iframe src=\"gp-dist.log\" title=\"The "
                "run&#39;s log\" sandbox=\"\" loading=\"lazy\"></iframe>\n</section>\n");
}
