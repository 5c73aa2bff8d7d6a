/* safetensors files: written, read back, read by another program; damaged in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/safetensors.h"
#include "tests/io/python_reader.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

#include <stdint.h>
#include <unistd.h>

static const float f32[6] = {0.5f, -1.25f, 0x1p127f, 0.0f, 1.0f, 2.0f};
static const double f64[2] = {0.1, -1e300};
static const int32_t i32[3] = {INT32_MIN, 0, INT32_MAX};
static const int64_t i64[1] = {INT64_MIN};
static const uint8_t u8[3] = {0, 127, 255};

static const gp_io_tensor some[] = {
    {"bytes", GP_IO_U8, 1, {3}, u8},    {"block.0.qkv.weight", GP_IO_F32, 2, {2, 3}, f32},
    {"number", GP_IO_I64, 0, {0}, i64}, {"empty", GP_IO_F32, 2, {0, 7}, f32},
    {"none", GP_IO_F64, 1, {0}, f64},   {"deep", GP_IO_I32, 4, {1, 3, 1, 1}, i32},
    {"two", GP_IO_F64, 1, {2}, f64},
};
enum { SOME = sizeof some / sizeof *some };

static const gp_io_pair pairs[] = {{"step", "12"}, {"gr\xC3\xB6\xC3\x9F\"e", "a\nb\\"}, {"", ""}};
enum { PAIRS = 3 };

static void assert_same(const gp_io_tensors *tensors, const gp_io_tensor *expected) {
    const gp_io_tensor *t = gp_io_tensors_find(tensors, expected->name);
    assert_non_null(t);
    assert_int_equal(t->type, expected->type);
    assert_int_equal(t->dimensions, expected->dimensions);
    for (int d = 0; d < t->dimensions; d++)
        assert_int_equal(t->shape[d], expected->shape[d]);
    assert_int_equal((uintptr_t)t->data % (uintptr_t)gp_io_type_size(t->type), 0);
    assert_memory_equal(t->data, expected->data, (size_t)gp_io_tensor_bytes(t));
}

static void assert_has_some(const gp_io_tensors *tensors) {
    assert_int_equal(tensors->count, SOME);
    for (int k = 0; k < SOME; k++)
        assert_same(tensors, &some[k]);
    for (int k = 1; k < SOME; k++)
        assert_true(strcmp(tensors->tensor[k - 1].name, tensors->tensor[k].name) < 0);
}

/* A file's bytes, allocated. */
static char *slurp(const char *path, int64_t *n) {
    gp_err err = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = ftell(file);
    rewind(file);
    char *bytes = gp_mem_alloc(*n, 1, &err);
    assert_int_equal(fread(bytes, 1, (size_t)*n, file), *n);
    fclose(file);
    return bytes;
}

/* What reading a copy of these bytes gives. */
static int parse(const void *bytes, int64_t n, gp_io_tensors *tensors, gp_err *err) {
    void *copy = gp_mem_alloc(n, 1, err);
    memcpy(copy, bytes, (size_t)n);
    return gp_io_tensors_parse("m.safetensors", copy, n, tensors, err);
}

static void all_types_come_back_as_they_were_written(void **state) {
    (void)state;
    gp_io_tensors tensors = {0};
    gp_err err = {0};
    const char *path = scratch("m.safetensors");
    assert_int_equal(gp_io_tensors_write(path, some, SOME, pairs, PAIRS, &err), GP_OK);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    assert_int_equal(gp_io_tensors_read(path, &tensors, &err), GP_OK);
    assert_has_some(&tensors);
    assert_int_equal(tensors.pairs, PAIRS);
    for (int k = 0; k < PAIRS; k++)
        assert_string_equal(gp_io_tensors_value(&tensors, pairs[k].key), pairs[k].value);
    assert_null(gp_io_tensors_find(&tensors, "bytez"));
    assert_null(gp_io_tensors_value(&tensors, "crc32"));
    gp_io_tensors_free(&tensors);
}

