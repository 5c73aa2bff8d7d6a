#include "io/json.h"
#include "src/base/mem.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson asks for memory without saying for whom: the call in hand of this thread. */
static _Thread_local gp_err *caller;

static void *take(size_t n) {
    gp_err none = {0};
    return gp_mem_alloc((int64_t)n, 1, caller != NULL ? caller : &none);
}

static void set_memory(void) {
    json_set_alloc_funcs(take, free);
}

static void begin(gp_err *memory) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_memory);
    caller = memory;
}

struct json_t *gp_json_parse(const char *path, const char *bytes, int64_t n, gp_err *err) {
    gp_err memory = {0};
    json_error_t why;
    begin(&memory);
    json_t *root = json_loadb(bytes, (size_t)n, JSON_REJECT_DUPLICATES, &why);
    caller = NULL;
    if (memory.code != GP_OK) {
        json_decref(root);
        gp_err_set(err, memory.code, "%s: %s", path, memory.text);
        return NULL;
    }
    if (root == NULL)
        gp_err_set(err, GP_EINPUT, "%s:%d: is not JSON: %s", path, why.line, why.text);
    return root;
}

static int add_piece(const char *bytes, size_t n, void *to) {
    return gp_text_add(to, bytes, (int64_t)n, caller) == GP_OK ? 0 : -1;
}

int gp_json_string(gp_text *to, const char *s, gp_err *err) {
    gp_err memory = {0};
    int64_t start = to->length;
    begin(&memory);
    json_t *string = json_string(s);
    int failed = string == NULL || json_dump_callback(string, add_piece, to, JSON_ENCODE_ANY) != 0;
    json_decref(string);
    caller = NULL;
    if (!failed)
        return GP_OK;
    to->length = start;
    if (memory.code != GP_OK)
        return gp_err_set(err, memory.code, "%s", memory.text);
    return gp_err_set(err, GP_EINPUT,
                      "the name '%.60s' is not UTF-8, which JSON needs; rename it in its table", s);
}

int gp_json_real(gp_text *to, double value, gp_err *err) {
    char digits[40];
    if (!isfinite(value))
        return gp_err_set(err, GP_EFAIL, "a number that is not finite cannot be written as JSON");
    if (value == 0.0 && signbit(value))
        return gp_text_add(to, "-0.0", 4, err); /* as an integer, -0 would be 0 */
    for (int k = 15; k <= 17; k++) {
        snprintf(digits, sizeof digits, "%.*g", k, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    return gp_text_add(to, digits, (int64_t)strlen(digits), err);
}
