"""Why a packet of one node does or does not get to another: its way, the deciding rules, the spec row. Pure.

Asked of an ordinary socket: what raw sockets can reach is `blast-radius`. Ends are nodes, wan, lan, a whitelist, or a
peer by name, whose packets come out of the tunnel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from provision.grant import Grant, grant
from provision.places import Places
from specs.model import HOST, LAN, WAN, Estate, Flow, Link, Port
from specs.semantics.field import ICMP, SYN, TCP
from specs.semantics.journey import UNSET, Hop, Journey, Step, Traveller
from specs.semantics.packet import Packet
from specs.topology import Node, nodes
from specs.way import way
from specs.whitelist import expected

CLIENT_PORT = 40000  # an ephemeral one (ip_local_port_range)
ECHO_REQUEST = 8
INTERNET = IPv4Address("203.0.113.1")  # a documentation address (RFC 5737), where the lab has no node of the WAN


@dataclass(frozen=True, kw_only=True)
class Question:
    source: str
    target: str
    port: Port | None  # None: an ICMP echo request

    def __str__(self) -> str:
        return f"{self.source} -> {self.target} {self.port or 'icmp'}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    question: Question
    allowed: bool
    journey: Journey | None  # None: there is no address to send to
    lost: tuple[Hop, Step] | None  # where what answers dies, of a packet that arrives
    raw: Journey | None  # of one that its own namespace stops: accepted all the same, when a raw socket sends it
    strange: tuple[str, ...]  # what of the places on its way nobody can tell the meaning of: then this is no answer
    flow: Flow | None  # the declared flow it is
    grant: Grant | None  # of what no flow declares: what would


def answer(estate: Estate, places: Places, question: Question) -> Answer:
    """The way of one packet of `question` through `places`."""
    traveller, flow = Traveller(places), _flow(estate, question)
    ends = _group(estate, question.source), _group(estate, question.target)
    change = None if flow is not None else grant(estate, *ends, question.port)
    to = _dialled(estate, question, flow)
    if to is None:
        return Answer(
            question=question, allowed=False, journey=None, lost=None, raw=None, strange=(), flow=flow, grant=change
        )
    found = traveller.send(*_opening(estate, question, to))
    arrives = found.arrives and _is(estate, found.node, question.target)
    lost = traveller.answer(found) if arrives else None
    return Answer(
        question=question,
        allowed=arrives and lost is None,
        journey=found,
        lost=lost,
        raw=None if found.arrives else _by_raw_socket(places, traveller, question, to),
        strange=tuple(told for hop in found.hops if hop.node in places for told in places[hop.node].strange),
        flow=flow,
        grant=change,
    )


def _by_raw_socket(places: Places, traveller: Traveller, question: Question, to: IPv4Address) -> Journey | None:
    """The same packet put on the wire to a neighbour, past its sender's own rules, where that is accepted."""
    here = places.get(question.source)
    for wire in here.interfaces if here is not None else ():
        if wire.far is not None and wire.far[0] == question.target and isinstance(wire.addresses[0], IPv4Address):
            found = traveller.send(question.target, _packet(question, to, wire.addresses[0], iif=wire.far[1]))
            if found.arrives:
                return found
    return None


def declared_at(estate: Estate) -> Mapping[str, str]:
    """Flow -> where it is declared, by the words that the rules bear as their comments."""
    return {str(flow): str(flow.source) for flow in estate.flows}


def _flow(estate: Estate, question: Question) -> Flow | None:
    targets = {question.target, _group(estate, question.target)}
    openers = {question.source, *_openers(estate, question.source)}
    meant = (flow for flow in estate.flows if flow.target in targets and flow.port == question.port)
    return next((flow for flow in meant if flow.source_node in openers), None)


def _openers(estate: Estate, name: str) -> set[str]:
    """What flows call it: itself, or the WAN and the whitelists that its address is on."""
    group = _group(estate, name)
    if group != WAN:
        return {group}
    own = {end.address for link in estate.wires for end in link.endpoints if end.node == _standing(estate, name)}
    return {WAN, *(listed.name for listed in estate.whitelists if own & expected(estate, listed.name))}