static void the_same_content_in_another_order_is_the_same_bytes(void **state) {
    (void)state;
    gp_io_tensor turned[SOME];
    gp_io_pair turned_pairs[PAIRS];
    gp_err err = {0};
    int64_t n, other_n;
    for (int k = 0; k < SOME; k++)
        turned[k] = some[SOME - 1 - k];
    for (int k = 0; k < PAIRS; k++)
        turned_pairs[k] = pairs[PAIRS - 1 - k];
    gp_io_tensors_write(scratch("a"), some, SOME, pairs, PAIRS, &err);
    gp_io_tensors_write(scratch("b"), turned, SOME, turned_pairs, PAIRS, &err);
    assert_int_equal(err.code, GP_OK);
    char *a = slurp(scratch("a"), &n), *b = slurp(scratch("b"), &other_n);
    assert_int_equal(n, other_n);
    assert_memory_equal(a, b, (size_t)n);
    free(a);
    free(b);
}

static void nothing_at_all_is_a_file_too(void **state) {
    (void)state;
    gp_io_tensors tensors = {0};
    gp_err err = {0};
    assert_int_equal(gp_io_tensors_write(scratch("m"), NULL, 0, NULL, 0, &err), GP_OK);
    assert_int_equal(gp_io_tensors_read(scratch("m"), &tensors, &err), GP_OK);
    assert_int_equal(tensors.count, 0);
    assert_null(gp_io_tensors_find(&tensors, "a"));
    assert_null(gp_io_tensors_value(&tensors, "a"));
    gp_io_tensors_free(&tensors);
    assert_int_equal(parse("\2\0\0\0\0\0\0\0{}", 10, &tensors, &err), GP_OK);
    gp_io_tensors_free(&tensors);
}

/* The header by hand; its check sum by Python:
 *   h = struct.pack("<Q", 160) + HEADER with zeros as digits; c = zlib.crc32; p = struct.pack
 *   "%08x" % c(p("<III", c(h), c(p("<d", 1.0)), c(b"\1\2"))) */
static void a_small_file_has_the_bytes_that_the_format_says(void **state) {
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"crc32\":\"8e6be2b5\",\"k\":\"v\"},"
        "\"z\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
        "\"a\":{\"dtype\":\"U8\",\"shape\":[2,1],\"data_offsets\":[8,10]}}       ";
    static const double one = 1.0;
    const gp_io_tensor tensor[] = {{"a", GP_IO_U8, 2, {2, 1}, "\1\2"},
                                   {"z", GP_IO_F64, 1, {1}, &one}};
    const gp_io_pair pair = {"k", "v"};
    gp_err err = {0};
    int64_t n, length = sizeof header - 1;
    assert_int_equal(length % 8, 0);
    assert_int_equal(gp_io_tensors_write(scratch("m"), tensor, 2, &pair, 1, &err), GP_OK);
    char *bytes = slurp(scratch("m"), &n);
    assert_int_equal(n, 8 + length + 10);
    assert_memory_equal(bytes, &length, 8);
    assert_memory_equal(bytes + 8, header, (size_t)length);
    assert_memory_equal(bytes + 8 + length, "\0\0\0\0\0\0\xF0\x3F\1\2", 10);
    free(bytes);
}

static void a_program_of_its_own_reads_the_same(void **state) {
    (void)state;
    char text[4096];
    gp_err err = {0};
    assert_int_equal(gp_io_tensors_write(scratch("m"), some, SOME, pairs, 1, &err), GP_OK);
    gp_test_python("read_safetensors.py", scratch("m"), text, sizeof text);
    char *line = strchr(text, '\n');
    assert_memory_equal(text, "crc32 = ", 8);
    assert_string_equal(line + 1, "step = 12\n"
                                  "block.0.qkv.weight F32 [2, 3] 0.5 -1.25 "
                                  "1.7014118346046923e+38 0.0 1.0 2.0\n"
                                  "bytes U8 [3] 0 127 255\n"
                                  "deep I32 [1, 3, 1, 1] -2147483648 0 2147483647\n"
                                  "empty F32 [0, 7]\n"
                                  "none F64 [0]\n"
                                  "number I64 [] -9223372036854775808\n"
                                  "two F64 [2] 0.1 -1e+300\n");
}

/* ---- files that others made ---- */

/* A file of this header and n bytes of data 0, 1, 2 ... */
static int parse_header(const char *header, int64_t n, gp_io_tensors *tensors, gp_err *err) {
    char bytes[4096];
    int64_t length = (int64_t)strlen(header);
    assert_true(8 + length + n <= (int64_t)sizeof bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, (size_t)length);
    for (int64_t k = 0; k < n; k++)
        bytes[8 + length + k] = (char)k;
    return parse(bytes, 8 + length + n, tensors, err);
}

