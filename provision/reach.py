"""Who can reach what, by packet sets, and how that differs between two worlds. Pure.

Reach is what a node's raw sockets can make another accept, with single packets that belong to no connection. What hangs
on a rate or on what cannot be read counts as reach; a set that fills holds what it holds now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from provision.places import Places
from specs.model import LAN, WAN, Estate
from specs.semantics import declared
from specs.semantics.diagram import NOTHING, Packets, Space
from specs.semantics.field import Field
from specs.semantics.place import Tunnel
from specs.semantics.service import services
from specs.semantics.world import Arrival, Reach, World

ANY = "ANY"


class Reaching:
    """The reach of every node of one world; each node's is found out when it is asked for."""

    def __init__(self, estate: Estate, places: Places, space: Space | None = None) -> None:
        there = (_only(each, places) for each in declared.tunnels(estate) if each.place in places)
        self.world = World.of(places.values(), there, space)
        self.space = self.world.space
        self.nodes = tuple(sorted(places))
        self._from = cache(self._whole)

    def packets(self, source: str, target: str) -> Packets:
        """What `source` can make `target` accept, as the target's input hook sees it."""
        if source == target or source not in self.world.passages:
            return NOTHING
        oracles = self.world.oracles
        found = oracles.now(self.space.either(taken.branch.now for taken in self._from(source).get(target, ())))
        return self.space.forget(found, oracles.named)

    def services(self, source: str, target: str) -> tuple[str, ...]:
        """In words; of two nodes around the estate none, for no ruleset of ours lies between them."""
        passages = self.world.passages
        if not any(passages[node].place.ours for node in (source, target) if node in passages):
            return ()
        return services(self.space, self.packets(source, target))

    def through(self, source: str, target: str) -> frozenset[str]:
        """The nodes between the two, on whatever way."""
        taken = self._from(source).get(target, ()) if source in self.world.passages else ()
        return frozenset(node for each in taken for node in _between(each.arrival))

    def _whole(self, source: str) -> Reach:
        return self.world.reach(source)


def _only(tunnel: Tunnel, places: Places) -> Tunnel:
    peers = tuple(peer for peer in tunnel.peers if peer[0] in places)
    return Tunnel(place=tunnel.place, ifname=tunnel.ifname, peers=peers)


def _between(arrival: Arrival) -> Iterator[str]:
    before = arrival.before
    while before is not None:
        yield before.at[0]
        before = before.before


@dataclass(frozen=True, kw_only=True)
class Difference:
    gained: tuple[str, ...]  # reverse-proxy-edge -> lbmt-shop tcp/8443
    lost: tuple[str, ...]


def difference(estate: Estate, now: Places, then: Places) -> Difference:
    """What nodes reach in `then` and not in `now`, and the other way round.

    A service that is reached from more addresses than before is gained, one from fewer is not lost.
    """
    before = Reaching(estate, now)
    after = Reaching(estate, then, before.space)
    nodes = tuple(sorted({*before.nodes, *after.nodes}))
    return Difference(
        gained=tuple(_told(estate, nodes, _more(nodes, after, before, in_part=True), after)),
        lost=tuple(_told(estate, nodes, _more(nodes, before, after, in_part=False), before)),
    )


Groups = Mapping[tuple[str, str], frozenset[str]]  # target, service -> sources


def _more(nodes: Iterable[str], one: Reaching, other: Reaching, *, in_part: bool) -> Groups:
    """What is reached in `one` and not in `other`; `in_part`: also where the other reaches some of it."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for source in nodes:
        for target in nodes:
            packets = one.space.minus(one.packets(source, target), other.packets(source, target))
            known = set(other.services(source, target)) if packets != NOTHING and not in_part else set[str]()
            for service in services(one.space, packets):
                if service not in known:
                    found[target, service] = found.get((target, service), frozenset()) | {source}
    return found


def _told(estate: Estate, nodes: Iterable[str], groups: Groups, reaching: Reaching) -> Iterator[str]:
    """One line a source, target and service; who only passes on what another sends is left out."""
    wired = {end.node for link in estate.wires for end in link.endpoints} & set(nodes)
    lines = (
        f"{name} -> {_target(estate, name, target, reaching)} {service}"
        for (target, service), sources in sorted(groups.items())
        for name in _named(estate, sources, target, wired, reaching)
    )
    yield from sorted(set(lines))


def _target(estate: Estate, source: str, name: str, reaching: Reaching) -> str:
    """A node around the estate, but for one that a flow names, is the LAN by an address of that, else the WAN."""
    if name in {flow.target for flow in estate.flows} or name not in {node.name for node in estate.world.nodes}:
        return name
    low, high = int(estate.host.lan.network_address), int(estate.host.lan.broadcast_address)
    dialled = reaching.space.values(reaching.packets(source, name), Field.DADDR)
    return LAN if any(first <= high and last >= low for first, last in dialled) else WAN


def _named(
    estate: Estate, sources: frozenset[str], target: str, wired: set[str], reaching: Reaching
) -> tuple[str, ...]:
    outside = {node.name for node in estate.world.nodes}
    if target in outside:
        sources -= outside  # nothing of ours stands between
    elif sources >= wired - {target} and len(sources) > 1:
        return (ANY,)
    passed = {node for source in sources for node in reaching.through(source, target)}
    own = sources - passed
    if target not in outside and outside and sources >= outside:
        own = own - outside | {WAN}
    return tuple(sorted(own or sources))
