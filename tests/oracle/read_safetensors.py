#!/usr/bin/env python3
"""Reads a safetensors file with Python's standard library alone, by the format's specification (huggingface/safetensors,
README.md, "Format"), and prints what is in it: independent of io/safetensors.c, and of other libraries.

    read_safetensors.py FILE

A line per pair of the metadata, "KEY = VALUE", by key, then a line per tensor, by name: "NAME TYPE [3, 4] VALUES...". Where the
metadata has "crc32" (io/safetensors.h) it is checked. Status 1 and a message where the file is not as it should be.
"""
import json
import struct
import sys
import zlib

FORMS = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "U8": "B"}


def once(pairs):
    """An object; no name twice."""
    if len({name for name, _ in pairs}) != len(pairs):
        sys.exit("a name is given twice")
    return dict(pairs)


def main(path):
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:start].decode("utf-8"), object_pairs_hook=once)
    metadata = header.pop("__metadata__", {})
    order = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
    end, sums = 0, b""
    for name, tensor in order:
        begin, until = tensor["data_offsets"]
        count = 1
        for size in tensor["shape"]:
            count *= size
        if begin != end or until - begin != count * struct.calcsize("<" + FORMS[tensor["dtype"]]):
            sys.exit(f"{name}: not where it should be")
        sums += struct.pack("<I", zlib.crc32(content[start + begin:start + until]))
        end = until
    if start + end != len(content):
        sys.exit("the arrays do not fill the file")
    if "crc32" in metadata:
        head = content[:start].replace(b'"crc32":"' + metadata["crc32"].encode(), b'"crc32":"00000000"'[:-1], 1)
        if "%08x" % zlib.crc32(struct.pack("<I", zlib.crc32(head)) + sums) != metadata["crc32"]:
            sys.exit("another check sum")
    for key in sorted(metadata):
        print(key, "=", metadata[key])
    for name in sorted(header):
        tensor = header[name]
        begin, until = tensor["data_offsets"]
        form = FORMS[tensor["dtype"]]
        values = struct.unpack(f"<{(until - begin) // struct.calcsize('<' + form)}{form}",
                               content[start + begin:start + until])
        print(name, tensor["dtype"], tensor["shape"], *values)


if __name__ == "__main__":
    main(sys.argv[1])
