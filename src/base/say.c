#include "src/base/say.h"

#include <stdarg.h>
#include <stdio.h>

void gp_say(const gp_sink *sink, int level, const char *fmt, ...) {
    if (sink == NULL || sink->say == NULL)
        return;
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127)
            *c = '?';
    sink->say(sink->context, level, line);
}
