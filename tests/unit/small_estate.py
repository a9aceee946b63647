"""A small resolved estate made by hand: an edge with two sites and a stream, a hub with two peers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from specs.model import (
    Container,
    Endpoint,
    Estate,
    Flow,
    Headers,
    Host,
    Limits,
    Link,
    Module,
    Peer,
    Port,
    Profile,
    Protocol,
    Site,
    Source,
    Tunnel,
    Web,
)

HERE = Source(file="small.yaml", line=1)


def container(
    name: str, *, image: str = "lighttpd", web: Web | None = None, stream: int | None = None, shares: str | None = None
) -> Container:
    return Container(
        name=name,
        module="small",
        image=image,
        enabled=True,
        shares=shares,
        depends_on=(),
        mounts=(),
        tmpfs=(),
        web=web,
        stream=stream,
        health=None,
        limits=Limits(memory=1 << 26, pids=16, cpus=0.5),
        capabilities=(),
        user=1000,
        root_reason=None,
        waiver=None,
        source=HERE,
    )


def link(name: str, a: str, b: str, first: str) -> Link:
    start = IPv4Address(first)
    ends = [Endpoint(node=node, link=name, ifname=name, address=start + step) for step, node in enumerate((a, b))]
    return Link(name=name, a=ends[0], b=ends[1], source=HERE)


def flow(source: str, target: str, port: int, through: str, protocol: Protocol = Protocol.TCP) -> Flow:
    return Flow(source_node=source, target=target, port=Port(protocol=protocol, number=port), link=through, source=HERE)


CONTAINERS = (
    container("edge", image="caddy"),
    container("stream", image="haproxy", shares="edge"),
    container("darkroom", web=Web(path="/", port=8080)),
    container("weblog", web=Web(path="/blog/", port=8080)),
    container("drafts", web=Web(path="/blog/drafts/", port=8081)),
    container("unreached", web=Web(path="/unreached/", port=8080)),
    container("game", image="game", stream=25565),
    container("hub", image="wireguard"),
)
LINKS = (
    link("host-pub", "host", "edge", "192.168.100.0"),
    link("host-priv", "host", "hub", "192.168.101.0"),
    link("pub-darkroom", "edge", "darkroom", "172.16.1.0"),
    link("pub-weblog", "edge", "weblog", "172.16.2.0"),
    link("pub-drafts", "edge", "drafts", "172.16.3.0"),
    link("priv-drafts", "hub", "drafts", "10.1.3.0"),
    link("pub-game", "edge", "game", "172.16.5.0"),
)
FLOWS = (
    flow("wan", "edge", 80, "host-pub"),
    flow("wan", "edge", 443, "host-pub"),
    flow("wan", "edge", 25565, "host-pub"),
    flow("edge", "darkroom", 8080, "pub-darkroom"),
    flow("edge", "weblog", 8080, "pub-weblog"),
    flow("edge", "drafts", 8081, "pub-drafts"),
    flow("laptop", "drafts", 8080, "priv-drafts"),
    flow("edge", "game", 25565, "pub-game"),
)


def estate(profile: Profile = Profile.LAB) -> Estate:
    return Estate(
        name="small",
        profile=profile,
        folder="/nowhere",
        host=Host(
            uplink="eth0",
            address=IPv4Address("192.168.1.1"),
            gateway=IPv4Address("192.168.1.0"),
            lan=IPv4Network("192.168.1.0/24"),
        ),
        modules=(Module(name="small", purpose="", prospective=False, volumes=(), containers=CONTAINERS),),
        images=(),
        links=LINKS,
        flows=FLOWS,
        tunnel=Tunnel(
            hub="hub",
            ifname="wg0",
            subnet=IPv4Network("10.100.0.0/24"),
            address=IPv4Address("10.100.0.1"),
            port=51820,
            peers=(
                Peer(name="laptop", address=IPv4Address("10.100.0.2"), public_key=None),
                Peer(name="phone", address=IPv4Address("10.100.0.3"), public_key=None),
            ),
        ),
        site=Site(
            edge="edge",
            hostname="small.example",
            methods=("GET", "POST", "HEAD"),
            headers=Headers(
                put=(("Strict-Transport-Security", "max-age=1"), ("X-Says", 'he "said" so')), hidden=("Server", "Via")
            ),
        ),
    )
