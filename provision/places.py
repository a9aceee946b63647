"""Places: what the semantics read of each namespace, as it is, as it is declared, as a plan leaves it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from provision.facts.link import ActualLink
from provision.facts.listing import Listing
from provision.facts.network import ActualNetwork
from provision.facts.route import ActualRoute
from specs.model import Estate
from specs.semantics import declared as declaration
from specs.semantics.place import Interface, Place, Route

TABLES = {255: "local", 254: "main", 253: "default"}  # RT_TABLE_… of rtnetlink(7)
VETH = "veth"
Places = Mapping[str, Place]


@dataclass(frozen=True, kw_only=True)
class Depth:
    """What a plan does not need to know of a namespace, and its meaning does."""

    listing: Listing
    routes: tuple[ActualRoute, ...]  # the kernel's own as well
    sysctls: Mapping[str, str]  # of interfaces that nobody declared as well
    numbers: Mapping[int, str]  # by which it knows the other namespaces (facts.netnsid)


@dataclass(frozen=True, kw_only=True)
class Running:
    """Every namespace there is."""

    networks: Mapping[str, ActualNetwork]
    depths: Mapping[str, Depth]


def running(found: Running, ours: frozenset[str]) -> Places:
    """As the kernel holds them; `ours` are the nodes in which the estate's rulesets stand."""
    return {node: _place(node, there, found, ours=node in ours) for node, there in found.networks.items()}


def _place(node: str, there: ActualNetwork, found: Running, *, ours: bool) -> Place:
    depth = found.depths[node]
    return Place(
        name=node,
        interfaces=tuple(_interface(node, link, there, found) for link in there.links),
        routes=tuple(_route(each) for each in depth.routes),
        sysctls={key: value for key, value in depth.sysctls.items() if value},  # "": its interface is not there
        listing=depth.listing.objects,
        doubted=depth.listing.doubted,
        ours=ours,
        strange=tuple(_strange(node, there, depth.listing)),
    )


def _interface(node: str, link: ActualLink, there: ActualNetwork, found: Running) -> Interface:
    own = (address.interface.ip for address in there.addresses if address.ifname == link.ifname)
    return Interface(name=link.ifname, index=link.index, addresses=tuple(own), far=_far(node, link, found), up=link.up)


def _far(node: str, link: ActualLink, found: Running) -> tuple[str, str] | None:
    """The other end, by its namespace's number and its index; None where it is in no namespace of the instance."""
    if link.kind != VETH or link.peer is None:
        return None
    at = node if link.peer_netns is None else found.depths[node].numbers.get(link.peer_netns, "")
    ends = found.networks[at].links if at in found.networks else ()
    return next(((at, end.ifname) for end in ends if end.index == link.peer), None)


def _route(found: ActualRoute) -> Route:
    return Route(
        kind=found.kind,
        destination=found.destination,
        ifname=found.ifname,
        table=TABLES.get(found.table, str(found.table)),
        metric=found.metric,
        via=found.via,
    )


def _strange(node: str, there: ActualNetwork, listing: Listing) -> Iterator[str]:
    """What changes a packet's way and has no place in a Place."""
    yield from _unlisted(node, listing)
    for rule in there.rules:
        if rule.fresh is None:
            yield f"policy routing in {node}: rule {rule.priority} ({rule.family}) to table {rule.table}"
    for link in there.links:
        if link.kind not in ("", VETH, "wireguard", "tun"):
            yield f"{link.ifname} of kind {link.kind} in {node}"


def _unlisted(node: str, listing: Listing) -> Iterator[str]:
    if listing.why_not:
        yield f"nobody can tell what the ruleset of {node} does: {listing.why_not}"


def declared(estate: Estate, listings: Mapping[str, Listing]) -> Places:
    """As they are declared, each with the ruleset listed for it."""
    made = declaration.places(estate, {node: listing.objects for node, listing in listings.items()})
    return {
        place.name: replace(
            place, doubted=listings[place.name].doubted, strange=tuple(_unlisted(place.name, listings[place.name]))
        )
        for place in made
    }


def planned(now: Places, then: Places, changed: frozenset[str]) -> Places:
    """What a plan leaves: the nodes it speaks of as declared, the others as they are, and the wires it lays to them."""
    left = {node: _wired(place, then.get(node)) for node, place in now.items() if node not in changed}
    return left | {node: then[node] for node in changed}


def _wired(place: Place, declared: Place | None) -> Place:
    """A namespace that a plan leaves alone, but for its ends of new wires, with their routes."""
    here = {each.name for each in place.interfaces}
    new = tuple(each for each in (declared.interfaces if declared else ()) if each.name not in here)
    names = {each.name for each in new}
    routes = tuple(each for each in (declared.routes if declared else ()) if each.ifname in names)
    return replace(place, interfaces=(*place.interfaces, *new), routes=(*place.routes, *routes)) if new else place
