/* Plots of networks and of samples. */
#include "io/report_plots.h"
#include "io/svg.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gp_svg frame(const gp_html *html) {
    return (gp_svg){.html = html,
                    .width = 440.0,
                    .height = 360.0,
                    .left = 58.0,
                    .top = 14.0,
                    .right = 14.0,
                    .bottom = 46.0};
}

static void open_titled(gp_svg *svg, const char *what, const char *trait) {
    char title[200];
    snprintf(title, sizeof title, "%s%.120s", what, trait);
    gp_svg_open(svg, title);
}

/* A line of the key, row k from above; look: the class of the line. */
static void add_key(gp_svg *svg, double x, double y, const char *look, const char *text) {
    gp_html_raw(svg->html, "<path class=\"%s\" d=\"M%.1f %.1fh26\"/>", look, x, y - 4.5);
    gp_svg_text(svg, x + 32.0, y, "", text);
}

/* ---- clouds ---- */

static void draw_points(gp_svg *svg, const gp_cloud *c) {
    gp_svg_begin(svg, "class=\"d pt\"");
    for (int64_t i = 0; i < c->n; i++)
        gp_svg_dot(svg, c->point[2 * i], c->point[2 * i + 1]);
    gp_svg_end(svg);
}

/* Cells of a coarser grid, or of the cloud's own. */
typedef struct grid {
    int64_t cells; /* along either axis */
    int64_t most;
    int64_t count[GP_CLOUD_CELLS * GP_CLOUD_CELLS];
} grid;

static void make_grid(const gp_cloud *c, int level, grid *g) {
    int64_t factor = (int64_t)1 << level;
    *g = (grid){.cells = GP_CLOUD_CELLS / factor};
    for (int64_t y = 0; y < GP_CLOUD_CELLS; y++)
        for (int64_t x = 0; x < GP_CLOUD_CELLS; x++) {
            int64_t *to = &g->count[y / factor * g->cells + x / factor];
            *to += c->cell[y * GP_CLOUD_CELLS + x];
            g->most = *to > g->most ? *to : g->most;
        }
}

enum { SHADES = 5 };

static int shade_of(const grid *g, int64_t y, int64_t x) {
    int64_t count = x < g->cells ? g->count[y * g->cells + x] : 0;
    if (count == 0)
        return -1;
    int shade = (int)(SHADES * log((double)count) / log((double)g->most + 1.0));
    return shade < SHADES ? shade : SHADES - 1;
}

static void draw_grid(gp_svg *svg, const gp_cloud *c, const grid *g) {
    double wide = (c->high[0] - c->low[0]) / (double)g->cells;
    double high = (c->high[1] - c->low[1]) / (double)g->cells;
    for (int shade = 0; shade < SHADES; shade++) {
        char look[32];
        snprintf(look, sizeof look, "class=\"s%d\"", shade);
        gp_svg_begin(svg, look);
        for (int64_t y = 0; y < g->cells; y++)
            for (int64_t x = 0; x < g->cells; x++) {
                int64_t from = x;
                if (shade_of(g, y, x) != shade)
                    continue;
                while (shade_of(g, y, x + 1) == shade)
                    x++;
                double left = c->low[0] + wide * (double)from, low = c->low[1] + high * (double)y;
                double right = c->low[0] + wide * (double)(x + 1);
                gp_svg_move(svg, left, low);
                gp_svg_draw(svg, right, low);
                gp_svg_draw(svg, right, low + high);
                gp_svg_draw(svg, left, low + high);
                gp_svg_shut(svg);
            }
        gp_svg_end(svg);
    }
}

static void draw_cloud(gp_svg *svg, const gp_cloud *c, int level) {
    if (c->point != NULL && level == 0) {
        draw_points(svg, c);
        return;
    }
    grid *g = gp_mem_alloc(1, sizeof *g, svg->html->err);
    if (g != NULL) {
        make_grid(c, level > 0 ? level - 1 : 0, g);
        draw_grid(svg, c, g);
    }
    free(g);
}

/* ---- predictions ---- */

void gp_plot_guesses(const gp_html *html, const gp_guesses *g, const char *trait, int level) {
    gp_svg svg = frame(html);
    for (int k = 0; k < 2; k++) {
        svg.low[k] = g->cloud.low[k];
        svg.high[k] = g->cloud.high[k];
    }
    open_titled(&svg, "Observed against predicted values of ", trait);
    gp_svg_axes(&svg, "Predicted by the transformer, out of fold", "Observed");
    draw_cloud(&svg, &g->cloud, level);
    double from = fmax(svg.low[0], svg.low[1]), to = fmin(svg.high[0], svg.high[1]);
    if (from < to) {
        gp_svg_begin(&svg, "class=\"same\"");
        gp_svg_move(&svg, from, from);
        gp_svg_draw(&svg, to, to);
        gp_svg_end(&svg);
    }
    for (int64_t k = 0; k < g->tenths; k++)
        gp_html_raw(html, "<circle class=\"tenth\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>",
                    gp_svg_x(&svg, g->tenth[k][0]), gp_svg_y(&svg, g->tenth[k][1]));
    gp_svg_close(&svg);
}

