/* PLINK sets into stores, read back through io/store.h. */
#include "io/bfile_copy.h"
#include "tests/io/bfile_fixture.h"

/* ---- calls and alleles ---- */

static void calls_come_through_for_any_number_of_samples(void **state) {
    static const int64_t n[] = {1, 3, 4, 5, 63, 64, 65, 257};
    (void)state;
    for (size_t k = 0; k < sizeof n / sizeof n[0]; k++) {
        write_set("a", n[k], "1 v1 0 10 A C\n1 v2 0 20 A C\n2 v3 0 5 A C\n");
        import("a");
        assert_store("1 autosome: v1@10 v2@20; 2 autosome: v3@5;", n[k]);
    }
}

static void alt_is_column_5_and_0_is_unknown(void **state) {
    gp_err err = {0};
    gp_store *store = NULL;
    gp_variants v = {0};
    gp_counts counts[3];
    (void)state;
    /* By hand: .bed 00 = two copies of column 5. Samples: 00 10 11 01 = byte 0b01111000. */
    scratch_text("a.fam", "F A 0 0 1 1\nF B 0 0 1 1\nF C 0 0 1 1\nF D 0 0 1 1\n");
    scratch_text("a.bim", "1 x 0 1 AT C\n1 y 0 2 0 G\n1 z 0 3 T 0\n");
    scratch_write("a.bed", "\x6c\x1b\1\x78\x00\xFF", 6);
    import("a");
    assert_int_equal(gp_store_open(&store, scratch("out.h5"), &err), GP_OK);
    assert_int_equal(gp_store_read_variants(store, 0, 0, 3, &v, &err), GP_OK);
    assert_int_equal(gp_store_read_counts(store, 0, 0, 3, counts, &err), GP_OK);
    assert_string_equal(v.alt[0], "AT");
    assert_string_equal(v.ref[0], "C");
    assert_string_equal(v.alt[1], ".");
    assert_string_equal(v.ref[1], "G");
    assert_string_equal(v.ref[2], ".");
    assert_null(v.morgan);
    for (int call = 0; call < 4; call++) {
        assert_int_equal(counts[0].call[call], 1);
        assert_int_equal(counts[1].call[call], call == 2 ? 4 : 0); /* 00 00 00 00 */
        assert_int_equal(counts[2].call[call], call == 0 ? 4 : 0); /* 11 11 11 11 */
    }
    gp_variants_free(&v);
    gp_store_close(store);
}

static void samples_come_through(void **state) {
    gp_err err = {0};
    gp_store *store = NULL;
    gp_samples s = {0};
    (void)state;
    write_set("a", 2, "1 v1 0 10 A C\n");
    scratch_text("a.fam", "F1 I1 P M 2 1\r\nF2 I1 0 0 1 1\r\n");
    import("a");
    assert_int_equal(gp_store_open(&store, scratch("out.h5"), &err), GP_OK);
    assert_int_equal(gp_store_read_samples(store, &s, &err), GP_OK);
    assert_int_equal(s.n, 2);
    assert_string_equal(gp_samples_fid(&s, 1), "F2");
    assert_string_equal(gp_samples_iid(&s, 1), "I1");
    assert_string_equal(gp_samples_father(&s, 0), "P");
    assert_string_equal(gp_samples_mother(&s, 0), "M");
    assert_int_equal(s.sex[0], 2);
    gp_samples_free(&s);
    gp_store_close(store);
}

static void genetic_positions_are_kept_where_there_are_any(void **state) {
    gp_err err = {0};
    gp_store *store = NULL;
    gp_variants v = {0};
    (void)state;
    write_set("a", 3, "1 v1 0 10 A C\n1 v2 1.5 20 A C\n2 v3 0 5 A C\n");
    import("a");
    assert_int_equal(gp_store_open(&store, scratch("out.h5"), &err), GP_OK);
    assert_int_equal(gp_store_read_variants(store, 0, 0, 2, &v, &err), GP_OK);
    assert_non_null(v.morgan);
    assert_true(v.morgan[0] == 0 && v.morgan[1] == 1.5);
    assert_int_equal(gp_store_read_variants(store, 1, 0, 1, &v, &err), GP_OK);
    assert_null(v.morgan);
    gp_variants_free(&v);
    gp_store_close(store);
}

