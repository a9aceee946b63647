"""What containers share beside the network: namespaces, volumes, host paths, powers over the machine. Pure.

All of it is the declaration's; tests/invariants hold the running containers to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from specs.model import HOST, Container, Estate, Mount, SourceKind


@dataclass(frozen=True, kw_only=True, order=True)
class Sharer:
    """Another container that sees the same files."""

    container: str
    at: str
    writable: bool


@dataclass(frozen=True, kw_only=True, order=True)
class Shared:
    """A volume or host path of a container, and who else sees it, or a part of it."""

    kind: str  # volume, host
    origin: str
    at: str
    writable: bool
    others: tuple[Sharer, ...]


def family(estate: Estate, name: str) -> tuple[Container, ...]:
    """The containers in the network namespace that `name` stands in, by name; none where it is only a node."""
    place = next((c.shares or c.name for c in estate.containers if c.name == name), name)
    return tuple(c for c in estate.containers if place in (c.name, c.shares))


def shared(estate: Estate, container: Container) -> tuple[Shared, ...]:
    """What it mounts, with its sharers."""
    return tuple(
        sorted(
            Shared(
                kind=mount.kind.value,
                origin=mount.origin,
                at=str(mount.at),
                writable=mount.writable,
                others=tuple(sorted(_sharers(estate, container, mount))),
            )
            for mount in container.mounts
        )
    )


def _sharers(estate: Estate, container: Container, mount: Mount) -> Iterator[Sharer]:
    for other in estate.containers:
        for theirs in other.mounts if other.name != container.name else ():
            if theirs.kind is mount.kind and _meet(mount, theirs):
                yield Sharer(container=other.name, at=str(theirs.at), writable=theirs.writable)


def _meet(one: Mount, other: Mount) -> bool:
    """The same volume, or a host path at or below the other's."""
    if one.kind is SourceKind.VOLUME:
        return one.origin == other.origin
    here, there = PurePosixPath(one.origin), PurePosixPath(other.origin)
    return here.is_relative_to(there) or there.is_relative_to(here)


def powers(container: Container) -> tuple[str, ...]:
    """What it may do beyond an ordinary user of its own user namespace, each in words."""
    return tuple(_powers(container))


def _powers(container: Container) -> Iterator[str]:
    waiver = container.waiver
    if waiver is not None:
        when = "" if waiver.when.value == "always" else f" ({waiver.when})"
        place = "the machine's own user namespace" if waiver.userns_host else "its own user namespace"
        user = container.user if waiver.user is None else waiver.user
        yield f"waiver{when}: runs as {_user(user)} in {place}: {waiver.reason}"
        if waiver.capabilities:
            yield f"waiver{when}: capabilities {', '.join(waiver.capabilities)}"
        yield from (f"waiver{when}: device {device}" for device in waiver.devices)
    if container.user == 0:
        yield f"root in its own user namespace: {container.root_reason}"
    if container.capabilities:
        yield f"capabilities {', '.join(container.capabilities)} in its own user namespace"
    if container.shares == HOST:
        yield "stands in the host's own network namespace"


def _user(number: int) -> str:
    return "root" if number == 0 else f"uid {number}"


def over_the_machine(container: Container) -> bool:
    """Whether what it is allowed counts on the machine itself, and not in a user namespace of its own alone."""
    return container.shares == HOST or (container.waiver is not None and container.waiver.userns_host)
