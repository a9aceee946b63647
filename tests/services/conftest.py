"""The services of the default lab, as its visitor and its WireGuard peers meet them; the lab is used, never changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.bans import Bans
from fixtures.netns import named
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
    """Another machine of the internet, by the address it has there (a peer's, outside its tunnel)."""

    browser: Browser
    address: str


@pytest.fixture(scope="session")
def bans(place: Callable[[str], Path]) -> Bans:
    return Bans(host=place("host"))


@pytest.fixture
def stranger(
    estate: Estate, instance: Instance, place: Callable[[str], Path], bans: Bans
) -> Iterator[Callable[[str], Stranger]]:
    """The stranger of a node, by its name; every ban it earns is lifted when the test is over."""
    made: list[Stranger] = []

    def of(node: str) -> Stranger:
        (address,) = (str(e.address) for link in estate.world.links for e in link.endpoints if e.node == node)
        made.append(Stranger(browser=browser(estate, instance, place(node)), address=address))
        bans.lift(address)
        bans.fresh_meter(address)
        return made[-1]

    yield of
    for each in made:
        bans.lift(each.address)
