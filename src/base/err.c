#include "src/base/err.h"

#include <stdarg.h>
#include <stdio.h>

int gp_err_set(gp_err *err, int code, const char *fmt, ...) {
    if (err->code != GP_OK)
        return err->code;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    for (char *c = err->text; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = '?';
    err->code = code;
    return code;
}
