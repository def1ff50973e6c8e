"""The main job as a person does it, in the real window of the real program.

usage: drive.py PROGRAM SCRATCH-FOLDER
"""

import csv
import glob
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import person as look  # noqa: E402

def say(text):
    print(text, flush=True)


def start(program, scratch, *more):
    """Starts the demo; gives back the process and when it was started."""
    os.makedirs(scratch, exist_ok=True)
    log = open(os.path.join(scratch, "labferry.out"), "ab")
    started = time.monotonic()
    process = subprocess.Popen(
        [program, "demo", "--data-dir", os.path.join(scratch, "data"), "--into", os.path.join(scratch, "into"), *more],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    return process, started


def check_dropped_files(person, scratch):
    """Files with awkward names arrive by drag and drop, beside the samples that are at hand."""
    folder = os.path.join(scratch, "dropped")
    os.makedirs(folder, exist_ok=True)
    # Names that stand first in the list: what is below its last visible row is not in the window.
    names = ["0 plate 7 #1 50% 世界.csv", "0 it's \"quoted\".txt"]
    for name in names:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write("well,value\nA01,1\n")
    person.window.drop([os.path.join(folder, name) for name in names])
    for name in names:
        person.see(name=name)
    return len(names)


def check_results(scratch, labels):
    """The files are on the disk and are what the receipt says."""
    receipts = glob.glob(os.path.join(glob.escape(os.path.join(scratch, "into")), "*", "receipt.json"))
    if len(receipts) != 1:
        raise look.NotThere(f"one receipt in {scratch}/into, found {receipts}")
    folder = os.path.dirname(receipts[0])
    with open(receipts[0], encoding="utf-8") as file:
        files = json.load(file)["files"]
    for record in files:
        with open(os.path.join(folder, record["path"]), "rb") as file:
            data = file.read()
        if len(data) != record["size_bytes"] or hashlib.sha256(data).hexdigest() != record["sha256"]:
            raise look.NotThere(f"{record['path']} is not what the receipt says")
    paths = [record["path"] for record in files]
    jobs = {path.split("/")[0] for path in paths if "/" in path}
    for label in labels:
        if not any(label in job for job in jobs):
            raise look.NotThere(f"results over {label} among {sorted(jobs)}")
    parts = glob.glob(os.path.join(glob.escape(folder), "**", "*.part"), recursive=True)
    if parts:
        raise look.NotThere(f"half-fetched files are left: {parts}")
    objects = [path for path in paths if os.path.basename(path).startswith("objects") and path.endswith(".csv")]
    masks = [path for path in paths if path.endswith("_objects.json")]
    if not objects or not masks:
        raise look.NotThere(f"objects and masks among {paths}")
    with open(os.path.join(folder, objects[0]), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    say(f"{len(files)} files as the receipt says, {len(rows) - 1} objects")
    return objects[0], rows


def check_dragged_out(person, path):
    """A result is dragged from the tree to another program, which gets its address."""
    row = person.see(name=os.path.basename(path), roles=look.BUTTON)
    handed = person.window.carry_out(row)
    address = urllib.parse.urlsplit(handed.rstrip("\r\n"))
    place = urllib.parse.unquote(address.path)
    if address.scheme != "file" or not place.endswith(path) or not os.path.isfile(place):
        raise look.NotThere(f"the address of {path}: {handed!r}")
    say("a result was dragged to another program")


def journey(program, scratch):
    process, started = start(program, scratch)
    try:
        window = look.XWindow("Labferry", 60)
        mapped = time.monotonic() - started
        say(f"window on the display after {mapped * 1000:.0f} ms")
        person = look.Person(os.path.basename(program), "Labferry", 60)
        person.window = window
        person.window.resize(1600, 1000)
        dropped = check_dropped_files(person, scratch)
        labels = look.Sandbox.tick_all(person)
        button = person.press(starts="Send ", contains="platform", seconds=30)
        say(f"pressed: {button.get_name()}")
        if f"{len(labels)} platforms" not in button.get_name():
            raise look.NotThere(f"{len(labels)} platforms on the button: {button.get_name()}")
        person.press(name="Jobs")
        jobs = look.Sandbox.finish(person)
        say(f"{jobs} jobs on {len(labels)} platforms are done")
        path, rows = check_results(scratch, labels)
        person.press(name="Results")
        person.press(contains=os.path.basename(path), seconds=30)
        for title in rows[0][:3]:
            person.see(contains=title)
        for cell in rows[1][1:3]:
            person.see(contains=cell)
        say(f"the objects table is on screen: {rows[0][:3]}, {rows[1][:3]}")
        say(f"{dropped} files with awkward names went along")
        check_dragged_out(person, path)
        idle(process)
    finally:
        end(process)


def idle(process):
    """Nothing happens, so nothing is done."""
    time.sleep(3)
    before = look.ticks_of(process.pid)
    time.sleep(10)
    used = look.ticks_of(process.pid) - before
    say(f"processor time in 10 idle seconds: {used} ticks of 10 ms")
    if used > 5:
        raise look.NotThere("an idle window: it keeps working")


def starting(program, scratch):
    """How long until the window is there, three times."""
    times = []
    for _ in range(3):
        process, started = start(program, scratch)
        try:
            look.XWindow("Labferry", 60)
            times.append(time.monotonic() - started)
        finally:
            end(process)
    say("fork to mapped window: " + ", ".join(f"{seconds * 1000:.0f} ms" for seconds in times))


def end(process):
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(15)


def main():
    program, scratch = sys.argv[1], sys.argv[2]
    look.enable_accessibility()
    try:
        journey(program, scratch)
        starting(program, os.path.join(scratch, "again"))
    except look.NotThere as error:
        say(f"NOT THERE: {error}")
        return 1
    say("the window test passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
