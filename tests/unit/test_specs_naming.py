"""Names: what the kernel and podman see of what the owner wrote."""

from __future__ import annotations

import random
import re

import pytest

from specs import naming
from specs.naming import NAME


@pytest.mark.parametrize(
    ("link", "ifname", "altname"),
    [
        ("host-pub", "host-pub", None),
        ("pub-git-web", "pub-git-web", None),
        ("exactly-fifteen", "exactly-fifteen", None),
        ("exactly-sixteen-", "exactly-si-790d", "exactly-sixteen-"),
        ("pub-lbmt-darkroom", "pub-lbmt-d-1c70", "pub-lbmt-darkroom"),
        ("priv-navidrome-web-client", "priv-navid-f19a", "priv-navidrome-web-client"),
        ("priv-vault-spare-games", "priv-vault-1920", "priv-vault-spare-games"),
        ("priv-vault-test-films", "priv-vault-1920", "priv-vault-test-films"),  # so the loader must refuse the two
    ],
)
def test_names(link: str, ifname: str, altname: str | None) -> None:
    assert naming.ifname(link) == ifname
    assert naming.altname(link) == altname


def test_every_link_name_makes_an_interface_name() -> None:
    chance = random.Random(0)
    for _ in range(5000):
        name = "n" + "".join(chance.choice("abcdefghij0123456789-") for _ in range(chance.randrange(62))) + "z"
        assert re.fullmatch(NAME, name)
        short = naming.ifname(name)
        assert len(short) <= 15  # IFNAMSIZ 16 with the NUL
        assert re.fullmatch(r"[a-z0-9-]+", short)
        assert (short == name) == (len(name) <= 15)
        assert naming.altname(name) == (None if short == name else name)
        assert len(name) <= 127  # ALTIFNAMSIZ 128 with the NUL


def test_namespaces_and_containers_bear_the_instance() -> None:
    assert naming.netns("pluto", "git-web") == "pluto.git-web"
    assert naming.container("scratch-1", "git-web") == "scratch-1.git-web"
    longest = naming.netns("e" * naming.ESTATE_MAX, "n" * naming.NAME_MAX)
    assert len(longest) <= 255  # NAME_MAX of /run/netns
    assert len(f"/run/pluto/{'e' * naming.ESTATE_MAX}/podman") <= 50  # podman's limit of a runroot
