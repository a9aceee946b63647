"""An image's Python files, compiled beforehand by the image's own interpreter (PEP 3147: __pycache__).

A container's root is read-only: Python cannot keep there what it has compiled, so without this each start compiles
anew all that the program imports (decision 031).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from provision.image import assemble, compiler
from provision.run import SYSTEM_PATH, run

INTERPRETER = PurePosixPath("/usr/bin/python3")
COMPILE_SECONDS = 300.0
CLEAN = ("env", "-i", f"PATH={SYSTEM_PATH}")  # nothing of the caller's PYTHON… variables; the same bytes each time


def compiled(entries: Mapping[PurePosixPath, assemble.Entry], folder: Path) -> tuple[assemble.Entry, ...]:
    """The compiled files that the image of `entries` lacks; none where it has no Python.

    The image is written into the empty `folder`, where the contents of the files returned lie. Raises CommandError.
    """
    sources = [
        str(at) for at, entry in sorted(entries.items()) if entry.kind is assemble.Kind.FILE and at.suffix == ".py"
    ]
    if INTERPRETER not in entries or not sources:
        return ()
    assemble.unfold(entries, folder)
    shutil.copyfile(compiler.__file__, folder / "compiler.py")
    argv = (*CLEAN, "chroot", str(folder), str(INTERPRETER), "-B", "-s", "/compiler.py")
    made = run(argv, stdin="\n".join(sources), timeout=COMPILE_SECONDS).stdout.splitlines()
    return tuple(_entry(PurePosixPath(at), folder) for at in made)


def _entry(at: PurePosixPath, folder: Path) -> assemble.Entry:
    return assemble.Entry(at=at, kind=assemble.Kind.FILE, origin=folder / at.relative_to("/"))
