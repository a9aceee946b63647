"""Estate -> the nodes: every network namespace there must be, with its endpoints and routes.

In the lab (law 2) the topology is

    visitor ─┐
    laptop  ─┤ wan ── router ── host ─┬─ reverse-proxy-edge ── public leaves
    phone   ─┘          │             └─ vpn-edge ─────────── private leaves
                       bmc
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from specs.model import HOST, Endpoint, Estate, Link, Profile, WorldNode

DEFAULT = IPv4Network("0.0.0.0/0")


class Kind(StrEnum):
    HOST = "host"
    EDGE = "edge"  # linked to the host
    LEAF = "leaf"
    ISOLATED = "isolated"  # networkless: lo alone
    PEER = "peer"  # a WireGuard peer's machine (lab)
    WORLD = "world"  # router, BMC, WAN, visitor (lab)


@dataclass(frozen=True, kw_only=True, order=True)
class Route:
    """A unicast route of the main table, beside the connected ones."""

    destination: IPv4Network
    via: IPv4Address | None  # None: straight out of the interface
    ifname: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """One network namespace. `tunnel` is the address on its WireGuard device, None where it has none."""

    name: str
    kind: Kind
    endpoints: tuple[Endpoint, ...]  # by ifname
    routes: tuple[Route, ...]
    forwards: bool
    tunnel: IPv4Interface | None

    @property
    def ours(self) -> bool:
        """Whether the estate's rulesets stand in it (the world around the host has none)."""
        return self.kind not in (Kind.WORLD, Kind.PEER)

    @property
    def addresses(self) -> tuple[IPv4Address, ...]:
        own = tuple(endpoint.address for endpoint in self.endpoints)
        return own if self.tunnel is None else (*own, self.tunnel.ip)


def nodes(estate: Estate) -> tuple[Node, ...]:
    """Every node of the estate, host first, then containers, then the world; sidecars have none."""
    host = _host(estate)
    containers = tuple(_container(estate, c.name) for c in estate.containers if c.shares is None)
    world = tuple(_world(estate, node) for node in estate.world.nodes)
    return (host, *containers, *world)


def edges(estate: Estate) -> tuple[str, ...]:
    """The nodes linked to the host."""
    return tuple(link.far(HOST).node for link in estate.links if _touches(link, HOST))


def _host(estate: Estate) -> Node:
    # On metal the uplink and its route are the machine's own.
    lab = estate.profile is Profile.LAB
    routes = (Route(destination=DEFAULT, via=estate.host.gateway, ifname=estate.host.uplink),) if lab else ()
    return _node(estate, HOST, Kind.HOST, routes=routes, forwards=True)


def _container(estate: Estate, name: str) -> Node:
    touching = [link for link in estate.links if _touches(link, name)]
    uplinks = [link for link in touching if link.far(name).node == HOST]
    if not touching:
        kind = Kind.ISOLATED
    else:
        kind = Kind.EDGE if uplinks else Kind.LEAF
    routes = tuple(Route(destination=DEFAULT, via=link.far(name).address, ifname=link.ifname) for link in uplinks)
    hub = name == estate.tunnel.hub
    tunnel = estate.tunnel.interface if hub else None
    return _node(estate, name, kind, routes=routes, forwards=hub, tunnel=tunnel)


def _world(estate: Estate, node: WorldNode) -> Node:
    wanted = [(DEFAULT, node.gateway)] if node.gateway else []
    routes = tuple(_via(estate, node.name, network, neighbour) for network, neighbour in (*wanted, *node.routes))
    peers = {peer.name: peer.address for peer in estate.tunnel.peers}
    if node.name not in peers:
        return _node(estate, node.name, Kind.WORLD, routes=routes, forwards=node.forwards)
    return _node(
        estate,
        node.name,
        Kind.PEER,
        routes=(*routes, *_tunnel_routes(estate)),
        forwards=False,
        tunnel=IPv4Interface(f"{peers[node.name]}/{estate.tunnel.subnet.prefixlen}"),
    )


def _tunnel_routes(estate: Estate) -> tuple[Route, ...]:
    """A peer sends everything behind the hub into the tunnel: what it may reach there is the hub's to say."""
    hub = estate.tunnel.hub
    behind = [link for link in estate.links if _touches(link, hub) and not _touches(link, HOST)]
    return tuple(Route(destination=link.subnet, via=None, ifname=estate.tunnel.ifname) for link in behind)


def _via(estate: Estate, node: str, network: IPv4Network, neighbour: str) -> Route:
    link = next(link for link in estate.wires if _touches(link, node) and _touches(link, neighbour))
    return Route(destination=network, via=link.far(node).address, ifname=link.ifname)


def _node(
    estate: Estate,
    name: str,
    kind: Kind,
    *,
    routes: tuple[Route, ...],
    forwards: bool,
    tunnel: IPv4Interface | None = None,
) -> Node:
    endpoints = tuple(
        sorted((link.end(name) for link in estate.wires if _touches(link, name)), key=lambda end: end.ifname)
    )
    return Node(name=name, kind=kind, endpoints=endpoints, routes=routes, forwards=forwards, tunnel=tunnel)


def _touches(link: Link, node: str) -> bool:
    return node in (link.a.node, link.b.node)
