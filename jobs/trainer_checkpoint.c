/* A checkpoint is one safetensors file that knows nothing of ranks: rank 0 writes and reads it.
 * Moments that owners have are gathered bucket by bucket, so that rank 0 alone needs room for all
 * of them while it writes. */
#include "io/safetensors.h"
#include "jobs/trainer_inside.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARRAYS = 12, PIECE = 1 << 20 };

static const char format[] = "gp-dist training 1";

/* An array of the checkpoint that all ranks have whole. */
typedef struct array {
    const char *name;
    gp_io_type type;
    int64_t count;
    void *data;
} array;

static int64_t list_arrays(gp_trainer *t, array list[ARRAYS]) {
    gp_nn_model *model = t->plan->model;
    gp_trainer_adapters *a = &t->adapters;
    int64_t network = model->table.parameters, adapters = a->lora.table.parameters, n = 0;
    list[n++] = (array){"parameter", GP_IO_F32, network, model->parameter};
    list[n++] = (array){"exponent", GP_IO_I32, t->sum.buckets, t->sum.exponent};
    list[n++] = (array){"count", GP_IO_I64, GP_TRAINER_COUNTS, &t->count};
    list[n++] = (array){"number", GP_IO_F64, GP_TRAINER_NUMBERS, &t->number};
    if (t->best != NULL)
        list[n++] = (array){"best", GP_IO_F32, network, t->best};
    if (t->adapts) {
        list[n++] = (array){"adapter.parameter", GP_IO_F32, adapters, a->lora.parameter};
        list[n++] = (array){"adapter.m", GP_IO_F32, adapters, a->m};
        list[n++] = (array){"adapter.v", GP_IO_F32, adapters, a->v};
    }
    return n;
}

static gp_io_tensor tensor_of(const char *name, gp_io_type type, int64_t count, const void *data) {
    return (gp_io_tensor){
        .name = name, .type = type, .dimensions = 1, .shape = {count}, .data = data};
}

/* ---- writing ---- */

/* Both moments of all buckets. */
typedef struct moments {
    gp_real *m, *v;
    int64_t *bits; /* of a bucket: m in the low halves, v in the high ones */
} moments;

static void pack(const gp_trainer *t, int64_t b, int64_t *bits) {
    int64_t count = t->sum.first[b + 1] - t->sum.first[b];
    for (int64_t k = 0; k < count; k++) {
        uint32_t m, v;
        memcpy(&m, &t->m[t->own[b] + k], sizeof m);
        memcpy(&v, &t->v[t->own[b] + k], sizeof v);
        bits[k] = (int64_t)((uint64_t)v << 32 | m);
    }
}

static void unpack(const int64_t *bits, int64_t count, gp_real *m, gp_real *v) {
    for (int64_t k = 0; k < count; k++) {
        uint32_t low = (uint32_t)((uint64_t)bits[k] & 0xFFFFFFFFu);
        uint32_t high = (uint32_t)((uint64_t)bits[k] >> 32);
        memcpy(&m[k], &low, sizeof low);
        memcpy(&v[k], &high, sizeof high);
    }
}

/* Brings owners' moments to rank 0, as bits that are added to nothing but 0. */
static int gather(gp_trainer *t, moments *all, gp_err *err) {
    const int64_t *first = t->sum.first;
    int root = gp_par_rank(t->par) == 0;
    int64_t parameters = root ? first[t->sum.buckets] : 0;
    all->bits = gp_mem_alloc(GP_NN_BUCKET, sizeof *all->bits, err);
    all->m = gp_mem_alloc(parameters, sizeof *all->m, err);
    all->v = gp_mem_alloc(parameters, sizeof *all->v, err);
    if (gp_par_agree(t->par, err) != GP_OK)
        return err->code;
    for (int64_t b = 0; b < t->sum.buckets; b++) {
        int64_t count = first[b + 1] - first[b];
        memset(all->bits, 0, (size_t)count * sizeof *all->bits);
        if (gp_par_bucket_mine(t->buckets, b))
            pack(t, b, all->bits);
        if (gp_par_sum(t->par, all->bits, count, err) != GP_OK)
            return err->code;
        if (root)
            unpack(all->bits, count, all->m + first[b], all->v + first[b]);
    }
    return GP_OK;
}

static int write_file(gp_trainer *t, const gp_real *m, const gp_real *v, gp_err *err) {
    array list[ARRAYS];
    gp_io_tensor tensor[ARRAYS];
    const gp_text *log = t->log;
    int64_t n = list_arrays(t, list), parameters = t->plan->model->table.parameters;
    for (int64_t k = 0; k < n; k++)
        tensor[k] = tensor_of(list[k].name, list[k].type, list[k].count, list[k].data);
    tensor[n++] = tensor_of("m", GP_IO_F32, parameters, m);
    tensor[n++] = tensor_of("v", GP_IO_F32, parameters, v);
    tensor[n++] = tensor_of("log", GP_IO_U8, log->length - t->log_begin,
                            log->bytes != NULL ? log->bytes + t->log_begin : "");
    const gp_io_pair pair[] = {{"digest", t->plan->digest}, {"format", format}};
    return gp_io_tensors_write(t->plan->checkpoint, tensor, n, pair, 2, err);
}

