#include "jobs/options.h"
#include "jobs/suggest.h"
#include "src/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const gp_option gp_common_options[] = {
    {"config", GP_TEXT, offsetof(gp_common, config), "FILE",
     "read `option = value` lines from FILE; the command line wins over them", 0, 0, NULL},
    {"threads", GP_WHOLE, offsetof(gp_common, threads), "N",
     "threads per rank; 0 (default) takes OMP_NUM_THREADS, or else an even share of the cores that "
     "the rank may use; results do not depend on it (from an eigensolver on: to 1e-8)",
     0, 1024, NULL},
    {"quiet", GP_FLAG, offsetof(gp_common, quiet), NULL,
     "say nothing but warnings and errors: no notes, no progress", 0, 0, NULL},
    {"times", GP_TEXT, offsetof(gp_common, times), "FILE.csv",
     "write where the time went: seconds, waiting, bytes sent and memory of each phase and rank", 0,
     0, NULL},
    {"help", GP_FLAG, offsetof(gp_common, help), NULL, "print help and stop (also -h)", 0, 0, NULL},
    {"version", GP_FLAG, offsetof(gp_common, version), NULL, "print the version and stop", 0, 0,
     NULL},
    {0}};

/* An option with its place and where it has been seen. */
typedef struct slot {
    const gp_option *option;
    void *values;
    int typed;    /* on the command line */
    int64_t line; /* of the config file, 0 = not there */
} slot;

typedef struct parser {
    slot *slot;
    int64_t count;
    int64_t capacity;
    const char *file; /* NULL while the command line is parsed */
    int64_t line;
} parser;

