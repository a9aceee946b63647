"""Sysctls of a network namespace: /proc/sys/net shows that of the reading thread (sysctl(5))."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_ROOT = Path("/proc/sys")


def path(key: str) -> Path:
    """`net.ipv4.conf.all.rp_filter` -> /proc/sys/net/ipv4/conf/all/rp_filter (no key of ours has a dot inside)."""
    return _ROOT / key.replace(".", "/")


def read(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The values in the calling thread's namespace; "" for a key this kernel or namespace does not have."""
    return tuple((key, _value(key)) for key in keys)


def _value(key: str) -> str:
    try:
        with open(path(key), encoding="ascii") as file:  # noqa: PTH123 - hundreds of them a plan
            return " ".join(file.read().split())
    except FileNotFoundError:
        return ""
