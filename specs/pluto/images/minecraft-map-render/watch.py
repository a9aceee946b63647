"""Draw the game's map anew when its map files change, and put what is drawn into the folder that is served.

    arm ── draw ── publish ── wait for a change ── wait for the rest of the period ─┐
     └──────────────────────────────────────────────────────────────────────────────┘

inotify(7) is armed before each drawing, so that every change is either in the drawing or told after it: however many
come within a period, what the last one made is drawn. The first after a rest is drawn at once.

The drawing is a program's: `watch.py COMMAND...` calls `COMMAND... WORLD FOLDER`, as one calls little-a-map.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from types import FrameType

TREE, WORLD, MAPS = Path("/srv/minecraft"), "world", "data"  # map_<number>.dat and idcounts.dat
DRAFT, SERVED = Path("/tmp/map"), Path("/out")  # noqa: S108 - the container's own tmpfs
PERIOD = 5.0  # seconds between two drawings, at least
SOON = 60.0  # seconds until a drawing that failed is tried again, also when nothing changes
# include/uapi/linux/inotify.h
CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE, Q_OVERFLOW = 0x8, 0x40, 0x80, 0x100, 0x200, 0x4000
ONLYDIR = 0x0100_0000
CONTENT = CLOSE_WRITE | MOVED_FROM | MOVED_TO | DELETE
WAY = CREATE | MOVED_FROM | MOVED_TO | DELETE
EVENT = struct.Struct("iIII")  # wd, mask, cookie, length of the name
READ_BYTES = 65536


def main() -> None:
    signal.signal(signal.SIGTERM, _end)  # process 1 has no default action
    command = sys.argv[1:]
    follow(lambda: Watch(TREE, (WORLD, MAPS)), lambda: drawn(command))


def follow(arm: Callable[[], Watch], draw: Callable[[], bool]) -> None:
    """Draw, for ever."""
    watch = arm()
    while True:
        begun = time.monotonic()
        done = draw()
        watch.changed(None if done else SOON)
        Event().wait(max(0.0, begun + PERIOD - time.monotonic()))
        spent, watch = watch, arm()
        spent.close()


class Watch:
    """What changes in the folder `way` below `root`, from now on; the folders on the way may come and go."""

    def __init__(self, root: Path, way: Sequence[str]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._next: dict[int, str] = {}  # a watched folder on the way -> the name of its that matters
        folder = root
        for name in way:
            self._add(folder, WAY, name)
            folder /= name
        self._add(folder, CONTENT, "")

    def changed(self, seconds: float | None = None) -> bool:
        """Wait until something has changed since it was armed; whether it has, within `seconds`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        while poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
            if any(self._matters(wd, mask, name) for wd, mask, name in self._told()):
                return True
        return False

    def close(self) -> None:
        os.close(self._descriptor)

    def _add(self, folder: Path, mask: int, name: str) -> None:
        """Watch a folder; one that is not there yet is told of by the one above it."""
        wd = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), mask | ONLYDIR)
        if wd >= 0:
            self._next[wd] = name

    def _matters(self, wd: int, mask: int, name: str) -> bool:
        return bool(mask & Q_OVERFLOW) or self._next.get(wd) in ("", name)

    def _told(self) -> Iterator[tuple[int, int, str]]:
        read, place = os.read(self._descriptor, READ_BYTES), 0
        while place < len(read):
            wd, mask, _, length = EVENT.unpack_from(read, place)
            place += EVENT.size
            yield wd, mask, os.fsdecode(read[place : place + length].rstrip(b"\0"))
            place += length


def drawn(command: Sequence[str]) -> bool:
    """One drawing, published; whether it was made."""
    DRAFT.mkdir(exist_ok=True)
    started = time.monotonic()
    done = subprocess.run((*command, str(TREE / WORLD), str(DRAFT)), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        say(f"no new map: {command[-1]} ended with {done.returncode}")
        return False
    changed = publish(DRAFT, SERVED)
    say(f"drawn in {time.monotonic() - started:.1f} s, {changed} files changed")
    return True


def publish(draft: Path, served: Path) -> int:
    """Make `served` hold the files of `draft`; how many changed. Each is there whole, or as it was, at any moment."""
    files = {path.relative_to(draft): path for path in draft.rglob("*") if path.is_file()}
    changed = 0
    for name in sorted(files, key=lambda name: (name.suffix == ".html", name)):  # a page after what it shows
        changed += _put(files[name].read_bytes(), served / name)
    for path in sorted(served.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(served) not in files:
            path.unlink()
            changed += 1
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return changed


def _put(content: bytes, path: Path) -> int:
    if path.is_file() and path.read_bytes() == content:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}")
    fresh.write_bytes(content)
    fresh.replace(path)
    return 1


def say(text: str) -> None:
    print(f"map: {text}", flush=True)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
