/** cmocka on several ranks: one outcome for all ranks, one rank that speaks, numbers by seed. */
#ifndef GP_TESTS_SUPPORT_MPI_TEST_H
#define GP_TESTS_SUPPORT_MPI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <mpi.h>

/** Asserts a local condition on all ranks: where it fails anywhere it fails everywhere, so that no
 *  rank is left waiting. Collective. */
#define assert_all(condition) assert_all_(!!(condition), #condition, __FILE__, __LINE__)

static inline void assert_all_(int holds, const char *text, const char *file, int line) {
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int lowest = holds ? size : rank;
    MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (lowest < size && rank == 0)
        print_error("on rank %d of %d:\n", lowest, size);
    _assert_true((LargestIntegralType)(lowest == size), text, file, line);
}

/** Leaves cmocka's report to rank 0. Standard error stays open: sanitizers write there. */
static inline int only_rank_0_reports(int rank) {
    return rank == 0 || freopen("/dev/null", "w", stdout) != NULL;
}

/** A number that depends on its arguments only, so that every rank can compute every rank's. */
static inline uint64_t number_of(uint64_t seed, int64_t a, int64_t b, int64_t c) {
    uint64_t key[3] = {(uint64_t)a, (uint64_t)b, (uint64_t)c};
    uint64_t z = seed;
    for (int i = 0; i < 3; i++) { /* splitmix64 */
        z += key[i] * 0xD1342543DE82EF95u + 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
    }
    return z;
}

#endif
