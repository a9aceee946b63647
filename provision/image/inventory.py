"""Which of the declared images are made, and what is in them: read from the archives and the SBOMs beside them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from provision.errors import ApplyError
from provision.image import sbom
from provision.image.epoch import Epochs
from provision.image.packages import Package
from provision.image.recipe import Family, Recipe, recipe
from specs.model import Estate, Image

SHELLS = frozenset(("sh", "ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "rbash", "zsh", "csh", "tcsh"))


@dataclass(frozen=True, kw_only=True)
class Held:
    """One declared image; where it is pending or not made yet, what only an archive tells is None."""

    name: str
    pending: str | None
    tag: str | None
    size: int | None  # bytes of the archive, uncompressed
    packages: tuple[Package, ...] | None
    shells: tuple[PurePosixPath, ...] | None  # programs that are shells, by their names in the archive
    shell_reason: str | None  # the declared one
    made: datetime | None
    stands_in_for: str | None


def inventory(estate: Estate, images: Path, family: Family, epochs: Epochs) -> tuple[Held, ...]:
    """Every declared image as it stands at `epochs`, by name; `images` is STATE/images.

    Raises ApplyError for an archive that is broken.
    """
    recipes = {i.name: recipe(estate, i.name, family, epochs) for i in estate.images if i.pending is None}
    known = sorted(estate.images, key=lambda one: one.name)
    return tuple(_held(image, images, recipes.get(image.name)) for image in known)


def leftover(held: Iterable[Held], images: Path) -> tuple[Path, ...]:
    """The archives that are none of `held`: of a definition that has changed, or of another estate."""
    current = {f"{one.name}-{one.tag}" for one in held}
    return tuple(path for path in sorted(images.glob("*.tar")) if path.stem not in current)


def shells(names: Iterable[str]) -> tuple[PurePosixPath, ...]:
    """Those of an archive's names that are shells' programs."""
    paths = (PurePosixPath("/") / name for name in names)
    return tuple(sorted(path for path in paths if path.name in SHELLS and path.parent.name in ("bin", "sbin")))


def _held(image: Image, images: Path, made: Recipe | None) -> Held:
    archive = None if made is None else images / f"{made.stem}.tar"
    there = archive if archive is not None and archive.exists() else None
    status = None if there is None else there.stat()
    return Held(
        name=image.name,
        pending=image.pending,
        tag=None if made is None else made.tag,
        size=None if status is None else status.st_size,
        packages=None if there is None else _packages(there),
        shells=None if there is None else shells(_names(there)),
        shell_reason=image.shell_reason,
        made=None if status is None else datetime.fromtimestamp(status.st_mtime, UTC),
        stands_in_for=image.stands_in_for,
    )


def _packages(archive: Path) -> tuple[Package, ...] | None:
    told = archive.with_suffix(".sbom.json")
    return sbom.read(told) if told.exists() else None


def _names(archive: Path) -> list[str]:
    try:
        with tarfile.open(archive) as opened:
            return [member.name for member in opened if not member.isdir()]
    except tarfile.TarError as error:
        raise ApplyError(f"{archive} is no whole archive ({error}): remove it, and apply again") from error
