/* QQ plots from a trait's summary. */
#include "io/report_plots.h"
#include "io/svg.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

/* -log10 of the p that rank k of n independent ones stays above (deviate -1.96) or below (1.96)
 * in 97.5% of cases: Wilson and Hilferty's form of the gamma distribution. */
static double bound(double k, double n, double deviate) {
    double root = 1.0 - 1.0 / (9.0 * k) + deviate / (3.0 * sqrt(k));
    double p = k * root * root * root / n;
    if (k < 1.5 && deviate < 0.0)
        p = 0.0253178 / n; /* -ln 0.975, where the form is weak */
    return -log10(fmin(p, 1.0));
}

static void draw_band(gp_svg *svg, double n) {
    enum { STEPS = 40 };
    double span = log10(2.0 * n); /* rank 1 is expected at (1 - 1/2) / n */
    gp_svg_begin(svg, "class=\"band\"");
    for (int side = 0; side < 2; side++)
        for (int k = 0; k <= STEPS; k++) {
            double x = span * (side == 0 ? k : STEPS - k) / STEPS;
            double y = bound(fmax(1.0, n * pow(10.0, -x) + 0.5), n, side == 0 ? -1.96 : 1.96);
            if (side == 0 && k == 0)
                gp_svg_move(svg, x, 0.0);
            else
                gp_svg_draw(svg, x, fmin(y, svg->high[1]));
        }
    gp_svg_shut(svg);
    gp_svg_end(svg);
}

static int point_of(const json_t *points, size_t i, double xy[2]) {
    const json_t *point = json_array_get(points, i);
    for (size_t k = 0; k < 2; k++)
        xy[k] = json_number_value(json_array_get(point, k));
    return json_is_number(json_array_get(point, 0)) && json_is_number(json_array_get(point, 1)) &&
           xy[0] >= 0.0 && xy[1] >= 0.0;
}

void gp_plot_qq(const gp_html *html, const gp_report_trait *trait, int level) {
    const json_t *points = json_object_get(trait->summary, "qq");
    double n = (double)gp_report_tested(trait), xy[2];
    char title[200];
    gp_svg svg = {.html = html,
                  .width = 440.0,
                  .height = 360.0,
                  .left = 56.0,
                  .top = 14.0,
                  .right = 14.0,
                  .bottom = 46.0,
                  .high = {log10(2.0 * n) * 1.03, log10(2.0 * n) * 1.1}};
    for (size_t i = 0; i < json_array_size(points); i++) {
        if (!point_of(points, i, xy)) {
            gp_err_set(html->err, GP_EINPUT,
                       "merged/%s.summary.json: a point of 'qq' is none; the file is damaged: make "
                       "it anew with gp-dist merge",
                       trait->file);
            return;
        }
        svg.high[0] = fmax(svg.high[0], xy[0] * 1.03);
        svg.high[1] = fmax(svg.high[1], xy[1] * 1.05);
    }
    snprintf(title, sizeof title, "QQ plot of %.120s", trait->name);
    gp_svg_open(&svg, title);
    if (n > 1.0)
        draw_band(&svg, n);
    gp_svg_axes(&svg, "Expected \xE2\x88\x92log\xE2\x82\x81\xE2\x82\x80 p",
                "Observed \xE2\x88\x92log\xE2\x82\x81\xE2\x82\x80 p");
    gp_svg_begin(&svg, "class=\"same\"");
    gp_svg_move(&svg, 0.0, 0.0);
    gp_svg_draw(&svg, fmin(svg.high[0], svg.high[1]), fmin(svg.high[0], svg.high[1]));
    gp_svg_end(&svg);
    gp_svg_begin(&svg, "class=\"d qq\"");
    for (size_t i = 0; i < json_array_size(points); i += (size_t)1 << level)
        if (point_of(points, i, xy))
            gp_svg_dot(&svg, xy[0], xy[1]);
    gp_svg_end(&svg);
    gp_svg_close(&svg);
}
