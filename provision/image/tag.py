"""An image's tag: a hash of all that decides its bytes, so that nothing is built twice (law 10).

The versions of the distribution's packages are not part of it: a tag names the definition, and the refresh it was
last made anew for (decision 018), not the day.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provision.errors import ApplyError
from specs.model import Image, PutFile

# The making code's version: raise it when the same definition gives other bytes or another SBOM;
# test_image_assemble.py pins them.
MAKER = 3
DIGITS = 12


def tag(image: Image, folder: Path, *, family: str, suite: str, base: str | None, epoch: str = "") -> str:
    """The tag of `image`, whose put files lie in `folder`; `base` is the tag of the image it stands on.

    `epoch` is that of its last refresh, "" where there was none (provision.image.epoch).
    """
    definition = {
        "maker": MAKER,
        "machine": platform.machine(),
        "family": family,
        "suite": suite,
        "base": base,
        "packages": sorted(dict(image.packages).get(family, ())),
        "pinned": [[p.project, p.version, p.sha256, p.member, str(p.at)] for p in image.pinned],
        "programs": sorted(map(str, image.programs)),
        "keep": sorted(image.keep),
        "put": [_put(put, folder) for put in image.put],
        "mountpoints": sorted([str(r.at) for r in image.rendered] + [str(w) for w in image.writable]),
        "entrypoint": list(image.entrypoint),
        "shell": image.shell_reason is not None,
    }
    if image.jail is not None:
        definition["jail"] = [str(image.jail.at), sorted(map(str, image.jail.programs))]
    if image.jlink is not None:
        definition["jlink"] = [str(image.jlink.at), list(image.jlink.modules)]
    if epoch:
        definition["epoch"] = epoch
    text = json.dumps(definition, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def put_files(put: PutFile, folder: Path) -> Iterator[tuple[str, Path]]:
    """Each file `put` brings: its path below `put.at` ("" for a single file) and where it lies, sorted.

    Raises ApplyError for a file that is absent or is no regular file.
    """
    origin = folder / put.origin
    if not origin.is_dir():
        yield "", _regular(origin)
        return
    for path in sorted(origin.rglob("*")):
        if path.parent.name == "__pycache__":
            continue  # what a test that imported the program left: no part of it
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(origin).as_posix(), _regular(path)


def _put(put: PutFile, folder: Path) -> list[Any]:
    contents = [[name, hashlib.sha256(path.read_bytes()).hexdigest()] for name, path in put_files(put, folder)]
    return [str(put.at), put.executable, contents]


def _regular(path: Path) -> Path:
    if path.is_symlink() or not path.is_file():
        raise ApplyError(f"{path}: an image can take in regular files alone, and this is none: see `put`")
    return path
