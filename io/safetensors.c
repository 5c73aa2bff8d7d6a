#include "io/safetensors.h"
#include "io/crc32.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors_inside.h"
#include "src/base/mem.h"
#include "src/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are written as they lie");

const char *const gp_tensors_type_name[] = {"F32", "F64", "I32", "I64", "U8"};

int64_t gp_io_type_size(gp_io_type type) {
    static const int64_t size[] = {4, 8, 4, 8, 1};
    return size[type];
}

int64_t gp_io_tensor_bytes(const gp_io_tensor *tensor) {
    int64_t bytes = gp_io_type_size(tensor->type);
    for (int d = 0; d < tensor->dimensions; d++)
        bytes *= tensor->shape[d];
    return bytes;
}

int gp_tensors_sum(const char *head, int64_t n, const gp_io_tensor *const *order, int64_t count,
                   char digits[GP_TENSORS_DIGITS + 1], gp_err *err) {
    gp_crc32 crc;
    gp_crc32_init(&crc);
    uint32_t *sum = gp_mem_alloc(count + 1, sizeof *sum, err);
    if (sum == NULL)
        return err->code;
    sum[0] = gp_crc32_of(&crc, head, n);
    for (int64_t k = 0; k < count; k++)
        sum[k + 1] = gp_crc32_of(&crc, order[k]->data, gp_io_tensor_bytes(order[k]));
    uint32_t all = gp_crc32_of(&crc, sum, (count + 1) * (int64_t)sizeof *sum);
    snprintf(digits, GP_TENSORS_DIGITS + 1, "%08lx", (unsigned long)all);
    free(sum);
    return GP_OK;
}

/* ---- order ---- */

