#!/usr/bin/env python3
"""Reads a TensorBoard event file of scalars with Python's standard library alone and prints a line per event: "version NAME", or
"TAG step STEP time TIME value VALUE". Independent of io/events.c: written from TensorFlow's record_writer.h, event.proto and
summary.proto, with CRC32C bit by bit.

    read_events.py FILE
    read_events.py --test    reads records that other programs wrote

Status 1 and a message where a check sum or a length is wrong.
"""
import struct
import sys


def masked_crc(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(content):
    while content:
        if len(content) < 16:
            sys.exit("a record is cut short")
        length, length_crc = struct.unpack("<QI", content[:12])
        if masked_crc(content[:8]) != length_crc:
            sys.exit("the check sum of a length is wrong")
        if len(content) < 16 + length:
            sys.exit("a record is cut short")
        data, (data_crc,) = content[12:12 + length], struct.unpack("<I", content[12 + length:16 + length])
        if masked_crc(data) != data_crc:
            sys.exit("the check sum of a record is wrong")
        yield data
        content = content[16 + length:]


def whole(content, at):
    value = shift = 0
    while True:
        value |= (content[at] & 127) << shift
        shift += 7
        at += 1
        if content[at - 1] < 128:
            return value, at


def fields(content):
    """Numbers and values of a message's fields."""
    at = 0
    while at < len(content):
        key, at = whole(content, at)
        if key & 7 == 0:
            value, at = whole(content, at)
        elif key & 7 == 1:
            (value,), at = struct.unpack("<d", content[at:at + 8]), at + 8
        elif key & 7 == 2:
            length, at = whole(content, at)
            value, at = content[at:at + length], at + length
        elif key & 7 == 5:
            (value,), at = struct.unpack("<f", content[at:at + 4]), at + 4
        else:
            sys.exit(f"a field of an unknown kind: {key}")
        yield key >> 3, value
    if at != len(content):
        sys.exit("a field is cut short")


def lines(content):
    for record in records(content):
        event = dict(fields(record))
        if 3 in event:
            yield f"version {event[3].decode()} time {event[1]}"
        for _, value in fields(event.get(5, b"")):
            scalar = dict(fields(value))
            yield f"{scalar[1].decode()} step {event.get(2, 0)} time {event[1]} value {scalar[2]}"


# From the tests of tensorboard (event_file_loader) and tensorboard_logger (test_serialization): wall times 1440183447 and 256.5.
FOREIGN = (b"\x18\0\0\0\0\0\0\0\xa3\x7fK\"\t\0\0\xc0%\xddu\xd5A\x1a\rbrain.Event:1\xec\xf32\x8d"
           b"\x18\0\0\0\0\0\0\0\xa3\x7fK\"\t\0\0\0\0\0\x08p@\x1a\rbrain.Event:2\xbc\x98!+"
           b"\x19\0\0\0\0\0\0\0\x8b\xf1\x08(\t\0\0\0\0\0\x08p@\x10\x01*\x0c\n\n\n\x03v/1\x15\0\0\xc0?,\xec\xc0\x87"
           b"\x1a\0\0\0\0\0\0\0\x12\x9b\xd8-\t\0\0\0\0\0\x08p@\x10\x02*\r\n\x0b\n\x04v/22\x15\0\0\x80A\x8f\xa3\xb6\x88")


def main(path):
    if path == "--test":
        content = FOREIGN
    else:
        with open(path, "rb") as file:
            content = file.read()
    for line in lines(content):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1])
