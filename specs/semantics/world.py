"""All namespaces together: which packets one can make another accept, over every way there is.

A node sends with raw sockets out of each of its interfaces, whatever its own ruleset says; only where a wire leads out
of the estate, into a namespace without a ruleset of ours, its own output hook counts (nothing else could stop it).
Sets are followed from wire to wire until nothing new comes in anywhere; TTL bounds real packets, nothing bounds these.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space
from specs.semantics.field import IPV4, IPV6, TOPS, TRACKING, Field
from specs.semantics.move import Branch
from specs.semantics.oracle import Oracles
from specs.semantics.passage import Passage
from specs.semantics.place import LOOPBACK, Network, Place, Tunnel
from specs.semantics.span import union
from specs.semantics.tracking import Tracking

End = tuple[str, str]  # place, interface


@dataclass(frozen=True, kw_only=True)
class Wire:
    """Where what is sent out of an interface comes in, as far as `lets` it."""

    to: End
    lets: Packets = EVERYTHING


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Packets that come in at an end, with how they got there."""

    at: End
    packets: Packets
    sent: End  # the interface they were sent out of
    before: Arrival | None = None  # where they came in last; None: the source itself sent them
    branch: Branch | None = None  # what became of them there, or in the source
    out: str = ""  # the interface there that they went out by

    @property
    def chain(self) -> Iterator[Arrival]:
        """This one, and those before it."""
        yield self
        if self.before is not None:
            yield from self.before.chain

    def origin(self, space: Space, packets: Packets) -> tuple[End, Packets]:
        """The interface of the source they were sent by, and those of what it sent that became some of `packets`."""
        found = space.both(packets, self.packets)
        if self.branch is not None:
            found = space.forget(self.branch.origin(space, found), TRACKING)
        if self.before is not None:
            return self.before.origin(space, found)
        return self.sent, found

    def onward(self, space: Space, packets: Packets) -> Packets:
        """What of the source's `packets` comes in here."""
        if self.before is not None:
            packets = self.before.onward(space, packets)
        if self.branch is not None:
            packets = self.branch.onward(space, packets)
        return space.both(packets, self.packets)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Packets that a place takes for its own, as its input hook sees them."""

    at: End
    branch: Branch
    arrival: Arrival

    def origin(self, space: Space, packets: Packets) -> tuple[End, Packets]:
        return self.arrival.origin(space, space.forget(self.branch.origin(space, packets), TRACKING))

    def onward(self, space: Space, packets: Packets) -> Packets:
        """What of the source's `packets` is taken here."""
        return self.branch.onward(space, self.arrival.onward(space, packets))


Reach = Mapping[str, tuple[Taken, ...]]  # by the place that takes them


