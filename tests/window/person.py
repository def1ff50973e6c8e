"""A person at the window: looks at it and acts on it through the accessibility tree, drops files through X.

Belongs to the system's Python, which has `gi` and `Xlib`. Every wait has a deadline; what was not found is said
together with what was there.
"""

import os
import re
import struct
import time
import urllib.parse
import zlib

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402
from Xlib import X, Xatom, display as xdisplay, error as xerror  # noqa: E402
from Xlib.ext import xtest  # noqa: E402
from Xlib.protocol import event as xevent  # noqa: E402

BUTTON = ("push button", "button", "toggle button", "link")
TICK = ("check box",)


def enable_accessibility():
    """Programs build their tree only while somebody says that it is wanted."""
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    arguments = GLib.Variant("(ssv)", ("org.a11y.Status", "IsEnabled", GLib.Variant("b", True)))
    bus.call_sync(
        "org.a11y.Bus",
        "/org/a11y/bus",
        "org.freedesktop.DBus.Properties",
        "Set",
        arguments,
        None,
        Gio.DBusCallFlags.NONE,
        10_000,
        None,
    )
    Atspi.init()
    # The registry starts with the first question; a quick program must not be there before it.
    Atspi.get_desktop(0).get_child_count()


class NotThere(Exception):
    """Something did not show up in time."""


