#include "src/base/split.h"
#include "src/geno/product.h"
#include "src/geno/product_parts.h"

#include <string.h>
#include <unistd.h>

/* Tiles that fill five eighths of the second-level cache; the rest is for sums and what passes. */
static int64_t slice_tiles(void) {
    enum { USUAL = 1 << 20, LEAST = 1 << 19, MOST = 1 << 21 };
    long cache = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    if (cache <= 0)
        cache = USUAL;
    cache = cache < LEAST ? LEAST : cache > MOST ? MOST : cache;
    return (int64_t)cache / 8 * 5 / GP_TILE_BYTES;
}

gp_slices gp_wide_slices(const gp_operand *y) {
    /* So many tile columns hold whole integers, and are pairs. */
    int64_t unit = y->digits == 6 ? 6 : y->digits % 2 == 1 ? 2 * y->digits : 2;
    int64_t tiles = slice_tiles();
    gp_slices s = {.columns = unit, .terms = y->tile_terms, .along = 1};
    if (y->tile_terms == 0 || y->tile_columns == 0)
        return s;
    int64_t most = gp_least(GP_WIDE_TERMS, tiles / unit / GP_STRETCH * GP_STRETCH);
    if (s.terms > most) {
        s.terms = gp_round_up(gp_units(y->tile_terms, gp_units(y->tile_terms, most)), GP_STRETCH);
        s.along = gp_units(y->tile_terms, s.terms);
    }
    most = gp_least(GP_SLICE_COLUMNS, tiles / s.terms) / unit * unit;
    s.across = gp_units(y->tile_columns, most);
    s.columns = gp_round_up(gp_units(y->tile_columns, s.across), unit);
    s.across = gp_units(y->tile_columns, s.columns);
    return s;
}

/* The calls of a row of tiles in a span, side by side where they are not. */
static gp_unpack rows_of(gp_share *share, const gp_lines *lines, int64_t line,
                         const gp_span *span) {
    gp_unpack in = {.calls = span->row + (lines->first + line) * span->pitch,
                    .pitch = span->pitch,
                    .variants = gp_least(lines->count - line, GP_TILE_LINES),
                    .groups = span->groups};
    if (lines->variant == NULL)
        return in;
    int64_t width = span->groups * GP_GENO_GROUP_BYTES;
    for (int64_t j = 0; j < in.variants; j++)
        memcpy(share->packed + j * width, span->row + lines->variant[line + j] * span->pitch,
               (size_t)width);
    in.calls = share->packed;
    in.pitch = width;
    return in;
}

/* Makes left tiles [rows][groups]. */
static void unpack(const gp_product *product, gp_share *share, const gp_lines *lines,
                   const gp_slice *stretch, const uint8_t *value) {
    for (int64_t at = 0; at < stretch->terms;) {
        gp_span span = gp_calls_span(lines->calls, stretch->term + at, stretch->terms - at);
        for (int64_t j = 0; j < lines->count; j += GP_TILE_LINES) {
            gp_unpack in = rows_of(share, lines, j, &span);
            in.value = value;
            product->kernel->unpack_samples(
                &in, share->left + (j / GP_TILE_LINES * stretch->terms + at) * GP_TILE_BYTES);
        }
        at += span.groups;
    }
}

/* Digit sums of all calls. */
static void multiply(const gp_product *product, gp_share *share, const gp_slice *slice,
                     const gp_lines *lines, const uint8_t *value) {
    int64_t rows = gp_units(lines->count, GP_TILE_LINES);
    for (int64_t at = 0; at < slice->terms; at += GP_STRETCH) {
        gp_slice stretch = *slice;
        stretch.term += at;
        stretch.terms = gp_least(slice->terms - at, GP_STRETCH);
        unpack(product, share, lines, &stretch, value);
        gp_panel_multiply(product, share, slice, rows, stretch.term, stretch.terms);
    }
}

/* Joins lines [from, to), whose sum tiles begin with those of line `from`. */
static void join(const gp_product *product, const gp_share *share, const gp_slice *slice,
                 int64_t from, int64_t to, const gp_wide_sums *sums) {
    const gp_operand *y = product->y;
    int64_t first = slice->column * GP_TILE_LINES / y->digits;
    gp_digit_sums in = {
        .digits = y->digits,
        .integers = gp_least(y->columns - first, slice->columns * GP_TILE_LINES / y->digits)};
    for (int64_t j = from; j < to; j++) {
        int64_t line = j - from;
        in.sums = share->sums + line / GP_TILE_LINES * slice->columns * GP_TILE_SUMS +
                  line % GP_TILE_LINES * GP_TILE_LINES;
        product->join(&in, sums->add, sums->sums + j * sums->pitch);
    }
}

void gp_wide_calls(const gp_product *product, gp_share *share, const gp_slice *slice,
                   const gp_lines *lines, const gp_wide_sums *to) {
    multiply(product, share, slice, lines, gp_dosage_bytes);
    join(product, share, slice, 0, lines->count, to);
}

/* Lists the missing calls of each line; line j's end at end[j]. Returns 0 where there are too many
 * for a list to be worth it. */
