#include "io/manifest.h"
#include "io/file.h"
#include "io/json.h"
#include "src/base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char FORMAT[] = "gp-dist run 1";

/* ---- memory ---- */

static void free_outputs(gp_manifest_step *step) {
    for (int64_t k = 0; k < step->outputs; k++)
        free(step->output[k].path);
    free(step->output);
    step->output = NULL;
    step->outputs = step->capacity = 0;
}

void gp_manifest_free(gp_manifest *manifest) {
    for (int64_t k = 0; k < manifest->options; k++) {
        free(manifest->option[k].name);
        free(manifest->option[k].value);
    }
    for (int64_t k = 0; k < manifest->steps; k++) {
        free_outputs(&manifest->step[k]);
        free(manifest->step[k].name);
        free(manifest->step[k].command);
    }
    free(manifest->version);
    free(manifest->option);
    free(manifest->step);
    *manifest = (gp_manifest){0};
}

static char *copy(const char *s, gp_err *err) {
    return gp_mem_string(s, (int64_t)strlen(s), err);
}

int gp_manifest_option_add(gp_manifest *manifest, const char *name, const char *value,
                           gp_err *err) {
    if (gp_mem_grow(&manifest->option, &manifest->option_capacity, manifest->options + 1,
                    sizeof *manifest->option, err) != GP_OK)
        return err->code;
    gp_manifest_option *option = &manifest->option[manifest->options++];
    *option = (gp_manifest_option){copy(name, err), copy(value, err)};
    return err->code;
}

const char *gp_manifest_option_get(const gp_manifest *manifest, const char *name) {
    for (int64_t k = 0; k < manifest->options; k++)
        if (strcmp(manifest->option[k].name, name) == 0)
            return manifest->option[k].value;
    return NULL;
}

gp_manifest_step *gp_manifest_find(const gp_manifest *manifest, const char *name) {
    for (int64_t k = 0; k < manifest->steps; k++)
        if (strcmp(manifest->step[k].name, name) == 0)
            return &manifest->step[k];
    return NULL;
}

gp_manifest_step *gp_manifest_begin(gp_manifest *manifest, const char *name, const char *command,
                                    const char *digest, gp_err *err) {
    gp_manifest_step *step = gp_manifest_find(manifest, name);
    char *words = copy(command, err), *title = step == NULL ? copy(name, err) : NULL;
    if (step == NULL && err->code == GP_OK &&
        gp_mem_grow(&manifest->step, &manifest->step_capacity, manifest->steps + 1,
                    sizeof *manifest->step, err) == GP_OK) {
        step = &manifest->step[manifest->steps++];
        *step = (gp_manifest_step){.name = title};
        title = NULL;
    }
    free(title);
    if (err->code != GP_OK) {
        free(words);
        return NULL;
    }
    free_outputs(step);
    free(step->command);
    step->command = words;
    step->finished = 0;
    step->ranks = 0;
    step->seconds = 0.0;
    strncpy(step->digest, digest, sizeof step->digest - 1);
    return step;
}

void gp_manifest_remove(gp_manifest *manifest, int64_t k) {
    gp_manifest_step *step = &manifest->step[k];
    free_outputs(step);
    free(step->name);
    free(step->command);
    manifest->steps--;
    memmove(step, step + 1, (size_t)(manifest->steps - k) * sizeof *step);
}

/* ---- files ---- */

/* -1: there is no such file. */
static int look(const char *directory, const char *path, gp_manifest_output *found, gp_err *err) {
    struct stat about;
    gp_text whole = {0};
    int there = gp_text_print(&whole, err, "%s/%s", directory, path) == GP_OK &&
                stat(whole.bytes, &about) == 0 && S_ISREG(about.st_mode);
    gp_text_free(&whole);
    if (!there)
        return -1;
    found->bytes = (int64_t)about.st_size;
    found->modified = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
    return 0;
}

