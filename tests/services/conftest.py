"""The services of the default lab, as its visitor and its WireGuard peers meet them; the lab is used, never changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

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
    return Browser(
        netns=place("visitor"),
        address=str(estate.host.address),
        hostname=estate.site.hostname,
        authority=instance.home / AUTHORITY,
    )
