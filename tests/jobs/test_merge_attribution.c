/* Tables of attribution: whose they are, and where a variant is found in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/part.h"
#include "io/tabix.h"
#include "jobs/merge_attribution.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/scratch.h"

static const char header[] = "chromosome\tbase_pair_location\tid\teffect_allele\tother_allele\t"
                             "trait\tattribution\timportance\trank\n";

/* Of two traits; at position 20 four variants, two of them with the same names. */
static const char lines[] = "1\t10\trs1\tA\tC\theight\t0.5\t1\t3\n"
                            "1\t10\trs1\tA\tC\tweight\t-0.25\t1\t7\n"
                            "1\t20\trs2\tA\tC\theight\t1\t1\t1\n"
                            "1\t20\trs2\tA\tC\tweight\t2\t1\t1\n"
                            "1\t20\trs3\tA\t.\theight\t3\t1\t2\n"
                            "1\t20\trs3\tA\t.\tweight\t4\t1\t2\n"
                            "1\t20\trs2\tA\tC\theight\t5\t1\t4\n"
                            "1\t20\trs2\tA\tC\tweight\t6\t1\t3\n"
                            "1\t20\trs4\tG\tT\theight\t7\t1\t5\n"
                            "1\t20\trs4\tG\tT\tweight\t8\t1\t4\n"
                            "2\t5\trs5\tG\tT\theight\t9\t1\t6\n"
                            "2\t5\trs5\tG\tT\tweight\t10\t1\t5\n";

static void write_table(const char *first, const char *body) {
    gp_err err = {0};
    gp_part part = {0};
    gp_pack *pack = gp_packs_new(1, &err);
    gp_text text = {0}, runs = {0}, index = {0}, file = {0};
    int64_t count = 0;
    gp_part_open(&part, scratch("new"), 1, &err);
    gp_text_print(&text, &err, "%s", first);
    gp_part_add_header(&part, &text, pack, &err);
    gp_text_print(&text, &err, "%s", body);
    gp_part_append(&part, &text, pack, 1, &err);
    gp_runs_print(&part.runs, 0, &runs, &err);
    gp_tabix_print(&runs, part.size, 0, &index, &count, &err);
    gp_part_end(&part, &err);
    gp_pack_file(pack, &index, &file, &err);
    gp_io_fill_file(scratch("a.gz.tbi"), file.bytes, file.length, &err);
    gp_io_rename(part.path, scratch("a.gz"), &err);
    assert_int_equal(err.code, GP_OK);
    gp_part_discard(&part);
    gp_packs_free(pack, 1);
    gp_text_free(&text);
    gp_text_free(&runs);
    gp_text_free(&index);
    gp_text_free(&file);
}

static int64_t find(const gp_attribution *a, gp_attribution_place *place, int64_t position,
                    const char *id, const char *other) {
    const gp_attribution_name name = {position, id, strcmp(id, "rs4") == 0 ? "G" : "A", other};
    return gp_attribution_find(a, place, &name);
}

static void variants_are_found_by_all_their_names(void **state) {
    (void)state;
    gp_err err = {0};
    gp_attribution a = {0};
    gp_attribution_place place = {0};
    write_table(header, lines);
    assert_int_equal(gp_attribution_open(&a, scratch("a.gz"), &err), GP_OK);
    assert_int_equal(a.traits.count, 2);
    assert_string_equal(gp_ids_get(&a.traits, 1), "weight");
    assert_int_equal(gp_attribution_load(&a, "1", 0, 100, &err), GP_OK);
    assert_int_equal(a.count, 5);
    assert_int_equal(find(&a, &place, 10, "rs1", "C"), 0);
    assert_string_equal(a.text.bytes + a.value[1].text, "-0.25");
    assert_int_equal(a.value[1].rank, 7);
    assert_int_equal(find(&a, &place, 10, "rs1", "T"), -1);
    assert_int_equal(find(&a, &place, 15, "rs1", "C"), -1);
    /* In another order than there; an unknown allele by either of its signs; twins in turn. */
    assert_int_equal(find(&a, &place, 20, "rs4", "T"), 4);
    assert_int_equal(find(&a, &place, 20, "rs2", "C"), 1);
    assert_int_equal(find(&a, &place, 20, "rs3", "#NA"), 2);
    assert_int_equal(find(&a, &place, 20, "rs2", "C"), 3);
    assert_int_equal(find(&a, &place, 20, "rs3", "."), 2);
    assert_int_equal(find(&a, &place, 20, "rs3", "C"), -1);
    assert_int_equal(find(&a, &place, 21, "rs4", "T"), -1);
    assert_int_equal(gp_attribution_load(&a, "1", 15, 100, &err), GP_OK);
    assert_int_equal(a.count, 4);
    assert_int_equal(gp_attribution_load(&a, "3", 0, 100, &err), GP_OK);
    assert_int_equal(a.count, 0);
    gp_attribution_close(&a);
}

/* What opening, or reading chromosome 1, says. */
static void expect_error(const char *first, const char *body, const char *words) {
    gp_err err = {0};
    gp_attribution a = {0};
    write_table(first, body);
    if (gp_attribution_open(&a, scratch("a.gz"), &err) == GP_OK)
        gp_attribution_load(&a, "1", 0, 100, &err);
    assert_int_equal(err.code, GP_EINPUT);
    assert_non_null(strstr(err.text, "a.gz: "));
    assert_non_null(strstr(err.text, words));
    gp_attribution_close(&a);
}

static void what_is_no_attribution_is_told(void **state) {
    (void)state;
    expect_error("chromosome\tbase_pair_location\tid\n", "1\t1\trs1\n", "no column effect_allele");
    expect_error(header, "1\t10\trs1\tA\tC\t#NA\t#NA\t1\t1\n", "does not tell of traits");
    expect_error(header, "1\t10\trs1\tA\tC\ta\t1\t1\t0\n", "is no rank: '0'");
    expect_error(header, "1\t10\trs1\tA\tC\ta\t1\t1\t1x\n", "is no rank: '1x'");
    expect_error(header, "1\t10\trs1\tA\tC\ta\t1\t1\t1\n1\t11\trs2\tA\tC\tb\t1\t1\t2\n",
                 "a trait that its first variant has not: 'b'");
    expect_error(header, "1\t10\trs1\tA\tC\ta\t1\t1\n", "has 8 fields, the header 9");
}

static int open_and_load(void *context, gp_err *err) {
    gp_attribution a = {0};
    (void)context;
    if (gp_attribution_open(&a, scratch("a.gz"), err) == GP_OK)
        gp_attribution_load(&a, "1", 0, 100, err);
    gp_attribution_close(&a);
    return err->code;
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    write_table(header, lines);
    assert_true(gp_test_fail_each(open_and_load, NULL) > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(variants_are_found_by_all_their_names, scratch_clear),
        cmocka_unit_test_teardown(what_is_no_attribution_is_told, scratch_clear),
        cmocka_unit_test_teardown(refused_memory_is_an_error, scratch_clear),
    };
    return cmocka_run_group_tests_name("merge_attribution", tests, scratch_make, scratch_remove);
}