int gp_manifest_add(gp_manifest_step *step, const char *directory, const char *path,
                    const char *md5, gp_err *err) {
    gp_manifest_output output = {0};
    if (look(directory, path, &output, err) != 0)
        return gp_err_set(err, GP_EINPUT, "%s/%s: is not there", directory, path);
    if (gp_mem_grow(&step->output, &step->capacity, step->outputs + 1, sizeof *step->output, err) !=
        GP_OK)
        return err->code;
    output.path = copy(path, err);
    strncpy(output.md5, md5, sizeof output.md5 - 1);
    if (output.path != NULL)
        step->output[step->outputs++] = output;
    return err->code;
}

/* Whether content is as it was, where the time is another. */
static int same_content(gp_manifest_output *was, const gp_manifest_output *is,
                        const char *directory, gp_err *err) {
    gp_text whole = {0};
    char md5[33] = "";
    if (gp_text_print(&whole, err, "%s/%s", directory, was->path) == GP_OK)
        gp_io_md5_file(whole.bytes, md5, err);
    gp_text_free(&whole);
    if (err->code != GP_OK || strcmp(md5, was->md5) != 0)
        return 0;
    was->modified = is->modified;
    return 1;
}

const char *gp_manifest_altered(gp_manifest_step *step, const char *directory, int *gone,
                                gp_err *err) {
    for (int64_t k = 0; k < step->outputs && err->code == GP_OK; k++) {
        gp_manifest_output *was = &step->output[k], is = {0};
        int64_t before = was->modified;
        *gone = look(directory, was->path, &is, err) != 0;
        if (*gone || is.bytes != was->bytes ||
            (is.modified != was->modified && !same_content(was, &is, directory, err)))
            return was->path;
        step->touched |= is.modified != before;
    }
    return NULL;
}

/* ---- writing ---- */

static void print_output(gp_text *to, const gp_manifest_output *output, gp_err *err) {
    gp_text_print(to, err, "        {\"path\": ");
    gp_json_string(to, output->path, err);
    gp_text_print(to, err, ", \"bytes\": %lld, \"modified\": %lld, \"md5\": \"%s\"}",
                  (long long)output->bytes, (long long)output->modified, output->md5);
}

static void print_step(gp_text *to, const gp_manifest_step *step, gp_err *err) {
    gp_text_print(to, err, "    {\"name\": ");
    gp_json_string(to, step->name, err);
    gp_text_print(to, err, ",\n      \"command\": ");
    gp_json_string(to, step->command, err);
    gp_text_print(to, err,
                  ",\n      \"digest\": \"%s\", \"finished\": %s, \"ranks\": %lld, \"seconds\": ",
                  step->digest, step->finished ? "true" : "false", (long long)step->ranks);
    gp_json_real(to, step->seconds, err);
    gp_text_print(to, err, ",\n      \"outputs\": [");
    for (int64_t k = 0; k < step->outputs; k++) {
        gp_text_print(to, err, k > 0 ? ",\n" : "\n");
        print_output(to, &step->output[k], err);
    }
    gp_text_print(to, err, "]}");
}

int gp_manifest_write(const gp_manifest *manifest, const char *directory, gp_err *err) {
    gp_text to = {0}, path = {0};
    gp_text_print(&to, err, "{\n  \"format\": \"%s\",\n  \"version\": ", FORMAT);
    gp_json_string(&to, manifest->version != NULL ? manifest->version : "", err);
    gp_text_print(&to, err, ",\n  \"options\": {");
    for (int64_t k = 0; k < manifest->options; k++) {
        gp_text_print(&to, err, k > 0 ? ",\n    " : "\n    ");
        gp_json_string(&to, manifest->option[k].name, err);
        gp_text_print(&to, err, ": ");
        gp_json_string(&to, manifest->option[k].value, err);
    }
    gp_text_print(&to, err, "\n  },\n  \"steps\": [");
    for (int64_t k = 0; k < manifest->steps; k++) {
        gp_text_print(&to, err, k > 0 ? ",\n" : "\n");
        print_step(&to, &manifest->step[k], err);
    }
    gp_text_print(&to, err, "\n  ]\n}\n");
    if (err->code == GP_OK && gp_text_print(&path, err, "%s/manifest.json", directory) == GP_OK)
        gp_io_write_file(path.bytes, to.bytes, to.length, err);
    gp_text_free(&path);
    gp_text_free(&to);
    return err->code;
}

/* ---- reading ---- */

