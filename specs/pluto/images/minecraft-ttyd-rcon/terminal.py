"""The game's console, for one visitor: the log of the session so far and as it grows, and what he types as commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from rcon import PASSWORD, SOCKET, Rcon

LOG = Path("/srv/minecraft/logs/latest.log")
PAUSE = 0.5  # seconds between two looks at the log
SECONDS = 10.0


def main() -> None:
    Thread(target=follow, args=(LOG,), daemon=True).start()
    for line in sys.stdin:
        if command := line.strip():
            show(answer(command))


def follow(path: Path) -> None:
    """Show the log, and what is added to it, for as long as the visitor stays."""
    lines, never = Lines(path), Event()
    while not never.wait(PAUSE):
        for line in lines.new():
            show(line)


class Lines:
    """A log's lines, each told once; one that a new session has begun anew is told from its start."""

    def __init__(self, path: Path) -> None:
        self._path, self._told, self._inode = path, 0, 0

    def new(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as file:
                yield from self._after(file.read())
        except FileNotFoundError:
            return

    def _after(self, whole: bytes) -> Iterator[str]:
        inode = self._path.stat().st_ino
        if inode != self._inode or len(whole) < self._told:
            self._inode, self._told = inode, 0
        complete = whole[self._told : whole.rfind(b"\n") + 1]
        self._told += len(complete)
        yield from complete.decode(errors="replace").splitlines()


def answer(command: str) -> str:
    try:
        with Rcon.open(SOCKET, PASSWORD.read_text().strip(), seconds=SECONDS) as game:
            return game.command(command)
    except OSError as error:
        return f"the game does not answer: {error}"


def show(text: str) -> None:
    """What the game says may hold players' words: nothing of it moves the visitor's cursor."""
    print("".join(c if c.isprintable() or c == "\n" else "?" for c in text), flush=True)


if __name__ == "__main__":
    main()
