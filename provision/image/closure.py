"""What a program needs to run: the shared libraries it loads, by ld.so(8)'s own rules for an image without a cache.

    program ─┬─ PT_INTERP        the loader
             ├─ DT_NEEDED        libraries, looked for in RPATH/RUNPATH, then in the loader's own folders
             └─ #!               a script's interpreter
Every symbolic link on the way is kept as it is, so that merged /usr and library sonames stay what they were.
Libraries opened by name at run time (plugins, NSS) are not seen: an image names them in `keep`.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from elftools.elf.dynamic import DynamicSegment, DynamicTag
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from provision.errors import ApplyError

ROOT = PurePosixPath("/")
LINKS_MAX = 40  # path_resolution(7)
ELF_MAGIC = b"\x7fELF"
MUSL_FOLDERS = ("/lib", "/usr/local/lib", "/usr/lib")  # ldso/dynlink.c
WILD = frozenset("*?[")


@dataclass(frozen=True, kw_only=True)
class Elf:
    """What the loader reads of a file."""

    machine: str
    bits: int
    interpreter: str | None
    needed: tuple[str, ...]
    runpath: tuple[str, ...]  # RUNPATH, or RPATH where there is none


@dataclass(frozen=True)
class Tree:
    """A root filesystem in `folder`, seen as if by chroot: links in it never lead out of it."""

    folder: Path

    def outside(self, path: PurePosixPath) -> Path:
        """Where the machine sees the already resolved `path`."""
        return self.folder / path.relative_to(ROOT)

    def resolve(self, path: PurePosixPath) -> tuple[PurePosixPath, tuple[PurePosixPath, ...]]:
        """The real path and the links passed on the way. FileNotFoundError when it leads nowhere."""
        left = list(reversed(path.relative_to(ROOT).parts))
        here, passed = ROOT, list[PurePosixPath]()
        while left:
            part = left.pop()
            here = here.parent if part == ".." else here / part
            target = self._link(here)
            if target is None:
                continue
            passed.append(here)
            if len(passed) > LINKS_MAX:
                raise FileNotFoundError(f"{path}: too many links")
            here = ROOT if target.is_absolute() else here.parent
            left += reversed([p for p in target.parts if p != "/"])
        os.lstat(self.outside(here))
        return here, tuple(passed)

    def exists(self, path: PurePosixPath) -> bool:
        try:
            self.resolve(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def glob(self, pattern: str) -> Iterator[PurePosixPath]:
        """The paths that `pattern` matches, sorted; a wild card never crosses a slash."""
        found = [ROOT]
        for part in PurePosixPath(pattern).relative_to(ROOT).parts:
            if WILD & set(part):
                found = [folder / name for folder in found for name in fnmatch.filter(self._names(folder), part)]
            else:
                found = [folder / part for folder in found]
        return iter([path for path in found if self.exists(path)])

    def below(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """All that lies below a resolved folder, folders included."""
        for name in self._names(folder):
            yield folder / name
            if stat.S_ISDIR(os.lstat(self.outside(folder / name)).st_mode):
                yield from self.below(folder / name)

    def _names(self, folder: PurePosixPath) -> list[str]:
        try:
            real, _ = self.resolve(folder)
            return sorted(path.name for path in self.outside(real).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _link(self, path: PurePosixPath) -> PurePosixPath | None:
        outside = self.outside(path)
        return PurePosixPath(outside.readlink()) if outside.is_symlink() else None


@dataclass
class Closure:
    """The paths kept so far; `take` adds one with all it needs."""

    tree: Tree
    kept: set[PurePosixPath] = field(default_factory=set)

    def take(self, path: PurePosixPath, wanted_by: str) -> None:
        """Keep `path`, the links that lead to it, and what it loads. Raises ApplyError for what is not there."""
        try:
            real, passed = self.tree.resolve(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ApplyError(f"{path} is not in the packages, and {wanted_by} wants it") from error
        self.kept.update(passed)
        if real in self.kept:
            return
        self.kept.add(real)
        if stat.S_ISDIR(os.lstat(self.tree.outside(real)).st_mode):
            for inner in tuple(self.tree.below(real)):
                self.take(inner, wanted_by)
        else:
            self._take_needs(real)

    def _take_needs(self, path: PurePosixPath) -> None:
        with self.tree.outside(path).open("rb") as file:
            start = file.read(256)
        runs = os.lstat(self.tree.outside(path)).st_mode & 0o111  # execve(2) wants it; a module is read, not run
        if start.startswith(b"#!") and runs:
            self.take(PurePosixPath(start[2:].split(b"\n")[0].split()[0].decode()), str(path))
        elif start.startswith(ELF_MAGIC):
            elf = read(self.tree.outside(path))
            if elf.interpreter is not None:
                self.take(PurePosixPath(elf.interpreter), str(path))
            for name in elf.needed:
                self.take(self._find(name, elf, path), str(path))

    def _find(self, name: str, elf: Elf, user: PurePosixPath) -> PurePosixPath:
        if "/" in name:
            return PurePosixPath(name)
        own = [folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", str(user.parent)) for folder in elf.runpath]
        for folder in (*own, *self._folders(elf)):
            candidate = PurePosixPath(os.path.normpath(folder)) / name
            if self.tree.exists(candidate) and self._fits(candidate, elf):
                return candidate
        raise ApplyError(f"{user} loads {name}, which no package has: name the one that has it in image.yaml")

    def _fits(self, candidate: PurePosixPath, elf: Elf) -> bool:
        found = read(self.tree.outside(self.tree.resolve(candidate)[0]))
        return (found.machine, found.bits) == (elf.machine, elf.bits)

    def _folders(self, elf: Elf) -> tuple[str, ...]:
        if any(self.tree.glob("/lib/ld-musl-*.so.1")):
            return MUSL_FOLDERS
        word = "64" if elf.bits == 64 else ""
        multiarch = sorted({path.parent.name for path in self.tree.glob("/usr/lib/*/libc.so.6")})
        triplets = [f"{base}/{triplet}" for triplet in multiarch for base in ("/lib", "/usr/lib")]
        return (*triplets, f"/lib{word}", f"/usr/lib{word}", "/lib", "/usr/lib")


def closure(folder: Path, wanted: Iterable[tuple[PurePosixPath, str]]) -> tuple[PurePosixPath, ...]:
    """Every path to keep of the root filesystem in `folder`: each wanted one (with who wants it) and its needs.

    Raises ApplyError that names a missing library and the file that loads it.
    """
    found = Closure(Tree(folder))
    for path, wanted_by in wanted:
        found.take(path, wanted_by)
    return tuple(sorted(found.kept))


def read(path: Path) -> Elf:
    """The loader's view of an ELF file."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        segments = tuple(elf.iter_segments())
        interpreter = next((s.get_interp_name() for s in segments if isinstance(s, InterpSegment)), None)
        tags = [t for s in segments if isinstance(s, DynamicSegment) for t in s.iter_tags()]
        runpath = _texts(tags, "DT_RUNPATH", "runpath") or _texts(tags, "DT_RPATH", "rpath")
        return Elf(
            machine=str(elf["e_machine"]),
            bits=elf.elfclass,
            interpreter=interpreter,
            needed=_texts(tags, "DT_NEEDED", "needed"),
            runpath=tuple(folder for paths in runpath for folder in paths.split(":") if folder),
        )


def _texts(tags: Iterable[DynamicTag], kind: str, attribute: str) -> tuple[str, ...]:
    """What the tags of a kind say; pyelftools gives each kind an attribute of its own."""
    return tuple(str(getattr(tag, attribute)) for tag in tags if tag.entry.d_tag == kind)
