#include "io/batch.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <stdlib.h>

enum { ROOM_BYTES = 8 << 20, ROOM_VARIANTS = 4096, ROOM_TEXT = 4 << 20 };

int gp_batch_init(gp_batch *batch, int64_t n, gp_err *err) {
    int64_t stride = gp_geno_stride(n), room = ROOM_BYTES / stride;
    room = room < 1 ? 1 : room > ROOM_VARIANTS ? ROOM_VARIANTS : room;
    batch->n = n;
    batch->room = room;
    batch->text = gp_mem_alloc(room, 3 * sizeof *batch->text, err);
    batch->file = gp_mem_alloc(room, sizeof *batch->file, err);
    batch->row = gp_mem_alloc(room, sizeof *batch->row, err);
    batch->bed = gp_mem_alloc(room, n / 4 + 1, err);
    batch->rows = gp_mem_alloc(room, stride, err);
    batch->unordered = gp_mem_alloc(stride, 1, err);
    return err->code == GP_OK ? gp_variants_reserve(&batch->v, room, 1, err) : err->code;
}

int gp_batch_is_full(const gp_batch *batch) {
    return batch->v.count == batch->room || batch->v.block.length > ROOM_TEXT;
}

/* Adds a string and notes where it begins. */
static int add_text(gp_batch *batch, gp_slice s, int64_t *at, gp_err *err) {
    *at = batch->v.block.length;
    if (gp_text_add(&batch->v.block, s.s, s.n, err) != GP_OK)
        return err->code;
    return gp_text_add(&batch->v.block, "", 1, err);
}

static gp_slice allele(gp_slice s) {
    return s.n == 1 && s.s[0] == '0' ? (gp_slice){".", 1} : s;
}

int gp_batch_add(gp_batch *batch, const gp_bim_line *bim, int64_t file, int64_t row, gp_err *err) {
    int64_t i = batch->v.count, *at = batch->text + 3 * i;
    if (add_text(batch, bim->id, &at[0], err) != GP_OK ||
        add_text(batch, allele(bim->ref), &at[1], err) != GP_OK ||
        add_text(batch, allele(bim->alt), &at[2], err) != GP_OK)
        return err->code;
    batch->v.position[i] = bim->position;
    batch->v.morgan[i] = bim->centimorgan;
    batch->file[i] = file;
    batch->row[i] = row;
    batch->v.count++;
    return GP_OK;
}

/* Reads rows that lie one behind the other at once. */
static int read_calls(gp_batch *batch, const gp_bed *const *bed, gp_err *err) {
    for (int64_t i = 0, run = 1; i < batch->v.count; i += run) {
        const gp_bed *from = bed[batch->file[i]];
        for (run = 1; i + run < batch->v.count && batch->file[i + run] == batch->file[i] &&
                      batch->row[i + run] == batch->row[i] + run;)
            run++;
        if (gp_bed_read(from, batch->row[i], run, batch->bed + i * from->row, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

/* One row as the store has it. */
static void make_row(const gp_batch *batch, const uint8_t *bed, uint8_t *row) {
    if (batch->order == NULL) {
        gp_geno_from_bed(bed, batch->n, row);
        return;
    }
    gp_geno_from_bed(bed, batch->n, batch->unordered);
    for (int64_t i = 0; i < batch->n; i++)
        gp_geno_set(row, i, gp_geno_get(batch->unordered, batch->order[i]));
}

int gp_batch_append(gp_batch *batch, const gp_bed *const *bed, gp_store_writer *writer,
                    gp_err *err) {
    gp_variants *v = &batch->v;
    int64_t stride = gp_geno_stride(batch->n);
    if (v->count == 0)
        return GP_OK;
    if (read_calls(batch, bed, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < v->count; i++) {
        make_row(batch, batch->bed + i * bed[0]->row, batch->rows + i * stride);
        /* Only now does the block stay where it is. */
        v->id[i] = v->block.bytes + batch->text[3 * i];
        v->ref[i] = v->block.bytes + batch->text[3 * i + 1];
        v->alt[i] = v->block.bytes + batch->text[3 * i + 2];
    }
    if (gp_store_append(writer, v, batch->rows, err) != GP_OK)
        return err->code;
    batch->appended += v->count;
    v->count = 0;
    v->block.length = 0;
    return GP_OK;
}

void gp_batch_free(gp_batch *batch) {
    gp_variants_free(&batch->v);
    free(batch->text);
    free(batch->file);
    free(batch->row);
    free(batch->bed);
    free(batch->rows);
    free(batch->unordered);
    *batch = (gp_batch){0};
}
