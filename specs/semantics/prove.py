"""World against estate: for each ordered pair, whether one can make the other accept just what the flows declare.

proved      what arrives is within the declared flows, whatever the unread rules say
violated    something else arrives, whatever they say; one packet shows it, with its way
unproven    something else arrives if they say so: the rules to blame are named

And each declared flow must arrive, opening and answer: a wall proves nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from specs.model import Estate, Flow
from specs.oracle import Cell, arrivals
from specs.semantics.declared import Declared
from specs.semantics.diagram import EVERYTHING, NOTHING, Packets
from specs.semantics.field import IPV4, SYN, TRACKING, Field
from specs.semantics.oracle import Moment
from specs.semantics.span import Span, span
from specs.semantics.tracking import TURNED
from specs.semantics.witness import Witness, witness
from specs.semantics.world import Reach, Taken, World
from specs.topology import nodes

EPHEMERAL = ((32768, 60999),)  # net.ipv4.ip_local_port_range


class Outcome(StrEnum):
    PROVED = "proved"
    VIOLATED = "violated"
    UNPROVEN = "unproven"


@dataclass(frozen=True, kw_only=True)
class Finding:
    source: str
    target: str
    outcome: Outcome
    witness: Witness | None = None
    blame: tuple[str, ...] = ()  # the unread rules it hangs on


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A declared flow, in one direction: whether it gets there."""

    cell: Cell
    flow: Flow
    direction: str  # opening, answer
    outcome: Outcome
    blame: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Proof:
    pairs: int
    findings: tuple[Finding, ...]  # of the pairs that are not proved
    flows: tuple[Arrived, ...]
    unread: tuple[str, ...]

    def pair(self, source: str, target: str) -> Finding:
        return next(
            (each for each in self.findings if (each.source, each.target) == (source, target)),
            Finding(source=source, target=target, outcome=Outcome.PROVED),
        )

    @property
    def holds(self) -> bool:
        return not self.findings and all(each.outcome is Outcome.PROVED for each in self.flows)


def prove(world: World, declared: Declared, judged: Sequence[tuple[str, str]]) -> Proof:
    """Judge these ordered pairs, and every declared flow."""
    by_source: dict[str, set[str]] = {}
    for source, target in judged:
        by_source.setdefault(source, set()).add(target)
    findings: list[Finding] = []
    for source, targets in by_source.items():
        if source in world.passages:
            findings += _of(world, declared, source, targets)
    return Proof(pairs=len(judged), findings=tuple(findings), flows=tuple(_flows(world, declared)), unread=world.unread)


def every_pair(estate: Estate) -> tuple[tuple[str, str], ...]:
    """All ordered pairs of nodes, but those of two nodes around the estate: no ruleset of ours lies between."""
    around = nodes(estate)
    tunnelled = {peer.name for peer in estate.tunnel.peers}
    return tuple(
        (one.name, other.name)
        for one in around
        for other in around
        if one is not other and (one.ours or other.ours or {one.name, other.name} <= tunnelled)
    )


def _of(world: World, declared: Declared, source: str, targets: Iterable[str]) -> Iterator[Finding]:
    fresh, following = (world.reach(source, following=which) for which in (False, True))
    for target in sorted(set(targets) & (fresh.keys() | following.keys())):
        told = [
            found
            for which, reach in ((False, fresh), (True, following))
            if (found := _judged(world, declared, source, target, reach, following=which)) is not None
        ]
        if told:
            yield min(told, key=lambda each: each.outcome is not Outcome.VIOLATED)


