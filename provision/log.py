"""A container's log as conmon writes it: a k8s-file, `TIME STREAM TAG TEXT` a line, TAG P where the line goes on.

conmon cuts the log at its bound (render.podman.LOG_BYTES) by putting a new file in its place, so that one that is
followed is opened anew when its inode changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from provision.wait import wait
from specs.instance import Instance


def path(instance: Instance, container: str) -> Path:
    """Where podman keeps the log of the container with the id `container`."""
    return instance.podman_root / "overlay-containers" / container / "userdata" / "ctr.log"


def parse(text: Iterable[str]) -> Iterator[str]:
    """Whole lines as `DATE TIME TEXT`, from what is written in pieces; a last piece without its end waits for it."""
    begun = ""
    for line in text:
        time, _, rest = line.rstrip("\n").partition(" ")
        _, _, tagged = rest.partition(" ")
        tag, _, said = tagged.partition(" ")
        begun += said
        if tag == "F":
            yield f"{time[:19].replace('T', ' ')} {begun}"
            begun = ""


def tail(log: Path, lines: int) -> list[str]:
    """The last `lines` of it. OSError where there is no log."""
    return list(parse(log.read_text(errors="replace").splitlines()))[-lines:] if lines else []


def follow(log: Path, lines: int) -> Iterator[str]:
    """The last `lines` of it, and then each as it is written, until the caller is interrupted."""
    yield from tail(log, lines)
    yield from parse(_written(log, log.stat().st_size))


def _written(log: Path, offset: int) -> Iterator[str]:
    while True:
        with log.open(errors="replace") as file:
            file.seek(offset)
            inode, begun = log.stat().st_ino, ""
            while log.exists() and log.stat().st_ino == inode:
                begun += file.readline()
                if begun.endswith("\n"):
                    yield begun
                    begun = ""
                else:
                    changed = partial(_changed, log, inode, file.tell())
                    wait(changed, deadline=math.inf, what=f"a new line in {log}")
        offset = 0


def _changed(log: Path, inode: int, read: int) -> bool:
    try:
        found = log.stat()
    except FileNotFoundError:  # conmon is putting a new one in its place
        return False
    return found.st_ino != inode or found.st_size > read
