"""What the shop and the music are configured by, compared whole with the files in golden/; who stands in for whom.

After a change that is meant: UPDATE_GOLDEN=1 pytest tests/unit/test_render_music.py, then read the difference.
"""

import json
from dataclasses import replace
from types import ModuleType

import pytest

from provision.image.recipe import Family, recipes
from provision.render import listen, navidrome, player, supysonic
from provision.render.wireguard import Secret
from specs.load import DEFAULT_FOLDER, load
from tests.unit.small_estate import FLOWS, estate, flow, link
from tests.unit.test_render_services import assert_golden

PASSWORDS = (("mara", Secret('se"cond')), ("liam", Secret("first")))


def test_listen_names_every_socket_and_the_path() -> None:
    small = estate()
    assert json.loads(listen.render(small, small.container("drafts"))) == {
        "path": "/blog/drafts/",
        "sockets": [["10.1.3.1", 8080], ["172.16.3.1", 8081]],
    }


def test_player_passes_the_api_on_along_its_own_flow() -> None:
    small = estate()
    wire = link("music", "darkroom", "weblog", "10.254.1.0")
    small = replace(small, links=(*small.links, wire), flows=(*FLOWS, flow("weblog", "darkroom", 4533, "music")))
    assert_golden("small-player.conf", player.render(small, small.container("weblog")))


def test_player_without_a_server_says_so() -> None:
    small = estate()
    with pytest.raises(ValueError, match="0 flows begin in it"):
        player.render(small, small.container("weblog"))


def test_navidrome() -> None:
    small = estate()
    told = navidrome.render(small, small.container("weblog"), PASSWORDS)
    assert_golden("small-navidrome.toml", told.reveal())
    assert "first" not in repr(told)


def test_navidrome_has_one_port() -> None:
    small = estate()
    with pytest.raises(ValueError, match=r"one port alone: drafts has \[8080, 8081\]"):
        navidrome.render(small, small.container("drafts"), PASSWORDS)


@pytest.mark.parametrize("renderer", [navidrome, supysonic], ids=["navidrome", "supysonic"])
def test_music_that_nobody_may_hear(renderer: ModuleType) -> None:
    small = estate()
    with pytest.raises(ValueError, match="nobody may log in to weblog"):
        renderer.render(small, small.container("weblog"), ())


def test_supysonic() -> None:
    small = estate()
    told = supysonic.render(small, small.container("drafts"), PASSWORDS)
    assert json.loads(told.reveal()) == {
        "logins": {"liam": "first", "mara": 'se"cond'},
        "sockets": [["10.1.3.1", 8080], ["172.16.3.1", 8081]],
    }
    assert "first" not in repr(told)


@pytest.mark.parametrize(("family", "runs"), [(Family.ALPINE, "navidrome"), (Family.DEBIAN, "supysonic")])
def test_the_real_one_runs_where_the_family_has_it(family: Family, runs: str) -> None:
    pluto = load(DEFAULT_FOLDER)
    server = pluto.container("navidrome-server")
    assert server.image == "navidrome"
    assert pluto.standing(server.image, family).name == runs
    made = {recipe.name for recipe in recipes(pluto, family, {})}
    assert made & {"navidrome", "supysonic"} == {runs}
