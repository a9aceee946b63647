"""The network phase: links, addresses, interface names and flows' ends, against the names of specs.bind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from specs import naming, outside, row
from specs.bind import RESERVED, Names
from specs.document import Document
from specs.model import (
    HOST,
    LAN,
    PEERS,
    TUNNEL_INTERFACE,
    WAN,
    Endpoint,
    Flow,
    Host,
    Link,
    Peer,
    Port,
    Profile,
    Protocol,
    Source,
    Tunnel,
    World,
    WorldNode,
)
from specs.problems import Problem, SpecError, closest
from specs.raw import RawEstate, RawLink, RawLinks, RawWorld
from specs.row import Row
from specs.values import RawFlow


@dataclass(frozen=True, kw_only=True)
class Disabled:
    """A link that is declared and disabled, and the line that says so."""

    name: str
    nodes: tuple[str, str]
    source: Source


@dataclass(frozen=True, kw_only=True)
class Network:
    host: Host
    links: tuple[Link, ...]
    reserved: tuple[IPv4Network, ...]
    disabled: tuple[Disabled, ...]
    flows: tuple[Flow, ...]
    tunnel: Tunnel
    world: World


def wire(
    estate: tuple[Document, RawEstate],
    links: tuple[Document, RawLinks],
    world: tuple[Document, RawWorld] | None,
    names: Names,
    profile: Profile,
) -> Network:
    """Bind the network. Raises SpecError with everything in it that does not fit together."""
    place, said = estate
    own = [Row(said=line, place=links[0], index=index) for index, line in enumerate(links[1].links)]
    around = [Row(said=line, place=world[0], index=index) for index, line in enumerate(world[1].links)] if world else []
    linkless = _linkless(names)
    inner = {c.name for c in names.containers} - set(linkless)
    taken = {*RESERVED, *inner, *linkless}
    enabled = [line for line in own if line.enabled]
    problems = [
        *row.ends(enabled, {*inner, HOST}, linkless),
        *row.ends((line for line in own if not line.enabled), {*taken, HOST}, {}),
        *row.ends(around, {HOST, *world[1].nodes} if world else set(), {}),
        *row.faults(place, said, own, around),
        *outside.uplink_faults(place, said, around),
        *outside.hub_faults(place, said, own, inner),
        *outside.tunnel_faults(place, said, taken),
        *outside.whitelist_faults(place, said, {*taken, *(world[1].nodes if world else ())}),
        *(outside.world_faults(world, said, around, taken, {image.name for image in names.images}) if world else ()),
        *(p for line in own for p in _flow_faults(line, said)),
    ]
    if problems:
        raise SpecError(problems)
    return Network(
        host=Host(**said.host.model_dump()),
        links=tuple(sorted((_link(line) for line in enabled), key=lambda link: link.name)),
        reserved=tuple(sorted(line.subnet for line in own if not line.enabled)),
        disabled=tuple(
            Disabled(name=line.name, nodes=(line.said.a.node, line.said.b.node), source=line.at("enabled"))
            for line in own
            if not line.enabled
        ),
        flows=tuple(
            sorted((*(flow for line in enabled for flow in _flows(line, said, profile)), *_asked(place, said, around)))
        ),
        tunnel=_tunnel(said),
        world=_world(world, around),
    )


def _linkless(names: Names) -> dict[str, tuple[str, str]]:
    disable = "enable it there, or say enabled: false of the link as well"
    disabled = {c.name: (f"which is disabled at {c.source}", disable) for c in names.containers if not c.enabled}
    none = "such a container has no links of its own"
    sidecars = {c.name: (f"which shares the namespace of `{c.shares}`", none) for c in names.containers if c.shares}
    return disabled | sidecars


def _flow_faults(line: Row, said: RawEstate) -> Iterator[Problem]:
    """Asked of both profiles at once, so that the lab finds what would be wrong on metal."""
    assert isinstance(line.said, RawLink)
    seen: dict[tuple[str, str, Port], Source] = {}
    for key, index, flow in line.said.flows(Profile.METAL):
        place = line.at(key, index)
        for text, hint in (*_unknown_ends(line, flow, said), *_nowhere(line, flow)):
            yield Problem(source=place, text=text, hint=hint)
        for source_node in _sources(flow, said):
            told = (source_node, flow.target, flow.port)
            if told in seen:
                text = f"flow {source_node} -> {flow.target} {flow.port} of link `{line.name}` is allowed twice"
                yield Problem(source=place, text=text, hint=f"it stands at {seen[told]} already")
            seen.setdefault(told, place)


def _unknown_ends(line: Row, flow: RawFlow, said: RawEstate) -> Iterator[tuple[str, str]]:
    named = {line.said.a.node: "a", line.said.b.node: "b"}
    openers = {"a", "b", WAN, LAN, PEERS, *said.tunnel.peers, *said.whitelists}
    for node, known in ((flow.source_node, openers), (flow.target, {"a", "b", WAN})):
        if node not in known:
            near = f"write {named[node]}" if node in named else closest(node, known)
            text = f"`{node}` is no end of link `{line.name}` and no group"
            yield text, near or "a flow is declared on the link of its target: a, b, wan, lan, peers"


def _nowhere(line: Row, flow: RawFlow) -> Iterator[tuple[str, str]]:
    if flow.source_node == flow.target or (flow.target == WAN and flow.source_node not in ("a", "b")):
        text = f"nothing goes from {flow.source_node} to {flow.target} over link `{line.name}`"
        yield text, "a flow joins the two ends, or one of them and the outside"


def _sources(flow: RawFlow, said: RawEstate) -> tuple[str, ...]:
    return tuple(said.tunnel.peers) if flow.source_node == PEERS else (flow.source_node,)


def _flows(line: Row, said: RawEstate, profile: Profile) -> Iterator[Flow]:
    assert isinstance(line.said, RawLink)
    ends = {"a": line.said.a.node, "b": line.said.b.node}
    for key, index, flow in line.said.flows(profile):
        for source in _sources(flow, said):
            yield _flow(line, ends.get(source, source), ends.get(flow.target, flow.target), flow, line.at(key, index))


def _flow(line: Row, source_node: str, target: str, said: RawFlow, source: Source) -> Flow:
    return Flow(source_node=source_node, target=target, port=said.port, link=line.said.name, source=source)


def _asked(place: Document, said: RawEstate, around: Iterable[Row]) -> Iterator[Flow]:
    """The one flow that no row declares: the host asks its resolver. In the lab a node of the world answers."""
    resolver = said.host.resolver
    if resolver is not None:
        nodes = (end.node for line in around for _, end in line.ends if end.address == resolver)
        yield Flow(
            source_node=HOST,
            target=next(nodes, LAN if resolver in said.host.lan else WAN),
            port=Port(protocol=Protocol.UDP, number=53),
            link=said.host.uplink,
            source=place.at("host", "resolver"),
        )


def _link(line: Row) -> Link:
    name = line.said.name
    a, b = (Endpoint(node=end.node, link=name, ifname=naming.ifname(name), address=end.address) for _, end in line.ends)
    return Link(name=name, a=a, b=b, source=line.at("name"))


def _tunnel(said: RawEstate) -> Tunnel:
    peers = (Peer(name=n, address=p.address, public_key=p.public_key) for n, p in said.tunnel.peers.items())
    return Tunnel(
        hub=said.tunnel.hub,
        ifname=TUNNEL_INTERFACE,
        subnet=said.tunnel.subnet,
        address=said.tunnel.address,
        port=said.tunnel.port,
        peers=tuple(sorted(peers)),
    )


def _world(world: tuple[Document, RawWorld] | None, rows: Iterable[Row]) -> World:
    if world is None:
        return World(nodes=(), links=())
    nodes = (
        WorldNode(
            name=name,
            forwards=node.forwards,
            gateway=node.gateway,
            routes=tuple(sorted((network, via) for network, via in node.routes.items())),
            zone=node.zone,
            records=tuple(sorted(node.records.items())),
        )
        for name, node in world[1].nodes.items()
    )
    return World(
        nodes=tuple(sorted(nodes, key=lambda node: node.name)),
        links=tuple(sorted((_link(line) for line in rows), key=lambda link: link.name)),
    )
