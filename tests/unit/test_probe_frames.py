"""Patched templates against scapy, which builds the same packets from nothing; and what a reader takes for a probe."""

from ipaddress import IPv4Address

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from fixtures.probe.frames import Reader, frames, mould
from fixtures.probe.kinds import KINDS
from fixtures.probe.sockets import tag_filter

NONCE = 0xA1B2C3D4
SOURCE, DESTINATION = IPv4Address("10.1.1.0"), IPv4Address("172.16.5.1")
SHOTS = [(1, 0), (80, 0x10000000), (65535, 0x9FFFFFFF), (25565, 0x12345678), (443, 0xFFFF)]


def made(kind: str, prefix: bytes = b"", session: int = 23456) -> list[bytes]:
    template = mould(KINDS[kind], NONCE)
    made = frames(template, source=SOURCE, destination=DESTINATION, session=session, probes=SHOTS, prefix=prefix)
    return [bytes(frame) for frame in made]


def by_scapy(kind: str, port: int, tag: int) -> bytes:
    payload = NONCE.to_bytes(4, "big") + tag.to_bytes(4, "big")
    layers = {
        "tcp-syn": TCP(sport=23456, dport=port, seq=tag, ack=NONCE, flags="S", window=1024),
        "udp": UDP(sport=23456, dport=port) / payload,
        "icmp-echo": ICMP(type=8, id=23456, seq=1) / payload,
    }
    return bytes(IP(src=str(SOURCE), dst=str(DESTINATION), flags="DF", id=0) / layers[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_what_scapy_would_have_built(kind: str) -> None:
    assert made(kind) == [by_scapy(kind, port, tag) for port, tag in SHOTS]


@pytest.mark.parametrize("kind", KINDS)
def test_the_prefix_comes_first_and_changes_nothing(kind: str) -> None:
    prefix = bytes(range(14))
    assert made(kind, prefix) == [prefix + frame for frame in made(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_checksums_hold_for_every_carry(kind: str) -> None:
    template = mould(KINDS[kind], NONCE)
    shots = [(port % 65535 + 1, (port * 2654435761) & 0xFFFFFFFF) for port in range(3000)]
    for frame in frames(template, source=SOURCE, destination=DESTINATION, session=1, probes=shots):
        total = folded(frame[20:])
        if KINDS[kind].pseudo_header:
            total = folded(frame[12:20] + bytes((0, frame[9])) + (len(frame) - 20).to_bytes(2, "big") + frame[20:])
        assert total == 0xFFFF
        assert folded(frame[:20]) == 0xFFFF


def folded(octets: bytes | bytearray) -> int:
    total = sum(int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_finds_every_tag(kind: str) -> None:
    assert [tag for tag, _ in Reader(NONCE).tags(made(kind))] == [tag for _, tag in SHOTS]


@pytest.mark.parametrize("kind", KINDS)
def test_ip_options_do_not_hide_a_tag(kind: str) -> None:
    longer = [bytes((0x4F, *frame[1:20])) + bytes(40) + frame[20:] for frame in made(kind)]
    assert [tag for tag, _ in Reader(NONCE).tags(longer)] == [tag for _, tag in SHOTS]


@pytest.mark.parametrize("kind", KINDS)
def test_another_run_is_not_read(kind: str) -> None:
    assert list(Reader(NONCE ^ 1).tags(made(kind))) == []


def test_a_reader_survives_what_is_short() -> None:
    whole = made("udp")[0]
    assert list(Reader(NONCE).tags(whole[:size] for size in range(20, 36))) == []


@pytest.mark.parametrize(
    "answer",
    [
        IP() / TCP(flags="RA", seq=0, ack=0x10000001),
        IP() / TCP(flags="SA", seq=0x10000000, ack=NONCE),
        IP() / ICMP(type=0, id=1) / (NONCE.to_bytes(4, "big") + bytes(4)),
        IP() / ICMP(type=3, code=3) / by_scapy("udp", 53, 1),
        IP() / ICMP(type=3, code=13) / by_scapy("tcp-syn", 53, 1)[:28],
    ],
    ids=["reset", "syn-ack", "echo-reply", "unreachable", "prohibited"],
)
def test_an_answer_is_no_probe(answer: IP) -> None:
    assert list(Reader(NONCE).tags([bytes(answer)])) == []


def test_the_filter_is_five_instructions_that_name_the_nonce() -> None:
    program = tag_filter(NONCE)
    assert len(program) == 5 * 8
    assert program[16:24] == b"\x15\x00\x00\x01" + NONCE.to_bytes(4, "little")
