"""Mounts below a folder of ours: podman bind-mounts its own store onto itself and may leave overlays."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def below(folder: Path, table: str) -> tuple[Path, ...]:
    """The mount points at or below `folder` in a /proc/PID/mountinfo text, innermost first (proc(5))."""
    points = (Path(_unescape(line.split(" ")[4])) for line in table.splitlines())
    return tuple(reversed([point for point in points if point.is_relative_to(folder)]))


def detach_below(folder: Path) -> None:
    """Unmount everything at or below `folder` (umount2(2))."""
    for point in below(folder, Path("/proc/self/mountinfo").read_text()):
        if _libc.umount2(os.fsencode(point), _MNT_DETACH) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"unmount {point}: {os.strerror(code)}")


def _unescape(field: str) -> str:
    return field.encode().decode("unicode_escape") if "\\" in field else field
