"""WireGuard by generic netlink: what is sent to the device, what is read of it, and what of that is drift.

The golden bytes are spelled out by hand from include/uapi/linux/wireguard.h and netlink(7), for a little-endian
machine; a nested VM with kernel WireGuard has read and answered the same.
"""

from __future__ import annotations

import base64
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest

from provision import diff_tunnel, genetlink
from provision.facts import tunnel
from provision.facts.secret import digest
from provision.facts.tunnel import ActualPeer, ActualTunnel
from provision.netlink import Message, attribute, attributes, nested, number, text, walk
from provision.ops.tunnel import ConfigureTunnel, set_device
from provision.render.wireguard import PeerConfig, Secret, TunnelConfig, raw

little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the golden bytes are a little-endian machine's")


def key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


LAPTOP = PeerConfig(name="laptop", public=key(3), preshared=Secret(key(5)), allowed=IPv4Network("10.100.0.2"))
PHONE = PeerConfig(name="phone", public=key(6), preshared=Secret(key(7)), allowed=IPv4Network("10.100.0.3"))
HUB = TunnelConfig(public=key(1), private=Secret(key(2)), port=51820, peers=(LAPTOP, PHONE))
UPLINK = (IPv4Address("192.168.1.1"), 51820)
OWN = PeerConfig(
    name="vpn-edge",
    public=key(1),
    preshared=Secret(key(5)),
    allowed=IPv4Network("0.0.0.0/0"),
    endpoint=UPLINK,
    keepalive=25,
)
PEER = TunnelConfig(public=key(3), private=Secret(key(4)), port=None, peers=(OWN,))
RIGHT = ActualTunnel(
    ifname="wg0",
    public=key(1),
    port=51820,
    mark=0,
    peers=tuple(
        ActualPeer(
            public=peer.public,
            preshared=digest(raw(peer.preshared.reveal())),
            endpoint=(IPv4Address("203.0.113.3"), 40000),
            keepalive=0,
            allowed=(peer.allowed,),
            handshake=12.5,
        )
        for peer in (LAPTOP, PHONE)
    ),
)

DEVICE = (
    "01010000"  # WG_CMD_SET_DEVICE, version 1
    "08000200 77673000"  # WGDEVICE_A_IFNAME "wg0"
    f"24000300 {'04' * 32}"  # WGDEVICE_A_PRIVATE_KEY
    "08000700 00000000"  # WGDEVICE_A_FWMARK
)
PEERS = (
    "01010000 08000200 77673000"
    "94000880"  # WGDEVICE_A_PEERS, nested
    "90000080"  # the first of them, nested
    f"24000100 {'01' * 32}"  # WGPEER_A_PUBLIC_KEY
    f"24000200 {'05' * 32}"  # WGPEER_A_PRESHARED_KEY
    "08000300 02000000"  # WGPEER_A_FLAGS: WGPEER_F_REPLACE_ALLOWEDIPS
    "14000400 0200 ca6c c0a80101 0000000000000000"  # WGPEER_A_ENDPOINT: AF_INET 192.168.1.1:51820
    "06000500 19000000"  # WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL 25
    "20000980 1c000080"  # WGPEER_A_ALLOWEDIPS, the first of them
    "06000100 02000000"  # WGALLOWEDIP_A_FAMILY AF_INET
    "08000200 00000000"  # WGALLOWEDIP_A_IPADDR 0.0.0.0
    "05000300 00000000"  # WGALLOWEDIP_A_CIDR_MASK 0
)


@little_endian
def test_bytes_of_a_peers_side() -> None:
    assert list(set_device("wg0", PEER)) == [bytes.fromhex(DEVICE), bytes.fromhex(PEERS)]


@little_endian
def test_bytes_of_a_listen_port() -> None:
    assert next(set_device("wg0", HUB)).endswith(bytes.fromhex("06000600 6cca0000"))


