"""The matrix as text, the frames as pcapng, and what a flow admits."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from scapy.utils import PcapNgReader

from fixtures.judge.pair import traffic
from fixtures.probe.matrix import Finding, Result
from fixtures.probe.pcap import AUXDATA, ETHERNET, Frame, pcapng, with_tag
from fixtures.report.matrix import failing, is_off, letters, text
from specs.admitted import Admission, Door, Packet
from specs.model import Port, Protocol
from tests.unit.ideal import ESTATE
from tests.unit.test_judge_pairs import EDGE, IDEAL, accepted, otherwise


def test_as_declared_there_are_dots_and_small_letters() -> None:
    shown = letters(traffic(ESTATE, IDEAL))
    assert set(shown.values()) == {".", "a"}
    assert not is_off(shown)
    assert shown["reverse-proxy-edge", "git-web"] == "a"
    assert shown["git-web", "reverse-proxy-edge"] == "."


@pytest.mark.parametrize(
    ("finding", "letter"),
    [
        (accepted(22, "git-web"), "A"),
        (Finding(result=Result.FORWARDED, ports=(1,), nodes=("vpn-edge",)), "F"),
        (Finding(result=Result.UNPROVEN, ports=(1,), why="?"), "D"),
        (None, "D"),
    ],
)
def test_the_gravest_of_a_pair_is_shown(finding: Finding | None, letter: str) -> None:
    found = otherwise(EDGE, "172.16.4.1", *([finding] if finding else []))
    shown = letters(found)
    assert shown["reverse-proxy-edge", "git-web"] == letter or letter == "D"
    assert is_off(shown)
    assert (EDGE, "172.16.4.1", "tcp-syn") in set(failing(found))
    row = next(line for line in text(shown).splitlines() if " reverse-proxy-edge " in line)
    assert shown["reverse-proxy-edge", "git-web"] in row


def test_the_matrix_has_a_row_and_a_column_for_each() -> None:
    lines = text({("a", "b"): ".", ("b", "a"): "A"}).splitlines()
    assert lines[2:4] == [" 1 a -.", " 2 b A-"]


def test_pcapng_is_read_by_scapy(tmp_path: Path) -> None:
    frames = [
        Frame(place=place, link=ETHERNET, nanoseconds=1_700_000_000_000_000_000 + at, octets=bytes(range(at + 14)))
        for at, place in enumerate(("host.eth0", "git-web.pub-git-web", "host.eth0"))
    ]
    path = tmp_path / "kept.pcapng"
    path.write_bytes(pcapng(frames))
    with PcapNgReader(str(path)) as reader:
        read = list(reader)
    assert [bytes(packet) for packet in read] == [frame.octets for frame in frames]
    assert [packet.sniffed_on for packet in read] == [frame.place for frame in frames]


def test_a_vlan_tag_is_put_back() -> None:
    frame = bytes(12) + b"\x08\x00rest"
    assert with_tag(frame, AUXDATA.pack(0, 0, 0, 0, 0, 7, 0x8100)) == frame
    assert with_tag(frame, AUXDATA.pack(0x50, 0, 0, 0, 0, 7, 0x88A8)) == bytes(12) + b"\x88\xa8\x00\x07\x08\x00rest"


ADMISSION = Admission(ESTATE)
HTTPS = Port(protocol=Protocol.TCP, number=443)
WEB = Port(protocol=Protocol.TCP, number=8080)


@pytest.mark.parametrize(
    ("door", "source", "destination", "port", "target"),
    [
        (Door(node="host", ifname="eth0"), "203.0.113.200", "192.168.1.1", HTTPS, "reverse-proxy-edge"),
        (Door(node="host", ifname="eth0"), "172.16.4.1", "192.168.1.1", HTTPS, None),
        (Door(node="host", ifname="eth0"), "203.0.113.200", "192.168.100.1", HTTPS, None),
        (Door(node="git-web", ifname="pub-git-web"), "172.16.4.0", "172.16.4.1", WEB, "git-web"),
        (Door(node="git-web", ifname="pub-git-web"), "203.0.113.200", "172.16.4.1", WEB, None),
        (Door(node="git-web", ifname="other"), "172.16.4.0", "172.16.4.1", WEB, None),
    ],
)
def test_what_a_flow_admits(door: Door, source: str, destination: str, port: Port, target: str | None) -> None:
    packet = Packet(source=IPv4Address(source), destination=IPv4Address(destination), port=port)
    way = ADMISSION.of(door, packet)
    assert (way.flow.target if way else None) == target
    assert ADMISSION.of(door, replace(packet, port=Port(protocol=Protocol.UDP, number=443))) is None


def test_the_world_comes_in_by_the_uplink() -> None:
    assert ADMISSION.door("wan", "wan-visitor") == Door(node="host", ifname=ESTATE.host.uplink)
