/** Fletcher's checksum of 32 bits, as HDF5 computes it for its Fletcher32 filter.
 *
 *  The bytes are taken as big-endian 16-bit words w[0..k-1], an odd last byte as the high half of
 *  a word. The low half of the result is the sum of w[i], the high half the sum of (k - i) w[i],
 *  both modulo 65535, where a sum that is not 0 gives 65535 in the place of 0.
 *
 *  Local, thread-safe, allocates nothing. The same result on every CPU.
 *  Cost: one pass, 10 GB/s and more on a CPU of 2023 from its L2 cache.
 *  Source: Fletcher 1982, IEEE Trans Commun 30:247; HDF5, H5_checksum_fletcher32.
 */
#ifndef GP_IO_FLETCHER_H
#define GP_IO_FLETCHER_H

#include <stdint.h>

uint32_t gp_fletcher32(const uint8_t *bytes, int64_t n);

#endif