def _group(estate: Estate, name: str) -> str:
    """What a node of the lab's world is to the declaration: a part of the WAN or of the LAN; a peer is itself."""
    peers = {peer.name for peer in estate.tunnel.peers}
    zones = {node.name: node.zone for node in estate.world.nodes if node.name not in peers}
    return zones.get(name, name)


def _is(estate: Estate, node: str, wanted: str) -> bool:
    return node == wanted or (wanted in (WAN, LAN) and _group(estate, node) == wanted)


def _opening(estate: Estate, question: Question, to: IPv4Address) -> tuple[str, Packet]:
    """Where the packet begins, and what it is."""
    peers = {peer.name: peer.address for peer in estate.tunnel.peers}
    if question.source in peers:
        packet = _packet(question, to, peers[question.source], estate.tunnel.ifname)
        return estate.tunnel.hub, packet
    node = _standing(estate, question.source)
    if node is None:  # metal: what is around the host has no namespace
        return HOST, _packet(question, to, INTERNET, estate.host.uplink)
    return node, _packet(question, to)


def _packet(question: Question, to: IPv4Address, source: IPv4Address = UNSET, iif: str = "") -> Packet:
    if question.port is None:
        return Packet(saddr=source, daddr=to, protocol=ICMP, icmp_type=ECHO_REQUEST, iif=iif)
    number = question.port.protocol.number
    return Packet(
        saddr=source,
        daddr=to,
        protocol=number,
        sport=CLIENT_PORT,
        dport=question.port.number,
        flags=SYN if number == TCP else 0,
        iif=iif,
    )


def _standing(estate: Estate, name: str) -> str | None:
    """The node that stands for `name`: itself, an end of the WAN or the LAN, one that is on a whitelist."""
    lists = {listed.name for listed in estate.whitelists}
    if name not in (WAN, LAN, *lists):
        return name
    peers = {peer.name for peer in estate.tunnel.peers}
    zone = LAN if name == LAN else WAN
    around = [node for node in estate.world.nodes if node.zone == zone and node.name not in peers]
    if name in lists:
        members = expected(estate, name)
        on = {end.node for link in estate.wires for end in link.endpoints if end.address in members}
        around = [node for node in around if node.name in on]
    ends = sorted(around, key=lambda node: (node.forwards, bool(node.records), node.name))
    return ends[0].name if ends else None


def _dialled(estate: Estate, question: Question, flow: Flow | None) -> IPv4Address | None:
    """The address the opener uses; None where the target has none."""
    dial = way(estate, flow).dial if flow is not None else None
    if dial is not None:
        return dial
    return next(_addresses(estate, question), None)


def _addresses(estate: Estate, question: Question) -> Iterator[IPv4Address]:
    """Those the target has, the one that its opener would choose first."""
    source, target = question.source, _standing(estate, question.target)
    peers = {peer.name: peer.address for peer in estate.tunnel.peers}
    if target is None:
        yield INTERNET if question.target == WAN else estate.host.gateway
        return
    if target in peers:
        yield peers[target]
    if _outside(estate, source) and target not in _around(estate):
        yield estate.host.address  # the one address of the estate that is known out there
    near = estate.tunnel.hub if source in peers else source
    yield from (link.end(target).address for link in _links(estate, target) if near in (link.a.node, link.b.node))
    yield from _node(estate, target).addresses


def _outside(estate: Estate, name: str) -> bool:
    return _group(estate, name) in (WAN, LAN, *(listed.name for listed in estate.whitelists))


def _around(estate: Estate) -> set[str]:
    return {node.name for node in estate.world.nodes}


def _links(estate: Estate, node: str) -> tuple[Link, ...]:
    return tuple(link for link in estate.wires if node in (link.a.node, link.b.node))


def _node(estate: Estate, name: str) -> Node:
    return next(node for node in nodes(estate) if node.name == name)
