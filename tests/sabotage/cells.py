"""In which cells each hole of fixtures.sabotage must be found, and by which kinds: from the estate, not from a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from specs.model import Estate
from specs.oracle import pairs
from specs.topology import Kind, Node, nodes

Cell = tuple[str, str, str]  # from, to, result
EDGE, HUB, WEB, SHOP, SSH = "reverse-proxy-edge", "vpn-edge", "git-web", "lbmt-shop", "git-ssh"
ACCEPTED, ANSWERED, FORWARDED, REACHED = "accepted", "answered", "forwarded", "reached-the-wire"


def fixed(*cells: Cell) -> Callable[[Estate], set[Cell]]:
    return lambda _: set(cells)


def beyond(estate: Estate, sender: str, via: str) -> set[str]:
    """Whom `sender` is judged with, but for the neighbour that it sends by."""
    return {other for one, other in pairs(estate) if one == sender and other != via}


def forward_accept(estate: Estate) -> set[Cell]:
    """Whoever has the hub as a neighbour is passed on to everybody; a peer, without a ruleset, takes what comes."""
    peers = {peer.name for peer in estate.tunnel.peers}
    around = neighbours(estate, HUB) | peers
    passed = {(one, other, FORWARDED) for one in around for other in beyond(estate, one, HUB)}
    return passed | {(one, peer, ACCEPTED) for one in around for peer in peers if one != peer}


def neighbours(estate: Estate, node: str) -> set[str]:
    return {link.far(node).node for link in estate.links if node in (link.a.node, link.b.node)}


def by_ssh(result: str) -> Callable[[Estate], set[Cell]]:
    """git-ssh to everybody behind its hub."""
    return lambda estate: {(SSH, other, result) for other in beyond(estate, SSH, HUB)}


def wan_port(estate: Estate) -> set[Cell]:
    """Everybody of the world who is judged with the host."""
    return {(one, "host", ACCEPTED) for one, other in pairs(estate) if other == "host" and one in world(estate)}


def world(estate: Estate) -> Iterable[str]:
    return [node.name for node in nodes(estate) if _outside(node)]


def _outside(node: Node) -> bool:
    return node.kind in (Kind.WORLD, Kind.PEER)


EXPECTED: dict[str, Callable[[Estate], set[Cell]]] = {
    "forward-accept": forward_accept,
    "proxy-arp": by_ssh(ANSWERED),
    "ipv6-on": fixed((EDGE, WEB, ACCEPTED)),
    "input-accept": fixed((EDGE, WEB, ACCEPTED)),
    "source-route": by_ssh(FORWARDED),
    "rp-filter-off": fixed((EDGE, WEB, ACCEPTED), (EDGE, WEB, ANSWERED)),
    "rogue-routes": fixed((WEB, SHOP, ACCEPTED), (SHOP, WEB, FORWARDED)),
    "second-veth": fixed((WEB, SHOP, REACHED), (SHOP, WEB, REACHED)),
    "multicast-accepted": fixed((EDGE, WEB, ACCEPTED)),
    "peer-to-peer": fixed(("laptop", "phone", ACCEPTED), ("phone", "laptop", ACCEPTED)),
    "related-icmp": fixed((EDGE, WEB, ACCEPTED)),
    "gre-accepted": fixed((EDGE, WEB, ACCEPTED)),
    "wan-port": wan_port,
    "host-forward": fixed((EDGE, HUB, FORWARDED)),
    "output": fixed((WEB, EDGE, REACHED)),
    "shared-netns": fixed(
        ("master-backup", "minecraft-backup", ACCEPTED), ("minecraft-backup", "master-backup", ACCEPTED)
    ),
}

NAMED: dict[str, set[str]] = {
    "proxy-arp": {"arp-foreign"},
    "ipv6-on": {
        "v6-all-nodes", "v6-destination", "v6-fragment", "v6-hop-by-hop", "v6-link-local", "v6-mapped",
        "v6-neighbour-advertisement", "v6-neighbour-solicitation", "v6-router-advertisement", "v6-routing",
    },
    "input-accept": {"tcp-syn"},
    "source-route": {"source-route-loose", "source-route-strict"},
    "rp-filter-off": {
        "arp-poison", "spoof-host", "spoof-leaf", "spoof-wan",
        "tcp-ack", "tcp-fin", "tcp-null", "tcp-rst", "tcp-syn-ack", "tcp-xmas",
    },
    "multicast-accepted": {"igmp", "multicast"},
    "related-icmp": {"icmp-redirect", "icmp-unreachable"},
    "gre-accepted": {"gre"},
    "wan-port": {"tcp-syn"},
    "shared-netns": {"unix"},
}  # fmt: skip
