"""How one namespace routes one packet: the longest prefix, what it believes of a source, who is at the wire's end.

Main table alone: policy routing is `strange` (specs.semantics.place), and whoever asks must say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from specs.semantics.place import Address, Interface, Place, Port

LOOPBACK = IPv4Network("127.0.0.0/8")


@dataclass(frozen=True, kw_only=True)
class Out:
    """Where a route leads: the interface and the address to ask for on its wire."""

    interface: Interface
    next_address: Address


def route(place: Place, to: Address) -> Out | None:
    """The way out to an address that is not the namespace's own; None: no route (ip-route(8))."""
    found = [each for each in _routes(place) if each[0].version == to.version and to in each[0]]
    if not found:
        return None
    _, via, interface = max(found, key=lambda each: each[0].prefixlen)
    return Out(interface=interface, next_address=via or to)


def _routes(place: Place) -> Iterator[tuple[IPv4Network, Address | None, Interface]]:
    """Connected and declared routes; a route out of an interface that is down does not count."""
    up = {each.name: each for each in place.interfaces if each.up}
    for interface in up.values():
        yield from ((each.network, None, interface) for each in interface.addresses)  # type: ignore[misc]
    for each in place.routes:
        if each.ifname in up:
            yield each.destination, each.via, up[each.ifname]  # type: ignore[misc]


def owner(place: Place, address: Address) -> Interface | None:
    """The interface that bears the address; every address of a namespace is local on all its interfaces."""
    for interface in place.interfaces:
        if any(address == each.ip for each in interface.addresses):
            return interface
    return place.interface("lo") if address in LOOPBACK else None


def disbelieved(place: Place, ifname: str, source: Address, to: Address) -> str:
    """Why a packet with this source is no believed on that interface, in words; "" when it is.

    ip_route_input_slow and fib_validate_source (net/ipv4/route.c, fib_frontend.c); rp_filter is the larger of `all`'s
    and the interface's own (Documentation/networking/ip-sysctl.rst).
    """
    if source in LOOPBACK or to in LOOPBACK:
        return f"martian: a loopback address came in by {ifname}"
    if owner(place, source) is not None:
        return f"martian: {source} is {place.node}'s own, and came in by {ifname}"
    strict = max(place.sysctl(f"net.ipv4.conf.{scope}.rp_filter") for scope in ("all", ifname))
    back = route(place, source) if strict else None
    if strict and back is None:
        return f"rp_filter: no route leads back to {source}"
    if strict == 1 and back is not None and back.interface.name != ifname:
        return f"rp_filter: {source} came in by {ifname}, and is routed out of {back.interface.name}"
    return ""


def across(places: Mapping[str, Place], interface: Interface, next_address: Address) -> Port | str:
    """The other end of the wire, or why nobody there takes the packet."""
    peer = interface.peer
    if peer is None:
        return f"{interface.name} leads to no namespace that is known"
    there = places.get(peer.node)
    end = there.interface(peer.ifname) if there is not None else None
    if there is None or end is None or not end.up:
        return f"the other end of {interface.name}, in {peer.node}, is not there or down"
    answers = end if there.sysctl(f"net.ipv4.conf.{end.name}.arp_ignore") else owner(there, next_address)
    if answers is None or all(next_address != each.ip for each in answers.addresses):
        return f"nobody answers for {next_address} at the other end of {interface.name}, in {peer.node}"
    return peer
