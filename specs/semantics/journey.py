"""One packet's way through the namespaces, hook by hook, to whoever accepts it or to where it dies.

The opener is an ordinary socket: its own route, output hook and addresses count (what raw sockets can do beside that
is specs.semantics.world's). The order of things in a namespace is the kernel's (ip_input.c, ip_forward.c, ip_output.c):

    in     prerouting: filter, DNAT │ routing: martians, rp_filter │ its own: input │ else: forwarding, forward
    out    its own: routing, output, DNAT │ postrouting: filter, SNAT │ the wire │ the next one's in

A fresh packet alone: conntrack knows nothing of it. What answers it is asked at the same hooks, turned round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address

from specs.semantics import path
from specs.semantics.hooks import Hooks, Ruling, Translation
from specs.semantics.packet import Address, Packet
from specs.semantics.place import Interface, Place, Route
from specs.semantics.rule import Kind

MOST_HOPS = 32
UNSET = IPv4Address(0)
MIRROR = {"output": "input", "input": "output", "forward": "forward"}


class End(StrEnum):
    ACCEPTED = "accepted"
    LEFT = "left"  # out of an interface that leads to no namespace, such as a tunnel's
    DROPPED = "dropped"  # by a rule or a policy
    UNKNOWN = "unknown"  # it hangs on what the semantics do not read
    NO_NODE = "no namespace"
    NO_ROUTE = "no route"
    NO_LINK = "no link"
    DISBELIEVED = "disbelieved"  # martian, rp_filter
    NOT_FORWARDED = "not forwarded"
    CIRCLES = "circles"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one hook does: `packet` is what its filter sees."""

    hook: str
    packet: Packet
    ruling: Ruling
    translation: Translation | None = None


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One namespace on the way; an interface is "" where the packet begins or ends in it."""

    node: str
    enters: str
    leaves: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Journey:
    hops: tuple[Hop, ...]
    end: End
    why: str = ""  # where no ruling says it

    @property
    def arrives(self) -> bool:
        """Whether somebody accepts it, or it goes into a tunnel, at whose other end nobody is asked."""
        return self.end in (End.ACCEPTED, End.LEFT)

    @property
    def node(self) -> str:
        """Where it ends."""
        return self.hops[-1].node

    @property
    def deciding(self) -> Ruling | None:
        """The ruling it died of, or was accepted by at its end; None where no rule was asked."""
        steps = self.hops[-1].steps
        return steps[-1].ruling if steps and self.end in (End.ACCEPTED, End.DROPPED, End.UNKNOWN) else None


class _Ended(Exception):
    def __init__(self, end: End, why: str = "") -> None:
        super().__init__(why)
        self.end, self.why = end, why


class Traveller:
    """Sends packets through one world; each namespace's ruleset is read once, when the first packet comes by."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places
        self._hooks: dict[str, Hooks] = {}

    def send(self, node: str, packet: Packet) -> Journey:
        """What becomes of what a socket in `node` sends; a source of 0.0.0.0 is filled in as its routing does.

        With `packet.iif` set it comes into `node` by that interface from outside of all namespaces.
        """
        hops: list[Hop] = []
        at, now = node, packet
        for _ in range(MOST_HOPS):
            steps: list[Step] = []
            entered = now.iif
            try:
                out, to, now = self._through(at, now, steps)
            except _Ended as ended:
                hops.append(Hop(node=at, enters=entered, leaves="", steps=tuple(steps)))
                return Journey(hops=tuple(hops), end=ended.end, why=ended.why)
            hops.append(Hop(node=at, enters=entered, leaves=out.name, steps=tuple(steps)))
            there = path.across(self._places, out, to)
            if isinstance(there, str):
                return Journey(hops=tuple(hops), end=End.NO_LINK if out.far else End.LEFT, why=there)
            at, now = there[0].name, replace(now, iif=there[1].name, oif="", dnat=False, snat=False)
        return Journey(hops=tuple(hops), end=End.CIRCLES, why=f"it is passed on {MOST_HOPS} times")

    def answer(self, asked: Journey) -> tuple[Hop, Step] | None:
        """Where the answer to an accepted packet dies, hop and step; None: it comes back to the opener."""
        for hop in reversed(asked.hops):
            for step in hop.steps:
                if step.hook in MIRROR:
                    back = self._rule(hop.node, MIRROR[step.hook], _turned(step.packet))
                    if back.ruling.verdict != Kind.ACCEPT:
                        return hop, back
        return None

    def _through(self, node: str, packet: Packet, steps: list[Step]) -> tuple[Interface, Address, Packet]:
        """Through one namespace: the interface it leaves by, the next address on that wire, and what it is by then."""
        place = self._places.get(node)
        if place is None:
            raise _Ended(End.NO_NODE, f"{node} has no network namespace")
        way, now = self._in(place, packet, steps) if packet.iif else self._own(place, packet, steps)
        now = self._step(place, "postrouting", now, steps)
        return _interface(place, way), way.via or now.daddr, now

    def _own(self, place: Place, packet: Packet, steps: list[Step]) -> tuple[Route, Packet]:
        way = _routed(place, packet)
        source = _interface(place, way).addresses[0] if packet.saddr == UNSET else packet.saddr
        before = replace(packet, saddr=source, oif=way.ifname)
        after = self._step(place, "output", before, steps)
        if after.daddr != before.daddr:
            way = _routed(place, after)
        return way, replace(after, oif=way.ifname)

    def _in(self, place: Place, packet: Packet, steps: list[Step]) -> tuple[Route, Packet]:
        now = self._step(place, "prerouting", packet, steps)
        why = path.disbelieved(place, now.iif, now.saddr, now.daddr)
        if why:
            raise _Ended(End.DISBELIEVED, why)
        if path.own(place, now.daddr):
            self._step(place, "input", now, steps)
            raise _Ended(End.ACCEPTED)
        if not path.forwards(place, now.iif):
            raise _Ended(End.NOT_FORWARDED, f"{now.daddr} is not {place.name}'s, which passes nothing on")
        way = _routed(place, now)
        return way, self._step(place, "forward", replace(now, oif=way.ifname), steps)

    def _step(self, place: Place, hook: str, packet: Packet, steps: list[Step]) -> Packet:
        """One hook: the packet as NAT leaves it there; ended by what does not accept it."""
        step = self._rule(place.name, hook, packet)
        if step.ruling.chain or step.translation is not None:
            steps.append(step)
        if step.ruling.verdict == Kind.DROP:
            raise _Ended(End.DROPPED)
        if step.translation is not None and step.translation.unread:
            raise _Ended(End.UNKNOWN, step.translation.unread)
        return step.translation.packet if step.translation is not None else packet

    def _rule(self, node: str, hook: str, packet: Packet) -> Step:
        if node not in self._hooks:
            self._hooks[node] = Hooks(self._places[node])
        ruling, translation = self._hooks[node].at(hook, packet)
        return Step(hook=hook, packet=packet, ruling=ruling, translation=translation)


def _routed(place: Place, packet: Packet) -> Route:
    """The route out; an address of its own, or one that a route refuses, has none."""
    way = path.route(place, packet.daddr)
    if way is None or way.kind != path.UNICAST:
        kind = "no route" if way is None else f"a route of kind {way.kind}"
        raise _Ended(End.NO_ROUTE, f"{place.name} has {kind} to {packet.daddr}")
    return way


def _interface(place: Place, way: Route) -> Interface:
    found = place.interface(way.ifname)
    assert found is not None, f"{place.name} has a route out of {way.ifname}, which it does not have"
    return found


def _turned(packet: Packet) -> Packet:
    """The answer, as the same namespace's filter sees it (NAT turns it back before and behind its filters)."""
    return replace(
        packet,
        saddr=packet.daddr,
        daddr=packet.saddr,
        sport=packet.dport,
        dport=packet.sport,
        iif=packet.oif,
        oif=packet.iif,
        flags=packet.flags | 0x10 if packet.protocol == 6 else 0,  # SYN, ACK
        state="established",
        direction="reply",
    )