int gp_trainer_save(gp_trainer *t, gp_err *err) {
    moments all = {0};
    if (t->plan->checkpoint == NULL || gp_trainer_check(t, err) != GP_OK)
        return err->code;
    if (t->zero && gather(t, &all, err) != GP_OK)
        goto done;
    if (gp_par_rank(t->par) == 0)
        write_file(t, t->zero ? all.m : t->m, t->zero ? all.v : t->v, err);
    gp_par_agree(t->par, err);
    t->saved = gp_clock();
done:
    free(all.bits);
    free(all.m);
    free(all.v);
    return err->code;
}

/* ---- reading ---- */

/* The same error, and what helps. */
static int refuse(const gp_err *why, gp_err *err) {
    return gp_err_set(err, why->code, "%.900s; --restart starts this training afresh", why->text);
}

static int check_file(gp_trainer *t, const gp_io_tensors *file, gp_err *err) {
    const char *path = t->plan->checkpoint;
    const char *its_format = gp_io_tensors_value(file, "format");
    const char *digest = gp_io_tensors_value(file, "digest");
    array list[ARRAYS];
    int64_t n = list_arrays(t, list), parameters = t->plan->model->table.parameters;
    if (its_format == NULL || strcmp(its_format, format) != 0)
        return gp_err_set(err, GP_EINPUT, "%s: it is no training that this program can continue",
                          path);
    if (digest == NULL || strcmp(digest, t->plan->digest) != 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: it was made of other data, or with other options, than these", path);
    list[n++] = (array){"m", GP_IO_F32, parameters, NULL};
    list[n++] = (array){"v", GP_IO_F32, parameters, NULL};
    for (int64_t k = 0; k < n; k++) {
        gp_io_tensor expected = tensor_of(list[k].name, list[k].type, list[k].count, NULL);
        if (gp_io_tensors_get(file, path, &expected, err) == NULL)
            return err->code;
    }
    const gp_io_tensor *log = gp_io_tensors_find(file, "log");
    if (log == NULL || log->type != GP_IO_U8 || log->dimensions != 1)
        return gp_err_set(err, GP_EINPUT, "%s: it has no log", path);
    return GP_OK;
}

static const void *data_of(const gp_io_tensors *file, const char *name) {
    const gp_io_tensor *tensor = gp_io_tensors_find(file, name);
    return tensor != NULL ? tensor->data : NULL;
}

/* Gives rank 0's bytes to all; to may be NULL where they are not wanted. text is scratch. */
static int share(gp_trainer *t, const void *from, int64_t bytes, void *to, gp_text *text,
                 gp_err *err) {
    for (int64_t at = 0; at < bytes && err->code == GP_OK; at += PIECE) {
        int64_t here = gp_least(PIECE, bytes - at);
        text->length = 0;
        if (gp_par_rank(t->par) == 0)
            gp_text_add(text, (const char *)from + at, here, err);
        if (gp_par_share_text(t->par, text, err) == GP_OK && to != NULL)
            memcpy((char *)to + at, text->bytes, (size_t)here);
    }
    return err->code;
}

/* Each rank takes what it owns. */
static int share_moments(gp_trainer *t, const gp_io_tensors *file, gp_text *text, gp_err *err) {
    const gp_real *m = data_of(file, "m"), *v = data_of(file, "v");
    const int64_t *first = t->sum.first;
    for (int64_t b = 0; b < t->sum.buckets && err->code == GP_OK; b++) {
        int64_t bytes = (first[b + 1] - first[b]) * (int64_t)sizeof *m;
        int mine = gp_par_bucket_mine(t->buckets, b);
        share(t, m != NULL ? m + first[b] : NULL, bytes, mine ? t->m + t->own[b] : NULL, text, err);
        share(t, v != NULL ? v + first[b] : NULL, bytes, mine ? t->v + t->own[b] : NULL, text, err);
    }
    return err->code;
}

static int share_log(gp_trainer *t, const gp_io_tensors *file, gp_text *text, gp_err *err) {
    const gp_io_tensor *log = gp_io_tensors_find(file, "log");
    text->length = 0;
    if (log != NULL)
        gp_text_add(text, log->data, log->shape[0], err);
    if (gp_par_share_text(t->par, text, err) == GP_OK)
        gp_text_add(t->log, text->bytes != NULL ? text->bytes : "", text->length, err);
    return gp_par_agree(t->par, err);
}

static int share_all(gp_trainer *t, const gp_io_tensors *file, gp_err *err) {
    gp_text text = {0};
    array list[ARRAYS];
    int64_t n = list_arrays(t, list);
    for (int64_t k = 0; k < n && err->code == GP_OK; k++)
        share(t, data_of(file, list[k].name), list[k].count * gp_io_type_size(list[k].type),
              list[k].data, &text, err);
    if (err->code == GP_OK && share_moments(t, file, &text, err) == GP_OK)
        share_log(t, file, &text, err);
    gp_text_free(&text);
    return err->code;
}

int gp_trainer_resume(gp_trainer *t, int *found, gp_err *err) {
    const char *path = t->plan->checkpoint;
    gp_io_tensors file = {0};
    gp_err why = {0};
    int64_t there = path != NULL && gp_par_rank(t->par) == 0 && access(path, F_OK) == 0;
    if (there && gp_io_tensors_read(path, &file, &why) == GP_OK)
        check_file(t, &file, &why);
    if (why.code != GP_OK)
        refuse(&why, err);
    if (gp_par_agree(t->par, err) == GP_OK && gp_par_max(t->par, &there, 1, err) == GP_OK && there)
        share_all(t, &file, err);
    *found = there != 0;
    gp_io_tensors_free(&file);
    return err->code;
}