void gp_plot_curves(const gp_html *html, const gp_report_trait *trait) {
    const gp_guesses *g = &trait->guesses;
    gp_svg svg = frame(html);
    svg.high[0] = svg.high[1] = 1.0;
    open_titled(&svg, "ROC curves of ", trait->name);
    gp_svg_axes(&svg, "1 \xE2\x88\x92 specificity", "Sensitivity");
    gp_svg_begin(&svg, "class=\"grid\"");
    gp_svg_move(&svg, 0.0, 0.0);
    gp_svg_draw(&svg, 1.0, 1.0);
    gp_svg_end(&svg);
    for (int model = 0; model < GP_GUESS_MODELS; model++) {
        char look[32], text[64], name[8];
        if (isnan(g->curve[model][0]))
            continue;
        snprintf(name, sizeof name, "m%d", model);
        snprintf(look, sizeof look, "class=\"%s\"", name);
        gp_svg_begin(&svg, look);
        gp_svg_move(&svg, 0.0, 0.0);
        for (int k = 0; k <= GP_GUESS_STEPS; k++)
            gp_svg_draw(&svg, (double)k / GP_GUESS_STEPS, g->curve[model][k]);
        gp_svg_end(&svg);
        double auc = gp_report_metric(trait, gp_guess_model[model], "auc", NULL, NULL);
        snprintf(text, sizeof text, isfinite(auc) ? "%s (AUC %.3f)" : "%s", gp_guess_model[model],
                 auc);
        add_key(&svg, 200.0, 244.0 + 20.0 * model, name, text);
    }
    gp_svg_close(&svg);
}

void gp_plot_classes(const gp_html *html, const gp_guesses *g, const char *trait) {
    static const char *const name[] = {"controls", "cases"};
    gp_svg svg = frame(html);
    double wide = (g->high - g->low) / GP_GUESS_CLASSES;
    svg.low[0] = g->low;
    svg.high[0] = g->high;
    for (int k = 0; k < GP_GUESS_CLASSES; k++)
        svg.high[1] = fmax(svg.high[1], fmax(g->share[0][k], g->share[1][k]) * 106.0);
    open_titled(&svg, "Predictions of cases and controls of ", trait);
    gp_svg_axes(&svg, "Predicted probability, out of fold", "% of the class");
    for (int of = 0; of < 2; of++) {
        char look[32];
        snprintf(look, sizeof look, "class=\"k%d\"", of);
        gp_svg_begin(&svg, look);
        gp_svg_move(&svg, g->low, 0.0);
        for (int k = 0; k < GP_GUESS_CLASSES; k++) {
            gp_svg_draw(&svg, g->low + wide * k, 100.0 * g->share[of][k]);
            gp_svg_draw(&svg, g->low + wide * (k + 1), 100.0 * g->share[of][k]);
        }
        gp_svg_draw(&svg, g->high, 0.0);
        gp_svg_shut(&svg);
        gp_svg_end(&svg);
        snprintf(look, sizeof look, "k%d", of);
        add_key(&svg, 318.0, 34.0 + 20.0 * of, look, name[of]);
    }
    gp_svg_close(&svg);
}

/* ---- training ---- */

/* Lines [from, to) of training.tsv that are about one network. */
typedef struct curve {
    const gp_sheet *sheet;
    int64_t from, to, epoch, loss[2];
} curve;

static int next_curve(curve *c, int64_t fold, int64_t network) {
    const gp_sheet *s = c->sheet;
    c->from = c->to;
    while (c->to < s->rows &&
           strcmp(gp_sheet_text(s, c->to, fold), gp_sheet_text(s, c->from, fold)) == 0 &&
           strcmp(gp_sheet_text(s, c->to, network), gp_sheet_text(s, c->from, network)) == 0)
        c->to++;
    return c->from < c->to;
}

