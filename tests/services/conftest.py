"""The services of the default lab, as its visitor and its WireGuard peers meet them; the lab is used, never changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.netns import named
from fixtures.ssh import Desk, trust
from fixtures.web import Browser
from specs import naming
from specs.instance import Instance
from specs.model import Estate

AUTHORITY = "volumes/caddy-data/caddy/pki/authorities/local/root.crt"


@pytest.fixture(scope="session")
def place(instance: Instance) -> Callable[[str], Path]:
    """A node's namespace, by its name."""
    return lambda node: named(naming.netns(instance.name, node))


@pytest.fixture(scope="session")
def visitor(estate: Estate, instance: Instance, place: Callable[[str], Path]) -> Browser:
    """Somebody on the internet."""
    return Browser(
        netns=place("visitor"),
        address=str(estate.host.address),
        hostname=estate.site.hostname,
        authority=instance.home / AUTHORITY,
    )


Sit = Callable[..., Desk]


@pytest.fixture(scope="session")
def sit(
    estate: Estate, instance: Instance, place: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Sit:
    """Liam at the laptop (or elsewhere), before a container with an sshd."""

    def at(container: str, user: str, *, peer: str = "laptop") -> Desk:
        flow = next(flow for flow in estate.flows if flow.target == container)
        address, port = str(estate.link(flow.link).end(container).address), flow.port.number
        host_key = instance.secrets / container / "etc-ssh-host_key"
        known = tmp_path_factory.mktemp("ssh") / "known_hosts"
        return Desk(
            netns=place(peer),
            user=user,
            address=address,
            port=port,
            key=instance.secrets / "people" / "liam.key",
            trusted=trust(known, address=address, port=port, host_key=host_key),
        )

    return at
