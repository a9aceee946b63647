"""Policy-routing rules: RTM_GETRULE (ip-rule(8), include/uapi/linux/fib_rules.h).

A fresh namespace has three for IPv4 (local, main, default) and, with IPv6 compiled in, two; every other one is
somebody's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from provision.netlink import Message, NetlinkError, Socket, attributes

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
FRA_PRIORITY, FRA_TABLE = 6, 15
FIB_RULE_HDR = struct.Struct("=BBBBBBBBI")
FAMILIES = {2: "inet", 10: "inet6"}


@dataclass(frozen=True, kw_only=True, order=True)
class FreshRule:
    """One of the kernel's own."""

    family: str
    priority: int
    table: int


FRESH = (
    FreshRule(family="inet", priority=0, table=255),
    FreshRule(family="inet", priority=32766, table=254),
    FreshRule(family="inet", priority=32767, table=253),
    FreshRule(family="inet6", priority=0, table=255),
    FreshRule(family="inet6", priority=32766, table=254),
)


@dataclass(frozen=True, kw_only=True)
class ActualRule:
    """A rule of a namespace; `fresh` is the kernel's own rule it is, with nothing added to it."""

    family: str
    priority: int
    table: int
    fresh: FreshRule | None
    body: bytes


def read(kernel: Socket) -> tuple[ActualRule, ...]:
    """Every rule of the socket's namespace, both families."""
    return parse(message for family in FAMILIES for message in _dump(kernel, family))


def _dump(kernel: Socket, family: int) -> list[Message]:
    try:
        return kernel.dump(RTM_GETRULE, FIB_RULE_HDR.pack(family, 0, 0, 0, 0, 0, 0, 0, 0), what="list the rules")
    except NetlinkError:
        if family == 2:
            raise
        return []  # a kernel without IPv6 policy routing has no such table


def parse(messages: Iterable[Message]) -> tuple[ActualRule, ...]:
    found = (_rule(body) for kind, body in messages if kind == RTM_NEWRULE)
    return tuple(sorted(found, key=lambda rule: (rule.family, rule.priority, rule.table, rule.body)))


def _rule(body: bytes) -> ActualRule:
    family, dst, src, tos, table, _, _, action, flags = FIB_RULE_HDR.unpack_from(body)
    found = attributes(body, FIB_RULE_HDR.size)
    priority = struct.unpack("=I", found[FRA_PRIORITY])[0] if FRA_PRIORITY in found else 0
    wide = struct.unpack("=I", found[FRA_TABLE])[0] if FRA_TABLE in found else table
    plain = dst == src == tos == flags == 0 and action == 1
    selectors = set(found) - {FRA_PRIORITY, FRA_TABLE, 14, 21}  # 14 suppress_prefixlen (-1), 21 protocol
    name = FreshRule(family=FAMILIES[family], priority=priority, table=wide)
    fresh = name if plain and not selectors and name in FRESH else None
    return ActualRule(family=name.family, priority=priority, table=wide, fresh=fresh, body=body)