def wait(what, look, seconds=20.0, pause=0.1):
    """Looks again and again; gives back what was found."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = look()
        except GLib.Error:
            # A node that went away between two questions.
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise NotThere(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)


class Person:
    """One window of one program."""

    def __init__(self, program, window_title, seconds=20.0):
        self.program = program
        self.application = wait(f"the program {program}", self._application, seconds)
        self.window = XWindow(window_title, seconds)

    def _application(self):
        desktop = Atspi.get_desktop(0)
        for number in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(number)
            if child is not None and child.get_name() == self.program:
                return child
        return None

    def nodes(self):
        """Every node, from the top."""

        def children(node):
            # A node that goes away while it is looked at has none.
            try:
                found = [node.get_child_at_index(number) for number in range(node.get_child_count())]
            except GLib.Error:
                return []
            return [child for child in found if child is not None]

        def below(node):
            yield node
            for child in children(node):
                yield from below(child)

        yield from below(self.application)

    def all(self, name=None, contains=None, roles=None, starts=None):
        """Every node that fits."""
        found = []
        for node in self.nodes():
            try:
                text = node.get_name() or ""
                role = node.get_role_name()
            except GLib.Error:
                # It went away while it was looked at.
                continue
            if roles and role not in roles:
                continue
            if name is not None and text != name:
                continue
            if contains is not None and contains not in text:
                continue
            if starts is not None and not text.startswith(starts):
                continue
            found.append(node)
        return found

    def see(self, seconds=20.0, **wanted):
        """Waits until something fits; gives back the first."""
        try:
            return wait(str(wanted), lambda: self.all(**wanted), seconds)[0]
        except NotThere as error:
            raise NotThere(f"{error}\n{self.describe()}") from None

    def press(self, seconds=20.0, roles=BUTTON, **wanted):
        """Waits until a button fits and may be pressed; presses it."""

        def pressable():
            for node in self.all(roles=roles, **wanted):
                if node.get_state_set().contains(Atspi.StateType.ENABLED) and node.get_n_actions() > 0:
                    return node
            return None

        try:
            node = wait(f"to press {wanted}", pressable, seconds)
        except NotThere as error:
            raise NotThere(f"{error}\n{self.describe()}") from None
        node.do_action(0)
        return node

    def tick(self, seconds=20.0, **wanted):
        """Ticks a box and waits until it is ticked."""
        node = self.press(seconds, roles=TICK, **wanted)
        name = node.get_name()

        def ticked():
            boxes = self.all(name=name, roles=TICK)
            return any(box.get_state_set().contains(Atspi.StateType.CHECKED) for box in boxes)

        wait(f"{name} ticked", ticked, seconds)

    def bring(self, **wanted):
        """Turns the wheel until what fits stands in the upper part of the page."""

        def place():
            node = self.see(**wanted)
            return node.get_component_iface().get_extents(Atspi.CoordType.WINDOW).y

        before = place()
        goal = self.window.height() // 6
        if abs(before - goal) < 40:
            return
        # How far one turn goes is found out by turning.
        probe = 2 if before > goal else -2
        self.window.wheel(probe)
        # Long enough for scrolling to come to rest.
        time.sleep(0.8)
        after = place()
        if after != before:
            self.window.wheel(round((after - goal) * probe / (before - after)))
            time.sleep(0.8)

    def describe(self, most=160):
        """What is there, for whoever reads a failure."""
        lines = []
        for node in self.nodes():
            name = node.get_name()
            if name:
                lines.append(f"  {node.get_role_name()}: {name!r}")
        return "In the window:\n" + "\n".join(lines[:most])


class Sandbox:
    """What of the demo's platforms is used, by the names the sandbox gives them."""

    # A pipeline of each platform, and a field of its own form where it has one.
    WANTED = {
        "Biodock (sandbox)": ("Nuclei count", "Fetch masks"),
        "Code Ocean (sandbox)": ("Image statistics", "Bins"),
        "Seven Bridges (sandbox)": ("Table summary", "Decimals"),
        "Analytics Automated (sandbox)": ("wordcount", None),
    }

    @classmethod
    def tick_all(cls, person):
        """Ticks a pipeline on every platform the demo connects to; gives back the connections."""
        person.see(name="Biodock (sandbox)", seconds=30)
        names = {node.get_name() for node in person.all(contains="(sandbox)", roles=("label",))}
        labels = sorted(name for name in names if name.endswith(" (sandbox)"))
        for label in labels:
            if label not in cls.WANTED:
                raise NotThere(f"a pipeline to tick for {label}")
            pipeline, field = cls.WANTED[label]
            person.tick(name=f"{pipeline}, {label}", seconds=30)
            person.see(name=f"{label}, {label.removesuffix(' (sandbox)')}", seconds=30)
            if field and not person.all(starts=field):
                wait(f"the form of {pipeline}", lambda: person.all(starts=field) or cls.unfold(person), 30, 0.5)
                person.see(starts=field)
        return labels

    @classmethod
    def unfold(cls, person):
        """Opens the groups of the forms that show nothing; says whether there were any."""
        pipelines = [pipeline for pipeline, _field in cls.WANTED.values()]
        nodes = [node for node in person.nodes() if node.get_name()]
        names = [node.get_name() for node in nodes]
        start = names.index("Batch name") if "Batch name" in names else len(nodes)
        closed = []
        for node, after in zip(nodes[start:], [*nodes[start + 1 :], None]):
            if node.get_role_name() != "toggle button":
                continue
            is_last = after is None or after.get_role_name() == "toggle button" or after.get_name() in pipelines
            if is_last:
                closed.append(node)
        for node in closed:
            node.do_action(0)
        if closed:
            time.sleep(0.5)
        return bool(closed)

    @staticmethod
    def finish(person, seconds=150):
        """Waits on the page Jobs until every job of the one batch is done; gives back how many there are."""

        def all_done():
            text = person.all(contains=" done", roles=("label",))
            counts = [re.fullmatch(r"(\d+) of (\d+) done", node.get_name() or "") for node in text]
            found = next((match for match in counts if match), None)
            return int(found[2]) if found and found[1] == found[2] else None

        deadline = time.monotonic() + seconds
        while True:
            jobs = all_done()
            if jobs:
                return jobs
            bad = [word for word in ("Failed", "Unconfirmed") if person.all(name=word, roles=("label",))]
            if bad or time.monotonic() > deadline:
                raise NotThere(f"every job done, some are {bad or 'not'}\n{person.describe(400)}")
            time.sleep(0.5)


