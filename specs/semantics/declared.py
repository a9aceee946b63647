"""Estate -> what may be accepted where, in the words of the semantics: the declared flows, hop by hop (specs.way).

    opening     at the target: from the opener's address, or the one its hub gives it, to the declared port
    answer      at the opener: back from there, established

Whoever lies on a flow's way speaks for its opener: a leaf cannot tell its hub from the peers the hub speaks for, and
the internet's addresses are anybody's outside the uplink.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

from specs.model import Estate, Flow
from specs.semantics.diagram import EVERYTHING, Packets, Space, outside
from specs.semantics.field import ANY_IPV4, ESTABLISHED, IPV4, REPLY, TOPS, Field
from specs.semantics.place import Interface, Place, Route, Tunnel
from specs.semantics.span import Span, intersect, span, union
from specs.sysctls import every
from specs.topology import Kind, Node, nodes
from specs.way import Hop, Way, ways
from specs.whitelist import expected, set_name

LOOPBACK = "lo"
Listings = Mapping[str, tuple[Mapping[str, object], ...]]


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What `senders` may make a place accept at an interface ("" for any), and the flow that says so."""

    place: str
    ifname: str
    senders: frozenset[str]
    packets: Packets
    flow: Flow
    openers: frozenset[str] = frozenset()  # of the senders, those that dial: what they send is ...
    dialled: Packets = EVERYTHING  # ... to the dialled address and port, and nothing else becomes of it


@dataclass(frozen=True, kw_only=True)
class Declared:
    estate: Estate
    space: Space
    resolved: Mapping[str, frozenset[IPv4Address]] = field(default_factory=dict)  # whom the whitelists' names stand for

    @cached_property
    def allowed(self) -> Mapping[str, tuple[Allowed, ...]]:
        """By the place that may accept."""
        found: dict[str, list[Allowed]] = {}
        for way in ways(self.estate):
            for each in (*self._opening(way), *self._answer(way)):
                found.setdefault(each.place, []).append(each)
        return {place: tuple(each) for place, each in found.items()}

    def packets(self, source: str, target: str, ifname: str) -> Packets:
        """What `source` may make `target` accept at its interface."""
        return self.space.either(
            each.packets
            for each in self.allowed.get(target, ())
            if source in each.senders and each.ifname in ("", ifname)
        )

    def dialled(self, source: str, target: str, ifname: str) -> Packets:
        """Of what `source` sends, all that may become something that `target` accepts there."""
        mine = [each for each in self.allowed.get(target, ()) if source in each.senders and each.ifname in ("", ifname)]
        return self.space.either(each.dialled if source in each.openers else EVERYTHING for each in mine)

    @cached_property
    def _outside(self) -> frozenset[str]:
        return frozenset(node.name for node in nodes(self.estate) if not node.ours)

    def _opening(self, way: Way) -> Iterator[Allowed]:
        last = way.hops[-1]
        if last.leaves is not None:
            yield from self._outward(way, last)
            return
        assert last.enters is not None
        tuple_ = self._tuple(way, SADDR=self._from(last), DADDR=self._of(last.destination), DPORT=_port(way))
        answer = self.space.where(Field.DIRECTION, REPLY)
        yield Allowed(
            place=last.node,
            ifname=last.enters,
            senders=self._openers(way) | {hop.node for hop in way.hops[:-1]},
            packets=self.space.minus(tuple_, answer),
            flow=way.flow,
            openers=self._openers(way) - {hop.node for hop in way.hops[1:]},
            dialled=self._tuple(way, DADDR=self._of(way.dial), DPORT=_port(way)),
        )

    def _outward(self, way: Way, last: Hop) -> Iterator[Allowed]:
        """Out of the estate: it may come in wherever nothing of ours stands."""
        source = self._of(last.source) if last.source and not last.masquerade else ANY_IPV4
        tuple_ = self._tuple(way, SADDR=source, DADDR=self._of(way.dial), DPORT=_port(way))
        senders = frozenset(hop.node for hop in way.hops)
        for place in self._outside:
            yield Allowed(place=place, ifname="", senders=senders, packets=tuple_, flow=way.flow)

    def _openers(self, way: Way) -> frozenset[str]:
        return self._outside if self.estate.from_internet(way.flow) else frozenset({way.flow.source_node})

    def _answer(self, way: Way) -> Iterator[Allowed]:
        """Back at the opener: the address it dialled answers it, of the internet any."""
        first, last = way.hops[0], way.hops[-1]
        tuple_ = self._tuple(way, SADDR=self._of(way.dial), DADDR=self._from(first), SPORT=_port(way))
        answerers = frozenset(hop.node for hop in way.hops) | (self._outside if last.leaves else frozenset())
        said = self.space.cube({Field.STATE: span(ESTABLISHED), Field.DIRECTION: span(REPLY)})
        for opener in self._openers(way):
            tracked = opener not in self._outside
            yield Allowed(
                place=opener,
                ifname=first.leaves or "" if first.enters is None else "",
                senders=answerers - {opener},
                packets=self.space.both(tuple_, said) if tracked else tuple_,
                flow=way.flow,
            )

    def _tuple(self, way: Way, **fields: Span) -> Packets:
        told: dict[int, Span] = {Field[name]: values for name, values in fields.items()}
        return self.space.cube({Field.FAMILY: IPV4, Field.PROTOCOL: span(way.flow.port.protocol.number), **told})

    def _from(self, hop: Hop) -> Span:
        """Whom the flow may come from, as a hop sees it."""
        if hop.source is not None or hop.whitelist is None:
            return self._of(hop.source)
        names = self.estate.whitelist(hop.whitelist).names
        resolved = (address for name in names for address in self.resolved.get(name, ()))
        return span(*(int(address) for address in {*expected(self.estate, hop.whitelist), *resolved}))

    @cached_property
    def kept(self) -> frozenset[str]:
        """The sets that let pass and have a keeper: each of their elements is judged by itself when it is there."""
        return frozenset(f"@{set_name(each.name)}" for each in self.estate.whitelists)

    def _of(self, address: IPv4Address | None) -> Span:
        """An address, or the internet: whatever is not inside."""
        if address is not None:
            return span(int(address))
        return self._internet

    @cached_property
    def _internet(self) -> Span:
        inside = union((int(each.network_address), int(each.broadcast_address)) for each in self.estate.inside)
        return intersect(outside(inside, TOPS[Field.SADDR]), ANY_IPV4)


