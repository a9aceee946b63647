"""Several files of one folder change together: whoever reads by its name, after a kill too, finds all of them or none.

aside: a twin of the folder, its unchanged files hard links, beside it
write the new files into the twin
exchange the names of folder and twin (renameat2(2), RENAME_EXCHANGE)      <- from here on they are changed
link the new files into the old folder, which is the twin now
exchange them back, so that who stands in the folder stays in it
remove the twin
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from provision.errors import HostError

_RENAMEAT2 = {"x86_64": 316, "aarch64": 276}  # asm/unistd_64.h, asm-generic/unistd.h
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_libc = ctypes.CDLL(None, use_errno=True)


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write `texts`, by their names in `folder`, as they are: UTF-8, no line end changed.

    Raises HostError where the machine does not let two folders change places; then nothing is changed.
    """
    real = folder.resolve()
    twin = real.with_name(f".{real.name}.pluto-new")
    try:
        _remove(twin)  # left by a kill; all that it holds is in the folder as well
        shutil.copytree(real, twin, symlinks=True, copy_function=_link)
        for name, text in texts.items():
            _put(twin / name, text)
        _exchange(real, twin)
        _take_over(twin, real, texts)
        _exchange(real, twin)
        _remove(twin)
    except OSError as error:
        shutil.rmtree(twin, ignore_errors=True)
        raise HostError(f"{folder} cannot be changed at once: {error.filename or twin}: {error.strerror}") from error


def _link(source: str, target: str) -> None:
    os.link(source, target, follow_symlinks=False)


def _put(path: Path, text: str) -> None:
    """Beside the link to the old file, then in its place: the old folder keeps the old text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.pluto-new")
    with draft.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
    if path.exists():
        draft.chmod(path.stat().st_mode & 0o7777)
    draft.replace(path)


def _take_over(old: Path, new: Path, names: Iterable[str]) -> None:
    for name in names:
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        draft = (old / name).with_name(f".{Path(name).name}.pluto-new")
        draft.unlink(missing_ok=True)
        _link(str(new / name), str(draft))
        draft.replace(old / name)


def _exchange(one: Path, other: Path) -> None:
    number = _RENAMEAT2.get(platform.machine())
    if number is None:
        raise HostError(f"renameat2(2) of {platform.machine()} is not known here: write the files by hand")
    names = (os.fsencode(one), os.fsencode(other))
    if _libc.syscall(number, _AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(one))


def _remove(twin: Path) -> None:
    if twin.exists():
        shutil.rmtree(twin)
