/* Manhattan plots from a trait's summary. */
#include "io/report_plots.h"
#include "io/svg.h"
#include "src/base/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 1 << 24,
    WIDE = 1200,
    ROWS = 300 /* pixels */,
    LABELS = 12,
    MARKS = GP_REPORT_HITS
};

#define SIGNIFICANT 7.30102999566398 /* -log10 of 5e-8 */

static int damaged(const gp_html *html, const gp_report_trait *trait, const char *what) {
    return gp_err_set(html->err, GP_EINPUT,
                      "merged/%s.summary.json: %s; the file is damaged: make it anew with gp-dist "
                      "merge",
                      trait->file, what);
}

/* What is occupied, in the picture's pixels or coarser. */
typedef struct raster {
    int64_t columns;       /* of the summary */
    int64_t across;        /* how many of them are one of these */
    int factor;            /* how many pixels from below are one of these */
    int64_t width, height; /* in these */
    double step;           /* of the summary's cells */
    double top;            /* where the picture ends */
    double dot;            /* how much wider a mark is than a column: few marks are larger */
    uint8_t *set;          /* [width x height] column by column */
    uint8_t *odd;          /* [width] chromosomes take turns */
} raster;

/* ---- the summary's cells ---- */

static int64_t row_of(const raster *r, int64_t cell) {
    double pixel = ((double)cell + 0.5) * r->step / r->top * ROWS;
    int64_t row = (int64_t)pixel / r->factor;
    return row < r->height ? row : r->height - 1;
}

static void fill(raster *r, const gp_cell_run *run) {
    uint8_t *set = r->set + run->column / r->across * r->height;
    for (int64_t row = row_of(r, run->first); row <= row_of(r, run->last); row++)
        set[row] = 1;
}

/* ---- chromosomes ---- */

typedef struct stretch {
    const char *name;
    int64_t column, columns; /* in the plot */
    double first, last;      /* positions */
} stretch;

static int read_stretch(const gp_report_trait *trait, const raster *r, size_t k, stretch *s) {
    const json_t *at = json_array_get(
        json_object_get(json_object_get(trait->summary, "manhattan"), "chromosome"), k);
    const json_t *about = json_array_get(json_object_get(trait->summary, "chromosomes"), k);
    *s = (stretch){.name = json_string_value(json_object_get(at, "name")),
                   .column = json_integer_value(json_object_get(at, "column")),
                   .columns = json_integer_value(json_object_get(at, "columns")),
                   .first = json_number_value(json_object_get(about, "first")),
                   .last = json_number_value(json_object_get(about, "last"))};
    return s->name != NULL && s->column >= 0 && s->columns >= 0 &&
           s->column + s->columns <= r->columns && about != NULL;
}

static size_t count_stretches(const gp_report_trait *trait) {
    return json_array_size(
        json_object_get(json_object_get(trait->summary, "manhattan"), "chromosome"));
}

