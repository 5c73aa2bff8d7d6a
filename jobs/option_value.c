/* One option's value: from text to its place, and its bounds in words. */
#include "jobs/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN = 100 /* bytes of a wrong value that a message repeats */ };

/* A bound as large as this is none to a user. */
static const double boundless = 1e12;

void gp_option_bounds(const gp_option *option, char *words, size_t size) {
    double low = option->low, high = option->high;
    int has_low = low > -boundless, has_high = high < boundless;
    words[0] = 0;
    if ((option->type != GP_WHOLE && option->type != GP_REAL) || (!has_low && !has_high))
        return;
    if (has_low && has_high)
        snprintf(words, size, "from %.15g to %.15g", low, high);
    else
        snprintf(words, size, "%s %.15g", has_low ? "at least" : "at most", has_low ? low : high);
}

static int is_number(const char *s, int whole) {
    s += *s == '-' || *s == '+';
    size_t before = strspn(s, "0123456789"), after = 0;
    s += before;
    if (!whole && *s == '.') {
        after = strspn(s + 1, "0123456789");
        s += 1 + after;
    }
    if (before + after == 0)
        return 0;
    if (!whole && (*s == 'e' || *s == 'E')) {
        s++;
        s += *s == '-' || *s == '+';
        size_t digits = strspn(s, "0123456789");
        if (digits == 0)
            return 0;
        s += digits;
    }
    return *s == 0;
}

static int set_number(const gp_option *option, char *to, const char *typed, const char *text,
                      gp_err *err) {
    int whole = option->type == GP_WHOLE;
    const char *kind = whole ? "whole number" : "number";
    char bounds[80];
    gp_option_bounds(option, bounds, sizeof bounds);
    const char *blank = bounds[0] ? " " : "";
    if (!is_number(text, whole))
        return gp_err_set(err, GP_EINPUT, "%s: '%.*s' is not a %s; give a %s%s%s", typed, SHOWN,
                          text, kind, kind, blank, bounds);
    errno = 0;
    int64_t integer = whole ? strtoll(text, NULL, 10) : 0;
    int over = errno == ERANGE;
    double real = whole ? (double)integer : strtod(text, NULL);
    if (over || !(real >= option->low && real <= option->high))
        return gp_err_set(err, GP_EINPUT, "%s: %.*s is out of range; give a %s%s%s", typed, SHOWN,
                          text, kind, blank, bounds);
    if (whole)
        memcpy(to, &integer, sizeof integer);
    else
        memcpy(to, &real, sizeof real);
    return GP_OK;
}

static int set_flag(char *to, const char *typed, const char *text, gp_err *err) {
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1", "off", "on"};
    for (int i = 0; i < 8; i++)
        if (strcasecmp(text, words[i]) == 0) {
            int on = i % 2;
            memcpy(to, &on, sizeof on);
            return GP_OK;
        }
    return gp_err_set(err, GP_EINPUT, "%s: '%.*s' is neither yes nor no", typed, SHOWN, text);
}

static int set_choice(const gp_option *option, char *to, const char *typed, const char *text,
                      gp_err *err) {
    size_t n = strlen(text);
    for (const char *c = option->choices; c != NULL; c = strchr(c, '|')) {
        c += *c == '|';
        if (strncmp(c, text, n) == 0 && (c[n] == '|' || c[n] == 0)) {
            memcpy(to, &text, sizeof text);
            return GP_OK;
        }
    }
    return gp_err_set(err, GP_EINPUT, "%s: '%.*s' is not one of %s", typed, SHOWN, text,
                      option->choices);
}

int gp_option_set(const gp_option *option, void *values, const char *typed, const char *text,
                  gp_err *err) {
    char *to = (char *)values + option->offset;
    switch (option->type) {
    case GP_WHOLE:
    case GP_REAL:
        return set_number(option, to, typed, text, err);
    case GP_FLAG:
        return set_flag(to, typed, text, err);
    case GP_CHOICE:
        return set_choice(option, to, typed, text, err);
    default:
        memcpy(to, &text, sizeof text);
        return GP_OK;
    }
}
