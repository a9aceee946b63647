"""A namespace as plain values, the same whether the kernel was asked or the estate (specs.semantics.declared).

Place ── interfaces ── addresses, the far end of the wire
   ├──── routes, sysctls
   └──── the ruleset as nft lists it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from specs.semantics.packet import Address

Network = IPv4Network | IPv6Network
LOOPBACK = "lo"


@dataclass(frozen=True, kw_only=True)
class Interface:
    name: str
    index: int
    addresses: tuple[Address, ...] = ()  # the first is what masquerading takes
    far: tuple[str, str] | None = None  # place and interface at the other end of a veth
    up: bool = True


@dataclass(frozen=True, kw_only=True)
class Route:
    kind: str  # unicast, local, broadcast, multicast, blackhole …
    destination: Network
    ifname: str
    table: str = "main"
    metric: int = 0
    via: Address | None = None  # the next hop; None: straight out


@dataclass(frozen=True, kw_only=True)
class Place:
    """`strange` is what about it this model does not know, in words: then it may do anything, and proves nothing."""

    name: str
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    sysctls: Mapping[str, str]
    listing: tuple[Mapping[str, Any], ...]
    ours: bool = True  # whether a ruleset of the estate stands in it
    doubted: frozenset[int] = frozenset()  # handles of rules that the listing tells wrongly
    strange: tuple[str, ...] = field(default=())

    def interface(self, name: str) -> Interface | None:
        return next((each for each in self.interfaces if each.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """A WireGuard device: what comes out of it has a source of its peer's allowed IPs, what goes in is for one of them.

    Each peer is an external endpoint (wg(8), cryptokey routing): a place at whose interface the packets begin and end.
    """

    place: str
    ifname: str
    peers: tuple[tuple[str, str, tuple[Network, ...]], ...]  # place, its interface, the allowed IPs
