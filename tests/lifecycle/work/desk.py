"""The owner's ssh at his laptop, for the work of the two that log him in."""

from pathlib import Path

from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.ssh import Desk, trust


def desk(made: Scratch, container: str, user: str, folder: Path) -> Desk:
    """`folder` holds whom he trusts."""
    secrets = made.instance.secrets
    (address,) = (str(link.end(container).address) for link in made.estate.links if link.b.node == container)
    host_key = secrets / container / "etc-ssh-host_key"
    known = trust(folder / "known_hosts", address=address, port=2222, host_key=host_key)
    place = named(made.netns("laptop"))
    key = secrets / "people/liam.key"
    return Desk(netns=place, user=user, address=address, port=2222, key=key, trusted=known)
