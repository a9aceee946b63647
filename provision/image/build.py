"""A recipe -> STATE/images/<image>-<tag>.tar and its SBOM; an archive -> an image of an instance's podman.

    base's archive, or the skeleton ─────────┐
    packages ─ bootstrap ─ jlink ─┬─ closure ┼─ layered ─ bytecode ─ audit ─ write ─ rename
    pinned files ─────────────────┘          │
    put files, mount points ─────────────────┘
The order of the layers is the order from top to bottom: what comes later replaces what came before.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from provision.errors import ApplyError
from provision.image import assemble, bootstrap, bytecode, closure, pinned, runtime, sbom, tag
from provision.image.packages import Origin, Package, packages_of
from provision.image.recipe import Recipe

if TYPE_CHECKING:
    from provision.podman import Podman

IMPORT_SECONDS = 300.0
LABEL_TAG = "pluto.image"


def archive_of(recipe: Recipe, images: Path) -> Path:
    return images / f"{recipe.stem}.tar"


def sbom_of(recipe: Recipe, images: Path) -> Path:
    return images / f"{recipe.stem}.sbom.json"


def build(recipe: Recipe, *, images: Path, cache: Path) -> Path:
    """Make the archive of `recipe`, and of its base, where absent; return it.

    Safe from several threads and processes at once: one makes it, the others wait. A build that fails or is
    killed leaves no archive, and the next one clears its folder away. Raises ApplyError, CommandError, HostError.
    """
    archive = archive_of(recipe, images)
    if archive.exists():
        return archive
    if recipe.base is not None:
        build(recipe.base, images=images, cache=cache)
    with _workshop(images / f".{recipe.stem}.making") as folder:
        if not archive.exists():
            entries, packages = _entries(recipe, _fresh(folder, "root"), images=images, cache=cache)
            entries |= {entry.at: entry for entry in bytecode.compiled(entries, _fresh(folder, "tree"))}
            _refuse(recipe, assemble.audit(entries, shell_declared=recipe.image.shell_reason is not None))
            assemble.write(entries, folder / "image.tar")
            sbom.write(packages, folder / "sbom.json", image=recipe.name, tag=recipe.tag)
            (folder / "sbom.json").replace(sbom_of(recipe, images))
            (folder / "image.tar").replace(archive)  # last: its presence says that all is done
    return archive


def import_archive(recipe: Recipe, archive: Path, *, podman: Podman) -> None:
    """Make an archive an image, recipe.reference, in the instance's store. Raises CommandError."""
    changes = [f"LABEL {LABEL_TAG}={recipe.tag}"]
    if recipe.image.entrypoint:
        changes.append(f"ENTRYPOINT {json.dumps(list(recipe.image.entrypoint))}")
    options = [word for change in changes for word in ("--change", change)]
    argv = ("import", "--quiet", *options, str(archive), recipe.reference)
    podman.run(*argv, timeout=IMPORT_SECONDS, on_store=True)


def _entries(
    recipe: Recipe, root: Path, *, images: Path, cache: Path
) -> tuple[dict[PurePosixPath, assemble.Entry], tuple[Package, ...]]:
    below, packages = _base(recipe, images)
    if recipe.packages:
        bootstrap.bootstrap(root, family=recipe.family, suite=recipe.suite, packages=recipe.packages)
    linked = () if recipe.image.jlink is None else runtime.link(root, recipe.image.jlink)
    kept = closure.closure(root, (*_pinned(recipe, root, cache / "wheels"), *_wanted(recipe, root)))
    own = (*assemble.from_tree(root, kept), *_jailed(recipe, root))
    entries = assemble.layered(below, own, _put(recipe), _mount_points(recipe))
    return entries, (*packages, *packages_of(root, (*kept, *linked)), *_wheels(recipe, cache / "wheels"))


def _base(recipe: Recipe, images: Path) -> tuple[tuple[assemble.Entry, ...], tuple[Package, ...]]:
    if recipe.base is None:
        return assemble.skeleton(), ()
    return tuple(assemble.from_archive(archive_of(recipe.base, images))), sbom.read(sbom_of(recipe.base, images))


