#include "io/store_ahead.h"
#include "src/base/mem.h"
#include "src/geno/code.h"
#include "tests/io/store_fixture.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/fail_alloc.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const fixture_chromosome several[] = {{"10", GP_AUTOSOME, 2900, 1},
                                             {"2 left arm", GP_AUTOSOME, 3, 0},
                                             {"chrX", GP_X, 70, 0},
                                             {"MT", GP_MT, 1, 1},
                                             {0}};
static const fixture_chromosome one[] = {{"1", GP_AUTOSOME, 150, 0}, {0}};
static const fixture narrow = {130, several, 400, 0, 0, "x"};
static const fixture wide = {40000, one, 100, 0, 0, "x"}; /* 3 x 3 chunks of 64 variants */
static const fixture half = {20000, one, 150, 0, 0, "x"}; /* 2 x 3, the last ones not full */

static char folder[64], path[128];

static int setup(void **state) {
    (void)state;
    fixture_folder(folder);
    snprintf(path, sizeof path, "%s/cohort.h5", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_count_files(folder, 1);
    return 0;
}

static void assert_ok(const gp_err *err) {
    if (err->code != GP_OK)
        fail_msg("%s", err->text);
}

static gp_store *make_store(const fixture *f) {
    gp_err err = {0};
    gp_store *store = NULL;
    fixture_write(f, path, &err);
    assert_ok(&err);
    gp_store_open(&store, path, &err);
    assert_ok(&err);
    return store;
}

/* ---- a thread can be refused ---- */

static int refuse_threads;

typedef void *thread_start(void *);
int __real_pthread_create(pthread_t *, const pthread_attr_t *, thread_start *, void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, thread_start *, void *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, thread_start *start,
                          void *context) {
    return refuse_threads ? EAGAIN : __real_pthread_create(thread, attributes, start, context);
}

/* ---- plans ---- */

/* Runs of random or of one length over all chromosomes, some variants left out. */
typedef struct walk {
    const fixture *f;
    uint64_t seed; /* 0 = every run has the full length */
    int64_t most, chromosome, at;
    int64_t refuse; /* runs that begin at a multiple of this are not wanted; 0 = all are */
    int64_t bad;    /* after so many runs one that does not exist; -1 = never */
} walk;

static int next(void *context, gp_store_run *run) {
    walk *w = context;
    if (w->bad == 0) {
        *run = (gp_store_run){0, w->f->chromosome[0].count, 1};
        return 1;
    }
    w->bad--;
    int64_t left = w->f->chromosome[w->chromosome].count - w->at;
    if (w->seed != 0 && left > 1 && gp_test_below(&w->seed, 3) == 0) {
        int64_t skip = gp_test_below(&w->seed, left < 100 ? left : 100);
        w->at += skip;
        left -= skip;
    }
    int64_t count = w->seed ? 1 + gp_test_below(&w->seed, w->most) : w->most;
    *run = (gp_store_run){w->chromosome, w->at, count < left ? count : left};
    w->at += run->count;
    if (w->at == w->f->chromosome[w->chromosome].count) {
        w->at = 0;
        w->chromosome++;
    }
    return run->count > 0;
}

static int next_or_end(void *context, gp_store_run *run) {
    walk *w = context;
    return w->f->chromosome[w->chromosome].name != NULL && next(context, run);
}

static int wants(void *context, const gp_variants *v) {
    const walk *w = context;
    char id[64];
    /* The last run given out is the one that is asked about. */
    for (int64_t j = 0; w->refuse > 0 && j < 3000; j += w->refuse) {
        fixture_id(0, j, id);
        if (strcmp(v->id[0], id) == 0)
            return 0;
    }
    return 1;
}

static walk all_of(const fixture *f, int64_t most, uint64_t seed) {
    return (walk){.f = f, .seed = seed, .most = most, .bad = -1};
}

static gp_ahead_plan plan_of(walk *w, int64_t sample, int64_t samples) {
    return (gp_ahead_plan){.most_variants = w->most,
                           .sample = sample,
                           .samples = samples,
                           .context = w,
                           .next = next_or_end,
                           .wants = w->refuse ? wants : NULL};
}

/* ---- what comes ---- */

static void check_variants(const fixture *f, const gp_ahead_batch *b) {
    int64_t k = b->run.chromosome;
    char id[64];
    assert_int_equal(b->variants.count, b->run.count);
    assert_int_equal(b->variants.morgan != NULL, f->chromosome[k].with_morgan);
    for (int64_t i = 0; i < b->run.count; i++) {
        int64_t j = b->run.first + i;
        fixture_id(k, j, id);
        assert_string_equal(b->variants.id[i], id);
        assert_string_equal(b->variants.ref[i], fixture_ref(j));
        assert_string_equal(b->variants.alt[i], fixture_alt(j));
        assert_int_equal(b->variants.position[i], fixture_position(k, j));
        if (b->variants.morgan != NULL)
            assert_true(b->variants.morgan[i] == fixture_morgan(k, j));
    }
}

/* Every third row or so: making one takes longer than reading it. */
static void check_calls(const gp_ahead_batch *b, int64_t sample, int64_t samples) {
    int64_t stride = gp_geno_stride(samples), at = 0;
    uint8_t *row = calloc(1, (size_t)stride);
    assert_int_equal(b->calls.m, b->run.count);
    for (int64_t p = 0; p < b->calls.pieces; p++) {
        const gp_piece *piece = &b->calls.piece[p];
        assert_int_equal(piece->first, at);
        assert_int_equal(at % GP_GENO_GROUP, 0);
        assert_int_equal((uintptr_t)piece->row % GP_GENO_GROUP_BYTES, 0);
        assert_int_equal(piece->pitch % GP_GENO_GROUP_BYTES, 0);
        at += piece->samples;
    }
    assert_int_equal(at, samples);
    for (int64_t i = 0; i < b->run.count; i += i % 2 ? 5 : 1) {
        for (int64_t s = 0; s < samples; s++)
            gp_geno_set(row, s, fixture_call(b->run.chromosome, b->run.first + i, sample + s));
        for (int64_t p = 0; p < b->calls.pieces; p++) {
            const gp_piece *piece = &b->calls.piece[p];
            assert_memory_equal(piece->row + i * piece->pitch, row + piece->first / 4,
                                (size_t)gp_geno_stride(piece->samples));
        }
    }
    free(row);
}

/* Returns the number of batches. */
static int64_t check_walk(gp_store *store, const walk *w, int64_t sample, int64_t samples) {
    gp_err err = {0};
    walk reading = *w, mine = *w;
    gp_ahead_plan plan = plan_of(&reading, sample, samples);
    gp_ahead *ahead = gp_ahead_open(store, &plan, &err);
    int64_t batches = 0;
    assert_ok(&err);
    gp_store_run run;
    while (next_or_end(&mine, &run)) {
        const gp_ahead_batch *b = gp_ahead_next(ahead, &err);
        assert_ok(&err);
        assert_non_null(b);
        assert_memory_equal(&b->run, &run, sizeof run);
        check_variants(w->f, b);
        if (b->has_calls)
            check_calls(b, sample, samples);
        assert_int_equal(b->has_calls,
                         !w->refuse || !(run.chromosome == 0 && run.first % w->refuse == 0));
        batches++;
    }
    for (int k = 0; k < 2; k++) /* the end comes as often as it is asked for */
        assert_null(gp_ahead_next(ahead, &err));
    assert_ok(&err);
    gp_ahead_close(ahead);
    return batches;
}

static void check_runs_and_slices(const fixture *f) {
    uint64_t seed = (uint64_t)f->samples;
    gp_store *store = make_store(f);
    walk full = all_of(f, 64, 0);
    check_walk(store, &full, 0, f->samples);
    for (int k = 0; k < 4; k++) {
        int64_t groups = gp_geno_stride(f->samples) / GP_GENO_GROUP_BYTES;
        int64_t from = gp_test_below(&seed, groups),
                to = from + gp_test_below(&seed, groups - from);
        int64_t end = k % 2 ? f->samples : (to + 1) * GP_GENO_GROUP;
        end = end < f->samples ? end : f->samples;
        walk w = all_of(f, 1 + gp_test_below(&seed, 90), seed);
        check_walk(store, &w, from * GP_GENO_GROUP, end - from * GP_GENO_GROUP);
    }
    gp_store_close(store);
}

static void runs_and_slices_hold_what_was_written(void **state) {
    (void)state;
    check_runs_and_slices(&narrow);
    check_runs_and_slices(&wide);
    check_runs_and_slices(&half);
}

static void runs_and_slices_of_compressed_stores_too(void **state) {
    (void)state;
    fixture packed = half;
    packed.compress = 1;
    check_runs_and_slices(&packed);
    packed = narrow;
    packed.compress = 1;
    check_runs_and_slices(&packed);
}

static void without_a_thread_the_same_comes(void **state) {
    (void)state;
    refuse_threads = 1;
    check_runs_and_slices(&half);
    refuse_threads = 0;
}

static void calls_that_nobody_wants_are_left_out(void **state) {
    (void)state;
    gp_store *store = make_store(&narrow);
    walk w = all_of(&narrow, 50, 0);
    w.refuse = 100;
    assert_int_equal(check_walk(store, &w, 0, narrow.samples), 58 + 1 + 2 + 1);
    gp_store_close(store);
}

static void reading_can_be_given_up_at_any_batch(void **state) {
    (void)state;
    gp_store *store = make_store(&half);
    for (int64_t taken = 0; taken < 8; taken++)
        for (int pause = 0; pause < 2; pause++) {
            gp_err err = {0};
            walk w = all_of(&half, 20, 0);
            gp_ahead_plan plan = plan_of(&w, 0, half.samples);
            gp_ahead *ahead = gp_ahead_open(store, &plan, &err);
            for (int64_t k = 0; k < taken; k++)
                assert_non_null(gp_ahead_next(ahead, &err));
            if (pause) /* until all slots are full */
                nanosleep(&(struct timespec){0, 2000000}, NULL);
            gp_ahead_close(ahead);
            assert_ok(&err);
        }
    gp_ahead_close(NULL);
    walk w = all_of(&half, 64, 0);
    check_walk(store, &w, 0, half.samples); /* the store is as good as before */
    gp_store_close(store);
}

/* A pause lets the thread go as far as it can: with new ids, and with the next calls. */
static void what_the_caller_holds_stays_as_it_is(void **state) {
    (void)state;
    gp_err err = {0};
    gp_store *store = make_store(&narrow);
    walk w = all_of(&narrow, 700, 0);
    gp_ahead_plan plan = plan_of(&w, 0, narrow.samples);
    gp_ahead *ahead = gp_ahead_open(store, &plan, &err);
    for (const gp_ahead_batch *b; (b = gp_ahead_next(ahead, &err)) != NULL;) {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
        check_variants(&narrow, b);
        check_calls(b, 0, narrow.samples);
    }
    assert_ok(&err);
    gp_ahead_close(ahead);
    gp_store_close(store);
}

static void an_error_comes_behind_the_batches_before_it(void **state) {
    (void)state;
    gp_store *store = make_store(&half);
    for (refuse_threads = 0; refuse_threads < 2; refuse_threads++) {
        gp_err err = {0};
        walk w = all_of(&half, 10, 0);
        w.bad = 4;
        gp_ahead_plan plan = plan_of(&w, 0, half.samples);
        gp_ahead *ahead = gp_ahead_open(store, &plan, &err);
        for (int k = 0; k < 4; k++)
            assert_non_null(gp_ahead_next(ahead, &err));
        for (int k = 0; k < 2; k++) {
            gp_err again = {0};
            assert_null(gp_ahead_next(ahead, &again));
            assert_int_equal(again.code, GP_EFAIL);
            assert_non_null(strstr(again.text, "variants that do not exist"));
        }
        gp_ahead_close(ahead);
    }
    refuse_threads = 0;
    gp_store_close(store);
}

/* ---- signals ---- */

static void signals_do_not_go_to_the_reading_thread(void **state) {
    (void)state;
    gp_err err = {0};
    sigset_t block, before, pending;
    int got = 0;
    gp_store *store = make_store(&half);
    walk w = all_of(&half, 64, 0);
    gp_ahead_plan plan = plan_of(&w, 0, half.samples);
    gp_ahead *ahead = gp_ahead_open(store, &plan, &err);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &block, &before);
    assert_int_equal(sigismember(&before, SIGTERM), 0); /* the caller's mask was given back */
    kill(getpid(), SIGTERM); /* would end the process if the other thread took it */
    assert_non_null(gp_ahead_next(ahead, &err));
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGTERM), 1);
    sigwait(&block, &got);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    gp_ahead_close(ahead);
    gp_store_close(store);
}

