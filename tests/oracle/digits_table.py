#!/usr/bin/env python3
"""Writes io/digits_table.h: what printing a number looks up.

    python3 digits_table.py > ../../io/digits_table.h

For numbers x in [2^e, 2^(e+1)): the decade 10^ten <= x < 10^(ten+1) that holds 2^e, where the next
one begins, and for either decade the factor that makes nine digits before the point of x.
"""
from fractions import Fraction
from math import ceil

LOW, HIGH = -100, 99
ten = -31
print("/* Made by tests/oracle/digits_table.py. */")
print("#ifndef GP_IO_DIGITS_TABLE_H\n#define GP_IO_DIGITS_TABLE_H\n")
print("#include <stdint.h>\n")
print("/* Of the numbers m 2^(e - 63), 2^63 <= m < 2^64. */")
print("typedef struct decade {")
print("    uint64_t limit;    /* from this m on they are in the next decade */")
print("    uint64_t scale[2]; /* 10^(8 - ten) 2^(e + 33), 10^(7 - ten) 2^(e + 33), rounded up: exact in")
print("                        * decades from 10^-16 to 10^8 */")
print("    int64_t ten;       /* 10^ten <= 2^e */")
print("} decade;\n")
print("enum { DECADE_LOW = %d, DECADE_COUNT = %d };" % (LOW, HIGH - LOW + 1))
print("/* From e = DECADE_LOW on. */")
print("static const decade decades[DECADE_COUNT] = {")
for e in range(LOW, HIGH + 1):
    while Fraction(10) ** (ten + 1) <= Fraction(2) ** e:
        ten += 1
    assert Fraction(10) ** ten <= Fraction(2) ** e
    limit = ceil(Fraction(10) ** (ten + 1) * Fraction(2) ** (63 - e))
    scales = [Fraction(10) ** (8 - ten - up) * Fraction(2) ** (e + 33) for up in (0, 1)]
    for up in (0, 1):
        if up == 0 or limit < 2 ** 64:
            assert ceil(scales[up]) < 2 ** 64
            assert scales[up].denominator == 1 or not -16 <= ten + up <= 8
    print("    {0x%x, {0x%x, 0x%x}, %d}," % (min(limit, 2 ** 64 - 1), ceil(scales[0]),
                                             ceil(scales[1]), ten))
print("};\n\n#endif")
