"""Which packet a flow admits: by the wire it comes in on, its addresses and its port. The oracle, packet by packet.

What `specs.oracle.arrivals` names must be accepted; what this names may be, if it is a well-formed beginning: the same
packet from another source port, say, or from an address that only looks forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from specs.model import HOST, Estate, Port
from specs.topology import nodes
from specs.way import Hop, Way, ways


@dataclass(frozen=True, kw_only=True, order=True)
class Door:
    """An interface of the estate that a packet comes in by."""

    node: str
    ifname: str


@dataclass(frozen=True, kw_only=True)
class Packet:
    source: IPv4Address
    destination: IPv4Address
    port: Port


class Admission:
    """Of one estate; made once, asked often."""

    def __init__(self, estate: Estate) -> None:
        self._inside = estate.inside
        self._uplink = Door(node=HOST, ifname=estate.host.uplink)
        self._ours = {node.name for node in nodes(estate) if node.ours}
        found: dict[tuple[Door, IPv4Address | None, Port], list[tuple[Hop, Way]]] = {}
        for way in ways(estate):
            for hop in way.hops:
                if hop.enters is not None:
                    met = way.dial if hop.dnat else hop.destination
                    key = (Door(node=hop.node, ifname=hop.enters), met, way.flow.port)
                    found.setdefault(key, []).append((hop, way))
        self._hops: Mapping[tuple[Door, IPv4Address | None, Port], list[tuple[Hop, Way]]] = found

    def door(self, node: str, ifname: str) -> Door:
        """Where a frame for that end enters the estate: what the world is sent comes by the uplink, if at all."""
        return Door(node=node, ifname=ifname) if node in self._ours else self._uplink

    def of(self, door: Door, packet: Packet) -> Way | None:
        """The way of the flow that admits it."""
        for hop, way in self._hops.get((door, packet.destination, packet.port), ()):
            if packet.source == hop.source or (hop.source is None and not self._is_inside(packet.source)):
                return way
        return None

    def _is_inside(self, address: IPv4Address) -> bool:
        return any(address in network for network in self._inside)
