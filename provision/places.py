"""Places: what the semantics read of each namespace, as it is now, as it is declared, or as a plan leaves it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface

from provision.desired import DesiredNetwork, DesiredNode
from provision.facts.link import WIREGUARD, ActualLink
from provision.facts.listing import Listing
from provision.facts.network import ActualNetwork
from provision.facts.route import RT_TABLE_MAIN, RTN_UNICAST, kind
from specs.model import Link
from specs.semantics.place import Interface, Place, Port, Route

LOOPBACK = Interface(name="lo", index=1, kind="", addresses=(IPv4Interface("127.0.0.1/8"),))
VETH = "veth"
Places = Mapping[str, Place]


@dataclass(frozen=True, kw_only=True)
class Running:
    """Every namespace there is, with its listing, and the numbers by which it knows the others (facts.netnsid)."""

    networks: Mapping[str, ActualNetwork]
    listings: Mapping[str, Listing]
    numbers: Mapping[str, Mapping[int, str]]


def running(found: Running) -> Places:
    """As the kernel holds them."""
    return {node: _place(node, there, found) for node, there in found.networks.items()}


def _place(node: str, there: ActualNetwork, found: Running) -> Place:
    return Place(
        node=node,
        interfaces=tuple(_interface(node, link, there, found) for link in there.links),
        routes=tuple(
            Route(destination=route.destination, via=route.via, ifname=route.ifname)
            for route in there.routes
            if route.table == RT_TABLE_MAIN and kind(route) == RTN_UNICAST
        ),
        sysctls=dict(there.sysctls),
        ruleset=found.listings[node],
        strange=tuple(_strange(there)),
    )


def _interface(node: str, link: ActualLink, there: ActualNetwork, found: Running) -> Interface:
    return Interface(
        name=link.ifname,
        index=link.index,
        kind=link.kind,
        up=link.up,
        addresses=tuple(address.interface for address in there.addresses if address.ifname == link.ifname),
        peer=_peer(node, link, found),
    )


def _peer(node: str, link: ActualLink, found: Running) -> Port | None:
    """The other end, by its namespace's number and its index; None where it is in no namespace of the instance."""
    if link.kind != VETH or link.peer is None:
        return None
    at = node if link.peer_netns is None else found.numbers[node].get(link.peer_netns, "")
    ends = found.networks[at].links if at in found.networks else ()
    return next((Port(node=at, ifname=end.ifname) for end in ends if end.index == link.peer), None)


def _strange(there: ActualNetwork) -> Iterator[str]:
    """What changes a packet's way and has no place in a Place."""
    for rule in there.rules:
        if rule.fresh is None:
            yield f"policy routing: rule {rule.priority} ({rule.family}) to table {rule.table}"
    for route in there.routes:
        if route.table != RT_TABLE_MAIN:
            yield f"route {route.destination} of table {route.table}"
        elif kind(route) != RTN_UNICAST:
            yield f"route {route.destination} of type {kind(route)} (rtnetlink(7))"


def declared(desired: DesiredNetwork, listings: Mapping[str, Listing]) -> Places:
    """As they are declared."""
    return {wanted.node.name: _declared(desired, wanted, listings[wanted.node.name]) for wanted in desired.nodes}


def _declared(desired: DesiredNetwork, wanted: DesiredNode, listing: Listing) -> Place:
    node = wanted.node
    far = {link.end(node.name).ifname: link.far(node.name) for link in desired.links if node.name in _ends(link)}
    wires = tuple(
        Interface(
            name=end.ifname,
            index=index,
            kind=VETH,
            addresses=(end.interface,),
            peer=Port(node=far[end.ifname].node, ifname=far[end.ifname].ifname) if end.ifname in far else None,
        )
        for index, end in enumerate(node.endpoints, start=2)
    )
    return Place(
        node=node.name,
        interfaces=(LOOPBACK, *wires, *_tunnel(desired, wanted, len(wires) + 2)),
        routes=tuple(Route(destination=r.destination, via=r.via, ifname=r.ifname) for r in node.routes),
        sysctls=wanted.sysctls,
        ruleset=listing,
    )


def _tunnel(desired: DesiredNetwork, wanted: DesiredNode, index: int) -> tuple[Interface, ...]:
    if wanted.node.tunnel is None:
        return ()
    return (Interface(name=desired.tunnel, index=index, kind=WIREGUARD, addresses=(wanted.node.tunnel,)),)


def _ends(link: Link) -> tuple[str, str]:
    return link.a.node, link.b.node


def planned(now: Places, then: Places, changed: frozenset[str]) -> Places:
    """What a plan leaves: the nodes it speaks of as declared, the others as they are."""
    return {node: then[node] if node in changed else now[node] for node in sorted({*now, *changed})}
