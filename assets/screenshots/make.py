"""Takes the pictures of the README. Started by make.sh, inside the display and the session bus of the window test.

usage: make.py PROGRAM SCRATCH-FOLDER
"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Somewhere else for a look at them before they are kept.
PLACE = os.environ.get("PICTURES", HERE)
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "window"))
import person as look  # noqa: E402

SIZES = [(1000, 640), (1600, 1000)]
RADIO = ("radio button", "push button", "button", "toggle button")


def take(person, name, at=None):
    """One picture in each size, of what is named `at` where that is further down."""
    for width, height in SIZES:
        person.window.resize(width, height)
        if at:
            time.sleep(0.3)
            person.bring(name=at)
        person.window.point_away()
        # Long enough for the frames after a change of size; nothing here can be asked whether it has been drawn.
        time.sleep(0.8)
        person.window.picture(os.path.join(PLACE, f"{name}-{width}.png"))
    print(f"took {name}", flush=True)


def choose_theme(person, theme):
    person.press(name="Settings")
    person.press(name=theme, roles=RADIO)
    time.sleep(0.5)


def results(person, theme):
    """The pane beside the results: a plot, masks with the row's object, the table of a whole batch. Ends at the table."""
    person.press(name="Results")
    person.window.resize(1600, 1000)
    person.press(name="Plot", roles=RADIO)
    person.press(name="Scatter", roles=RADIO)
    take(person, f"plot-{theme}")
    person.window.resize(1600, 1000)
    person.press(name="Table", roles=RADIO)
    person.press(name="Row 6")
    person.press(name="Show in the image")
    person.see(name="Show its row")
    person.press(name="Fit")
    take(person, f"masks-{theme}")
    person.window.resize(1600, 1000)
    person.press(name="Show its row")
    person.see(name="Row 6")
    person.press(starts="Batch ")
    person.press(name="All results in one table")
    person.see(name="Back to the batch")
    take(person, f"stack-{theme}")
    person.window.resize(1600, 1000)
    person.press(starts="Batch ")
    person.press(contains="objects.csv", seconds=30)
    time.sleep(1)


def main():
    program, scratch = sys.argv[1], sys.argv[2]
    look.enable_accessibility()
    data = os.path.join(scratch, "pictures")
    welcome = subprocess.Popen([program, "--data-dir", os.path.join(scratch, "first")])
    try:
        person = look.Person(os.path.basename(program), "Labferry", 60)
        for theme in ["Light", "Dark"]:
            choose_theme(person, theme)
            person.press(name="Send")
            take(person, f"welcome-{theme.lower()}")
    finally:
        welcome.terminate()
        welcome.wait(15)
    demo = subprocess.Popen([program, "demo", "--data-dir", data, "--into", os.path.join(scratch, "Results")])
    try:
        person = look.Person(os.path.basename(program), "Labferry", 60)
        person.window.resize(1600, 1000)
        labels = look.Sandbox.tick_all(person)
        forms = [
            (label, pipeline)
            for label, (pipeline, _field) in look.Sandbox.WANTED.items()
            if label in labels and label.startswith(("Code Ocean", "Seven Bridges"))
        ]
        for theme in ["Light", "Dark"]:
            choose_theme(person, theme)
            person.press(name="Send")
            take(person, f"send-{theme.lower()}")
        # The page stays where it was scrolled to.
        for theme in ["Light", "Dark"]:
            choose_theme(person, theme)
            person.press(name="Send")
            for label, _pipeline in forms:
                short = label.removesuffix(" (sandbox)").lower().replace(" ", "-")
                platform = label.removesuffix(" (sandbox)")
                take(person, f"form-{short}-{theme.lower()}", at=f"{label}, {platform}")
        person.press(starts="Send ", contains="platforms", seconds=30)
        person.press(name="Jobs")
        look.Sandbox.finish(person)
        person.press(name="Results")
        person.press(contains="objects.csv", seconds=30)
        person.press(name="Column cards")
        time.sleep(1)
        for theme in ["Light", "Dark"]:
            choose_theme(person, theme)
            for place in ["Jobs", "Results", "Connections", "Settings"]:
                person.press(name=place)
                take(person, f"{place.lower()}-{theme.lower()}")
            results(person, theme.lower())
    finally:
        demo.terminate()
        demo.wait(15)
    return 0


if __name__ == "__main__":
    sys.exit(main())