static int fail(const parser *p, gp_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(const parser *p, gp_err *err, const char *fmt, ...) {
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (p->file == NULL)
        return gp_err_set(err, GP_EINPUT, "command line: %s", text);
    return gp_err_set(err, GP_EINPUT, "%s:%lld: %s", p->file, (long long)p->line, text);
}

static int add_slots(parser *p, const gp_option *options, void *values, gp_err *err) {
    for (const gp_option *o = options; o->name != NULL; o++) {
        if (gp_mem_grow(&p->slot, &p->capacity, p->count + 1, sizeof *p->slot, err) != GP_OK)
            return err->code;
        p->slot[p->count++] = (slot){.option = o, .values = values};
    }
    return GP_OK;
}

static int has_name(const slot *s) {
    return s->option->type != GP_OPERAND && s->option->type != GP_HEADING;
}

static slot *find(const parser *p, const char *name, size_t n) {
    for (int64_t i = 0; i < p->count; i++) {
        slot *s = &p->slot[i];
        if (has_name(s) && strncmp(s->option->name, name, n) == 0 && s->option->name[n] == 0)
            return s;
    }
    return NULL;
}

/* dashes is "--" on the command line and "" in a config file. */
static int unknown(const parser *p, const char *dashes, const char *name, size_t n, gp_err *err) {
    int shown = n > 100 ? 100 : (int)n;
    size_t skip = strspn(name, "-"); /* a config file needs none, but may have them */
    gp_suggestion near = {.typed = name + skip, .length = (int64_t)n - (int64_t)skip};
    for (int64_t i = 0; i < p->count; i++)
        if (has_name(&p->slot[i]))
            gp_suggest(&near, p->slot[i].option->name);
    if (near.name != NULL)
        return fail(p, err, "unknown option '%s%.*s'; did you mean '%s%s'?", dashes, shown, name,
                    dashes, near.name);
    return fail(p, err, "unknown option '%s%.*s'; --help lists the options of this command", dashes,
                shown, name);
}

/* Sets one option and puts the place before what is wrong with the value. */
static int set(const parser *p, const slot *s, const char *typed, const char *text, gp_err *err) {
    gp_err wrong = {0};
    if (gp_option_set(s->option, s->values, typed, text, &wrong) != GP_OK)
        return fail(p, err, "%s", wrong.text);
    return GP_OK;
}

static int needs_value(const parser *p, const slot *s, const char *typed, gp_err *err) {
    char bounds[80];
    gp_option_bounds(s->option, bounds, sizeof bounds);
    const char *what = s->option->type == GP_CHOICE ? s->option->choices : s->option->argument;
    return fail(p, err, "%s needs a value: %s%s%s", typed, what ? what : "VALUE",
                bounds[0] ? " " : "", bounds);
}

/* ---- the command line ---- */

static int starts_option(const char *argument) {
    return argument[0] == '-' && argument[1] == '-';
}

static int parse_option(const parser *p, const gp_parse *parse, int *at, gp_err *err) {
    const char *typed = parse->argv[*at];
    if (strcmp(typed, "-h") == 0)
        typed = "--help";
    if (!starts_option(typed))
        return fail(p, err, "unknown option '%.100s'; options have long names, as in --help",
                    typed);
    const char *name = typed + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    slot *s = find(p, name, n);
    if (s == NULL)
        return unknown(p, "--", name, n, err);
    char shown[80];
    snprintf(shown, sizeof shown, "--%s", s->option->name);
    if (s->typed)
        return fail(p, err, "%s is given twice", shown);
    s->typed = 1;
    if (s->option->type == GP_FLAG) {
        if (equals != NULL)
            return fail(p, err, "%s takes no value", shown);
        return set(p, s, shown, "yes", err);
    }
    const char *value = equals ? equals + 1 : NULL;
    if (equals == NULL && *at + 1 < parse->argc && !starts_option(parse->argv[*at + 1]))
        value = parse->argv[++*at];
    if (value == NULL || value[0] == 0)
        return needs_value(p, s, shown, err);
    return set(p, s, shown, value, err);
}

static int parse_operand(const parser *p, const char *text, gp_err *err) {
    for (int64_t i = 0; i < p->count; i++) {
        slot *s = &p->slot[i];
        if (s->option->type != GP_OPERAND || s->typed)
            continue;
        s->typed = 1;
        if (text[0] == 0)
            return fail(p, err, "%s is empty", s->option->name);
        return set(p, s, s->option->name, text, err);
    }
    return fail(p, err, "'%.100s' is not expected here; option names start with --", text);
}

static int parse_command_line(const parser *p, const gp_parse *parse, gp_err *err) {
    int only_operands = 0;
    for (int i = parse->first; i < parse->argc && err->code == GP_OK; i++) {
        const char *argument = parse->argv[i];
        if (!only_operands && strcmp(argument, "--") == 0)
            only_operands = 1;
        else if (only_operands || argument[0] != '-')
            parse_operand(p, argument, err);
        else
            parse_option(p, parse, &i, err);
    }
    for (int64_t i = 0; i < p->count && !parse->common->help && !parse->common->version; i++) {
        const gp_option *o = p->slot[i].option;
        if (o->type == GP_OPERAND && !p->slot[i].typed && o->low >= 0)
            fail(p, err, "%s is missing: %s", o->name, o->help);
    }
    return err->code;
}

/* ---- the config file ---- */

static const char blanks[] = " \t\r\v\f";

/* Cuts blanks from both ends of a string that ends at `end`. */
static char *trim(char *s, char *end) {
    while (s < end && strchr(blanks, *s) != NULL)
        s++;
    while (end > s && strchr(blanks, end[-1]) != NULL)
        end--;
    *end = 0;
    return s;
}

static int cut_value(const parser *p, char *s, char **value, gp_err *err) {
    s += strspn(s, blanks);
    if (*s == '"') {
        char *close = strchr(s + 1, '"');
        if (close == NULL)
            return fail(p, err, "a closing '\"' is missing");
        char *rest = close + 1 + strspn(close + 1, blanks);
        if (*rest != 0 && (*rest != '#' || rest == close + 1))
            return fail(p, err, "'%.100s' stands behind the closing '\"'", rest);
        *close = 0;
        *value = s + 1;
        return GP_OK;
    }
    char *end = s;
    while (*end != 0 && (*end != '#' || strchr(blanks, end[-1]) == NULL))
        end++;
    *value = trim(s, end);
    return GP_OK;
}

static int only_typed(const slot *s) {
    const char *name = s->option->name;
    return strcmp(name, "config") == 0 || strcmp(name, "help") == 0 || strcmp(name, "version") == 0;
}

static int parse_setting(const parser *p, char *name, char *value, gp_err *err) {
    slot *s = find(p, name, strlen(name));
    if (s == NULL)
        return unknown(p, "", name, strlen(name), err);
    if (only_typed(s))
        return fail(p, err, "'%s' belongs on the command line, not in a config file", name);
    if (s->line != 0)
        return fail(p, err, "'%s' is given twice, first in line %lld", name, (long long)s->line);
    s->line = p->line;
    if (value[0] == 0)
        return needs_value(p, s, name, err);
    if (!s->typed)
        return set(p, s, name, value, err);
    /* The command line has said it: the value is checked, and dropped. */
    union {
        int flag;
        int64_t whole;
        double real;
        const char *text;
    } dropped;
    gp_option option = *s->option;
    option.offset = 0;
    slot check = {.option = &option, .values = &dropped};
    return set(p, &check, name, value, err);
}

static int parse_line(const parser *p, char *line, gp_err *err) {
    line = trim(line, line + strlen(line));
    if (line[0] == 0 || line[0] == '#')
        return GP_OK;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return fail(p, err, "'%.100s' has no '='; a line is: option = value", line);
    char *value = NULL;
    if (cut_value(p, equals + 1, &value, err) != GP_OK)
        return err->code;
    char *name = trim(line, equals);
    if (name[0] == 0)
        return fail(p, err, "nothing stands before '='; a line is: option = value");
    return parse_setting(p, name, value, err);
}

static int parse_config(parser *p, char *text, gp_err *err) {
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    for (char *next = text; next != NULL && err->code == GP_OK;) {
        char *line = next, *end = strchr(line, '\n');
        next = end ? end + 1 : NULL;
        if (end != NULL)
            *end = 0;
        p->line++;
        parse_line(p, line, err);
    }
    return err->code;
}

int gp_options_parse(const gp_parse *parse, gp_err *err) {
    parser p = {0};
    if (add_slots(&p, parse->options, parse->values, err) != GP_OK ||
        add_slots(&p, gp_common_options, parse->common, err) != GP_OK ||
        parse_command_line(&p, parse, err) != GP_OK)
        goto done;
    if (parse->config_text != NULL) {
        p.file = parse->common->config;
        parse_config(&p, parse->config_text, err);
    }
done:
    free(p.slot);
    return err->code;
}

/* ---- what must be known before parsing ---- */

const char *gp_options_find_config(int argc, char **argv, int first) {
    for (int i = first; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--config") == 0)
            return i + 1 < argc && !starts_option(argv[i + 1]) ? argv[i + 1] : NULL;
        if (strncmp(argv[i], "--config=", 9) == 0)
            return argv[i] + 9;
    }
    return NULL;
}

int gp_options_find_flag(int argc, char **argv, int first, const char *name) {
    for (int i = first; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "-h") == 0 && strcmp(name, "help") == 0)
            return 1;
        if (starts_option(argv[i]) && strcmp(argv[i] + 2, name) == 0)
            return 1;
    }
    return 0;
}