#define ONE(name, type, shape, offsets)                                                            \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}"

static void arrays_that_are_not_aligned_come_as_aligned_copies(void **state) {
    (void)state;
    gp_io_tensors tensors = {0};
    gp_err err = {0};
    assert_int_equal(parse_header("{" ONE("b", "U8", "1", "0,1") "," ONE(
                                      "d", "I64", "", "1,9") "," ONE("i", "I32", "1,2", "9,17") "}",
                                  17, &tensors, &err),
                     GP_OK);
    const int64_t eight = 0x0807060504030201;
    const int32_t four[] = {0x0C0B0A09, 0x100F0E0D};
    const gp_io_tensor d = {"d", GP_IO_I64, 0, {0}, &eight}, i = {"i", GP_IO_I32, 2, {1, 2}, four};
    assert_same(&tensors, &d);
    assert_same(&tensors, &i);
    gp_io_tensors_free(&tensors);
}

static void expect_bad(const char *header, int64_t n, const char *words) {
    gp_io_tensors tensors = {0};
    gp_err err = {0};
    parse_header(header, n, &tensors, &err);
    gp_io_tensors_free(&tensors);
    if (err.code != GP_EINPUT || strstr(err.text, words) == NULL ||
        strncmp(err.text, "m.safetensors:", 14) != 0)
        fail_msg("%s: not '%s': %d '%s'", header, words, err.code, err.text);
}

static void headers_that_do_not_fit_are_named(void **state) {
    (void)state;
    expect_bad("", 3, "is no safetensors file");
    expect_bad("[]", 0, "is no safetensors file");
    expect_bad("{", 0, "is no safetensors file");
    expect_bad(" {}", 0, "is no safetensors file");
    expect_bad("{}", 1, "1 bytes follow the last tensor");
    expect_bad("{}x", 0, "is not JSON");
    expect_bad("{\"a\":1}", 0, "'a' has a type");
    expect_bad("{\"__metadata__\":[]}", 0, "__metadata__ is not an object");
    expect_bad("{\"__metadata__\":{\"k\":1}}", 0, "'k' is not a string");
    expect_bad("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", 0, "'a' has no shape");
    expect_bad("{\"a\":{\"dtype\":\"U8\",\"shape\":[0]}}", 0, "'a' is not inside");
    expect_bad("{" ONE("a", "BF16", "1", "0,2") "}", 2, "'a' has a type");
    expect_bad("{" ONE("a", "U8", "1,1,1,1,1", "0,1") "}", 1, "more than 4 dimensions");
    expect_bad("{" ONE("a", "U8", "-1", "0,1") "}", 1, "not made of counts");
    expect_bad("{" ONE("a", "U8", "1.0", "0,1") "}", 1, "not made of counts");
    expect_bad("{" ONE("a", "U8", "\"1\"", "0,1") "}", 1, "not made of counts");
    expect_bad("{" ONE("a", "U8", "1", "0,1,2") "}", 1, "not inside");
    expect_bad("{" ONE("a", "U8", "1", "0") "}", 1, "not inside");
    expect_bad("{" ONE("a", "U8", "1", "1,0") "}", 1, "not inside");
    expect_bad("{" ONE("a", "U8", "1", "-1,0") "}", 1, "not inside");
    expect_bad("{" ONE("a", "U8", "1", "0,9223372036854775807") "}", 1, "not inside");
    expect_bad("{" ONE("a", "U8", "1", "0,99999999999999999999") "}", 1, "is not JSON");
    expect_bad("{" ONE("a", "U8", "2", "0,1") "}", 1, "does not fit its bytes");
    expect_bad("{" ONE("a", "F64", "1", "0,4") "}", 4, "does not fit its bytes");
    /* 2^62 * 4 = 0 in 64 bits; 0 * anything is 0 */
    expect_bad("{" ONE("a", "F32", "4611686018427387904", "0,0") "}", 0, "does not fit");
    expect_bad("{" ONE("a", "U8", "4294967296,4294967296", "0,0") "}", 0, "does not fit");
    expect_bad("{" ONE("a", "F32", "9223372036854775807,0", "0,0") "}", 0, "does not fit");
    expect_bad("{" ONE("a", "U8", "9223372036854775807,0", "0,1") "}", 1, "does not fit");
    expect_bad("{" ONE("a", "U8", "1", "1,2") "}", 2, "there is a gap");
    expect_bad("{" ONE("a", "U8", "2", "0,2") "," ONE("b", "U8", "2", "1,3") "}", 3, "overlaps");
    expect_bad("{" ONE("a", "U8", "2", "0,2") "," ONE("b", "U8", "2", "0,2") "}", 2, "overlaps");
    expect_bad("{" ONE("a", "U8", "1", "0,1") "," ONE("b", "U8", "1", "2,3") "}", 3, "gap");
    expect_bad("{" ONE("a", "U8", "1", "0,1") "," ONE("a", "U8", "1", "1,2") "}", 2, "duplicate");
    expect_bad("{" ONE("a\\u0000b", "U8", "1", "0,1") "}", 1, "is not JSON");
    expect_bad("{" ONE("\xFF", "U8", "1", "0,1") "}", 1, "is not JSON");
    expect_bad("{\"__metadata__\":{\"crc32\":\"00000000\"}}", 0, "check sum");
    expect_bad("{\"__metadata__\":{\"crc32\":\"0000000\"}}", 0, "check sum");
}

