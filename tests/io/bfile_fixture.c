#include "tests/io/bfile_fixture.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

/* ---- what goes in ---- */

/* The call of sample i at the variant with id "v<k>". */
static int call_of(int64_t k, int64_t i) {
    return (int)((k * k + 3 * i + i * i * k / 2 + k) % 4);
}

/* A .bed row by PLINK's own codes, from copies of allele 1 (3 = missing), or of the other one. */
static void bed_row(int64_t k, int64_t first, int64_t n, int turned, uint8_t *row) {
    static const unsigned code[2][4] = {{3, 2, 0, 1}, {0, 2, 3, 1}};
    for (int64_t i = 0; i < n; i++) {
        if (i % 4 == 0)
            row[i / 4] = 0;
        row[i / 4] |= (uint8_t)(code[turned][call_of(k, first + i)] << 2 * (i % 4));
    }
}

static void write_fam(const char *prefix, int64_t first, int64_t n) {
    char name[64], *text = malloc((size_t)n * 64 + 1), *to = text;
    for (int64_t i = first; i < first + n; i++)
        to += sprintf(to, "F%d I%d 0 0 %d -9\n", (int)(i / 3), (int)i, (int)(i % 3));
    *to = 0;
    snprintf(name, sizeof name, "%s.fam", prefix);
    scratch_text(name, text);
    free(text);
}

/* A set of n samples whose .bim is the given text; each line's id is "v<k>" or holds "v<k>" after a
 * letter. */
void write_part(const char *prefix, int64_t first, int64_t n, const char *bim) {
    char name[64];
    int64_t row = n / 4 + (n % 4 != 0), lines = 0;
    for (const char *c = bim; *c; c++)
        lines += *c == '\n';
    uint8_t *bed = malloc((size_t)(3 + lines * row));
    memcpy(bed, "\x6c\x1b\1", 3);
    const char *line = bim;
    for (int64_t m = 0; m < lines; m++) {
        const char *end = strchr(line, '\n');
        int turned = end - line > 4 && strncmp(end - 4, " C A", 4) == 0;
        bed_row(atoi(strchr(line, 'v') + 1), first, n, turned, bed + 3 + m * row);
        line = end + 1;
    }
    write_fam(prefix, first, n);
    snprintf(name, sizeof name, "%s.bim", prefix);
    scratch_text(name, bim);
    snprintf(name, sizeof name, "%s.bed", prefix);
    scratch_write(name, bed, (size_t)(3 + lines * row));
    free(bed);
}

void write_set(const char *prefix, int64_t n, const char *bim) {
    write_part(prefix, 0, n, bim);
}

/* What was said: lines joined, warnings with a '!'. */
char said[4096];

static void hear(void *context, int level, const char *line) {
    size_t used = strlen(said);
    (void)context;
    snprintf(said + used, sizeof said - used, "%s%s\n", level == GP_WARN ? "!" : "", line);
}

const gp_sink ear = {.say = hear};

/* Prefixes (names in the folder) as paths. */
void set_paths(const char *prefixes, char list[2048]) {
    list[0] = 0;
    for (const char *from = prefixes; from != NULL;) {
        const char *comma = strchr(from, ',');
        int n = comma ? (int)(comma - from) : (int)strlen(from);
        snprintf(list + strlen(list), 2048 - strlen(list), "%s%s/%.*s", *list ? "," : "",
                 scratch_folder, n, from);
        from = comma ? comma + 1 : NULL;
    }
}

/* Imports the prefixes (names in the folder) into out.h5. */
int import_with(const char *prefixes, gp_import ask, gp_import_result *result, gp_err *err) {
    char list[2048], out[600];
    set_paths(prefixes, list);
    snprintf(out, sizeof out, "%s", scratch("out.h5"));
    said[0] = 0;
    ask.bfile = list;
    if (ask.out == NULL)
        ask.out = out;
    ask.sink = &ear;
    ask.program = "gp-dist test";
    return gp_import_bfile(&ask, result, err);
}

void import(const char *prefixes) {
    gp_err err = {0};
    gp_import_result result = {0};
    if (import_with(prefixes, (gp_import){0}, &result, &err) != GP_OK)
        fail_msg("%s", err.text);
    gp_import_result_free(&result);
}

const char interleaved[] =
    "2 v1 0 30 A C\n1 v2 0 20 A C\n2 v3 0 10 A C\n1 v4 0 20 A C\n1 v5 0 10 A C\n3 v6 0 1 A C\n"
    "3 v7 0 1 A C\n2 v8 0 30 A C\n";
const char interleaved_listing[] =
    "1 autosome: v5@10 v2@20 v4@20; 2 autosome: v3@10 v1@30 v8@30; 3 autosome: v6@1 v7@1;";

/* ---- what comes out ---- */

/* Compares calls and counts of a chromosome with what its ids promise. */
void check_calls(gp_store *store, int64_t k, const gp_variants *v) {
    gp_err err = {0};
    int64_t n = gp_store_sample_count(store), stride = gp_geno_stride(n);
    uint8_t *rows = gp_mem_alloc(v->count, stride, &err);
    gp_counts *counts = gp_mem_alloc(v->count, sizeof *counts, &err);
    assert_int_equal(gp_store_read_genotypes(store, k, 0, v->count, 0, n, rows, &err), GP_OK);
    assert_int_equal(gp_store_read_counts(store, k, 0, v->count, counts, &err), GP_OK);
    for (int64_t j = 0; j < v->count; j++) {
        int64_t number = atoi(strchr(v->id[j], 'v') + 1), expected[4] = {0};
        for (int64_t i = 0; i < n; i++) {
            assert_int_equal(gp_geno_get(rows + j * stride, i), call_of(number, i));
            expected[call_of(number, i)]++;
        }
        assert_memory_equal(counts[j].call, expected, sizeof expected);
    }
    free(rows);
    free(counts);
}

/* "1 autosome: v3@10 v4@12; X X: v5@1;" and every call checked. */
void assert_store(const char *listing, int64_t n) {
    gp_err err = {0};
    gp_store *store = NULL;
    gp_variants v = {0};
    gp_text text = {0};
    if (gp_store_open(&store, scratch("out.h5"), &err) != GP_OK)
        fail_msg("%s", err.text);
    assert_int_equal(gp_store_sample_count(store), n);
    for (int64_t k = 0; k < gp_store_chromosome_count(store); k++) {
        const gp_chromosome *c = gp_store_chromosome(store, k);
        gp_text_print(&text, &err, "%s%s %s:", k ? " " : "", c->name, gp_kind_name(c->kind));
        assert_int_equal(gp_store_read_variants(store, k, 0, c->count, &v, &err), GP_OK);
        for (int64_t j = 0; j < v.count; j++)
            gp_text_print(&text, &err, " %s@%d", v.id[j], (int)v.position[j]);
        gp_text_add(&text, ";", 1, &err);
        check_calls(store, k, &v);
    }
    assert_string_equal(text.bytes, listing);
    gp_text_free(&text);
    gp_variants_free(&v);
    gp_store_close(store);
}

/* Many rows, so that several batches and index rounds are needed. */
void write_long_set(const char *prefix, int64_t n, int64_t m) {
    char *text = malloc((size_t)m * 40 + 1), *to = text;
    for (int64_t k = 0; k < m; k++) /* five chromosomes in turn, positions backwards */
        to += sprintf(to, "%d v%d 0 %d A C\n", (int)(k % 5 + 1), (int)k, (int)((m - k) / 3));
    *to = 0;
    write_set(prefix, n, text);
    free(text);
}
