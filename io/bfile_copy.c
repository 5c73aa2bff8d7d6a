#include "io/bfile_copy.h"

#include <stddef.h>

int gp_bfile_copy_begin(gp_bfile_copy *copy, gp_err *err) {
    if (gp_bfile_walk_init(&copy->walk, copy->list, copy->karyotype, copy->entries, err) != GP_OK)
        return err->code;
    copy->walk.watch = copy->watch;
    copy->walk.context = copy->context;
    copy->batch.order = copy->order;
    return gp_batch_init(&copy->batch, copy->list->samples.n, err);
}

static int flush(gp_bfile_copy *copy, gp_err *err) {
    int64_t count = copy->batch.v.count;
    if (gp_batch_append(&copy->batch, copy->list->bed, copy->writer, err) != GP_OK)
        return err->code;
    if (copy->watch != NULL && copy->watch(copy->context, count))
        return gp_err_set(err, GP_ESTOP, "import: stopped while writing");
    return GP_OK;
}

int gp_bfile_copy_chromosome(gp_bfile_copy *copy, int64_t place, char *name, gp_err *err) {
    const gp_karyotype_place *from = &copy->karyotype->place[place];
    gp_chromosome chromosome = from->chromosome;
    gp_bfile_variant variant;
    chromosome.name = name;
    if (gp_bfile_walk_enter(&copy->walk, place, err) != GP_OK ||
        gp_store_begin_chromosome(copy->writer, &chromosome,
                                  copy->list->map.span[from->span].has_morgan, err) != GP_OK)
        return err->code;
    while (gp_bfile_walk_next(&copy->walk, &variant, err) == GP_OK && variant.file >= 0) {
        if (gp_batch_is_full(&copy->batch) && flush(copy, err) != GP_OK)
            return err->code;
        if (gp_batch_add(&copy->batch, &variant.bim, variant.file, variant.row, err) != GP_OK)
            return err->code;
    }
    return err->code == GP_OK ? flush(copy, err) : err->code;
}

void gp_bfile_copy_end(gp_bfile_copy *copy) {
    gp_bfile_walk_free(&copy->walk);
    gp_batch_free(&copy->batch);
}

int gp_bfile_copy_run(gp_bfile_copy *copy, gp_err *err) {
    if (gp_bfile_copy_begin(copy, err) == GP_OK)
        for (int64_t k = 0; k < copy->karyotype->count && err->code == GP_OK; k++)
            gp_bfile_copy_chromosome(copy, k, copy->karyotype->place[k].chromosome.name, err);
    gp_bfile_copy_end(copy);
    return err->code;
}
