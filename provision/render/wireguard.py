"""Estate and keys -> the configuration of one side of the tunnel, in WireGuard's own cross-platform protocol.

https://www.wireguard.com/xplatform/: the `set=1` request that a userspace WireGuard reads from its control
socket, keys in hexadecimal, ended by an empty line. It is a secret whole (law 11), and so is its type.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from ipaddress import IPv4Address

from specs.model import Estate, Peer

KEEPALIVE_SECONDS = 25  # under the usual 30 s of a NAT's UDP mapping
EVERYWHERE = "0.0.0.0/0"


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


def render_hub(estate: Estate, keys: TunnelKeys) -> Secret:
    """The hub's side: every declared peer, and from each its own address alone."""
    tunnel = estate.tunnel
    lines = [f"private_key={_hexadecimal(keys.private.reveal())}", f"listen_port={tunnel.port}", "replace_peers=true"]
    for peer in sorted(tunnel.peers):
        own = keys.peer(peer.name)
        lines += _peer(own.public, own.preshared, allowed=f"{peer.address}/32")
    return _request(lines)


def render_peer(estate: Estate, peer: Peer, keys: TunnelKeys) -> Secret:
    """A peer's side: the hub, at the host's uplink address. ValueError when the owner keeps the private key."""
    own = keys.peer(peer.name)
    if own.private is None:
        raise ValueError(f"the private key of peer {peer.name} is its owner's: its side cannot be made here")
    hub = _peer(keys.public, own.preshared, allowed=EVERYWHERE, endpoint=(estate.host.address, estate.tunnel.port))
    return _request([f"private_key={_hexadecimal(own.private.reveal())}", "replace_peers=true", *hub])


def _peer(
    public: str, preshared: Secret, *, allowed: str, endpoint: tuple[IPv4Address, int] | None = None
) -> list[str]:
    lines = [f"public_key={_hexadecimal(public)}", f"preshared_key={_hexadecimal(preshared.reveal())}"]
    if endpoint is not None:
        lines += [f"endpoint={endpoint[0]}:{endpoint[1]}", f"persistent_keepalive_interval={KEEPALIVE_SECONDS}"]
    return [*lines, "replace_allowed_ips=true", f"allowed_ip={allowed}"]


def _request(lines: list[str]) -> Secret:
    return Secret("\n".join(["set=1", *lines]) + "\n\n")


def _hexadecimal(key: str) -> str:
    raw = base64.b64decode(key, validate=True)
    if len(raw) != 32:
        raise ValueError("a WireGuard key has 32 bytes")
    return raw.hex()
