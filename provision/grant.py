"""What to declare for a flow that is not allowed: the smallest change of links.yaml, or the law that forbids any. Pure.

a link carries it                 Entry: one more entry in that row's `allow:`
no link does, and one may         Row: one more row, laid as `new container` lays its own
a whitelist's alone may           Member: one more address on it
the laws part the two             Never, with what the law says (law 4 is the network's)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from provision import sketch
from provision.sketch import Side
from specs.model import HOST, LAN, PEERS, WAN, Estate, Flow, Link, Port, Source
from specs.topology import edges


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One more entry of a row's `allow:`, in the row's own words for its ends."""

    link: Link
    text: str  # a -> b tcp/443


@dataclass(frozen=True, kw_only=True)
class Row:
    """One more row at the end of links.yaml; `a` and `b` are a node and its address."""

    name: str
    a: str
    b: str
    allow: str

    def lines(self) -> tuple[str, ...]:
        return (f"- name: {self.name}", f"  a: {self.a}", f"  b: {self.b}", f"  allow: [{self.allow}]")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One more address on a whitelist."""

    whitelist: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Never:
    law: str


Grant: TypeAlias = Entry | Row | Member | Never


def grant(estate: Estate, source: str, target: str, port: Port | None) -> Grant:
    """What would allow it. Ends are containers with a namespace, host, wan, lan, a peer or peers; None is ICMP."""
    peers = {peer.name for peer in estate.tunnel.peers} | {PEERS}
    if port is None:
        return Never(law="a flow is TCP or UDP; ICMP is accepted nowhere (docs/decisions/004)")
    if LAN in (source, target):
        return Never(law="law 4: nothing in the estate reaches the LAN, and nothing of the LAN reaches it")
    if target in peers:
        return Never(law="law 4: the tunnel's hub passes a peer's own flows on, and opens none to a peer")
    if target == WAN:
        return _to_wan(estate, source, port)
    if source == WAN:
        return _from_wan(estate, target, port)
    if source in peers:
        return _from_peer(estate, source, target, port)
    return _neighbours(estate, source, target, port)


def _to_wan(estate: Estate, source: str, port: Port) -> Grant:
    uplink = _link(estate, source, HOST)
    if uplink is None or source == HOST:
        return Never(law="law 4: only an edge has a way out to the WAN; leaves have no default route, and no DNS")
    return Entry(link=uplink, text=f"{_end(uplink, source)} -> {WAN} {port}")


def _from_wan(estate: Estate, target: str, port: Port) -> Grant:
    uplink = _link(estate, target, HOST)
    if uplink is None or target == HOST:
        hubs = " and ".join(sorted(edges(estate)))
        return Never(law=f"law 4: the WAN reaches {hubs} alone; what is meant for it is a site's `web:` or `stream:`")
    taken = _handed(estate, port)
    if taken is not None and taken.target == target:
        return Member(whitelist=taken.source_node, source=estate.whitelist(taken.source_node).source)
    if taken is not None:
        return Never(law=f"law 4: the host hands each port to one edge, and {port} to {taken.target} ({taken.source})")
    return Entry(link=uplink, text=f"{WAN} -> {_end(uplink, target)} {port}")


def _handed(estate: Estate, port: Port) -> Flow | None:
    return next((flow for flow in estate.flows if estate.from_internet(flow) and flow.port == port), None)


def _from_peer(estate: Estate, source: str, target: str, port: Port) -> Grant:
    hub = estate.tunnel.hub
    if target in (hub, HOST) or _link(estate, target, HOST) is not None:
        return Never(law=f"law 4: a peer reaches the leaves behind {hub}, no edge and no host")
    link = _link(estate, hub, target)
    if link is None:
        return _row(estate, hub, target, f"{source} -> b {port}")
    return Entry(link=link, text=f"{source} -> {_end(link, target)} {port}")


def _neighbours(estate: Estate, source: str, target: str, port: Port) -> Grant:
    link = _link(estate, source, target)
    if link is not None:
        return Entry(link=link, text=f"{_end(link, source)} -> {_end(link, target)} {port}")
    if HOST in (source, target):
        return Never(law="law 4: the host is linked to the two hubs alone")
    if target in edges(estate):
        return _row(estate, target, source, f"b -> a {port}")
    return _row(estate, source, target, f"a -> b {port}")


def _row(estate: Estate, a: str, b: str, allow: str) -> Row:
    """A wire between two nodes that have none, with the addresses that are next on its side."""
    side = next((side for side in Side if sketch.hub(estate, side) == a), None)
    pair = sketch.next_pair(estate, side)
    name = sketch.link_name(b, side) if side is not None else f"{a}-{b}"
    return Row(name=_free(estate, name), a=f"{a} {pair[0]}", b=f"{b} {pair[1]}", allow=allow)


def _free(estate: Estate, name: str) -> str:
    taken = {link.name for link in estate.wires}
    return next(each for each in (name, *(f"{name}-{count}" for count in range(2, 99))) if each not in taken)


def _link(estate: Estate, one: str, other: str) -> Link | None:
    return next((link for link in estate.links if {link.a.node, link.b.node} == {one, other}), None)


def _end(link: Link, node: str) -> str:
    return "a" if link.a.node == node else "b"
