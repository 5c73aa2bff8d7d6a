#include "io/events.h"

#include <string.h>

enum {
    HEAD = 12, /* of a record: length and its check sum */
    TAIL = 4,
    LARGEST_WHOLE = 10 /* bytes of a whole number */
};

/* ---- records ---- */

/* Castagnoli's polynomial, lowest bit first, four bits at a time: events are few and small. */
static uint32_t masked_crc(const char *bytes, int64_t n) {
    uint32_t table[16], x = ~0u;
    for (uint32_t k = 0; k < 16; k++) {
        table[k] = k;
        for (int bit = 0; bit < 4; bit++)
            table[k] = table[k] >> 1 ^ (table[k] & 1 ? 0x82F63B78u : 0);
    }
    for (int64_t k = 0; k < n; k++) {
        x ^= (unsigned char)bytes[k];
        x = x >> 4 ^ table[x & 15];
        x = x >> 4 ^ table[x & 15];
    }
    x = ~x;
    return (x >> 15 | x << 17) + 0xA282EAD8u; /* record_writer.h: so that sums of sums differ */
}

static char *put(char *to, uint64_t value, int bytes) {
    for (int k = 0; k < bytes; k++)
        *to++ = (char)(value >> (8 * k) & 0xFF);
    return to;
}

/* A record whose n bytes of content stand behind the room for its head. */
static void finish(gp_text *bytes, char *record, int64_t n) {
    put(record, (uint64_t)n, 8);
    put(record + 8, masked_crc(record, 8), 4);
    put(record + HEAD + n, masked_crc(record + HEAD, n), TAIL);
    bytes->length += HEAD + n + TAIL;
    bytes->bytes[bytes->length] = 0;
}

/* ---- fields of protocol buffers: number << 3 | kind ---- */

enum {
    EVENT_TIME = 1 << 3 | 1,    /* double */
    EVENT_STEP = 2 << 3 | 0,    /* whole number */
    EVENT_VERSION = 3 << 3 | 2, /* string */
    EVENT_SUMMARY = 5 << 3 | 2,
    SUMMARY_VALUE = 1 << 3 | 2,
    VALUE_TAG = 1 << 3 | 2,
    VALUE_NUMBER = 2 << 3 | 5 /* float */
};

static char *put_whole(char *to, uint64_t value) {
    for (; value >= 128; value >>= 7)
        *to++ = (char)(value & 127) | (char)-128;
    *to++ = (char)value;
    return to;
}

static int64_t whole_size(uint64_t value) {
    char digits[LARGEST_WHOLE];
    return put_whole(digits, value) - digits;
}

static char *put_time(char *to, double time) {
    uint64_t bits;
    memcpy(&bits, &time, sizeof bits);
    *to++ = EVENT_TIME;
    return put(to, bits, 8);
}

/* A field of n bytes that follow. */
static char *put_field(char *to, int field, int64_t n) {
    *to++ = (char)field;
    return put_whole(to, (uint64_t)n);
}

int gp_events_begin(gp_text *bytes, gp_err *err) {
    static const char version[] = "brain.Event:2";
    const int64_t n = sizeof version - 1;
    char *record = gp_text_room(bytes, HEAD + 9 + 2 + n + TAIL, err);
    if (record == NULL)
        return err->code;
    char *to = put_field(put_time(record + HEAD, 0.0), EVENT_VERSION, n);
    memcpy(to, version, (size_t)n);
    finish(bytes, record, to + n - record - HEAD);
    return GP_OK;
}

int gp_events_scalar(gp_text *bytes, const char *tag, int64_t step, double value, gp_err *err) {
    const int64_t n = (int64_t)strlen(tag);
    const int64_t scalar = 1 + whole_size((uint64_t)n) + n + 5;
    const int64_t summary = 1 + whole_size((uint64_t)scalar) + scalar;
    const float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    char *record =
        gp_text_room(bytes, HEAD + 9 + 1 + LARGEST_WHOLE + 1 + LARGEST_WHOLE + summary + TAIL, err);
    if (record == NULL)
        return err->code;
    char *to = put_time(record + HEAD, (double)step);
    if (step != 0) { /* 0 is what a missing field means */
        *to++ = EVENT_STEP;
        to = put_whole(to, (uint64_t)step);
    }
    to = put_field(to, EVENT_SUMMARY, summary);
    to = put_field(to, SUMMARY_VALUE, scalar);
    to = put_field(to, VALUE_TAG, n);
    memcpy(to, tag, (size_t)n);
    to += n;
    *to++ = VALUE_NUMBER;
    to = put(to, bits, 4);
    finish(bytes, record, to - record - HEAD);
    return GP_OK;
}
