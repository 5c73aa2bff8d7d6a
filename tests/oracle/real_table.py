#!/usr/bin/env python3
"""Writes src/base/real_table.h: what gp_log and gp_exp look up.

    python3 real_table.py > ../../src/base/real_table.h      (needs mpmath; 1.3.0 made the file)

Logarithm: the doubles from 0.6875... to 1.375... are cut into 128 runs of 2^45 neighbours; a run has
a number near the reciprocal of its middle, of 10 bits, and minus that number's logarithm in two
parts, the first a multiple of 2^-42. The run around 1 has the reciprocal 1. Exponential: 2^(i/128)
in two parts, the second relative to the first.
"""
import struct
from mpmath import mp, mpf, log, floor, ldexp, frexp

mp.dps = 50
FIRST = 0x3FE60AAAAAAAAAAA  # bits of the first double; puts 1 two thirds into its run
RUN = 1 << 45


def double(bits):
    return mpf(struct.unpack("<d", struct.pack("<Q", bits))[0])


def rounded(x, places):
    return ldexp(floor(ldexp(x, places) + mpf(1) / 2), -places)


print("/* Made by tests/oracle/real_table.py. */")
print("#ifndef GP_SRC_BASE_REAL_TABLE_H\n#define GP_SRC_BASE_REAL_TABLE_H\n")
print("/* Bits of the first double of the first run. */")
print("#define LOG_FIRST UINT64_C(0x%x)\n" % FIRST)
print("/* Of each run: near 1 / middle; minus its logarithm, high and low part. */")
print("static const double log_run[128][3] = {")
for i in range(128):
    low, high = double(FIRST + i * RUN), double(FIRST + (i + 1) * RUN)
    if low < 1 < high:
        near = mpf(1)
    else:
        middle = 2 / (low + high)
        near = rounded(middle, 10 - frexp(middle)[1])
    first = rounded(-log(near), 42)
    print("    {%s, %s, %s}," % tuple(float(x).hex() for x in (near, first, -log(near) - first)))
print("};\n")
print("/* 2^(i/128), and what is left of it, relative. */")
print("static const double exp_step[128][2] = {")
for i in range(128):
    x = mpf(2) ** (mpf(i) / 128)
    print("    {%s, %s}," % (float(x).hex(), float(x / float(x) - 1).hex()))
print("};\n\n#endif")
