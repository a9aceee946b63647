"""A hub whose WireGuard device is otherwise than declared is named; one that lets a peer speak for another is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import getpid

import pytest

from fixtures.judge.proof import proved, replayable
from fixtures.judge.tunnel import tunnel
from fixtures.netns import named
from fixtures.observe.capture import capture, retake
from fixtures.observe.evidence import Evidence
from fixtures.proof.replay import fire
from fixtures.proof.tunnel import key
from fixtures.scratch import Scratch
from fixtures.tamper import tamper
from fixtures.verdict import Outcome, against
from specs.model import Estate
from specs.topology import Node, nodes

Lines = tuple[str, ...]
HUB, STRANGER = "vpn-edge", "11" * 32


def peer(public: str, *allowed: str) -> Lines:
    """A peer's allowed IPs, in place of those it has."""
    return (f"public_key={public}", "replace_allowed_ips=true", *(f"allowed_ip={each}" for each in allowed))


# What is done to the device, given the peers' keys by name, and a word of what must be said of it.
FAULTS: dict[str, tuple[Callable[[dict[str, str]], Lines], str]] = {
    "another port": (lambda _: ("listen_port=51900",), "udp/51900"),
    "a mark": (lambda _: ("fwmark=7",), "fwmark 0x7"),
    "a stranger": (lambda _: peer(STRANGER, "10.100.0.77/32"), "for 10.100.0.77/32"),
    "a wider network": (lambda keys: peer(keys["phone"], "10.100.0.0/24"), "10.100.0.0/24"),
    "the other's address": (lambda keys: peer(keys["phone"], "10.100.0.2/32", "10.100.0.3/32"), "10.100.0.2/32, "),
}


@pytest.fixture(scope="module")
def sound(live: Scratch) -> Evidence:
    return capture(live.estate, live.instance, ignore=getpid())


def declared(estate: Estate, keys: dict[str, str]) -> Lines:
    """The lines that undo every fault."""
    own = [line for each in estate.tunnel.peers for line in peer(keys[each.name], f"{each.address}/32")]
    return (f"listen_port={estate.tunnel.port}", "fwmark=0", f"public_key={STRANGER}", "remove=true", *own)


@contextmanager
def tampered(live: Scratch, sound: Evidence, name: str) -> Iterator[Evidence]:
    """What is seen with the fault done."""
    estate, path = live.estate, named(live.netns(HUB))
    keys = {each.name: key(sound, estate, each) for each in estate.tunnel.peers}
    tamper(path, estate.tunnel.ifname, FAULTS[name][0](keys))
    try:
        yield retake(sound, estate, live.instance, live.netns(HUB))
    finally:
        tamper(path, estate.tunnel.ifname, declared(estate, keys))


def hub(estate: Estate) -> Node:
    return next(node for node in nodes(estate) if node.name == HUB)


def test_the_sound_tunnel_holds(live: Scratch, sound: Evidence) -> None:
    estate = live.estate
    assert not [told for node in nodes(estate) if node.tunnel for told in against(tunnel(sound, estate, node))]
    assert proved(sound, estate).proof.holds


@pytest.mark.parametrize("name", FAULTS)
def test_fault(live: Scratch, sound: Evidence, name: str) -> None:
    with tampered(live, sound, name) as seen:
        told = against(tunnel(seen, live.estate, hub(live.estate)))
    assert any(each.outcome is Outcome.BROKEN and FAULTS[name][1] in each.seen for each in told)
    again = retake(sound, live.estate, live.instance, live.netns(HUB))
    assert against(tunnel(again, live.estate, hub(live.estate))) == ()


def test_a_peer_that_speaks_for_another_is_shown_by_a_packet(live: Scratch, sound: Evidence) -> None:
    """Which the kernel then accepts: the phone has the laptop's ports."""
    with tampered(live, sound, "the other's address") as seen:
        found = proved(seen, live.estate)
        assert {each.source for each in found.proof.findings} == {"phone"}
        witnesses = replayable(found)
        shots = fire(found.world, live.estate, live.instance, [(each.sent, each.packet) for each in witnesses])
        for witness, shot in zip(witnesses, shots, strict=True):
            assert shot.accepted_by(witness.taken[0]), f"{witness}: {shot.finding}"
        assert "git-ssh" in {witness.taken[0] for witness in witnesses}


def test_a_stranger_is_unproven(live: Scratch, sound: Evidence) -> None:
    with tampered(live, sound, "a stranger") as seen:
        findings = proved(seen, live.estate).proof.findings
    assert findings
    assert all("of no declared node" in told for each in findings for told in each.blame)
