/** safetensors files: named arrays behind a header of JSON. Local.
 *
 *  Layout: 8 bytes little-endian, the header's length N; N bytes of JSON, an object from name to
 *  {"dtype", "shape", "data_offsets": [begin, end)} with offsets counted from byte 8 + N, and
 *  "__metadata__", an object of strings; then the arrays, without gaps, in the order of their
 *  offsets. Written little-endian, the header padded by blanks to a multiple of 8, types of 8
 * bytes before those of 4 and 1 (so all are aligned), then by name: the same content is the same
 * bytes. Source: huggingface/safetensors, README.md, "Format".
 *
 *  The format has no check sum. Files written here have one: "__metadata__" begins with "crc32", 8
 *  hex digits: the CRC-32 of the CRC-32s (each 4 bytes, little-endian) of the file's bytes before
 *  the arrays, with these digits as zeros, and of each array in the order of their offsets. Where
 * it is there, reading checks it: then no changed byte goes unnoticed.
 */
#ifndef GP_IO_SAFETENSORS_H
#define GP_IO_SAFETENSORS_H

#include "src/base/err.h"
#include <stdint.h>

typedef enum gp_io_type { GP_IO_F32, GP_IO_F64, GP_IO_I32, GP_IO_I64, GP_IO_U8 } gp_io_type;

enum { GP_IO_DIMENSIONS = 4 };

typedef struct gp_io_tensor {
    const char *name;
    gp_io_type type;
    int dimensions; /* 0: one number */
    int64_t shape[GP_IO_DIMENSIONS];
    const void *data; /* row-major */
} gp_io_tensor;

/** A string of "__metadata__". */
typedef struct gp_io_pair {
    const char *key, *value;
} gp_io_pair;

/** Writes PATH.tmp, fsyncs, renames: whole or not there. Streams the arrays (no copy of them).
 *  Names and keys are UTF-8, each once; not "__metadata__", not the key "crc32". GP_EFAIL where it
 *  cannot be written; PATH.tmp is then gone and an older PATH as it was. */
int gp_io_tensors_write(const char *path, const gp_io_tensor *tensor, int64_t tensors,
                        const gp_io_pair *pair, int64_t pairs, gp_err *err);

/** A file that was read whole. */
typedef struct gp_io_tensors {
    int64_t count;
    gp_io_tensor
        *tensor; /* [count]; by name, ascending; data are views into bytes, aligned to their type */
    int64_t pairs;
    gp_io_pair *pair;      /* by key, ascending; without "crc32" */
    void *bytes;           /* of the file; and what else it owns: */
    void *aligned;         /* copies of arrays that another program did not align, or NULL */
    struct json_t *header; /* names and values are views into it */
} gp_io_tensors;

/** Reads and checks everything: GP_EINPUT "PATH: ..." for what is cut short, overlaps, has gaps, an
 *  unknown type, a shape that does not fit its bytes, a name given twice, another check sum.
 * Nothing is allocated by what the file says without bound by its size. Comes zeroed; freed in any
 * case. */
int gp_io_tensors_read(const char *path, gp_io_tensors *tensors, gp_err *err);
void gp_io_tensors_free(gp_io_tensors *tensors);

/** The same from memory. path is for messages.
 *    bytes  in  [n] from gp_mem_alloc; tensors owns them now, whatever comes of it */
int gp_io_tensors_parse(const char *path, void *bytes, int64_t n, gp_io_tensors *tensors,
                        gp_err *err);

/** The tensor of this name, or NULL; the value of this key, or NULL. */
const gp_io_tensor *gp_io_tensors_find(const gp_io_tensors *tensors, const char *name);
const char *gp_io_tensors_value(const gp_io_tensors *tensors, const char *key);

/** The tensor of this name, type and shape. GP_EINPUT "PATH: tensor 'NAME' ...: what was found,
 * what was expected" else; NULL then. */
const gp_io_tensor *gp_io_tensors_get(const gp_io_tensors *tensors, const char *path,
                                      const gp_io_tensor *expected, gp_err *err);

/** Bytes of an element; of a whole array that is in memory. */
int64_t gp_io_type_size(gp_io_type type);
int64_t gp_io_tensor_bytes(const gp_io_tensor *tensor);

#endif
