"""Holds `labferry table` against Python's own csv module: odd tables by the hundred, every cell the same.

usage: tables.py PROGRAM

The tables are made from a seed: delimiters, line ends, quoting, encodings, packing, and cells that programs like to change.
Each is read twice: by Labferry, which has to guess how it is written, and by `csv.reader`, which is told.
"""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import sys
import tempfile

TABLES = 320

CELLS = [
    "007", "0", "-0", "1e5", "1E5", "1.50", "1,5", "-2,25", "9007199254740993", "12345678901234567890123",
    "2026-11-20", "01/02", "1-2", "MARCH1", "SEPT2", "TRUE", "NA", "nan", "#N/A", "null", "", " ", " x ", "=1+1",
    "+x", "@a", "-", "A1", "B10", "Nucleus", "say \"hi\"", "\"", "\"\"", "one, two; three|four\tfive", "two\nlines",
    "two\r\nlines", "\n", "µm²", "Zwölf", "naïve", "a'b", "\\n", "C:\\x", "5\" pipe", "x" * 300, "<b>", "%d", "0x1F",
]
WIDE_CELLS = ["世界", "🧬", "±≤", "Ελλ"]


def cell(draw, wide):
    kind = draw.random()
    if kind < 0.35:
        return str(draw.randint(-1000, 100000))
    if kind < 0.55:
        return f"{draw.uniform(-10, 1000):.{draw.randint(1, 6)}f}"
    if wide and kind < 0.6:
        return draw.choice(WIDE_CELLS)
    return draw.choice(CELLS)


def make(draw, number):
    """A table: its bytes, how it is written, and whether that can be guessed at all."""
    encoding = draw.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16-le-marked", "utf-16-be-marked", "cp1252"])
    delimiter = draw.choice([",", ",", ";", "\t", "|"])
    line_end = draw.choice(["\n", "\n", "\r\n", "\r"])
    quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    columns = draw.randint(2, 14) if number % 40 else 2500
    rows = draw.randint(3, 60)
    wide = encoding != "cp1252"
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow([f"column {letter}" if draw.random() < 0.9 else f"µ {letter}" for letter in range(columns)])
    for _ in range(rows):
        length = columns
        if draw.random() < 0.03:
            length = max(1, columns + draw.randint(-2, 2))
        row = [cell(draw, wide) for _ in range(length)]
        if line_end == "\r" and quoting == csv.QUOTE_MINIMAL:
            # This writer leaves line feeds without quotes where lines end otherwise; nobody could read that back.
            row = [text_of.replace("\n", " ") for text_of in row]
        writer.writerow(row)
        if draw.random() < 0.03:
            text.write(line_end)
    written = text.getvalue()
    if number % 17 == 0:
        written = written.rstrip("\r\n")
    if number % 23 == 0 and quoting == csv.QUOTE_MINIMAL:
        written += delimiter.join(["5\" pipe", "a\"b\"c"] + ["z"] * (columns - 2)) + line_end
    if number % 29 == 0:
        written += delimiter.join(["\"closed\"behind", "b"] + ["z"] * (columns - 2)) + line_end
    if number % 31 == 0 and wide:
        written += delimiter.join(["nul\0nul", "b"] + ["z"] * (columns - 2)) + line_end
    marks = {"utf-16-le-marked": b"\xff\xfe", "utf-16-be-marked": b"\xfe\xff"}
    mark = marks.get(encoding, b"")
    data = mark + written.encode(encoding.removesuffix("-marked"), errors="replace")
    if number % 13 == 0:
        data = gzip.compress(data)
    return data, written.encode(encoding.removesuffix("-marked"), errors="replace").decode(
        encoding.removesuffix("-marked")
    ), delimiter


def theirs(text, delimiter):
    """What Python reads; blank lines are no rows."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    return [row for row in reader if row]


def ours(program, path):
    described = subprocess.run([program, "table", path, "--json"], capture_output=True, check=True, timeout=60)
    printed = subprocess.run([program, "table", path], capture_output=True, check=True, timeout=60)
    rows = [row for row in csv.reader(io.StringIO(printed.stdout.decode("utf-8"), newline=""))]
    return json.loads(described.stdout), rows


def main():
    program = sys.argv[1]
    csv.field_size_limit(1 << 30)
    draw = random.Random(20261122)
    cells, problems = 0, []
    with tempfile.TemporaryDirectory(prefix="tables # 50% 世 ") as folder:
        for number in range(TABLES):
            data, text, delimiter = make(draw, number)
            path = os.path.join(folder, f"table {number} # 50% 世.csv")
            with open(path, "wb") as file:
                file.write(data)
            expected = theirs(text, delimiter)
            described, found = ours(program, path)
            if described["delimiter"] != delimiter:
                problems.append(f"table {number}: delimiter {described['delimiter']!r}, not {delimiter!r}")
                continue
            # A single empty cell is written in quotes, and read back as one.
            if found != expected:
                differ = [(a, b) for a, b in zip(found, expected) if a != b][:2]
                problems.append(f"table {number}: {len(found)} rows, {len(expected)} expected; first {differ}")
            if described["rows"] + (1 if described["header"] else 0) != len(expected):
                problems.append(f"table {number}: counted {described['rows']}, {len(expected)} expected")
            cells += sum(len(row) for row in expected)
    for problem in problems[:20]:
        print(problem[:400], file=sys.stderr)
    print(f"{TABLES} odd tables, {cells} cells: {len(problems)} differences to Python's csv")
    return 1 if problems or cells < 100_000 else 0


if __name__ == "__main__":
    sys.exit(main())
