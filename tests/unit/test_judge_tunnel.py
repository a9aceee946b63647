"""The judge of the tunnel's ends: the same of a kernel's device as of one that a process keeps."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.judge.tunnel import tunnel
from fixtures.observe.evidence import Evidence, dump, load
from fixtures.observe.tunnel import Tunnel, TunnelPeer
from fixtures.verdict import Outcome, Verdict, against
from tests.unit.ideal import ESTATE, ideal, node_named, public
from tests.unit.ideal_tunnel import (
    A_NETWORK,
    KERNELS,
    SPEAKS_FOR_LAPTOP,
    STRANGER,
    Change,
    changed,
    more,
    peers,
    place,
    silent,
)

HUB: dict[str, tuple[Change, str]] = {
    "another's address": (SPEAKS_FOR_LAPTOP, "10.100.0.2/32, 10.100.0.3/32"),
    "a network": (A_NETWORK, "10.100.0.0/24"),
    "no address": (peers(phone={"allowed": ()}), "no address"),
    "no key beside": (peers(phone={"preshared": False}), "none"),
    "another peer": (more(TunnelPeer(public_key=STRANGER, allowed=("10.100.0.9/32",), preshared=True)), "10.100.0.9"),
    "a peer for nobody": (more(TunnelPeer(public_key=STRANGER, allowed=(), preshared=True)), "for no address"),
    "another key": (peers(phone={"public_key": STRANGER}), "no such peer"),
    "a peer less": (lambda seen: replace(seen, peers=seen.peers[1:]), "no such peer"),
    "another port": (lambda seen: replace(seen, port=51821), "udp/51821"),
    "a mark": (lambda seen: replace(seen, mark=0x51), "fwmark 0x51"),
    "no key": (lambda seen: replace(seen, public_key=""), "no private key"),
}


@KERNELS
@pytest.mark.parametrize("otherwise", HUB)
def test_the_hubs_device(otherwise: str, *, kernel: bool) -> None:
    change, word = HUB[otherwise]
    assert seen_of(changed(ideal(kernel_wireguard=kernel), "vpn-edge", change), "vpn-edge", Outcome.BROKEN, word)


@KERNELS
@pytest.mark.parametrize(
    ("change", "word"),
    [
        (more(TunnelPeer(public_key=STRANGER, allowed=(), preshared=True)), "for no address"),
        (peers(**{"vpn-edge": {"public_key": STRANGER}}), "no such peer"),
        (peers(**{"vpn-edge": {"preshared": False}}), "none"),
        (peers(**{"vpn-edge": {"allowed": ("10.1.1.0/31",)}}), "10.1.1.0/31"),
    ],
    ids=["another peer", "another hub", "no key beside", "less than everywhere"],
)
def test_a_peers_device(change: Change, word: str, *, kernel: bool) -> None:
    assert seen_of(changed(ideal(kernel_wireguard=kernel), "phone", change), "phone", Outcome.BROKEN, word)


def seen_of(evidence: Evidence, node: str, outcome: Outcome, word: str) -> list[Verdict]:
    """The verdicts on a node's tunnel that say so, where all that is against it has this outcome."""
    told = against(tunnel(evidence, ESTATE, node_named(node)))
    assert {each.outcome for each in told} == {outcome}
    return [each for each in told if word in each.seen]


@KERNELS
@pytest.mark.parametrize("node", ["vpn-edge", "laptop", "phone"])
def test_the_declared_devices(node: str, *, kernel: bool) -> None:
    assert against(tunnel(ideal(kernel_wireguard=kernel), ESTATE, node_named(node))) == ()


def test_a_device_that_is_not_there() -> None:
    seen = place(ideal(), "vpn-edge", lambda found: replace(found, interfaces=found.interfaces[:1]))
    assert seen_of(seen, "vpn-edge", Outcome.BROKEN, "none")


def test_a_device_of_the_kernel_that_was_not_looked_at_is_unproven() -> None:
    seen = silent(ideal(kernel_wireguard=True), "vpn-edge")
    assert seen_of(seen, "vpn-edge", Outcome.UNPROVEN, "not looked at")


def test_a_device_that_nobody_keeps_is_broken() -> None:
    assert seen_of(silent(ideal(), "vpn-edge"), "vpn-edge", Outcome.BROKEN, "nobody answers")


def test_evidence_of_an_earlier_version_is_unproven() -> None:
    """It has the peers' keys and addresses alone."""
    old = Tunnel(ifname="wg0", peers=(TunnelPeer(public_key=public("laptop"), allowed=("10.100.0.2/32",)),))
    seen = silent(changed(ideal(), "vpn-edge", lambda _: old), "laptop", "phone")
    assert seen_of(seen, "vpn-edge", Outcome.UNPROVEN, "not looked at")


def test_a_key_beside_that_was_not_looked_for_is_unproven() -> None:
    seen = changed(ideal(), "vpn-edge", peers(phone={"preshared": None}))
    assert seen_of(seen, "vpn-edge", Outcome.UNPROVEN, "not looked at")


@KERNELS
def test_evidence_is_read_back_as_it_was_written(tmp_path: Path, *, kernel: bool) -> None:
    (file := tmp_path / "state.json").write_bytes(dump(ideal(kernel_wireguard=kernel)))
    assert load(file) == ideal(kernel_wireguard=kernel)
