"""The epochs of an instance's images: which refresh each stands at, and which one it stood at before (decision 018).

An epoch is the name of a refresh: a hash of the packages, with their versions, for which an image was made anew. It is
part of the image's tag. Images that stand on one another are refreshed and put back together: a group, named by the one
at the bottom. STATE/<instance>/epochs.json is the owner's choice, as a key is, and no belief about the machine: without
it every image is the one its definition gives.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from provision.errors import ApplyError
from specs.model import Estate

DIGITS = 12
Epochs = Mapping[str, str]  # image -> epoch; an image that is not in it was never refreshed


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A group's epochs: in force, put back by a rollback (None: nothing is kept), and to be removed."""

    now: Epochs
    before: Epochs | None
    past: tuple[Epochs, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record:
    groups: Mapping[str, Turn] = field(default_factory=dict)

    @property
    def epochs(self) -> Epochs:
        return {image: epoch for turn in self.groups.values() for image, epoch in turn.now.items()}

    def turn(self, group: str) -> Turn:
        return self.groups.get(group, Turn(now={}, before=None))

    def refreshed(self, group: str, epochs: Epochs) -> Record:
        """The group's images in `epochs` stand there, the others stay; what was in force is kept."""
        turn = self.turn(group)
        past = turn.past if turn.before is None else (*turn.past, turn.before)
        return self._with(group, Turn(now={**turn.now, **epochs}, before=turn.now, past=past))

    def put_back(self, group: str) -> Record:
        """The group stands where it stood before, and what was in force is kept. ValueError when nothing is."""
        turn = self.turn(group)
        if turn.before is None:
            raise ValueError(f"nothing is kept of {group}")
        return self._with(group, replace(turn, now=turn.before, before=turn.now))

    def at(self, group: str, epochs: Epochs) -> Record:
        """The same record with the group standing at `epochs`."""
        return self._with(group, replace(self.turn(group), now=epochs))

    def tidied(self) -> Record:
        """Without what was to be removed."""
        return replace(self, groups={group: replace(turn, past=()) for group, turn in self.groups.items()})

    def _with(self, group: str, turn: Turn) -> Record:
        return replace(self, groups={**self.groups, group: turn})


def name(newest: Iterable[tuple[str, str]]) -> str:
    """The epoch of an image made anew for these packages, each with its version."""
    return hashlib.sha256(json.dumps(sorted(newest)).encode()).hexdigest()[:DIGITS]


def group(estate: Estate, image: str) -> str:
    """The image at the bottom of those that `image` stands on."""
    base = estate.image(image).base
    return image if base is None else group(estate, base)


def read(path: Path) -> Record:
    """What `write` wrote; an empty one where there is none. Raises ApplyError for a file that is none of ours."""
    try:
        groups = json.loads(path.read_text())["groups"]
        turns = {name: _turn(said) for name, said in groups.items()}
    except FileNotFoundError:
        return Record()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApplyError(
            f"{path} is no record of refreshes: remove it, and `apply` returns to unrefreshed images"
        ) from error
    return Record(groups=turns)


def write(record: Record, path: Path) -> None:
    """Whole or not at all, and on the disk before it counts: a kill leaves the old or the new."""
    groups = {name: asdict(turn) for name, turn in record.groups.items()}
    draft = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft.open("w") as file:
        file.write(json.dumps({"groups": groups}, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _turn(said: dict[str, Any]) -> Turn:
    before = None if said["before"] is None else dict(said["before"])
    return Turn(now=dict(said["now"]), before=before, past=tuple(dict(epochs) for epochs in said["past"]))
