/** How kernels list the samples whose call is missing, in plain C. Private to src/geno.
 *
 *  A word holds 32 calls; here its even bits say which of them are missing. The words that have any
 *  are put side by side first, without a branch; then three numbers are written for each, whether
 *  it has three or not: the next word writes over what was too much. So a row with a missing
 *  call here and there costs no mispredicted branch. Source of the idea: Langdale and Lemire 2019,
 *  VLDB J 28:941 (3.1.3).
 */
#ifndef GP_SRC_GENO_KERNEL_LIST_H
#define GP_SRC_GENO_KERNEL_LIST_H

#include <stdint.h>
#include <string.h>

#define GP_LIST_INLINE __attribute__((always_inline)) static inline

enum { GP_LIST_WORDS = 128, GP_LIST_BYTES = 8 * GP_LIST_WORDS };

typedef struct gp_list {
    uint64_t word[GP_LIST_WORDS + 8]; /* with room for a whole vector behind the last */
    int64_t first[GP_LIST_WORDS + 8]; /* the word's first sample */
    int64_t words;
} gp_list;

/** The first sample of a word; any number where it is 0. */
GP_LIST_INLINE int32_t gp_list_lowest(int64_t first, uint64_t word) {
    return (int32_t)((uint64_t)first + ((unsigned)__builtin_ctzll(word | (uint64_t)1 << 63) >> 1));
}

/** 1 where a word is not 0, in arithmetic: compilers make a branch of the comparison. */
GP_LIST_INLINE uint64_t gp_list_some(uint64_t word) {
    return (word | (0 - word)) >> 63;
}

/** Writes the samples of words that are not 0; returns the end. */
GP_LIST_INLINE int32_t *gp_list_write(const gp_list *list, int32_t *to) {
    int64_t roomy = list->words - 2; /* as many words follow as places may be written too much */
    for (int64_t i = 0; i < list->words; i++) {
        int64_t first = list->first[i];
        uint64_t w = list->word[i];
        if (i < roomy) {
            uint64_t v = w & (w - 1), u = v & (v - 1);
            to[0] = gp_list_lowest(first, w);
            to[1] = gp_list_lowest(first, v);
            to[2] = gp_list_lowest(first, u);
            to += 1 + gp_list_some(v) + gp_list_some(u);
            w = u & (u - 1);
        }
        for (; w != 0; w &= w - 1)
            *to++ = gp_list_lowest(first, w);
    }
    return to;
}

/** The words of up to GP_LIST_BYTES bytes that are not 0; first is their first sample. */
GP_LIST_INLINE void gp_list_find(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                                 int64_t first, gp_list *list) {
    for (int64_t k = 0; k < bytes / 8; k++) {
        uint64_t g, m;
        memcpy(&g, row + 8 * k, sizeof g);
        memcpy(&m, mask + 8 * k, sizeof m);
        list->word[k] = g & g >> 1 & m;
    }
    int64_t words = 0;
    for (int64_t k = 0; k < bytes / 8; k++) {
        uint64_t w = list->word[k];
        list->word[words] = w;
        list->first[words] = first + 32 * k;
        words += (int64_t)gp_list_some(w);
    }
    list->words = words;
}

GP_LIST_INLINE int64_t gp_list_missing(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                                       int32_t *sample) {
    int32_t *to = sample;
    for (int64_t at = 0; at < bytes; at += GP_LIST_BYTES) {
        gp_list list;
        int64_t part = bytes - at < GP_LIST_BYTES ? bytes - at : GP_LIST_BYTES;
        gp_list_find(row + at, mask + at, part, 4 * at, &list);
        to = gp_list_write(&list, to);
    }
    return to - sample;
}

#endif
