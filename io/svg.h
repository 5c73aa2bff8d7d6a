/** Plots as inline SVG: a frame with axes, and paths in the data's units. Local.
 *
 *  Colours and widths come from classes in the page's style. Points are rounded to tenths of a
 *  unit of the picture and written relative to each other, so that pages stay small.
 */
#ifndef GP_IO_SVG_H
#define GP_IO_SVG_H

#include "io/html.h"

typedef struct gp_svg {
    const gp_html *html;
    double width, height;            /* of the picture */
    double left, top, right, bottom; /* margins around the frame */
    double low[2], high[2];          /* what the frame shows: x, y */
    int whole[2];                    /* 1: no ticks between whole numbers */
    int64_t at[2];                   /* where the path stands, in tenths */
    int64_t from[2];                 /* where the last move went */
} gp_svg;

/** Begins a picture. width, height and margins are set, low and high too (equal or reversed ones
 *  are set apart).
 *    title  in  what it shows, for readers that cannot see it; any text */
int gp_svg_open(gp_svg *svg, const char *title);
int gp_svg_close(gp_svg *svg);

/** A step of 1, 2 or 5 times a power of ten that cuts span into at most `most` parts. */
double gp_svg_step(double span, int most);

/** Grid, ticks, numbers and names of the axes. A NULL name: no grid, ticks and numbers there. */
int gp_svg_axes(gp_svg *svg, const char *x, const char *y);

/** Data to the picture's units. */
double gp_svg_x(const gp_svg *svg, double x);
double gp_svg_y(const gp_svg *svg, double y);

/** A path: begin, any number of points, end.
 *    style  in  the rest of the element's attributes, e.g. class="d c0" */
int gp_svg_begin(gp_svg *svg, const char *style);
int gp_svg_move(gp_svg *svg, double x, double y);
int gp_svg_draw(gp_svg *svg, double x, double y); /* a line from the last point */
int gp_svg_dot(gp_svg *svg, double x, double y);  /* seen where the stroke's caps are round */
int gp_svg_shut(gp_svg *svg);                     /* a line to where the last move went */
int gp_svg_end(gp_svg *svg);

/** Escaped text at a place of the picture. style as above. */
int gp_svg_text(gp_svg *svg, double px, double py, const char *style, const char *text);

#endif
