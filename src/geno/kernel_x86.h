/** What the kernels for x86-64 share. Private to src/geno.
 *
 *  Their functions carry the CPU's abilities as attributes, so that no file needs options of its
 * own and nothing of them reaches the code that runs everywhere.
 */
#ifndef GP_SRC_GENO_KERNEL_X86_H
#define GP_SRC_GENO_KERNEL_X86_H

#include "src/geno/kernel.h"

/** Whether the CPU has what a kernel needs, and the operating system keeps its registers. */
int gp_x86_runs_avx2(void);
int gp_x86_runs_avx512(void);

/** Likewise for AMX. Asks Linux, once, for the process's leave to use the tile registers. */
int gp_x86_runs_amx(void);

/** The functions of gp_kernel_avx512 that gp_kernel_amx takes over. */
void gp_avx512_unpack_samples(const gp_unpack *in, uint8_t *tile);
void gp_avx512_unpack_variants(const gp_unpack *in, uint8_t *tile, int64_t step);
void gp_avx512_turn(const uint8_t *from, uint8_t *to);
void gp_avx512_count(const uint8_t *row, const uint8_t *mask, int64_t bytes, int64_t count[4]);
int64_t gp_avx512_list_missing(const uint8_t *row, const uint8_t *mask, int64_t bytes,
                               int32_t *sample);
void gp_avx512_add_rows(const int64_t *table, int64_t width, const int32_t *row, int64_t rows,
                        int64_t *to);

#endif
