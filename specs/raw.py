"""What the YAML files may say: strict shapes, nothing unknown, each value parsed at the border.

These types know YAML and nothing of each other's names; specs.load binds them. The JSON Schemas for editors
are generated from them (`python -m provision schema`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from specs.model import Profile, Renderer, When
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
    Package,
    Project,
    PublicKey,
    RawFlow,
    Relative,
    Sha256,
    Size,
    Text,
    Uid,
    UrlPath,
    Version,
    WebPath,
)


class Raw(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True, alias_generator=lambda name: name.replace("_", "-")
    )


Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=604_800)]  # a week at most


class RawHost(Raw):
    uplink: InterfaceName
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


class RawPerson(Raw):
    keys: Once[LoginKey] = []


class RawEstate(Raw):
    estate: EstateName
    host: RawHost
    tunnel: RawTunnel
    site: RawSite
    people: dict[Name, RawPerson] = {}


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


class RawPackages(Raw):
    debian: Once[Package] = []
    alpine: Once[Package] = []


class RawPinned(Raw):
    project: Project
    version: Version
    sha256: Sha256
    member: Relative
    at: Absolute


class RawPut(Raw):
    file: Relative
    at: Absolute
    executable: bool = False


class RawRender(Raw):
    renderer: Annotated[Renderer, Field(strict=False)]
    at: Absolute
    secret: bool = False


class RawJail(Raw):
    at: Absolute
    programs: Annotated[Once[Absolute], Field(min_length=1)]


class RawStandIn(Raw):
    debian: Name | None = None
    alpine: Name | None = None


class RawImage(Raw):
    image: Name
    pending: Text | None = None
    base: Name | None = None
    packages: RawPackages = RawPackages()
    pinned: list[RawPinned] = []
    programs: Once[Absolute] = []
    keep: Once[Absolute] = []
    put: list[RawPut] = []
    render: list[RawRender] = []
    writable: Once[Absolute] = []
    entrypoint: list[Line] = []
    shell: Text | None = None
    unstable: Text | None = None
    stop_signal: Literal["SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] | None = None
    stand_in: RawStandIn = RawStandIn()
    stands_in_for: Text | None = None
    jail: RawJail | None = None


SHAPES: dict[str, type[Raw]] = {
    "estate": RawEstate,
    "links": RawLinks,
    "lab": RawWorld,
    "module": RawModule,
    "image": RawImage,
}
