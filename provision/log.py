"""A container's log as conmon writes it: a k8s-file, `TIME STREAM TAG TEXT` a line, TAG P where the line goes on.

conmon cuts the log at its bound (specs.model.LOG_BYTES) by putting a new file in its place, so that one that is
followed is opened anew when its inode changes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

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
    return _last(log.read_bytes(), lines)


def follow(log: Path, lines: int) -> Iterator[str]:
    """The last `lines` of it, and then each as it is written, until the caller is interrupted."""
    with log.open("rb") as file:
        read = file.read()
        whole = read.rfind(b"\n") + 1  # a line that is being written is read again, whole
        yield from _last(read[:whole], lines)
        file.seek(whole)
        yield from parse(_written(log, file))


def _last(read: bytes, lines: int) -> list[str]:
    return list(parse(read.decode(errors="replace").splitlines()))[-lines:] if lines else []


def _written(log: Path, file: BinaryIO) -> Iterator[str]:
    """The lines of `file`, which was `log` when it was opened, and then of each that takes its place."""
    with ExitStack() as opened:
        while True:
            yield from _lines(log, file)
            opened.close()
            file = opened.enter_context(log.open("rb"))


def _lines(log: Path, file: BinaryIO) -> Iterator[str]:
    """The lines of `file` until another one stands in its place."""
    begun = b""
    while True:
        begun += file.readline()
        if begun.endswith(b"\n"):
            yield begun.decode(errors="replace")
            begun = b""
        elif _there(log) in (os.fstat(file.fileno()).st_ino, None):
            wait(partial(_changed, log, file), deadline=math.inf, what=f"a new line in {log}")
        elif os.fstat(file.fileno()).st_size == file.tell():
            return


def _changed(log: Path, file: BinaryIO) -> bool:
    found = os.fstat(file.fileno())
    return found.st_size > file.tell() or _there(log) not in (found.st_ino, None)


def _there(log: Path) -> int | None:
    """The inode of what is there now; None while conmon puts a new one in its place."""
    try:
        return log.stat().st_ino
    except FileNotFoundError:
        return None