def _port(way: Way) -> Span:
    return span(way.flow.port.number)


# ---- the declared estate as places, for rulesets that no kernel holds yet


def places(estate: Estate, listings: Listings) -> tuple[Place, ...]:
    """The namespaces as declared, each with the ruleset listed for it."""
    around = {node.name: node for node in nodes(estate)}
    return tuple(_place(estate, node, listings.get(node.name, ())) for node in around.values())


def tunnels(estate: Estate) -> tuple[Tunnel, ...]:
    """The WireGuard device of the hub, its peers' allowed IPs as declared: each its own address."""
    known = {node.name for node in nodes(estate)}
    peers = tuple(
        (peer.name, estate.tunnel.ifname, (IPv4Network(peer.address),))
        for peer in estate.tunnel.peers
        if peer.name in known
    )
    return (Tunnel(place=estate.tunnel.hub, ifname=estate.tunnel.ifname, peers=peers),)


def _place(estate: Estate, node: Node, listing: tuple[Mapping[str, object], ...]) -> Place:
    names = [LOOPBACK, *(end.ifname for end in node.endpoints), *([estate.tunnel.ifname] if node.tunnel else [])]
    addresses = {end.ifname: end.address for end in node.endpoints}
    if node.tunnel:
        addresses[estate.tunnel.ifname] = node.tunnel.ip
    far = {end.ifname: estate.link(end.link).far(node.name) for end in node.endpoints}
    return Place(
        name=node.name,
        interfaces=tuple(
            Interface(
                name=name,
                index=index,
                addresses=(addresses[name],) if name in addresses else (),
                far=(far[name].node, far[name].ifname) if name in far else None,
            )
            for index, name in enumerate(names, start=1)
        ),
        routes=tuple(_routes(estate, node)),
        sysctls=every(node),
        listing=listing,
        ours=node.kind not in (Kind.WORLD, Kind.PEER),
    )


def _routes(estate: Estate, node: Node) -> Iterator[Route]:
    """The kernel's own beside the declared ones (fib_add_ifaddr)."""
    yield Route(kind="local", destination=IPv4Network("127.0.0.0/8"), ifname=LOOPBACK, table="local")
    own = [(end.interface, end.ifname) for end in node.endpoints]
    own += [(node.tunnel, estate.tunnel.ifname)] if node.tunnel else []
    for interface, ifname in own:
        yield Route(kind="local", destination=IPv4Network(interface.ip), ifname=ifname, table="local")
        yield Route(kind="unicast", destination=interface.network, ifname=ifname)
        if interface.network.prefixlen < 31:
            last = IPv4Network(interface.network.broadcast_address)
            yield Route(kind="broadcast", destination=last, ifname=ifname, table="local")
    for route in node.routes:
        yield Route(kind="unicast", destination=route.destination, ifname=route.ifname, via=route.via)
