"""An id-mapped mount: a folder shown at a second place, its owner's files as somebody else's (mount_setattr(2)).

    on disk             uid and gid `owner`, a person of the machine
    at the second place uid and gid `outside`, one of a container's own range; all other ids are nobody's there
What is written through it as `outside` lands on disk as `owner`. The kernel takes the map from a user namespace.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ApplyError

OVERFLOW = 65534  # what an id without a mapping is shown as (/proc/sys/kernel/overflowuid)
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442  # the same on every architecture
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
MOVE_MOUNT_F_EMPTY_PATH = 4
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC, ATTR_IDMAP = 0x2, 0x4, 0x8, 0x00100000
MS_PRIVATE = 1 << 18
CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    """struct mount_attr, linux/mount.h."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def mount(source: Path, target: Path, *, owner: int, outside: int) -> None:
    """Show `source` at the folder `target`. Raises ApplyError where the kernel or the file system cannot."""
    with _user_namespace(f"{owner} {outside} 1\n") as namespace:
        tree = _call(OPEN_TREE, AT_FDCWD, os.fsencode(source), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, what=str(source))
        try:
            flags = ATTR_IDMAP | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC
            wanted = _MountAttr(attr_set=flags, attr_clr=0, propagation=MS_PRIVATE, userns_fd=namespace)
            size = ctypes.sizeof(wanted)
            _call(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, ctypes.byref(wanted), size, what=f"map ids of {source}")
            _call(MOVE_MOUNT, tree, b"", AT_FDCWD, os.fsencode(target), MOVE_MOUNT_F_EMPTY_PATH, what=str(target))
        finally:
            os.close(tree)


@contextmanager
def _user_namespace(table: str) -> Iterator[int]:
    """A user namespace with `table` as its uid_map and gid_map: a child makes it and holds it until we have it open."""
    told, tell = os.pipe()
    held, hold = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hold)
        os.write(tell, b"0" if _libc.unshare(CLONE_NEWUSER) else b"1")
        os.read(held, 1)
        os._exit(0)
    os.close(held)
    try:
        if os.read(told, 1) != b"1":
            raise ApplyError("the kernel makes no user namespace: see /proc/sys/user/max_user_namespaces")
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{child}/{name}").write_text(table)
        namespace = os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield namespace
        finally:
            os.close(namespace)
    finally:
        for end in (hold, told, tell):
            os.close(end)
        os.waitpid(child, 0)


def _call(number: int, *arguments: object, what: str) -> int:
    done: int = _libc.syscall(number, *arguments)
    if done < 0:
        code = ctypes.get_errno()
        hint = "; its file system must know id-mapped mounts (mount_setattr(2))" if number == MOUNT_SETATTR else ""
        raise ApplyError(f"{what}: {os.strerror(code)}{hint}")
    return done
