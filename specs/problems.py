"""Mistakes in a declaration: each with its place, what is wrong, and a hint; a phase reports all of its own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from specs.model import Source

SHOWN_MAX = 60


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    source: Source
    text: str
    hint: str = ""

    def __str__(self) -> str:
        line = f"{self.source}: {self.text}"
        return f"{line}\n    hint: {self.hint}" if self.hint else line


class SpecError(Exception):
    """The declaration is wrong: `problems` holds every mistake of the first phase that found one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def closest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists the few there are."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 12 else ""


def shown(value: object) -> str:
    """A value as a message quotes it: on one line, printable, not longer than a line."""
    text = "null" if value is None else str(value)
    if not text.isprintable():
        text = ascii(text)[1:-1]
    return f"`{text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + '…'}`"
