"""A packet that shows what is wrong: what to send, where it is accepted, and which rule let it through on its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from specs.semantics.diagram import NOTHING, Packets
from specs.semantics.field import INVALID, NEW, ORIGINAL, SYN, TCP, TRACKING, UDP, Field
from specs.semantics.packet import Packet, packet
from specs.semantics.passage import Passage
from specs.semantics.ruleset import decider
from specs.semantics.tracking import opening
from specs.semantics.world import Arrival, End, Taken, World

LIKED_PORT = 40000
NO_INTERFACES = ("",)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One namespace on the way; `out` is "" where the packet is taken."""

    place: str
    ifname: str
    out: str
    rule: str  # what let it pass

    def __str__(self) -> str:
        way = f"{self.ifname} -> {self.out}" if self.out else self.ifname
        return f"{self.place} ({way}): {self.rule}"


@dataclass(frozen=True, kw_only=True)
class Witness:
    """Sent out of `sent` by raw socket (or past the sender's own hooks, out of the estate), accepted at `taken`."""

    sent: End
    packet: Packet
    taken: End
    accepted: Packet  # as the input hook there sees it
    following: bool  # it rides on a connection that is there; alone it shows nothing
    path: tuple[Step, ...]

    @property
    def rule(self) -> str:
        """What let it in at last."""
        return self.path[-1].rule

    def __str__(self) -> str:
        how = ", of a connection that is there," if self.following else ""
        return f"{self.packet}{how} sent by {self.sent[0]} out of {self.sent[1]} is accepted by {self.taken[0]}"


def witness(world: World, taken: Taken, packets: Packets, *, following: bool) -> Witness:
    """One of `packets`, which `taken` holds, as it was sent."""
    space = world.space
    packets = _plain(world.passages[taken.at[0]], packets)
    sent, origin = taken.origin(space, packets)
    liked = _liked(world, sent, taken.at)
    point = space.pick(origin, liked)
    told = {**{level: values[0] for level, values in liked.items() if values}, **point}
    return Witness(
        sent=sent,
        packet=packet({level: value for level, value in told.items() if level not in TRACKING}, NO_INTERFACES),
        taken=taken.at,
        accepted=packet(space.pick(packets, liked), NO_INTERFACES),
        following=following,
        path=tuple(_path(world, taken, packets, liked)),
    )


def _plain(passage: Passage, packets: Packets) -> Packets:
    """Those that are invalid by what they are, where there are such: a wrong checksum is harder to show."""
    space = passage.space
    odd = space.both(opening(space, loose=passage.fresh.loose), space.where(Field.STATE, INVALID))
    rest = space.minus(packets, odd)
    return packets if rest == NOTHING or not passage.ruleset.tracked else rest


def _path(world: World, taken: Taken, packets: Packets, liked: Mapping[int, Sequence[int]]) -> Iterator[Step]:
    """The namespaces it comes through, from the first, each with the rule that lets it pass."""
    space = world.space
    steps = [_step(world.passages[taken.at[0]], taken.at[1], "", packets, liked)]
    arrival: Arrival | None = taken.arrival
    packets = space.forget(taken.branch.origin(space, packets), TRACKING)
    while arrival is not None and arrival.before is not None and arrival.branch is not None:
        passage, (_, ifname) = world.passages[arrival.before.at[0]], arrival.before.at
        packets = space.both(packets, arrival.packets)
        moves = arrival.branch.moves
        # Back to where the forward hook saw it: before its source was translated, and its tracking was forgotten.
        inside = packets
        for move in reversed(moves[1:]):
            inside = move.origin(space, inside)
        steps.append(_step(passage, ifname, arrival.out, inside, liked))
        packets = space.forget(arrival.branch.origin(space, packets), TRACKING)
        arrival = arrival.before
    yield from reversed(steps)


def _step(passage: Passage, ifname: str, out: str, packets: Packets, liked: Mapping[int, Sequence[int]]) -> Step:
    names = passage.ruleset.interfaces
    point = passage.space.pick(packets, liked) if packets != NOTHING else {}
    point = {**point, Field.IIF: names.index(ifname), Field.OIF: names.index(out)}
    told: dict[int, int] = {each: point.get(each, 0) for each in Field}
    rule = decider(passage.ruleset, "forward" if out else "input", told)
    return Step(place=passage.place.name, ifname=ifname, out=out, rule=rule)


def _liked(world: World, sent: End, taken: End) -> Mapping[int, Sequence[int]]:
    """Values that make a packet plain to read, and to send."""
    own, others = (world.passages[place].interfaces[name].addresses for place, name in (sent, taken))
    return {
        Field.PROTOCOL: (TCP, UDP, 1),
        Field.SADDR: tuple(int(each) for each in own if each.version == 4),
        Field.DADDR: tuple(int(each) for each in others if each.version == 4),
        Field.DPORT: (8080, 80, 22, 9),
        Field.SPORT: (LIKED_PORT,),
        Field.FLAGS: (SYN,),
        Field.ICMP_TYPE: (8,),
        Field.STATE: (NEW,),
        Field.DIRECTION: (ORIGINAL,),
    }