@little_endian
def test_bytes_of_a_removal() -> None:
    _, peers = set_device("wg0", replace(HUB, peers=()), (key(9),))
    removed = f"34000880 30000080 24000100 {'09' * 32} 08000300 01000000"  # WGPEER_F_REMOVE_ME
    assert peers == bytes.fromhex("01010000 08000200 77673000" + removed)


@little_endian
def test_bytes_of_a_family_question() -> None:
    body = genetlink.command(3, text(2, "wireguard"), version=1)
    assert body == bytes.fromhex("03010000 0e000200") + b"wireguard\0\0\0"


def test_more_peers_than_one_message_holds() -> None:
    peers = tuple(replace(LAPTOP, name=str(n), public=base64.b64encode(n.to_bytes(32)).decode()) for n in range(450))
    device, *rest = set_device("wg0", replace(HUB, peers=peers))
    held = [list(walk(attributes(body, 4)[tunnel.DEVICE_PEERS])) for body in rest]
    assert tunnel.DEVICE_PEERS not in attributes(device, 4)
    assert [len(part) for part in held] == [200, 200, 50]
    assert all(len(body) < 1 << 16 for body in rest)


def answered(config: TunnelConfig, port: int) -> Iterator[Message]:
    """What a kernel answers that was sent `config`: the same attributes, and its own."""
    device, peers = set_device("wg0", config)
    known = [attribute(tunnel.DEVICE_PUBLIC_KEY, raw(config.public)), attribute(tunnel.DEVICE_LISTEN_PORT, short(port))]
    yield 30, device + b"".join(known)
    yield 30, peers


def short(value: int) -> bytes:
    return struct.pack("=H", value)


def test_round_trip_of_the_hub() -> None:
    found = tunnel.parse(answered(HUB, 51820))
    assert found == replace(RIGHT, peers=tuple(replace(p, endpoint=None, handshake=0.0) for p in RIGHT.peers))
    assert not list(diff_tunnel.diff("vpn-edge", HUB, found))


def test_round_trip_of_a_peer_whose_port_is_the_kernels_choice() -> None:
    found = tunnel.parse(answered(PEER, 41234))
    assert found.port == 41234
    assert (found.peers[0].endpoint, found.peers[0].keepalive) == (UPLINK, 25)
    assert not list(diff_tunnel.diff("laptop", PEER, found))


def test_a_peer_that_goes_on_in_a_further_message() -> None:
    first, second = ip_network("10.0.0.0/8"), ip_network("fd00::/64")
    messages = [
        (30, device(peer(3, first, attribute(tunnel.PEER_PRESHARED_KEY, bytes([5]) * 32)))),
        (30, genetlink.command(0, nested(tunnel.DEVICE_PEERS, peer(3, second), peer(6, first)), version=1)),
    ]
    found = tunnel.parse(messages)
    assert [(p.public, p.allowed) for p in found.peers] == [(key(3), (first, second)), (key(6), (first,))]
    assert [p.preshared for p in found.peers] == [digest(bytes([5]) * 32), ""]


def test_handshake_and_an_endpoint_of_ipv6() -> None:
    address = IPv6Address("2001:db8::7")
    seen = [
        attribute(tunnel.PEER_LAST_HANDSHAKE, struct.pack("=qq", 1700000000, 500000000)),
        attribute(tunnel.PEER_ENDPOINT, struct.pack("=H", 10) + struct.pack("!HI16sI", 51820, 0, address.packed, 0)),
    ]
    found = tunnel.parse([(30, device(peer(3, ip_network("10.0.0.0/8"), *seen)))])
    assert found.handshake(IPv4Address("10.1.2.3")) == 1700000000.5
    assert found.handshake(IPv4Address("11.1.2.3")) == 0.0
    assert found.peers[0].endpoint == (address, 51820)


def test_a_device_without_key_and_peers() -> None:
    found = tunnel.parse([(30, device())])
    assert (found.public, found.peers, found.handshake(IPv4Address("10.0.0.1"))) == ("", (), 0.0)


