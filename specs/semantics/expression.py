"""A match of nft -> the packets it lets through (libnftables-json(5), MATCH; nft(8)).

What is not here is Unknown, never skipped: the rule then depends on an oracle. A match whose field a packet does not
have ends the rule, whatever the operator (NFT_BREAK, net/netfilter/nft_payload.c): so what having the field implies
is asked for by `!=` as well. A later fragment has no header of layer 4, but bytes where that would be, which match
(nft_payload_fast_eval looks at no fragment offset): so its ports and flags are as free as any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as made
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from specs.semantics import value
from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space, outside
from specs.semantics.field import (
    ANY_IPV4,
    ANY_IPV6,
    ICMP,
    ICMPV6,
    IPV4,
    IPV6,
    ORIGINAL,
    REPLY,
    TOPS,
    WITH_PORTS,
    Field,
)
from specs.semantics.span import Span, intersect, span, union
from specs.semantics.value import Unknown

# `ct direction` and `ct status` end the rule where there is no connection (nft_ct_get_eval)
OF_A_CONNECTION: Mapping[int, Span] = {Field.DIRECTION: span(ORIGINAL, REPLY)}
META = {"iifname": Field.IIF, "iif": Field.IIF, "oifname": Field.OIF, "oif": Field.OIF, "l4proto": Field.PROTOCOL,
        "nfproto": Field.FAMILY, "protocol": Field.FAMILY}  # fmt: skip
PORTS = {"sport": Field.SPORT, "dport": Field.DPORT}
TRANSPORTS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}
STATUS = {"dnat": Field.DNAT, "snat": Field.SNAT}
SUPPORTED = (
    *(f"meta {key}" for key in META),
    *(f"{protocol} {key}" for protocol in (*TRANSPORTS, "th") for key in PORTS),
    *("ip saddr", "ip daddr", "ip protocol", "ip6 saddr", "ip6 daddr", "tcp flags"),
    *("icmp type", "icmp code", "icmpv6 type", "icmpv6 code"),
    *("ct state", "ct direction", "ct status", "concatenation", "mask", "set", "interval", "named set", "vmap"),
    *("accept", "drop", "reject", "jump", "goto", "return", "continue", "counter", "log", "limit", "quota"),
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a left side reads: a field, with what having it implies, and how its values are named."""

    field: Field
    implied: Mapping[int, Span] = made(default_factory=dict)
    domain: Span = ()
    names: Mapping[str, int] = made(default_factory=dict)
    mask: int | None = None
    bits: int = 0


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How to read in one table of one namespace."""

    space: Space
    interfaces: Sequence[str]  # numbered as the field IIF numbers them; the first is none
    indexes: Mapping[int, str]
    sets: Mapping[str, tuple[Any, ...]]
    family: str = "inet"  # the table's

    def match(self, condition: Mapping[str, Any], pinned: str = "") -> Packets:
        """The packets for which the match is true. Raises Unknown.

        `pinned` is the family that an earlier match of the rule asked for: nft then leaves out its own (payload.c).
        """
        left, operator, right = condition["left"], condition["op"], condition["right"]
        if "concat" in left:
            found = self._concatenated(left["concat"], right, pinned)
            match operator:
                case "==" | "in":
                    return found
                case "!=":
                    return self.space.minus(self._having(left["concat"], pinned), found)
            raise Unknown(f"operator {operator} on a concatenation")
        if left.get("ct") == {"key": "status"}:
            return self._status(operator, right)
        return self._cube(self.conditions(condition, pinned))

    def conditions(self, condition: Mapping[str, Any], pinned: str = "") -> dict[int, Span]:
        """The same of a match of one field, as what it asks of which. Raises Unknown."""
        subject = self.subject(condition["left"], pinned)
        return self._asks(subject, self._compared(subject, condition["op"], condition["right"]))

    def key(self, left: Mapping[str, Any], right: Any, pinned: str) -> Packets:  # noqa: ANN401 (JSON)
        """The packets whose key, of a verdict map, is `right`."""
        return self.match({"left": left, "op": "==", "right": right}, pinned)

    def having(self, left: Mapping[str, Any], pinned: str) -> Packets:
        """The packets that have what the expression reads."""
        return self._having(left.get("concat", [left]), pinned)

    def _having(self, lefts: Sequence[Mapping[str, Any]], pinned: str) -> Packets:
        return self.space.both(*(self._such(each, each.domain) for each in (self.subject(x, pinned) for x in lefts)))

    def _such(self, subject: Subject, wanted: Span) -> Packets:
        return self._cube(self._asks(subject, wanted))

    def _asks(self, subject: Subject, wanted: Span) -> dict[int, Span]:
        asked = dict(subject.implied)
        already = asked.get(subject.field)
        asked[subject.field] = wanted if already is None else intersect(already, wanted)
        return asked

    def _cube(self, asked: Mapping[int, Span]) -> Packets:
        return NOTHING if () in asked.values() else self.space.cube(asked)

    # ---- left sides

    def subject(self, left: Mapping[str, Any], pinned: str) -> Subject:
        """What the expression reads. Raises Unknown."""
        match left:
            case {"&": [inner, mask]}:
                subject = self.subject(inner, pinned)
                return replace(subject, mask=value.number(subject.field, mask, subject.names))
            case {"meta": {"key": str(name)}} if name in META:
                return _plain(META[name])
            case {"payload": {"protocol": str(protocol), "field": str(name)}}:
                return _payload(protocol, name, pinned or self.family)
            case {"ct": {"key": "state", **more}} if not more:
                return _plain(Field.STATE)
            case {"ct": {"key": "direction", **more}} if not more:
                return replace(_plain(Field.DIRECTION), implied=OF_A_CONNECTION, domain=((ORIGINAL, REPLY),))
        raise Unknown(f"expression {dict(left)}")

    # ---- right sides

    def _compared(self, subject: Subject, operator: str, right: Any) -> Span:  # noqa: ANN401 (JSON)
        domain = subject.domain
        if subject.field is Field.STATE and operator in ("==", "!=", "in", "!"):
            return self._state(operator, right)
        if subject.mask is not None:
            return self._masked(subject, operator, right)
        if operator in ("in", "!"):  # a bit mask: any of these bits, none of them
            bits = value.number(subject.field, right, subject.names)
            none = value.masked(subject.bits, bits, 0)
            return none if operator == "!" else outside(none, domain[-1][1])
        wanted = self.span(subject, right)
        match operator:
            case "==":
                return intersect(wanted, domain)
            case "!=":
                return intersect(outside(wanted, domain[-1][1]), domain)
            case "<" | "<=" | ">" | ">=" if len(wanted) == 1 and subject.field not in (Field.IIF, Field.OIF):
                return _ordered(domain, operator, wanted[0][0])
        raise Unknown(f"operator {operator} on {subject.field.name.lower()}")

    def _state(self, operator: str, right: Any) -> Span:  # noqa: ANN401 (JSON)
        """`ct state` is one bit of a mask, so that it never equals two of them."""
        whole = TOPS[Field.STATE]
        several = isinstance(right, dict) and "|" in right
        if several and operator in ("==", "!="):
            return () if operator == "==" else ((0, whole),)
        listed = right["|"] if several else right
        wanted = self.span(_plain(Field.STATE), listed)
        return wanted if operator in ("==", "in") else outside(wanted, whole)

    def _masked(self, subject: Subject, operator: str, right: Any) -> Span:  # noqa: ANN401 (JSON)
        assert subject.mask is not None
        if isinstance(right, list):  # under a mask a list is its bits together; a set says so
            right = {"|": right}
        numbers = [low for low, high in self.span(subject, right) for low in range(low, high + 1)][:257]
        if len(numbers) > 256 or operator not in ("==", "!="):
            raise Unknown(f"operator {operator} on a masked {subject.field.name.lower()}")
        wanted = union(part for each in numbers for part in value.masked(subject.bits, subject.mask, each))
        return wanted if operator == "==" else outside(wanted, subject.domain[-1][1])

    def span(self, subject: Subject, right: Any) -> Span:  # noqa: ANN401 (JSON)
        """Every number the right side stands for. Raises Unknown."""
        return union(part for element in self.elements(right) for part in self._interval(subject, element))

    def elements(self, right: Any) -> list[Any]:  # noqa: ANN401 (JSON)
        if isinstance(right, str) and right.startswith("@"):
            if right[1:] not in self.sets:
                raise Unknown(f"set {right}")
            right = list(self.sets[right[1:]])
        return list(value.members(right))

    def _interval(self, subject: Subject, element: Any) -> Span:  # noqa: ANN401 (JSON)
        if subject.field not in (Field.IIF, Field.OIF):
            return value.interval(subject.field, element, subject.names)
        if isinstance(element, int):
            element = self.indexes.get(element, "")
        if not isinstance(element, str):
            raise Unknown(f"interface {element}")
        if "*" not in element:
            return span(*([self._places[element]] if element in self._places else []))
        places = enumerate(self.interfaces)
        return span(*(place for place, name in places if place and _is_called(name, element)))

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.interfaces) if place}

    def _status(self, operator: str, right: Any) -> Packets:  # noqa: ANN401 (JSON)
        """`ct status dnat`: any of the bits; `! dnat`: none of them."""
        named = right if isinstance(right, list) else [right]
        if operator not in ("in", "!") or not all(name in STATUS for name in named):
            raise Unknown(f"ct status {operator} {right}")
        known = self.space.cube({int(level): wanted for level, wanted in OF_A_CONNECTION.items()})
        some = self.space.either(self.space.where(STATUS[name], 1) for name in named)
        return self.space.both(known, some if operator == "in" else self.space.complement(some))

    def _concatenated(self, lefts: Sequence[Mapping[str, Any]], right: Any, pinned: str) -> Packets:  # noqa: ANN401
        subjects = [self.subject(left, pinned) for left in lefts]
        found: list[Packets] = []
        for element in self.elements(right):
            if not isinstance(element, dict) or len(element.get("concat", ())) != len(lefts):
                raise Unknown(f"value {element} of a concatenation")
            pairs = zip(subjects, element["concat"], strict=True)
            parts = (self._such(one, self._compared(one, "==", it)) for one, it in pairs)
            found.append(self.space.both(EVERYTHING, *parts))
        return self.space.either(found)


def _is_called(name: str, pattern: str) -> bool:
    r"""A name that ends in * stands for all that begin so; `\*` is the character itself (nft(8))."""
    if pattern.endswith("\\*"):
        return name == pattern[:-2] + "*"
    return fnmatchcase(name, pattern) if pattern.endswith("*") else name == pattern


def _plain(field: Field) -> Subject:
    top = TOPS[field]
    return Subject(field=field, domain=((0, top),), names=value.NAMES.get(field, {}), bits=top.bit_length())


def _payload(protocol: str, name: str, family: str) -> Subject:
    """A header's field, with what its being there says of the packet (nft(8), implicit dependencies)."""
    match protocol, name:
        case ("ip", "saddr" | "daddr"):
            subject = replace(_plain(Field[name.upper()]), domain=ANY_IPV4, bits=32)
            return replace(subject, implied={Field.FAMILY: IPV4})
        case ("ip6", "saddr" | "daddr"):
            return replace(_plain(Field[name.upper()]), domain=ANY_IPV6, implied={Field.FAMILY: IPV6})
        case ("ip", "protocol"):
            return replace(_plain(Field.PROTOCOL), implied={Field.FAMILY: IPV4})
        case ("th", "sport" | "dport"):
            # The bytes of any protocol (nft_payload.c asks for none); of these alone they are ports.
            return replace(_plain(PORTS[name]), implied={Field.PROTOCOL: WITH_PORTS})
        case (_, "sport" | "dport") if protocol in TRANSPORTS:
            return replace(_plain(PORTS[name]), implied={Field.PROTOCOL: span(TRANSPORTS[protocol])})
        case ("tcp", "flags"):
            return replace(_plain(Field.FLAGS), implied={Field.PROTOCOL: span(6)})
        case ("icmp" | "icmpv6", "type" | "code"):
            return _icmp(protocol, Field.ICMP_TYPE if name == "type" else Field.ICMP_CODE, family)
    raise Unknown(f"{protocol} {name}")


