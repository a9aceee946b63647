"""The declaration, resolved; an unchanged one is remembered, for reading it takes half of a plan's time.

What specs.load makes is a function of the folder's files, of the code in specs/ and of Python. It is remembered under
their hash, as a pickle (only a file of the asking user's, which nobody else may write, is
read). It is no state: without it, the YAML is read. A mistake is never remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import specs
from specs.model import Estate, Profile

KEPT = 16  # declarations remembered, the newest
_CODE = Path(specs.__path__[0])
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def load(folder: Path, profile: Profile, state: Path) -> Estate:
    """As specs.load.load does; `state` is the state folder. Raises SpecError."""
    memory = state / "cache" / "estates" / f"{key(folder, profile)}.pickle"
    known = _recall(memory)
    if known is not None:
        return known
    from specs.load import load as read  # brings pydantic and yaml, 0.1 s

    estate = read(folder, profile)
    if key(folder, profile) == memory.stem:  # else somebody edits it this moment
        _remember(memory, estate)
    return estate


def key(folder: Path, profile: Profile) -> str:
    """The hash of all that decides what `folder` means: the names of its files, and what its YAML files say."""
    digest = hashlib.sha256(f"{sys.version}\0{folder.resolve()}\0{profile}".encode())
    for path in sorted(_CODE.glob("*.py")):
        found = path.stat()
        digest.update(f"\0{path.name} {found.st_mtime_ns} {found.st_size}".encode())
    for name, content in sorted(_files(folder)):
        digest.update(f"\0{name} {len(content)}\0".encode(errors="surrogateescape") + content)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every path below `folder`, and the content of those that could be read as YAML."""
    for top, folders, files in os.walk(folder):
        yield from ((os.path.join(top, name), b"/") for name in folders)  # noqa: PTH118 - hundreds of them a plan
        for name in files:
            path = os.path.join(top, name)  # noqa: PTH118
            yield path, _content(path) if name.endswith((".yaml", ".yml")) else b""


def _content(path: str) -> bytes:
    try:
        found = os.stat(path)  # noqa: PTH116
        return Path(path).read_bytes() if stat.S_ISREG(found.st_mode) else b"no file"
    except OSError:
        return b"unreadable"


def _recall(memory: Path) -> Estate | None:
    try:
        with memory.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
                return None
            known = pickle.load(file)  # noqa: S301 - our own, see above
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, TypeError, ValueError):
        return None
    return known if isinstance(known, Estate) else None


def _remember(memory: Path, estate: Estate) -> None:
    """Written aside and put in place at once; a user who may not write there goes without."""
    draft = memory.with_suffix(f".{os.getpid()}")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(pickle.dumps(estate, pickle.HIGHEST_PROTOCOL))
        draft.chmod(0o600)
        draft.replace(memory)
        newest = sorted(memory.parent.glob("*.pickle"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
