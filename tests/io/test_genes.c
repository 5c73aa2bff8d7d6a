/* io/genes: the nearest gene by hand, against a plain loop, and from real annotations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/genes.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/random.h"
#include "tests/support/scratch.h"

#include <htslib/bgzf.h>
#include <htslib/tbx.h>
#include <stdio.h>
#include <stdlib.h>

static const gp_chromosome one = {"1", GP_AUTOSOME, 10}, two = {"chr2", GP_AUTOSOME, 10},
                           x = {"23", GP_X, 10}, seven = {"7", GP_AUTOSOME, 10};

static gp_genes *open_genes(const char *path) {
    gp_err err = {0};
    gp_genes *g = NULL;
    if (gp_genes_open(&g, path, &err) != GP_OK)
        fail_msg("%s", err.text);
    return g;
}

static gp_gene nearest(gp_genes *g, const gp_chromosome *chromosome, int64_t position) {
    gp_err err = {0};
    gp_gene gene;
    if (gp_genes_nearest(g, chromosome, position, &gene, &err) != GP_OK)
        fail_msg("%s", err.text);
    return gene;
}

static void expect(gp_genes *g, const gp_chromosome *chromosome, int64_t position, const char *name,
                   int64_t distance) {
    gp_gene gene = nearest(g, chromosome, position);
    assert_non_null(gene.name);
    assert_string_equal(gene.name, name);
    assert_int_equal(gene.distance, distance);
}

/* The same genes in three forms: A 100-200, B 150-400, C 300-310, D 1000-1000 of chromosome 1;
 * E 54-60 of 2; F 5-9 of X. */
static const char gff_text[] = "##gff-version 3\n"
                               "chr1\t.\tregion\t1\t5000\t.\t.\t.\tID=chr1;Name=no\n"
                               "chr1\th\tgene\t100\t200\t.\t+\t.\tID=gene:1;Name=A;biotype=x\n"
                               "chr1\th\tmRNA\t1\t200\t.\t+\t.\tID=t:1;Parent=gene:1;Name=no\r\n"
                               "\n"
                               "chr1\th\tncRNA_gene\t300\t310\t.\t+\t.\tID=C\r\n"
                               "chr1\th\tgene\t150\t400\t.\t-\t.\tgene=no;gene_name=B;Name=no\n"
                               "###\n"
                               "chr1\th\tgene\t1000\t1000\t.\t-\t.\tID=no;gene=D\n"
                               "2\th\tgene\t54\t60\t.\t-\t.\tID=no;Name=E\n"
                               "chrX\th\tgene\t5\t9\t.\t-\t.\tID=no;Name=F\n"
                               "##FASTA\n>chr1\nACGT\n";
static const char gtf_text[] =
    "#!genome\n"
    "1\th\ttranscript\t1\t200\t.\t+\t.\tgene_id \"no\"; gene_name \"A\";\n"
    "1\th\tgene\t100\t200\t.\t+\t.\tgene_id \"no\"; gene_name \"A\";\n"
    "1\th\tgene\t150\t400\t.\t+\t.\tgene_id \"b\"; tag \"x; y\"; gene_name \"B\";\n"
    "1\th\tgene\t300\t310\t.\t+\t.\tgene_id \"C\"; gene_name \"\"\n"
    "1\th\tgene\t1000\t1000\t.\t+\t.\tgene_id \"D\"\n"
    "chr2\th\tCDS\t1\t90\t.\t+\t.\tgene_id \"e\"; gene_name \"E\";\n"
    "chr2\th\texon\t54\t60\t.\t+\t.\tgene_id \"e\"; gene_name \"E\";\n"
    "chr2\th\texon\t54\t55\t.\t+\t.\tgene_id \"e\"; gene_name \"E\";\n"
    "X\th\ttranscript\t5\t9\t.\t+\t.\tgene_id \"F\";\n";
static const char bed_text[] = "track name=genes\n"
                               "chr1\t99\t200\tA\t0\t+\n"
                               "chr1\t149\t400\tB\n"
                               "chr1\t299\t310\tC\n"
                               "chr1\t999\t1000\tD\n"
                               "chr2\t53\t60\tE\n"
                               "chrX\t4\t9\tF\n";

