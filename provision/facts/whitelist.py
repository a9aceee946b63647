"""What the accept sets hold, and what their keeper recorded that their names stand for (specs.whitelist)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from provision.facts.ruleset import dynamic_elements
from provision.netlink import Socket, attributes
from specs.guard import Effect, guards
from specs.model import Estate, Whitelist
from specs.whitelist import SETTLES, set_name

_KEY, _VALUE = 1, 1
_TABLE, _PREFIX = "pluto", set_name("")


@dataclass(frozen=True, kw_only=True, order=True)
class Accepted:
    """An address in the accept set `name` of the table inet pluto."""

    name: str
    address: IPv4Address

    def __str__(self) -> str:
        return f"element inet {_TABLE} {self.name} {{ {self.address} }}"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a name stands for, as its keeper recorded it."""

    addresses: tuple[IPv4Address, ...]  # the last good ones
    before: tuple[IPv4Address, ...]  # those before them
    since: float  # when they changed, seconds since the epoch

    def settling(self, now: float) -> frozenset[IPv4Address]:
        """Those that may be in a set, or not be: so soon after a change its keeper has not been there yet.

        A change of the future, by a clock that has gone back, is none: it would excuse an address until then.
        """
        return frozenset((*self.addresses, *self.before)) if abs(now - self.since) < SETTLES else frozenset()


Record = Mapping[str, Resolved]


def read(kernel: Socket) -> frozenset[Accepted]:
    """Every element of the accept sets in the socket's namespace."""
    return frozenset(
        Accepted(name=name, address=IPv4Address(key))
        for table, name, element in dynamic_elements(kernel)
        if table == _TABLE and name.startswith(_PREFIX)
        if len(key := attributes(attributes(element).get(_KEY, b"")).get(_VALUE, b"")) == 4
    )


def recorded(record: Path | None) -> Record:
    """Each name's entry; none where it cannot be read: its keeper will ask again."""
    try:
        names = json.loads(record.read_text())["names"].items() if record is not None else ()
        return {name: _resolved(said) for name, said in names}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _resolved(said: Mapping[str, Any]) -> Resolved:
    addresses, before = (tuple(IPv4Address(each) for each in said[key]) for key in ("addresses", "before"))
    return Resolved(addresses=addresses, before=before, since=float(said["since"]))


def wanted(estate: Estate, node: str, record: Record) -> frozenset[Accepted]:
    """What the accept sets of `node` must hold: who is declared, and whom the declared names stood for at last."""
    return frozenset(
        Accepted(name=guard.name, address=address)
        for guard in guards(estate, node)
        if guard.effect is Effect.ACCEPT
        for listed in (estate.whitelist(guard.whitelist),)
        for address in (*listed.addresses, *_outer(estate, _of(record, listed, lambda one: one.addresses)))
    )


def settling(estate: Estate, node: str, record: Record, now: float) -> frozenset[Accepted]:
    """What their keeper may not have put in, or taken out, yet; who is declared is in from the first moment."""
    return frozenset(
        Accepted(name=guard.name, address=address)
        for guard in guards(estate, node)
        if guard.effect is Effect.ACCEPT
        for listed in (estate.whitelist(guard.whitelist),)
        for address in _outer(estate, _of(record, listed, lambda one: one.settling(now)))
        if address not in listed.addresses
    )


def _of(record: Record, listed: Whitelist, which: Callable[[Resolved], Iterable[IPv4Address]]) -> Iterator[IPv4Address]:
    for name in listed.names:
        if name in record:
            yield from which(record[name])


def _outer(estate: Estate, found: Iterable[IPv4Address]) -> Iterator[IPv4Address]:
    return (each for each in found if not any(each in network for network in estate.inside))


def carried(text: str, held: Iterable[Accepted]) -> str:
    """The ruleset `text`, and what its accept sets hold from the first moment on."""
    return "".join([text, *(f"add {each}\n" for each in sorted(held))])
