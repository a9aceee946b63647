"""NAT: what a connection's first packet is made into, what follows it, and how its answers are translated back.

A nat chain sees a connection's first packet, and decides for all that follow (net/netfilter/nf_nat_core.c).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from specs.semantics.diagram import NOTHING, Packets, Space
from specs.semantics.field import ESTABLISHED, NEW, ORIGINAL, Field
from specs.semantics.move import Branch, Move, going_on
from specs.semantics.oracle import Moment, Oracles
from specs.semantics.place import Interface
from specs.semantics.rule import Nat
from specs.semantics.stage import Stage
from specs.semantics.tracking import Tracking

DESTINATION, SOURCE = (Field.DADDR, Field.DPORT), (Field.SADDR, Field.SPORT)


@dataclass(frozen=True, kw_only=True)
class Translation:
    space: Space
    oracles: Oracles
    possible: Packets

    def forth(self, branch: Branch, stage: Stage, interface: Interface, *, destination: bool) -> list[Branch]:
        """What the stage leaves as it is, and what it makes of the rest."""
        level = Field.DNAT if destination else Field.SNAT
        space = self.space
        first = space.where(Field.STATE, NEW)
        follows = space.both(space.where(Field.STATE, ESTABLISHED), space.where(Field.DIRECTION, ORIGINAL))
        follows = space.both(follows, space.where(level, 1))
        seen = space.both(branch.now, space.either([first, follows]))
        natted = [(nat, self._as_first(packets)) for nat, packets in stage.natted]
        untouched = space.minus(self._as_first(stage.passed), space.either(packets for _, packets in natted))
        # What follows a translated first packet, and would not be translated, follows none.
        left = space.minus(space.both(seen, untouched), follows)
        found = [_kept(space, branch, space.either([space.minus(branch.now, seen), left]))]
        for nat, packets in natted:
            part = space.both(seen, packets)
            if part != NOTHING:
                found += self._moved(branch, nat, part, level, interface)
        return found

    def back(self, branch: Branch, tracking: Tracking, *, destination: bool) -> Branch:
        """An answer: its destination is translated back when it comes, its source when it leaves."""
        assert branch.answer is not None
        dnat, snat = branch.answer
        if destination and snat:
            loosened, onto = DESTINATION, tracking.answers_between(branch.answer)
        elif not destination and dnat:
            loosened, onto = SOURCE, tracking.answers_after(branch.answer)
        else:
            return branch
        return going_on(self.space, branch, Move(part=branch.now, loosened=loosened, onto=onto))

    def _as_first(self, packets: Packets) -> Packets:
        """What a chain says of a packet when it is its connection's first."""
        for level, value in ((Field.STATE, NEW), (Field.DIRECTION, ORIGINAL)):
            packets = self.space.fixed(packets, level, value)
        return packets

    def _moved(self, branch: Branch, nat: Nat, part: Packets, level: Field, interface: Interface) -> list[Branch]:
        address, port = DESTINATION if level is Field.DNAT else SOURCE
        if nat.unread:
            return [self._anywhere(branch, part, level, nat.unread)]
        found = []
        if nat.kind == "masquerade":
            # Which of its addresses IPv6 takes hangs on the destination (ipv6_dev_get_saddr).
            sixth, part = self.space.both(part, self._of(6)), self.space.both(part, self._of(4))
            told = f"the IPv6 source that masquerading takes on {interface.name}"
            found = [] if sixth == NOTHING else [self._anywhere(branch, sixth, level, told)]
        becomes = _becomes(nat, interface, address, port)
        if becomes is None:
            return found  # masquerading without an address drops (nf_nat_masquerade_ipv4)
        space = self.space
        same = space.both(part, space.cube({each: ((value, value),) for each, value in becomes.items()}))
        # A source port that is taken is exchanged for another (nf_nat_l4proto_unique_tuple).
        loosened = (port,) if level is Field.SNAT and port not in becomes else ()
        moved = Move(part=space.minus(part, same), becomes={**becomes, level: 1}, loosened=loosened)
        return [*found, _kept(space, branch, same), self._noted(branch, moved, level)]

    def _anywhere(self, branch: Branch, part: Packets, level: Field, told: str) -> Branch:
        """Translated to nobody knows what."""
        onto = self.space.both(self.possible, self._unread(told))
        loosened = DESTINATION if level is Field.DNAT else SOURCE
        return self._noted(branch, Move(part=part, becomes={level: 1}, loosened=loosened, onto=onto), level)

    def _of(self, version: int) -> Packets:
        return self.space.where(Field.FAMILY, int(version == 6))

    def _noted(self, branch: Branch, move: Move, level: Field) -> Branch:
        moved = going_on(self.space, branch, move)
        return replace(moved, dnat=True) if level is Field.DNAT else replace(moved, snat=True, between=branch.now)

    def _unread(self, why: str) -> Packets:
        if why not in self._asked:
            self._asked[why] = self.oracles.ask(why, Moment.UNREAD)
        return self._asked[why]

    @cached_property
    def _asked(self) -> dict[str, Packets]:
        return {}


def _kept(space: Space, branch: Branch, packets: Packets) -> Branch:
    return going_on(space, branch, Move(part=space.both(branch.now, packets)))


def _becomes(nat: Nat, interface: Interface, address: Field, port: Field) -> Mapping[int, int] | None:
    becomes: dict[int, int] = {} if nat.port is None else {port: nat.port}
    if nat.kind == "masquerade":
        own = [each for each in interface.addresses if each.version == 4]
        return {**becomes, address: int(own[0])} if own else None
    return becomes if nat.address is None else {**becomes, address: nat.address}