def _judged(
    world: World,
    declared: Declared,
    source: str,
    target: str,
    reach: Reach,
    *,
    following: bool,
) -> Finding | None:
    """What arrives beyond the declared flows."""
    space, oracles = world.space, world.oracles
    unsure: Finding | None = None
    for taken in reach.get(target, ()):
        if not _counts(world, source, taken):
            continue
        beyond = space.minus(taken.branch.now, declared.packets(source, target, taken.at[1]))
        beyond = oracles.now(beyond, declared.kept)
        if beyond == NOTHING:
            beyond = _misdialled(world, declared, source, taken)
        if beyond == NOTHING:
            continue
        asked = space.support(beyond)
        possible = space.forget(beyond, oracles.among(asked, Moment.RATE))
        if taken.origin(space, possible)[1] == NOTHING:  # nothing that can be sent becomes it, whatever the oracles say
            continue
        sure = space.whatever(oracles.now(possible), oracles.among(asked, Moment.UNREAD))
        if sure != NOTHING:
            shown = witness(world, taken, sure, following=following)
            return Finding(source=source, target=target, outcome=Outcome.VIOLATED, witness=shown)
        shown = witness(world, taken, possible, following=following)
        blame = oracles.blame(possible)
        unsure = unsure or Finding(source=source, target=target, outcome=Outcome.UNPROVEN, witness=shown, blame=blame)
    return unsure


def _misdialled(world: World, declared: Declared, source: str, taken: Taken) -> Packets:
    """What arrives as a flow declares it, but was sent to another address or port than is to be dialled."""
    dialled = declared.dialled(source, *taken.at)
    if dialled == EVERYTHING:
        return NOTHING
    space = world.space
    _, sent = taken.origin(space, taken.branch.now)
    other = space.minus(sent, dialled)
    return NOTHING if other == NOTHING else taken.onward(space, other)


def _counts(world: World, source: str, taken: Taken) -> bool:
    """Between two peers the tunnel alone is judged: what else passes outside is no affair of the estate."""
    passages = world.passages
    if passages[source].place.ours or passages[taken.at[0]].place.ours:
        return True
    return any(passages[arrival.at[0]].place.ours for arrival in taken.arrival.chain)


# ---- that what is declared arrives


def _flows(world: World, declared: Declared) -> Iterator[Arrived]:
    for cell, (target, flow) in arrivals(declared.estate).items():
        if cell.node not in world.passages or target not in world.passages:
            continue
        ends = world.passages[cell.node].interfaces.get(cell.ifname)
        own = [int(each) for each in ends.addresses if each.version == 4] if ends else []
        conversation: dict[int, Span] = {
            Field.FAMILY: IPV4,
            Field.PROTOCOL: span(cell.port.protocol.number),
            Field.SADDR: span(*own),
            Field.DADDR: span(int(cell.address)),
            Field.DPORT: span(cell.port.number),
            Field.SPORT: EPHEMERAL,
            Field.FLAGS: span(SYN),
            Field.FRAGMENT: span(0),
        }
        opening = world.space.cube(conversation) if own else NOTHING
        sent = world.sends(cell.node, cell.ifname, opening)
        there = world.spread(sent).get(target, ())
        yield _arrived(world, cell, flow, "opening", there)
        yield _arrived(world, cell, flow, "answer", tuple(_answers(world, cell, target, there)))


def _answers(world: World, cell: Cell, target: str, there: Iterable[Taken]) -> Iterator[Taken]:
    """What the target answers to what arrived, and gets back to the opener."""
    space = world.space
    for taken in there:
        turned = space.renamed(space.forget(taken.branch.now, (*TRACKING, Field.FLAGS)), TURNED)
        sent = world.sends(target, taken.at[1], turned, following=True)
        back = world.spread(deque(sent), following=True).get(cell.node, ())
        port = space.where(Field.SPORT, cell.port.number)
        address = space.where(Field.SADDR, int(cell.address))
        for each in back:
            if space.both(each.branch.now, port, address) != NOTHING:
                yield each


def _arrived(world: World, cell: Cell, flow: Flow, direction: str, there: Sequence[Taken]) -> Arrived:
    space, oracles = world.space, world.oracles
    packets = space.either(each.branch.now for each in there)
    asked = space.support(packets)
    wanted = space.forget(packets, asked - oracles.among(asked, Moment.UNREAD))
    if space.whatever(wanted, space.support(wanted)) == EVERYTHING:
        outcome = Outcome.PROVED
    else:
        outcome = Outcome.VIOLATED if wanted == NOTHING else Outcome.UNPROVEN
    blame = oracles.blame(wanted) if outcome is Outcome.UNPROVEN else ()
    return Arrived(cell=cell, flow=flow, direction=direction, outcome=outcome, blame=blame)
