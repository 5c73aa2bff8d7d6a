#include "io/store_copy.h"
#include "io/store_ahead.h"
#include "io/store_inside.h"
#include "src/base/mem.h"
#include "src/base/split.h"
#include "src/geno/code.h"

#include <stdlib.h>

enum { PIECE_BYTES = 8 << 20, PIECE_VARIANTS = 4096 };

int gp_store_piece_init(gp_store_piece *piece, gp_store *store, gp_err *err) {
    int64_t stride = gp_geno_stride(gp_store_sample_count(store));
    int64_t chunk = gp_store_chunk_variants(store, err);
    if (err->code != GP_OK)
        return err->code;
    piece->store = store;
    piece->most = gp_most(PIECE_BYTES / stride / chunk, 1) * chunk;
    piece->most = gp_least(piece->most, PIECE_VARIANTS);
    piece->rows = gp_mem_alloc(piece->most, stride, err);
    return err->code;
}

int gp_store_piece_read(gp_store_piece *piece, int64_t k, int64_t first, gp_err *err) {
    int64_t count = gp_least(piece->most, gp_store_chromosome(piece->store, k)->count - first);
    if (gp_store_read_variants(piece->store, k, first, count, &piece->v, err) != GP_OK)
        return err->code;
    return gp_store_read_genotypes(piece->store, k, first, count, 0,
                                   gp_store_sample_count(piece->store), piece->rows, err);
}

void gp_store_piece_free(gp_store_piece *piece) {
    gp_variants_free(&piece->v);
    free(piece->rows);
    *piece = (gp_store_piece){0};
}

int gp_store_compression(gp_store *store, gp_err *err) {
    gp_store_slice slice = {.samples = store->n};
    unsigned level = 0, flags = 0, config = 0;
    size_t values = 1;
    if (gp_store_use_genotypes(store, &slice, err) != GP_OK)
        return -1;
    hid_t create = H5Dget_create_plist(store->column[GP_STORE_GENOTYPE].set);
    if (create < 0) {
        gp_h5_read_failed(err, store->path, 0, NULL);
        return -1;
    }
    if (H5Pget_filter_by_id2(create, H5Z_FILTER_DEFLATE, &flags, &values, &level, 0, NULL,
                             &config) < 0)
        level = 0;
    gp_h5_release(&create);
    return level > 9 ? 9 : (int)level;
}
