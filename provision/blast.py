"""What becomes reachable when one node is owned: over links, in its namespace, by files and sockets. Pure.

Owned means raw sockets on all its interfaces: what its own output hook forbids does not count. `onward` is what those
it reaches could reach in turn, if each were owned too: a list of its own, for it takes further breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from provision import storage
from provision.storage import Shared
from specs.model import Container, Estate

Reach = Callable[[str, str], tuple[str, ...]]  # from, to -> the services: tcp/8080, icmp …


@dataclass(frozen=True, kw_only=True)
class Reached:
    node: str
    services: tuple[str, ...]
    via: str  # who reaches it
    depth: int  # breaks it takes, the node's own counted


@dataclass(frozen=True, kw_only=True)
class Socket:
    """A unix socket on a volume that the container sees; a read-only mount does not keep from connecting."""

    volume: str
    path: str  # where the listener has it
    listener: str


@dataclass(frozen=True, kw_only=True)
class Radius:
    name: str
    place: str  # the node whose network namespace it is in
    beside: tuple[str, ...]  # the containers in that namespace with it
    loopback: tuple[tuple[str, int], ...]  # their ports on 127.0.0.1
    direct: tuple[Reached, ...]
    onward: tuple[Reached, ...]
    shared: tuple[Shared, ...]
    sockets: tuple[Socket, ...]
    powers: tuple[str, ...]
    over_the_machine: bool

    @property
    def writes_for(self) -> tuple[str, ...]:
        """Who sees files that it can change."""
        return _names(other.container for each in self.shared if each.writable for other in each.others)

    @property
    def reads_of(self) -> tuple[str, ...]:
        """Whose files it sees: what others can change, and it cannot."""
        return _names(o.container for each in self.shared if not each.writable for o in each.others if o.writable)

    @property
    def rank(self) -> tuple[int, ...]:
        """Worst first: the machine itself, then reach, reach in turn, files that others read, sockets, files read."""
        counts = (_ports(self.direct), _ports(self.onward), len(self.writes_for), len(self.sockets), len(self.reads_of))
        return (-int(self.over_the_machine), *(-count for count in counts))


def worst_first(found: Iterable[Radius]) -> tuple[Radius, ...]:
    return tuple(sorted(found, key=lambda radius: (radius.rank, radius.name)))


def radius(
    estate: Estate, name: str, nodes: Sequence[str], reach: Reach, listening: Mapping[str, tuple[str, ...]]
) -> Radius:
    """Of the container or node `name`. `listening`: namespace -> the paths of the unix sockets listened on there."""
    container = next((c for c in estate.containers if c.name == name), None)
    place = (container.shares or name) if container is not None else name
    family = tuple(c for c in storage.family(estate, place) if c.name != name)
    return Radius(
        name=name,
        place=place,
        beside=tuple(c.name for c in family),
        loopback=tuple((c.name, c.loopback) for c in family if c.loopback is not None),
        direct=_direct(place, nodes, reach, depth=1),
        onward=_onward(place, nodes, reach),
        shared=storage.shared(estate, container) if container is not None else (),
        sockets=tuple(_sockets(estate, container, listening)) if container is not None else (),
        powers=storage.powers(container) if container is not None else (),
        over_the_machine=storage.over_the_machine(container) if container is not None else False,
    )


def _direct(source: str, nodes: Sequence[str], reach: Reach, *, depth: int) -> tuple[Reached, ...]:
    found = ((node, reach(source, node)) for node in nodes if node != source)
    return tuple(Reached(node=node, services=services, via=source, depth=depth) for node, services in found if services)


def _onward(place: str, nodes: Sequence[str], reach: Reach) -> tuple[Reached, ...]:
    """Breadth first, each service once: by as few breaks as it takes."""
    edge = _direct(place, nodes, reach, depth=1)
    known = {(each.node, service) for each in edge for service in each.services}
    entered, found = {place}, list[Reached]()
    while edge:
        further = list[Reached]()
        for via in dict.fromkeys(each.node for each in edge):
            if via not in entered:
                entered.add(via)
                further += _direct(via, nodes, reach, depth=max(each.depth for each in edge) + 1)
        edge = tuple(new for each in further if (new := _unknown(each, known, place)) is not None)
        known |= {(each.node, service) for each in edge for service in each.services}
        found += edge
    return tuple(found)


def _unknown(each: Reached, known: set[tuple[str, str]], place: str) -> Reached | None:
    services = tuple(service for service in each.services if (each.node, service) not in known)
    if each.node == place or not services:
        return None
    return Reached(node=each.node, services=services, via=each.via, depth=each.depth)


def _sockets(estate: Estate, container: Container, listening: Mapping[str, tuple[str, ...]]) -> Iterable[Socket]:
    own = {mount.origin for mount in container.mounts}
    for other in estate.containers:
        for mount in other.mounts if other.name != container.name else ():
            for path in listening.get(other.shares or other.name, ()) if mount.origin in own and mount.writable else ():
                if path.startswith(f"{mount.at}/"):
                    yield Socket(volume=mount.origin, path=path, listener=other.name)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _ports(found: Iterable[Reached]) -> int:
    return sum(len(each.services) for each in found)
