"""A namespace's routes and settings -> which packets it takes for its own, and which it sends on, by interface.

net/ipv4/route.c (ip_route_input_slow, ip_mc_validate_source), net/ipv4/fib_frontend.c (__fib_validate_source),
net/ipv6/ip6_input.c, ip6_output.c (ip6_forward). All this is asked after DNAT and before input or forward.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network

from specs.semantics.diagram import NOTHING, Packets, Space
from specs.semantics.field import ANY_IPV4, IPV4, IPV6, Field
from specs.semantics.oracle import Moment, Oracles
from specs.semantics.place import LOOPBACK, Place, Route
from specs.semantics.span import EMPTY, Span, span, subtract, union

TABLES = {"local": 0, "main": 1, "default": 2}  # the rules every namespace has (fib_default_rules_init)
LIMITED_BROADCAST = span(2**32 - 1)
ALL_HOSTS = 0xE0000001  # 224.0.0.1, which every interface has joined (ip_mc_up)
ALL_NODES = 0xFF02 << 112 | 1


def _network(text: str) -> Span:
    network = IPv4Network(text)
    return ((int(network.network_address), int(network.broadcast_address)),)


ZERO, LOCALHOST = span(0), _network("127.0.0.0/8")  # 0.0.0.1 and up are like any other (ipv4_is_zeronet)
MULTICAST, LOCAL_MULTICAST = _network("224.0.0.0/4"), _network("224.0.0.0/24")
V6_MULTICAST, V6_LINK = ((0xFF << 120, 2**128 - 1),), ((0xFE80 << 112, (0xFEC0 << 112) - 1),)
V6_LOCALHOST = span(1)


@dataclass(frozen=True, kw_only=True)
class Routing:
    place: Place
    space: Space
    oracles: Oracles

    # ---- settings (Documentation/networking/ip-sysctl.rst; include/linux/inetdevice.h says how all and own combine)

    def _conf(self, ifname: str, key: str, family: str = "ipv4") -> int:
        return int(self.place.sysctls.get(f"net.{family}.conf.{ifname}.{key}", "0"))

    def _either(self, ifname: str, key: str) -> bool:
        return bool(self._conf("all", key) or self._conf(ifname, key))

    def ipv6(self, ifname: str) -> bool:
        """Whether the interface takes and sends IPv6 at all (ip6_rcv_core, ip6_output: cnf.disable_ipv6)."""
        return not self._conf(ifname, "disable_ipv6", "ipv6")

    def forwards(self, ifname: str) -> bool:
        """IN_DEV_FORWARD: the interface's own setting."""
        return bool(self._conf(ifname, "forwarding"))

    def oddities(self) -> Iterator[str]:
        """Settings under which this file is wrong."""
        for interface in self.place.interfaces:
            for key in ("accept_local", "route_localnet"):
                if self._either(interface.name, key):
                    yield f"{key} on {interface.name} in {self.place.name}"
            if self._conf("all", "accept_source_route") and self._conf(interface.name, "accept_source_route"):
                yield f"accept_source_route on {interface.name} in {self.place.name}"

    # ---- routes

    @cached_property
    def _ways(self) -> dict[tuple[int, str, str], Span]:
        """IP version, kind, interface -> destinations: the longest prefix wins, local before main before default."""
        found: dict[tuple[int, str, str], list[tuple[int, int]]] = {}
        taken: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for route in sorted(self.place.routes, key=_precedence):
            version = route.destination.version
            own = (int(route.destination.network_address), int(route.destination.broadcast_address))
            # Each interface has a fe80::/64 of its own.
            near = route.ifname if version == 6 and route.destination.is_link_local else ""
            before = taken.setdefault((version, near), [])
            rest = subtract((own,), _overlapping(before, *own))
            for part in rest:
                insort(before, part)
            found.setdefault((version, route.kind, route.ifname), []).extend(rest)
        return {key: union(parts) for key, parts in found.items()}

    def _to(self, version: int, *kinds: str) -> Span:
        return union(
            part for (v, kind, _), parts in self._ways.items() if v == version and kind in kinds for part in parts
        )

    def out(self, ifname: str) -> Packets:
        """What is routed out of the interface."""
        fourth = self._ways.get((4, "unicast", ifname), EMPTY)
        found = [self._is(IPV4, DADDR=subtract(fourth, union([*LOCALHOST, *ZERO, *MULTICAST, *LIMITED_BROADCAST])))]
        if self.ipv6(ifname):
            found.append(self._is(IPV6, DADDR=self._ways.get((6, "unicast", ifname), EMPTY)))
        return self.space.either(found)

    def transit(self, ifname: str) -> Packets:
        """What that came in by the interface may be sent on; NOTHING where it does not forward."""
        found = []
        if self.forwards(ifname):
            found.append(self._is(IPV4, SADDR=self._sources(ifname)))
        if self.ipv6(ifname):
            found.append(self._transit_ipv6())
        return self.space.either(found)

    def _transit_ipv6(self) -> Packets:
        """ip6_forward: not from a multicast or loopback source, nor to a multicast group; see `near` for the rest."""
        told = self.place.sysctls.get("net.ipv6.conf.all.forwarding", "")
        if told == "0":
            return NOTHING
        whole = ((0, 2**128 - 1),)
        sources = subtract(whole, union([*V6_MULTICAST, *V6_LOCALHOST]))
        passing = self._is(IPV6, SADDR=sources, DADDR=subtract(whole, V6_MULTICAST))
        if told == "1":
            return passing
        return self.space.both(passing, self.oracles.ask(f"whether {self.place.name} forwards IPv6", Moment.UNREAD))

    @cached_property
    def near(self) -> Packets:
        """To or from a link-local address: that goes back out by the interface it came in by, or nowhere.

        rt6_need_strict for the destination; of the source ip6_forward asks where the two interfaces differ.
        """
        return self.space.either([self._is(IPV6, DADDR=V6_LINK), self._is(IPV6, SADDR=union([*V6_LINK, *ZERO]))])

    def _sources(self, ifname: str) -> Span:
        """The IPv4 sources that are believed of what comes in by the interface."""
        martian = union([*ZERO, *LOCALHOST, *MULTICAST, *LIMITED_BROADCAST])
        if ifname == LOOPBACK:
            return subtract(ANY_IPV4, union([*ZERO, *MULTICAST, *LIMITED_BROADCAST]))
        reverse = max(self._conf("all", "rp_filter"), self._conf(ifname, "rp_filter"))  # IN_DEV_MAXCONF
        if reverse == 1:
            believed = self._ways.get((4, "unicast", ifname), EMPTY)
        elif reverse == 2:
            believed = self._to(4, "unicast")
        else:  # its own addresses alone are not (inet_lookup_ifaddr_rcu)
            believed = subtract(ANY_IPV4, self._to(4, "local"))
        return subtract(believed, martian)

    def own(self, ifname: str, packets: Packets) -> Packets:
        """Those of `packets` that came in by the interface and are handed to the input hook."""
        sources, space = self._sources(ifname), self.space
        narrow = space.both(packets, self._is(IPV4, SADDR=sources))
        found = [
            space.both(narrow, self._here(lo=ifname == LOOPBACK)),
            space.both(packets, self._is(IPV4, DADDR=LIMITED_BROADCAST, SADDR=union([*sources, *ZERO]))),
            space.both(packets, self._is(IPV4, DADDR=span(0), SADDR=span(0))),  # taken for a broadcast
            space.both(packets, self._groups(ifname, sources)),
        ]
        if self.ipv6(ifname):
            found.append(space.both(packets, self._own_ipv6(ifname)))
        return space.either(found)

    def _here(self, *, lo: bool) -> Packets:
        """To an address of its own, or to a network's broadcast address."""
        if lo not in self._known:
            addresses = self._to(4, "local", "broadcast")
            self._known[lo] = self._is(IPV4, DADDR=addresses if lo else subtract(addresses, LOCALHOST))
        return self._known[lo]

    @cached_property
    def _known(self) -> dict[bool, Packets]:
        return {}

    def _groups(self, ifname: str, sources: Span) -> Packets:
        """Multicast groups: 224.0.0.1 is joined everywhere, of others nobody was asked."""
        local = self._is(IPV4, DADDR=LOCAL_MULTICAST, SADDR=union([*sources, *ZERO]))
        wider = self._is(IPV4, DADDR=subtract(MULTICAST, LOCAL_MULTICAST), SADDR=sources)
        return self._joined(ifname, self.space.either([local, wider]), ALL_HOSTS)

    def _joined(self, ifname: str, groups: Packets, always: int) -> Packets:
        joined = self.space.where(Field.DADDR, always)
        if ifname not in self._asked:
            about = f"which multicast groups {self.place.name} has joined on {ifname}"
            self._asked[ifname] = self.oracles.ask(about, Moment.UNREAD)
        return self.space.both(groups, self.space.either([joined, self._asked[ifname]]))

    @cached_property
    def _asked(self) -> dict[str, Packets]:
        return {}

    def _own_ipv6(self, ifname: str) -> Packets:
        """Its addresses, anycast too, from whomever; of groups ff02::1 is joined everywhere (ipv6_add_dev)."""
        sources = subtract(((0, 2**128 - 1),), union([*V6_MULTICAST, *V6_LOCALHOST]))
        own = self._is(IPV6, DADDR=self._to(6, "local", "anycast"), SADDR=sources)
        groups = self._is(IPV6, DADDR=V6_MULTICAST, SADDR=sources)
        return self.space.either([own, self._joined(ifname, groups, ALL_NODES)])

    def _is(self, family: Span, **fields: Span) -> Packets:
        if EMPTY in fields.values():
            return NOTHING
        return self.space.cube({Field.FAMILY: family, **{Field[name]: values for name, values in fields.items()}})


def _precedence(route: Route) -> tuple[int, int, int]:
    return TABLES.get(route.table, 3), -route.destination.prefixlen, route.metric


def _overlapping(taken: list[tuple[int, int]], low: int, high: int) -> Span:
    """Of sorted, disjoint intervals those that touch low to high."""
    at = max(bisect_left(taken, (low, -1)) - 1, 0)
    found = []
    for interval in taken[at:]:
        if interval[0] > high:
            break
        found.append(interval)
    return tuple(found)
