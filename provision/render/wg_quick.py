"""Estate and keys -> a peer's own configuration file, in the form of wg-quick(8). A secret whole (law 11)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from provision.render.wireguard import Secret, TunnelKeys, config_peer
from specs.model import Estate, Peer
from specs.way import way


def render(estate: Estate, peer: Peer, keys: TunnelKeys, endpoint: str | None = None) -> Secret:
    """The file for `peer`. Into the tunnel goes what its flows reach and the hub itself, nothing else of its traffic.

    `endpoint` is the address or name under which the owner's router is reached from outside, with a port where that is
    another than the tunnel's; where it is None, the host's own. ValueError when the owner keeps the private key.
    """
    own = config_peer(estate, peer, keys)
    (hub,) = own.peers
    reached = ", ".join(f"{address}/32" for address in sorted(set(_reached(estate, peer))))
    reached_at = endpoint or str(estate.host.address)
    lines = [
        "[Interface]",
        f"PrivateKey = {own.private.reveal()}",
        f"Address = {peer.address}/32",
        "",
        "[Peer]",
        f"PublicKey = {hub.public}",
        f"PresharedKey = {hub.preshared.reveal()}",
        f"Endpoint = {reached_at if ':' in reached_at else f'{reached_at}:{estate.tunnel.port}'}",
        f"AllowedIPs = {reached}",
        f"PersistentKeepalive = {hub.keepalive}",
    ]
    return Secret("\n".join(lines) + "\n")


def _reached(estate: Estate, peer: Peer) -> Iterator[IPv4Address]:
    yield estate.tunnel.address
    for flow in estate.flows:
        dialled = way(estate, flow).dial if flow.source_node == peer.name else None
        if dialled is not None:
            yield dialled
