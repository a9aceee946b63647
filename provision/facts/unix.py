"""Unix sockets that somebody listens on by a path: /proc/net/unix of each namespace (unix(7), net/unix/af_unix.c).

The table belongs to the network namespace, and the path is the listener's own, as it named it in its mount namespace.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from provision.kernel import inside

TABLE = Path("/proc/thread-self/net/unix")
_LISTENS = 0x10000  # __SO_ACCEPTCON (include/linux/net.h)


def read(namespace: Path) -> tuple[str, ...]:
    """The paths listened on in a namespace, sorted. OSError when there is no such namespace."""
    return inside(namespace, lambda: parse(TABLE.read_text(errors="replace").splitlines()))


def parse(lines: Iterable[str]) -> tuple[str, ...]:
    """`Num RefCount Protocol Flags Type St Inode Path`; a name that begins with @ is abstract and no file."""
    rows = (line.split(maxsplit=7) for line in lines)
    found = {row[7] for row in rows if len(row) == 8 and row[7].startswith("/") and int(row[3], 16) & _LISTENS}
    return tuple(sorted(found))
