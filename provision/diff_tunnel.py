"""What is wrong with a kernel WireGuard device: its configuration against what was read of it. Pure.

Nothing said here holds a key: peers are told by name, and one that nobody declares by its addresses. A device's
endpoint for a peer is compared only where one is declared: without it the peer is where it last spoke from.
"""

from __future__ import annotations

from collections.abc import Iterator

from provision.facts.secret import digest
from provision.facts.tunnel import ActualPeer, ActualTunnel
from provision.ops.tunnel import ConfigureTunnel
from provision.render.wireguard import PeerConfig, TunnelConfig, raw

_NOWHERE = "no address"


def diff(node: str, config: TunnelConfig, actual: ActualTunnel) -> Iterator[ConfigureTunnel]:
    """One op, or none when the device holds exactly its configuration."""
    declared = {peer.public for peer in config.peers}
    undeclared = tuple(peer for peer in actual.peers if peer.public not in declared)
    wrong = [*_device(config, actual), *_peers(config, actual)]
    wrong += [f"has an undeclared peer for {_addresses(peer)}" for peer in undeclared]
    if wrong:
        yield ConfigureTunnel(
            node=node,
            ifname=actual.ifname,
            config=config,
            undeclared=tuple(peer.public for peer in undeclared),
            seen=", ".join(wrong),
        )


def _device(config: TunnelConfig, actual: ActualTunnel) -> Iterator[str]:
    if actual.public != config.public:
        yield "has another private key" if actual.public else "has no private key"
    if config.port is not None and actual.port != config.port:
        yield f"listens on udp/{actual.port}, not udp/{config.port}"
    if actual.mark:
        yield f"marks its packets {actual.mark:#x}"


def _peers(config: TunnelConfig, actual: ActualTunnel) -> Iterator[str]:
    held = {peer.public: peer for peer in actual.peers}
    for wanted in config.peers:
        there = held.get(wanted.public)
        if there is None:
            yield f"lacks the peer {wanted.name}"
        else:
            yield from (f"{what} the peer {wanted.name}" for what in _peer(wanted, there))


def _peer(wanted: PeerConfig, there: ActualPeer) -> Iterator[str]:
    if there.preshared != digest(raw(wanted.preshared.reveal())):
        yield "has another pre-shared key for" if there.preshared else "has no pre-shared key for"
    if there.allowed != (wanted.allowed,):
        yield f"allows {_addresses(there)}, not {wanted.allowed}, from"
    if wanted.endpoint is not None and there.endpoint != wanted.endpoint:
        yield "has another endpoint for"
    if there.keepalive != wanted.keepalive:
        yield f"keeps alive every {there.keepalive} s, not {wanted.keepalive} s,"


def _addresses(peer: ActualPeer) -> str:
    return " ".join(str(network) for network in peer.allowed) or _NOWHERE
