#!/usr/bin/env python3
"""Draws icon.png (256 × 256) from the same shapes as icon.svg, with nothing but the standard library."""

import os
import struct
import zlib

SIZE, FINE = 256, 4
TEAL, PAPER, ORANGE, WATER = (15, 107, 109), (244, 247, 246), (224, 118, 60), (143, 208, 200)


def in_rounded(x, y, left, top, width, height, radius):
    dx = max(left + radius - x, x - (left + width - radius), 0)
    dy = max(top + radius - y, y - (top + height - radius), 0)
    inside = left <= x <= left + width and top <= y <= top + height
    return inside and dx * dx + dy * dy <= radius * radius


def in_circle(x, y, cx, cy, radius):
    return (x - cx) ** 2 + (y - cy) ** 2 <= radius * radius


def in_hull(x, y):
    if not 37 <= y <= 49:
        return False
    inset = 7 * (y - 37) / 12
    return 11 + inset <= x <= 53 - inset


def color(x, y):
    """The color at a place of the 64 × 64 drawing; none outside."""
    if not in_rounded(x, y, 2, 2, 60, 60, 14):
        return None
    if in_rounded(x, y, 7.5, 52.5, 49, 3, 1.5):
        return WATER
    if in_hull(x, y):
        return PAPER
    if any(in_circle(x, y, *spot) for spot in [(28, 22, 3), (35, 27, 3.6), (35.5, 19.5, 1.8)]):
        return ORANGE
    if in_circle(x, y, 32, 25, 11):
        return PAPER
    return TEAL


def main():
    rows = bytearray()
    for row in range(SIZE):
        rows.append(0)
        for column in range(SIZE):
            seen = [
                color((column + (a + 0.5) / FINE) * 64 / SIZE, (row + (b + 0.5) / FINE) * 64 / SIZE)
                for a in range(FINE)
                for b in range(FINE)
            ]
            there = [one for one in seen if one]
            if there:
                rows += bytes(sum(channel) // len(there) for channel in zip(*there))
            else:
                rows += bytes(3)
            rows.append(255 * len(there) // len(seen))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "icon.png")
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(bytes(rows), 9)))
        file.write(chunk(b"IEND", b""))


if __name__ == "__main__":
    main()
