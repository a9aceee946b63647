"""Estate and password -> navidrome.toml: the music read-only, nothing asked of the internet. A secret whole.

Options: navidrome's own documentation, "Configuration Options".
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from provision.render.sockets import sockets
from provision.render.wireguard import Secret
from specs.model import Container, Estate


def render(estate: Estate, container: Container, passwords: Iterable[tuple[str, Secret]]) -> Secret:
    """The file for `container`; navidrome makes `admin` with this password when it has no users yet.

    Raises ValueError when no TCP flow ends in it, when its flows end at several ports, or when nobody may log in.
    """
    ports = {port for _, port in sockets(estate, container.name)}
    if len(ports) != 1:
        raise ValueError(f"navidrome listens at one port alone: {container.name} has {sorted(ports)}")
    known = sorted(passwords, key=lambda login: login[0])
    if not known:
        raise ValueError(f"nobody may log in to {container.name}: name somebody under logins:")
    settings: dict[str, str | int | bool] = {
        "Address": "0.0.0.0",  # it takes one address, and flows come over several links; nft lets in what is declared
        "Port": ports.pop(),
        "MusicFolder": "/music",
        "DataFolder": "/data",
        "CacheFolder": "/data/cache",
        "EnableExternalServices": False,
        "EnableInsightsCollector": False,
        "EnableSharing": False,
        "DevAutoCreateAdminPassword": known[0][1].reveal(),
    }
    return Secret("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
