"""The sweep against a network whose answer is known: every port is sent, and just the open ones are found."""

from collections.abc import Iterator

import pytest

from fixtures.probe.sweep import Lane, Swept, sweep
from specs.model import Protocol
from tests.scale.rig import CLOSED, Rig


@pytest.fixture
def wire() -> Iterator[Rig]:
    with Rig() as rig:
        rig.wire("a", "b", 0)
        yield rig


def swept(rig: Rig) -> dict[Protocol, Swept]:
    lane = Lane(sender=rig.sender("a", towards="b"), destination=rig.address("b", towards="a"))
    return {one.protocol: one for one in sweep([lane], rig.targets())}


def test_every_open_port_is_found_and_no_other(wire: Rig) -> None:
    rules = "tcp dport { 1, 22, 65535 } ct state new accept\nudp dport 40000-40999 accept"
    wire.rules("b", CLOSED.replace("related accept", f"related accept\n{rules}"))
    found = swept(wire)
    assert {one.left for one in found.values()} == {65535}
    assert found[Protocol.TCP].accepted == (("b", (1, 22, 65535)),)
    assert found[Protocol.UDP].accepted == (("b", tuple(range(40000, 41000))),)
    assert {one.why for one in found.values()} == {""}


def test_all_of_them_when_nothing_is_closed(wire: Rig) -> None:
    for one in swept(wire).values():
        assert one.accepted == (("b", tuple(range(1, 65536))),)


def test_what_does_not_come_out_is_unproven(wire: Rig) -> None:
    wire.ip("b", "link set w0 down")
    assert {one.left for one in swept(wire).values()} == {0}
    assert all(one.why for one in swept(wire).values())