static void depth_is_no_way_to_exhaust_the_stack(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    gp_io_tensors tensors = {0};
    gp_err err = {0};
    char *bytes = gp_mem_alloc(N, 1, &err);
    int64_t length = N - 8;
    memset(bytes, '[', N);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, "{\"a\":", 5);
    assert_int_equal(gp_io_tensors_parse("m", bytes, N, &tensors, &err), GP_EINPUT);
    gp_io_tensors_free(&tensors);
}

/* ---- damage ---- */

static void a_file_cut_short_anywhere_is_refused(void **state) {
    (void)state;
    gp_err good = {0};
    int64_t n;
    assert_int_equal(gp_io_tensors_write(scratch("m"), some, SOME, pairs, PAIRS, &good), GP_OK);
    char *bytes = slurp(scratch("m"), &n);
    for (int64_t k = 0; k <= n + 1; k++) {
        gp_io_tensors tensors = {0};
        gp_err err = {0};
        char *part = gp_mem_alloc(k, 1, &good);
        memcpy(part, bytes, (size_t)(k < n ? k : n));
        gp_io_tensors_parse("m", part, k, &tensors, &err);
        assert_int_equal(err.code, k == n ? GP_OK : GP_EINPUT);
        gp_io_tensors_free(&tensors);
    }
    free(bytes);
}

/* Everything that came back may be read. */
static unsigned touch(const gp_io_tensors *tensors) {
    unsigned sum = 0;
    for (int64_t k = 0; k < tensors->count; k++) {
        const unsigned char *data = tensors->tensor[k].data;
        sum += (unsigned)strlen(tensors->tensor[k].name);
        for (int64_t b = 0; b < gp_io_tensor_bytes(&tensors->tensor[k]); b++)
            sum += data[b];
    }
    for (int64_t k = 0; k < tensors->pairs; k++)
        sum += (unsigned)(strlen(tensors->pair[k].key) + strlen(tensors->pair[k].value));
    return sum;
}

/* Changes each byte in several ways; calls back what could be read. */
static int64_t change_all(char *bytes, int64_t n, void (*look)(const gp_io_tensors *)) {
    static const unsigned char change[] = {1, 2, 4, 8, 16, 32, 64, 128, 255, 'x', '"', ','};
    int64_t accepted = 0;
    for (int64_t at = 0; at < n; at++)
        for (size_t c = 0; c < sizeof change; c++) {
            gp_io_tensors tensors = {0};
            gp_err err = {0};
            char was = bytes[at];
            bytes[at] = (char)(c < 9 ? was ^ change[c] : change[c]);
            if (bytes[at] != was && parse(bytes, n, &tensors, &err) == GP_OK) {
                look(&tensors);
                accepted++;
            } else if (bytes[at] != was)
                assert_int_equal(err.code, GP_EINPUT);
            gp_io_tensors_free(&tensors);
            bytes[at] = was;
        }
    return accepted;
}

