"""Flow -> its way: the namespaces it passes, interface by interface, derived from the links (law 4).

wan -> edge       host (from the uplink, DNAT to the edge, no SNAT) -> edge; a whitelist's flow as well
peer -> leaf      hub (from the tunnel, masqueraded on the leaf's link) -> leaf
edge -> wan       edge -> host (masqueraded on the uplink)
neighbours        straight over their link
host -> resolver  straight out of the uplink
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from specs.model import HOST, WAN, Estate, Flow, Link


class NoWay(Exception):
    """The links give the flow no way; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One namespace on the way: None for `enters` where the flow begins, for `leaves` where it ends.

    `source` and `destination` are the addresses this namespace's filter sees; None stands for the internet,
    any address outside `Estate.inside`, and where `whitelist` is named, those alone that are on it.
    """

    node: str
    enters: str | None
    leaves: str | None
    source: IPv4Address | None
    destination: IPv4Address | None
    dnat: IPv4Address | None = None  # the new destination
    masquerade: bool = False  # the source becomes the outgoing interface's own address
    whitelist: str | None = None


@dataclass(frozen=True, kw_only=True)
class Way:
    flow: Flow
    hops: tuple[Hop, ...]
    dial: IPv4Address | None  # the address the opener uses; None when it is the internet's


def way(estate: Estate, flow: Flow) -> Way:
    """How `flow` goes. Raises NoWay when no declared link carries it."""
    if flow.source_node == HOST and flow.link == estate.host.uplink:
        return _to_resolver(estate, flow)
    link = estate.link(flow.link)
    peers = {peer.name for peer in estate.tunnel.peers}
    if estate.from_internet(flow):
        return _from_wan(estate, flow, link)
    if flow.target == WAN:
        return _to_wan(estate, flow, link)
    if flow.source_node in peers:
        return _from_peer(estate, flow, link)
    if {flow.source_node, flow.target} == {link.a.node, link.b.node}:
        return _neighbours(flow, link)
    raise NoWay(f"link `{link.name}` does not join {flow.source_node} and {flow.target}")


def ways(estate: Estate) -> tuple[Way, ...]:
    """The way of every flow of a loaded estate."""
    return tuple(way(estate, flow) for flow in estate.flows)


def _from_wan(estate: Estate, flow: Flow, link: Link) -> Way:
    if flow.target == HOST or link.far(flow.target).node != HOST:
        raise NoWay(f"the WAN reaches only the edges, over their links to the host; `{link.name}` is none")
    to, uplink = link.end(flow.target).address, estate.host.uplink
    among = None if flow.source_node == WAN else flow.source_node
    hops = (
        Hop(node=HOST, enters=uplink, leaves=link.ifname, source=None, destination=to, dnat=to, whitelist=among),
        Hop(node=flow.target, enters=link.ifname, leaves=None, source=None, destination=to, whitelist=among),
    )
    return Way(flow=flow, hops=hops, dial=estate.host.address)


def _to_resolver(estate: Estate, flow: Flow) -> Way:
    host = estate.host
    hop = Hop(node=HOST, enters=None, leaves=host.uplink, source=host.address, destination=host.resolver)
    return Way(flow=flow, hops=(hop,), dial=host.resolver)


def _to_wan(estate: Estate, flow: Flow, link: Link) -> Way:
    if flow.source_node == HOST or link.far(flow.source_node).node != HOST:
        raise NoWay(f"only an edge reaches the WAN, over its link to the host; `{link.name}` is none")
    own, out = link.end(flow.source_node).address, estate.host.uplink
    hops = (
        Hop(node=flow.source_node, enters=None, leaves=link.ifname, source=own, destination=None),
        Hop(node=HOST, enters=link.ifname, leaves=out, source=own, destination=None, masquerade=True),
    )
    return Way(flow=flow, hops=hops, dial=None)


def _from_peer(estate: Estate, flow: Flow, link: Link) -> Way:
    hub, tunnel = estate.tunnel.hub, estate.tunnel.ifname
    if flow.target in (hub, HOST) or link.far(flow.target).node != hub:
        raise NoWay(f"a peer reaches only the leaves of {hub}, over their links; `{link.name}` is none")
    peer = next(peer.address for peer in estate.tunnel.peers if peer.name == flow.source_node)
    own, to = link.end(hub).address, link.end(flow.target).address
    hops = (
        Hop(node=hub, enters=tunnel, leaves=link.ifname, source=peer, destination=to, masquerade=True),
        Hop(node=flow.target, enters=link.ifname, leaves=None, source=own, destination=to),
    )
    return Way(flow=flow, hops=hops, dial=to)


def _neighbours(flow: Flow, link: Link) -> Way:
    own, to = link.end(flow.source_node).address, link.end(flow.target).address
    hops = (
        Hop(node=flow.source_node, enters=None, leaves=link.ifname, source=own, destination=to),
        Hop(node=flow.target, enters=link.ifname, leaves=None, source=own, destination=to),
    )
    return Way(flow=flow, hops=hops, dial=to)
