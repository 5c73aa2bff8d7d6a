#include "io/store_chunk.h"
#include "io/store_inside.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

static int enter_chromosome(gp_store *s, int64_t k, int64_t first, int64_t count, gp_err *err) {
    if (k < 0 || k >= s->chromosome_count || first < 0 || count < 0 ||
        first > s->chromosome[k].count - count)
        return gp_err_set(err, GP_EFAIL, "%s: variants that do not exist were asked for", s->path);
    if (s->current == k)
        return GP_OK;
    gp_store_leave_chromosome(s);
    s->group = H5Gopen2(s->chromosomes, s->chromosome[k].name, H5P_DEFAULT);
    if (s->group < 0)
        return gp_h5_read_failed(err, s->path, s->chromosomes, s->chromosome[k].name);
    s->current = k;
    return GP_OK;
}

/* A column of the current chromosome. */
static int use_column(gp_store *s, int k, gp_err *err) {
    int is_text = k == GP_STORE_ID || k == GP_STORE_REF || k == GP_STORE_ALT;
    gp_h5_plan plan = {.field = &gp_store_columns[k],
                       .rows = is_text ? -1 : s->chromosome[s->current].count,
                       .width = k == GP_STORE_GENOTYPE ? s->stride
                                : k == GP_STORE_COUNTS ? 4
                                                       : 1};
    if (s->column[k].set > 0)
        return GP_OK;
    if (gp_h5_column_open(&s->column[k], s->path, s->group, &plan, s->limit, err) != GP_OK)
        gp_h5_column_free(&s->column[k]);
    return err->code;
}

/* Reads ids and alleles into v->block, one after the other, then points at them: the block may
 * move while it grows. */
static int read_names(gp_store *s, int64_t first, gp_variants *v, gp_err *err) {
    static const int columns[3] = {GP_STORE_ID, GP_STORE_REF, GP_STORE_ALT};
    char **const pointer[3] = {v->id, v->ref, v->alt};
    gp_strings run[3];
    int64_t bytes = 0;
    for (int k = 0; k < 3; k++) {
        if (use_column(s, columns[k], err) != GP_OK ||
            use_column(s, columns[k] + 1, err) != GP_OK ||
            gp_mem_grow(&s->end[k], &s->end_capacity[k], v->count + 1, sizeof *s->end[k], err) !=
                GP_OK)
            return err->code;
        run[k] = (gp_strings){&s->column[columns[k]], &s->column[columns[k] + 1], first, v->count,
                              s->end[k]};
        if (gp_strings_read_ends(&run[k], err) != GP_OK)
            return err->code;
        bytes += gp_strings_bytes(&run[k]);
    }
    v->block.length = 0;
    char *to = gp_text_room(&v->block, bytes, err);
    if (to == NULL)
        return err->code;
    for (int k = 0; k < 3; k++) {
        if (gp_strings_read(&run[k], to, err) != GP_OK)
            return err->code;
        for (int64_t i = 0; i < v->count; i++)
            pointer[k][i] = to + (run[k].end[i] - run[k].end[0]);
        to += gp_strings_bytes(&run[k]);
    }
    v->block.length = bytes;
    return GP_OK;
}

int gp_store_read_variants(gp_store *s, int64_t k, int64_t first, int64_t count, gp_variants *v,
                           gp_err *err) {
    gp_h5_part part = {first, count, 0, 1};
    if (enter_chromosome(s, k, first, count, err) != GP_OK ||
        use_column(s, GP_STORE_POSITION, err) != GP_OK)
        return err->code;
    htri_t with_morgan = H5Lexists(s->group, gp_store_columns[GP_STORE_MORGAN].name, H5P_DEFAULT);
    if (with_morgan < 0)
        return gp_h5_read_failed(err, s->path, s->group, NULL);
    v->count = 0;
    if (gp_variants_reserve(v, count, with_morgan > 0, err) != GP_OK ||
        gp_h5_column_read(&s->column[GP_STORE_POSITION], &part, v->position, err) != GP_OK)
        return err->code;
    if (with_morgan > 0 &&
        (use_column(s, GP_STORE_MORGAN, err) != GP_OK ||
         gp_h5_column_read(&s->column[GP_STORE_MORGAN], &part, v->morgan, err) != GP_OK))
        return err->code;
    v->count = count;
    if (read_names(s, first, v, err) != GP_OK)
        v->count = 0;
    return err->code;
}

int gp_store_read_counts(gp_store *s, int64_t k, int64_t first, int64_t count, gp_counts *counts,
                         gp_err *err) {
    gp_h5_part part = {first, count, 0, 4};
    if (enter_chromosome(s, k, first, count, err) != GP_OK ||
        use_column(s, GP_STORE_COUNTS, err) != GP_OK)
        return err->code;
    return gp_h5_column_read(&s->column[GP_STORE_COUNTS], &part, counts, err);
}

int gp_store_use_genotypes(gp_store *s, const gp_store_slice *slice, gp_err *err) {
    int64_t sample = slice->sample, samples = slice->samples;
    if (sample < 0 || samples < 1 || sample > s->n - samples || sample % GP_GENO_GROUP != 0 ||
        (samples % GP_GENO_GROUP != 0 && sample + samples != s->n))
        return gp_err_set(err, GP_EFAIL, "%s: samples %lld to %lld cannot be read as a slice",
                          s->path, (long long)sample, (long long)(sample + samples));
    if (enter_chromosome(s, slice->chromosome, slice->first, slice->count, err) != GP_OK)
        return err->code;
    return use_column(s, GP_STORE_GENOTYPE, err);
}

int gp_store_read_genotypes(gp_store *s, int64_t k, int64_t first, int64_t count, int64_t sample,
                            int64_t samples, uint8_t *rows, gp_err *err) {
    gp_store_slice slice = {k, first, count, sample, samples};
    gp_h5_part part = {first, count, sample / 4, gp_geno_stride(samples)};
    if (gp_store_use_genotypes(s, &slice, err) != GP_OK)
        return err->code;
    return gp_chunk_read_part(&s->column[GP_STORE_GENOTYPE], &part, rows, err);
}
