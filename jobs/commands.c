#include "jobs/command.h"
#include "jobs/suggest.h"

#include <stdio.h>
#include <string.h>

const char gp_version[] = GP_VERSION;

extern const gp_command gp_command_import, gp_command_info, gp_command_simulate, gp_command_grm,
    gp_command_pca, gp_command_assoc, gp_command_blup, gp_command_train, gp_command_predict,
    gp_command_explain, gp_command_merge, gp_command_run, gp_command_report;

const gp_command *const gp_commands[] = {&gp_command_import,   &gp_command_info,
                                         &gp_command_simulate, &gp_command_grm,
                                         &gp_command_pca,      &gp_command_assoc,
                                         &gp_command_blup,     &gp_command_train,
                                         &gp_command_predict,  &gp_command_explain,
                                         &gp_command_merge,    &gp_command_run,
                                         &gp_command_report,   NULL};

const gp_command *gp_command_find(const char *name) {
    for (int i = 0; gp_commands[i] != NULL; i++)
        if (strcmp(gp_commands[i]->name, name) == 0)
            return gp_commands[i];
    return NULL;
}

static const gp_option *find_common(const char *name, size_t n) {
    for (const gp_option *o = gp_common_options; o->name != NULL; o++)
        if (strncmp(o->name, name, n) == 0 && o->name[n] == 0)
            return o;
    return NULL;
}

static int unknown_before(const char *argument, size_t n, gp_err *err) {
    gp_suggestion near = {.typed = argument, .length = (int64_t)n};
    while (near.length > 0 && near.typed[0] == '-') {
        near.typed++;
        near.length--;
    }
    for (const gp_option *o = gp_common_options; o->name != NULL; o++)
        gp_suggest(&near, o->name);
    if (near.name != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: unknown option '%.*s'; did you mean '--%s'?",
                          n > 100 ? 100 : (int)n, argument, near.name);
    return gp_err_set(err, GP_EINPUT,
                      "command line: unknown option '%.*s' before the command; a command's options "
                      "follow its name",
                      n > 100 ? 100 : (int)n, argument);
}

int gp_command_place(int argc, char **argv, int *at, gp_err *err) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-h") == 0)
            continue;
        int dashes = argv[i][1] == '-' ? 2 : 1;
        const char *name = argv[i] + dashes, *equals = strchr(name, '=');
        size_t n = equals ? (size_t)(equals - name) : strlen(name);
        const gp_option *o = dashes == 2 ? find_common(name, n) : NULL;
        if (o == NULL)
            return unknown_before(argv[i], (size_t)dashes + n, err);
        i += o->type != GP_FLAG && equals == NULL && i + 1 < argc;
    }
    *at = i < argc ? i : argc;
    return GP_OK;
}

int gp_command_unknown(const char *name, gp_err *err) {
    char all[256] = "";
    size_t used = 0;
    gp_suggestion near = {.typed = name, .length = (int64_t)strlen(name)};
    for (int i = 0; gp_commands[i] != NULL && used < sizeof all; i++) {
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "",
                                 gp_commands[i]->name);
        gp_suggest(&near, gp_commands[i]->name);
    }
    if (near.name != NULL)
        return gp_err_set(err, GP_EINPUT,
                          "command line: unknown command '%.100s'; did you mean '%s'? There are %s",
                          name, near.name, all);
    return gp_err_set(err, GP_EINPUT, "command line: unknown command '%.100s'; there are %s", name,
                      all);
}
