/** A few samples for tests of lists and tables. */
#ifndef GP_TESTS_IO_SOME_SAMPLES_H
#define GP_TESTS_IO_SOME_SAMPLES_H

#include "io/store.h"

/* The samples "F0 I0", "F1 I1" …, and last "F0 I1": so the IID I1 is borne twice. */
static inline void some_samples(gp_samples *s, int n) {
    gp_err err = {0};
    for (int i = 0; i <= n; i++) {
        char fid[16], iid[16];
        snprintf(fid, sizeof fid, "F%d", i < n ? i : 0);
        snprintf(iid, sizeof iid, "I%d", i < n ? i : 1);
        gp_sample sample = {.fid = fid, .iid = iid, .father = "0", .mother = "0"};
        assert_int_equal(gp_samples_add(s, &sample, &err), GP_OK);
    }
}

/* Text as a file would give it. */
static inline gp_text text_of(const char *s) {
    gp_err err = {0};
    gp_text text = {0};
    assert_int_equal(gp_text_add(&text, s, (int64_t)strlen(s), &err), GP_OK);
    return text;
}

/* Bytes that look like a table or a list often enough to reach deep. state: any number but 0. */
static inline void random_bytes(gp_text *text, uint64_t *state) {
    static const char *const word[] = {
        "FID", "IID", "#IID", "I1",           "F1",  "\t", "\t", "\t", " ",
        "\n",  "\n",  "\n",   "\r\n",         "NA",  "x",  "y",  ",",  "-9",
        "1e5", ".5",  "1.",   "\xEF\xBB\xBF", "chr", "X",  "inf"};
    gp_err err = {0};
    text->length = 0;
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    int words = (int)(*state >> 58);
    if (*state >> 40 & 1)
        gp_text_print(text, &err, "%s", *state >> 41 & 1 ? "FID\tIID\tx\ny\t" : "IID x\n");
    for (int k = 0; k < words; k++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        uint64_t r = *state >> 33;
        const char *w = word[r % (sizeof word / sizeof word[0])];
        char byte = (char)(r >> 8);
        if (r >> 16 & 15)
            gp_text_add(text, w, (int64_t)strlen(w), &err);
        else
            gp_text_add(text, &byte, 1, &err);
    }
    assert_int_equal(err.code, GP_OK);
}

#endif
