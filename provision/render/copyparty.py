"""Estate and passwords -> copyparty's configuration file: one read-only volume, which wants a login. A secret whole."""

from __future__ import annotations

from collections.abc import Iterable

from provision.render.sockets import sockets
from provision.render.wireguard import Secret
from specs.model import Container, Estate


def render(estate: Estate, container: Container, passwords: Iterable[tuple[str, Secret]]) -> Secret:
    """The file for `container`. Raises ValueError when no TCP flow ends in it, or nobody may log in."""
    ((address, port), *_) = sockets(estate, container.name)
    known = dict(passwords)
    if not known:
        raise ValueError(f"nobody may log in to {container.name}: name somebody under logins:")
    (shown,) = (mount.at for mount in container.mounts)
    lines = [
        "[global]",
        f"  i: {address}",
        f"  p: {port}",
        "  name: " + container.name,
        "  hist: /tmp/hist",  # thumbnails and the like: the volume is read-only
        "  th-maxage: 3600",
        "  no-robots, no-thumb, no-mtag-ff, no-db-ip, no-ansi, nih, nos-vst",
        "  ban-pw: 9,60,1440",
        "[accounts]",
        *(f"  {name}: {password.reveal()}" for name, password in sorted(known.items())),
        "[/]",
        f"  {shown}",
        "  accs:",
        f"    r: {', '.join(sorted(known))}",
    ]
    return Secret("\n".join(lines) + "\n")
