#include "io/report_trait.h"
#include "io/report_plots.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* How many hits have a line and a mark, by level. */
static const int64_t hits_shown[] = {GP_REPORT_HITS, 25, 10, 5, 3};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- tiles ---- */

static void open_tile(const gp_html *html, const char *name) {
    gp_html_raw(html, "<div><dt>%s</dt><dd>", name);
}

static void close_tile(const gp_html *html) {
    gp_html_raw(html, "</dd></div>\n");
}

static void print_samples(const gp_html *html, const gp_report_trait *trait) {
    int64_t samples = json_integer_value(json_object_get(trait->summary, "samples"));
    open_tile(html, "Samples");
    gp_html_count(html, samples);
    if (trait->binary) {
        int64_t cases = json_integer_value(json_object_get(trait->summary, "cases"));
        gp_html_raw(html, "<small>");
        gp_html_count(html, cases);
        gp_html_raw(html, " cases, ");
        gp_html_count(html, samples - cases);
        gp_html_raw(html, " controls</small>");
    }
    close_tile(html);
}

static void print_lines(const gp_html *html, const gp_report_trait *trait) {
    const json_t *count;
    const char *name;
    int others = 0;
    open_tile(html, "Variants with a result");
    gp_html_count(html, gp_report_tested(trait));
    gp_html_raw(html, "<small>of ");
    gp_html_count(html, json_integer_value(json_object_get(trait->summary, "lines")));
    json_object_foreach(json_object_get(trait->summary, "status"), name, count) {
        if (strcmp(name, "OK") == 0 || json_integer_value(count) == 0)
            continue;
        gp_html_raw(html, others++ == 0 ? "; " : ", ");
        gp_html_count(html, json_integer_value(count));
        gp_html_raw(html, " ");
        for (const char *c = name; *c != 0; c++) { /* NO_CONVERGENCE: no convergence */
            const char letter[2] = {(char)(*c == '_' ? ' ' : tolower((unsigned char)*c)), 0};
            gp_html_text(html, letter);
        }
    }
    gp_html_raw(html, "</small>");
    close_tile(html);
}

static void print_tiles(const gp_html *html, const gp_report_trait *trait) {
    int best = gp_report_best(trait);
    gp_html_raw(html, "<dl class=\"tiles\">\n");
    if (trait->summary != NULL) {
        print_samples(html, trait);
        print_lines(html, trait);
        open_tile(html, "Genomic inflation \xCE\xBB<sub>GC</sub>");
        gp_html_real(html, "%.3f", gp_report_number(trait, "lambda_gc"));
        gp_html_raw(html, "<small>\xCE\xBB<sub>1000</sub> ");
        gp_html_real(html, "%.3f", gp_report_number(trait, "lambda_1000"));
        gp_html_raw(html, "</small>");
        close_tile(html);
    }
    if (gp_sheet_there(&trait->hits)) {
        open_tile(html, "Hits (independent)");
        gp_html_count(html, trait->hits.rows);
        close_tile(html);
    }
    if (best >= 0) {
        open_tile(html, "Best prediction");
        gp_html_raw(html, "%s ", gp_report_measure_name(trait));
        gp_html_real(
            html, "%.3f",
            gp_report_metric(trait, gp_guess_model[best], gp_report_measure(trait), NULL, NULL));
        gp_html_raw(html, "<small>%s</small>", gp_guess_model[best]);
        close_tile(html);
    }
    gp_html_raw(html, "</dl>\n");
}

/* ---- how well it is predicted ---- */

const char *gp_report_measure(const gp_report_trait *trait) {
    for (int k = 0; k < GP_GUESS_MODELS; k++)
        if (trait->binary &&
            isfinite(gp_report_metric(trait, gp_guess_model[k], "auc", NULL, NULL)))
            return "auc";
    return "r2";
}

const char *gp_report_measure_name(const gp_report_trait *trait) {
    return strcmp(gp_report_measure(trait), "auc") == 0 ? "AUC" : "r<sup>2</sup>";
}

int gp_report_best(const gp_report_trait *trait) {
    int best = -1;
    double most = -INFINITY;
    for (int k = 0; k < GP_GUESS_MODELS; k++) {
        double value =
            gp_report_metric(trait, gp_guess_model[k], gp_report_measure(trait), NULL, NULL);
        if (value > most) {
            most = value;
            best = k;
        }
    }
    return best;
}