def _icmp(protocol: str, read: Field, family: str) -> Subject:
    """`icmp` asks for IPv4 as well, unless the rule said its family: then the number alone."""
    sixth = protocol == "icmpv6"
    implied: dict[int, Span] = {Field.PROTOCOL: span(ICMPV6 if sixth else ICMP)}
    if family not in ("ip", "ip6"):
        implied[Field.FAMILY] = IPV6 if sixth else IPV4
    names = value.VERSION_6 if sixth else value.NAMES
    return replace(_plain(read), implied=implied, names=names[read])


def _ordered(domain: Span, operator: str, bound: int) -> Span:
    top = domain[-1][1]
    low, high = {"<": (0, bound - 1), "<=": (0, bound), ">": (bound + 1, top), ">=": (bound, top)}[operator]
    return ((low, high),) if low <= high else ()


def reads_bytes(left: Any) -> bool:  # noqa: ANN401 (JSON)
    """Whether an expression reads ports of any protocol: of one that has none it reads other bytes."""
    match left:
        case {"payload": {"protocol": "th"}}:
            return True
        case dict():
            return any(map(reads_bytes, left.values()))
        case list():
            return any(map(reads_bytes, left))
    return False


def asks_one_field(condition: Mapping[str, Any]) -> bool:
    """Whether a match is of one field with values that stand there."""
    left, right = condition["left"], condition["right"]
    named = isinstance(right, str) and right[:1] == "@"
    return not (named or "concat" in left or left.get("ct") == {"key": "status"} or reads_bytes(left))
