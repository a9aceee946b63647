"""The services of the default lab, as its visitor and its WireGuard peers meet them; the lab is used, never changed."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.bans import Bans
from fixtures.netns import inside, named
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
    return browser(estate, instance, place("visitor"))


def browser(estate: Estate, instance: Instance, netns: Path) -> Browser:
    """A browser in any node's namespace, at the site's public address."""
    return Browser(
        netns=netns,
        address=str(estate.host.address),
        hostname=estate.site.hostname,
        authority=instance.home / AUTHORITY,
    )


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """Another machine of the internet: its browser, and the address the site sees."""

    browser: Browser
    address: str


@pytest.fixture(scope="session")
def bans(place: Callable[[str], Path]) -> Bans:
    return Bans(host=place("host"))


@pytest.fixture
def stranger(
    estate: Estate, instance: Instance, place: Callable[[str], Path], bans: Bans
) -> Iterator[Callable[[str], Stranger]]:
    """The stranger of a node, by its name; what it earned is forgotten before and after the test."""
    made: list[Stranger] = []

    def of(node: str) -> Stranger:
        asking = browser(estate, instance, place(node))
        made.append(Stranger(browser=asking, address=inside(asking.netns, lambda: source(asking.address))))
        bans.forget(made[-1].address)
        return made[-1]

    yield of
    for each in made:
        bans.forget(each.address)


def source(destination: str) -> str:
    """The address the calling thread's namespace speaks to `destination` from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect((destination, 9))
        return str(asked.getsockname()[0])


def interfaces(netns: Path) -> set[str]:
    """The names of a namespace's interfaces."""
    return {name for _, name in inside(netns, socket.if_nameindex)}


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
