/** Where notes and warnings go: a callback, so that no room below jobs/ prints.
 *
 *  Local. A NULL sink, or one whose say is NULL, swallows everything.
 */
#ifndef GP_SRC_BASE_SAY_H
#define GP_SRC_BASE_SAY_H

enum { GP_NOTE, GP_WARN };

typedef struct gp_sink {
    void (*say)(void *context, int level, const char *line); /* one line, no newline */
    void *context;
} gp_sink;

/** Sends one formatted line of level GP_NOTE or GP_WARN. Control characters become '?'. */
void gp_say(const gp_sink *sink, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
