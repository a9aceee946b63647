"""What the YAML files may say: strict shapes, nothing unknown, each value parsed at the border.

These types know YAML and nothing of each other's names; specs.load binds them. The JSON Schemas for editors
are generated from them (`python -m provision schema`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from specs.model import Profile, When
from specs.raw_image import Raw, RawImage
from specs.values import (
    Absolute,
    Address,
    Allow,
    Device,
    End,
    EstateName,
    HeaderName,
    HeaderValue,
    Hostname,
    InterfaceName,
    Line,
    LoginKey,
    MachineUid,
    Name,
    Network,
    Number,
    Once,
    Owner,
    PublicKey,
    RawFlow,
    Size,
    Text,
    Uid,
    UrlPath,
    WebPath,
)

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=604_800)]  # a week at most


class RawHost(Raw):
    uplink: InterfaceName
    address: Address
    gateway: Address
    lan: Network
    resolver: Address | None = None


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
    put: dict[HeaderName, HeaderValue] = Field(default={}, alias="set")
    hidden: Once[HeaderName] = []

    @model_validator(mode="after")
    def _said_once(self) -> RawHeaders:
        names = [name.lower() for name in (*self.put, *self.hidden)]  # RFC 9110 section 5.1: whatever the case
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"header `{name}` is set or hidden twice", "drop one of them")
        return self


class RawFlood(Raw):
    rate: Count
    burst: Count


class RawRequests(Raw):
    count: Count
    seconds: Seconds


class RawBans(Raw):
    after: Count
    within: Seconds
    seconds: Seconds


class RawSite(Raw):
    edge: Name
    hostname: Hostname
    methods: Annotated[Once[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]], Field(min_length=1)]
    headers: RawHeaders = RawHeaders()
    flood: RawFlood | None = None
    requests: RawRequests | None = None
    bans: RawBans | None = None


class RawWhitelist(Raw):
    addresses: Once[Address] = []
    names: Once[Hostname] = []


class RawPerson(Raw):
    keys: Once[LoginKey] = []


class RawEstate(Raw):
    estate: EstateName
    host: RawHost
    tunnel: RawTunnel
    site: RawSite
    people: dict[Name, RawPerson] = {}
    whitelists: dict[Name, RawWhitelist] = {}


class RawWire(Raw):
    name: Name
    a: End
    b: End


class RawLink(RawWire):
    enabled: bool = True  # where not, its /31 stays its own and nothing is made of it
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
    routes: dict[Network, Name] = {}
    records: dict[Hostname, Address] = {}


class RawWorld(Raw):
    nodes: dict[Name, RawWorldNode]
    links: list[RawWire]


class RawMount(Raw):
    volume: Name | None = None
    host: Absolute | None = None
    at: Absolute
    mode: Literal["ro", "rw"] = "ro"
    owner: Owner | None = None
    exclusive: bool = False


class RawLimits(Raw):
    memory: Size
    pids: Annotated[int, Field(ge=1, le=4_194_304)]  # the kernel's PID_MAX_LIMIT
    cpus: Annotated[float, Field(ge=0.01, le=1024)]  # a quota is at least 1 ms of each 100 ms


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
    user: MachineUid | None = None
    capabilities: Once[Line] = []
    devices: Once[Device] = []


class RawContainer(Raw):
    image: Name
    enabled: bool = True
    shares: Name | None = None
    depends_on: Once[Name] = []
    mounts: list[RawMount] = []
    tmpfs: Once[Absolute] = []
    web: RawWeb | None = None
    stream: Number | None = None
    loopback: Number | None = None
    health: RawHealth | None = None
    limits: RawLimits
    capabilities: Once[Line] = []
    user: Uid = 1000
    root_reason: Text | None = None
    waiver: RawWaiver | None = None
    runs: Annotated[When, Field(strict=False)] = When.ALWAYS
    logins: Once[Name] = []


class RawModule(Raw):
    module: Name
    purpose: Text
    prospective: bool = False
    volumes: list[Name] = []
    containers: dict[Name, RawContainer] = {}


SHAPES: dict[str, type[Raw]] = {
    "estate": RawEstate,
    "links": RawLinks,
    "lab": RawWorld,
    "module": RawModule,
    "image": RawImage,
}
