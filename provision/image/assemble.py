"""Entries -> a reproducible tar: sorted, owned by root, time stamps from the contents; and what an image must not hold.

A file's time stamp is made from its content, for a web server tells by it whether a page has changed: with one
stamp for all, a browser would keep an old page of the same size for good.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path, PurePosixPath

from provision.errors import ApplyError

FOLDER_MODE, FILE_MODE, PROGRAM_MODE, TMP_MODE = 0o755, 0o644, 0o755, 0o1777
STAMPS = (946_684_800, 631_152_000)  # the first, 2000-01-01 in seconds, and how many there are: twenty years
ROOT = PurePosixPath("/")
TMP = PurePosixPath("/tmp")  # noqa: S108 - the image's
PACKAGE_MANAGERS = frozenset({"apk", "apt", "apt-get", "aptitude", "dpkg", "dpkg-deb", "rpm", "dnf", "pip", "pip3"})
SHELLS = frozenset(
    {"ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "sh", "tcsh", "toybox", "yash", "zsh"}
)
PROGRAM_FOLDERS = frozenset({"bin", "sbin"})

ACCOUNTS = {
    "/etc/passwd": "root:x:0:0:root:/:/usr/sbin/nologin\n"
    "app:x:1000:1000:app:/:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    "/etc/group": "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
MOUNT_POINTS = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")  # empty: the container's own are mounted over them
MOUNT_FOLDERS = ("/dev", "/proc", "/run", "/sys")


class Kind(Enum):
    FOLDER = auto()
    FILE = auto()
    LINK = auto()


@dataclass(frozen=True, kw_only=True)
class Entry:
    at: PurePosixPath
    kind: Kind
    mode: int = FILE_MODE
    target: str = ""  # of a link
    origin: Path | None = None  # of a file: where its content lies
    content: bytes = b""  # of a file without origin

    def read(self) -> bytes:
        return self.content if self.origin is None else self.origin.read_bytes()


def folder(at: PurePosixPath | str, mode: int = FOLDER_MODE) -> Entry:
    return Entry(at=PurePosixPath(at), kind=Kind.FOLDER, mode=mode)


def text(at: PurePosixPath | str, content: str = "") -> Entry:
    return Entry(at=PurePosixPath(at), kind=Kind.FILE, content=content.encode())


def skeleton() -> tuple[Entry, ...]:
    """What every image has: accounts, the places where a runtime mounts, /tmp, /var/run."""
    return (
        *(text(at, content) for at, content in ACCOUNTS.items()),
        *(text(at) for at in MOUNT_POINTS),
        *(folder(at) for at in MOUNT_FOLDERS),
        folder(TMP, TMP_MODE),
        Entry(at=PurePosixPath("/var/run"), kind=Kind.LINK, mode=0o777, target="/run"),
    )


def from_tree(root: Path, kept: Iterable[PurePosixPath]) -> Iterator[Entry]:
    """The kept paths of the root filesystem in `root`. Raises ApplyError for devices, sockets and pipes."""
    for path in kept:
        outside = root / path.relative_to(ROOT)
        status = os.lstat(outside)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            yield Entry(at=path, kind=Kind.LINK, mode=0o777, target=str(outside.readlink()))
        elif stat.S_ISDIR(status.st_mode):
            yield folder(path, mode)
        elif stat.S_ISREG(status.st_mode):
            yield Entry(at=path, kind=Kind.FILE, mode=mode, origin=outside)
        else:
            raise ApplyError(f"{path} is neither file, folder nor link: an image may not hold it")


def from_archive(archive: Path) -> Iterator[Entry]:
    """The entries of an archive that `write` made."""
    with tarfile.open(archive) as tar:
        for member in tar:
            at = ROOT / member.name
            if member.isdir():
                yield folder(at, member.mode)
            elif member.issym():
                yield Entry(at=at, kind=Kind.LINK, mode=member.mode, target=member.linkname)
            else:
                file = tar.extractfile(member)
                assert file is not None
                yield Entry(at=at, kind=Kind.FILE, mode=member.mode, content=file.read())


def layered(*layers: Iterable[Entry]) -> dict[PurePosixPath, Entry]:
    """The layers one over another: a later entry replaces an earlier one of its path; missing folders are added.

    Raises ApplyError where an entry would lie below a file or a link.
    """
    found: dict[PurePosixPath, Entry] = {}
    for layer in layers:
        found.update({entry.at: entry for entry in layer})
    for at in tuple(found):
        for above in at.parents:
            if above != ROOT and found.setdefault(above, folder(above)).kind is not Kind.FOLDER:
                raise ApplyError(f"{at} lies below {above}, which is no folder: name the path it leads to")
    return found


def audit(entries: Mapping[PurePosixPath, Entry], *, shell_declared: bool) -> tuple[str, ...]:
    """What an image must not hold (law 10), each with the path."""
    problems = []
    for at, entry in sorted(entries.items()):
        if entry.kind is Kind.FILE and entry.mode & (stat.S_ISUID | stat.S_ISGID):
            problems.append(f"{at} is setuid or setgid")
        if at.parent.name not in PROGRAM_FOLDERS:
            continue
        if at.name in PACKAGE_MANAGERS:
            problems.append(f"{at} is a package manager")
        if at.name in SHELLS and not shell_declared:
            problems.append(f'{at} is a shell, and image.yaml gives no reason for one (shell: "why")')
    return tuple(problems)


def stamp(content: bytes) -> int:
    """A time in the past, in seconds, that other content would hardly have."""
    first, count = STAMPS
    return first + int.from_bytes(hashlib.sha256(content).digest()[:8], "big") % count


def unfold(entries: Mapping[PurePosixPath, Entry], root: Path) -> None:
    """Write the entries into the empty folder `root`, for a program to run in; all is the caller's own."""
    for at, entry in sorted(entries.items()):
        outside = root / at.relative_to(ROOT)
        match entry.kind:
            case Kind.FOLDER:
                outside.mkdir(mode=entry.mode)
            case Kind.LINK:
                outside.symlink_to(entry.target)
            case Kind.FILE:
                outside.write_bytes(entry.read())
                outside.chmod(entry.mode)


def write(entries: Mapping[PurePosixPath, Entry], archive: Path) -> None:
    """Write the tar. The same entries give the same bytes: no names of owners, no attributes, no clock."""
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        for at, entry in sorted(entries.items()):
            member = tarfile.TarInfo(str(at.relative_to(ROOT)))
            member.mode = entry.mode
            match entry.kind:
                case Kind.FOLDER:
                    member.type = tarfile.DIRTYPE
                    tar.addfile(member)
                case Kind.LINK:
                    member.type, member.linkname = tarfile.SYMTYPE, entry.target
                    tar.addfile(member)
                case Kind.FILE:
                    content = entry.read()
                    member.size, member.mtime = len(content), stamp(content)
                    tar.addfile(member, io.BytesIO(content))
