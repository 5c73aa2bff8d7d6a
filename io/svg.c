#include "io/svg.h"

#include <math.h>
#include <stdio.h>

int gp_svg_open(gp_svg *svg, const char *title) {
    for (int k = 0; k < 2; k++)
        if (!(svg->high[k] > svg->low[k])) {
            double apart = fmax(1e-9, fabs(svg->low[k]) * 0.01);
            svg->high[k] = svg->low[k] + apart;
            svg->low[k] -= apart;
        }
    gp_html_raw(svg->html, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\"><title>", svg->width,
                svg->height);
    gp_html_text(svg->html, title);
    return gp_html_raw(svg->html, "</title>");
}

int gp_svg_close(gp_svg *svg) {
    return gp_html_raw(svg->html, "</svg>\n");
}

double gp_svg_x(const gp_svg *svg, double x) {
    double share = (x - svg->low[0]) / (svg->high[0] - svg->low[0]);
    return svg->left + share * (svg->width - svg->left - svg->right);
}

double gp_svg_y(const gp_svg *svg, double y) {
    double share = (y - svg->low[1]) / (svg->high[1] - svg->low[1]);
    return svg->height - svg->bottom - share * (svg->height - svg->top - svg->bottom);
}

/* ---- axes ---- */

double gp_svg_step(double span, int most) {
    double unit = pow(10.0, floor(log10(span / most)));
    for (int tries = 0; tries < 2; tries++, unit *= 10.0) {
        static const double step[] = {1.0, 2.0, 5.0};
        for (int k = 0; k < 3; k++)
            if (span <= step[k] * unit * most)
                return step[k] * unit;
    }
    return unit;
}

int gp_svg_text(gp_svg *svg, double px, double py, const char *style, const char *text) {
    gp_html_raw(svg->html, "<text x=\"%.1f\" y=\"%.1f\" %s>", px, py, style);
    gp_html_text(svg->html, text);
    return gp_html_raw(svg->html, "</text>");
}

/* A tick's number without the dust of k * step. */
static void print_tick(char *to, size_t size, double value, double step) {
    int digits = (int)fmax(0.0, -floor(log10(step) + 1e-9));
    if (fabs(value) < step * 1e-6)
        snprintf(to, size, "0");
    else if (fabs(value) >= 1e6 || digits > 5)
        snprintf(to, size, "%.3g", value);
    else
        snprintf(to, size, "%s%.*f", value < 0.0 ? "\xE2\x88\x92" : "", digits, fabs(value));
}

static void draw_ticks(gp_svg *svg, int axis) {
    double low = svg->low[axis], high = svg->high[axis];
    double length = axis == 0 ? svg->width : svg->height, step;
    step = gp_svg_step(high - low, length > 700.0 ? 10 : 6);
    step = svg->whole[axis] ? fmax(step, 1.0) : step;
    double bottom = svg->height - svg->bottom, right = svg->width - svg->right;
    for (double k = ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1.0) {
        char number[32];
        print_tick(number, sizeof number, k * step, step);
        if (axis == 0) {
            double x = gp_svg_x(svg, k * step);
            gp_html_raw(svg->html, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, svg->top,
                        bottom);
            gp_svg_text(svg, x, bottom + 17.0, "class=\"t m\"", number);
        } else {
            double y = gp_svg_y(svg, k * step);
            gp_html_raw(svg->html, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", svg->left, y,
                        right);
            gp_svg_text(svg, svg->left - 7.0, y + 4.5, "class=\"t e\"", number);
        }
    }
}

int gp_svg_axes(gp_svg *svg, const char *x, const char *y) {
    double bottom = svg->height - svg->bottom, right = svg->width - svg->right;
    if (x != NULL) {
        draw_ticks(svg, 0);
        gp_svg_text(svg, (svg->left + right) / 2.0, svg->height - 6.0, "class=\"m\"", x);
    }
    if (y != NULL) {
        char place[96];
        double middle = (svg->top + bottom) / 2.0;
        draw_ticks(svg, 1);
        snprintf(place, sizeof place, "class=\"m\" transform=\"rotate(-90 15 %.1f)\"", middle);
        gp_svg_text(svg, 15.0, middle, place, y);
    }
    return gp_html_raw(svg->html, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>", svg->left,
                       svg->top, bottom, right);
}

/* ---- paths ---- */

int gp_svg_begin(gp_svg *svg, const char *style) {
    svg->at[0] = svg->at[1] = 0;
    return gp_html_raw(svg->html, "<path %s d=\"", style);
}

/* A number of tenths; a minus sign parts it from the one before as well as a blank. */
static void put(gp_svg *svg, const char *before, int64_t tenths) {
    int64_t size = tenths < 0 ? -tenths : tenths;
    const char *sign = tenths < 0 ? "-" : before;
    if (size % 10 == 0)
        gp_html_raw(svg->html, "%s%lld", sign, (long long)(size / 10));
    else if (size < 10)
        gp_html_raw(svg->html, "%s.%lld", sign, (long long)size);
    else
        gp_html_raw(svg->html, "%s%lld.%lld", sign, (long long)(size / 10), (long long)(size % 10));
}

static void step_to(gp_svg *svg, double x, double y, int64_t by[2]) {
    const int64_t to[2] = {llround(10.0 * gp_svg_x(svg, x)), llround(10.0 * gp_svg_y(svg, y))};
    for (int k = 0; k < 2; k++) {
        by[k] = to[k] - svg->at[k];
        svg->at[k] = to[k];
    }
}

int gp_svg_move(gp_svg *svg, double x, double y) {
    int64_t by[2];
    step_to(svg, x, y, by);
    svg->from[0] = svg->at[0];
    svg->from[1] = svg->at[1];
    gp_html_raw(svg->html, "m");
    put(svg, "", by[0]);
    put(svg, " ", by[1]);
    return svg->html->err->code;
}

int gp_svg_draw(gp_svg *svg, double x, double y) {
    int64_t by[2];
    step_to(svg, x, y, by);
    if (by[0] == 0 || by[1] == 0) {
        gp_html_raw(svg->html, by[0] == 0 ? "v" : "h");
        put(svg, "", by[0] == 0 ? by[1] : by[0]);
        return svg->html->err->code;
    }
    gp_html_raw(svg->html, "l");
    put(svg, "", by[0]);
    put(svg, " ", by[1]);
    return svg->html->err->code;
}

int gp_svg_dot(gp_svg *svg, double x, double y) {
    gp_svg_move(svg, x, y);
    return gp_html_raw(svg->html, "h0");
}

int gp_svg_shut(gp_svg *svg) {
    svg->at[0] = svg->from[0];
    svg->at[1] = svg->from[1];
    return gp_html_raw(svg->html, "z");
}

int gp_svg_end(gp_svg *svg) {
    return gp_html_raw(svg->html, "\"/>");
}
