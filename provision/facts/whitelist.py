"""What the accept sets hold, and what their keeper recorded that their names stand for (specs.whitelist)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from provision.facts.ruleset import dynamic_elements
from provision.netlink import Socket, attributes
from specs.guard import Effect, guards
from specs.model import Estate
from specs.whitelist import set_name

_KEY, _VALUE = 1, 1
_TABLE, _PREFIX = "pluto", set_name("")


@dataclass(frozen=True, kw_only=True, order=True)
class Accepted:
    """An address in the accept set `name` of the table inet pluto."""

    name: str
    address: IPv4Address

    def __str__(self) -> str:
        return f"element inet {_TABLE} {self.name} {{ {self.address} }}"


def read(kernel: Socket) -> frozenset[Accepted]:
    """Every element of the accept sets in the socket's namespace."""
    return frozenset(
        Accepted(name=name, address=IPv4Address(key))
        for table, name, element in dynamic_elements(kernel)
        if table == _TABLE and name.startswith(_PREFIX)
        if len(key := attributes(attributes(element).get(_KEY, b"")).get(_VALUE, b"")) == 4
    )


def recorded(record: Path | None) -> dict[str, tuple[IPv4Address, ...]]:
    """The last good addresses of each name; none of one whose entry cannot be read: its keeper will ask again."""
    try:
        names = json.loads(record.read_text())["names"].items() if record is not None else ()
        return {name: tuple(IPv4Address(each) for each in said["addresses"]) for name, said in names}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def wanted(estate: Estate, node: str, record: dict[str, tuple[IPv4Address, ...]]) -> frozenset[Accepted]:
    """What the accept sets of `node` must hold: who is declared, and whom the declared names stood for at last."""
    return frozenset(
        Accepted(name=guard.name, address=address)
        for guard in guards(estate, node)
        if guard.effect is Effect.ACCEPT
        for address in _listed(estate, guard.whitelist, record)
    )


def _listed(estate: Estate, whitelist: str, record: dict[str, tuple[IPv4Address, ...]]) -> Iterable[IPv4Address]:
    listed = estate.whitelist(whitelist)
    yield from listed.addresses
    for name in listed.names:
        yield from (each for each in record.get(name, ()) if not any(each in network for network in estate.inside))


def carried(text: str, held: Iterable[Accepted]) -> str:
    """The ruleset `text`, and what its accept sets hold from the first moment on."""
    return "".join([text, *(f"add {each}\n" for each in sorted(held))])
