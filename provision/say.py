"""How the command line speaks: plain lines, coloured signs on a terminal (https://no-color.org)."""

from __future__ import annotations

import os
from typing import TextIO

from provision.op import Action

_COLOURS = {Action.MAKE: "32", Action.CHANGE: "33", Action.REMOVE: "31"}


class Voice:
    """Writes lines to `stream`; `quiet` keeps them to itself (JSON is asked for)."""

    def __init__(self, stream: TextIO, *, quiet: bool = False, prefix: str = "") -> None:
        self._stream = stream
        self._quiet = quiet
        self._prefix = prefix
        self._coloured = stream.isatty() and not os.environ.get("NO_COLOR")

    def line(self, text: str = "") -> None:
        if not self._quiet:
            print(f"{self._prefix}{text}", file=self._stream, flush=True)

    def prefixed(self, prefix: str) -> Voice:
        """The same voice, each line behind `prefix`."""
        return Voice(self._stream, quiet=self._quiet, prefix=prefix)

    def document(self, text: str) -> None:
        """The one thing that is said when JSON is asked for."""
        print(text, file=self._stream, flush=True)

    def sign(self, action: Action) -> str:
        return f"\x1b[{_COLOURS[action]}m{action}\x1b[0m" if self._coloured else str(action)
