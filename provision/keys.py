"""The tunnel's keys and the game's password: kept in the instance's secrets folder, made where absent (law 11).

secrets/tunnel/hub.key            the hub's private key
secrets/tunnel/<peer>.key         a peer's private key, where its owner brings no public one
secrets/tunnel/<peer>.psk         the key both share beside (wg(8), PresharedKey)
secrets/rcon/password             the game's RCON, where an image renders it
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provision import x25519
from provision.render.wireguard import PeerKeys, Secret, TunnelKeys
from specs.instance import Instance
from specs.model import Estate, Peer, Profile, Renderer

_PASSWORD_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """The keys and the files that hold them; one that is new is in memory alone until an op writes it."""

    keys: TunnelKeys
    rcon: Secret
    files: tuple[tuple[Path, Secret], ...]


def keyring(estate: Estate, instance: Instance) -> Keyring:
    """Every key of the tunnel, and the game's password; makes what is missing, writes nothing."""
    folder = instance.secrets / "tunnel"
    password = instance.secrets / "rcon" / "password"
    files: dict[Path, Secret] = {}

    def held(name: str, make: Callable[[], str]) -> Secret:
        path = folder / name
        files[path] = _read(path) or Secret(make())
        return files[path]

    def peers() -> Iterator[PeerKeys]:
        for peer in estate.tunnel.peers:
            own = estate.profile is Profile.LAB or peer.public_key is None  # the lab plays the peer as well
            private = held(f"{peer.name}.key", x25519.private_key) if own else None
            preshared = held(f"{peer.name}.psk", x25519.preshared_key)
            yield PeerKeys(name=peer.name, public=_public_of(peer, private), private=private, preshared=preshared)

    hub = held("hub.key", x25519.private_key)
    keys = TunnelKeys(public=x25519.public_key(hub.reveal()), private=hub, peers=tuple(peers()))
    rcon = _read(password) or Secret(secrets.token_urlsafe(_PASSWORD_BYTES))
    if any(rendered.renderer is Renderer.RCON for image in estate.images for rendered in image.rendered):
        files[password] = rcon
    return Keyring(keys=keys, rcon=rcon, files=tuple(sorted(files.items(), key=lambda item: item[0])))


def of_peer(instance: Instance, name: str) -> tuple[Path, ...]:
    """The files that a peer's configuration is made from."""
    return tuple(instance.secrets / "tunnel" / file for file in ("hub.key", f"{name}.key", f"{name}.psk"))


def _public_of(peer: Peer, private: Secret | None) -> str:
    if private is not None:
        return x25519.public_key(private.reveal())
    assert peer.public_key is not None
    return peer.public_key


def _read(path: Path) -> Secret | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    return Secret(text) if text else None  # an empty file is what a kill left
