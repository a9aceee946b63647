"""Ideal evidence: what a capture would see if everything were as the user's estate says, made without provision.

The judges' tests break one thing of it at a time.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from fixtures.judge.capability import bits
from fixtures.judge.container import WHOLE
from fixtures.judge.listener import ports
from fixtures.judge.mount import BIND, HIDDEN, IDMAPPED, TMPFS
from fixtures.judge.route import LO, RULES, declared_routes
from fixtures.judge.workload import containers, named, node_of, of_node, runs, waiver
from fixtures.observe.address import Address
from fixtures.observe.cgroup import Limits
from fixtures.observe.container import CAPABILITY_SETS, Contained, Span
from fixtures.observe.evidence import FORMAT, Bound, Evidence, Namespace
from fixtures.observe.link import IFF_LOOPBACK, IFF_NOARP, IFF_UP, Interface
from fixtures.observe.mount import MountPoint
from fixtures.observe.process import Process
from fixtures.observe.ruleset import Ruleset
from fixtures.observe.socket import Listener
from fixtures.observe.tunnel import Tunnel, TunnelPeer
from fixtures.observe.whitelist import Resolution
from specs.instance import Instance
from specs.load import load
from specs.model import LOG_BYTES, TUNNEL_INTERFACE, Container, Estate, SourceKind
from specs.naming import altname, netns
from specs.sysctls import every, interfaces
from specs.topology import Kind, Node, nodes
from tests.unit.ideal_ruleset import listing

ESTATE = load()
INSTANCE = Instance(name="unit")


@cache
def ideal(estate: Estate = ESTATE, *, kernel_wireguard: bool = False) -> Evidence:
    tunnel = "wireguard" if kernel_wireguard else "tun"
    places = tuple(_namespace(estate, node, inode, tunnel) for inode, node in enumerate(nodes(estate), start=1000))
    running = [each for each in containers(estate) if runs(estate, each, kernel_wireguard=kernel_wireguard)]
    found = tuple(_container(estate, each, place, places) for place, each in enumerate(running))
    return Evidence(
        format=FORMAT,
        instance=INSTANCE.name,
        taken="2026-01-01T00:00:00.000+00:00",
        seconds=0.1,
        kernel_wireguard=kernel_wireguard,
        namespaces=places,
        machine=(),
        names=tuple(Bound(name=each.name, inode=each.inode) for each in places),
        processes=tuple(
            Process(pid=each.pid, parent=1, name="x", command=("x",), netns=(each.netns,), userns=each.userns)
            for each in found
        ),
        containers=found,
        stored=tuple(each.name for each in found),
        foreign=(),
        resolutions=tuple(
            Resolution(name=name, addresses=(str(address),), before=(), since=0.0)
            for node in estate.world.nodes
            for name, address in node.records
        ),
    )


def node_named(name: str) -> Node:
    return next(node for node in nodes(ESTATE) if node.name == name)


def _namespace(estate: Estate, node: Node, inode: int, tunnel: str) -> Namespace:
    known = [("lo", LO), *((end.ifname, end.interface) for end in node.endpoints)]
    if node.tunnel:
        known.append((TUNNEL_INTERFACE, node.tunnel))
    waiting = {*ports(estate, node)}
    peer = [Listener(protocol="udp", address="0.0.0.0", port=40000)] if node.kind is Kind.PEER else []
    return Namespace(
        name=netns(INSTANCE.name, node.name),
        inode=inode,
        interfaces=tuple(_interface(estate, node, name, tunnel) for name in interfaces(node)),
        addresses=tuple(
            Address(ifname=name, local=str(one.ip), peer=str(one.ip), prefix=one.network.prefixlen)
            for name, one in known
        ),
        routes=tuple(declared_routes(node)),
        rules=RULES,
        neighbours=(),
        qdiscs=(),
        sysctls=dict(every(node)),
        ruleset=Ruleset(generation=2, listing=listing(estate, node)),
        listeners=(
            *peer,
            *(Listener(protocol=port.protocol, address="0.0.0.0", port=port.number) for port in waiting),
            *(
                Listener(protocol="tcp", address="127.0.0.1", port=each.loopback)
                for each in of_node(estate, node.name)
                if each.loopback
            ),
        ),
        tunnels=(_tunnel(estate, node),) if node.tunnel else (),
    )


def _tunnel(estate: Estate, node: Node) -> Tunnel:
    hub, ifname = estate.tunnel.hub, estate.tunnel.ifname
    if node.name == hub:
        known = [(each.name, f"{each.address}/32") for each in estate.tunnel.peers]
    else:
        known = [(hub, "0.0.0.0/0")]
    peers = tuple(TunnelPeer(public_key=public(name), allowed=(allowed,), preshared=True) for name, allowed in known)
    port = estate.tunnel.port if node.name == hub else 40000
    return Tunnel(ifname=ifname, peers=tuple(sorted(peers)), public_key=public(node.name), port=port)


def public(node: str) -> str:
    """A public key for the WireGuard device of a node, hexadecimal."""
    return hashlib.sha256(node.encode()).hexdigest()


def _interface(estate: Estate, node: Node, name: str, tunnel: str) -> Interface:
    plain: dict[str, Any] = {"name": name, "altnames": (), "master": 0, "peer": None, "peer_index": 0, "xdp": False}
    if name == "lo":
        return Interface(**plain, index=1, kind="loopback", mtu=65536, flags=IFF_UP | IFF_LOOPBACK)
    if name == TUNNEL_INTERFACE:
        return Interface(**plain, index=2, kind=tunnel, mtu=1420, flags=IFF_UP | IFF_NOARP)
    end = next(end for end in node.endpoints if end.ifname == name)
    far, long = estate.link(end.link).far(node.name), altname(end.link)
    index = _index(estate, name)
    plain |= {"peer": netns(INSTANCE.name, far.node), "peer_index": index, "altnames": (long,) if long else ()}
    return Interface(**plain, index=index, kind="veth", mtu=1500, flags=IFF_UP)


def _index(estate: Estate, ifname: str) -> int:
    return 10 + [wire.ifname for wire in estate.wires].index(ifname)


def _container(estate: Estate, declared: Container, place: int, places: tuple[Namespace, ...]) -> Contained:
    exception = waiver(declared, kernel_wireguard=False)
    first = 2**31 + place * 2**16
    own = (Span(inside=0, outside=first, count=2**16),)
    capabilities = bits((*declared.capabilities, *(exception.capabilities if exception else ())))
    home = netns(INSTANCE.name, node_of(declared))
    return Contained(
        name=named(INSTANCE.name, declared),
        identity=f"{place:064x}",
        pid=5000 + place,
        members=(5000 + place,),
        netns=next(each.inode for each in places if each.name == home),
        userns=9000 + place,
        uid=0 if exception else first + declared.user,
        gid=0 if exception else first + declared.user,
        groups=(),
        capabilities=dict.fromkeys(CAPABILITY_SETS, 0) | {"CapBnd": capabilities, "CapEff": capabilities},
        no_new_privileges=True,
        seccomp=2,
        uid_map=WHOLE if exception else own,
        gid_map=WHOLE if exception else own,
        mounts=tuple(_mounts(estate, declared)),
        devices=("/dev/null", *(str(device) for device in (exception.devices if exception else ()))),
        resolv_conf="",
        hosts=f"127.0.0.1 localhost {declared.name}\n",
        limits=Limits(memory=declared.limits.memory, pids=declared.limits.pids, cpus=declared.limits.cpus),
        log_bytes=LOG_BYTES,
    )


def _mounts(estate: Estate, declared: Container) -> Iterator[MountPoint]:
    image = estate.image(declared.image)
    yield _mount("/", "overlay", "/", "ro")
    yield _mount("/proc", "proc", "/", "rw", "nosuid")
    yield _mount("/proc/keys", "devtmpfs", "/null", "rw")
    for at in HIDDEN:
        yield _mount(at, "tmpfs", "/", "ro", *TMPFS)
    for mount in declared.mounts:
        volume = INSTANCE.home / "volumes" / mount.origin
        source = volume if mount.kind is SourceKind.VOLUME else INSTANCE.home / f"host{mount.origin}"
        mapped = () if mount.owner is None else (IDMAPPED,)
        yield _mount(str(mount.at), "ext4", str(source), "rw" if mount.writable else "ro", *BIND, *mapped)
    for path in declared.tmpfs:
        yield _mount(str(path), "tmpfs", "/", "rw", *TMPFS)
    bases = [estate.image(image.base)] if image.base else []
    for at in {str(each.at) for one in (image, *bases) for each in one.rendered}:
        yield _mount(at, "ext4", "/somewhere", "ro", *BIND)


def _mount(at: str, filesystem: str, root: str, *options: str) -> MountPoint:
    return MountPoint(
        at=at, root=root, device="8:1" if filesystem == "ext4" else "0:1", filesystem=filesystem, options=options
    )
