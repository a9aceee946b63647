"""A rule -> what it does with which packets: branches in order, each a set and a verdict (nft(8), STATEMENTS).

A match that cannot be read, or whose answer changes by the moment, is an oracle: a level of its own that says what it
would have answered. What such an oracle is about stands in `Oracles`; who judges decides what to believe of it:

    LATER      a set that fills holds something else by then; "no" to all of these is what it holds now
    RATE       limit, quota, ct count, a full meter: a sender can have it either way by waiting
    UNREAD     nobody can tell: what hangs on it is unproven, and it names the rule to blame
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space
from specs.semantics.expression import Reader, reads_bytes
from specs.semantics.field import FAMILIES, WITH_PORTS, Field
from specs.semantics.listing import Dynamic, Statement
from specs.semantics.value import Unknown
from specs.semantics.value import address as numbered


class Kind(StrEnum):
    ACCEPT = "accept"
    DROP = "drop"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    NAT = "nat"


class Moment(StrEnum):
    """What an oracle stands for."""

    LATER = "later"
    RATE = "rate"
    UNREAD = "unread"


@dataclass(frozen=True, kw_only=True)
class Nat:
    """A translation. No address: of the interface (masquerade, redirect), or not known when `unread` says why."""

    kind: str  # dnat, snat, masquerade, redirect
    address: int | None = None
    family: int | None = None
    port: int | None = None
    unread: str = ""

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True, kw_only=True)
class Verdict:
    kind: Kind
    target: str = ""  # of a jump
    nat: Nat | None = None


Branch: TypeAlias = tuple[Packets, Verdict]
NEUTRAL = {"counter", "log", "comment"}
RATES = {"limit", "quota", "ct count"}
PLAIN = {"accept": Kind.ACCEPT, "drop": Kind.DROP, "reject": Kind.DROP, "return": Kind.RETURN}
NATS = ("dnat", "snat", "masquerade", "redirect")
# Statements that change packets or send them elsewhere: whatever the namespace then does is not known.
WILD = {"queue", "notrack", "tproxy", "dup", "fwd", "flow", "synproxy", "xt", "secmark", "ct helper", "ct timeout",
        "ct expectation", "osf"}  # fmt: skip
HARMLESS_MANGLES = ("mark", "priority", "nftrace")  # `meta mark set`: what would read it is Unknown


@dataclass(kw_only=True)
class Oracles:
    """The oracles of a Space: level -> the rule, why, and of which kind."""

    space: Space
    named: dict[int, tuple[str, Moment]] = field(default_factory=dict)

    def ask(self, about: str, moment: Moment) -> Packets:
        """A set that holds every packet when the oracle says yes, and none when it says no."""
        level = self.space.level()
        self.named[level] = (about, moment)
        return self.space.where(level, 1)

    def levels(self, moment: Moment) -> tuple[int, ...]:
        return tuple(level for level, (_, each) in self.named.items() if each is moment)

    def blame(self, packets: Packets) -> tuple[str, ...]:
        """The rules that a set of packets hangs on, without anybody knowing their answer."""
        asked = self.space.support(packets) & self.named.keys()
        told = (self.named[level] for level in sorted(asked))
        return tuple(dict.fromkeys(about for about, moment in told if moment is not Moment.RATE))

    def now(self, packets: Packets) -> Packets:
        """With what the sets hold now."""
        for level in self.space.support(packets).intersection(self.levels(Moment.LATER)):
            packets = self.space.fixed(packets, level, 0)
        return packets


@dataclass(frozen=True, kw_only=True)
class Rule:
    said: Statement
    branches: tuple[Branch, ...]

    def __str__(self) -> str:
        return str(self.said)


@dataclass(kw_only=True)
class Compiler:
    """Compiles the rules of one table; gathers what it could not read, and what makes the namespace wild."""

    reader: Reader
    oracles: Oracles
    dynamic: Mapping[str, Dynamic]
    emptied: frozenset[str]  # sets that a rule deletes from
    where: str  # the namespace, for naming
    unknown: list[str] = field(default_factory=list)
    wild: list[str] = field(default_factory=list)

    def rule(self, said: Statement, *, doubted: bool) -> Rule:
        """`doubted`: the listing is known to tell less than the kernel holds; then its matches are one oracle."""
        name = f"{said} in {self.where}" if self.where else str(said)
        if doubted:
            reached = self._unread(name, "nft's listing does not load back as what the kernel holds")
        else:
            reached = EVERYTHING
        branches: list[Branch] = []
        pinned = ""
        for statement in said.expressions:
            ((kind, what),) = statement.items()
            if kind == "match":
                reached = self._narrowed(name, reached, what, pinned)
                pinned = pinned or _family(what)
            elif kind in RATES:
                reached = self.reader.space.both(reached, self.oracles.ask(f"{name}: {kind}", Moment.RATE))
            elif kind in ("set", "map"):
                reached = self.reader.space.both(reached, self._written(name, what, pinned))
            elif kind in NEUTRAL or (kind == "mangle" and _harmless(what)):
                continue
            else:
                branches = list(self._verdicts(name, reached, kind, what, pinned))
                if kind not in ("mangle", *WILD):
                    break
        return Rule(said=said, branches=tuple(each for each in branches if each[0] != NOTHING))

    def _narrowed(self, name: str, reached: Packets, what: Mapping[str, Any], pinned: str) -> Packets:
        space = self.reader.space
        try:
            found = self.reader.match(what, pinned)
        except Unknown as error:
            return space.both(reached, self._unread(name, str(error)))
        held = what["right"]
        if isinstance(held, str) and held[1:] in self.dynamic and held[:1] == "@":
            having = self.reader.having(what["left"], pinned)
            found = self._filling(name, found if what["op"] != "!=" else space.minus(having, found), having, held)
            found = space.minus(having, found) if what["op"] == "!=" else found
        if reads_bytes(what["left"]):
            rest = space.minus(reached, space.cube({Field.PROTOCOL: WITH_PORTS}))
            if rest != NOTHING:
                strange = space.both(rest, self._unread(name, "th of a protocol that has no ports"))
                return space.either([space.both(reached, found, space.cube({Field.PROTOCOL: WITH_PORTS})), strange])
        return space.both(reached, found)

    def _filling(self, name: str, held: Packets, having: Packets, named: str) -> Packets:
        """Whose key a set holds that fills at run time: what it holds now, as far as that stays, and who knows what."""
        space, dynamic = self.reader.space, self.dynamic[named[1:]]
        fleeting = dynamic.seconds or "'timeout'" in str(dynamic.elements) or named[1:] in self.emptied
        about = f"{name}: what set {named} holds later"
        later, then = self.oracles.ask(about, Moment.LATER), self.oracles.ask(about, Moment.LATER)
        stays = space.minus(held, later) if fleeting else held
        return space.either([stays, space.both(having, later, then)])

    def _written(self, name: str, what: Mapping[str, Any], pinned: str) -> Packets:
        """A rule that writes a set goes on where the set took the element, and a meter's rate allowed it."""
        went = self.oracles.ask(f"{name}: set {what.get('set', what.get('map'))}", Moment.RATE)
        key = what["elem"]
        while isinstance(key, dict) and "elem" in key:  # one with a timeout of its own
            key = key["elem"]["val"]
        try:
            return self.reader.space.both(went, self.reader.having(key, pinned))
        except Unknown as error:
            return self.reader.space.both(went, self._unread(name, str(error)))

    def _verdicts(self, name: str, reached: Packets, kind: str, what: Any, pinned: str) -> Iterator[Branch]:  # noqa: ANN401
        if kind == "vmap":
            yield from self._mapped(name, reached, what, pinned)
        elif kind in PLAIN:
            yield reached, Verdict(kind=PLAIN[kind])
        elif kind in ("jump", "goto"):
            yield reached, Verdict(kind=Kind(kind), target=what["target"])
        elif kind in NATS:
            # In an inet table `dnat ip` leaves IPv6 alone, and the rule goes on (nft_nat_inet_eval).
            family = (what or {}).get("family")
            if family in FAMILIES:
                reached = self.reader.space.both(reached, self.reader.space.where(Field.FAMILY, FAMILIES.index(family)))
            yield reached, Verdict(kind=Kind.NAT, nat=_nat(kind, what or {}, name))
        elif kind != "continue":
            self.wild.append(f"{name}: {kind}")

    def _mapped(self, name: str, reached: Packets, what: Mapping[str, Any], pinned: str) -> Iterator[Branch]:
        """A key that the map does not hold ends the rule (nft_lookup_eval)."""
        data, key = what["data"], what["key"]
        named = isinstance(data, str)
        pairs = list(self.reader.sets.get(data[1:], ())) if named else list(data["set"])
        space, left = self.reader.space, reached
        for right, verdict in pairs:
            ((kind, inner),) = verdict.items()
            try:
                part = self.reader.key(key, right, pinned)
            except Unknown as error:
                part = self._unread(name, str(error))
            yield from self._verdicts(name, space.both(left, part), kind, inner, pinned)
        if named and data[1:] in self.dynamic:
            self.wild.append(f"{name}: map {data}, which fills")

    def _unread(self, name: str, why: str) -> Packets:
        self.unknown.append(f"{name}: {why}")
        return self.oracles.ask(f"{name}: {why}", Moment.UNREAD)


