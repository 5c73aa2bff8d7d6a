#!/usr/bin/env python3
"""Looks at a report in headless Chromium: takes its picture, and checks that marks are where they should be.

picture.py CHROMIUM REPORT.html FOLDER FIGURE...

A copy of the page in FOLDER prints the bounding boxes of its figures (by id) into itself; the picture is taken at the
same width and of the whole height. For each FIGURE=CLASS, pixels near the colours of a class are counted inside the
figure's box. Prints one line for each figure; status 1 where marks are missing. Standard library only.
"""
import json
import os
import re
import struct
import subprocess
import sys
import zlib

WIDTH = 1000
BLUE, SKY, RED, ORANGE, BLACK = (0, 114, 178), (86, 180, 233), (213, 94, 0), (230, 159, 0), (0, 0, 0)
SHADES = [(0x86, 0xbf, 0xe3), (0x3f, 0x97, 0xcd), (0x0a, 0x6a, 0xa6)]
# Colours and the fewest pixels of each, for a figure some 460 wide (Manhattan plots: the whole width).
CLASSES = {
    "manhattan": [(BLUE, 2000), (SKY, 2000), (RED, 120)],
    "qq": [(BLUE, 300)],
    "roc": [(BLUE, 300), (ORANGE, 150), (BLACK, 80)],
    "classes": [(BLUE, 300), (RED, 150)],
    "cells": [(SHADES[0], 200), (SHADES[1], 200), (SHADES[2], 100), (ORANGE, 50)],
    "people": [(SHADES[0], 200), (SHADES[1], 200), (SHADES[2], 100)],
    "training": [(BLUE, 200), (RED, 100)],
    "bars": [(BLUE, 2000)],
    "log": [(BLACK, 100)],
}
SCRIPT = """<pre id="boxes"></pre><script>addEventListener("load",function(){var b={height:document.documentElement.scrollHeight,
width:document.documentElement.scrollWidth};
document.querySelectorAll("figure [id],figure[id],iframe").forEach(function(e){var r=e.getBoundingClientRect();
b[e.id||"log"]=[r.left,r.top+scrollY,r.right,r.bottom+scrollY]});
document.getElementById("boxes").textContent="BOXES"+JSON.stringify(b)+"END"})</script>"""


def chromium(program, folder, options, page):
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
               "--disable-dev-shm-usage", "--user-data-dir=" + os.path.join(folder, "profile")] + options
    command.append("file://" + os.path.abspath(page))
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=200, check=True).stdout.decode()


def read_png(path):
    """Width, height, bytes a pixel, rows. 8 bits, RGB or RGBA, not interlaced: what Chromium writes."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    assert depth == 8 and colour in (2, 6) and interlace == 0
    step = 3 if colour == 2 else 4
    raw, stride, rows = zlib.decompress(packed), width * step, []
    before = bytearray(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        if kind == 1:
            for i in range(step, stride):
                row[i] = (row[i] + row[i - step]) & 255
        elif kind == 2:
            row = bytearray([(a + b) & 255 for a, b in zip(row, before)])
        elif kind == 3:
            for i in range(stride):
                row[i] = (row[i] + (((row[i - step] if i >= step else 0) + before[i]) >> 1)) & 255
        elif kind == 4:
            for i in range(stride):
                a, b, c = (row[i - step], before[i], before[i - step]) if i >= step else (0, before[i], 0)
                p, q, r = abs(b - c), abs(a - c), abs(a + b - c - c)
                row[i] = (row[i] + (a if p <= q and p <= r else b if q <= r else c)) & 255
        rows.append(row)
        before = row
    return width, height, step, rows


def count(picture, box, colours):
    width, height, step, rows = picture
    found = {}
    x0, y0, x1, y1 = int(max(0, box[0])), int(max(0, box[1])), int(min(width, box[2])), int(min(height, box[3]))
    for y in range(y0, y1):
        row = rows[y]
        for x in range(x0 * step, x1 * step, step):
            if row[x] < 235 or row[x + 2] < 235:
                pixel = (row[x], row[x + 1], row[x + 2])
                found[pixel] = found.get(pixel, 0) + 1
    return [sum(n for p, n in found.items() if all(abs(a - b) <= 36 for a, b in zip(p, c))) for c, _ in colours]


def main():
    program, page, folder, figures = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    text = open(page, encoding="utf-8").read()
    copy, shot = os.path.join(os.path.dirname(page) or ".", "boxes.html"), os.path.join(folder, "report.png")
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text.replace('loading="lazy"', "").replace("</body>", SCRIPT + "</body>"))
    dom = chromium(program, folder, ["--window-size=%d,900" % WIDTH, "--dump-dom"], copy)
    boxes = json.loads(re.search("BOXES(\\{.*?\\})END</pre>", dom).group(1))
    assert boxes["width"] <= WIDTH, "the page is %d wide: it does not fit" % boxes["width"]
    chromium(program, folder, ["--window-size=%d,%d" % (WIDTH, boxes["height"]), "--screenshot=" + shot], copy)
    os.remove(copy)
    picture, missing = read_png(shot), 0
    for figure in figures:
        name, kind = figure.split("=")
        if name not in boxes:
            print("%s: there is no such figure" % name)
            missing += 1
            continue
        counts = count(picture, boxes[name], CLASSES[kind])
        short = any(n < least for n, (_, least) in zip(counts, CLASSES[kind]))
        missing += short
        print("%s (%s): %s%s" % (name, kind, ", ".join("%d of %d" % (n, least) for n, (_, least) in zip(counts, CLASSES[kind])),
                                 ": TOO FEW" if short else ""))
    sys.exit(missing > 0)


main()
