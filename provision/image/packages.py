"""Which packages are really in an image: those that own at least one of its files, told by the family's own records."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from provision.image.bootstrap import BUNDLE, CERTIFICATES, debian_archive
from provision.image.closure import Tree
from provision.run import run

APK_INSTALLED = Path("lib/apk/db/installed")
APT_ARCHIVES = Path("var/cache/apt/archives")


class Origin(StrEnum):
    """Where a package comes from, as a package URL says it: type and, for a distribution's, namespace."""

    DEBIAN = "deb/debian"
    ALPINE = "apk/alpine"
    PYPI = "pypi"


@dataclass(frozen=True, kw_only=True, order=True)
class Package:
    name: str
    version: str
    origin: Origin
    architecture: str  # the family's word; "" for a wheel
    licences: tuple[str, ...]  # empty where the package does not say it in a form a program can read
    sha256: str  # of the package file itself; "" where the family does not keep it (apk)


def packages_of(folder: Path, kept: Iterable[PurePosixPath]) -> tuple[Package, ...]:
    """The packages of the root filesystem in `folder` that own at least one file of `kept`."""
    wanted = {str(path) for path in kept}
    if f"/{BUNDLE}" in wanted:  # made of the package's single certificates, which themselves are not kept
        wanted |= {f"/{path.relative_to(folder)}" for path in (folder / CERTIFICATES).glob("*.crt")}
    database = folder / APK_INSTALLED
    if database.exists():
        owned = parse_apk(database.read_text())
        return tuple(sorted(package for package, paths in owned if wanted & _real(folder, paths)))
    archives = sorted((folder / APT_ARCHIVES).glob("*.deb"))
    return tuple(sorted(_debian(folder, path) for path in archives if wanted & _real(folder, _contents(path))))


def parse_apk(text: str) -> tuple[tuple[Package, tuple[str, ...]], ...]:
    """The database of installed packages of apk -> each with the paths it owns (P V A L, F folder, R file)."""
    found = []
    for block in text.strip().split("\n\n"):
        fields: dict[str, str] = {}
        paths, folder = [], ""
        for line in block.splitlines():
            letter, _, value = line.partition(":")
            match letter:
                case "F":
                    folder = value
                case "R":
                    paths.append(f"/{folder}/{value}")
                case _:
                    fields[letter] = value
        package = Package(
            name=fields["P"],
            version=fields["V"],
            origin=Origin.ALPINE,
            architecture=fields.get("A", ""),
            licences=tuple(word for word in re.split(r" AND | OR | ", fields.get("L", "")) if word),
            sha256="",
        )
        found.append((package, tuple(paths)))
    return tuple(found)


def parse_contents(text: str) -> tuple[str, ...]:
    """`dpkg-deb --contents` -> the paths of what is no folder."""
    lines = [line.split(None, 5) for line in text.splitlines() if not line.startswith("d")]
    return tuple(fields[5].split(" -> ")[0].removeprefix(".") for fields in lines)


def parse_copyright(text: str) -> tuple[str, ...]:
    """The licences a machine-readable debian/copyright names (DEP-5), each once."""
    return tuple(sorted(set(re.findall(r"^License: *(\S.*?) *$", text, re.MULTILINE))))


def _debian(folder: Path, archive: Path) -> Package:
    name, version, architecture = debian_archive(archive)
    told = folder / "usr/share/doc" / name / "copyright"
    licences = parse_copyright(told.read_text(errors="replace")) if told.is_file() else ()
    return Package(
        name=name,
        version=version,
        origin=Origin.DEBIAN,
        architecture=architecture,
        licences=licences,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
    )


def _contents(archive: Path) -> tuple[str, ...]:
    return parse_contents(run(("dpkg-deb", "--contents", str(archive)), timeout=60).stdout)


def _real(folder: Path, paths: Iterable[str]) -> set[str]:
    """The paths as merged /usr has them; the last part is kept, so that a link stays a link."""
    tree, real = Tree(folder), {}
    for path in map(PurePosixPath, paths):
        if path.parent not in real and tree.exists(path.parent):
            real[path.parent] = tree.resolve(path.parent)[0]
    return {str(real[path.parent] / path.name) for path in map(PurePosixPath, paths) if path.parent in real}