/* ---- order ---- */

static void chromosomes_are_put_in_karyotype_order(void **state) {
    (void)state;
    write_set("a", 5,
              "scaffold10 v1 0 1 A C\nchrM v2 0 1 A C\n10 v3 0 1 A C\nX v4 0 1 A C\n"
              "2 v5 0 1 A C\nscaffold9 v6 0 1 A C\nY v7 0 1 A C\nPAR1 v8 0 1 A C\n");
    import("a");
    assert_store("2 autosome: v5@1; 10 autosome: v3@1; X X: v4@1; Y Y: v7@1; PAR1 XY: v8@1; "
                 "chrM MT: v2@1; scaffold9 autosome: v6@1; scaffold10 autosome: v1@1;",
                 5);
    assert_string_equal(said, "");
}

static void unsorted_variants_are_sorted_with_a_warning(void **state) {
    (void)state;
    write_set("a", 5, interleaved);
    import("a");
    assert_store(interleaved_listing, 5);
    assert_string_equal(said, "!2 of 3 chromosomes are not in one piece in order of position "
                              "(e.g. 1); their variants are sorted\n");
}

static void one_piece_that_is_unsorted_is_sorted(void **state) {
    (void)state;
    write_set("a", 5, "1 v1 0 7 A C\n1 v2 0 -3 A C\n1 v3 0 6 A C\n2 v4 0 5 A C\n");
    import("a");
    assert_store("1 autosome: v3@6 v1@7; 2 autosome: v4@5;", 5);
    assert_non_null(strstr(said, "!1 of 2 chromosomes"));
}

static void sorted_but_scattered_chromosomes_are_gathered(void **state) {
    (void)state;
    write_set("a", 66, "1 v1 0 1 A C\n2 v2 0 1 A C\n1 v3 0 2 A C\n2 v4 0 2 A C\n");
    import("a");
    assert_store("1 autosome: v1@1 v3@2; 2 autosome: v2@1 v4@2;", 66);
    assert_non_null(strstr(said, "!2 of 2 chromosomes"));
}

static void several_sets_are_joined(void **state) {
    (void)state;
    write_set("a", 7, "2 v1 0 10 A C\n2 v2 0 20 A C\n");
    write_set("b", 7, "1 v3 0 10 A C\n3 v4 0 20 A C\n");
    write_set("c", 7, "2 v5 0 15 A C\n2 v6 0 10 A C\n"); /* more of chromosome 2, unsorted */
    import("a,b,c");
    assert_store("1 autosome: v3@10; 2 autosome: v1@10 v6@10 v5@15 v2@20; 3 autosome: v4@20;", 7);
}

static void crlf_blank_lines_and_a_last_line_without_end_are_read(void **state) {
    (void)state;
    write_set("a", 5, "1 v1 0 10 A C\n1 v2 0 20 A C\n2 v3 0 5 A C\n");
    scratch_text("a.bim", "1\tv1\t0\t10\tA\tC\r\n\r\n1\tv2\t0\t20\tA\tC\r\n2\tv3\t0\t5\tA\tC");
    import("a");
    assert_store("1 autosome: v1@10 v2@20; 2 autosome: v3@5;", 5);
}