/* A bar with the folds' range. from: where it begins: AUC of 0.5 is chance. */
static void print_bar(const gp_html *html, double value, double low, double high, double from,
                      double to, int best) {
    const double width = 180.0;
    double scale = to > from ? width / (to - from) : 0.0;
    if (!isfinite(value))
        return;
    gp_html_raw(html,
                "<svg viewBox=\"0 0 190 16\" style=\"width:190px;height:16px\" "
                "aria-hidden=\"true\"><rect class=\"%s\" x=\"0\" y=\"3\" height=\"10\" "
                "width=\"%.1f\"/>",
                best ? "bar" : "bar0", fmax(1.0, (value - from) * scale));
    if (isfinite(low) && isfinite(high))
        gp_html_raw(html, "<path class=\"whisker\" d=\"M%.1f 8H%.1fM%.1f 4v8M%.1f 4v8\"/>",
                    fmax(0.0, (low - from) * scale), fmax(0.0, (high - from) * scale),
                    fmax(0.8, (low - from) * scale), fmax(0.8, (high - from) * scale));
    gp_html_raw(html, "</svg>");
}

static void print_verdict(const gp_html *html, const gp_report_trait *trait, int best) {
    const char *measure = gp_report_measure(trait);
    double mine = gp_report_metric(trait, "transformer", measure, NULL, NULL), other = -INFINITY;
    const char *rival = NULL;
    for (int k = 0; k < GP_GUESS_MODELS - 1; k++) {
        double value = gp_report_metric(trait, gp_guess_model[k], measure, NULL, NULL);
        if (value > other) {
            other = value;
            rival = gp_guess_model[k];
        }
    }
    if (rival == NULL || isnan(mine))
        return;
    gp_html_raw(html, "<p>%s: %s of ",
                best == GP_GUESS_MODELS - 1 ? "The transformer predicts best"
                                            : "The transformer does not predict best here",
                gp_report_measure_name(trait));
    gp_html_real(html, "%.4f", mine);
    gp_html_raw(html, " against ");
    gp_html_real(html, "%.4f", other);
    gp_html_raw(html, " of %s%s.</p>\n", strcmp(rival, "ridge") == 0 ? "ridge regression" : rival,
                strcmp(rival, "ridge") == 0 ? "" : " alone");
}

static void print_metrics(const gp_html *html, const gp_report_trait *trait) {
    static const char *const name[] = {"Covariates alone", "Ridge regression", "Transformer"};
    static const char *const measures[] = {"n", "r2", "r", "mse", "auc"};
    static const char *const format[] = {"%.0f", "%.4f", "%.4f", "%.4g", "%.4f"};
    const char *measure = gp_report_measure(trait);
    int best = gp_report_best(trait);
    double from = strcmp(measure, "auc") == 0 ? 0.5 : 0.0, to = from, low, high;
    for (int k = 0; k < GP_GUESS_MODELS; k++) {
        double value = gp_report_metric(trait, gp_guess_model[k], measure, &low, &high);
        to = fmax(to, fmax(value, high)); /* fmax passes NaN over */
    }
    gp_html_raw(html, "<h3>Prediction of samples left out</h3>\n");
    print_verdict(html, trait, best);
    gp_html_raw(html,
                "<div class=\"scroll\"><table><thead><tr><th>Model</th><th class=\"n\">n</th>"
                "<th class=\"n\">r<sup>2</sup></th><th class=\"n\">r</th><th class=\"n\">mean "
                "squared error</th>%s<th>%s, whiskers: folds</th></tr></thead>\n<tbody>\n",
                trait->binary ? "<th class=\"n\">AUC</th>" : "", gp_report_measure_name(trait));
    for (int k = 0; k < GP_GUESS_MODELS; k++) {
        gp_html_raw(html, "<tr%s><th>%s%s</th>", k == best ? " class=\"best\"" : "", name[k],
                    k == best ? " <span class=\"flag\">best</span>" : "");
        for (int i = 0; i < (trait->binary ? 5 : 4); i++) {
            double value = gp_report_metric(trait, gp_guess_model[k], measures[i], NULL, NULL);
            gp_html_raw(html, "<td class=\"n\">");
            if (i == 0 && isfinite(value))
                gp_html_count(html, (int64_t)value);
            else
                gp_html_real(html, format[i], value);
            gp_html_raw(html, "</td>");
        }
        double value = gp_report_metric(trait, gp_guess_model[k], measure, &low, &high);
        gp_html_raw(html, "<td>");
        print_bar(html, value, low, high, from, to, k == best);
        gp_html_raw(html, "</td></tr>\n");
    }
    gp_html_raw(html, "</tbody></table></div>\n");
}