static int by_name(const void *a, const void *b) {
    const gp_io_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Large elements first: then every array is aligned to its type. */
static int by_place(const void *a, const void *b) {
    const gp_io_tensor *const *x = a, *const *y = b;
    int64_t p = gp_io_type_size((*x)->type), q = gp_io_type_size((*y)->type);
    return p != q ? (p < q ? 1 : -1) : by_name(a, b);
}

static int by_key(const void *a, const void *b) {
    const gp_io_pair *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* [count] in the order of the file, to be freed; NULL on failure. */
static const gp_io_tensor **sort_tensors(const gp_io_tensor *tensor, int64_t count, gp_err *err) {
    const gp_io_tensor **order = gp_mem_alloc(count, sizeof *order, err);
    if (order == NULL)
        return NULL;
    for (int64_t k = 0; k < count; k++)
        order[k] = &tensor[k];
    qsort(order, (size_t)count, sizeof *order, by_name);
    for (int64_t k = 0; k < count; k++)
        if (strcmp(order[k]->name, "__metadata__") == 0 ||
            (k > 0 && by_name(&order[k - 1], &order[k]) == 0))
            gp_err_set(err, GP_EFAIL, "a tensor cannot be called '%.60s', or not twice",
                       order[k]->name);
    qsort(order, (size_t)count, sizeof *order, by_place);
    return order;
}

/* ---- writing ---- */

static int print_metadata(gp_text *head, const gp_io_pair *pair, int64_t pairs, gp_err *err) {
    const gp_io_pair **order = gp_mem_alloc(pairs, sizeof *order, err);
    if (order == NULL)
        return err->code;
    for (int64_t k = 0; k < pairs; k++)
        order[k] = &pair[k];
    qsort(order, (size_t)pairs, sizeof *order, by_key);
    gp_text_print(head, err, "%s%08d\"", GP_TENSORS_MARK, 0);
    for (int64_t k = 0; k < pairs && err->code == GP_OK; k++) {
        if (strcmp(order[k]->key, "crc32") == 0 || (k > 0 && by_key(&order[k - 1], &order[k]) == 0))
            gp_err_set(err, GP_EFAIL, "metadata cannot be called '%.60s', or not twice",
                       order[k]->key);
        gp_text_add(head, ",", 1, err);
        gp_json_string(head, order[k]->key, err);
        gp_text_add(head, ":", 1, err);
        gp_json_string(head, order[k]->value, err);
    }
    free(order);
    return gp_text_add(head, "}", 1, err);
}

static int print_tensor(gp_text *head, const gp_io_tensor *t, int64_t begin, gp_err *err) {
    gp_text_add(head, ",", 1, err);
    gp_json_string(head, t->name, err);
    gp_text_print(head, err, ":{\"dtype\":\"%s\",\"shape\":[", gp_tensors_type_name[t->type]);
    for (int d = 0; d < t->dimensions; d++)
        gp_text_print(head, err, "%s%lld", d > 0 ? "," : "", (long long)t->shape[d]);
    return gp_text_print(head, err, "],\"data_offsets\":[%lld,%lld]}", (long long)begin,
                         (long long)(begin + gp_io_tensor_bytes(t)));
}

/* The bytes before the arrays; the check sum's digits are zeros. */
static int print_head(gp_text *head, const gp_io_tensor *const *order, int64_t count,
                      const gp_io_pair *pair, int64_t pairs, gp_err *err) {
    const char length[GP_TENSORS_LENGTH] = {0};
    int64_t begin = 0;
    gp_text_add(head, length, sizeof length, err);
    print_metadata(head, pair, pairs, err);
    for (int64_t k = 0; k < count && err->code == GP_OK; k++) {
        print_tensor(head, order[k], begin, err);
        begin += gp_io_tensor_bytes(order[k]);
    }
    gp_text_add(head, "}", 1, err);
    gp_text_print(head, err, "%*s", (int)(-head->length & 7), "");
    if (err->code == GP_OK) {
        int64_t n = head->length - GP_TENSORS_LENGTH;
        memcpy(head->bytes, &n, sizeof n);
    }
    return err->code;
}

static int write_all(int fd, const char *path, const void *bytes, int64_t n, gp_err *err) {
    const char *from = bytes;
    while (n > 0 && err->code == GP_OK) {
        ssize_t k = write(fd, from, (size_t)(n < (1 << 30) ? n : (1 << 30)));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", path, strerror(errno));
        from += k;
        n -= k;
    }
    return err->code;
}

static int fill(const char *path, const gp_text *head, const gp_io_tensor *const *order,
                int64_t count, gp_err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be made: %s", path, strerror(errno));
    write_all(fd, path, head->bytes, head->length, err);
    for (int64_t k = 0; k < count && err->code == GP_OK; k++)
        write_all(fd, path, order[k]->data, gp_io_tensor_bytes(order[k]), err);
    if (close(fd) != 0)
        gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", path, strerror(errno));
    return err->code;
}

int gp_io_tensors_write(const char *path, const gp_io_tensor *tensor, int64_t tensors,
                        const gp_io_pair *pair, int64_t pairs, gp_err *err) {
    gp_err mine = {0};
    gp_text head = {0}, temporary = {0};
    char digits[GP_TENSORS_DIGITS + 1];
    const gp_io_tensor **order = sort_tensors(tensor, tensors, &mine);
    gp_text_print(&temporary, &mine, "%s.tmp", path);
    if (mine.code == GP_OK && print_head(&head, order, tensors, pair, pairs, &mine) == GP_OK &&
        gp_tensors_sum(head.bytes, head.length, order, tensors, digits, &mine) == GP_OK) {
        memcpy(head.bytes + GP_TENSORS_DIGITS_AT, digits, GP_TENSORS_DIGITS);
        if (fill(temporary.bytes, &head, order, tensors, &mine) == GP_OK)
            gp_io_commit(temporary.bytes, path, &mine);
        if (mine.code != GP_OK)
            unlink(temporary.bytes);
    }
    if (mine.code != GP_OK)
        gp_err_set(err, mine.code, "%s", mine.text);
    free(order);
    gp_text_free(&head);
    gp_text_free(&temporary);
    return err->code;
}
