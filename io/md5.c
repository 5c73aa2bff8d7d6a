#include "io/md5.h"

#include <htslib/hts.h>

struct gp_io_md5; /* it is the library's own context */

gp_io_md5 *gp_io_md5_new(gp_err *err) {
    hts_md5_context *context = hts_md5_init();
    if (context == NULL)
        gp_err_set(err, GP_EFAIL, "memory: room for a digest was refused");
    return (gp_io_md5 *)context;
}

void gp_io_md5_add(gp_io_md5 *md5, const void *bytes, int64_t n) {
    if (md5 != NULL && n > 0)
        hts_md5_update((hts_md5_context *)md5, bytes, (unsigned long)n);
}

void gp_io_md5_take(gp_io_md5 *md5, char hex[33]) {
    unsigned char sum[16];
    hex[0] = 0;
    if (md5 == NULL)
        return;
    hts_md5_final(sum, (hts_md5_context *)md5);
    hts_md5_hex(hex, sum);
    hts_md5_reset((hts_md5_context *)md5);
}

void gp_io_md5_free(gp_io_md5 *md5) {
    if (md5 != NULL)
        hts_md5_destroy((hts_md5_context *)md5);
}
