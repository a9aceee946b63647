"""Estate -> where an sshd listens and whose keys open it; all else of sshd_config(5) is the image's own.

Nothing here is secret: public keys alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from provision.render.sockets import sockets
from specs.model import Container, Estate


def listen(estate: Estate, container: Container) -> str:
    """The lines that sshd_config includes. Raises ValueError when no TCP flow ends in `container`."""
    return "".join(f"ListenAddress {address}:{port}\n" for address, port in sockets(estate, container.name))


def authorized(keys: Iterable[tuple[str, str]]) -> str:
    """authorized_keys(5) of (person, key): `restrict` takes away forwarding, agent, terminal and X11."""
    return "".join(f"restrict {key} {person}\n" for person, key in sorted(keys))
