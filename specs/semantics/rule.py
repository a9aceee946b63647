"""A rule -> what it does with which packets: branches in order, each a set and a verdict (nft(8), STATEMENTS).

A match that cannot be read, or whose answer changes by the moment, is an oracle (specs.semantics.oracle).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from specs.semantics.diagram import EVERYTHING, NOTHING, Packets
from specs.semantics.expression import Reader, asks_one_field, reads_bytes
from specs.semantics.field import FAMILIES, WITH_PORTS, Field
from specs.semantics.listing import Dynamic, Statement
from specs.semantics.oracle import Moment, Oracles
from specs.semantics.span import Span, intersect
from specs.semantics.value import Unknown
from specs.semantics.value import address as numbered


class Kind(StrEnum):
    ACCEPT = "accept"
    DROP = "drop"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    NAT = "nat"


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
SILENT = {"match", "set", *NEUTRAL, *RATES}  # a rule of these alone decides nothing
PLAIN = {"accept": Kind.ACCEPT, "drop": Kind.DROP, "reject": Kind.DROP, "return": Kind.RETURN}
NATS = ("dnat", "snat", "masquerade", "redirect")
HARMLESS_MANGLES = ("mark", "priority", "nftrace")  # `meta mark set`: what would read it is Unknown


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
        if {kind for statement in said.expressions for kind in statement} <= SILENT:
            return Rule(said=said, branches=())
        pinned, plain = "", dict[int, Span]()
        for statement in said.expressions:
            ((kind, what),) = statement.items()
            if doubted and kind == "match":
                continue
            if kind == "match" and asks_one_field(what):
                reached = self._asked(name, reached, what, pinned, plain)
            else:
                reached = self._joined(reached, plain)
                reached = self._past(name, reached, kind, what, pinned)
            pinned = pinned or (_family(what) if kind == "match" else "")
            if _decides(kind):
                branches = self._verdicts(name, reached, kind, what, pinned)
                return Rule(said=said, branches=tuple(each for each in branches if each[0] != NOTHING))
            self.wild += [f"{name}: {kind}"] if _is_wild(kind, what) else []
        return Rule(said=said, branches=())

    def _past(self, name: str, reached: Packets, kind: str, what: Any, pinned: str) -> Packets:  # noqa: ANN401 (JSON)
        """What gets past a statement that is no verdict."""
        if kind == "match":
            return self._narrowed(name, reached, what, pinned)
        if kind in RATES:
            return self.reader.space.both(reached, self.oracles.ask(f"{name}: {kind}", Moment.RATE))
        if kind in ("set", "map"):
            return self.reader.space.both(reached, self._written(name, what, pinned))
        return reached

    def _asked(
        self, name: str, reached: Packets, what: Mapping[str, Any], pinned: str, plain: dict[int, Span]
    ) -> Packets:
        """A match of one field is kept in `plain`, so that a row of them becomes one set at once."""
        try:
            for level, wanted in self.reader.conditions(what, pinned).items():
                plain[level] = intersect(plain[level], wanted) if level in plain else wanted
        except Unknown as error:
            return self.reader.space.both(reached, self._unread(name, str(error)))
        return reached

    def _joined(self, reached: Packets, plain: dict[int, Span]) -> Packets:
        if not plain:
            return reached
        found = NOTHING if () in plain.values() else self.reader.space.cube(plain)
        plain.clear()
        return self.reader.space.both(reached, found)

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
        return self._read(name, reached, found) if reads_bytes(what["left"]) else space.both(reached, found)

    def _read(self, name: str, reached: Packets, found: Packets) -> Packets:
        """Those of `reached` that are found by their ports; of what has none, whose bytes are read, nobody knows."""
        space, ports = self.reader.space, self.reader.space.cube({Field.PROTOCOL: WITH_PORTS})
        rest = space.minus(reached, ports)
        if rest == NOTHING:
            return space.both(reached, found)
        strange = space.both(rest, self._unread(name, "th of a protocol that has no ports"))
        return space.either([space.both(reached, found, ports), strange])

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
            # `reject with icmp` is listed without the `meta nfproto ipv4` that it goes with (nftables src/evaluate.c)
            told = what.get("type") if kind == "reject" and what else None
            yield self._of(reached, {"icmp": "ip", "icmpv6": "ip6"}.get(str(told))), Verdict(kind=PLAIN[kind])
        elif kind in ("jump", "goto"):
            yield reached, Verdict(kind=Kind(kind), target=what["target"])
        elif kind in NATS:
            # In an inet table `dnat ip` leaves IPv6 alone, and the rule goes on (nft_nat_inet_eval).
            yield (
                self._of(reached, (what or {}).get("family")),
                Verdict(kind=Kind.NAT, nat=_nat(kind, what or {}, name)),
            )
        elif kind != "continue":
            self.wild.append(f"{name}: {kind}")

    def _of(self, reached: Packets, family: str | None) -> Packets:
        """Those of the family, where one is named."""
        if family not in FAMILIES:
            return reached
        return self.reader.space.both(reached, self.reader.space.where(Field.FAMILY, FAMILIES.index(family)))

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
            hit = self._read(name, left, part) if reads_bytes(key) else space.both(left, part)
            yield from self._verdicts(name, hit, kind, inner, pinned)
        if named and data[1:] in self.dynamic:
            self.wild.append(f"{name}: map {data}, which fills")

    def _unread(self, name: str, why: str) -> Packets:
        self.unknown.append(f"{name}: {why}")
        return self.oracles.ask(f"{name}: {why}", Moment.UNREAD)


def _decides(kind: str) -> bool:
    return kind in PLAIN or kind in NATS or kind in ("jump", "goto", "vmap", "continue")


def _is_wild(kind: str, what: Any) -> bool:  # noqa: ANN401 (JSON)
    """Whether a statement does what this reader does not know: change packets, or send them elsewhere."""
    known = kind == "match" or kind in RATES or kind in NEUTRAL or kind in ("set", "map")
    return not known and not (kind == "mangle" and _harmless(what))


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