class XWindow:
    """The window itself, as the display knows it."""

    def __init__(self, title, seconds=20.0):
        self.display = xdisplay.Display()
        self.root = self.display.screen().root
        self.title = title
        self.window = wait(f"a window called {title}", self._find, seconds, pause=0.02)

    def _atom(self, name):
        return self.display.intern_atom(name)

    def _find(self):
        def below(window):
            yield window
            for child in window.query_tree().children:
                yield from below(child)

        try:
            for window in below(self.root):
                name = window.get_full_text_property(self._atom("_NET_WM_NAME")) or window.get_wm_name()
                viewable = window.get_attributes().map_state == X.IsViewable
                if name and self.title in str(name) and viewable:
                    return window
        except xerror.XError:
            # A window that went away between two questions.
            return None
        return None

    def resize(self, width, height):
        """Moves the window into the corner and gives it this size."""
        self.window.configure(x=0, y=0, width=width, height=height)
        self.display.sync()

    def point_away(self):
        """Leaves no widget highlighted."""
        geometry = self.window.get_geometry()
        self.root.warp_pointer(geometry.width - 2, geometry.height - 2)
        self.display.sync()

    def height(self):
        return self.window.get_geometry().height

    def wheel(self, turns):
        """Turns the mouse wheel over the left edge of the page, down for positive numbers."""
        corner = self.root.translate_coords(self.window, 0, 0)
        # Beside the rail and left of what scrolls by itself.
        self.root.warp_pointer(-corner.x + 192, -corner.y + self.height() // 2)
        button = 5 if turns > 0 else 4
        for _ in range(abs(turns)):
            xtest.fake_input(self.display, X.ButtonPress, button)
            xtest.fake_input(self.display, X.ButtonRelease, button)
        self.display.sync()

    def drop(self, paths, seconds=10.0):
        """Drops files in the middle, the way file managers do (XDND, version 5)."""
        source = self.root.create_window(0, 0, 1, 1, 0, self.display.screen().root_depth)
        source.set_selection_owner(self._atom("XdndSelection"), X.CurrentTime)
        uris = self._atom("text/uri-list")
        text = "".join(f"file://{urllib.parse.quote(os.path.abspath(path))}\r\n" for path in paths)
        geometry = self.window.get_geometry()
        corner = self.root.translate_coords(self.window, 0, 0)
        middle = (-corner.x + geometry.width // 2) << 16 | (-corner.y + geometry.height // 2)
        answers = {}

        def tell(name, data):
            message = xevent.ClientMessage(
                window=self.window, client_type=self._atom(name), data=(32, data)
            )
            self.window.send_event(message, event_mask=0)
            self.display.flush()

        def answered(name):
            while self.display.pending_events():
                event = self.display.next_event()
                if event.type == X.SelectionRequest:
                    place = event.property or event.target
                    event.requestor.change_property(place, event.target, 8, text.encode())
                    event.requestor.send_event(
                        xevent.SelectionNotify(
                            time=event.time,
                            requestor=event.requestor,
                            selection=event.selection,
                            target=event.target,
                            property=place,
                        )
                    )
                    self.display.flush()
                elif event.type == X.ClientMessage:
                    answers[self.display.get_atom_name(event.client_type)] = event.data[1][1] & 1
            return name in answers

        tell("XdndEnter", [source.id, 5 << 24, uris, 0, 0])
        tell("XdndPosition", [source.id, 0, middle, X.CurrentTime, self._atom("XdndActionCopy")])
        wait("the window to look at what is dragged", lambda: answered("XdndStatus"), seconds, 0.01)
        if not answers["XdndStatus"]:
            raise NotThere("the window refuses what is dragged over it")
        tell("XdndDrop", [source.id, 0, X.CurrentTime, 0, 0])
        wait("the window to take the drop", lambda: answered("XdndFinished"), seconds, 0.01)
        source.destroy()
        self.display.flush()

    def carry_out(self, node, seconds=10.0):
        """Drags what is at a node to the window of another program, as a person does; gives back what that was handed."""
        place = node.get_component_iface().get_extents(Atspi.CoordType.WINDOW)
        corner = self.root.translate_coords(self.window, 0, 0)
        start = (-corner.x + place.x + place.width // 2, -corner.y + place.y + place.height // 2)
        screen = self.root.get_geometry()
        goal = (screen.width - 60, screen.height - 60)
        taker = Taker(self.display, self.root, goal)
        try:
            self.root.warp_pointer(*start)
            xtest.fake_input(self.display, X.ButtonPress, 1)
            for step in range(1, 41):
                self.root.warp_pointer(*(a + (b - a) * step // 40 for a, b in zip(start, goal)))
                taker.answer()
                # As fast as a hand.
                time.sleep(0.02)
            wait("something to be dragged over the other program", taker.answer, seconds, 0.01)
            xtest.fake_input(self.display, X.ButtonRelease, 1)
            self.display.sync()
            wait("the other program to be handed it", lambda: taker.answer() and taker.handed, seconds, 0.01)
            return taker.handed
        finally:
            xtest.fake_input(self.display, X.ButtonRelease, 1)
            taker.window.destroy()
            self.display.sync()

    def picture(self, path):
        """Writes what is on the window as a PNG."""
        geometry = self.window.get_geometry()
        image = self.window.get_image(0, 0, geometry.width, geometry.height, X.ZPixmap, 0xFFFFFFFF)
        data = image.data if isinstance(image.data, bytes) else image.data.encode("latin-1")
        write_png(path, geometry.width, geometry.height, data)


class Taker:
    """A program that takes files dropped on its small window (XDND, version 5)."""

    def __init__(self, display, root, middle):
        self.display = display
        x, y = middle
        self.window = root.create_window(x - 40, y - 40, 80, 80, 0, display.screen().root_depth)
        self.window.change_property(self._atom("XdndAware"), Xatom.ATOM, 32, [5])
        self.window.map()
        self.display.sync()
        self.over = False
        self.handed = None
        self.source = None

    def _atom(self, name):
        return self.display.intern_atom(name)

    def _tell(self, name, *data):
        message = xevent.ClientMessage(
            window=self.source, client_type=self._atom(name), data=(32, [self.window.id, *data])
        )
        self.source.send_event(message, event_mask=0)
        self.display.flush()

    def answer(self):
        """Answers what came; whether something is over it."""
        copy, own = self._atom("XdndActionCopy"), self._atom("LABFERRY_TEST")
        while self.display.pending_events():
            event = self.display.next_event()
            if event.type == X.SelectionNotify and event.property:
                self.handed = bytes(self.window.get_full_property(own, X.AnyPropertyType).value).decode()
                self._tell("XdndFinished", 1, copy, 0, 0)
            if event.type != X.ClientMessage:
                continue
            what = self.display.get_atom_name(event.client_type)
            self.source = self.display.create_resource_object("window", event.data[1][0])
            if what == "XdndPosition":
                self.over = True
                self._tell("XdndStatus", 1, 0, 0, copy)
            elif what == "XdndLeave":
                self.over = False
            elif what == "XdndDrop":
                wanted = self._atom("text/uri-list")
                self.window.convert_selection(self._atom("XdndSelection"), wanted, own, event.data[1][2])
                self.display.flush()
        return self.over


def write_png(path, width, height, bgrx):
    """PNG of 32-bit pixels, red in the third byte."""
    pixels = bytearray(3 * width * height)
    pixels[0::3] = bgrx[2::4]
    pixels[1::3] = bgrx[1::4]
    pixels[2::3] = bgrx[0::4]
    rows = bytearray()
    stride = 3 * width
    for row in range(height):
        line = pixels[row * stride : (row + 1) * stride]
        above = pixels[(row - 1) * stride : row * stride] if row else None
        if above == line:
            # "Up" of an equal line is nothing at all.
            rows += b"\x02" + bytes(stride)
        else:
            rows += b"\x00" + line

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", header))
        file.write(chunk(b"IDAT", zlib.compress(bytes(rows), 9)))
        file.write(chunk(b"IEND", b""))


def ticks_of(process):
    """Processor time a process has used, in ticks of the clock."""
    with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