/* At most `most` points, each the mean of some lines that follow each other. */
static void draw_curve(gp_svg *svg, const curve *c, int which, int64_t most) {
    int64_t lines = c->to - c->from, points = lines < most ? lines : most, drawn = 0;
    gp_svg_begin(svg, which == 0 ? "class=\"train\"" : "class=\"valid\"");
    for (int64_t k = 0; k < points; k++) {
        double x = 0.0, y = 0.0, n = 0.0;
        for (int64_t i = lines * k / points; i < lines * (k + 1) / points; i++) {
            double loss = gp_sheet_number(c->sheet, c->from + i, c->loss[which], svg->html->err);
            if (isnan(loss))
                continue;
            x += gp_sheet_number(c->sheet, c->from + i, c->epoch, svg->html->err);
            y += loss;
            n += 1.0;
        }
        if (n == 0.0)
            continue;
        if (drawn++ == 0)
            gp_svg_move(svg, x / n, y / n);
        else
            gp_svg_draw(svg, x / n, y / n);
    }
    gp_svg_end(svg);
}

/* The range of epochs and losses; returns how many there are. */
static int64_t find_range(gp_svg *svg, const curve *c) {
    int64_t n = 0;
    svg->low[0] = svg->low[1] = INFINITY;
    svg->high[0] = svg->high[1] = -INFINITY;
    for (int64_t i = 0; i < c->sheet->rows; i++)
        for (int which = 0; which < 2; which++) {
            double y = gp_sheet_number(c->sheet, i, c->loss[which], svg->html->err);
            double x = gp_sheet_number(c->sheet, i, c->epoch, svg->html->err);
            if (isnan(x) || isnan(y))
                continue;
            svg->low[0] = fmin(svg->low[0], x);
            svg->high[0] = fmax(svg->high[0], x);
            svg->low[1] = fmin(svg->low[1], y);
            svg->high[1] = fmax(svg->high[1], y);
            n++;
        }
    double span = svg->high[1] - svg->low[1];
    svg->low[1] -= 0.04 * span;
    svg->high[1] += 0.16 * span; /* room for the key */
    return n;
}

int gp_plot_training(const gp_html *html, const gp_report_trait *trait, int level) {
    const gp_sheet *s = &trait->training;
    int64_t fold = gp_sheet_find(s, "fold"), network = gp_sheet_find(s, "network"), curves = 0;
    curve c = {.sheet = s,
               .epoch = gp_sheet_find(s, "epoch"),
               .loss = {gp_sheet_find(s, "train_loss"), gp_sheet_find(s, "validation_loss")}};
    gp_svg svg = frame(html);
    if (find_range(&svg, &c) == 0)
        return 0;
    while (next_curve(&c, fold, network))
        curves++;
    int64_t most = 3000 / curves / ((int64_t)1 << (2 * level));
    most = most > 60 ? 60 : most < 6 ? 6 : most;
    svg.whole[0] = 1;
    open_titled(&svg, "Training of the network for ", trait->name);
    gp_svg_axes(&svg, "Epoch", "Loss");
    for (int which = 0; which < 2; which++) {
        c.from = c.to = 0;
        while (next_curve(&c, fold, network))
            draw_curve(&svg, &c, which, most);
    }
    add_key(&svg, 196.0, 30.0, "train", "training");
    add_key(&svg, 306.0, 30.0, "valid", "validation");
    gp_svg_close(&svg);
    return 1;
}

/* ---- samples ---- */

void gp_plot_people(const gp_html *html, const gp_report_run *run) {
    gp_svg svg = frame(html);
    for (int k = 0; k < 2; k++) {
        svg.low[k] = run->people.low[k];
        svg.high[k] = run->people.high[k];
    }
    gp_svg_open(&svg, "Samples by their first two principal components");
    gp_svg_axes(&svg, "PC1", run->components == 1 ? "PC1" : "PC2");
    draw_cloud(&svg, &run->people, 0);
    gp_svg_close(&svg);
}

void gp_plot_eigenvalues(const gp_html *html, const gp_report_run *run) {
    gp_svg svg = frame(html);
    int64_t count = run->components < 40 ? run->components : 40;
    svg.whole[0] = 1;
    svg.low[0] = 0.4;
    svg.high[0] = (double)count + 0.6;
    for (int64_t k = 0; k < count; k++)
        svg.high[1] = fmax(svg.high[1], run->eigenvalue[k] * 1.05);
    gp_svg_open(&svg, "Eigenvalues of the principal components");
    gp_svg_axes(&svg, "Component", "Eigenvalue");
    gp_svg_begin(&svg, "class=\"bar\"");
    for (int64_t k = 0; k < count; k++) {
        double x = (double)k + 1.0;
        gp_svg_move(&svg, x - 0.3, 0.0);
        gp_svg_draw(&svg, x - 0.3, run->eigenvalue[k]);
        gp_svg_draw(&svg, x + 0.3, run->eigenvalue[k]);
        gp_svg_draw(&svg, x + 0.3, 0.0);
        gp_svg_shut(&svg);
    }
    gp_svg_end(&svg);
    gp_svg_close(&svg);
}
