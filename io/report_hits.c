/* The table of a trait's hits, and tables as they stand. */
#include "io/number.h"
#include "io/report_trait.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- links ---- */

static void put_part(const gp_html *html, const char *s, int64_t n) {
    char part[512];
    if (n >= (int64_t)sizeof part)
        n = (int64_t)sizeof part - 1;
    memcpy(part, s, (size_t)n);
    part[n] = 0;
    gp_html_text(html, part);
}

/* An address may hold any bytes of a name only in this form. Source: RFC 3986, 2.1. */
static void put_escaped(const gp_html *html, const char *s) {
    for (; *s != 0; s++)
        if (isalnum((unsigned char)*s) || strchr("-._~", *s) != NULL)
            gp_html_raw(html, "%c", *s);
        else
            gp_html_raw(html, "%%%02X", (unsigned)(unsigned char)*s);
}

/* An address with {chromosome}, {start} and {end} filled in. */
static void put_address(const gp_html *html, const char *form, const char *chromosome, double start,
                        double end) {
    static const char *const name[] = {"{chromosome}", "{start}", "{end}"};
    while (*form != 0) {
        const char *next = strchr(form, '{');
        int k = 0;
        if (next == NULL) {
            gp_html_text(html, form);
            return;
        }
        put_part(html, form, next - form);
        while (k < 3 && strncmp(next, name[k], strlen(name[k])) != 0)
            k++;
        if (k == 0)
            put_escaped(html, chromosome);
        else if (k < 3)
            gp_html_raw(html, "%.0f", k == 1 ? start : end);
        else
            gp_html_raw(html, "{");
        form = next + (k < 3 ? strlen(name[k]) : 1);
    }
}

static void open_browser(const gp_html *html, const char *browser, const char *chromosome,
                         double start, double end) {
    gp_html_raw(html, "<a href=\"");
    if (strstr(browser, "://") != NULL) {
        put_address(html, browser, chromosome, start, end);
    } else { /* one of UCSC's genomes */
        gp_html_raw(html, "https://genome.ucsc.edu/cgi-bin/hgTracks?db=");
        put_escaped(html, browser);
        gp_html_raw(html, "&amp;position=%s", strncmp(chromosome, "chr", 3) == 0 ? "" : "chr");
        put_escaped(html, strcmp(chromosome, "MT") == 0 ? "M" : chromosome);
        gp_html_raw(html, ":%.0f-%.0f", start, end);
    }
    gp_html_raw(html, "\">");
}

/* ---- hits ---- */

static const char *text_of(const gp_report_trait *trait, int64_t i, int which) {
    const char *text = gp_sheet_text(&trait->hits, i, trait->hit[which]);
    return strcmp(text, "#NA") == 0 || strcmp(text, "NA") == 0 ? "" : text;
}

static double number_of(const gp_html *html, const gp_report_trait *trait, int64_t i, int which) {
    return gp_sheet_number(&trait->hits, i, trait->hit[which], html->err);
}

static void put_number(const gp_html *html, const gp_report_trait *trait, int64_t i, int which,
                       const char *format) {
    gp_html_raw(html, "<td class=\"n\">");
    gp_html_real(html, format, number_of(html, trait, i, which));
    gp_html_raw(html, "</td>");
}

static void put_count(const gp_html *html, double value) {
    if (isfinite(value) && fabs(value) < 9e15)
        gp_html_count(html, (int64_t)value);
    else
        gp_html_real(html, "%.0f", NAN);
}

static void print_place(const gp_html *html, const gp_report_page *page,
                        const gp_report_trait *trait, int64_t i) {
    double position = number_of(html, trait, i, GP_HIT_POSITION);
    const char *chromosome = text_of(trait, i, GP_HIT_CHROMOSOME);
    gp_html_raw(html, "<td class=\"n\">");
    if (page->browser != NULL)
        open_browser(html, page->browser, chromosome, fmax(1.0, position - 100000.0),
                     position + 100000.0);
    gp_html_text(html, chromosome);
    gp_html_raw(html, ":");
    put_count(html, position);
    gp_html_raw(html, "%s</td>", page->browser != NULL ? "</a>" : "");
}

