/** What this machine can do: multiply-adds of bytes, reading of memory; and what it is.
 *
 *  Local. Threads are those of OpenMP at the time of the call.
 */
#ifndef GP_BENCHMARKS_MACHINE_H
#define GP_BENCHMARKS_MACHINE_H

#include "src/base/err.h"
#include <stdint.h>

/** Seconds on a clock that only goes forward. */
double machine_seconds(void);

/** The processor's name as the system gives it, without commas or quotes, or the architecture's.
 *  text out [room] */
void machine_name(char *text, int64_t room);

/** Cores that this process may use. */
int machine_cores(void);

/** Multiplications and additions of bytes per second of the loop in benchmarks/peak.h for the
 *  kernel in use, all threads together, measured for about so many seconds; NaN where the kernel
 *  has no such loop (the portable one). */
double machine_peak(double seconds);

/** A buffer to measure reading with; should be several times the largest cache. */
typedef struct machine_memory {
    uint64_t *word; /* owned */
    int64_t words;
} machine_memory;

int machine_memory_init(machine_memory *memory, int64_t bytes, gp_err *err);
void machine_memory_free(machine_memory *memory);

/** Bytes per second that all threads together read: the best of three passes, each summing the
 *  buffer in several streams at once. */
double machine_read(const machine_memory *memory);

#endif
