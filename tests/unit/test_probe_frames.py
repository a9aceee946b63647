"""Patched templates against scapy, which builds the same packets from nothing; and what a reader takes for a probe."""

from ipaddress import IPv4Address

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from fixtures.probe.frames import Reader, Span, addressed, frames, tagged
from fixtures.probe.kind import Layer
from fixtures.probe.kinds import KINDS, named
from fixtures.probe.seals import seals
from fixtures.probe.template import VOLLEY, mould, shape

NONCE, BASE = 0xA1B2C3D4, 0x10000000
SOURCE, DESTINATION = IPv4Address("10.1.1.0"), IPv4Address("172.16.5.1")
SHOTS = [(1, BASE), (80, BASE + 7), (65535, 0x9FFFFFFF), (25565, 0x12345678), (443, BASE + 0xFFFF)]
# One whose second byte is TCP's number, and those that hold the bytes which stand for a port in a template.
AWKWARD = (0xA006C3D4, 0xA1D3D4D5, 0xA0D1D2D3, 0xA1B1B2B3)
PLAIN = ("tcp-syn", "udp", "icmp-echo")
TAGGED = [name for name in KINDS if not name.startswith("arp-")]


def made(kind: str, prefix: bytes = b"", session: int = 23456, nonce: int = NONCE) -> list[bytes]:
    values = {name: bytes(range(1, len(value) + 1)) for name, value in VOLLEY.items()}
    values |= addressed(SOURCE, DESTINATION, session)
    return [bytes(frame) for frame in frames(mould(named(kind), nonce), probes=SHOTS, values=values, prefix=prefix)]


def reader(kind: str, nonce: int = NONCE) -> Reader:
    found = shape(mould(named(kind), nonce), nonce)

    def spans(number: int) -> Span | None:
        return (0, 1 << 32, found) if number >= 0 else None

    return Reader(nonce, BASE, spans)


def read(kind: str, packets: list[bytes], nonce: int = NONCE) -> list[int]:
    return [number for number, _ in reader(kind, nonce).tags(packets, [])]


def seen(kind: str, nonce: int = NONCE) -> list[bytes]:
    """As an observer's socket gives them: from the network header."""
    return [frame[named(kind).net or 0 :] for frame in made(kind, nonce=nonce)]


def by_scapy(kind: str, port: int, tag: int) -> bytes:
    payload = NONCE.to_bytes(4, "big") + tag.to_bytes(4, "big")
    layers = {
        "tcp-syn": TCP(sport=23456, dport=port, seq=tag, ack=NONCE, flags="S", window=1024),
        "udp": UDP(sport=23456, dport=port) / payload,
        "icmp-echo": ICMP(type=8, id=23456, seq=1) / payload,
    }
    return bytes(IP(src=str(SOURCE), dst=str(DESTINATION), flags="DF", id=0) / layers[kind])


@pytest.mark.parametrize("kind", PLAIN)
def test_every_frame_is_what_scapy_would_have_built(kind: str) -> None:
    assert made(kind) == [by_scapy(kind, port, tag) for port, tag in SHOTS]


