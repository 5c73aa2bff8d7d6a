/** MD5 of bytes that come piece by piece: names what a run was made with. For integrity, not for
 *  secrecy. Local. Source: RFC 1321. */
#ifndef GP_IO_MD5_H
#define GP_IO_MD5_H

#include "src/base/err.h"
#include <stdint.h>

typedef struct gp_io_md5 gp_io_md5;

/** NULL with GP_EFAIL where memory is refused. */
gp_io_md5 *gp_io_md5_new(gp_err *err);

/** Nothing happens where md5 is NULL. */
void gp_io_md5_add(gp_io_md5 *md5, const void *bytes, int64_t n);

/** The sum so far as 32 hex digits and a zero; the next bytes begin a new one. */
void gp_io_md5_take(gp_io_md5 *md5, char hex[33]);

/** Accepts NULL. */
void gp_io_md5_free(gp_io_md5 *md5);

#endif