static void check_six(gp_genes *g) {
    expect(g, &one, 1, "A", 99);
    expect(g, &one, 100, "A", 0);
    expect(g, &one, 200, "A", 0);
    expect(g, &one, 201, "B", 0);
    expect(g, &one, 305, "B", 0);
    expect(g, &one, 400, "B", 0);
    expect(g, &one, 401, "B", 1);
    expect(g, &one, 700, "B", 300); /* as far from D: the smaller start counts */
    expect(g, &one, 701, "D", 299);
    expect(g, &one, 1000, "D", 0);
    expect(g, &one, 5000000000, "D", 4999999000);
    expect(g, &two, 55, "E", 0);
    expect(g, &two, 61, "E", 1);
    expect(g, &x, 1, "F", 4);
    assert_null(nearest(g, &seven, 100).name);
}

static void gff3_gtf_and_bed_give_the_same_genes(void **state) {
    (void)state;
    const char *const path[] = {scratch_text("a.gff3", gff_text), scratch_text("a.gtf", gtf_text),
                                scratch_text("a.BED", bed_text)};
    for (int k = 0; k < 3; k++) {
        gp_genes *g = open_genes(path[k]);
        check_six(g);
        assert_int_equal(gp_genes_chromosomes(g), 3);
        gp_genes_close(g);
    }
}

