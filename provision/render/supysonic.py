"""Estate and passwords -> what images/supysonic/serve.py reads: where to listen, and who may log in. A secret whole."""

from __future__ import annotations

import json
from collections.abc import Iterable

from provision.render.sockets import sockets
from provision.render.wireguard import Secret
from specs.model import Container, Estate


def render(estate: Estate, container: Container, passwords: Iterable[tuple[str, Secret]]) -> Secret:
    """The file for `container`. Raises ValueError when no TCP flow ends in it, or nobody may log in."""
    logins = {name: password.reveal() for name, password in sorted(passwords, key=lambda login: login[0])}
    if not logins:
        raise ValueError(f"nobody may log in to {container.name}: name somebody under logins:")
    listening = [[str(address), port] for address, port in sockets(estate, container.name)]
    return Secret(json.dumps({"logins": logins, "sockets": listening}, indent=1) + "\n")