static void name_chromosomes(gp_svg *svg, const gp_report_trait *trait, raster *r) {
    double free_from = 0.0, last_tick = 0.0, bottom = svg->height - svg->bottom;
    for (size_t k = 0; k < count_stretches(trait); k++) {
        stretch s;
        if (!read_stretch(trait, r, k, &s)) {
            damaged(svg->html, trait, "a chromosome of 'manhattan' is none");
            return;
        }
        for (int64_t c = s.column; c < s.column + s.columns; c++)
            r->odd[c / r->across] = k % 2;
        double middle = gp_svg_x(svg, (double)s.column + (double)s.columns / 2.0);
        double half = 4.0 * (double)strlen(s.name) + 2.0;
        double end = gp_svg_x(svg, (double)(s.column + s.columns));
        if (end >= last_tick + 3.0) {
            gp_html_raw(svg->html, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>", end, bottom);
            last_tick = end;
        }
        if (middle - half < free_from)
            continue;
        free_from = middle + half;
        gp_svg_text(svg, middle, bottom + 18.0, "class=\"t m\"", s.name);
    }
}

/* ---- hits ---- */

/* What is taken in the plot, in the picture's units. */
typedef struct box {
    double left, top, right, bottom;
} box;

typedef struct boxes {
    box taken[MARKS + LABELS];
    int count, names;
} boxes;

static int is_free(const boxes *of, const box *mine) {
    for (int k = 0; k < of->count; k++) {
        const box *other = &of->taken[k];
        if (mine->left < other->right && mine->right > other->left && mine->top < other->bottom &&
            mine->bottom > other->top)
            return 0;
    }
    return 1;
}

/* Where a hit stands; 0 where its chromosome is not in the plot. */
static int place_hit(const gp_svg *svg, const gp_report_trait *trait, const raster *r, int64_t i,
                     double *x, double *y) {
    gp_err none = {0};
    const char *chromosome = gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_CHROMOSOME]);
    double position = gp_sheet_number(&trait->hits, i, trait->hit[GP_HIT_POSITION], &none);
    double p = gp_sheet_number(&trait->hits, i, trait->hit[GP_HIT_NEG_LOG10], &none);
    for (size_t k = 0; k < count_stretches(trait); k++) {
        stretch s;
        if (!read_stretch(trait, r, k, &s) || strcmp(s.name, chromosome) != 0)
            continue;
        double share = (position - s.first) / (s.last - s.first + 1.0);
        *x = gp_svg_x(svg, (double)s.column + fmin(fmax(share, 0.0), 1.0) * (double)s.columns);
        *y = gp_svg_y(svg, fmin(p, r->top));
        return isfinite(*x) && isfinite(*y);
    }
    return 0;
}

static const char *hit_name(const gp_report_trait *trait, int64_t i) {
    const char *gene = gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_GENE]);
    return *gene != 0 && strcmp(gene, "#NA") != 0 && strcmp(gene, "NA") != 0
               ? gene
               : gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_ID]);
}

/* A name above the mark, where there is room for it. */
static void name_hit(gp_svg *svg, boxes *of, double x, double y, const char *name) {
    double half = 3.7 * (double)strlen(name) + 2.0;
    box mine = {.left = x - half, .top = y - 20.0, .right = x + half, .bottom = y - 7.0};
    double beyond = fmax(0.0, mine.right - (svg->width - 2.0)) - fmax(0.0, svg->left - mine.left);
    mine.left -= beyond;
    mine.right -= beyond;
    if (of->names == LABELS || strlen(name) > 24 || !is_free(of, &mine))
        return;
    of->names++;
    of->taken[of->count++] = mine;
    gp_svg_text(svg, (mine.left + mine.right) / 2.0, y - 10.0, "class=\"m\"", name);
}

static void mark_hit(gp_svg *svg, const gp_report_trait *trait, int64_t number, int64_t i,
                     const double at[2]) {
    gp_html_raw(svg->html, "<g class=\"hit\" id=\"t%lldh%lld\"><title>", (long long)number,
                (long long)i + 1);
    gp_html_text(svg->html, gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_ID]));
    gp_html_raw(svg->html, ", chromosome ");
    gp_html_text(svg->html, gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_CHROMOSOME]));
    gp_html_raw(svg->html, ":");
    gp_html_text(svg->html, gp_sheet_text(&trait->hits, i, trait->hit[GP_HIT_POSITION]));
    gp_html_raw(svg->html, "</title><path d=\"M%.1f %.1fl5 5-5 5-5-5z\"/>", at[0], at[1] - 5.0);
}

/* Names keep clear of all marks, so these have their places first. */
static void mark_hits(gp_svg *svg, const gp_report_trait *trait, const raster *r, int64_t number,
                      int64_t hits) {
    double at[MARKS][2];
    int there[MARKS];
    boxes of = {.count = 0};
    hits = hits < MARKS ? hits : MARKS;
    for (int64_t i = 0; i < hits; i++) {
        there[i] = place_hit(svg, trait, r, i, &at[i][0], &at[i][1]);
        if (there[i])
            of.taken[of.count++] =
                (box){at[i][0] - 6.0, at[i][1] - 6.0, at[i][0] + 6.0, at[i][1] + 6.0};
    }
    for (int64_t i = 0; i < hits; i++) {
        if (!there[i]) { /* the table's link leads at least to the plot */
            gp_html_raw(svg->html, "<g id=\"t%lldh%lld\"/>", (long long)number, (long long)i + 1);
            continue;
        }
        mark_hit(svg, trait, number, i, at[i]);
        name_hit(svg, &of, at[i][0], at[i][1], hit_name(trait, i));
        gp_html_raw(svg->html, "</g>");
    }
}

