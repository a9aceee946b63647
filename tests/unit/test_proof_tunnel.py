"""What the proof makes of the tunnel's peers: the same of a kernel's device as of one that a process keeps."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from fixtures.judge import proof
from fixtures.judge.proof import proved
from fixtures.observe.evidence import Evidence
from fixtures.observe.tunnel import TunnelPeer
from fixtures.proof.tunnel import held
from fixtures.verdict import Outcome, Verdict, against
from tests.unit.ideal import ESTATE, ideal, public
from tests.unit.ideal_tunnel import (
    A_NETWORK,
    KERNELS,
    SPEAKS_FOR_LAPTOP,
    STRANGER,
    changed,
    more,
    peers,
    place,
    silent,
)


def told(evidence: Evidence, one: str, other: str) -> Verdict:
    (verdict,) = proof.pair(proved(evidence, ESTATE), one, other)
    return verdict


def unproven(evidence: Evidence, one: str, other: str, word: str) -> bool:
    verdict = told(evidence, one, other)
    return verdict.outcome is Outcome.UNPROVEN and word in verdict.seen


@KERNELS
def test_the_ideal_estate_is_proved(*, kernel: bool) -> None:
    assert against(proof.everything(ideal(kernel_wireguard=kernel), ESTATE)) == ()


@KERNELS
def test_a_peer_that_speaks_for_another_reaches_its_ports(*, kernel: bool) -> None:
    """And the other, who has lost its address, is heard no more."""
    seen = changed(ideal(kernel_wireguard=kernel), "vpn-edge", SPEAKS_FOR_LAPTOP)
    verdict = told(seen, "phone", "git-ssh")
    assert verdict.outcome is Outcome.BROKEN
    assert "10.100.0.2" in verdict.seen
    lost = [each for each in proof.flows(proved(seen, ESTATE)) if each.outcome is Outcome.BROKEN]
    assert any("laptop -> git-ssh tcp/2222" in each.subject for each in lost)


@KERNELS
def test_the_longest_prefix_says_who_speaks(*, kernel: bool) -> None:
    """A network beside the laptop's own address does not make the phone the laptop (wg(8), AllowedIPs)."""
    seen = changed(ideal(kernel_wireguard=kernel), "vpn-edge", A_NETWORK)
    assert told(seen, "phone", "git-ssh").outcome is Outcome.HELD
    networks = {each.nodes: each.networks for each in held(seen, ESTATE)}
    assert "10.100.0.2/32" not in map(str, networks["phone",])
    assert "10.100.0.3/32" in map(str, networks["phone",])


def test_of_nested_networks_each_speaks_for_what_no_narrower_one_has() -> None:
    allowed = {"laptop": ("0.0.0.0/0", "10.100.0.2/32"), "phone": ("10.0.0.0/8", "fd00::/8"), "x": ("10.100.0.0/30",)}
    few = tuple(TunnelPeer(public_key=public(name), allowed=networks) for name, networks in allowed.items())
    seen = changed(ideal(), "vpn-edge", lambda found: replace(found, peers=few))
    spoken = {each.key: each.networks for each in held(seen, ESTATE)}

    def speaks(address: str) -> set[str]:
        return {name for name in allowed if any(ip_address(address) in each for each in spoken[public(name)])}

    assert [speaks(each) for each in ("192.0.2.1", "10.100.0.2")] == [{"laptop"}] * 2
    assert [speaks(each) for each in ("10.100.0.0", "10.100.0.1", "10.100.0.3")] == [{"x"}] * 3
    assert [speaks(each) for each in ("10.0.0.0", "10.100.0.4", "10.255.255.255", "fd00::1")] == [{"phone"}] * 4
    assert speaks("fe80::1") == set()


@KERNELS
def test_nobody_speaks_through_a_device_without_peers(*, kernel: bool) -> None:
    seen = changed(ideal(kernel_wireguard=kernel), "vpn-edge", lambda found: replace(found, peers=()))
    lost = [each for each in proof.flows(proved(seen, ESTATE)) if each.outcome is Outcome.BROKEN]
    assert any("laptop -> git-ssh" in each.subject for each in lost)


@KERNELS
@pytest.mark.parametrize(
    "evidence",
    [
        lambda seen: changed(seen, "vpn-edge", more(TunnelPeer(public_key=STRANGER, allowed=("10.1.1.0/31",)))),
        lambda seen: silent(changed(seen, "vpn-edge", SPEAKS_FOR_LAPTOP), "laptop", "phone"),
    ],
    ids=["a key that nobody has", "two whose keys nobody knows"],
)
def test_a_peer_that_may_be_anybody_is_unproven(evidence: Callable[[Evidence], Evidence], *, kernel: bool) -> None:
    assert unproven(evidence(ideal(kernel_wireguard=kernel)), "phone", "git-ssh", "of wg0")


def test_peers_whose_keys_nobody_knows_are_told_by_their_addresses() -> None:
    """A peer's wireguard-go that is dead tells no key: its container is broken, the proof holds."""
    assert proved(silent(ideal(), "laptop", "phone"), ESTATE).proof.holds


def test_another_device_of_the_kernel_is_unproven() -> None:
    """Wherever it leads: nothing but the declared tunnel is known."""
    stray = next(each for each in ideal(kernel_wireguard=True).namespaces if each.name == "unit.vpn-edge")
    device = next(each for each in stray.interfaces if each.name == "wg0")
    seen = place(ideal(), "git-web", lambda found: replace(found, interfaces=(*found.interfaces, device)))
    assert unproven(seen, "reverse-proxy-edge", "git-web", "whose far end is not known")


def test_a_device_of_the_kernel_that_was_not_looked_at_is_unproven() -> None:
    """As the evidence of an earlier version has it."""
    assert unproven(
        silent(ideal(kernel_wireguard=True), "vpn-edge"), "phone", "git-ssh", "whose allowed IPs are not read"
    )


@KERNELS
def test_all_of_ipv6_is_nothing_of_ipv4(*, kernel: bool) -> None:
    seen = changed(ideal(kernel_wireguard=kernel), "vpn-edge", peers(phone={"allowed": ("10.100.0.3/32", "::/0")}))
    assert told(seen, "phone", "git-ssh").outcome is Outcome.HELD
