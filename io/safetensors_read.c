#include "io/json.h"
#include "io/safetensors_inside.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_HEADER = 100000000 /* of the format's own library */ };

/* A file that is being read. */
typedef struct reading {
    const char *path;
    char *bytes; /* of the whole file */
    int64_t n;
    int64_t data; /* where the arrays begin */
    gp_io_tensors *to;
} reading;

static int damaged(const reading *r, const char *name, const char *what, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: tensor '%.60s' %s; the file is damaged or of another kind", r->path,
                      name, what);
}

/* ---- the header ---- */

/* A count that JSON holds. */
static int read_count(const json_t *value, int64_t *to) {
    *to = (int64_t)json_integer_value(value);
    return json_is_integer(value) && *to >= 0;
}

static int read_type(const json_t *value, gp_io_type *to) {
    const char *name = json_string_value(value);
    for (int k = 0; name != NULL && k <= GP_IO_U8; k++)
        if (strcmp(name, gp_tensors_type_name[k]) == 0) {
            *to = (gp_io_type)k;
            return 1;
        }
    return 0;
}

static int read_shape(const reading *r, const json_t *shape, gp_io_tensor *t, gp_err *err) {
    if (!json_is_array(shape))
        return damaged(r, t->name, "has no shape", err);
    if (json_array_size(shape) > GP_IO_DIMENSIONS)
        return damaged(r, t->name, "has more than 4 dimensions", err);
    t->dimensions = (int)json_array_size(shape);
    for (int d = 0; d < t->dimensions; d++)
        if (!read_count(json_array_get(shape, (size_t)d), &t->shape[d]))
            return damaged(r, t->name, "has a shape that is not made of counts", err);
    return GP_OK;
}

/* Whether an array of this type and shape has so many bytes. What overflows before a 0 comes is
 * refused too, so that others may multiply without a check. */
static int takes(const gp_io_tensor *t, int64_t bytes) {
    int64_t product = gp_io_type_size(t->type);
    for (int d = 0; d < t->dimensions; d++)
        if (__builtin_mul_overflow(product, t->shape[d], &product))
            return 0;
    return product == bytes;
}

static int read_tensor(const reading *r, const char *name, const json_t *value, gp_io_tensor *t,
                       gp_err *err) {
    const json_t *offsets = json_object_get(value, "data_offsets");
    int64_t begin, end;
    t->name = name;
    if (!read_type(json_object_get(value, "dtype"), &t->type))
        return damaged(r, name, "has a type that is not F32, F64, I32, I64 or U8", err);
    if (read_shape(r, json_object_get(value, "shape"), t, err) != GP_OK)
        return err->code;
    if (json_array_size(offsets) != 2 || !read_count(json_array_get(offsets, 0), &begin) ||
        !read_count(json_array_get(offsets, 1), &end) || begin > end || end > r->n - r->data)
        return damaged(r, name, "is not inside the file", err);
    if (!takes(t, end - begin))
        return damaged(r, name, "has a shape that does not fit its bytes", err);
    t->data = r->bytes + r->data + begin;
    return GP_OK;
}

static int read_metadata(const reading *r, json_t *object, gp_err *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return gp_err_set(err, GP_EINPUT, "%s: __metadata__ is not an object", r->path);
    r->to->pair = gp_mem_alloc((int64_t)json_object_size(object), sizeof *r->to->pair, err);
    if (r->to->pair == NULL)
        return err->code;
    json_object_foreach(object, key, value) {
        if (!json_is_string(value))
            return gp_err_set(err, GP_EINPUT, "%s: __metadata__'s '%.60s' is not a string", r->path,
                              key);
        if (strcmp(key, "crc32") != 0)
            r->to->pair[r->to->pairs++] = (gp_io_pair){key, json_string_value(value)};
    }
    return GP_OK;
}