/* Without an annotation no hit has a gene: no column is spent on them. */
static int has_genes(const gp_report_trait *trait) {
    for (int64_t i = 0; i < trait->hits.rows; i++)
        if (*text_of(trait, i, GP_HIT_GENE) != 0)
            return 1;
    return 0;
}

static void print_gene(const gp_html *html, const gp_report_trait *trait, int64_t i) {
    double distance = number_of(html, trait, i, GP_HIT_DISTANCE);
    const char *gene = text_of(trait, i, GP_HIT_GENE);
    gp_html_raw(html, "<td class=\"g\">");
    gp_html_text(html, *gene != 0 ? gene : "\xE2\x80\x93");
    if (*gene != 0 && distance > 0.0) {
        gp_html_raw(html, " <span class=\"soft\">");
        put_count(html, distance);
        gp_html_raw(html, " bp</span>");
    }
    gp_html_raw(html, "</td>");
}

static void print_hit(const gp_html *html, const gp_report_page *page, int64_t t, int64_t i,
                      int linked) {
    const gp_report_trait *trait = &page->run->trait[t];
    int genes = has_genes(trait);
    gp_html_raw(html, "<tr><td class=\"n\">%lld</td><td class=\"w\">", (long long)i + 1);
    if (linked)
        gp_html_raw(html, "<a href=\"#t%lldh%lld\" title=\"Show it in the plot\">",
                    (long long)t + 1, (long long)i + 1);
    gp_html_text(html, gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_ID]));
    gp_html_raw(html, linked ? "</a></td>" : "</td>");
    print_place(html, page, trait, i);
    gp_html_raw(html, "<td class=\"w\">");
    gp_html_text(html, text_of(trait, i, GP_HIT_EFFECT_ALLELE));
    gp_html_raw(html, "/");
    gp_html_text(html, text_of(trait, i, GP_HIT_OTHER_ALLELE));
    gp_html_raw(html, "</td>");
    put_number(html, trait, i, GP_HIT_FREQUENCY, "%.3f");
    gp_html_raw(html, "<td class=\"n\">");
    gp_html_real(html, "%.3g", number_of(html, trait, i, GP_HIT_BETA));
    gp_html_raw(html, " \xC2\xB1 ");
    gp_html_real(html, "%.2g", number_of(html, trait, i, GP_HIT_ERROR));
    gp_html_raw(html, "</td><td class=\"n\">");
    gp_html_p(html, number_of(html, trait, i, GP_HIT_NEG_LOG10));
    gp_html_raw(html, "</td>");
    put_number(html, trait, i, GP_HIT_ATTRIBUTION, "%.2g");
    gp_html_raw(html, "<td class=\"n\">");
    put_count(html, number_of(html, trait, i, GP_HIT_RANK));
    gp_html_raw(html, "</td><td class=\"n\">");
    put_count(html, number_of(html, trait, i, GP_HIT_CLUMPED));
    gp_html_raw(html, "</td>");
    if (genes)
        print_gene(html, trait, i);
    gp_html_raw(html, "</tr>\n");
}

