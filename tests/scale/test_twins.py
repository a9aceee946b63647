"""The place where everything is allowed: every kind has its effect there, and nothing of it stays behind."""

import sys

import pytest

from fixtures.netns import RUN_NETNS
from fixtures.probe.kinds import KINDS
from fixtures.probe.place import laid
from fixtures.probe.twins import twins
from fixtures.run import run


def left() -> list[str]:
    return [path.name for path in RUN_NETNS.glob("probe-*")]


def test_every_kind_has_its_effect() -> None:
    found = twins(KINDS)
    assert {twin.kind: twin.why for twin in found if not twin.seen} == {}
    assert {twin.kind for twin in found} == set(KINDS)


def test_a_closed_place_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control fails when the kernel does not do what the catalogue says: here, a router that routes nothing."""
    monkeypatch.setattr("fixtures.probe.place._OPEN4", {"rp_filter": 0, "forwarding": 0})
    monkeypatch.setattr("fixtures.probe.place._OWN", {"net/ipv4/ip_forward": 0})
    failed = {twin.kind for twin in twins(("source-route-loose", "arp-foreign", "limited-broadcast")) if not twin.seen}
    assert {"source-route-loose", "arp-foreign", "tcp-syn"} <= failed
    assert "limited-broadcast" not in failed


def test_the_place_is_gone_afterwards_and_so_is_a_dead_runs() -> None:
    dead = "import os; print(os.getpid())"
    pid = run([sys.executable, "-c", dead]).strip()
    run(["ip", "netns", "add", f"probe-{pid}-0-a"])
    with laid():
        assert f"probe-{pid}-0-a" not in left()
        assert len(left()) >= 4
    assert not [name for name in left() if name.startswith(f"probe-{pid}-")]
