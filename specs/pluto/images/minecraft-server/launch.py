"""Bring the game's working tree up to date with its origin, then become the game.

    /srv/origin     what the machine fetched, read-only: launch.args, the server, mods, settings
    /srv/minecraft  the working tree: those files, and beside them what the game writes (world, logs, whitelist)

A file of the origin is copied when the origin has changed it since it was last put in place, or when it is gone: what
the game itself rewrites (server.properties) stays. All copies are prepared in .incoming; once its manifest is there,
the update is finished by renames, now or at the next launch. An origin that is away, incomplete or changing changes
nothing: the last good tree is launched.

launch.args is java's own argument file (java(1), "@argfiles"), read in the working tree.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ORIGIN, STAND_IN, TREE = Path("/srv/origin"), Path("/usr/share/minecraft-stand-in"), Path("/srv/minecraft")
PASSWORD = Path("/etc/minecraft/rcon.password")
ARGUMENTS = "launch.args"
WORLD = "world"
RCON_PORT = 25575


class OriginError(Exception):
    """The origin cannot be taken over as it is now; the text says why."""


@dataclass(frozen=True)
class Tree:
    folder: Path

    @property
    def incoming(self) -> Path:
        return self.folder / ".incoming"

    @property
    def prepared(self) -> Path:
        """Its presence says that .incoming is whole."""
        return self.incoming / "manifest.json"

    @property
    def manifest(self) -> Path:
        """What was last put in place: where from, and each file's sha256."""
        return self.folder / ".origin.json"

    def held(self) -> tuple[str, dict[str, str]]:
        """The origin last taken over ("" for none) and its files."""
        if not self.manifest.exists():
            return "", {}
        document = json.loads(self.manifest.read_text())
        return document["origin"], document["files"]


def update(tree: Tree, origin: Path, stand_in: Path, say: Callable[[str], None]) -> None:
    """Finish what a killed launch began, then take over the origin if it is there and differs."""
    finish(tree)
    source = choose(tree, origin, stand_in)
    if source is None:
        say(f"{origin} holds no {ARGUMENTS}: the origin is away, launching the last good tree")
        return
    if source == stand_in:
        say(f"{origin} was never there: the stand-in answers instead of a game")
    try:
        if prepare(tree, source):
            finish(tree)
            say(f"the working tree was brought up to date with {source}")
    except (OSError, OriginError) as error:
        say(f"{source} could not be taken over ({error}): launching the last good tree")


def choose(tree: Tree, origin: Path, stand_in: Path) -> Path | None:
    """Where to update from; None when the last good tree is all there is."""
    if (origin / ARGUMENTS).is_file():
        return origin
    taken, _ = tree.held()
    never_filled = taken == "" and not (tree.folder / ARGUMENTS).exists()
    return stand_in if never_filled or taken == str(stand_in) else None


def prepare(tree: Tree, origin: Path) -> bool:
    """Copy what changed into .incoming; False when nothing did. Raises OriginError, OSError."""
    wanted = digests(origin)
    taken, held = tree.held()
    changed = [name for name in wanted if held.get(name) != wanted[name] or not (tree.folder / name).is_file()]
    if not changed and wanted == held and taken == str(origin):
        return False
    shutil.rmtree(tree.incoming, ignore_errors=True)
    for name in changed:
        copy = tree.incoming / "files" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin / name, copy)
        if digest(copy) != wanted[name]:
            raise OriginError(f"{name} changed while it was copied")
    tree.incoming.mkdir(exist_ok=True)
    write(tree.prepared, json.dumps({"origin": str(origin), "files": wanted}, indent=1) + "\n")
    return True


def finish(tree: Tree) -> None:
    """Put a prepared update in place; it may have been begun before. One that is not whole is thrown away."""
    if tree.prepared.exists():
        wanted = json.loads(tree.prepared.read_text())["files"]
        for copy in sorted(path for path in (tree.incoming / "files").rglob("*") if path.is_file()):
            target = tree.folder / copy.relative_to(tree.incoming / "files")
            target.parent.mkdir(parents=True, exist_ok=True)
            copy.replace(target)
        for name in set(tree.held()[1]) - set(wanted):
            (tree.folder / name).unlink(missing_ok=True)
        tree.prepared.replace(tree.manifest)
    shutil.rmtree(tree.incoming, ignore_errors=True)


def digests(origin: Path) -> dict[str, str]:
    """Each file below the origin and its sha256. Raises OriginError for what may not come from there."""
    found = {}
    for path in sorted(origin.rglob("*")):
        name = path.relative_to(origin).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise OriginError(f"{name} is neither file nor folder")
        if name.split("/")[0] in (WORLD, ".incoming", ".origin.json"):
            raise OriginError(f"{name} is the working tree's own, not the origin's")
        if path.is_file():
            found[name] = digest(path)
    return found


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def with_rcon(properties: str, password: str) -> str:
    """server.properties with RCON on, on its port, by the password; all else as it was."""
    own = {"enable-rcon": "true", "rcon.port": str(RCON_PORT), "rcon.password": password}
    kept = [line for line in properties.splitlines() if line.split("=")[0].strip() not in own]
    return "\n".join([*kept, *(f"{key}={value}" for key, value in own.items())]) + "\n"


def write(path: Path, text: str) -> None:
    """Whole or not at all; for its owner's eyes."""
    made = path.with_name(f"{path.name}.new")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def main() -> None:
    tree = Tree(TREE)
    update(tree, ORIGIN, STAND_IN, lambda text: print(f"launch: {text}", flush=True))
    if not (TREE / ARGUMENTS).is_file():
        sys.exit(f"launch: {TREE} holds no {ARGUMENTS}: put the game into the origin")
    properties = TREE / "server.properties"
    write(properties, with_rcon(properties.read_text() if properties.exists() else "", PASSWORD.read_text().strip()))
    (java,) = Path("/usr/lib/jvm").glob("*/bin/java")
    os.chdir(TREE)
    os.execv(java, [str(java), f"@{ARGUMENTS}"])  # noqa: S606 - this process becomes the game


if __name__ == "__main__":
    main()
