"""The elements of a namespace's deny sets: what was put into them at run time, and how long each still has.

Only what a rule's own counting does not make: an element with an expression (a meter's) starts anew with its rule.
Netlink's own dump, include/uapi/linux/netfilter/nf_tables.h; times are 64 bit milliseconds, big endian.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from provision.facts.ruleset import dynamic_elements
from provision.netlink import Socket, attributes

_KEY, _TIMEOUT, _EXPIRATION, _EXPRESSION, _EXPRESSIONS = 1, 4, 5, 7, 11
_VALUE = 1


@dataclass(frozen=True, kw_only=True, order=True)
class Ban:
    """An address in the set `name` of the table `table` (an inet one)."""

    table: str
    name: str
    address: IPv4Address
    milliseconds: int  # what is left

    def __str__(self) -> str:
        return f"add element inet {self.table} {self.name} {{ {self.address} timeout {self.milliseconds}ms }}"


def read(kernel: Socket) -> tuple[Ban, ...]:
    """Every element that expires, of every dynamic set of IPv4 addresses, in the socket's namespace."""
    return tuple(sorted(_bans(kernel)))


def _bans(kernel: Socket) -> Iterator[Ban]:
    for table, name, element in dynamic_elements(kernel):
        found = attributes(element)
        key = attributes(found.get(_KEY, b"")).get(_VALUE, b"")
        left = int.from_bytes(found.get(_EXPIRATION, b""), "big")
        if len(key) == 4 and left and not found.keys() & {_EXPRESSION, _EXPRESSIONS}:
            yield Ban(table=table, name=name, address=IPv4Address(key), milliseconds=left)


def carried(text: str, bans: Iterable[Ban]) -> str:
    """The ruleset `text` with those bans whose set it declares as dynamic, to be loaded as one transaction."""
    declared = set(re.findall(r"^ *set (\S+) \{[^}]*flags dynamic,timeout", text, flags=re.MULTILINE))
    return "\n".join([text, *(str(ban) for ban in bans if ban.name in declared)])
