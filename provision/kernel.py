"""The kernel's network namespaces, by name: made, entered, spoken to, removed.

A namespace is entered by a thread of its own, which ends afterwards: setns(2) changes the calling thread
alone, and a thread that has changed is not used again. A netlink socket stays in the namespace where it was
made, so what speaks netlink enters once. Python before 3.12 has no os.setns; ctypes calls libc by
CDLL(None), which musl has too.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from provision.errors import HostError
from provision.netlink import NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE, Socket

NETNS_FOLDER = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED = 4096, 16384, 1 << 20
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread that ends with it, and return what it returns or raise what it raises."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()


def inside(path: Path, work: Callable[[], T]) -> T:
    """Run `work` in a thread whose network namespace is the one at `path`. OSError when there is none."""

    def entered() -> T:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", handle, _CLONE_NEWNET)
        finally:
            os.close(handle)
        return work()

    return in_thread(entered)


def in_new(work: Callable[[], T]) -> T:
    """Run `work` in a new network namespace that is gone afterwards."""

    def entered() -> T:
        _call("unshare", _CLONE_NEWNET)
        return work()

    return in_thread(entered)


def is_namespace(path: Path) -> bool:
    """Whether a network namespace is mounted at `path`; a kill may have left an ordinary file."""
    try:
        return path.stat().st_dev == Path("/proc/self/ns/net").stat().st_dev
    except OSError:
        return False


def make(path: Path, prepare: Callable[[], None]) -> None:
    """Make a namespace, run `prepare` in it, and only then give it its name."""
    _share_folder()

    def work() -> None:
        prepare()
        path.touch(mode=0o444)
        _call("mount", b"/proc/thread-self/ns/net", os.fsencode(path), b"none", _MS_BIND, None)

    in_new(work)


def remove(path: Path) -> None:
    """Take the name away; the namespace goes with the last process and descriptor in it."""
    while is_namespace(path):
        _call("umount2", os.fsencode(path), _MNT_DETACH)
    path.unlink(missing_ok=True)


def _share_folder() -> None:
    """Make /run/netns a shared mount, as ip-netns(8) does, so that names are seen in every mount namespace."""
    NETNS_FOLDER.mkdir(mode=0o755, exist_ok=True)
    folder = os.fsencode(NETNS_FOLDER)
    try:
        _call("mount", b"", folder, b"none", _MS_SHARED | _MS_REC, None)
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: no mount point yet (mount(2))
            raise
        _call("mount", folder, folder, b"none", _MS_BIND | _MS_REC, None)
        _call("mount", b"", folder, b"none", _MS_SHARED | _MS_REC, None)


class Kernel:
    """Sockets into namespaces, opened on first use and held until `close`."""

    def __init__(self) -> None:
        self._sockets: dict[tuple[Path, int], Socket] = {}

    def route(self, path: Path) -> Socket:
        """An rtnetlink socket in the namespace at `path`."""
        return self._socket(path, NETLINK_ROUTE)

    def netfilter(self, path: Path) -> Socket:
        """A nfnetlink socket in the namespace at `path`."""
        return self._socket(path, NETLINK_NETFILTER)

    def generic(self, path: Path) -> Socket:
        """A generic netlink socket in the namespace at `path`."""
        return self._socket(path, NETLINK_GENERIC)

    def forget(self, path: Path) -> None:
        """Close what is held in a namespace that is about to go or has been made anew."""
        for key in [key for key in self._sockets if key[0] == path]:
            self._sockets.pop(key).close()

    def close(self) -> None:
        for held in self._sockets.values():
            held.close()
        self._sockets.clear()

    def _socket(self, path: Path, protocol: int) -> Socket:
        key = (path, protocol)
        if key not in self._sockets:
            self._sockets[key] = inside(path, lambda: Socket(protocol))
        return self._sockets[key]


def require_root() -> None:
    """Raises HostError unless this process may make namespaces."""
    if os.geteuid() != 0:
        raise HostError("making and reading network namespaces needs root: run it as root (sudo, doas)")
