"""What the YAML files may say: strict shapes, nothing unknown, each value parsed at the border.

These types know YAML and nothing of each other's names; specs.load binds them. The JSON Schemas for editors
are generated from them (`python -m provision schema`).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from specs.model import Port, Profile, Protocol, Renderer, When

NAME = re.compile(r"[a-z][a-z0-9-]*")
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_NAME_RULE = "lower-case letters, digits and dashes, beginning with a letter"
_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")


class RawEnd(NamedTuple):
    node: str
    address: IPv4Address


class RawFlow(NamedTuple):
    source_node: str
    target: str
    port: Port


def _name(value: object) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(f"`{value}` is no name: {_NAME_RULE}")
    return value


def _port(value: str) -> Port:
    protocol, _, number = value.partition("/")
    if protocol not in tuple(Protocol) or not number.isdecimal():
        raise ValueError(f"`{value}` is no port: write tcp/443 or udp/51820")
    if not 1 <= int(number) <= 65535:
        raise ValueError(f"port {number} is out of range: 1 to 65535")
    return Port(protocol=Protocol(protocol), number=int(number))


def _end(value: object) -> RawEnd:
    words = value.split() if isinstance(value, str) else []
    if len(words) != 2:
        raise ValueError(f"`{value}` is no end of a link: write its node and its address, such as git-web 172.16.4.1")
    return RawEnd(_name(words[0]), _address(words[1]))


def _flow(value: object) -> RawFlow:
    words = value.split() if isinstance(value, str) else []
    if len(words) != 4 or words[1] != "->":
        raise ValueError(f"`{value}` is no flow: write who opens it, to whom, and the port, such as a -> b tcp/8080")
    return RawFlow(_name(words[0]), _name(words[2]), _port(words[3]))


def _address(value: object) -> IPv4Address:
    try:
        return IPv4Address(str(value))
    except ValueError as error:
        raise ValueError(f"`{value}` is no IPv4 address") from error


def _network(value: object) -> IPv4Network:
    try:
        return IPv4Network(str(value))
    except ValueError as error:
        raise ValueError(f"`{value}` is no IPv4 network: {error}") from error


def _size(value: object) -> int:
    match = re.fullmatch(r"(\d+)([KMG]?)", str(value))
    if not match or int(match[1]) == 0:
        raise ValueError(f"`{value}` is no size: write bytes, or a number with K, M or G, such as 128M")
    return int(match[1]) * _UNITS[match[2]]


def _absolute(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/") or ".." in value.split("/") or "\0" in value:
        raise ValueError(f"`{value}` is no absolute path")
    return value if value == "/" else value.rstrip("/")


def _web_path(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/(?:[A-Za-z0-9._~-]+/)*", value):
        raise ValueError(f"`{value}` is no site path: it begins and ends with /, such as /git/")
    return value


def _public_key(value: object) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise ValueError("no WireGuard public key: 44 characters of base64, as `wg pubkey` prints them")
    return value


def _text_schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Name = Annotated[str, BeforeValidator(_name), _text_schema(f"^{NAME.pattern}$")]
End = Annotated[RawEnd, BeforeValidator(_end), _text_schema(r"^\S+ \d+\.\d+\.\d+\.\d+$")]
Allow = Annotated[RawFlow, BeforeValidator(_flow), _text_schema(r"^\S+ -> \S+ (tcp|udp)/\d+$")]
Address = Annotated[IPv4Address, BeforeValidator(_address)]
Network = Annotated[IPv4Network, BeforeValidator(_network), _text_schema(r"^\d+\.\d+\.\d+\.\d+/\d+$")]
Size = Annotated[int, BeforeValidator(_size), _text_schema(r"^\d+[KMG]?$")]
Absolute = Annotated[str, BeforeValidator(_absolute), _text_schema("^/")]
UrlPath = Annotated[str, Field(pattern=r"^/[!-~]*$")]
WebPath = Annotated[str, BeforeValidator(_web_path), _text_schema("^/")]
PublicKey = Annotated[str, BeforeValidator(_public_key), _text_schema(f"^{_KEY.pattern}$")]
Number = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, Field(min_length=1)]


class Raw(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )


class RawHost(Raw):
    uplink: Name
    address: Address
    gateway: Address
    lan: Network


class RawPeer(Raw):
    address: Address
    public_key: PublicKey | None = None


class RawTunnel(Raw):
    hub: Name
    subnet: Network
    address: Address
    port: Number
    peers: dict[Name, RawPeer]


class RawHeaders(Raw):
    put: dict[Text, Text] = Field(default={}, alias="set")
    hidden: list[Text] = []


class RawSite(Raw):
    edge: Name
    hostname: Text
    methods: list[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]]
    headers: RawHeaders = RawHeaders()


class RawEstate(Raw):
    estate: Name
    host: RawHost
    tunnel: RawTunnel
    site: RawSite


class RawWire(Raw):
    name: Name
    a: End
    b: End


class RawLink(RawWire):
    allow: list[Allow] = []
    metal: list[Allow] = []  # flows of the metal profile alone

    def flows(self, profile: Profile) -> list[tuple[str, int, RawFlow]]:
        """The flows in force: the key they stand under, their place in it, and what they say."""
        always = [("allow", index, flow) for index, flow in enumerate(self.allow)]
        metal = [("metal", index, flow) for index, flow in enumerate(self.metal)]
        return always + metal if profile is Profile.METAL else always


class RawLinks(Raw):
    links: list[RawLink]


class RawWorldNode(Raw):
    zone: Literal["wan", "lan"]
    forwards: bool = False
    gateway: Name | None = None
    routes: dict[Text, Name] = {}


class RawWorld(Raw):
    nodes: dict[Name, RawWorldNode]
    links: list[RawWire]


class RawMount(Raw):
    volume: Name | None = None
    host: Absolute | None = None
    at: Absolute
    mode: Literal["ro", "rw"] = "ro"


class RawLimits(Raw):
    memory: Size
    pids: Annotated[int, Field(ge=1)]
    cpus: Annotated[float, Field(gt=0, strict=False)]


class RawHealth(Raw):
    get: UrlPath | None = None
    connect: Number | None = None
    handshake: Literal[True] | None = None
    port: Number | None = None
    status: Annotated[int, Field(ge=100, le=599)] = 200


class RawWeb(Raw):
    path: WebPath
    port: Number


class RawWaiver(Raw):
    reason: Text
    when: Annotated[When, Field(strict=False)] = When.ALWAYS
    userns: Literal["own", "host"] = "own"
    user: Annotated[int, Field(ge=0, le=65535)] | None = None
    capabilities: list[Text] = []
    devices: list[Absolute] = []


class RawContainer(Raw):
    image: Name
    enabled: bool = True
    shares: Name | None = None
    depends_on: list[Name] = []
    mounts: list[RawMount] = []
    tmpfs: list[Absolute] = []
    web: RawWeb | None = None
    stream: Number | None = None
    health: RawHealth | None = None
    limits: RawLimits
    capabilities: list[Text] = []
    user: Annotated[int, Field(ge=0, le=65535)] = 1000
    root_reason: Text | None = None
    waiver: RawWaiver | None = None


class RawModule(Raw):
    module: Name
    purpose: Text
    prospective: bool = False
    volumes: list[Name] = []
    containers: dict[Name, RawContainer] = {}


class RawPackages(Raw):
    debian: list[Text] = []
    alpine: list[Text] = []


class RawPinned(Raw):
    project: Text
    version: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    member: Text
    at: Absolute


class RawPut(Raw):
    file: Text
    at: Absolute
    executable: bool = False


class RawRender(Raw):
    renderer: Annotated[Renderer, Field(strict=False)]
    at: Absolute
    secret: bool = False


class RawImage(Raw):
    image: Name
    pending: Text | None = None
    base: Name | None = None
    packages: RawPackages = RawPackages()
    pinned: list[RawPinned] = []
    programs: list[Absolute] = []
    keep: list[Absolute] = []
    put: list[RawPut] = []
    render: list[RawRender] = []
    writable: list[Absolute] = []
    entrypoint: list[Text] = []
    shell: Text | None = None
    stands_in_for: Text | None = None


SHAPES: dict[str, type[Raw]] = {
    "estate": RawEstate,
    "links": RawLinks,
    "lab": RawWorld,
    "module": RawModule,
    "image": RawImage,
}
