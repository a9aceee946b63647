"""Rows as aligned text, and how old a thing is in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime


def table(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """A heading and the rows, each column as wide as its widest value."""
    shown = [{column: column for column in columns}, *rows]
    widths = {column: max(len(row[column]) for row in shown) for column in columns}
    for row in shown:
        yield "  ".join(row[column].ljust(widths[column]) for column in columns).rstrip()


def age(since: datetime, now: datetime | None = None) -> str:
    """`3 d`, `2 h`, `5 min`, `7 s`: the largest unit there is one of."""
    seconds = int(((now or datetime.now(UTC)) - since).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"