@pytest.mark.parametrize("kind", [name for name in KINDS if not KINDS[name].net and not KINDS[name].cuts])
def test_the_prefix_comes_first_and_changes_nothing(kind: str) -> None:
    prefix = bytes(range(14))
    assert made(kind, prefix) == [prefix + frame for frame in made(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_checksums_hold(kind: str) -> None:
    """Each checksum is where it is found once more, in the finished packet, and has nothing left to add."""
    for frame in made(kind):
        net = KINDS[kind].net or 0
        start = net + 4 * (frame[net - 2 : net] == b"\x81\x00")
        found = seals(frame, start) if not KINDS[kind].cuts else seals(frame, 0)[-1:]
        assert found or KINDS[kind].net
        for seal in found:
            again = bytearray(frame)
            seal.put(again)
            assert bytes(again) == frame


@pytest.mark.parametrize("kind", PLAIN)
def test_checksums_hold_for_every_carry(kind: str) -> None:
    shots = [(port % 65535 + 1, (port * 2654435761) & 0xFFFFFFFF) for port in range(3000)]
    values = addressed(SOURCE, DESTINATION, 1)
    for frame in frames(mould(KINDS[kind], NONCE), probes=shots, values=values):
        total = folded(frame[20:])
        if kind != "icmp-echo":
            total = folded(frame[12:20] + bytes((0, frame[9])) + (len(frame) - 20).to_bytes(2, "big") + frame[20:])
        assert total == 0xFFFF
        assert folded(frame[:20]) == 0xFFFF


def folded(octets: bytes | bytearray) -> int:
    total = sum(int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("kind", TAGGED)
def test_a_reader_finds_every_tag(kind: str) -> None:
    per_probe = tagged(mould(KINDS[kind], NONCE))
    assert read(kind, seen(kind)) == [tag - BASE for _, tag in SHOTS for _ in range(per_probe)]


@pytest.mark.parametrize("nonce", AWKWARD)
def test_a_reader_finds_every_tag_whatever_the_nonce(nonce: int) -> None:
    for kind in TAGGED:
        per_probe = tagged(mould(KINDS[kind], nonce))
        assert read(kind, seen(kind, nonce), nonce) == [tag - BASE for _, tag in SHOTS for _ in range(per_probe)], kind


@pytest.mark.parametrize("kind", PLAIN)
def test_ip_options_do_not_hide_a_tag(kind: str) -> None:
    longer = [bytes((0x4F, *frame[1:20])) + bytes(40) + frame[20:] for frame in made(kind)]
    assert read(kind, longer) == [tag - BASE for _, tag in SHOTS]


@pytest.mark.parametrize("kind", TAGGED)
def test_another_run_is_not_read(kind: str) -> None:
    assert read(kind, seen(kind), NONCE ^ 1) == []


def test_a_reader_survives_what_is_short() -> None:
    whole = made("udp")[0]
    assert read("udp", [whole[:size] for size in range(20, 36)]) == []


def test_fragments_say_where_they_belong() -> None:
    first, second = made("fragment-disorder")[:2]
    assert (len(first), len(second)) == (20 + 24, 20 + 16)
    assert int.from_bytes(first[6:8], "big") == 16 >> 3
    assert int.from_bytes(second[6:8], "big") == 0x2000
    assert first[4:6] == second[4:6] == (SHOTS[0][1] & 0xFFFF).to_bytes(2, "big")
    assert folded(first[:20]) == folded(second[:20]) == 0xFFFF


def test_any_flags_and_any_protocol_have_a_kind() -> None:
    assert made("tcp-flags-41")[0][33] == 41
    assert made("protocol-88")[0][9] == 88
    for name in ("tcp-flags-256", "protocol-0", "protocol-x", "nothing"):
        with pytest.raises(KeyError):
            named(name)


def test_the_catalogue_has_every_layer_and_says_what_it_tries() -> None:
    assert len(KINDS) >= 45
    assert {kind.layer for kind in KINDS.values()} == set(Layer)
    assert all(kind.tries and kind.observer for kind in KINDS.values())


@pytest.mark.parametrize(
    "answer",
    [
        IP() / TCP(flags="RA", seq=0, ack=BASE + 1),
        IP() / TCP(flags="SA", seq=BASE, ack=NONCE),
        IP() / ICMP(type=0, id=1) / (NONCE.to_bytes(4, "big") + BASE.to_bytes(4, "big")),
        IP() / ICMP(type=3, code=3) / by_scapy("udp", 53, BASE + 1),
        IP() / ICMP(type=3, code=13) / by_scapy("tcp-syn", 53, BASE + 1)[:28],
    ],
    ids=["reset", "syn-ack", "echo-reply", "unreachable", "prohibited"],
)
@pytest.mark.parametrize("kind", PLAIN)
def test_an_answer_is_no_probe(kind: str, answer: IP) -> None:
    strays: list[bytes] = []
    assert list(reader(kind).tags([bytes(answer)], strays)) == []
    assert strays == [bytes(answer)]
