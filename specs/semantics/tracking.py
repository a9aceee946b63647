"""What conntrack can say of a packet when it comes to a namespace (net/netfilter/nf_conntrack_core.c, _proto_*.c).

fresh       no connection is there: the packet is new where its protocol lets it open one, or invalid
following   connections are there that the namespace's own ruleset lets begin; the packet may be of any of them. So
            it is established where its tuple, or its answer's, is one of theirs: an over-approximation, as not every
            connection that may be is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from specs.semantics.diagram import NOTHING, Packets, Space
from specs.semantics.field import (
    ACK,
    ANY_IPV4,
    CWR,
    ECE,
    ESTABLISHED,
    ICMP,
    ICMPV6,
    INVALID,
    IPV4,
    IPV6,
    NEW,
    NONE,
    ORIGINAL,
    PSH,
    RELATED,
    REPLY,
    SYN,
    TCP,
    UNTRACKED,
    URG,
    Field,
)
from specs.semantics.span import Span, span, union

TURNED: Mapping[int, int] = {
    Field.SADDR: Field.DADDR,
    Field.DADDR: Field.SADDR,
    Field.SPORT: Field.DPORT,
    Field.DPORT: Field.SPORT,
}
TUPLE = (Field.FAMILY, Field.PROTOCOL, Field.SADDR, Field.DADDR, Field.SPORT, Field.DPORT)
BESIDE = tuple(each for each in Field if each not in TUPLE)  # what a connection's tuple does not hold
LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
ASKING = span(8, 13, 15, 17)  # nf_conntrack_proto_icmp.c, valid_new: the types that open a conversation
ASKING_V6 = span(128, 139)  # nf_conntrack_proto_icmpv6.c
ERRORS, ERRORS_V6 = span(3, 4, 5, 11, 12), ((1, 127),)  # these may be related to a connection
NEIGHBOURS = ((130, 137), (143, 143))  # not tracked (noct_valid_new)


def possible(space: Space) -> Packets:
    """Every packet there can be: an IPv4 address has 32 bits."""
    fourth: dict[int, Span] = {Field.FAMILY: IPV4, Field.SADDR: ANY_IPV4, Field.DADDR: ANY_IPV4}
    return space.either([space.cube(fourth), space.cube({Field.FAMILY: IPV6})])


def _flags(*wanted: int) -> Span:
    """TCP flags with these, and any of those that tcp_valid_flags does not look at."""
    free = (0, PSH, ECE, CWR, PSH | ECE, PSH | CWR, ECE | CWR, PSH | ECE | CWR)
    return union((flags | more, flags | more) for flags in wanted for more in free)


def opening(space: Space, *, loose: bool) -> Packets:
    """What may be the first packet of a connection (tcp_new, icmp_new); of the rest, anything may."""
    first = [SYN, SYN | URG, *((ACK, ACK | URG) if loose else ())]  # loose: a connection is picked up in its middle
    never = space.either([
        space.minus(space.where(Field.PROTOCOL, TCP), space.cube({Field.FLAGS: _flags(*first)})),
        space.minus(
            space.cube({Field.FAMILY: IPV4, Field.PROTOCOL: span(ICMP)}), space.cube({Field.ICMP_TYPE: ASKING})
        ),
        space.minus(
            space.cube({Field.FAMILY: IPV6, Field.PROTOCOL: span(ICMPV6)}), space.cube({Field.ICMP_TYPE: ASKING_V6})
        ),
    ])  # fmt: skip
    return space.complement(never)


@dataclass(frozen=True, kw_only=True)
class Connections:
    """The tuples of the connections that a namespace lets begin, by whether they are translated.

    `before`, `between` and `after` are the first packet's: as it came, after DNAT, after SNAT.
    """

    before: Packets = NOTHING
    between: Packets = NOTHING
    after: Packets = NOTHING


Translated = tuple[bool, bool]  # DNAT, SNAT


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """What one namespace's conntrack says; `connections` is empty for fresh packets."""

    space: Space
    tracked: bool
    loose: bool
    connections: Mapping[Translated, Connections] = field(default_factory=dict)

    @cached_property
    def new(self) -> Packets:
        """A connection's first packet."""
        return self.space.both(opening(self.space, loose=self.loose), self._said(NEW, ORIGINAL))

    @cached_property
    def original(self) -> Packets:
        """What is not the answer to anything: new, invalid, untracked, or of a connection in its own direction."""
        if not self.tracked:
            return self._said(INVALID, NONE)
        following = (
            self.space.both(each.before, self._said(ESTABLISHED, ORIGINAL, *bits))
            for bits, each in self.connections.items()
        )
        return self.space.both(
            self.space.cube({Field.FRAGMENT: span(0)}),  # nf_defrag_ipv4, at -400
            self.space.either([self.new, self._said(INVALID, NONE), self._neighbours, *following, self._errors]),
        )

    def answers(self, bits: Translated) -> Packets:
        """What may answer a connection so translated, as it comes in."""
        return self._turned(self.connections[bits].after, bits)

    def answers_between(self, bits: Translated) -> Packets:
        return self._turned(self.connections[bits].between, bits)

    def answers_after(self, bits: Translated) -> Packets:
        """As it leaves, translated back."""
        return self._turned(self.connections[bits].before, bits)

    def _turned(self, tuples: Packets, bits: Translated) -> Packets:
        key = (tuples, bits)
        if key not in self._memory:
            whole = self.space.cube({Field.FRAGMENT: span(0)})
            turned = self.space.renamed(tuples, TURNED)
            self._memory[key] = self.space.both(turned, self._said(ESTABLISHED, REPLY, *bits), whole)
        return self._memory[key]

    @cached_property
    def _memory(self) -> dict[tuple[Packets, Translated], Packets]:
        return {}

    @property
    def _neighbours(self) -> Packets:
        """Neighbour discovery of IPv6 is not tracked."""
        them: dict[int, Span] = {Field.FAMILY: IPV6, Field.PROTOCOL: span(ICMPV6), Field.ICMP_TYPE: NEIGHBOURS}
        return self.space.both(self.space.cube(them), self._said(UNTRACKED, NONE))

    @property
    def _errors(self) -> Packets:
        """An ICMP error that quotes a connection, from whoever says so (nf_conntrack_inet_error)."""
        if all(each.before == NOTHING for each in self.connections.values()):
            return NOTHING
        fourth = self.space.cube({Field.FAMILY: IPV4, Field.PROTOCOL: span(ICMP), Field.ICMP_TYPE: ERRORS})
        sixth = self.space.cube({Field.FAMILY: IPV6, Field.PROTOCOL: span(ICMPV6), Field.ICMP_TYPE: ERRORS_V6})
        states = [self._said(RELATED, direction, *bits) for direction in (ORIGINAL, REPLY) for bits in self.connections]
        return self.space.both(self.space.either([fourth, sixth]), self.space.either(states))

    def _said(self, state: int, direction: int, dnat: bool = False, snat: bool = False) -> Packets:  # noqa: FBT001, FBT002
        told = {Field.STATE: state, Field.DIRECTION: direction, Field.DNAT: int(dnat), Field.SNAT: int(snat)}
        return self.space.cube({level: span(value) for level, value in told.items()})