static int by_name(const void *a, const void *b) {
    const gp_io_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_key(const void *a, const void *b) {
    const gp_io_pair *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static int read_header(const reading *r, gp_err *err) {
    gp_io_tensors *to = r->to;
    const char *name;
    json_t *value;
    to->header =
        gp_json_parse(r->path, r->bytes + GP_TENSORS_LENGTH, r->data - GP_TENSORS_LENGTH, err);
    if (to->header == NULL)
        return err->code;
    to->tensor = gp_mem_alloc((int64_t)json_object_size(to->header), sizeof *to->tensor, err);
    if (to->tensor == NULL)
        return err->code;
    json_object_foreach(to->header, name, value) {
        if (strcmp(name, "__metadata__") == 0)
            read_metadata(r, value, err);
        else
            read_tensor(r, name, value, &to->tensor[to->count++], err);
        if (err->code != GP_OK)
            return err->code;
    }
    qsort(to->tensor, (size_t)to->count, sizeof *to->tensor, by_name);
    if (to->pairs > 0)
        qsort(to->pair, (size_t)to->pairs, sizeof *to->pair, by_key);
    return GP_OK;
}

/* ---- the arrays ---- */

/* Empty arrays stand before one that begins where they do. */
static int by_offset(const void *a, const void *b) {
    const gp_io_tensor *x = *(const gp_io_tensor *const *)a, *y = *(const gp_io_tensor *const *)b;
    const char *p = x->data, *q = y->data;
    if (p == q) {
        p += gp_io_tensor_bytes(x);
        q += gp_io_tensor_bytes(y);
    }
    return p < q ? -1 : p > q;
}

static int check_sum(const reading *r, const gp_io_tensor *const *order, gp_err *err) {
    char found[GP_TENSORS_DIGITS], *at = r->bytes + GP_TENSORS_DIGITS_AT;
    char expected[GP_TENSORS_DIGITS + 1];
    const int64_t mark = sizeof GP_TENSORS_MARK - 1;
    if (r->data < GP_TENSORS_DIGITS_AT + GP_TENSORS_DIGITS ||
        memcmp(r->bytes + GP_TENSORS_LENGTH, GP_TENSORS_MARK, (size_t)mark) != 0)
        return GP_OK;
    memcpy(found, at, sizeof found);
    memset(at, '0', sizeof found);
    gp_tensors_sum(r->bytes, r->data, order, r->to->count, expected, err);
    memcpy(at, found, sizeof found);
    if (err->code == GP_OK && memcmp(found, expected, sizeof found) != 0)
        gp_err_set(err, GP_EINPUT, "%s: is damaged: its check sum is not that of its bytes",
                   r->path);
    return err->code;
}

/* The arrays tile the rest of the file. */
static int check_arrays(const reading *r, gp_err *err) {
    int64_t count = r->to->count;
    const char *end = r->bytes + r->data;
    const gp_io_tensor **order = gp_mem_alloc(count, sizeof *order, err);
    if (order == NULL)
        return err->code;
    for (int64_t k = 0; k < count; k++)
        order[k] = &r->to->tensor[k];
    qsort(order, (size_t)count, sizeof *order, by_offset);
    for (int64_t k = 0; k < count && err->code == GP_OK; k++) {
        if (order[k]->data != end)
            damaged(r, order[k]->name, "overlaps another, or there is a gap before it", err);
        end += gp_io_tensor_bytes(order[k]);
    }
    if (err->code == GP_OK && end != r->bytes + r->n)
        gp_err_set(err, GP_EINPUT, "%s: %lld bytes follow the last tensor; the file is damaged",
                   r->path, (long long)(r->bytes + r->n - end));
    if (err->code == GP_OK)
        check_sum(r, order, err);
    free(order);
    return err->code;
}

static int is_aligned(const gp_io_tensors *tensors, const gp_io_tensor *t) {
    const char *at = t->data, *start = tensors->bytes;
    return (at - start) % gp_io_type_size(t->type) == 0;
}

/* Other programs may put arrays anywhere; those that lie badly are copied. */
static int align(gp_io_tensors *tensors, gp_err *err) {
    int64_t room = 0;
    for (int64_t k = 0; k < tensors->count; k++)
        if (!is_aligned(tensors, &tensors->tensor[k]))
            room += (gp_io_tensor_bytes(&tensors->tensor[k]) + 7) / 8 * 8;
    if (room == 0)
        return GP_OK;
    char *to = tensors->aligned = gp_mem_alloc(room, 1, err);
    for (int64_t k = 0; to != NULL && k < tensors->count; k++) {
        gp_io_tensor *t = &tensors->tensor[k];
        int64_t bytes = gp_io_tensor_bytes(t);
        if (is_aligned(tensors, t))
            continue;
        memcpy(to, t->data, (size_t)bytes);
        t->data = to;
        to += (bytes + 7) / 8 * 8;
    }
    return err->code;
}

/* ---- all of it ---- */

int gp_io_tensors_parse(const char *path, void *bytes, int64_t n, gp_io_tensors *tensors,
                        gp_err *err) {
    reading r = {path, bytes, n, 0, tensors};
    uint64_t header = 0;
    tensors->bytes = bytes;
    if (n >= GP_TENSORS_LENGTH)
        memcpy(&header, bytes, sizeof header);
    if (n < GP_TENSORS_LENGTH + 2 || r.bytes[GP_TENSORS_LENGTH] != '{' || header > LARGEST_HEADER)
        return gp_err_set(err, GP_EINPUT, "%s: is no safetensors file", path);
    if (header > (uint64_t)(n - GP_TENSORS_LENGTH))
        return gp_err_set(err, GP_EINPUT,
                          "%s: is cut short: its header has %lld bytes, of which %lld are there",
                          path, (long long)header, (long long)(n - GP_TENSORS_LENGTH));
    r.data = GP_TENSORS_LENGTH + (int64_t)header;
    if (read_header(&r, err) == GP_OK && check_arrays(&r, err) == GP_OK)
        align(tensors, err);
    return err->code;
}

static int read_all(int fd, const char *path, char *to, int64_t n, gp_err *err) {
    while (n > 0) {
        ssize_t k = read(fd, to, (size_t)(n < (1 << 30) ? n : (1 << 30)));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return gp_err_set(err, GP_EFAIL, "%s: cannot be read: %s", path, strerror(errno));
        if (k == 0)
            return gp_err_set(err, GP_EINPUT, "%s: became shorter while it was read", path);
        to += k;
        n -= k;
    }
    return GP_OK;
}

int gp_io_tensors_read(const char *path, gp_io_tensors *tensors, gp_err *err) {
    struct stat about;
    char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        gp_err_set(err, GP_EINPUT, "%s: is not a regular file", path);
    else if ((bytes = gp_mem_alloc((int64_t)about.st_size, 1, err)) != NULL)
        read_all(fd, path, bytes, (int64_t)about.st_size, err);
    close(fd);
    if (err->code == GP_OK)
        return gp_io_tensors_parse(path, bytes, (int64_t)about.st_size, tensors, err);
    free(bytes);
    return err->code;
}

void gp_io_tensors_free(gp_io_tensors *tensors) {
    free(tensors->tensor);
    free(tensors->pair);
    free(tensors->bytes);
    free(tensors->aligned);
    json_decref(tensors->header);
    *tensors = (gp_io_tensors){0};
}

/* ---- finding ---- */

const gp_io_tensor *gp_io_tensors_find(const gp_io_tensors *tensors, const char *name) {
    const gp_io_tensor key = {.name = name};
    return tensors->count == 0
               ? NULL
               : bsearch(&key, tensors->tensor, (size_t)tensors->count, sizeof key, by_name);
}

const char *gp_io_tensors_value(const gp_io_tensors *tensors, const char *key) {
    const gp_io_pair wanted = {key, NULL};
    const gp_io_pair *pair =
        tensors->pairs == 0
            ? NULL
            : bsearch(&wanted, tensors->pair, (size_t)tensors->pairs, sizeof wanted, by_key);
    return pair == NULL ? NULL : pair->value;
}

/* "F32 [3 x 4]" */
static const char *describe(const gp_io_tensor *t, gp_text *to, gp_err *err) {
    gp_text_print(to, err, "%s [", gp_tensors_type_name[t->type]);
    for (int d = 0; d < t->dimensions; d++)
        gp_text_print(to, err, "%s%lld", d > 0 ? " x " : "", (long long)t->shape[d]);
    gp_text_add(to, "]", 1, err);
    return to->bytes;
}

const gp_io_tensor *gp_io_tensors_get(const gp_io_tensors *tensors, const char *path,
                                      const gp_io_tensor *expected, gp_err *err) {
    const gp_io_tensor *t = gp_io_tensors_find(tensors, expected->name);
    int same = t != NULL && t->type == expected->type && t->dimensions == expected->dimensions;
    for (int d = 0; same && d < t->dimensions; d++)
        same = t->shape[d] == expected->shape[d];
    if (same)
        return t;
    gp_text is = {0}, want = {0};
    gp_err memory = {0};
    describe(expected, &want, &memory);
    if (t != NULL)
        describe(t, &is, &memory);
    if (memory.code != GP_OK)
        gp_err_set(err, memory.code, "%s: %s", path, memory.text);
    else
        gp_err_set(err, GP_EINPUT, "%s: tensor '%.60s' is %s; expected was %s", path,
                   expected->name, t == NULL ? "missing" : is.bytes, want.bytes);
    gp_text_free(&is);
    gp_text_free(&want);
    return NULL;
}