/* ---- plots ---- */

static void print_first_plot(const gp_html *html, const gp_report_trait *trait, int64_t t,
                             int level) {
    int64_t shown = least(trait->hits.rows, hits_shown[level]);
    gp_html_raw(html, "<figure><div class=\"wide\" id=\"t%lldm\">", (long long)t + 1);
    gp_plot_manhattan(html, trait, t + 1, shown, level);
    gp_html_raw(html, "</div><figcaption><b>Manhattan plot.</b> Every tested variant by position; "
                      "the dashed line is p = 5\xC3\x97"
                      "10<sup>\xE2\x88\x92"
                      "8</sup>.");
    if (shown > 0)
        gp_html_raw(html,
                    shown == 1 ? " Diamond: the hit of the table below."
                               : " Diamonds: the %lld hits of the table below.",
                    (long long)shown);
    if (level > 0)
        gp_html_raw(html, " Thinned %d-fold along either axis.", 1 << level);
    gp_html_raw(html, "</figcaption></figure>\n");
}

static void print_qq(const gp_html *html, const gp_report_trait *trait, int64_t t, int level) {
    gp_html_raw(html, "<figure id=\"t%lldq\">", (long long)t + 1);
    gp_plot_qq(html, trait, level);
    gp_html_raw(html, "<figcaption><b>QQ plot.</b> \xCE\xBB<sub>GC</sub> ");
    gp_html_real(html, "%.3f", gp_report_number(trait, "lambda_gc"));
    gp_html_raw(html, ", \xCE\xBB<sub>1000</sub> ");
    gp_html_real(html, "%.3f", gp_report_number(trait, "lambda_1000"));
    gp_html_raw(html,
                " (what it would be with %s). Grey: 95%% of independent tests.</figcaption>"
                "</figure>\n",
                trait->binary ? "1,000 cases and 1,000 controls"
                              : "2,000 samples, counted as half cases and half controls");
}

static void print_guesses(const gp_html *html, const gp_report_trait *trait, int64_t t, int level) {
    const gp_guesses *g = &trait->guesses;
    gp_html_raw(html, "<figure id=\"t%lldp\">", (long long)t + 1);
    if (trait->binary) {
        gp_plot_curves(html, trait);
        gp_html_raw(html,
                    "<figcaption><b>ROC curves</b> of out-of-fold predictions.</figcaption>"
                    "</figure>\n<figure id=\"t%lldc\">",
                    (long long)t + 1);
        gp_plot_classes(html, g, trait->name);
        gp_html_raw(html, "<figcaption><b>Predictions by class:</b> ");
        gp_html_count(html, g->cases);
        gp_html_raw(html, " cases, ");
        gp_html_count(html, g->n - g->cases);
        gp_html_raw(html, " controls.</figcaption></figure>\n");
        return;
    }
    gp_plot_guesses(html, g, trait->name, level);
    gp_html_raw(html, "<figcaption><b>Prediction against observation,</b> ");
    gp_html_count(html, g->n);
    gp_html_raw(html, " samples%s; dashed: equal.%s</figcaption></figure>\n",
                g->cloud.point == NULL || level > 0
                    ? " counted in cells, darker where there are more (logarithmic)"
                    : "",
                g->tenths > 0 ? " Orange: means of tenths of the predictions." : "");
}

static void print_training(const gp_html *html, const gp_report_trait *trait, int64_t t,
                           int level) {
    int64_t start = html->to->length;
    gp_html_raw(html, "<figure id=\"t%lldl\">", (long long)t + 1);
    if (!gp_plot_training(html, trait, level)) {
        html->to->length = start;
        return;
    }
    gp_html_raw(html, "<figcaption><b>Training curves</b> of all folds and networks: solid blue "
                      "training, dashed red validation.</figcaption></figure>\n");
}

static void print_plots(const gp_html *html, const gp_report_trait *trait, int64_t t, int level) {
    if (gp_report_tested(trait) > 0)
        print_first_plot(html, trait, t, level);
    gp_html_raw(html, "<div class=\"plots\">\n");
    if (gp_report_tested(trait) > 0)
        print_qq(html, trait, t, level);
    if (trait->guesses.n > 0)
        print_guesses(html, trait, t, level);
    if (trait->training.rows > 0)
        print_training(html, trait, t, level);
    gp_html_raw(html, "</div>\n");
}

