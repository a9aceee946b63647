"""The network phase: links, addresses, interface names and flows' ends, against the names of specs.bind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations

from specs import naming
from specs.bind import Names
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
    Profile,
    Source,
    Tunnel,
    World,
    WorldNode,
)
from specs.problems import Problem, SpecError, closest
from specs.raw import RawEstate, RawLink, RawLinks, RawWire, RawWorld
from specs.values import RawEnd, RawFlow


@dataclass(frozen=True, kw_only=True)
class Network:
    host: Host
    links: tuple[Link, ...]
    flows: tuple[Flow, ...]
    tunnel: Tunnel
    world: World


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A link's row, and where it stands."""

    said: RawWire
    place: Document
    index: int

    def at(self, *path: str | int) -> Source:
        return self.place.at("links", self.index, *path)

    @property
    def ends(self) -> tuple[tuple[str, RawEnd], ...]:
        return (("a", self.said.a), ("b", self.said.b))


def wire(
    estate: tuple[Document, RawEstate],
    links: tuple[Document, RawLinks],
    world: tuple[Document, RawWorld] | None,
    names: Names,
    profile: Profile,
) -> Network:
    """Bind the network. Raises SpecError with everything in it that does not fit together."""
    place, said = estate
    own = [_Row(said=row, place=links[0], index=index) for index, row in enumerate(links[1].links)]
    around = [_Row(said=row, place=world[0], index=index) for index, row in enumerate(world[1].links)] if world else []
    inner = {c.name for c in names.containers if c.enabled and c.shares is None} | {HOST}
    outer = {HOST, *world[1].nodes} if world else set()
    problems = [
        *_ends(own, inner),
        *_ends(around, outer),
        *_told_twice([*own, *around]),
        *_interfaces([*own, *around], said),
        *_pairs([*own, *around]),
        *_overlaps(place, said, own, around),
        *_uplink(place, said, around),
        *_tunnel_faults(place, said, inner),
        *(_world_faults(world, said) if world else ()),
        *(p for row in own for p in _flow_ends(row, said, profile)),
    ]
    if problems:
        raise SpecError(problems)
    return Network(
        host=Host(**said.host.model_dump()),
        links=tuple(sorted((_link(row) for row in own), key=lambda link: link.name)),
        flows=tuple(sorted({flow for row in own for flow in _flows(row, said, profile)})),
        tunnel=_tunnel(said),
        world=_world(world, around),
    )


def _ends(rows: Iterable[_Row], known: set[str]) -> Iterator[Problem]:
    for row in rows:
        for key, end in row.ends:
            if end.node not in known:
                yield Problem(
                    source=row.at(key),
                    text=f"link `{row.said.name}` ends in unknown container `{end.node}`",
                    hint=closest(end.node, known) or "a disabled container and a sidecar have no links",
                )
        if row.said.a.node == row.said.b.node:
            yield Problem(source=row.at("b"), text=f"link `{row.said.name}` begins and ends in `{row.said.a.node}`")


def _told_twice(rows: Iterable[_Row]) -> Iterator[Problem]:
    seen: dict[str, Source] = {}
    for row in rows:
        source = row.at("name")
        if row.said.name in seen:
            hint = f"it stands at {seen[row.said.name]} already"
            yield Problem(source=source, text=f"duplicate name `{row.said.name}`", hint=hint)
        seen.setdefault(row.said.name, source)


def _interfaces(rows: Iterable[_Row], said: RawEstate) -> Iterator[Problem]:
    """No two interfaces of one name: both ends of a link bear its name, so it is asked of the whole estate."""
    taken = {"lo": "the loopback", TUNNEL_INTERFACE: "the tunnel"}
    for row in rows:
        name, short = row.said.name, naming.ifname(row.said.name)
        if taken.get(short, name) != name:
            text = f"`{name}` and `{taken[short]}` both shorten to the interface name `{short}`"
            yield Problem(source=row.at("name"), text=text, hint="an interface name has 15 characters: rename one")
        taken.setdefault(short, name)


def _pairs(rows: Iterable[_Row]) -> Iterator[Problem]:
    for row in rows:
        low, high = sorted(end.address for _, end in row.ends)
        if IPv4Network((int(low) & ~1, 31)) != IPv4Network((int(high) & ~1, 31)) or low == high:
            yield Problem(
                source=row.at("b"),
                text=f"{row.said.a.address} and {row.said.b.address} of link `{row.said.name}` are no /31 pair",
                hint="a /31 is an even address and the next one, such as 172.16.4.0 and 172.16.4.1",
            )


def _overlaps(place: Document, said: RawEstate, own: list[_Row], around: list[_Row]) -> Iterator[Problem]:
    nets = [(_subnet(row), f"link `{row.said.name}`", row.at("a")) for row in own]
    nets.append((said.host.lan, "the LAN", place.at("host", "lan")))
    nets.append((said.tunnel.subnet, "the tunnel", place.at("tunnel", "subnet")))
    wan = [row for row in around if not _subnet(row).subnet_of(said.host.lan)]
    nets += [(_subnet(row), f"link `{row.said.name}`", row.at("a")) for row in wan]
    for (one, first, _), (other, second, source) in combinations(nets, 2):
        if one.overlaps(other):
            yield Problem(source=source, text=f"{other} of {second} overlaps {one} of {first}", hint="move one of them")


