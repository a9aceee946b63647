"""The judge's readers of WireGuard devices: what a 6.12 kernel and a wireguard-go answered, and what is kept of it.

recorded/wireguard-dumps.json holds the messages of WG_CMD_GET_DEVICE dumps, taken by a socket with a buffer of 4096
bytes, of devices made for it: their private keys are one byte 32 times over (2 the hub's, 4 and 6 the peers'), and so
are their pre-shared ones (5 and 7).
"""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from fixtures.observe import tunnel, wireguard
from fixtures.observe.curve25519 import public_key
from fixtures.observe.netlink import refusal, split, walk
from fixtures.observe.tunnel import Tunnel, TunnelPeer

DUMPS = json.loads((Path(__file__).parent / "recorded/wireguard-dumps.json").read_text())
HUB, LAPTOP, PHONE = (public_key(bytes([byte]) * 32).hex() for byte in (2, 4, 6))


def dump(name: str) -> list[bytes]:
    return [base64.b64decode(each) for each in DUMPS[name]]


def test_a_device_of_the_kernel() -> None:
    laptop = TunnelPeer(
        public_key=LAPTOP,
        allowed=("10.100.0.2/32",),
        endpoint="203.0.113.3:40001",
        keepalive=0,
        preshared=True,
        handshake=1795665466,
    )
    phone = TunnelPeer(
        public_key=PHONE,
        allowed=("10.100.0.3/32", "10.9.0.0/16", "fd00:100::3/128"),
        endpoint="[fd00::3]:40002",
        keepalive=25,
        preshared=True,
        handshake=1795665467,
    )
    wanted = Tunnel(ifname="wg0", peers=(laptop, phone), public_key=HUB, port=51820, mark=0x51)
    assert wireguard.parse(dump("hub")) == wanted


def test_the_other_side_of_it() -> None:
    found = wireguard.parse(dump("phone"))
    assert (found.public_key, found.port, found.mark) == (PHONE, 40002, 0)
    assert [(each.public_key, each.allowed, each.endpoint) for each in found.peers] == [
        (HUB, ("0.0.0.0/0", "::/0"), "[fd00::2]:51820")
    ]


def test_a_device_without_a_key_or_peers() -> None:
    assert wireguard.parse(dump("bare")) == Tunnel(ifname="wg0", peers=(), public_key="", port=0, mark=0)


def test_a_peer_that_goes_on_in_a_further_message() -> None:
    """151 allowed IPs are more than the first message holds. The second peer has no key beside, and no handshake."""
    found = {each.public_key: each for each in wireguard.parse(dump("many")).peers}
    assert len(dump("many")) > 1
    assert set(found[LAPTOP].allowed) == {*(f"10.8.0.{n}/32" for n in range(150)), "fd00:100::9/128"}
    assert found[LAPTOP].preshared
    assert found[PHONE] == TunnelPeer(
        public_key=PHONE,
        allowed=("10.6.0.0/16", "10.7.0.0/24", "10.7.1.0/24"),
        endpoint="203.0.113.5:40002",
        preshared=False,
    )


def test_no_secret_is_kept() -> None:
    """Law 11: the kernel has told them."""
    clamped = b"\0" + b"\2" * 30 + b"\x42"  # what curve25519_clamp_secret makes of the hub's
    told = b"".join(dump("hub"))
    kept = repr(wireguard.parse(dump("hub"))) + TypeAdapter(Tunnel).dump_json(wireguard.parse(dump("hub"))).decode()
    for secret in (clamped, b"\5" * 32, b"\7" * 32):
        assert secret in told
        assert secret.hex() not in kept
        assert base64.b64encode(secret).decode() not in kept


@pytest.mark.parametrize(
    "broken",
    [
        lambda frames: [],
        lambda frames: frames[1:],
        lambda frames: [frames[0][:-8]],
        lambda frames: [frames[0][:20]],
    ],
    ids=["nothing", "no device", "cut", "empty"],
)
def test_half_an_answer_is_none(broken: Any) -> None:
    with pytest.raises(OSError, match="cannot be read"):
        wireguard.parse(broken(dump("many")))


def test_the_question() -> None:
    assert wireguard.question("wg0") == struct.pack("=BBHHH", 0, 1, 0, 8, 2) + b"wg0\0"


def test_where_there_is_no_device_nothing_is_asked() -> None:
    """A kernel without WireGuard has no such family, and would refuse."""
    assert wireguard.read(()) == ()


ANSWER = f"""private_key={"02" * 32}
listen_port=51820
fwmark=81
public_key={LAPTOP}
preshared_key={"05" * 32}
protocol_version=1
endpoint=203.0.113.3:40001
last_handshake_time_sec=1700000000
last_handshake_time_nsec=5
tx_bytes=1
rx_bytes=1
persistent_keepalive_interval=25
allowed_ip=10.9.0.0/16
allowed_ip=10.100.0.2/32
public_key={PHONE}
preshared_key={"00" * 32}
protocol_version=1
persistent_keepalive_interval=0
errno=0

"""


def test_a_device_that_a_process_keeps() -> None:
    laptop = TunnelPeer(
        public_key=LAPTOP,
        allowed=("10.100.0.2/32", "10.9.0.0/16"),
        endpoint="203.0.113.3:40001",
        keepalive=25,
        preshared=True,
        handshake=1700000000,
    )
    phone = TunnelPeer(public_key=PHONE, allowed=(), preshared=False)
    found = tunnel.parse("wg0", ANSWER)
    assert found == Tunnel(ifname="wg0", peers=(laptop, phone), public_key=HUB, port=51820, mark=81)
    assert not any(secret in repr(found) for secret in ("02" * 32, "05" * 32))


def test_half_an_answer_of_a_process_is_none() -> None:
    with pytest.raises(OSError, match="not whole"):
        tunnel.parse("wg0", ANSWER.partition("errno")[0])


def test_public_keys() -> None:
    """Bob's of RFC 7748, section 6.1; the kernel's own of the hub's is in its dump."""
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    assert public_key(bob).hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    assert wireguard.parse(dump("hub")).public_key == HUB


@pytest.mark.parametrize(("kind", "told", "number"), [(3, -105, 105), (3, 0, 0), (2, -19, 19), (44, -1, 0)])
def test_a_dump_that_fails_on_its_way_says_so_in_its_last_message(kind: int, told: int, number: int) -> None:
    ((found, _, frame),) = split(struct.pack("=IHHIIi", 20, kind, 0, 1, 0, told))
    assert refusal(found, frame) == number


def test_an_attribute_longer_than_its_message_is_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes where 4 are left"):
        list(walk(struct.pack("=HH", 8, 1)))
