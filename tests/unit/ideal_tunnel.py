"""Ideal evidence where a WireGuard device is otherwise: its peers, its own fields, or nobody has looked at it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fixtures.observe.evidence import Evidence, Namespace
from fixtures.observe.tunnel import Tunnel, TunnelPeer
from tests.unit.ideal import public

Change = Callable[[Tunnel], Tunnel]
KERNELS = pytest.mark.parametrize("kernel", [False, True], ids=["wireguard-go", "wireguard of the kernel"])
STRANGER = public("somebody else")


def peers(**otherwise: dict[str, Any]) -> Change:
    """Some peers' fields otherwise, by the peer's name."""
    by_key = {public(name): fields for name, fields in otherwise.items()}
    return lambda seen: replace(
        seen, peers=tuple(replace(each, **by_key.get(each.public_key, {})) for each in seen.peers)
    )


def more(peer: TunnelPeer) -> Change:
    return lambda seen: replace(seen, peers=(*seen.peers, peer))


def place(evidence: Evidence, node: str, change: Callable[[Namespace], Namespace]) -> Evidence:
    found = tuple(change(each) if each.name == f"unit.{node}" else each for each in evidence.namespaces)
    return replace(evidence, namespaces=found)


def changed(evidence: Evidence, node: str, change: Change) -> Evidence:
    return place(evidence, node, lambda seen: replace(seen, tunnels=tuple(map(change, seen.tunnels))))


def silent(evidence: Evidence, *nodes: str) -> Evidence:
    """The same where nobody looked at these nodes' devices."""
    for node in nodes:
        evidence = place(evidence, node, lambda seen: replace(seen, tunnels=()))
    return evidence


SPEAKS_FOR_LAPTOP = peers(laptop={"allowed": ()}, phone={"allowed": ("10.100.0.2/32", "10.100.0.3/32")})
A_NETWORK = peers(phone={"allowed": ("10.100.0.0/24",)})