def _uplink(place: Document, said: RawEstate, around: list[_Row]) -> Iterator[Problem]:
    """The lab's link that stands for the host's uplink bears its name and addresses."""
    if said.host.address not in said.host.lan or said.host.gateway not in said.host.lan:
        yield Problem(source=place.at("host", "address"), text=f"the host's uplink is not in its LAN {said.host.lan}")
    ends = {end for row in around for _, end in row.ends if row.said.name == said.host.uplink}
    if around and RawEnd(HOST, said.host.address) not in ends:
        yield Problem(
            source=place.at("host", "uplink"),
            text=f"lab.yaml has no link `{said.host.uplink}` that ends in host {said.host.address}",
            hint="the lab's link from the router to the host bears the uplink's name",
        )


def _tunnel_faults(place: Document, said: RawEstate, known: set[str]) -> Iterator[Problem]:
    tunnel = said.tunnel
    if tunnel.hub not in known:
        hint = closest(tunnel.hub, known)
        yield Problem(source=place.at("tunnel", "hub"), text=f"unknown container `{tunnel.hub}`", hint=hint)
    if said.site.edge not in known:
        hint = closest(said.site.edge, known)
        yield Problem(source=place.at("site", "edge"), text=f"unknown container `{said.site.edge}`", hint=hint)
    used = {tunnel.address: tunnel.hub}
    for name, peer in tunnel.peers.items():
        source = place.at("tunnel", "peers", name)
        if name in known or name in (WAN, LAN, PEERS):
            yield Problem(source=source, text=f"duplicate name `{name}`: a peer needs one of its own")
        if peer.address not in tunnel.subnet:
            yield Problem(source=source, text=f"{peer.address} of peer `{name}` is not in {tunnel.subnet}")
        if peer.address in used:
            yield Problem(source=source, text=f"{peer.address} of peer `{name}` is taken by `{used[peer.address]}`")
        used.setdefault(peer.address, name)


def _world_faults(world: tuple[Document, RawWorld], said: RawEstate) -> Iterator[Problem]:
    place, around = world
    known = {*around.nodes, HOST}
    for name, node in around.nodes.items():
        for neighbour in (node.gateway, *node.routes.values()):
            if neighbour is not None and neighbour not in known:
                hint = closest(neighbour, known)
                yield Problem(source=place.at("nodes", name), text=f"unknown node `{neighbour}`", hint=hint)
    for peer in said.tunnel.peers:
        if peer not in around.nodes:
            yield Problem(source=place.at("nodes"), text=f"peer `{peer}` has no node in the lab", hint=f"add {peer}:")


def _flow_ends(row: _Row, said: RawEstate, profile: Profile) -> Iterator[Problem]:
    assert isinstance(row.said, RawLink)
    peers = set(said.tunnel.peers)
    for key, index, flow in row.said.flows(profile):
        for node, known in ((flow.source_node, {"a", "b", WAN, LAN, PEERS, *peers}), (flow.target, {"a", "b", WAN})):
            if node not in known:
                yield Problem(
                    source=row.at(key, index),
                    text=f"`{node}` is no end of link `{row.said.name}` and no group",
                    hint=closest(node, known) or "a flow is declared on the link of its target: a, b, wan, lan, peers",
                )


def _flows(row: _Row, said: RawEstate, profile: Profile) -> Iterator[Flow]:
    assert isinstance(row.said, RawLink)
    ends = {"a": row.said.a.node, "b": row.said.b.node}
    for key, index, flow in row.said.flows(profile):
        sources = tuple(said.tunnel.peers) if flow.source_node == PEERS else (flow.source_node,)
        for source in sources:
            yield _flow(row, ends.get(source, source), ends.get(flow.target, flow.target), flow, row.at(key, index))


def _flow(row: _Row, source_node: str, target: str, said: RawFlow, source: Source) -> Flow:
    return Flow(source_node=source_node, target=target, port=said.port, link=row.said.name, source=source)


def _subnet(row: _Row) -> IPv4Network:
    return IPv4Network((int(row.said.a.address) & ~1, 31))


def _link(row: _Row) -> Link:
    name = row.said.name
    a, b = (Endpoint(node=end.node, link=name, ifname=naming.ifname(name), address=end.address) for _, end in row.ends)
    return Link(name=name, a=a, b=b, source=row.at("name"))


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


def _world(world: tuple[Document, RawWorld] | None, rows: Iterable[_Row]) -> World:
    if world is None:
        return World(nodes=(), links=())
    nodes = (
        WorldNode(
            name=name,
            forwards=node.forwards,
            gateway=node.gateway,
            routes=tuple(sorted((IPv4Network(network), via) for network, via in node.routes.items())),
            zone=node.zone,
        )
        for name, node in world[1].nodes.items()
    )
    return World(
        nodes=tuple(sorted(nodes, key=lambda node: node.name)),
        links=tuple(sorted((_link(row) for row in rows), key=lambda link: link.name)),
    )
