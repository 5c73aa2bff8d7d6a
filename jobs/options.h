/** Options: one table says how an option is typed, parsed, checked and explained. Local.
 *
 *  Long options only: --name VALUE or --name=VALUE (a VALUE that starts with "--" needs the second
 *  form); flags take no value (in a config file: yes/no, true/false, 1/0, on/off). "--" ends the
 *  options. A config file holds `option = value` lines ('#' starts a comment at a line's start or
 *  after blank; a value may be in double quotes); the command line wins over it. An option given
 *  twice in one place is an error.
 */
#ifndef GP_JOBS_OPTIONS_H
#define GP_JOBS_OPTIONS_H

#include "src/base/err.h"
#include <stddef.h>
#include <stdint.h>

typedef enum gp_option_type {
    GP_TEXT,    /* const char *: any non-empty text */
    GP_FLAG,    /* int */
    GP_WHOLE,   /* int64_t within [low, high] */
    GP_REAL,    /* double within [low, high] */
    GP_CHOICE,  /* const char *: one of choices, "a|b|c" */
    GP_OPERAND, /* const char *: an argument without a name, e.g. STORE.h5; required unless low < 0
                 */
    GP_HEADING  /* no option: name is a heading for the options that follow it in help */
} gp_option_type;

typedef struct gp_option {
    const char *name; /* without --; for an operand the word shown in help */
    gp_option_type type;
    size_t offset;        /* into the values struct */
    const char *argument; /* placeholder in help: "FILE", "N" …; none for flags and choices */
    const char *help;     /* one sentence, no full stop; defaults are said here, ranges are added */
    double low, high;     /* bounds for GP_WHOLE, GP_REAL; from 1e12 on not told to users */
    const char *choices;  /* for GP_CHOICE */
} gp_option;

/** Options of every command. */
typedef struct gp_common {
    const char *config;
    int64_t threads; /* 0 = choose */
    int quiet;
    const char *times; /* file for the times of phases */
    int help;
    int version;
} gp_common;

extern const gp_option gp_common_options[];

/** What to parse, and into what. */
typedef struct gp_parse {
    const gp_option *options; /* of the command, ended by a zeroed one */
    void *values;             /* inout  the struct they fill; holds the defaults */
    gp_common *common;        /* inout */
    int argc, first;          /* argv[first..argc) is parsed */
    char **argv;
    char *config_text; /* content of the file common->config names, cut in place; NULL = none */
} gp_parse;

/** Parses the command line, then the config file for what the command line does not say. GP_EINPUT
 *  names the place: "command line: unknown option '--x'; did you mean '--y'?", or "FILE:LINE: …"
 *  for the config file's lines, which are all checked, overridden or not. Strings in values point
 *  into argv and config_text. */
int gp_options_parse(const gp_parse *parse, gp_err *err);

/** The value of --config in argv[first..argc), or NULL. */
const char *gp_options_find_config(int argc, char **argv, int first);

/** Whether the flag --name stands in argv[first..argc), before any "--"; -h is --help. */
int gp_options_find_flag(int argc, char **argv, int first, const char *name);

/** The bounds of a number in words: "from 0 to 0.5", "at least 1", "at most 9", or "". */
void gp_option_bounds(const gp_option *option, char *words, size_t size);

/** The text of one value to its place in values, checked. flags are yes/no words here.
 *    typed  in  how the user wrote the option, for messages: "--maf" or "maf" */
int gp_option_set(const gp_option *option, void *values, const char *typed, const char *text,
                  gp_err *err);

#endif
