"""What can be wrong around the links: the host's uplink, the tunnel and its peers, the lab's world."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network

from specs.document import Document
from specs.model import HOST, WAN
from specs.problems import Problem, closest
from specs.raw import RawEstate, RawWorld
from specs.row import Row
from specs.values import RawEnd
from specs.world import RESOLVER_IMAGE


def uplink_faults(place: Document, said: RawEstate, around: list[Row]) -> Iterator[Problem]:
    """The lab's link that stands for the host's uplink bears its name and addresses."""
    host = said.host
    for key, address in (("address", host.address), ("gateway", host.gateway)):
        if address not in host.lan:
            text = f"the host's {key} {address} is not in its LAN {host.lan}"
            yield Problem(source=place.at("host", key), text=text, hint="lan: is the network the uplink stands in")
    if host.address == host.gateway:
        text = f"the host is its own gateway {host.gateway}"
        yield Problem(source=place.at("host", "gateway"), text=text, hint="the gateway is the router's address")
    ends = {end for row in around for _, end in row.ends if row.name == host.uplink}
    if around and (RawEnd(HOST, host.address) not in ends or host.gateway not in {end.address for end in ends}):
        yield Problem(
            source=place.at("host", "uplink"),
            text=f"lab.yaml has no link `{host.uplink}` between {host.gateway} and host {host.address}",
            hint="the lab's link from the router to the host bears the uplink's name",
        )


def hub_faults(place: Document, said: RawEstate, own: list[Row], known: Collection[str]) -> Iterator[Problem]:
    """The two hubs are containers, and stand behind the host."""
    edges = {end.node for row in own for _, end in row.ends if HOST in {other.node for _, other in row.ends}}
    for key, name in (("tunnel", said.tunnel.hub), ("site", said.site.edge)):
        source = place.at(key, "hub" if key == "tunnel" else "edge")
        if name not in known:
            yield Problem(source=source, text=f"unknown container `{name}`", hint=closest(name, known))
        elif name not in edges:
            text = f"`{name}` has no link to the host, so nothing from outside reaches it"
            yield Problem(source=source, text=text, hint=f"add a link between host and {name}")


def tunnel_faults(place: Document, said: RawEstate, taken: Collection[str]) -> Iterator[Problem]:
    """`taken`: the names that a peer cannot have."""
    tunnel = said.tunnel
    yield from _in_tunnel(place, tunnel.subnet, tunnel.address, f"`{tunnel.hub}`", ("tunnel", "address"))
    used, keys = {tunnel.address: tunnel.hub}, dict[str, str]()
    for name, peer in tunnel.peers.items():
        source = place.at("tunnel", "peers", name)
        if name in taken:
            hint = "a container, a group or an end of a link bears it"
            yield Problem(source=source, text=f"duplicate name `{name}`: a peer needs one of its own", hint=hint)
        yield from _in_tunnel(place, tunnel.subnet, peer.address, f"peer `{name}`", ("tunnel", "peers", name))
        if peer.address in used:
            text = f"{peer.address} of peer `{name}` is taken by `{used[peer.address]}`"
            yield Problem(source=source, text=text, hint=f"give it a free one of {tunnel.subnet}")
        if peer.public_key is not None and peer.public_key in keys:
            text = f"peer `{name}` has the public key of peer `{keys[peer.public_key]}`"
            yield Problem(source=source, text=text, hint="WireGuard tells peers apart by their keys: make another")
        used.setdefault(peer.address, name)
        keys.setdefault(peer.public_key or "", name)


def whitelist_faults(place: Document, said: RawEstate, taken: Collection[str]) -> Iterator[Problem]:
    """`taken`: the names that a whitelist cannot have, beside the peers'."""
    for name in said.whitelists:
        if name in {*taken, *said.tunnel.peers}:
            hint = "a container, a group, a peer or an end of a link bears it"
            text = f"duplicate name `{name}`: a whitelist needs one of its own"
            yield Problem(source=place.at("whitelists", name), text=text, hint=hint)


def _in_tunnel(
    place: Document, subnet: IPv4Network, address: IPv4Address, whose: str, path: tuple[str, ...]
) -> Iterator[Problem]:
    if address not in subnet:
        text = f"{address} of {whose} is not in the tunnel's subnet {subnet}"
        yield Problem(source=place.at(*path), text=text, hint="move it, or widen the subnet")
    elif subnet.prefixlen < 31 and address in (subnet.network_address, subnet.broadcast_address):
        text = f"{address} of {whose} is the subnet's own network or broadcast address"
        yield Problem(source=place.at(*path), text=text, hint=f"take one between them, such as {subnet[1]}")


def world_faults(
    world: tuple[Document, RawWorld],
    said: RawEstate,
    around: list[Row],
    taken: Collection[str],
    images: Collection[str],
) -> Iterator[Problem]:
    """`taken`: the names that a node of the lab cannot have; `wan` it can."""
    place, lab = world
    known = {*lab.nodes, HOST}
    joined = {frozenset(end.node for _, end in row.ends) for row in around}
    for name, node in lab.nodes.items():
        if name in taken and name != WAN:
            hint = "a container, a group or an end of a link bears it"
            yield Problem(source=place.at("nodes", name), text=f"duplicate name `{name}`", hint=hint)
        if node.records and RESOLVER_IMAGE not in images:
            text = f"`{name}` has records, and there is no image `{RESOLVER_IMAGE}`"
            yield Problem(source=place.at("nodes", name, "records"), text=text, hint="it answers for them: add it")
        ways = [("gateway", node.gateway), *(("routes", via) for via in node.routes.values())]
        for key, neighbour in ways:
            source = place.at("nodes", name, key)
            if neighbour is not None and neighbour not in known:
                yield Problem(source=source, text=f"unknown node `{neighbour}`", hint=closest(neighbour, known))
            elif neighbour is not None and frozenset((name, neighbour)) not in joined:
                text = f"`{neighbour}` is no neighbour of `{name}`, so no route goes through it"
                yield Problem(source=source, text=text, hint="add a link between them in lab.yaml")
    answering = {end.node for row in around for _, end in row.ends if end.address == said.host.resolver}
    if said.host.resolver is not None and not any(
        name in answering and node.records for name, node in lab.nodes.items()
    ):
        text = f"no node of the lab answers at the host's resolver {said.host.resolver}"
        yield Problem(source=place.at("nodes"), text=text, hint="add one with records:, and a link with that address")
    for peer in said.tunnel.peers:
        if peer not in lab.nodes:
            yield Problem(source=place.at("nodes"), text=f"peer `{peer}` has no node in the lab", hint=f"add {peer}:")
