"""WireGuard devices of the kernel: WG_CMD_GET_DEVICE (include/uapi/linux/wireguard.h).

The kernel tells root its keys. Of the private key the public one beside it is kept, of a pre-shared key its
digest: what is read here can be shown and compared, and tells no secret (law 11).
"""

from __future__ import annotations

import base64
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from provision import genetlink
from provision.facts.secret import digest
from provision.netlink import NETLINK_GENERIC, Message, Socket, attributes, text, walk

FAMILY, VERSION = "wireguard", 1
GET_DEVICE, SET_DEVICE = 0, 1
DEVICE_IFNAME, DEVICE_PRIVATE_KEY, DEVICE_PUBLIC_KEY = 2, 3, 4
DEVICE_LISTEN_PORT, DEVICE_FWMARK, DEVICE_PEERS = 6, 7, 8
PEER_PUBLIC_KEY, PEER_PRESHARED_KEY, PEER_FLAGS, PEER_ENDPOINT, PEER_KEEPALIVE = 1, 2, 3, 4, 5
PEER_LAST_HANDSHAKE, PEER_ALLOWED_IPS = 6, 9
ALLOWED_FAMILY, ALLOWED_ADDRESS, ALLOWED_PREFIX = 1, 2, 3
NO_KEY = bytes(32)  # how the kernel says that there is no pre-shared key
_TIMESPEC = struct.Struct("=qq")  # struct __kernel_timespec

Network = IPv4Network | IPv6Network
Endpoint = tuple[IPv4Address | IPv6Address, int]


@dataclass(frozen=True, kw_only=True)
class ActualPeer:
    public: str  # base64, as wg(8) shows it
    preshared: str  # the digest of the key, "" when there is none
    endpoint: Endpoint | None
    keepalive: int  # seconds, 0: off
    allowed: tuple[Network, ...]
    handshake: float  # the last one, in seconds since the epoch; 0 when there was none


@dataclass(frozen=True, kw_only=True)
class ActualTunnel:
    ifname: str
    public: str  # "" when it has no key
    port: int  # UDP; the kernel's own choice where none was set
    mark: int
    peers: tuple[ActualPeer, ...]

    def handshake(self, address: IPv4Address) -> float:
        """The last one with the peer that `address` belongs to, in seconds since the epoch; 0 when there was none."""
        held = [peer for peer in self.peers if any(address in network for network in peer.allowed)]
        return max((peer.handshake for peer in held), default=0.0)


def read(ifname: str) -> ActualTunnel:
    """The device `ifname` of the calling thread's namespace. NetlinkError (ENODEV, EOPNOTSUPP) when it is none."""
    opened = Socket(NETLINK_GENERIC)
    try:
        question = genetlink.command(GET_DEVICE, text(DEVICE_IFNAME, ifname), version=VERSION)
        family = genetlink.family(opened, FAMILY)
        return parse(opened.dump(family, question, what=f"read the WireGuard device {ifname}"))
    finally:
        opened.close()


def parse(messages: Iterable[Message]) -> ActualTunnel:
    """One device; its peers, and one peer's allowed addresses, may go on in a further message."""
    device: dict[int, bytes] = {}
    peers: dict[str, ActualPeer] = {}
    for found in genetlink.payloads(messages):
        for _, body in walk(found.pop(DEVICE_PEERS, b"")):
            peer = _peer(attributes(body))
            before = peers.get(peer.public)
            peers[peer.public] = peer if before is None else replace(before, allowed=before.allowed + peer.allowed)
        device |= found
    return ActualTunnel(
        ifname=device[DEVICE_IFNAME].rstrip(b"\0").decode(),
        public=_base64(device.get(DEVICE_PUBLIC_KEY, b"")),
        port=struct.unpack("=H", device[DEVICE_LISTEN_PORT])[0],
        mark=struct.unpack("=I", device[DEVICE_FWMARK])[0],
        peers=tuple(peers[public] for public in sorted(peers)),
    )


def _peer(found: dict[int, bytes]) -> ActualPeer:
    """A peer that goes on has its public key and more allowed addresses, and nothing else."""
    preshared = found.get(PEER_PRESHARED_KEY, NO_KEY)
    seconds, nanoseconds = _TIMESPEC.unpack(found.get(PEER_LAST_HANDSHAKE, bytes(_TIMESPEC.size)))
    return ActualPeer(
        public=_base64(found[PEER_PUBLIC_KEY]),
        preshared="" if preshared == NO_KEY else digest(preshared),
        endpoint=_endpoint(found.get(PEER_ENDPOINT, b"")),
        keepalive=struct.unpack("=H", found.get(PEER_KEEPALIVE, bytes(2)))[0],
        allowed=tuple(_network(attributes(body)) for _, body in walk(found.get(PEER_ALLOWED_IPS, b""))),
        handshake=seconds + nanoseconds / 1e9,
    )


def _network(found: dict[int, bytes]) -> Network:
    return ip_network((found[ALLOWED_ADDRESS], found[ALLOWED_PREFIX][0]))


def _endpoint(packed: bytes) -> Endpoint | None:
    """A struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)): its family is the machine's, its port the network's."""
    if not packed:
        return None
    (family,) = struct.unpack_from("=H", packed)
    (port,) = struct.unpack_from("!H", packed, 2)
    return ip_address(packed[4:8] if family == socket.AF_INET else packed[8:24]), port


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode()
