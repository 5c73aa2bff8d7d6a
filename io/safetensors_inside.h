/** What writing and reading safetensors files share. Only for them. */
#ifndef GP_IO_SAFETENSORS_INSIDE_H
#define GP_IO_SAFETENSORS_INSIDE_H

#include "io/safetensors.h"

/* What a header with a check sum begins with, behind its length; the 8 digits follow. */
#define GP_TENSORS_MARK "{\"__metadata__\":{\"crc32\":\""

enum {
    GP_TENSORS_LENGTH = 8, /* bytes of the header's length */
    GP_TENSORS_DIGITS = 8,
    GP_TENSORS_DIGITS_AT = GP_TENSORS_LENGTH + sizeof GP_TENSORS_MARK - 1
};

extern const char *const gp_tensors_type_name[GP_IO_U8 + 1];

/** The check sum as digits and a zero.
 *    head   in  [n] the bytes before the arrays, the digits as '0'
 *    order  in  [count] in the order of the file */
int gp_tensors_sum(const char *head, int64_t n, const gp_io_tensor *const *order, int64_t count,
                   char digits[GP_TENSORS_DIGITS + 1], gp_err *err);

#endif
