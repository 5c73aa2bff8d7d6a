#include "jobs/words.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static int add(gp_words *words, const char *from, int64_t length, const char *option, gp_err *err) {
    if (length == 0)
        return gp_err_set(err, GP_EINPUT,
                          "command line: %s: an empty name; expected names with a comma between",
                          option);
    for (int64_t k = 0; k < words->count; k++)
        if ((int64_t)strlen(words->word[k]) == length &&
            memcmp(words->word[k], from, (size_t)length) == 0)
            return gp_err_set(err, GP_EINPUT, "command line: %s: '%.300s' is named twice", option,
                              words->word[k]);
    char *word = gp_mem_string(from, length, err);
    if (word != NULL)
        words->word[words->count++] = word;
    return err->code;
}

int gp_words_cut(gp_words *words, const char *list, const char *option, gp_err *err) {
    int64_t most = 1;
    if (list == NULL)
        return GP_OK;
    for (const char *c = list; *c != 0; c++)
        most += *c == ',';
    words->word = gp_mem_alloc(most, sizeof *words->word, err);
    while (list != NULL && err->code == GP_OK) {
        const char *comma = strchr(list, ',');
        add(words, list, comma != NULL ? comma - list : (int64_t)strlen(list), option, err);
        list = comma != NULL ? comma + 1 : NULL;
    }
    return err->code;
}

void gp_words_free(gp_words *words) {
    for (int64_t k = 0; k < words->count; k++)
        free(words->word[k]);
    free(words->word);
    *words = (gp_words){0};
}