static int foreign(const char *path, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: is not a manifest of gp-dist run: the directory belongs to something "
                      "else; name another --out",
                      path);
}

static int damaged(const char *path, gp_err *err) {
    return gp_err_set(err, GP_EINPUT,
                      "%s: is not a manifest of this program; give --restart to start afresh, or "
                      "another --out",
                      path);
}

static void take_hex(char to[33], const json_t *from) {
    const char *s = json_string_value(from);
    if (s != NULL && strlen(s) == 32)
        memcpy(to, s, 33);
}

static int take_output(gp_manifest_step *step, json_t *from, const char *path, gp_err *err) {
    const char *name = json_string_value(json_object_get(from, "path"));
    if (name == NULL)
        return damaged(path, err);
    if (gp_mem_grow(&step->output, &step->capacity, step->outputs + 1, sizeof *step->output, err) !=
        GP_OK)
        return err->code;
    gp_manifest_output *output = &step->output[step->outputs];
    *output = (gp_manifest_output){
        .path = copy(name, err),
        .bytes = (int64_t)json_integer_value(json_object_get(from, "bytes")),
        .modified = (int64_t)json_integer_value(json_object_get(from, "modified"))};
    take_hex(output->md5, json_object_get(from, "md5"));
    step->outputs += output->path != NULL;
    return err->code;
}

static int take_step(gp_manifest *manifest, json_t *from, const char *path, gp_err *err) {
    const char *name = json_string_value(json_object_get(from, "name")),
               *command = json_string_value(json_object_get(from, "command"));
    char digest[33] = "";
    take_hex(digest, json_object_get(from, "digest"));
    if (name == NULL || command == NULL || gp_manifest_find(manifest, name) != NULL)
        return damaged(path, err);
    gp_manifest_step *step = gp_manifest_begin(manifest, name, command, digest, err);
    json_t *outputs = json_object_get(from, "outputs");
    if (step == NULL)
        return err->code;
    step->finished = json_is_true(json_object_get(from, "finished"));
    step->ranks = (int64_t)json_integer_value(json_object_get(from, "ranks"));
    step->seconds = json_number_value(json_object_get(from, "seconds"));
    for (size_t k = 0; k < json_array_size(outputs) && err->code == GP_OK; k++)
        take_output(step, json_array_get(outputs, k), path, err);
    return err->code;
}

static int take(gp_manifest *manifest, json_t *root, const char *path, gp_err *err) {
    const char *format = json_string_value(json_object_get(root, "format")),
               *version = json_string_value(json_object_get(root, "version")), *name;
    json_t *options = json_object_get(root, "options"), *steps = json_object_get(root, "steps"),
           *value;
    if (format == NULL || strncmp(format, FORMAT, sizeof FORMAT - 2) != 0)
        return foreign(path, err);
    if (strcmp(format, FORMAT) != 0 || version == NULL)
        return damaged(path, err);
    manifest->version = copy(version, err);
    json_object_foreach(options, name, value) {
        if (!json_is_string(value))
            return damaged(path, err);
        if (err->code == GP_OK)
            gp_manifest_option_add(manifest, name, json_string_value(value), err);
    }
    for (size_t k = 0; k < json_array_size(steps) && err->code == GP_OK; k++)
        take_step(manifest, json_array_get(steps, k), path, err);
    return err->code;
}

int gp_manifest_read(gp_manifest *manifest, const char *directory, int *there, gp_err *err) {
    gp_text path = {0}, text = {0};
    *there = 0;
    if (gp_text_print(&path, err, "%s/manifest.json", directory) == GP_OK &&
        access(path.bytes, F_OK) == 0 && gp_io_read_text(path.bytes, &text, err) == GP_OK) {
        json_t *root = gp_json_parse(path.bytes, text.bytes, text.length, err);
        *there = 1;
        const char *format = json_string_value(json_object_get(root, "format"));
        if (root != NULL && (format == NULL || strncmp(format, FORMAT, sizeof FORMAT - 2) != 0))
            *there = -1;
        if (root != NULL)
            take(manifest, root, path.bytes, err);
        json_decref(root);
    }
    gp_text_free(&text);
    gp_text_free(&path);
    return err->code;
}
