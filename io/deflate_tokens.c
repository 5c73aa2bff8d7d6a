#include "io/deflate_private.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Which of 64 bytes are control characters (tabs and line ends, in a table): below 16. */
static inline uint64_t find_separators(const uint8_t *text);

/* Which of 64 bytes are the same as those `distance` before. */
static inline uint64_t find_same(const uint8_t *bytes, int64_t distance);

#if defined(__SSE2__)
static inline __m128i load_16(const uint8_t *from) {
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline uint64_t find_separators(const uint8_t *text) {
    uint64_t found = 0;
    for (int k = 0; k < 64; k += 16) {
        __m128i high = _mm_and_si128(load_16(text + k), _mm_set1_epi8((char)0xF0));
        int set = _mm_movemask_epi8(_mm_cmpeq_epi8(high, _mm_setzero_si128()));
        found |= (uint64_t)(uint32_t)set << k;
    }
    return found;
}

static inline uint64_t find_same(const uint8_t *bytes, int64_t distance) {
    uint64_t found = 0;
    for (int k = 0; k < 64; k += 16) {
        int set =
            _mm_movemask_epi8(_mm_cmpeq_epi8(load_16(bytes + k), load_16(bytes + k - distance)));
        found |= (uint64_t)(uint32_t)set << k;
    }
    return found;
}
#else
/* The lowest bits of 64 bytes, the others 0: a product gathers eight in its highest byte. */
static inline uint64_t gather(const uint8_t *bit) {
    uint64_t found = 0;
    for (int k = 0; k < 64; k += 8)
        found |= (load(bit + k) * 0x0102040810204080u >> 56) << k;
    return found;
}

static inline uint64_t find_separators(const uint8_t *text) {
    uint8_t bit[64];
    for (int k = 0; k < 64; k++)
        bit[k] = text[k] < 16;
    return gather(bit);
}

static inline uint64_t find_same(const uint8_t *bytes, int64_t distance) {
    uint8_t bit[64];
    for (int k = 0; k < 64; k++)
        bit[k] = bytes[k] == bytes[k - distance];
    return gather(bit);
}
#endif

/* How many bytes agree at two places before `end`, LONGEST at most; a few less near the end: only
 * what was compared counts. */
static inline int64_t match_length(const uint8_t *text, int64_t a, int64_t b, int64_t end) {
    int64_t n = 0;
    for (; b + n + 16 <= end && n < LONGEST; n += 16) {
        uint64_t low = load(text + a + n) ^ load(text + b + n);
        uint64_t high = load(text + a + n + 8) ^ load(text + b + n + 8);
        /* Nearly all end here, without a branch for which half it was in. */
        if ((low | high) != 0) {
            int64_t more = n + (low != 0 ? 0 : 8) + __builtin_ctzll(low != 0 ? low : high) / 8;
            return more < LONGEST ? more : LONGEST;
        }
    }
    return n < LONGEST ? n : LONGEST;
}

/* Reads and writes up to 31 beyond n. */
static inline uint16_t *add_literals(uint16_t *token, const uint8_t *text, int64_t n) {
    for (int64_t at = 0; at < n; at += 32)
        for (int k = 0; k < 32; k++)
            token[at + k] = text[at + k];
    return token + n;
}

/* 3.2.5: a distance's symbol says its two highest bits, extra bits the others, lowest first. */
static inline uint16_t *add_match(uint16_t *token, int64_t length, int64_t distance) {
    uint32_t x = (uint32_t)distance - 1;
    int extra = 30 - __builtin_clz(x);
    uint32_t value = x & ((1u << extra) - 1);
    int first = extra < RAW_BITS ? extra : RAW_BITS;
    token[0] = (uint16_t)(LENGTH + length);
    token[1] = (uint16_t)(DISTANCE + 2 * (uint32_t)extra + (x >> extra));
    token[2] = raw(first, value & ((1u << first) - 1));
    token[3] = raw(extra - first, value >> first); /* overwritten where there is none */
    return token + 3 + (extra > RAW_BITS);
}

/* Where a field with this one's first bytes began last (0 where none did); notes this one. */
static inline int64_t look_up(gp_deflate *s, const uint8_t *text, int64_t at) {
    uint16_t *slot = &s->last[load(text + at) * 0x9E3779B97F4A7C15u >> (64 - HASH_BITS)];
    int64_t before = *slot;
    *slot = (uint16_t)at;
    return before;
}

/* What stands behind the last repeat, and the end. Returns how many tokens there are. */
static int64_t add_rest(const gp_deflate *s, uint16_t *token, const uint8_t *text, int64_t done,
                        int64_t n) {
    /* Literals are copied 32 at a time, which must not read beyond the text. */
    int64_t most = (n - done) & ~(int64_t)31;
    token = add_literals(token, text + done, most);
    for (done += most; done < n; done++)
        *token++ = text[done];
    *token++ = END;
    return token - s->token;
}

int64_t gp_deflate_find(gp_deflate *s, const uint8_t *text, int64_t n) {
    uint16_t *token = s->token;
    int64_t done = 0;
    memset(s->last, 0, sizeof s->last);
    for (int64_t base = 0; base + 64 + 32 <= n; base += 64) {
        uint64_t found = find_separators(text + base);
        if (done > base)
            found &= done - base < 64 ? ~(uint64_t)0 << (done - base) : 0;
        while (found != 0) {
            int64_t at = base + __builtin_ctzll(found);
            found &= found - 1;
            int64_t before = look_up(s, text, at);
            /* Fewer than eight bytes would gain little, and be there or not as chance will: the
             * CPU could not foresee this branch. */
            if (load(text + at) != load(text + before) || at - before > WINDOW ||
                at - before < NEAREST)
                continue;
            int64_t length = match_length(text, before, at, n);
            token = add_literals(token, text + done, at - done);
            token = add_match(token, length, at - before);
            done = at + length;
            found &= done - base < 64 ? ~(uint64_t)0 << (done - base) : 0;
        }
    }
    return add_rest(s, token, text, done, n);
}

/* How many bits are set in a row from bit `at` on, 63 at most. */
static inline int64_t count_row(uint64_t set, int at) {
    return __builtin_ctzll(~(set >> at) | (uint64_t)1 << 63);
}

/* 64 bytes of which those `distance` before have been compared, for each of the distances. */
enum { NUMBERS = 3, BEHIND = 8 * NUMBERS, STARTS = 56 /* bytes where a repeat may begin */ };

/* Where, of the bytes that same tells of, a repeat of at least three bytes begins. */
static inline uint64_t find_repeats(const uint8_t *bytes, uint64_t same[NUMBERS]) {
    uint64_t found = 0;
    for (int k = 0; k < NUMBERS; k++) {
        same[k] = find_same(bytes, 8 * (k + 1));
        found |= same[k] & same[k] >> 1 & same[k] >> 2;
    }
    return found & (((uint64_t)1 << STARTS) - 1);
}

/* The longest repeat at byte `first` of those, the nearest of equal ones. */
static inline int64_t longest_repeat(const uint64_t same[NUMBERS], int first, int64_t *distance) {
    int64_t best = 0;
    for (int k = 0; k < NUMBERS; k++) {
        int64_t length = count_row(same[k], first);
        *distance = length > best ? 8 * (k + 1) : *distance;
        best = length > best ? length : best;
    }
    return best;
}

int64_t gp_deflate_find_numbers(gp_deflate *s, const uint8_t *bytes, int64_t n) {
    uint16_t *token = s->token;
    int64_t done = 0;
    for (int64_t at = BEHIND; at + 64 + 32 <= n; at = done > at + STARTS ? done : at + STARTS) {
        uint64_t same[NUMBERS], found = find_repeats(bytes + at, same);
        while (found != 0) {
            int first = __builtin_ctzll(found);
            int64_t distance = 8, length = longest_repeat(same, first, &distance);
            /* It may go on beyond what was compared. */
            if (first + length >= 63)
                length = match_length(bytes, at + first - distance, at + first, n);
            token = add_literals(token, bytes + done, at + first - done);
            token = add_match(token, length, distance);
            done = at + first + length;
            found &= first + length < 64 ? ~(uint64_t)0 << (first + length) : 0;
        }
    }
    return add_rest(s, token, bytes, done, n);
}