def device(*peers: bytes) -> bytes:
    parts = [text(tunnel.DEVICE_IFNAME, "wg0"), attribute(tunnel.DEVICE_LISTEN_PORT, short(7)), number(7, 0)]
    return genetlink.command(0, *parts, nested(tunnel.DEVICE_PEERS, *peers), version=1)


def peer(byte: int, network: IPv4Network | IPv6Network, *parts: bytes) -> bytes:
    allowed = nested(
        0,
        attribute(tunnel.ALLOWED_FAMILY, short(2 if network.version == 4 else 10)),
        attribute(tunnel.ALLOWED_ADDRESS, network.network_address.packed),
        attribute(tunnel.ALLOWED_PREFIX, bytes([network.prefixlen])),
    )
    known = attribute(tunnel.PEER_PUBLIC_KEY, bytes([byte]) * 32)
    return nested(0, known, *parts, nested(tunnel.PEER_ALLOWED_IPS, allowed))


def with_laptop(**changed: object) -> ActualTunnel:
    laptop, phone = RIGHT.peers
    return replace(RIGHT, peers=(replace(laptop, **changed), phone))  # type: ignore[arg-type]


STRANGER = replace(RIGHT.peers[0], public=key(9), allowed=(IPv4Network("10.100.0.9"),))
DRIFTS = {
    "key": (replace(RIGHT, public=key(8)), "has another private key"),
    "no-key": (replace(RIGHT, public=""), "has no private key"),
    "port": (replace(RIGHT, port=51821), "listens on udp/51821, not udp/51820"),
    "mark": (replace(RIGHT, mark=7), "marks its packets 0x7"),
    "peer": (replace(RIGHT, peers=RIGHT.peers[:1]), "lacks the peer phone"),
    "stranger": (replace(RIGHT, peers=(*RIGHT.peers, STRANGER)), "has an undeclared peer for 10.100.0.9/32"),
    "idle-stranger": (
        replace(RIGHT, peers=(*RIGHT.peers, replace(STRANGER, allowed=()))),
        "has an undeclared peer for no address",
    ),
    "preshared": (with_laptop(preshared="ab"), "has another pre-shared key for the peer laptop"),
    "no-preshared": (with_laptop(preshared=""), "has no pre-shared key for the peer laptop"),
    "allowed": (with_laptop(allowed=()), "allows no address, not 10.100.0.2/32, from the peer laptop"),
    "keepalive": (with_laptop(keepalive=7), "keeps alive every 7 s, not 0 s, the peer laptop"),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_drift_is_one_op(name: str) -> None:
    actual, seen = DRIFTS[name]
    (op,) = diff_tunnel.diff("vpn-edge", HUB, actual)
    assert op.describe() == f"tunnel device wg0 in vpn-edge: {seen}"
    assert op.undeclared == ((key(9),) if "stranger" in name else ())


def test_drifts_are_told_together_and_are_one_op() -> None:
    (op,) = diff_tunnel.diff("vpn-edge", HUB, replace(RIGHT, port=1, peers=()))
    assert op.seen == "listens on udp/1, not udp/51820, lacks the peer laptop, lacks the peer phone"


def test_a_learned_endpoint_is_no_drift_and_a_declared_one_is() -> None:
    (there,) = tunnel.parse(answered(PEER, 1)).peers
    held = replace(tunnel.parse(answered(PEER, 1)), peers=(replace(there, endpoint=(UPLINK[0], 9)),))
    (op,) = diff_tunnel.diff("laptop", PEER, held)
    assert op.seen == "has another endpoint for the peer vpn-edge"
    assert not list(diff_tunnel.diff("vpn-edge", HUB, RIGHT))


def test_no_secret_is_told() -> None:
    op = ConfigureTunnel(node="vpn-edge", ifname="wg0", config=HUB, undeclared=(), seen="")
    told = f"{op} {op!r} {tunnel.parse(answered(HUB, 1))!r}"
    for secret in (key(2), key(5), key(7)):
        assert secret not in told
        assert raw(secret).hex() not in told
        assert repr(raw(secret)) not in told
