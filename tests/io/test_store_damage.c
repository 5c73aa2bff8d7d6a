/* Every byte of a small store is changed in turn, and every length of it tried: the damage is
 * reported, or what is read is right. (About one byte in nine lies in room that HDF5 left unused
 * between its blocks; there it is harmless.) A child does the reading, so that a crash inside HDF5
 * is a finding with an offset and not the end of the test. */
#include "tests/io/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAITING, REPORTED, HARMLESS, WRONG, CRASHED };

static const fixture_chromosome chromosomes[] = {
    {"1", GP_AUTOSOME, 11, 1}, {"MT", GP_MT, 3, 0}, {0}};
static const fixture small = {9, chromosomes, 5, 0, 0, "made by a test"};

typedef struct bench {
    char folder[64], path[128], broken[128];
    uint8_t *bytes;
    int64_t size;
    volatile uint8_t *outcome; /* [size], shared with the child */
} bench;

static int setup(void **state) {
    gp_err err = {0};
    bench *b = calloc(1, sizeof *b);
    fixture_folder(b->folder);
    snprintf(b->path, sizeof b->path, "%s/small.h5", b->folder);
    snprintf(b->broken, sizeof b->broken, "%s/broken.h5", b->folder);
    assert_int_equal(fixture_write(&small, b->path, &err), GP_OK);
    FILE *file = fopen(b->path, "rb");
    fseek(file, 0, SEEK_END);
    b->size = ftell(file);
    rewind(file);
    b->bytes = malloc((size_t)b->size);
    assert_int_equal(fread(b->bytes, 1, (size_t)b->size, file), b->size);
    fclose(file);
    b->outcome =
        mmap(NULL, (size_t)b->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *state = b;
    return b->outcome == MAP_FAILED;
}

static int teardown(void **state) {
    bench *b = *state;
    munmap((void *)(uintptr_t)b->outcome, (size_t)b->size);
    fixture_count_files(b->folder, 1);
    free(b->bytes);
    free(b);
    return 0;
}

/* What a user who verifies and reads the broken store would see. */
static uint8_t judge(const bench *b) {
    gp_err err = {0}, none = {0};
    gp_store *store = NULL;
    if (gp_store_verify(b->broken, NULL, NULL, &err) != GP_OK)
        return err.code == GP_EINPUT && strstr(err.text, b->broken) == err.text ? REPORTED : WRONG;
    if (gp_store_open(&store, b->broken, &none) != GP_OK)
        return WRONG;
    uint8_t result = fixture_compare(&small, store, &none) == NULL ? HARMLESS : WRONG;
    gp_store_close(store);
    return result;
}

/* Damages the file at an offset and mends what was done a step before. */
typedef void (*breaker)(const bench *b, int fd, int64_t at, int64_t step);

static void put(const bench *b, int fd, int64_t at, int64_t step, uint8_t byte) {
    if (at >= step && pwrite(fd, &b->bytes[at - step], 1, at - step) != 1)
        _exit(1);
    if (pwrite(fd, &byte, 1, at) != 1)
        _exit(1);
}

static void flip_bit(const bench *b, int fd, int64_t at, int64_t step) {
    put(b, fd, at, step, (uint8_t)(b->bytes[at] ^ 1 << at % 8));
}

static void invert(const bench *b, int fd, int64_t at, int64_t step) {
    put(b, fd, at, step, (uint8_t)~b->bytes[at]);
}

static void cut(const bench *b, int fd, int64_t at, int64_t step) {
    (void)step;
    if (pwrite(fd, b->bytes, (size_t)b->size, 0) != b->size || ftruncate(fd, at) != 0)
        _exit(1);
}

/* The child goes on until it is done, dies or hangs: 10 seconds of its own time are far too many.
 */
static void child(const bench *b, breaker damage, int64_t from, int64_t step) {
    const struct itimerval limit = {.it_value = {.tv_sec = 10}};
    int fd = open(b->broken, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || pwrite(fd, b->bytes, (size_t)b->size, 0) != b->size)
        _exit(1);
    for (int64_t at = from; at < b->size; at += step) {
        damage(b, fd, at, step);
        setitimer(ITIMER_PROF, &limit, NULL);
        b->outcome[at] = judge(b);
    }
    close(fd);
    H5close(); /* it must survive its own end after what it has seen */
    _exit(0);  /* past the leak sanitizer: HDF5 loses some 400 bytes per damaged object header */
}

/* Returns how many of the offsets 0, step, 2 step … went wrong; *reported gets how many were seen
 * to be damaged. */
static int64_t try_all(bench *b, breaker damage, int64_t step, int64_t *reported) {
    int64_t count[5] = {0}, at = 0;
    memset((void *)(uintptr_t)b->outcome, WAITING, (size_t)b->size);
    while (at < b->size) {
        int status = 0;
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            child(b, damage, at, step);
        waitpid(pid, &status, 0);
        while (at < b->size && b->outcome[at] != WAITING)
            at += step;
        if (at < b->size) {
            print_message("offset %lld: the child ended with status %x\n", (long long)at, status);
            b->outcome[at] = CRASHED;
            at += step;
        } else {
            assert_int_equal(status, 0);
        }
    }
    for (at = 0; at < b->size; at += step) {
        count[b->outcome[at]]++;
        if (b->outcome[at] == WRONG)
            print_message("offset %lld: wrong\n", (long long)at);
    }
    print_message("%lld bytes: %lld reported, %lld harmless, %lld wrong, %lld crashed\n",
                  (long long)b->size, (long long)count[REPORTED], (long long)count[HARMLESS],
                  (long long)count[WRONG], (long long)count[CRASHED]);
    *reported = count[REPORTED];
    return count[WRONG] + count[CRASHED];
}

static void any_flipped_bit_is_reported_or_harmless(void **state) {
    const bench *b = *state;
    int64_t reported = 0;
    assert_int_equal(try_all(*state, flip_bit, 1, &reported), 0);
    assert_true(reported > b->size * 4 / 5);
}

/* Fewer of them: it is the same bytes again. */
static void inverted_bytes_are_reported_or_harmless(void **state) {
    const bench *b = *state;
    int64_t reported = 0;
    assert_int_equal(try_all(*state, invert, 7, &reported), 0);
    assert_true(reported > b->size / 7 * 4 / 5);
}

static void any_shorter_length_is_reported(void **state) {
    const bench *b = *state;
    int64_t reported = 0;
    assert_int_equal(try_all(*state, cut, 1, &reported), 0);
    assert_int_equal(reported, b->size);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_flipped_bit_is_reported_or_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(inverted_bytes_are_reported_or_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(any_shorter_length_is_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
