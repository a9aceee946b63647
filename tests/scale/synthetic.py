"""A synthetic estate: the user's two hubs, world and tunnel, and N leaves of one flow each, half public, half private.

Nothing of it is made in the kernel: its rulesets are written as nft would list them (tests.unit.ideal_ruleset).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address

from specs.load import load
from specs.model import Container, Endpoint, Estate, Flow, Link, Port, Protocol
from specs.naming import ifname
from specs.semantics.declared import places, tunnels
from specs.semantics.world import World
from specs.topology import edges, nodes
from specs.way import Hop, Way, ways
from tests.unit.ideal_ruleset import Json, listing

PUBLIC, PRIVATE = IPv4Address("172.20.0.0"), IPv4Address("10.20.0.0")
PORT = Port(protocol=Protocol.TCP, number=8080)


def synthetic(leaves: int) -> Estate:
    """The estate with its own leaves exchanged for so many others."""
    base = load()
    hubs = edges(base)
    kept = [link for link in base.links if link.a.node == "host"]
    uplinks = {link.name for link in kept}
    pattern = base.container("git-web")
    rows = [_row(base, place, pattern) for place in range(leaves)]
    module = replace(base.modules[0], containers=(*(base.container(hub) for hub in hubs), *(row[0] for row in rows)))
    return replace(
        base,
        modules=(module,),
        links=tuple(sorted((*kept, *(row[1] for row in rows)), key=lambda link: link.name)),
        flows=tuple(sorted((*(flow for flow in base.flows if flow.link in uplinks), *(row[2] for row in rows)))),
    )


def _row(base: Estate, place: int, pattern: Container) -> tuple[Container, Link, Flow]:
    """One leaf, its wire, its flow."""
    name, public = f"leaf-{place:04}", place % 2 == 0
    link = f"wire-{place:04}"
    hub = base.site.edge if public else base.tunnel.hub
    first = (PUBLIC if public else PRIVATE) + 2 * place
    a, b = (
        Endpoint(node=node, link=link, ifname=ifname(link), address=first + offset)
        for offset, node in enumerate((hub, name))
    )
    source = pattern.source
    opener = hub if public else base.tunnel.peers[place // 2 % len(base.tunnel.peers)].name
    return (
        replace(pattern, name=name),
        Link(name=link, a=a, b=b, source=source),
        Flow(source_node=opener, target=name, port=PORT, link=link, source=source),
    )


Listings = dict[str, tuple[Json, ...]]


def written(estate: Estate) -> Listings:
    """Its rulesets, as nft would list them."""
    passing: dict[str, list[tuple[Way, Hop]]] = defaultdict(list)
    for way in ways(estate):
        for hop in way.hops:
            passing[hop.node].append((way, hop))
    return dict(_listings(estate, {node: tuple(found) for node, found in passing.items()}))


def compiled(estate: Estate, told: Listings) -> World:
    """Read and compiled."""
    return World.of(places(estate, told), tunnels(estate))


def _listings(
    estate: Estate, passing: dict[str, tuple[tuple[Way, Hop], ...]]
) -> Iterator[tuple[str, tuple[Json, ...]]]:
    for node in nodes(estate):
        yield node.name, listing(estate, node, passing.get(node.name, ()))
