"""Estate -> what must arrive: the expected matrix, every sender, address and port, allowed or dark.

A probe is what one interface of one node sends to one address and port. `arrivals` names the node that must
accept it; every probe that it does not name must be accepted by nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from specs.model import WAN, Endpoint, Estate, Flow, Port, Profile
from specs.topology import Kind, Node, nodes
from specs.way import way
from specs.whitelist import expected


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """What is sent: from `node` out of its interface `ifname`, to `address` and `port`."""

    node: str
    ifname: str
    address: IPv4Address
    port: Port


def arrivals(estate: Estate) -> Mapping[Cell, tuple[str, Flow]]:
    """The allowed cells: each with the node that accepts it and the flow that allows it."""
    around = nodes(estate)
    return {cell: (flow.target, flow) for flow in estate.flows for cell in _cells(estate, flow, around)}


def _cells(estate: Estate, flow: Flow, around: tuple[Node, ...]) -> Iterator[Cell]:
    found = way(estate, flow)
    if found.dial is None or flow.target not in {node.name for node in around}:  # out to the internet, or to the LAN
        return
    for node, ifname in _senders(estate, flow, around):
        yield Cell(node=node.name, ifname=ifname, address=found.dial, port=flow.port)


def _senders(estate: Estate, flow: Flow, around: tuple[Node, ...]) -> Iterator[tuple[Node, str]]:
    callers = set(internet(estate, flow)) if estate.from_internet(flow) else set()
    for node in around:
        if estate.from_internet(flow):
            yield from ((node, endpoint.ifname) for endpoint in node.endpoints if endpoint in callers)
        elif node.name == flow.source_node and node.kind is Kind.PEER:
            yield node, estate.tunnel.ifname
        elif node.name == flow.source_node:
            yield node, estate.link(flow.link).ifname


def internet(estate: Estate, flow: Flow) -> tuple[Endpoint, ...]:
    """The interfaces of the lab's internet that may open a flow which is opened from there."""
    outer = {node.name for node in estate.world.nodes if node.zone == WAN and not node.forwards}
    ends = (end for link in estate.world.links for end in link.endpoints if end.node in outer)
    if flow.source_node == WAN:
        return tuple(ends)
    listed = expected(estate, flow.source_node)
    return tuple(end for end in ends if end.address in listed)


def ports(estate: Estate) -> tuple[Port, ...]:
    """Every port that a flow names."""
    return tuple(sorted({flow.port for flow in estate.flows}))


def pairs(estate: Estate) -> tuple[tuple[str, str], ...]:
    """The ordered pairs of nodes that are judged: at least one end is the estate's, or a peer sends.

    Not judged: what passes between two nodes of the world outside the tunnel (no ruleset of ours lies there),
    and the lab's WAN, which stands for the internet and is represented by the visitor.
    """
    if estate.profile is not Profile.LAB:
        return ()
    judged = [node for node in nodes(estate) if node.kind is not Kind.ISOLATED and node.name != _transit(estate)]
    return tuple(
        (one.name, other.name)
        for one in judged
        for other in judged
        if one is not other and (one.ours or other.ours or one.kind is Kind.PEER)
    )


def _transit(estate: Estate) -> str | None:
    for node in estate.world.nodes:
        if node.forwards and node.zone == WAN:
            return node.name
    return None
