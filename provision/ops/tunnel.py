"""Make and set up the WireGuard device of a namespace from outside (law 3: nobody inside can).

Where the kernel has WireGuard the device is its own, and its keys go straight to it, by WG_CMD_SET_DEVICE
(include/uapi/linux/wireguard.h): no program, no file in between (law 11).
Where it has none it is a persistent TUN device that wireguard-go opens by its name: the device, its address and
its routes outlive the process (FACTS 8).
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import ClassVar

from provision import genetlink, kernel
from provision.context import Context
from provision.errors import HostError
from provision.facts import tunnel
from provision.facts.link import IFLA_MTU, WIREGUARD, index_of
from provision.netlink import attribute, nested, number, text
from provision.op import Action, Op, Phase
from provision.ops.link import add_address, make, remove, set_link
from provision.render.wireguard import PeerConfig, TunnelConfig, raw

TUNNEL_MTU = 1420  # 1500 less IPv6 (40), UDP (8) and WireGuard's own 32, as wg-quick(8) reckons
_TUN = "/dev/net/tun"
_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_IFF_TUN, _IFF_NO_PI = 0x1, 0x1000
_IFF_MULTICAST = 0x1000
_REMOVE_ME, _REPLACE_ALLOWED_IPS = 0x1, 0x2  # WGPEER_F_REMOVE_ME, WGPEER_F_REPLACE_ALLOWEDIPS
_PEERS = 200  # in one message: WGDEVICE_A_PEERS is one attribute, and an attribute has at most 65,535 bytes


@dataclass(frozen=True, kw_only=True)
class MakeTunnel(Op):
    """The device whole, in place of one of another kind: configured where it is the kernel's, addressed, up."""

    phase: ClassVar[Phase] = Phase.TUNNEL
    noun: ClassVar[str] = "tunnel"

    node: str
    ifname: str
    interface: IPv4Interface
    config: TunnelConfig | None  # None: a TUN device for a WireGuard that runs in a container
    replaces: str = ""  # the kind of the device that stands there

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.ifname}"

    def describe(self) -> str:
        instead = f", in place of a {self.replaces} device" if self.replaces else ""
        return f"tunnel device {self.ifname} in {self.node}, {self.interface}{instead}"

    def execute(self, context: Context) -> None:
        path = context.netns(self.node)
        opened = context.kernel.route(path)
        if self.replaces:
            remove(opened, self.ifname, what=f"remove {self.subject}")
        if self.config is None:
            kernel.inside(path, lambda: _persistent_tun(self.ifname))
        else:
            make(opened, self.ifname, WIREGUARD, what=f"make {self.subject}")
            _configure(context, path, set_device(self.ifname, self.config), what=f"configure {self.subject}")
        index = index_of(opened, self.ifname)
        add_address(opened, index, self.interface.packed, self.interface.network.prefixlen, what=self.subject)
        set_link(opened, index, number(IFLA_MTU, TUNNEL_MTU), what=f"set up {self.subject}", clear=_IFF_MULTICAST)


@dataclass(frozen=True, kw_only=True)
class ConfigureTunnel(Op):
    """Set a kernel device's keys, port and peers; sessions with peers that were right live on."""

    phase: ClassVar[Phase] = Phase.TUNNEL
    noun: ClassVar[str] = "tunnel"
    action: ClassVar[Action] = Action.CHANGE

    node: str
    ifname: str
    config: TunnelConfig
    undeclared: tuple[str, ...]  # public keys of the peers that must go
    seen: str

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.ifname}"

    def describe(self) -> str:
        return f"tunnel device {self.ifname} in {self.node}: {self.seen}"

    def execute(self, context: Context) -> None:
        bodies = set_device(self.ifname, self.config, self.undeclared)
        _configure(context, context.netns(self.node), bodies, what=f"configure {self.subject}")


def set_device(ifname: str, config: TunnelConfig, undeclared: tuple[str, ...] = ()) -> Iterator[bytes]:
    """The bodies of the WG_CMD_SET_DEVICE messages that set all of `config` and remove the peers `undeclared`."""
    peers = [*(_removed(public) for public in undeclared), *(_peer(peer) for peer in config.peers)]
    own = [attribute(tunnel.DEVICE_PRIVATE_KEY, raw(config.private.reveal())), number(tunnel.DEVICE_FWMARK, 0)]
    own += [] if config.port is None else [_short(tunnel.DEVICE_LISTEN_PORT, config.port)]
    yield _set(ifname, *own)
    for start in range(0, len(peers), _PEERS):
        yield _set(ifname, nested(tunnel.DEVICE_PEERS, *peers[start : start + _PEERS]))


def _set(ifname: str, *parts: bytes) -> bytes:
    return genetlink.command(tunnel.SET_DEVICE, text(tunnel.DEVICE_IFNAME, ifname), *parts, version=tunnel.VERSION)


def _peer(peer: PeerConfig) -> bytes:
    endpoint = [attribute(tunnel.PEER_ENDPOINT, _sockaddr(*peer.endpoint))] if peer.endpoint is not None else []
    allowed = nested(
        0,
        _short(tunnel.ALLOWED_FAMILY, socket.AF_INET),
        attribute(tunnel.ALLOWED_ADDRESS, peer.allowed.network_address.packed),
        attribute(tunnel.ALLOWED_PREFIX, bytes([peer.allowed.prefixlen])),
    )
    return nested(
        0,
        attribute(tunnel.PEER_PUBLIC_KEY, raw(peer.public)),
        attribute(tunnel.PEER_PRESHARED_KEY, raw(peer.preshared.reveal())),
        number(tunnel.PEER_FLAGS, _REPLACE_ALLOWED_IPS),
        *endpoint,
        _short(tunnel.PEER_KEEPALIVE, peer.keepalive),
        nested(tunnel.PEER_ALLOWED_IPS, allowed),
    )


def _removed(public: str) -> bytes:
    return nested(0, attribute(tunnel.PEER_PUBLIC_KEY, raw(public)), number(tunnel.PEER_FLAGS, _REMOVE_ME))


def _sockaddr(address: IPv4Address, port: int) -> bytes:
    """A struct sockaddr_in (ip(7)): its family is the machine's, its port the network's."""
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, address.packed)


def _short(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=H", value))


def _configure(context: Context, path: Path, bodies: Iterator[bytes], *, what: str) -> None:
    opened = context.kernel.generic(path)
    family = genetlink.family(opened, tunnel.FAMILY)
    for body in bodies:
        opened.request(family, body, what=what)


def _persistent_tun(ifname: str) -> None:
    try:
        handle = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"{_TUN}: {error.strerror}; load the tun module (modprobe tun)") from error
    try:
        fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", ifname.encode(), _IFF_TUN | _IFF_NO_PI))
        fcntl.ioctl(handle, _TUNSETPERSIST, 1)
    finally:
        os.close(handle)