def _harmless(what: Mapping[str, Any]) -> bool:
    match what["key"]:
        case {"meta": {"key": key}} | {"ct": {"key": key}}:
            return key in HARMLESS_MANGLES
    return False


def _family(condition: Mapping[str, Any]) -> str:
    """The family that a match asks for, "" for none."""
    match condition["left"]:
        case {"payload": {"protocol": "ip" | "ip6" as family}}:
            return str(family)
        case {"meta": {"key": "nfproto" | "protocol"}} if condition["op"] == "==":
            return {"ipv4": "ip", "ip": "ip", "ipv6": "ip6", "ip6": "ip6"}.get(str(condition["right"]), "")
        case {"concat": parts}:
            return next((said for part in parts if (said := _family({**condition, "left": part}))), "")
        case {"&": [inner, _]}:
            return _family({**condition, "left": inner})
    return ""


def _nat(kind: str, what: Mapping[str, Any], name: str) -> Nat:
    address, port = what.get("addr"), what.get("port")
    if not (address is None or isinstance(address, str)) or not (port is None or isinstance(port, int)):
        return Nat(kind=kind, unread=f"{name}: {kind} to a range or a map")
    if address is None and kind in ("dnat", "snat") and port is None:
        return Nat(kind=kind, unread=f"{name}: {kind}")
    if set(what) - {"addr", "port", "family", "flags"} or kind == "redirect":
        return Nat(kind=kind, unread=f"{name}: {kind}")
    number = None if address is None else numbered(address)
    family = None if address is None else int(":" in address)
    return Nat(kind=kind, address=number, family=family, port=port)
