"""Estate -> what a program of ours needs to be told, as JSON: where it listens, and below which path it is seen."""

from __future__ import annotations

import json

from provision.render.sockets import sockets
from specs.model import Container, Estate


def render(estate: Estate, container: Container) -> str:
    """The file for `container`. Raises ValueError when no TCP flow ends in it: it would serve nobody."""
    listening = [[str(address), port] for address, port in sockets(estate, container.name)]
    path = container.web.path if container.web is not None else "/"
    return json.dumps({"path": path, "sockets": listening}, indent=1) + "\n"