static int compare_positions(gp_store *store) {
    gp_err err = {0};
    gp_variants v = {0};
    int64_t checked = 0;
    for (int64_t k = 0; k < gp_store_chromosome_count(store); k++) {
        int64_t count = gp_store_chromosome(store, k)->count;
        assert_int_equal(gp_store_read_variants(store, k, 0, count, &v, &err), GP_OK);
        check_calls(store, k, &v);
        for (int64_t j = 0; j < count; j++, checked++) {
            int before = j > 0 ? atoi(v.id[j - 1] + 1) : -1, here = atoi(v.id[j] + 1);
            if (j > 0 && (v.position[j] < v.position[j - 1] ||
                          (v.position[j] == v.position[j - 1] && here < before)))
                fail_msg("%s comes after %s", v.id[j], v.id[j - 1]);
        }
    }
    gp_variants_free(&v);
    return (int)checked;
}

static void long_inputs_go_through_in_many_batches(void **state) {
    gp_err err = {0};
    gp_store *store = NULL;
    (void)state;
    write_long_set("a", 9, 30011);
    import("a");
    assert_int_equal(gp_store_open(&store, scratch("out.h5"), &err), GP_OK);
    assert_int_equal(compare_positions(store), 30011);
    gp_store_close(store);
}

static void a_small_index_gives_the_same_store(void **state) {
    static const int64_t entries[] = {1, 4, 100};
    gp_text first = {0}, again = {0};
    gp_err err = {0};
    char prefix[600];
    (void)state;
    write_long_set("a", 9, 1000);
    snprintf(prefix, sizeof prefix, "%s", scratch("a"));
    for (int k = 0; k < 3; k++) {
        gp_bfile_list list = {0};
        gp_karyotype karyotype = {0};
        gp_bfile_copy copy = {.list = &list, .karyotype = &karyotype, .entries = 200 * entries[k]};
        gp_store *store = NULL;
        assert_int_equal(gp_bfile_list_open(&list, prefix, &err), GP_OK);
        assert_int_equal(gp_bfile_list_map(&list, NULL, NULL, &err), GP_OK);
        assert_int_equal(gp_karyotype_make(&karyotype, &list.map, 0, NULL, &err), GP_OK);
        gp_store_plan plan = {.samples = &list.samples, .variants = 1000, .provenance = "x"};
        assert_int_equal(gp_store_create(&copy.writer, scratch("out.h5"), &plan, &err), GP_OK);
        assert_int_equal(gp_bfile_copy_run(&copy, &err), GP_OK);
        assert_int_equal(gp_store_finish(copy.writer, &err), GP_OK);
        assert_int_equal(gp_store_open(&store, scratch("out.h5"), &err), GP_OK);
        assert_int_equal(compare_positions(store), 1000);
        gp_text *digest = k == 0 ? &first : &again;
        digest->length = 0;
        gp_text_print(digest, &err, "%s", gp_store_digest(store));
        assert_string_equal(digest->bytes, first.bytes);
        gp_store_close(store);
        gp_karyotype_free(&karyotype);
        gp_bfile_list_free(&list);
    }
    gp_text_free(&first);
    gp_text_free(&again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(calls_come_through_for_any_number_of_samples, scratch_clear),
        cmocka_unit_test_teardown(alt_is_column_5_and_0_is_unknown, scratch_clear),
        cmocka_unit_test_teardown(samples_come_through, scratch_clear),
        cmocka_unit_test_teardown(genetic_positions_are_kept_where_there_are_any, scratch_clear),
        cmocka_unit_test_teardown(chromosomes_are_put_in_karyotype_order, scratch_clear),
        cmocka_unit_test_teardown(unsorted_variants_are_sorted_with_a_warning, scratch_clear),
        cmocka_unit_test_teardown(one_piece_that_is_unsorted_is_sorted, scratch_clear),
        cmocka_unit_test_teardown(sorted_but_scattered_chromosomes_are_gathered, scratch_clear),
        cmocka_unit_test_teardown(several_sets_are_joined, scratch_clear),
        cmocka_unit_test_teardown(crlf_blank_lines_and_a_last_line_without_end_are_read,
                                  scratch_clear),
        cmocka_unit_test_teardown(long_inputs_go_through_in_many_batches, scratch_clear),
        cmocka_unit_test_teardown(a_small_index_gives_the_same_store, scratch_clear),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
