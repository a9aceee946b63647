"""The BPF programs, run by a small machine of the tests' own: what they let through, and what not."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP

from fixtures.probe import sieve as bpf
from fixtures.probe.frames import frames
from fixtures.probe.kinds import KINDS
from fixtures.probe.numbering import SESSIONS, Keys, Numbering
from fixtures.probe.orders import Sender, Target, Volley
from fixtures.probe.run import sieve
from fixtures.probe.template import mould

HERE = IPv4Address("10.0.0.0")
NETNS = Target(node="a", netns=Path("/nowhere"), addresses=(HERE,))
SENDER = Sender(node="a", netns=NETNS.netns, ifname="w0", address=HERE, far=())
VOLLEYS = [Volley(sender=SENDER.name, destination=HERE, kind=kind) for kind in KINDS]
NUMBERS = Numbering(Keys.draw(VOLLEYS), [SENDER], [NETNS], VOLLEYS)
SIEVE = sieve(NUMBERS)
ARP, OTHER = 0x0806, 0x1234
MARK = 0x77


def lets(program: bytes, packet: bytes, protocol: int, *, kind: int = 0, mark: int = 0) -> bool:
    """Run a classic BPF program as net/core/filter.c does; a load beyond the end rejects."""
    steps = list(struct.iter_unpack("=HBBI", program))
    a = x = at = 0
    beside = {bpf.AT_PROTOCOL: protocol, bpf.AT_TYPE: kind, bpf.AT_MARK: mark}
    while True:
        code, true, false, operand = steps[at]
        at += 1
        if code == bpf.RETURN:
            return bool(operand)
        if code in (bpf.EQUAL, bpf.AT_LEAST):
            at += true if (a == operand if code == bpf.EQUAL else a >= operand) else false
        elif operand >= bpf.ANCILLARY:
            a = beside[operand - bpf.ANCILLARY]
        else:
            size = {bpf.LOAD_WORD: 4, bpf.LOAD_WORD_X: 4, bpf.LOAD_HALF: 2, bpf.LOAD_HALF_X: 2}.get(code, 1)
            place = operand + (x if code in (bpf.LOAD_WORD_X, bpf.LOAD_HALF_X) else 0)
            if place + size > len(packet):
                return False
            value = int.from_bytes(packet[place : place + size], "big")
            if code == bpf.HEADER_LENGTH:
                x = (value & 15) << 2
            else:
                a = value


def seen(name: str) -> list[tuple[bytes, int]]:
    """As an observer's socket gives them, with skb->protocol."""
    kind, template = KINDS[name], NUMBERS.templates[name]
    made = [bytes(frame) for frame in frames(template, probes=[(80, NUMBERS.keys.base)], values={})]
    net = kind.net or 0
    ethertypes = [
        int.from_bytes(frame[net - 2 : net], "big") if net else (0x0800, 0x86DD)[kind.family == 6] for frame in made
    ]
    return [(frame[net:], ethertype) for frame, ethertype in zip(made, ethertypes, strict=True)]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_passes(name: str) -> None:
    told = [lets(SIEVE.wire(), packet, ethertype) for packet, ethertype in seen(name)]
    assert any(told)
    assert all(told) or KINDS[name].cuts  # a fragment may bear no tag
    leaving = [lets(SIEVE.exit(MARK), packet, ethertype, kind=4) for packet, ethertype in seen(name)]
    assert any(leaving) or name.startswith("arp-")
    assert not any(lets(SIEVE.exit(MARK), packet, ethertype, kind=4, mark=MARK) for packet, ethertype in seen(name))
    assert not any(lets(SIEVE.exit(MARK), packet, ethertype) for packet, ethertype in seen(name))


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if kind.stack and kind.family == 4 and not kind.cuts]
)
def test_the_stack_takes_every_kind(name: str) -> None:
    assert [lets(SIEVE.stack(), packet, ethertype) for packet, ethertype in seen(name)] == [True]


QUOTED = IP() / UDP(sport=SESSIONS.start, dport=9) / NUMBERS.keys.nonce.to_bytes(4, "big") / b"1234"


@pytest.mark.parametrize(
    ("packet", "passes"),
    [
        (IP() / TCP(sport=22, dport=SESSIONS.start, flags="RA"), True),
        (IP() / UDP(sport=53, dport=SESSIONS.stop - 1), True),
        (IP() / ICMP(type=3, code=3) / QUOTED, True),
        (IP() / TCP(sport=SESSIONS.start, dport=22), False),
        (IP() / UDP(sport=53, dport=SESSIONS.stop) / (b"x" * 60), False),
        (IP() / ICMP() / (b"x" * 60), False),
    ],
    ids=["reset", "datagram", "error", "another's", "beyond the ports", "ping"],
)
def test_answers_pass_and_strangers_do_not(packet: IP, passes: bool) -> None:
    assert lets(SIEVE.wire(), bytes(packet), 0x0800) is passes


def test_arp_passes_and_what_is_foreign_or_short_does_not() -> None:
    assert lets(SIEVE.wire(), bytes(28), ARP)
    assert not lets(SIEVE.wire(), bytes(200), OTHER)
    assert not lets(SIEVE.wire(), b"\x45", 0x0800)


def test_of_one_protocol_alone() -> None:
    ((packet, _),) = seen("udp")
    assert lets(SIEVE.stack(17), packet, 0x0800)
    assert not lets(SIEVE.stack(6), packet, 0x0800)


def test_the_templates_are_the_runs_own() -> None:
    assert mould(KINDS["udp"], NUMBERS.keys.nonce).packet == NUMBERS.templates["udp"].packet
