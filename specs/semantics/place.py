"""One network namespace as plain values: all that decides what becomes of a packet in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, kw_only=True, order=True)
class Port:
    """One end of a wire: the interface `ifname` in the namespace of `node`."""

    node: str
    ifname: str


@dataclass(frozen=True, kw_only=True)
class Interface:
    name: str
    index: int
    kind: str  # veth, wireguard, tun …; "" for lo
    up: bool = True
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    peer: Port | None = None  # of a veth: its other end, where that is known


@dataclass(frozen=True, kw_only=True)
class Route:
    """A unicast route of the main table, beside the connected ones, which follow from the addresses."""

    destination: IPv4Network | IPv6Network
    via: Address | None
    ifname: str


@dataclass(frozen=True, kw_only=True)
class Place:
    node: str
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)  # dotted: net.ipv4.conf.eth0.rp_filter
    ruleset: tuple[Mapping[str, Any], ...] = ()  # the objects under "nftables" of `nft -j list ruleset`
    strange: tuple[str, ...] = ()  # what was seen and has no place here: policy routing, a second table of routes …

    def interface(self, name: str) -> Interface | None:
        return next((each for each in self.interfaces if each.name == name), None)

    def sysctl(self, key: str) -> int:
        """A numeric setting; 0 where it was not read."""
        return int(self.sysctls.get(key, "0") or "0")
