"""One namespace, compiled: what comes in by an interface -> what it takes for its own, and what it sends on.

    came in ─ prerouting (DNAT at -100) ─ routed ─┬─ input ─ its own
                                                  └─ forward ─ postrouting (SNAT at 100) ─ sent on
    made here ─ output (DNAT at -100) ─ postrouting ─ sent

Everything is asked for one interface at a time, and what forwarding lets pass, which is little, before the routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space
from specs.semantics.field import (
    ESTABLISHED,
    INVALID,
    IPV4,
    NEW,
    NO_INTERFACE,
    NONE,
    ORIGINAL,
    TRACKING,
    Field,
)
from specs.semantics.move import Branch, Move, going_on
from specs.semantics.place import LOOPBACK, Interface, Place
from specs.semantics.routing import Routing
from specs.semantics.rule import Moment, Nat, Oracles
from specs.semantics.ruleset import CONNTRACK, Ruleset, Stage, read
from specs.semantics.span import span
from specs.semantics.tracking import BESIDE, LOOSE, Connections, Tracking, possible

ALL_BITS = ((False, False), (True, False), (False, True), (True, True))


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A place with its ruleset compiled; sets that cross its border say nothing of interfaces or of tracking."""

    place: Place
    ruleset: Ruleset
    routing: Routing
    possible: Packets

    @staticmethod
    def of(place: Place, space: Space, oracles: Oracles) -> Passage:
        ruleset = read(
            place.listing,
            {each.name: each.index for each in place.interfaces},
            space=space,
            oracles=oracles,
            where=place.name,
            doubted=place.doubted,
        )
        routing = Routing(place=place, space=space, oracles=oracles)
        return Passage(place=place, ruleset=ruleset, routing=routing, possible=possible(space))

    @property
    def space(self) -> Space:
        return self.ruleset.space

    @cached_property
    def interfaces(self) -> Mapping[str, Interface]:
        return {each.name: each for each in self.place.interfaces if each.up}

    # ---- what conntrack says

    @cached_property
    def fresh(self) -> Tracking:
        loose = self.place.sysctls.get(LOOSE, "1") != "0"
        return Tracking(space=self.space, tracked=self.ruleset.tracked, loose=loose)

    @cached_property
    def following(self) -> Tracking:
        """With every connection there that the ruleset lets begin, from whichever interface, or from here."""
        if not self.ruleset.tracked:
            return self.fresh
        gathered: dict[tuple[bool, bool], list[Branch]] = {bits: [] for bits in ALL_BITS}
        for branch in self._beginnings():
            gathered[branch.dnat, branch.snat].append(branch)
        connections = {bits: self._connections(branches) for bits, branches in gathered.items() if branches}
        return Tracking(space=self.space, tracked=True, loose=self.fresh.loose, connections=connections)

    def _beginnings(self) -> Iterator[Branch]:
        entry = Branch(now=self.possible)
        for ifname in self.interfaces:
            yield from self._own(ifname, self._enter(entry, ifname, self.fresh.new))
            for _, branch in self._on(ifname, self._enter(entry, ifname, self.fresh.new)):
                yield branch
            if ifname != LOOPBACK:
                yield from self._out(
                    ifname, [going_on(self.space, entry, Move(part=self.possible, onto=self.fresh.new))]
                )

    def _connections(self, branches: Iterable[Branch]) -> Connections:
        space = self.space
        parts = [
            (
                branch.origin(space, branch.now),
                branch.now if branch.between == EVERYTHING else branch.between,
                branch.now,
            )
            for branch in branches
        ]
        before, between, after = (space.forget(space.either(packets), BESIDE) for packets in zip(*parts, strict=True))
        return Connections(before=before, between=between, after=after)

    # ---- the ways through

    def receive(
        self, ifname: str, packets: Packets, tracking: Tracking
    ) -> tuple[list[Branch], list[tuple[str, Branch]]]:
        """What becomes of what comes in by an interface: taken for its own; sent on, by interface."""
        interface = self.interfaces.get(ifname)
        if interface is None or packets == NOTHING:
            return [], []
        gate = [self._gate] if self.ruleset.gates else []
        entry = Branch(now=self.space.both(packets, self.possible, *gate))
        inside = self.entered(entry, ifname, tracking)
        own, on = list(self._own(ifname, inside)), list(self._on(ifname, inside))
        for reason in self._wild:
            anything = Branch(
                now=self.space.both(self.possible, reason), moves=(Move(part=packets, loosened=tuple(Field)),)
            )
            own.append(anything)
            on += [(name, anything) for name in self.interfaces if name != LOOPBACK]
        leaving = Move(part=EVERYTHING, loosened=TRACKING)
        return own, [
            (name, going_on(self.space, branch, Move(part=branch.now, loosened=leaving.loosened)))
            for name, branch in on
        ]

    def send(self, ifname: str, packets: Packets, tracking: Tracking) -> list[Branch]:
        """What the namespace itself sends by an interface, past its own output hook."""
        if ifname not in self.interfaces:
            return []
        entry = Branch(now=self.space.both(packets, self.possible))
        inside = [going_on(self.space, entry, Move(part=entry.now, onto=tracking.original))]
        for bits in tracking.connections:
            answer = Move(part=entry.now, onto=tracking.answers_between(bits))
            inside.append(going_on(self.space, entry, answer, answer=bits))
        found = self._out(ifname, inside, tracking)
        return [going_on(self.space, each, Move(part=each.now, loosened=TRACKING)) for each in found]

    @cached_property
    def _gate(self) -> Packets:
        return self.ruleset.oracles.ask("; ".join(self.ruleset.gates), Moment.UNREAD)

    @cached_property
    def _wild(self) -> tuple[Packets, ...]:
        reasons = (*self.ruleset.wild, *self.place.strange, *self.routing.oddities())
        return tuple(self.ruleset.oracles.ask(each, Moment.UNREAD) for each in dict.fromkeys(reasons))

    def entered(self, entry: Branch, ifname: str, tracking: Tracking) -> list[Branch]:
        inside = self._enter(entry, ifname, tracking.original)
        for bits in tracking.connections:
            inside += self._enter(entry, ifname, tracking.answers(bits), answer=bits, tracking=tracking)
        return inside

    def _enter(
        self,
        entry: Branch,
        ifname: str,
        said: Packets,
        answer: tuple[bool, bool] | None = None,
        tracking: Tracking | None = None,
    ) -> list[Branch]:
        """Through prerouting, seen so by conntrack."""
        if not self.routing.ipv6(ifname):
            said = self.space.both(said, self.space.where(Field.FAMILY, 0))
        begun = going_on(self.space, entry, Move(part=entry.now, onto=said), answer=answer)
        return self._through("prerouting", [begun], self._number(ifname), NO_INTERFACE, ifname, tracking)

    def _own(self, ifname: str, inside: Iterable[Branch]) -> list[Branch]:
        # Fragments of IPv4 are put together before the input hook (ip_local_deliver).
        fragment = self.space.cube({Field.FAMILY: IPV4, Field.FRAGMENT: span(1)})
        own = self.space.minus(self.owned(ifname), fragment)
        taken = [self._kept(branch, own) for branch in inside]
        return self._through("input", taken, self._number(ifname), NO_INTERFACE, ifname)

    def _on(self, ifname: str, inside: Iterable[Branch]) -> Iterator[tuple[str, Branch]]:
        iif = self._number(ifname)
        passing = self._forwarded(ifname)
        if passing == NOTHING:
            return
        branches = [kept for branch in inside if (kept := self._kept(branch, passing)).now != NOTHING]
        if not branches:
            return
        for out in self._outs(branches):
            oif = self._number(out)
            going = [self._kept(self._left(branch, oif), self.routed(out)) for branch in branches]
            for branch in self._through("postrouting", going, iif, oif, out):
                yield out, branch

    def _left(self, branch: Branch, oif: int) -> Branch:
        """The branch's part for one interface to go out by, and no word of it any more."""
        part = self.space.both(branch.now, self.space.where(Field.OIF, oif))
        return going_on(self.space, branch, Move(part=part, loosened=(Field.OIF,)))

    def _outs(self, branches: Iterable[Branch]) -> list[str]:
        """The interfaces that some of the packets may go out by, as far as forwarding has let them pass."""
        wanted: set[int] = set()
        for branch in branches:
            for low, high in self.space.values(branch.now, Field.OIF):
                wanted.update(range(low, min(high, len(self.ruleset.interfaces) - 1) + 1))
        names = (self.ruleset.interfaces[number] for number in sorted(wanted))
        return [name for name in names if name in self.interfaces and name != LOOPBACK]

    def _out(self, ifname: str, inside: Iterable[Branch], tracking: Tracking | None = None) -> list[Branch]:
        oif = self._number(ifname)
        if not self.routing.ipv6(ifname):
            inside = [self._kept(branch, self.space.where(Field.FAMILY, 0)) for branch in inside]
        made = self._through("output", inside, NO_INTERFACE, oif, ifname, tracking)
        return self._through("postrouting", made, NO_INTERFACE, oif, ifname, tracking)

    def _forwarded(self, ifname: str) -> Packets:
        """What the forward hook lets pass of what came in by the interface, and the source is believed of."""
        passing = EVERYTHING
        for stage in self.ruleset.stages.get("forward", ()):
            passing = self.space.both(passing, self.space.fixed(stage.passed, Field.IIF, self._number(ifname)))
        if passing == NOTHING:
            return passing
        return self.space.both(passing, self.transit(ifname))

    # ---- stages

    def _through(
        self,
        hook: str,
        branches: Iterable[Branch],
        iif: int,
        oif: int,
        ifname: str,
        tracking: Tracking | None = None,
    ) -> list[Branch]:
        found = [branch for branch in branches if branch.now != NOTHING]
        for stage in self._seen(hook, iif, oif):
            if stage.translates:
                found = [each for branch in found for each in self._translated(hook, branch, stage, ifname)]
            else:
                found = [kept for branch in found if (kept := self._kept(branch, stage.passed)).now != NOTHING]
        return found

    def _seen(self, hook: str, iif: int, oif: int) -> Iterator[Stage]:
        for stage in self.ruleset.stages.get(hook, ()):
            early = hook in ("prerouting", "output") and stage.priority < CONNTRACK
            yield replace(
                stage,
                passed=self._asked(stage.passed, iif, oif, early=early),
                natted=tuple((nat, self._asked(packets, iif, oif, early=early)) for nat, packets in stage.natted),
            )

    def _asked(self, packets: Packets, iif: int, oif: int, *, early: bool) -> Packets:
        """The set for these interfaces; before conntrack every packet is of no connection."""
        found = self.space.fixed(self.space.fixed(packets, Field.IIF, iif), Field.OIF, oif)
        if early:
            for level, value in ((Field.STATE, INVALID), (Field.DIRECTION, NONE), (Field.DNAT, 0), (Field.SNAT, 0)):
                found = self.space.fixed(found, level, value)
        return found

    def _kept(self, branch: Branch, *sets: Packets) -> Branch:
        return going_on(self.space, branch, Move(part=self.space.both(branch.now, *sets)))

    # ---- translation

    def _translated(self, hook: str, branch: Branch, stage: Stage, ifname: str) -> list[Branch]:
        """A nat chain sees a connection's first packet, and decides for all that follow (nf_nat_core.c)."""
        destination = hook in ("prerouting", "output")
        if branch.answer is not None:
            return [self._back(branch, destination=destination)]
        level = Field.DNAT if destination else Field.SNAT
        space = self.space
        first = space.where(Field.STATE, NEW)
        follows = space.both(space.where(Field.STATE, ESTABLISHED), space.where(Field.DIRECTION, ORIGINAL))
        follows = space.both(follows, space.where(level, 1))
        seen = space.both(branch.now, space.either([first, follows]))
        rest = [space.minus(branch.now, seen)]
        untouched = space.both(seen, space.minus(self._as_first(stage.passed), space.either(self._natted(stage))))
        rest.append(space.minus(untouched, follows))
        found = [self._kept(branch, space.either(rest))]
        for nat, packets in stage.natted:
            part = space.both(seen, self._as_first(packets))
            if part != NOTHING:
                found += self._moved(branch, nat, part, level, ifname)
        return found

    def _natted(self, stage: Stage) -> list[Packets]:
        return [self._as_first(packets) for _, packets in stage.natted]

    def _as_first(self, packets: Packets) -> Packets:
        """What a chain says of a packet when it is its connection's first."""
        for level, value in ((Field.STATE, NEW), (Field.DIRECTION, ORIGINAL)):
            packets = self.space.fixed(packets, level, value)
        return packets

    def _moved(self, branch: Branch, nat: Nat, part: Packets, level: Field, ifname: str) -> list[Branch]:
        address, port = (Field.DADDR, Field.DPORT) if level is Field.DNAT else (Field.SADDR, Field.SPORT)
        told = {"dnat": True} if level is Field.DNAT else {"snat": True}
        becomes, unread = self._becomes(nat, ifname, address, port)
        if unread:
            asked = self.ruleset.oracles.ask(unread, Moment.UNREAD)
            anywhere = Move(
                part=part, becomes={level: 1}, loosened=(address, port), onto=self.space.both(self.possible, asked)
            )
            return [self._noted(branch, anywhere, told)]
        if becomes is None:
            return []  # masquerading without an address drops (nf_nat_masquerade_ipv4)
        same = self.space.both(part, self.space.cube({each: ((value, value),) for each, value in becomes.items()}))
        changed = self.space.minus(part, same)
        # A source port that is taken is exchanged for another (nf_nat_l4proto_unique_tuple).
        loosened = (port,) if level is Field.SNAT and port not in becomes else ()
        moved = Move(part=changed, becomes={**becomes, level: 1}, loosened=loosened)
        return [self._kept(branch, same), self._noted(branch, moved, told)]

    def _noted(self, branch: Branch, move: Move, told: Mapping[str, bool]) -> Branch:
        moved = going_on(self.space, branch, move, **told)
        if "dnat" in told:
            return moved
        return replace(moved, between=branch.now)

    def _becomes(self, nat: Nat, ifname: str, address: Field, port: Field) -> tuple[dict[int, int] | None, str]:
        if nat.unread:
            return None, nat.unread
        becomes: dict[int, int] = {} if nat.port is None else {port: nat.port}
        if nat.kind == "masquerade":
            own = [each for each in self.interfaces[ifname].addresses if each.version == 4]
            return ({**becomes, address: int(own[0])} if own else None), ""
        if nat.address is not None:
            becomes[address] = nat.address
        return becomes, ""

    def _back(self, branch: Branch, *, destination: bool) -> Branch:
        """An answer is translated back: its destination first, its source when it leaves."""
        assert branch.answer is not None
        dnat, snat = branch.answer
        tracking = self.following
        if destination and snat:
            loosened, onto = (Field.DADDR, Field.DPORT), tracking.answers_between(branch.answer)
        elif not destination and dnat:
            loosened, onto = (Field.SADDR, Field.SPORT), tracking.answers_after(branch.answer)
        else:
            return branch
        return going_on(self.space, branch, Move(part=branch.now, loosened=loosened, onto=onto))

    # ---- of one interface

    def _number(self, ifname: str) -> int:
        return self.ruleset.interfaces.index(ifname)

    def owned(self, ifname: str) -> Packets:
        """What that came in by an interface is taken for its own."""
        return self._once("own", ifname)

    def routed(self, ifname: str) -> Packets:
        """What goes out by an interface."""
        return self._once("out", ifname)

    def transit(self, ifname: str) -> Packets:
        """What that came in by an interface may be sent on."""
        return self._once("transit", ifname)

    def _once(self, question: str, ifname: str) -> Packets:
        found = self._answers.get((question, ifname))
        if found is None:
            found = self._answers[question, ifname] = getattr(self.routing, question)(ifname)
        return found

    @cached_property
    def _answers(self) -> dict[tuple[str, str], Packets]:
        return {}
