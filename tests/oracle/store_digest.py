#!/usr/bin/env python3
"""The content digest of the smallest store of tests/io/test_store.c, computed from the description in
io/store_digest.h alone. Prints the hex digits that the test expects: of the whole, and of each chromosome."""
import hashlib
import struct


def md5(data):
    return hashlib.md5(data).digest()


def number(x):
    return struct.pack("<q", x)


def text(s):
    return s.encode() + b"\0"


def call(k, j, i):
    mask = (1 << 64) - 1
    x = ((k * 1000003 + j) * 0x9E3779B97F4A7C15 + i) & mask
    x = (x ^ (x >> 31)) * 0xBF58476D1CE4E5B9 & mask
    return (x ^ (x >> 29)) >> 40 & 3


n = 3
samples = number(n)
for i in range(n):
    father = f"sample {i - 2}" if i % 3 == 2 else "0"
    samples += text(f"F{i // 3}") + text(f"sample {i}") + text(father) + text("0") + bytes([i % 3])
parts = [md5(samples)]
for k, (name, kind, m, with_morgan) in enumerate([("1", "autosome", 2, True), ("X", "X", 1, False)]):
    data = text(name) + text(kind) + number(m) + bytes([with_morgan])
    for j in range(m):
        position = 100 * (k + 1) + j // 2 * 7
        data += number(position)
        if with_morgan:
            data += struct.pack("<d", position / 1024)
        data += text(f"rs{k}_{j}" + "abcdefghi"[: j % 9])
        data += text(["A", "C", "G", "TACCA", "."][j % 5]) + text(["T", "<DEL>", "A"][j % 3])
        data += bytes([sum(call(k, j, i) << 2 * i for i in range(n))])
    parts.append(md5(data))
print(md5(b"".join(parts)).hex(), *[part.hex() for part in parts[1:]])