/* ---- memory ---- */

static int read_all(void *context, gp_err *err) {
    gp_store *store = NULL;
    walk w = all_of(context, 64, 0);
    gp_ahead_plan plan = plan_of(&w, 0, w.f->samples);
    gp_ahead *ahead = NULL;
    if (gp_store_open(&store, path, err) == GP_OK)
        ahead = gp_ahead_open(store, &plan, err);
    while (ahead != NULL && gp_ahead_next(ahead, err) != NULL)
        ;
    gp_ahead_close(ahead);
    gp_store_close(store);
    return err->code;
}

static void any_refused_memory_is_said(void **state) {
    (void)state;
    fixture f = narrow;
    gp_store_close(make_store(&f));
    assert_true(gp_test_fail_each(read_all, &f) > 20);
}

static void sizes_are_those_of_the_chunks(void **state) {
    (void)state;
    gp_err err = {0};
    gp_store *store = make_store(&narrow);
    assert_int_equal(gp_store_chunk_variants(store, &err), 1024);
    gp_store_close(store);
    store = make_store(&half);
    assert_int_equal(gp_store_chunk_variants(store, &err), 64);
    assert_ok(&err);
    gp_store_close(store);
    for (int64_t n = 1; n < 3000000; n = n * 5 / 2 + 1) {
        int64_t bytes = gp_ahead_bytes(n, 256);
        assert_true(bytes >= 2 * 256 * gp_geno_stride(n));
        assert_true(bytes <= (8 << 20) + 4 * 256 * gp_geno_stride(n) + 256 * gp_geno_stride(n) * 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_and_slices_hold_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_and_slices_of_compressed_stores_too, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_thread_the_same_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_that_nobody_wants_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_can_be_given_up_at_any_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_caller_holds_stays_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_comes_behind_the_batches_before_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(signals_do_not_go_to_the_reading_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(any_refused_memory_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_are_those_of_the_chunks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