@dataclass(frozen=True, kw_only=True)
class World:
    space: Space
    oracles: Oracles
    passages: Mapping[str, Passage]
    wires: Mapping[End, tuple[Wire, ...]]

    @staticmethod
    def of(places: Iterable[Place], tunnels: Iterable[Tunnel] = (), space: Space | None = None) -> World:
        """Compile the places. Worlds that are to be compared share a Space."""
        space = space or Space([TOPS[each] for each in Field])
        oracles = Oracles(space=space)
        passages = {place.name: Passage.of(place, space, oracles) for place in places}
        return World(space=space, oracles=oracles, passages=passages, wires=_wires(space, passages, tunnels))

    def reach(self, source: str, *, following: bool = False) -> Reach:
        """Everything that a place can make the others accept: with single packets, or riding on connections too."""
        waiting = deque(
            arrival for ifname in self._sending(source) for arrival in self._sent(source, ifname, following)
        )
        return self.spread(waiting, following=following)

    def spread(self, waiting: deque[Arrival], *, following: bool = False) -> Reach:
        """Everything that becomes of these arrivals."""
        seen: dict[End, Packets] = {}
        taken: dict[str, list[Taken]] = {}
        while waiting:
            arrival = waiting.popleft()
            known = seen.get(arrival.at, NOTHING)
            fresh = self.space.minus(arrival.packets, known)
            if fresh == NOTHING or arrival.at[0] not in self.passages:
                continue
            seen[arrival.at] = self.space.either([known, fresh])
            passage = self.passages[arrival.at[0]]
            own, on = passage.receive(arrival.at[1], fresh, self.tracking(passage, following))
            taken.setdefault(passage.place.name, []).extend(
                Taken(at=arrival.at, branch=branch, arrival=arrival) for branch in own if branch.now != NOTHING
            )
            for ifname, branch in on:
                waiting.extend(self._carried((passage.place.name, ifname), branch, arrival))
        return {name: tuple(found) for name, found in taken.items()}

    def tracking(self, passage: Passage, following: bool) -> Tracking:  # noqa: FBT001 (which of two)
        return passage.following if following else passage.fresh

    def sends(self, source: str, ifname: str, packets: Packets, *, following: bool = False) -> deque[Arrival]:
        """What comes in at the far ends when a place sends `packets` through an ordinary socket."""
        passage = self.passages[source]
        branches = passage.send(ifname, packets, self.tracking(passage, following))
        return deque(found for branch in branches for found in self._carried((source, ifname), branch, None))

    def _sent(self, source: str, ifname: str, following: bool) -> Iterable[Arrival]:  # noqa: FBT001
        passage = self.passages[source]
        end = (source, ifname)
        for wire in self.wires.get(end, ()):
            if passage.place.ours and not self.passages[wire.to[0]].place.ours:
                branches = passage.send(ifname, EVERYTHING, self.tracking(passage, following))
            else:
                branches = [Branch(now=passage.possible)]
            for branch in branches:
                yield from self._over(wire, end, branch, None)

    def _carried(self, end: End, branch: Branch, before: Arrival | None) -> Iterable[Arrival]:
        for wire in self.wires.get(end, ()):
            yield from self._over(wire, end, branch, before)

    def _over(self, wire: Wire, end: End, branch: Branch, before: Arrival | None) -> Iterable[Arrival]:
        packets = self.space.both(branch.now, wire.lets)
        if packets != NOTHING:
            sent = end if before is None else before.sent
            yield Arrival(at=wire.to, packets=packets, sent=sent, before=before, branch=branch, out=end[1])

    def _sending(self, source: str) -> list[str]:
        return [name for name in self.passages[source].interfaces if name != LOOPBACK]

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """Every rule and setting that could not be read, of all places."""
        return tuple(
            told
            for passage in self.passages.values()
            for told in (*passage.ruleset.unknown, *passage.ruleset.wild, *passage.place.strange)
        )


def _wires(space: Space, passages: Mapping[str, Passage], tunnels: Iterable[Tunnel]) -> dict[End, tuple[Wire, ...]]:
    found: dict[End, tuple[Wire, ...]] = {}
    for name, passage in passages.items():
        for interface in passage.interfaces.values():
            far = interface.far
            if far and far[0] in passages and far[1] in passages[far[0]].interfaces:
                found[name, interface.name] = (Wire(to=far),)
    for tunnel in tunnels:
        hub = (tunnel.place, tunnel.ifname)
        for place, ifname, allowed in tunnel.peers:
            to_peer, from_peer = (_within(space, field, allowed) for field in (Field.DADDR, Field.SADDR))
            found[hub] = (*found.get(hub, ()), Wire(to=(place, ifname), lets=to_peer))
            found[place, ifname] = (*found.get((place, ifname), ()), Wire(to=hub, lets=from_peer))
    return found


def _within(space: Space, field: Field, networks: Iterable[Network]) -> Packets:
    """The packets whose address lies in one of them, of its own family (both share their numbers)."""
    spans: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    for each in networks:
        spans[each.version].append((int(each.network_address), int(each.broadcast_address)))
    families = ((IPV4, spans[4]), (IPV6, spans[6]))
    return space.either(space.cube({Field.FAMILY: family, field: union(found)}) for family, found in families if found)