/* ---- heritability ---- */

/* 1: a sheet has a line about a trait. */
static int tells_of(const gp_sheet *s, const char *trait) {
    int64_t about = gp_sheet_find(s, "trait");
    for (int64_t i = 0; i < s->rows; i++)
        if (about < 0 || strcmp(gp_sheet_text(s, i, about), trait) == 0)
            return 1;
    return 0;
}

/* Of all samples, and the range over the folds; NaN where there is none. */
static void find_heritability(const gp_html *html, const gp_report_trait *trait, double *all,
                              double *low, double *high) {
    const gp_sheet *s = &trait->heritability;
    int64_t about = gp_sheet_find(s, "trait"), fold = gp_sheet_find(s, "fold");
    int64_t column = gp_sheet_find(s, "heritability");
    *all = *low = *high = NAN;
    for (int64_t i = 0; i < s->rows; i++) {
        double value = gp_sheet_number(s, i, column, html->err);
        if (about >= 0 && strcmp(gp_sheet_text(s, i, about), trait->name) != 0)
            continue;
        if (strcmp(gp_sheet_text(s, i, fold), "all") == 0) {
            *all = value;
            continue;
        }
        *low = fmin(*low, value); /* passes NaN over */
        *high = fmax(*high, value);
    }
}

static void print_heritability(const gp_html *html, const gp_report_page *page,
                               const gp_report_trait *trait) {
    const gp_sheet *variance = &page->run->variance;
    double all, low, high;
    find_heritability(html, trait, &all, &low, &high);
    int by_ridge = isfinite(all) || isfinite(low), mixed = tells_of(variance, trait->name);
    if (by_ridge || mixed)
        gp_html_raw(html, "<h3>Heritability and variance components</h3>\n");
    if (by_ridge) {
        gp_html_raw(html, "<p>By the penalty that ridge regression chose: <b>");
        gp_html_real(html, "%.3f", all);
        gp_html_raw(html, "</b> with all samples");
        if (isfinite(low)) {
            gp_html_raw(html, "; ");
            gp_html_real(html, "%.3f", low);
            gp_html_raw(html, " to ");
            gp_html_real(html, "%.3f", high);
            gp_html_raw(html, " over the folds");
        }
        gp_html_raw(html, ".</p>\n");
    }
    if (mixed) {
        gp_html_raw(html, "<p>By the mixed model:</p>\n");
        gp_report_print_sheet(html, variance, trait->name, 30);
    }
}

/* ---- all of it ---- */

void gp_report_print_trait(const gp_html *html, const gp_report_page *page, int64_t t, int level) {
    const gp_report_trait *trait = &page->run->trait[t];
    const char *model = json_string_value(json_object_get(trait->summary, "model"));
    gp_html_raw(html, "<section class=\"trait\" id=\"t%lld\">\n<h2>", (long long)t + 1);
    gp_html_text(html, trait->name);
    gp_html_raw(html, "<small>%s", trait->binary ? "binary" : "quantitative");
    if (model != NULL) {
        gp_html_raw(html, ", tested by: ");
        gp_html_text(html, model);
    }
    gp_html_raw(html, "</small></h2>\n");
    print_tiles(html, trait);
    if (trait->summary == NULL)
        gp_html_raw(html, "<p class=\"note\">There is no merged table of association tests.</p>\n");
    else if (gp_report_tested(trait) == 0)
        gp_html_raw(html, "<p class=\"note\">No variant has a result, so there is no Manhattan or "
                          "QQ plot; what was filtered is told <a href=\"#filters\">below</a>.</p>"
                          "\n");
    if (level < GP_REPORT_PLAIN)
        print_plots(html, trait, t, level);
    else
        gp_html_raw(html, "<p class=\"note\">Plots are left out: there are too many traits for one "
                          "page.</p>\n");
    if (gp_sheet_there(&trait->metrics))
        print_metrics(html, trait);
    else
        gp_html_raw(html, "<p class=\"note\">%s</p>\n",
                    trait->has_model ? "The network has no metrics of samples left out."
                                     : "No network was trained for this trait.");
    print_heritability(html, page, trait);
    gp_report_print_hits(html, page, t, least(trait->hits.rows, hits_shown[level]),
                         level < GP_REPORT_PLAIN && gp_report_tested(trait) > 0);
    gp_html_raw(html, "</section>\n");
}