static void a_changed_byte_is_an_error_or_changes_nothing(void **state) {
    (void)state;
    gp_err err = {0};
    int64_t n;
    assert_int_equal(gp_io_tensors_write(scratch("m"), some, SOME, pairs, 1, &err), GP_OK);
    char *bytes = slurp(scratch("m"), &n);
    /* Only the name "crc32" can be changed unnoticed: 5 letters. */
    assert_in_range(change_all(bytes, n, assert_has_some), 0, 5 * 12);
    free(bytes);
}

static void look_at(const gp_io_tensors *tensors) {
    assert_true(touch(tensors) < 1u << 30);
}

static void a_changed_byte_without_check_sum_stays_inside_the_file(void **state) {
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"v\"}," ONE("a", "U8", "3", "0,3") "," ONE(
            "b", "F32", "1,2", "3,11") "," ONE("c", "F64", "0", "11,11") "}";
    char bytes[sizeof header + 18];
    int64_t length = sizeof header - 1;
    memset(bytes, 7, sizeof bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, (size_t)length);
    assert_true(change_all(bytes, 8 + length + 11, look_at) > 11 * 9);
}

/* ---- what a reader asks for ---- */

static void a_tensor_of_another_shape_is_named(void **state) {
    (void)state;
    static const struct {
        gp_io_tensor wanted;
        const char *message;
    } cases[] = {
        {{"two", GP_IO_F64, 1, {3}, NULL}, "p: tensor 'two' is F64 [2]; expected was F64 [3]"},
        {{"two", GP_IO_F32, 1, {2}, NULL}, "p: tensor 'two' is F64 [2]; expected was F32 [2]"},
        {{"two", GP_IO_F64, 2, {1, 2}, NULL},
         "p: tensor 'two' is F64 [2]; expected was F64 [1 x 2]"},
        {{"three", GP_IO_F64, 1, {2}, NULL}, "p: tensor 'three' is missing; expected was F64 [2]"}};
    gp_io_tensors tensors = {0};
    gp_err good = {0};
    gp_io_tensors_write(scratch("m"), some, SOME, NULL, 0, &good);
    assert_int_equal(gp_io_tensors_read(scratch("m"), &tensors, &good), GP_OK);
    assert_non_null(gp_io_tensors_get(&tensors, "p", &some[6], &good));
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gp_err err = {0};
        assert_null(gp_io_tensors_get(&tensors, "p", &cases[k].wanted, &err));
        assert_int_equal(err.code, GP_EINPUT);
        assert_string_equal(err.text, cases[k].message);
    }
    gp_io_tensors_free(&tensors);
}

static void names_that_cannot_be_are_refused_before_anything_is_written(void **state) {
    (void)state;
    const gp_io_tensor twice[] = {{"a", GP_IO_U8, 1, {1}, u8}, {"a", GP_IO_I64, 0, {0}, i64}};
    const gp_io_tensor reserved = {"__metadata__", GP_IO_U8, 1, {1}, u8};
    const gp_io_tensor latin = {"\xF6", GP_IO_U8, 1, {1}, u8};
    const gp_io_pair key_twice[] = {{"a", "1"}, {"b", "2"}, {"a", "3"}}, sum = {"crc32", "1"};
    gp_err err[5] = {{0}};
    assert_int_equal(gp_io_tensors_write(scratch("m"), twice, 2, NULL, 0, &err[0]), GP_EFAIL);
    assert_int_equal(gp_io_tensors_write(scratch("m"), &reserved, 1, NULL, 0, &err[1]), GP_EFAIL);
    assert_int_equal(gp_io_tensors_write(scratch("m"), &latin, 1, NULL, 0, &err[2]), GP_EINPUT);
    assert_int_equal(gp_io_tensors_write(scratch("m"), NULL, 0, key_twice, 3, &err[3]), GP_EFAIL);
    assert_int_equal(gp_io_tensors_write(scratch("m"), NULL, 0, &sum, 1, &err[4]), GP_EFAIL);
    assert_int_equal(scratch_entries(scratch_folder, 0), 0);
}

/* ---- the system says no ---- */

