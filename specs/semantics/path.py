"""How one namespace routes one packet: the route that wins, whether a source is believed, who is at the wire's end.

What specs.semantics.routing says of sets of packets, asked of one, and in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from specs.semantics.packet import Address
from specs.semantics.place import LOOPBACK, Interface, Place, Route

TABLES = {"local": 0, "main": 1, "default": 2}  # in the order of the rules every namespace has (fib_default_rules_init)
LOCALHOST = IPv4Network("127.0.0.0/8")
UNICAST, LOCAL = "unicast", "local"


def route(place: Place, to: Address) -> Route | None:
    """The route that an address takes, of whatever kind; None: there is none. One out of a dead interface is none."""
    up = {each.name for each in place.interfaces if each.up}
    found = [each for each in place.routes if each.destination.version == to.version and to in each.destination]
    alive = [each for each in found if each.kind != UNICAST or each.ifname in up]
    return min(alive, key=_precedence, default=None)


def _precedence(each: Route) -> tuple[int, int, int]:
    return TABLES.get(each.table, len(TABLES)), -each.destination.prefixlen, each.metric


def own(place: Place, address: Address) -> bool:
    """Whether it is an address of the namespace itself."""
    found = route(place, address)
    return found is not None and found.kind == LOCAL


def disbelieved(place: Place, ifname: str, source: Address, to: Address) -> str:
    """Why a packet with this source is not believed on that interface, in words; "" when it is.

    ip_route_input_slow and fib_validate_source (net/ipv4/route.c, fib_frontend.c); rp_filter is the larger of `all`'s
    and the interface's own (Documentation/networking/ip-sysctl.rst).
    """
    if ifname == LOOPBACK:
        return ""
    if source in LOCALHOST or to in LOCALHOST:
        return f"martian: a loopback address came in by {ifname}"
    if own(place, source):
        return f"martian: {source} is {place.name}'s own, and came in by {ifname}"
    strict = max(int(place.sysctls.get(f"net.ipv4.conf.{scope}.rp_filter") or 0) for scope in ("all", ifname))
    back = route(place, source) if strict else None
    if strict and (back is None or back.kind != UNICAST):
        return f"rp_filter: no route leads back to {source}"
    if strict == 1 and back is not None and back.ifname != ifname:
        return f"rp_filter: {source} came in by {ifname}, and is routed out of {back.ifname}"
    return ""


def forwards(place: Place, ifname: str) -> bool:
    """IN_DEV_FORWARD: the incoming interface's own setting."""
    return int(place.sysctls.get(f"net.ipv4.conf.{ifname}.forwarding") or 0) == 1


def across(places: Mapping[str, Place], interface: Interface, next_address: Address) -> tuple[Place, Interface] | str:
    """The other end of a wire, or why nobody there takes the packet."""
    if interface.far is None:
        return f"{interface.name} leads to no namespace that is known"
    node, ifname = interface.far
    there = places.get(node)
    end = there.interface(ifname) if there is not None else None
    if there is None or end is None or not end.up:
        return f"the other end of {interface.name}, in {node}, is not there or down"
    strict = int(there.sysctls.get(f"net.ipv4.conf.{ifname}.arp_ignore") or 0)
    if next_address not in end.addresses and (strict or not own(there, next_address)):
        return f"nobody answers for {next_address} at the other end of {interface.name}, in {node}"
    return there, end
