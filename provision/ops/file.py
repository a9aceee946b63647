"""Folders and files of the state folder: rendered configuration, secrets, volumes, the lab's host paths."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from provision.context import Context
from provision.op import Action, Op, Phase
from provision.render.wireguard import Secret

_SECRET_MODE, _FILE_MODE = 0o600, 0o644
ROOT = 0  # its files are the machine's own, put there by hand


@dataclass(frozen=True, kw_only=True)
class MakeFolder(Op):
    """A folder with its owner's ids. What lies in it stays as it is, but for what bears the id that the folder had."""

    phase: ClassVar[Phase] = Phase.FOLDER
    noun: ClassVar[str] = "folder"

    path: Path
    owner: int
    mode: int
    seen: str  # what is wrong with the one that is there; empty when there is none

    @property
    def action(self) -> Action:  # type: ignore[override]
        return Action.CHANGE if self.seen else Action.MAKE

    @property
    def subject(self) -> str:
        return str(self.path)

    def describe(self) -> str:
        return f"folder {self.path}" + (f": {self.seen}" if self.seen else "")

    def execute(self, context: Context) -> None:
        del context
        self.path.mkdir(parents=True, exist_ok=True)
        before = self.path.stat().st_uid
        os.chown(self.path, self.owner, self.owner)
        self.path.chmod(self.mode)
        if self.seen and before != ROOT:
            _hand_over(self.path, before, self.owner)


def _hand_over(folder: Path, before: int, owner: int) -> None:
    """What lies in `folder` and belongs to `before` becomes `owner`'s.

    Somebody may be writing there: by descriptors (openat(2)), so that no link put in a folder's place leads elsewhere.
    """
    for _, folders, files, opened in os.fwalk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=opened, follow_symlinks=False).st_uid == before:
                    os.chown(name, owner, owner, dir_fd=opened, follow_symlinks=False)


@dataclass(frozen=True, kw_only=True)
class _Write(Op):
    """Put a text where a file is absent or says something else."""

    phase: ClassVar[Phase] = Phase.FILE

    path: Path
    there: bool  # a file of that name, with another text or mode

    @property
    def action(self) -> Action:  # type: ignore[override]
        return Action.CHANGE if self.there else Action.MAKE

    @property
    def subject(self) -> str:
        return str(self.path)

    def describe(self) -> str:
        return f"{self.noun} {self.path}"


@dataclass(frozen=True, kw_only=True)
class WriteFile(_Write):
    """A rendered file. Who has it mounted is made anew: its digest is part of the container's spec hash."""

    noun: ClassVar[str] = "file"

    text: str = field(repr=False)

    def execute(self, context: Context) -> None:
        del context
        write(self.path, self.text, _FILE_MODE)


@dataclass(frozen=True, kw_only=True)
class WriteSecret(_Write):
    """A secret's file, 0600; its text is shown nowhere."""

    noun: ClassVar[str] = "secret file"

    secret: Secret

    def execute(self, context: Context) -> None:
        del context
        write(self.path, self.secret.reveal(), _SECRET_MODE)


def write(path: Path, text: str, mode: int) -> None:
    """Write `path` whole or not at all; the mode stands before the text does."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if mode == _FILE_MODE else 0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, mode)
        file.write(text)
    draft.replace(path)