static void files_that_cannot_be_read_are_named(void **state) {
    (void)state;
    gp_io_tensors tensors = {0};
    gp_err missing = {0}, folder = {0};
    assert_int_equal(gp_io_tensors_read(scratch("none"), &tensors, &missing), GP_EINPUT);
    assert_non_null(strstr(missing.text, "none: cannot be opened"));
    assert_int_equal(gp_io_tensors_read(scratch_folder, &tensors, &folder), GP_EINPUT);
    assert_non_null(strstr(folder.text, "is not a regular file"));
    gp_io_tensors_free(&tensors);
}

static void a_full_disk_leaves_the_older_file(void **state) {
    (void)state;
    gp_io_tensors tensors = {0};
    gp_err err = {0}, full = {0}, nowhere = {0};
    assert_int_equal(gp_io_tensors_write(scratch("m"), some, SOME, NULL, 0, &err), GP_OK);
    assert_int_equal(gp_io_tensors_write(scratch("no/m"), some, SOME, NULL, 0, &nowhere), GP_EFAIL);
    assert_non_null(strstr(nowhere.text, "no/m.tmp: cannot be made"));
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(symlink("/dev/full", scratch("m.tmp")), 0);
    assert_int_equal(gp_io_tensors_write(scratch("m"), some, SOME, NULL, 0, &full), GP_EFAIL);
    assert_non_null(strstr(full.text, "No space left"));
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    assert_int_equal(gp_io_tensors_read(scratch("m"), &tensors, &err), GP_OK);
    assert_has_some(&tensors);
    gp_io_tensors_free(&tensors);
}

static int write_some(void *context, gp_err *err) {
    return gp_io_tensors_write(context, some, SOME, pairs, PAIRS, err);
}

static int read_some(void *context, gp_err *err) {
    gp_io_tensors tensors = {0};
    gp_io_tensors_read(context, &tensors, err);
    if (err->code == GP_OK)
        assert_has_some(&tensors);
    gp_io_tensors_free(&tensors);
    return err->code;
}

static int get_wrong(void *context, gp_err *err) {
    const gp_io_tensor wrong = {"two", GP_IO_F32, 1, {2}, NULL};
    gp_io_tensors_get(context, "m", &wrong, err);
    return err->code == GP_EINPUT ? (*err = (gp_err){0}).code : err->code;
}

static void every_refused_allocation_comes_back(void **state) {
    (void)state;
    char path[600];
    gp_io_tensors tensors = {0};
    gp_err err = {0};
    snprintf(path, sizeof path, "%s", scratch("m"));
    assert_true(gp_test_fail_each(write_some, path) > 10);
    assert_int_equal(scratch_entries(scratch_folder, 0), 1);
    assert_true(gp_test_fail_each(read_some, path) > 10);
    assert_int_equal(gp_io_tensors_read(path, &tensors, &err), GP_OK);
    assert_int_equal(gp_test_fail_each(get_wrong, &tensors), 2);
    gp_io_tensors_free(&tensors);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_types_come_back_as_they_were_written, scratch_clear),
        cmocka_unit_test_teardown(the_same_content_in_another_order_is_the_same_bytes,
                                  scratch_clear),
        cmocka_unit_test_teardown(nothing_at_all_is_a_file_too, scratch_clear),
        cmocka_unit_test_teardown(a_small_file_has_the_bytes_that_the_format_says, scratch_clear),
        cmocka_unit_test_teardown(a_program_of_its_own_reads_the_same, scratch_clear),
        cmocka_unit_test(arrays_that_are_not_aligned_come_as_aligned_copies),
        cmocka_unit_test(headers_that_do_not_fit_are_named),
        cmocka_unit_test(depth_is_no_way_to_exhaust_the_stack),
        cmocka_unit_test_teardown(a_file_cut_short_anywhere_is_refused, scratch_clear),
        cmocka_unit_test_teardown(a_changed_byte_is_an_error_or_changes_nothing, scratch_clear),
        cmocka_unit_test(a_changed_byte_without_check_sum_stays_inside_the_file),
        cmocka_unit_test_teardown(a_tensor_of_another_shape_is_named, scratch_clear),
        cmocka_unit_test_teardown(names_that_cannot_be_are_refused_before_anything_is_written,
                                  scratch_clear),
        cmocka_unit_test_teardown(files_that_cannot_be_read_are_named, scratch_clear),
        cmocka_unit_test_teardown(a_full_disk_leaves_the_older_file, scratch_clear),
        cmocka_unit_test_teardown(every_refused_allocation_comes_back, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