def _pinned(recipe: Recipe, root: Path, wheels: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """Unpack the pinned files into the root filesystem, where their libraries are looked for like any other's."""
    for wanted in recipe.image.pinned:
        members = pinned.members(wanted, wheels)
        for at, content in members:
            outside = root / at.relative_to("/")
            outside.parent.mkdir(parents=True, exist_ok=True)
            outside.write_bytes(content)
            outside.chmod(assemble.PROGRAM_MODE if len(members) == 1 else assemble.FILE_MODE)
            yield at, f"pinned in {recipe.image.source}"


def _wanted(recipe: Recipe, root: Path) -> Iterator[tuple[PurePosixPath, str]]:
    for program in recipe.image.programs:
        yield program, f"programs in {recipe.image.source}"
    for pattern in recipe.image.keep:
        found = tuple(closure.Tree(root).glob(pattern))
        if not found:
            raise ApplyError(
                f"{recipe.image.source}: image {recipe.name}: no package has {pattern}, which `keep` names"
            )
        for path in found:
            yield path, f"keep in {recipe.image.source}"


def _jailed(recipe: Recipe, root: Path) -> Iterator[assemble.Entry]:
    jail = recipe.image.jail
    if jail is None:
        return
    wanted = [(program, f"jail in {recipe.image.source}") for program in jail.programs]
    for entry in assemble.from_tree(root, closure.closure(root, wanted)):
        yield replace(entry, at=jail.at / entry.at.relative_to("/"))


def _wheels(recipe: Recipe, wheels: Path) -> Iterator[Package]:
    for wanted in recipe.image.pinned:
        licences = tuple(filter(None, [pinned.licence(wanted, wheels)]))
        yield Package(
            name=wanted.project,
            version=wanted.version,
            origin=Origin.PYPI,
            architecture="",
            licences=licences,
            sha256=wanted.sha256,
        )


def _put(recipe: Recipe) -> Iterator[assemble.Entry]:
    for put in recipe.image.put:
        mode = assemble.PROGRAM_MODE if put.executable else assemble.FILE_MODE
        for below, path in tag.put_files(put, recipe.folder):
            yield assemble.Entry(at=put.at / below, kind=assemble.Kind.FILE, mode=mode, origin=path)


def _mount_points(recipe: Recipe) -> Iterator[assemble.Entry]:
    """What is mounted at run time needs a place: neither podman nor runc can make one in a read-only root."""
    yield from (assemble.folder(path) for path in recipe.image.writable if path != assemble.TMP)
    yield from (assemble.text(rendered.at) for rendered in recipe.image.rendered)


def _refuse(recipe: Recipe, problems: tuple[str, ...]) -> None:
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ApplyError(f"{recipe.image.source}: image {recipe.name} may not be made so:\n{listed}")


@contextlib.contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """`folder`, empty and held by this thread alone until the end, when it is removed.

    The lock is on the folder itself, so that nothing is left to tidy; one that a killed build left is emptied.
    """
    with contextlib.ExitStack() as held:
        held.callback(os.close, _held(folder))
        _empty(folder)
        held.callback(_clear, folder)
        yield folder


def _held(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # its last holder has just removed it
        with contextlib.ExitStack() as held:  # given back by whatever goes wrong, or others wait for ever
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _inode(folder) == os.fstat(handle).st_ino:
                held.pop_all()
                return handle
            # We waited for a folder that is gone: take the new one.


def _inode(folder: Path) -> int | None:
    try:
        return folder.stat().st_ino
    except FileNotFoundError:
        return None


def _clear(folder: Path) -> None:
    _empty(folder)
    folder.rmdir()


def _empty(folder: Path) -> None:
    """Remove all below. Raises ApplyError where something is mounted there: what is mounted is not ours to remove."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [path for path in mounted if PurePosixPath(path).is_relative_to(folder.resolve())]
    if below:
        raise ApplyError(f"something is mounted below {folder}: umount {' '.join(reversed(below))}, and apply again")
    for path in tuple(folder.iterdir()):
        # Moved first: a bootstrapper that outlived its killed build then finds its folder no more, and ends.
        path.rename(_fresh(folder, "gone") / path.name)
    for path in folder.iterdir():
        shutil.rmtree(path)


def _fresh(folder: Path, what: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{what}-", dir=folder))