void gp_report_print_hits(const gp_html *html, const gp_report_page *page, int64_t t, int64_t shown,
                          int linked) {
    const gp_report_trait *trait = &page->run->trait[t];
    gp_html_raw(html, "<h3>Hits</h3>\n");
    if (trait->hits.rows == 0) {
        gp_html_raw(html, "<p class=\"note\">%s</p>\n",
                    gp_sheet_there(&trait->hits) ? "No variant is below the threshold."
                                                 : "There is no table of hits.");
        return;
    }
    gp_html_raw(
        html,
        "<p>Index variants of clumps, the smallest p first%s%s. Effects are per copy of the effect "
        "allele%s.</p>\n<div class=\"scroll\">"
        "<table class=\"tight\" id=\"t%lldhits\"><thead><tr><th class=\"n\">#</th><th>Variant</th>"
        "<th class=\"n\">Position</th><th>Effect/other</th><th class=\"n\">Frequency</th>"
        "<th class=\"n\">Effect \xC2\xB1 s.e.</th><th class=\"n\">p</th><th class=\"n\">"
        "Attribution</th><th class=\"n\">Its rank</th><th class=\"n\">Clumped</th>%s</tr></thead>\n"
        "<tbody>\n",
        linked ? "; each leads to its mark in the plot" : "",
        page->browser != NULL ? "; positions lead to a genome browser" : "",
        trait->binary ? " (log odds)" : "", (long long)t + 1,
        has_genes(trait) ? "<th>Nearest gene</th>" : "");
    for (int64_t i = 0; i < shown; i++)
        print_hit(html, page, t, i, linked);
    gp_html_raw(html, "</tbody></table></div>\n");
    if (shown < trait->hits.rows) {
        gp_html_raw(html, "<p class=\"note\">The first %lld of ", (long long)shown);
        gp_html_count(html, trait->hits.rows);
        gp_html_raw(html, "; all are in <code>merged/");
        gp_html_text(html, trait->file);
        gp_html_raw(html, ".hits.tsv</code>.</p>\n");
    }
}

/* ---- tables as they stand ---- */

static int is_missing(const char *text) {
    return *text == 0 || strcmp(text, "NA") == 0 || strcmp(text, "#NA") == 0;
}

/* 1: all that is there in a column are numbers. */
static int has_numbers(const gp_sheet *s, int64_t column) {
    double value;
    for (int64_t i = 0; i < s->rows; i++) {
        const char *text = gp_sheet_text(s, i, column);
        if (!is_missing(text) && !gp_number_read(text, &value))
            return 0;
    }
    return s->rows > 0;
}

/* Returns the columns of numbers, a bit each; those beyond 64 are text. */
static uint64_t print_head(const gp_html *html, const gp_sheet *s) {
    uint64_t numbers = 0;
    gp_html_raw(html, "<div class=\"scroll\"><table><thead><tr>");
    for (int64_t k = 0; k < s->columns; k++) {
        if (k < 64 && has_numbers(s, k))
            numbers |= (uint64_t)1 << k;
        gp_html_raw(html, k < 64 && numbers >> k & 1 ? "<th class=\"n\">" : "<th>");
        gp_html_text(html, s->name[k]);
        gp_html_raw(html, "</th>");
    }
    gp_html_raw(html, "</tr></thead>\n<tbody>\n");
    return numbers;
}

void gp_report_print_sheet(const gp_html *html, const gp_sheet *s, const char *trait,
                           int64_t most) {
    int64_t about = gp_sheet_find(s, "trait"), shown = 0, left = 0;
    uint64_t numbers = print_head(html, s);
    for (int64_t i = 0; i < s->rows; i++) {
        if (trait != NULL && about >= 0 && strcmp(gp_sheet_text(s, i, about), trait) != 0)
            continue;
        if (shown == most) {
            left++;
            continue;
        }
        shown++;
        gp_html_raw(html, "<tr>");
        for (int64_t k = 0; k < s->columns; k++) {
            const char *text = gp_sheet_text(s, i, k);
            gp_html_raw(html, k < 64 && numbers >> k & 1 ? "<td class=\"n\">" : "<td>");
            gp_html_text(html, is_missing(text) ? "\xE2\x80\x93" : text);
            gp_html_raw(html, "</td>");
        }
        gp_html_raw(html, "</tr>\n");
    }
    gp_html_raw(html, "</tbody></table></div>\n");
    if (left > 0) {
        gp_html_raw(html, "<p class=\"note\">");
        gp_html_count(html, left);
        gp_html_raw(html, " more lines are in the file.</p>\n");
    }
}