static const char *write_bgzf(const char *name, const char *text) {
    const char *path = scratch(name);
    BGZF *f = bgzf_open(path, "w");
    assert_non_null(f);
    assert_int_equal(bgzf_write(f, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(bgzf_close(f), 0);
    return path;
}

static void an_index_gives_the_same_genes(void **state) {
    (void)state;
    const struct {
        const char *name, *text;
        const tbx_conf_t *form;
        int shift;
    } file[] = {{"a.gtf.gz", gtf_text, &tbx_conf_gff, 0},
                {"b.gtf.bgz", gtf_text, &tbx_conf_gff, 14},
                {"a.bed.gz", bed_text + 17, &tbx_conf_bed, 0}};
    for (size_t k = 0; k < sizeof file / sizeof *file; k++) {
        const char *path = write_bgzf(file[k].name, file[k].text);
        gp_genes *g = open_genes(path);
        check_six(g);
        gp_genes_close(g);
        assert_int_equal(tbx_index_build(path, file[k].shift, file[k].form), 0);
        g = open_genes(path);
        assert_int_equal(gp_genes_chromosomes(g), 3);
        assert_string_equal(gp_genes_chromosome(g, 1), "chr2");
        check_six(g);
        gp_genes_close(g);
    }
}

static void names_are_unescaped_and_hold_no_tab(void **state) {
    (void)state;
    gp_genes *g = open_genes(
        scratch_text("n.gff", "1\t.\tgene\t5\t6\t.\t.\t.\tName=HLA%2CA%3b 1%09x%zz\n"
                              "1\t.\tgene\t50\t60\t.\t.\t.\t Name \"quoted\" ; ID=no\n"));
    expect(g, &one, 1, "HLA,A; 1_x%zz", 4);
    expect(g, &one, 55, "quoted", 0);
    gp_genes_close(g);
    g = open_genes(scratch_text("n.bed", "1 0 0 start more\n1   7 9   a%41\n1\t20\t20\tpoint\n"));
    expect(g, &one, 1, "start", 0);
    expect(g, &one, 9, "a%41", 0);
    expect(g, &one, 30, "point", 10);
    gp_genes_close(g);
}

static void of_equally_near_genes_the_name_decides_after_the_start(void **state) {
    (void)state;
    gp_genes *g = open_genes(scratch_text("t.bed", "1\t99\t300\tb\n1\t99\t200\ta\n1\t99\t200\tc\n"
                                                   "chr1\t49\t70\tz\n1\t499\t600\tq\n"));
    expect(g, &one, 150, "a", 0);
    expect(g, &one, 250, "b", 0);
    expect(g, &one, 85, "z", 15); /* a is as far, but begins later */
    gp_genes_close(g);
    g = open_genes(scratch_text("u.bed", "1\t99\t300\tb\nchr1\t49\t70\tz\n"));
    expect(g, &one, 85, "z", 15);
    gp_genes_close(g);
}

/* ---- against a plain loop ---- */

enum { GENES = 60 };

typedef struct plain_gene {
    int64_t first, last;
    char name[8];
} plain_gene;

static int64_t far(const plain_gene *g, int64_t at) {
    return at < g->first ? g->first - at : at > g->last ? at - g->last : 0;
}

static const plain_gene *plain_nearest(const plain_gene *gene, int64_t count, int64_t at) {
    const plain_gene *best = gene;
    for (const plain_gene *g = gene; g < gene + count; g++) {
        int64_t d = far(g, at) - far(best, at), s = g->first - best->first;
        if (d < 0 || (d == 0 && (s < 0 || (s == 0 && strcmp(g->name, best->name) < 0))))
            best = g;
    }
    return best;
}

static void random_genes_agree_with_a_plain_loop(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 60; round++) {
        plain_gene gene[GENES];
        gp_text text = {0};
        gp_err err = {0};
        int64_t count = 1 + gp_test_below(&seed, GENES), span = 1 + gp_test_below(&seed, 90);
        for (int64_t k = 0; k < count; k++) {
            gene[k].first = 1 + gp_test_below(&seed, 300);
            gene[k].last = gene[k].first + gp_test_below(&seed, span);
            snprintf(gene[k].name, sizeof gene[k].name, "g%d", (int)gp_test_below(&seed, 100));
            gp_text_print(&text, &err, "1\t.\tgene\t%lld\t%lld\t.\t.\t.\tID=%s\n",
                          (long long)gene[k].first, (long long)gene[k].last, gene[k].name);
        }
        gp_genes *g = open_genes(scratch_text("r.gff", text.bytes));
        for (int64_t at = 1; at < 450; at++) {
            const plain_gene *wanted = plain_nearest(gene, count, at);
            expect(g, &one, at, wanted->name, far(wanted, at));
        }
        gp_genes_close(g);
        gp_text_free(&text);
    }
}

/* ---- wrong input ---- */

static void damaged_lines_are_named(void **state) {
    (void)state;
    static const char *const bad[][3] = {
        {"a.txt", "1\t0\t1\ta\n", "a.txt: its name tells no form"},
        {"gz", "", "gz: its name tells"},
        {"b.gff", "1\t.\tgene\t5\t6\t.\t.\n", "b.gff:1: has fewer"},
        {"b.gff", "#\n1\t.\tmRNA\t5\tx\t.\t.\t.\tID=a\n", "b.gff:2: columns 4 and 5"},
        {"b.gff", "1\t.\tgene\t6\t5\t.\t.\t.\tID=a\n", "b.gff:1: columns 4 and 5"},
        {"b.gff", "1\t.\tgene\t0\t5\t.\t.\t.\tID=a\n", "b.gff:1: columns 4 and 5"},
        {"b.gff", "1\t.\tgene\t-1\t5\t.\t.\t.\tID=a\n", "b.gff:1: columns 4 and 5"},
        {"b.gff", "1\t.\tgene\t1\t5\t.\t.\t.\tnote=a\n", "b.gff:1: a gene has none of"},
        {"b.gff", "1\t.\tgene\t1\t5\t.\t.\t.\n", "b.gff:1: a gene has none of"},
        {"b.gff", "1\t.\tmRNA\t1\t5\t.\t.\t.\tID=a\n", "b.gff: holds no gene"},
        {"b.gff", "", "b.gff: holds no gene"},
        {"b.gtf", "1\t.\texon\t1\t5\t.\t.\t.\tgene_name \"a\"\n", "no gene_id"},
        {"b.bed", "1\t1\t2\n", "b.bed:1: has no name"},
        {"b.bed", "1\t1\t2\t\n", "b.bed:1: has no name"},
        {"b.bed", "1\t1\t2\ta\n1\t3\t2\tb\n", "b.bed:2: columns 2 and 3"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        gp_err err = {0};
        gp_genes *g = NULL;
        assert_int_equal(gp_genes_open(&g, scratch_text(bad[k][0], bad[k][1]), &err), GP_EINPUT);
        if (strstr(err.text, bad[k][2]) == NULL)
            fail_msg("'%s' is not in '%s'", bad[k][2], err.text);
        assert_null(g);
    }
    gp_err err = {0};
    gp_genes *g = NULL;
    assert_int_equal(gp_genes_open(&g, scratch("none.bed"), &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "none.bed: cannot be opened"));
    err = (gp_err){0};
    assert_int_equal(gp_genes_open(&g, scratch_write("z.bed", "1\t1\t2\ta\0b\n", 11), &err),
                     GP_EINPUT);
    assert_non_null(strstr(err.text, "z.bed:1: holds a zero byte"));
}

static void a_damaged_line_of_an_indexed_file_is_shown(void **state) {
    (void)state;
    gp_err err = {0};
    gp_gene gene;
    const char *path = write_bgzf("d.bed.gz", "1\t10\t20\ta\n2\t10\t20\n");
    assert_int_equal(tbx_index_build(path, 0, &tbx_conf_bed), 0);
    gp_genes *g = open_genes(path);
    expect(g, &one, 5, "a", 6);
    assert_int_equal(gp_genes_nearest(g, &two, 5, &gene, &err), GP_EINPUT);
    assert_non_null(strstr(err.text, "d.bed.gz: the line '2?10?20...' is damaged: has no name"));
    gp_genes_close(g);
}

static void a_file_that_is_cut_short_is_an_error(void **state) {
    (void)state;
    gp_err err = {0};
    gp_genes *g = NULL;
    gp_text bytes = {0};
    const char *path = write_bgzf("c.gtf.gz", gtf_text);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *to = gp_text_room(&bytes, 4096, &err);
    assert_non_null(to);
    bytes.length = (int64_t)fread(to, 1, 4096, f);
    fclose(f);
    for (int64_t n = 1; n < bytes.length; n += n < bytes.length - 40 ? 19 : 1) {
        err = (gp_err){0};
        path = scratch_write("cut.gtf.gz", bytes.bytes, (size_t)n);
        assert_int_equal(gp_genes_open(&g, path, &err), GP_EINPUT);
        assert_non_null(strstr(err.text, "cut.gtf.gz"));
    }
    gp_text_free(&bytes);
}

static int ask_once(void *context, gp_err *err) {
    gp_genes *g = NULL;
    gp_gene gene;
    if (gp_genes_open(&g, context, err) == GP_OK)
        gp_genes_nearest(g, &two, 5, &gene, err);
    gp_genes_close(g);
    return err->code;
}

static void memory_that_is_refused_is_an_error(void **state) {
    (void)state;
    char *path = strdup(scratch_text("m.gtf", gtf_text));
    assert_non_null(path);
    assert_true(gp_test_fail_each(ask_once, path) > 10);
    free(path);
    path = strdup(write_bgzf("m.gtf.gz", gtf_text));
    assert_non_null(path);
    assert_int_equal(tbx_index_build(path, 0, &tbx_conf_gff), 0);
    assert_true(gp_test_fail_each(ask_once, path) > 10);
    free(path);
}

/* ---- real annotations ---- */

static const char *real(const char *name) {
    static char path[1024];
    const char *source = getenv("GP_SOURCE");
    snprintf(path, sizeof path, "%s/../shared/data/annotation/%s", source != NULL ? source : ".",
             name);
    if (access(path, R_OK) != 0)
        skip();
    return path;
}

static void real_annotations_are_read(void **state) {
    (void)state;
    gp_genes *g = open_genes(real("gencode-v19.gtf"));
    expect(g, &one, 12000, "DDX11L1", 0);
    gp_genes_close(g);
    g = open_genes(real("hg19.gff"));
    expect(g, &one, 14000, "NR_024540", 362);
    expect(g, &one, 35000, "NR_026818", 0); /* three of the same extent: the first name */
    gp_genes_close(g);
    const gp_chromosome five = {"chr5", GP_AUTOSOME, 1};
    g = open_genes(real("transcripts.gtf.gz"));
    expect(g, &five, 36071360, "UGT3A2", 2);
    gp_genes_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gff3_gtf_and_bed_give_the_same_genes),
        cmocka_unit_test_teardown(an_index_gives_the_same_genes, scratch_clear),
        cmocka_unit_test(names_are_unescaped_and_hold_no_tab),
        cmocka_unit_test(of_equally_near_genes_the_name_decides_after_the_start),
        cmocka_unit_test(random_genes_agree_with_a_plain_loop),
        cmocka_unit_test(damaged_lines_are_named),
        cmocka_unit_test(a_damaged_line_of_an_indexed_file_is_shown),
        cmocka_unit_test(a_file_that_is_cut_short_is_an_error),
        cmocka_unit_test(memory_that_is_refused_is_an_error),
        cmocka_unit_test(real_annotations_are_read)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