/* ---- Manhattan ---- */

static void draw_cells(gp_svg *svg, const raster *r, int odd) {
    char look[64];
    double pixel = r->top / ROWS * r->factor;
    snprintf(look, sizeof look, "class=\"d c%d\" stroke-width=\"%.1f\"", odd,
             (double)WIDE / (double)r->columns * (double)r->across + r->dot);
    gp_svg_begin(svg, look);
    for (int64_t c = 0; c < r->width; c++)
        for (int64_t row = 0; row < r->height && r->odd[c] == odd; row++) {
            int64_t from = row;
            const uint8_t *set = r->set + c * r->height;
            if (!set[row])
                continue;
            while (row + 1 < r->height && set[row + 1])
                row++;
            double x = ((double)c + 0.5) * (double)r->across;
            if (from == row) {
                gp_svg_dot(svg, x, ((double)row + 0.5) * pixel);
                continue;
            }
            gp_svg_move(svg, x, ((double)from + 0.5) * pixel);
            gp_svg_draw(svg, x, ((double)row + 0.5) * pixel);
        }
    gp_svg_end(svg);
}

static int make_raster(const gp_html *html, const gp_cells *cells, int level, raster *r) {
    *r = (raster){.columns = cells->columns,
                  .factor = 1 << level,
                  .dot = cells->count < 2000   ? 3.0
                         : cells->count < 8000 ? 2.2
                                               : 1.5,
                  .step = cells->step};
    int64_t high = 0;
    for (int64_t k = 0; k < cells->count; k++)
        high = cells->run[k].last >= high ? cells->run[k].last + 1 : high;
    r->top = 1.05 * fmax(SIGNIFICANT + 0.3, (double)high * r->step);
    r->across = r->factor * (r->columns > WIDE ? (r->columns + WIDE - 1) / WIDE : 1);
    r->width = (r->columns + r->across - 1) / r->across;
    r->height = ROWS / r->factor;
    r->set = gp_mem_alloc(r->width, r->height, html->err);
    r->odd = gp_mem_alloc(r->width, 1, html->err);
    for (int64_t k = 0; k < cells->count && html->err->code == GP_OK; k++)
        fill(r, &cells->run[k]);
    return html->err->code;
}

void gp_plot_manhattan(const gp_html *html, const gp_report_trait *trait, int64_t number,
                       int64_t hits, int level) {
    raster r = {0};
    char title[200];
    if (make_raster(html, &trait->cells, level, &r) == GP_OK) {
        gp_svg svg = {.html = html,
                      .width = 1270.0,
                      .height = ROWS + 72.0,
                      .left = 56.0,
                      .top = 26.0,
                      .right = 14.0,
                      .bottom = 46.0,
                      .high = {(double)r.columns, r.top}};
        snprintf(title, sizeof title, "Manhattan plot of %.120s", trait->name);
        gp_svg_open(&svg, title);
        gp_svg_axes(&svg, NULL, "\xE2\x88\x92log\xE2\x82\x81\xE2\x82\x80 p");
        name_chromosomes(&svg, trait, &r);
        gp_svg_text(&svg, 663.0, svg.height - 6.0, "class=\"m\"", "Chromosome");
        for (int odd = 0; odd < 2; odd++)
            draw_cells(&svg, &r, odd);
        gp_html_raw(html, "<path class=\"sign\" d=\"M%.1f %.1fH%.1f\"/>", svg.left,
                    gp_svg_y(&svg, SIGNIFICANT), svg.width - svg.right);
        mark_hits(&svg, trait, &r, number, hits);
        gp_svg_close(&svg);
    }
    free(r.set);
    free(r.odd);
}
