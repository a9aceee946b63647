"""One namespace, compiled: what comes in by an interface -> what it takes for its own, and what it sends on.

    came in ─ prerouting (DNAT at -100) ─ routed ─┬─ input ─ its own
                                                  └─ forward ─ postrouting (SNAT at 100) ─ sent on
    made here ─ output (DNAT at -100) ─ postrouting ─ sent

Everything is asked for one interface at a time, and what forwarding lets pass, which is little, before the routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from specs.semantics.begun import begun
from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space
from specs.semantics.field import (
    INVALID,
    IPV4,
    NO_INTERFACE,
    NONE,
    TRACKING,
    Field,
)
from specs.semantics.move import Branch, Move, going_on
from specs.semantics.oracle import Moment, Oracles
from specs.semantics.place import LOOPBACK, Interface, Place
from specs.semantics.routing import Routing
from specs.semantics.ruleset import CONNTRACK, Ruleset, Stage, read
from specs.semantics.span import span
from specs.semantics.tracking import LOOSE, Tracking, possible
from specs.semantics.translation import Translation


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

    @cached_property
    def fresh(self) -> Tracking:
        loose = self.place.sysctls.get(LOOSE, "1") != "0"
        return Tracking(space=self.space, tracked=self.ruleset.tracked, loose=loose)

    @cached_property
    def following(self) -> Tracking:
        """With every connection there that the ruleset lets begin, from whichever interface, or from here."""
        if not self.ruleset.tracked:
            return self.fresh
        return replace(self.fresh, connections=begun(self))

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
        own, on = list(self.take(ifname, inside)), list(self.forward(ifname, inside))
        for reason in self._wild:
            become = (Move(part=packets, loosened=tuple(Field)),)
            anything = Branch(now=self.space.both(self.possible, reason), moves=become)
            own.append(anything)
            on += [(name, anything) for name in self.interfaces if name != LOOPBACK]
        return own, [(name, self._out_of_here(branch)) for name, branch in on]

    def _out_of_here(self, branch: Branch) -> Branch:
        return going_on(self.space, branch, Move(part=branch.now, loosened=TRACKING))

    def send(self, ifname: str, packets: Packets, tracking: Tracking) -> list[Branch]:
        """What the namespace itself sends by an interface, past its own output hook."""
        if ifname not in self.interfaces:
            return []
        entry = Branch(now=self.space.both(packets, self.possible))
        inside = [going_on(self.space, entry, Move(part=entry.now, onto=tracking.original))]
        for bits in tracking.connections:
            answer = Move(part=entry.now, onto=tracking.answers_between(bits))
            inside.append(going_on(self.space, entry, answer, answer=bits))
        found = self.leave(ifname, inside)
        return [self._out_of_here(each) for each in found]

    @cached_property
    def _gate(self) -> Packets:
        return self.ruleset.oracles.ask("; ".join(self.ruleset.gates), Moment.UNREAD)

    @cached_property
    def _wild(self) -> tuple[Packets, ...]:
        reasons = (*self.ruleset.wild, *self.place.strange, *self.routing.oddities())
        return tuple(self.ruleset.oracles.ask(each, Moment.UNREAD) for each in dict.fromkeys(reasons))

    def entered(self, entry: Branch, ifname: str, tracking: Tracking) -> list[Branch]:
        inside = self.enter(entry, ifname, tracking.original)
        for bits in tracking.connections:
            inside += self.enter(entry, ifname, tracking.answers(bits), answer=bits)
        return inside

    def enter(
        self,
        entry: Branch,
        ifname: str,
        said: Packets,
        answer: tuple[bool, bool] | None = None,
    ) -> list[Branch]:
        """Through prerouting, seen so by conntrack."""
        if not self.routing.ipv6(ifname):
            said = self.space.both(said, self.space.where(Field.FAMILY, 0))
        begun = going_on(self.space, entry, Move(part=entry.now, onto=said), answer=answer)
        return self._through("prerouting", [begun], self._number(ifname), NO_INTERFACE, ifname)

    def take(self, ifname: str, inside: Iterable[Branch]) -> list[Branch]:
        taking = self.taking(ifname)
        if taking == NOTHING:
            return []
        taken = [self._kept(branch, taking) for branch in inside]
        return self._through("input", taken, self._number(ifname), NO_INTERFACE, ifname)

    def taking(self, ifname: str) -> Packets:
        """What is for itself of what came in by the interface, as far as the input hook lets it before translation.

        The hook's chains first, which leave little, then the addresses, which may be many.
        """
        if ifname not in self._taking:
            space = self.space
            # Fragments of IPv4 are put together before the input hook (ip_local_deliver).
            passing = space.complement(space.cube({Field.FAMILY: IPV4, Field.FRAGMENT: span(1)}))
            for stage in self._seen("input", self._number(ifname), NO_INTERFACE):
                if stage.translates:
                    break
                passing = space.both(passing, stage.passed)
            self._taking[ifname] = self.routing.own(ifname, passing)
        return self._taking[ifname]

    @cached_property
    def _taking(self) -> dict[str, Packets]:
        return {}

    def forward(self, ifname: str, inside: Iterable[Branch]) -> Iterator[tuple[str, Branch]]:
        iif = self._number(ifname)
        passing = self._forwarded(ifname)
        if passing == NOTHING:
            return
        branches = [kept for branch in inside if (kept := self._kept(branch, passing)).now != NOTHING]
        if not branches:
            return
        for out in self._outs(branches):
            oif = self._number(out)
            elsewhere = ifname != out and self.routing.ipv6(out)
            routed = self.space.minus(self.routed(out), self.routing.near) if elsewhere else self.routed(out)
            going = [self._kept(self._left(branch, oif), routed) for branch in branches]
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

    def leave(self, ifname: str, inside: Iterable[Branch]) -> list[Branch]:
        oif = self._number(ifname)
        if not self.routing.ipv6(ifname):
            inside = [self._kept(branch, self.space.where(Field.FAMILY, 0)) for branch in inside]
        made = self._through("output", inside, NO_INTERFACE, oif, ifname)
        return self._through("postrouting", made, NO_INTERFACE, oif, ifname)

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
    ) -> list[Branch]:
        found = [branch for branch in branches if branch.now != NOTHING]
        for stage in self._seen(hook, iif, oif):
            if stage.translates:
                found = [each for branch in found for each in self._translated(hook, branch, stage, ifname)]
            else:
                found = [kept for branch in found if (kept := self._kept(branch, stage.passed)).now != NOTHING]
        return found

    def _seen(self, hook: str, iif: int, oif: int) -> tuple[Stage, ...]:
        """The hook's stages, asked for these interfaces."""
        key = (hook, iif, oif)
        if key not in self._stages:
            self._stages[key] = tuple(self._at(hook, iif, oif, stage) for stage in self.ruleset.stages.get(hook, ()))
        return self._stages[key]

    @cached_property
    def _stages(self) -> dict[tuple[str, int, int], tuple[Stage, ...]]:
        return {}

    def _at(self, hook: str, iif: int, oif: int, stage: Stage) -> Stage:
        early = hook in ("prerouting", "output") and stage.priority < CONNTRACK
        return replace(
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

    def _translated(self, hook: str, branch: Branch, stage: Stage, ifname: str) -> list[Branch]:
        destination = hook in ("prerouting", "output")
        if branch.answer is not None:
            return [self._translation.back(branch, self.following, destination=destination)]
        return self._translation.forth(branch, stage, self.interfaces[ifname], destination=destination)

    @cached_property
    def _translation(self) -> Translation:
        return Translation(space=self.space, oracles=self.ruleset.oracles, possible=self.possible)

    def _number(self, ifname: str) -> int:
        return self._numbers[ifname]

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.ruleset.interfaces)}

    def routed(self, ifname: str) -> Packets:
        """What goes out by an interface."""
        return self._once(self._routed, ifname, self.routing.out)

    def transit(self, ifname: str) -> Packets:
        """What that came in by an interface may be sent on."""
        return self._once(self._transit, ifname, self.routing.transit)

    def _once(self, known: dict[str, Packets], ifname: str, asked: Callable[[str], Packets]) -> Packets:
        if ifname not in known:
            known[ifname] = asked(ifname)
        return known[ifname]

    _routed = cached_property(lambda _: dict[str, Packets]())
    _transit = cached_property(lambda _: dict[str, Packets]())