static int list_missing(const gp_product *product, gp_share *share, const gp_slice *slice,
                        const gp_lines *lines, int64_t *end) {
    uint8_t all[GP_STRETCH * GP_GENO_GROUP_BYTES];
    int64_t count = 0, most = GP_SPARSE_MOST * slice->terms;
    memset(all, 0x55, sizeof all);
    for (int64_t j = 0; j < lines->count; j++) {
        int64_t variant = lines->variant != NULL ? lines->variant[j] : lines->first + j;
        for (int64_t at = 0; at < slice->terms;) {
            gp_span span = gp_calls_span(lines->calls, slice->term + at,
                                         gp_least(slice->terms - at, GP_STRETCH));
            int32_t *sample = share->sample + count;
            int64_t more = product->kernel->list_missing(span.row + variant * span.pitch, all,
                                                         span.groups * GP_GENO_GROUP_BYTES, sample);
            for (int64_t k = 0; k < more; k++)
                sample[k] += (int32_t)(at * GP_GENO_GROUP);
            count += more;
            if (count > most)
                return 0;
            at += span.groups;
        }
        end[j] = count;
    }
    return 1;
}

/* A right tile's line holds four terms. Gives each line that any of the samples needs a place, and
 * returns how many there are. */
static int64_t place_lines(gp_share *share, const gp_slice *slice, int64_t first, int64_t end) {
    int64_t lines = 0;
    memset(share->place, 0xFF, (size_t)(slice->terms * GP_TILE_LINES) * sizeof *share->place);
    for (int64_t k = first; k < end; k++) {
        int64_t line = share->sample[k] / 4;
        if (share->place[line] < 0) {
            share->line[lines] = (int16_t)line;
            share->place[line] = (int16_t)lines++;
        }
    }
    return lines;
}

/* Copies lines [first, first + count) of the list to right tiles [columns][GP_SPARSE_TERMS]. */
static void gather_right(const gp_product *product, gp_share *share, const gp_slice *slice,
                         int64_t first, int64_t count) {
    enum { LINE = GP_TILE_BYTES / GP_TILE_LINES };
    const gp_operand *y = product->y;
    for (int64_t c = 0; c < slice->columns; c++) {
        const uint8_t *from =
            y->tile + ((slice->column + c) * y->tile_terms + slice->term) * GP_TILE_BYTES;
        uint8_t *to = share->right + c * GP_SPARSE_TERMS * GP_TILE_BYTES;
        for (int64_t k = 0; k < count; k++, to += LINE)
            memcpy(to, from + share->line[first + k] * LINE, LINE);
    }
}

/* Digit sums of the listed calls of up to 16 lines: the product of the few lines of the right tiles
 * that they need. */
static void multiply_listed(const gp_product *product, gp_share *share, const gp_slice *slice,
                            const int64_t *end, int64_t from, int64_t lines) {
    enum { MOST = GP_SPARSE_TERMS * GP_TILE_LINES };
    int64_t begin = from > 0 ? end[from - 1] : 0;
    int64_t places = place_lines(share, slice, begin, end[from + lines - 1]);
    if (places == 0)
        memset(share->sums, 0, (size_t)(slice->columns * GP_TILE_SUMS) * sizeof *share->sums);
    for (int64_t first = 0; first < places; first += MOST) {
        int64_t count = gp_least(places - first, MOST), k = begin;
        gp_tiles tiles = {.left = share->left,
                          .right = share->right,
                          .rows = 1,
                          .columns = slice->columns,
                          .terms = gp_units(count, GP_TILE_LINES),
                          .left_step = GP_SPARSE_TERMS,
                          .right_step = GP_SPARSE_TERMS,
                          .sums = share->sums,
                          .add = first > 0};
        memset(share->left, 0, (size_t)(tiles.terms * GP_TILE_BYTES));
        for (int64_t j = 0; j < lines; j++)
            for (; k < end[from + j]; k++) {
                int64_t place = share->place[share->sample[k] / 4] - first;
                if (place >= 0 && place < count)
                    share->left[place / GP_TILE_LINES * GP_TILE_BYTES + j * GP_TILE_TERMS +
                                place % GP_TILE_LINES * 4 + share->sample[k] % 4] = 1;
            }
        gather_right(product, share, slice, first, count);
        product->kernel->multiply(&tiles);
    }
}

void gp_wide_missing(const gp_product *product, gp_share *share, const gp_slice *slice,
                     const gp_lines *lines, const gp_wide_sums *to) {
    int64_t end[GP_WIDE_ROWS * GP_TILE_LINES];
    if (!list_missing(product, share, slice, lines, end)) {
        multiply(product, share, slice, lines, gp_missing_bytes);
        join(product, share, slice, 0, lines->count, to);
        return;
    }
    for (int64_t j = 0; j < lines->count; j += GP_TILE_LINES) {
        int64_t count = gp_least(lines->count - j, GP_TILE_LINES);
        multiply_listed(product, share, slice, end, j, count);
        join(product, share, slice, j, j + count, to);
    }
}
