"""Where a container's ids lie on the machine: a range of its own, never shared with another's.

    2**31 ── slot 0 ── slot 1 ── … ── slot 31 ── 2**32        one slot an instance, 2**26 ids each
              └─ 1023 ranges of 65536 ids                     one range a container

The upper half of the id space is not used by people (useradd stops at 60000, subuid at 2**30 or so). The last
range of a slot stays free: in slot 31 it would end in 2**32 - 1, which is no id ((uid_t) -1, see setresuid(2)).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provision.errors import HostError
from specs.instance import Instance

FIRST = 2**31
SLOTS = 32
SLOT_SIZE = 2**26
RANGE_SIZE = 65536
RANGES = SLOT_SIZE // RANGE_SIZE - 1


@dataclass(frozen=True, kw_only=True, order=True)
class IdRange:
    """Ids 0 to size - 1 inside are base to base + size - 1 on the machine, users and groups alike."""

    base: int
    size: int = RANGE_SIZE

    def outside(self, inside: int) -> int:
        """The machine's id of the container's id `inside`."""
        if not 0 <= inside < self.size:
            raise ValueError(f"id {inside} is outside 0..{self.size - 1}")
        return self.base + inside


def ranges(slot: int, names: Iterable[str]) -> dict[str, IdRange]:
    """A range for each container name: by the name's hash, the next free one where two meet (in name order).

    Give it every declared container, the disabled ones too: then enabling one moves no other.
    """
    taken: dict[int, str] = {}
    for name in sorted(set(names)):
        if len(taken) == RANGES:
            raise HostError(f"more than {RANGES} containers in one instance: there are no more id ranges")
        index = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % RANGES
        while index in taken:
            index = (index + 1) % RANGES
        taken[index] = name
    base = FIRST + slot * SLOT_SIZE
    return {name: IdRange(base=base + index * RANGE_SIZE) for index, name in taken.items()}


def slot(instance: Instance) -> int:
    """The instance's slot, or the one `claim` would give it now; writes nothing."""
    held = _held(instance.state)
    return held[instance.name] if instance.name in held else _free(held)


def claim(instance: Instance) -> int:
    """Take a slot for the instance, or find the one it has, so that no two instances of a state folder share."""
    with _registry(instance.state):
        taken = slot(instance)
        if not _record(instance).exists():
            instance.home.mkdir(parents=True, exist_ok=True)
            _record(instance).write_text(json.dumps({"instance": instance.name, "slot": taken}) + "\n")
        return taken


def release(instance: Instance) -> None:
    """Give the slot back; only once no container of the instance is left."""
    if instance.state.is_dir():
        with _registry(instance.state):
            _record(instance).unlink(missing_ok=True)


def _record(instance: Instance) -> Path:
    return instance.home / "instance.json"


def _held(state: Path) -> dict[str, int]:
    records = sorted(state.glob("*/instance.json"))
    return {path.parent.name: int(json.loads(path.read_text())["slot"]) for path in records}


def _free(held: dict[str, int]) -> int:
    for candidate in range(SLOTS):
        if candidate not in held.values():
            return candidate
    raise HostError(f"all {SLOTS} instance slots are taken: {', '.join(sorted(held))}; `down` one of them")


@contextmanager
def _registry(state: Path) -> Iterator[None]:
    state.mkdir(parents=True, exist_ok=True)
    with (state / "registry.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
