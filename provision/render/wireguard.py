"""Estate and keys -> the configuration of one side of the tunnel: as a value, and in WireGuard's own protocol.

The value is what provision/ops/tunnel.py sets to the kernel's device. The text is the cross-platform protocol,
https://www.wireguard.com/xplatform/: the `set=1` request that a userspace WireGuard reads from its control
socket, keys in hexadecimal, ended by an empty line. It is a secret whole (law 11), and so is its type.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from specs.model import Estate, Peer
from specs.topology import nodes

KEEPALIVE_SECONDS = 25  # under the usual 30 s of a NAT's UDP mapping
EVERYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Secret:
    """A value that shows itself only when asked to."""

    value: str

    def reveal(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, kw_only=True)
class PeerKeys:
    """Keys are base64, as wg(8) shows them; `private` is None where the owner keeps it to himself."""

    name: str
    public: str
    private: Secret | None
    preshared: Secret


@dataclass(frozen=True, kw_only=True)
class TunnelKeys:
    public: str
    private: Secret
    peers: tuple[PeerKeys, ...]

    def peer(self, name: str) -> PeerKeys:
        """The keys of the peer `name`. KeyError when there are none."""
        for keys in self.peers:
            if keys.name == name:
                return keys
        raise KeyError(f"no keys for peer {name}")


@dataclass(frozen=True, kw_only=True)
class PeerConfig:
    """What one side knows of another. Without an endpoint it waits to be spoken to."""

    name: str
    public: str
    preshared: Secret
    allowed: IPv4Network
    endpoint: tuple[IPv4Address, int] | None = None
    keepalive: int = 0  # seconds, 0: off


@dataclass(frozen=True, kw_only=True)
class TunnelConfig:
    """One side's device, whole; `port` is None where any will do."""

    public: str
    private: Secret
    port: int | None
    peers: tuple[PeerConfig, ...]


def configs(estate: Estate, keys: TunnelKeys) -> Mapping[str, TunnelConfig]:
    """Every node with a tunnel device: the hub and, in the lab, each peer's machine."""
    hub, peers = estate.tunnel.hub, {peer.name: peer for peer in estate.tunnel.peers}
    names = [node.name for node in nodes(estate) if node.tunnel is not None]
    return {name: config_hub(estate, keys) if name == hub else config_peer(estate, peers[name], keys) for name in names}


def config_hub(estate: Estate, keys: TunnelKeys) -> TunnelConfig:
    """The hub's side: every declared peer, and from each its own address alone."""
    peers = tuple(
        PeerConfig(
            name=peer.name,
            public=keys.peer(peer.name).public,
            preshared=keys.peer(peer.name).preshared,
            allowed=IPv4Network(peer.address),
        )
        for peer in sorted(estate.tunnel.peers)
    )
    return TunnelConfig(public=keys.public, private=keys.private, port=estate.tunnel.port, peers=peers)


def config_peer(estate: Estate, peer: Peer, keys: TunnelKeys) -> TunnelConfig:
    """A peer's side: the hub, at the host's uplink address. ValueError when the owner keeps the private key."""
    own = keys.peer(peer.name)
    if own.private is None:
        raise ValueError(f"the private key of peer {peer.name} is its owner's: its side cannot be made here")
    hub = PeerConfig(
        name=estate.tunnel.hub,
        public=keys.public,
        preshared=own.preshared,
        allowed=EVERYWHERE,
        endpoint=(estate.host.address, estate.tunnel.port),
        keepalive=KEEPALIVE_SECONDS,
    )
    return TunnelConfig(public=own.public, private=own.private, port=None, peers=(hub,))


def render_hub(estate: Estate, keys: TunnelKeys) -> Secret:
    """The hub's side as text."""
    return _render(config_hub(estate, keys))


def render_peer(estate: Estate, peer: Peer, keys: TunnelKeys) -> Secret:
    """A peer's side as text. ValueError when the owner keeps the private key."""
    return _render(config_peer(estate, peer, keys))


def raw(key: str) -> bytes:
    """The 32 bytes of a base64 key. ValueError when it is none."""
    decoded = base64.b64decode(key, validate=True)
    if len(decoded) != 32:
        raise ValueError("a WireGuard key has 32 bytes")
    return decoded


def _render(config: TunnelConfig) -> Secret:
    lines = ["set=1", f"private_key={raw(config.private.reveal()).hex()}"]
    lines += [] if config.port is None else [f"listen_port={config.port}"]
    lines += ["replace_peers=true", *(line for peer in config.peers for line in _peer(peer))]
    return Secret("\n".join(lines) + "\n\n")


def _peer(peer: PeerConfig) -> list[str]:
    lines = [f"public_key={raw(peer.public).hex()}", f"preshared_key={raw(peer.preshared.reveal()).hex()}"]
    if peer.endpoint is not None:
        lines += [f"endpoint={peer.endpoint[0]}:{peer.endpoint[1]}", f"persistent_keepalive_interval={peer.keepalive}"]
    return [*lines, "replace_allowed_ips=true", f"allowed_ip={peer.allowed}"]
