"""Each container of akitio killed: its service is back within 10 s, by conmon alone, and no other was touched."""

import os
import signal
from collections.abc import Callable

import pytest

from fixtures.deadline import until
from fixtures.minecraft import Player, console
from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.terminal import terminal
from fixtures.web import Browser
from specs.instance import Instance
from tests.lifecycle.test_containers import pid_of
from tests.services.conftest import browser

SECONDS = 10.0
OTHERS = ("lbmt-darkroom", "reverse-proxy-stream", "vpn-edge")


def game(made: Scratch) -> bool:
    player = Player(netns=named(made.netns("visitor")), address=str(made.estate.host.address))
    with player.joined("steward"):
        return bool(player.status())


def commands(made: Scratch) -> bool:
    return "of a max" in console(made.instance, "list")[0]


def web_terminal(made: Scratch) -> bool:
    address = str(made.estate.link("priv-minecraft-ttyd-rcon").end("minecraft-ttyd-rcon").address)
    with terminal(named(made.netns("laptop")), address) as session:
        session.type("list")
        return bool(session.until("of a max"))


def backup(made: Scratch) -> bool:
    """It asks the game to hold still, and to go on."""
    return "save-on" in log(made.instance).rpartition("save-all flush")[2]


def map_page(made: Scratch) -> bool:
    """A visitor sees the page that the renderer drew."""
    return visitor(made).ask("/map/").status == 200


def drawing(made: Scratch) -> bool:
    """A map that is painted now is drawn, and served."""
    number = 9
    console(made.instance, f"paint {number} 18")
    return visitor(made).ask(f"/map/tiles/{number}.png").status == 200


def visitor(made: Scratch) -> Browser:
    return browser(made.estate, made.instance, named(made.netns("visitor")))


def log(instance: Instance) -> str:
    return (instance.home / "volumes/mc-working-tree/logs/latest.log").read_text()


@pytest.mark.parametrize(
    ("container", "serves"),
    [
        ("minecraft-server", game),
        ("minecraft-rcon", commands),
        ("minecraft-ttyd-rcon", web_terminal),
        ("minecraft-map", map_page),
        ("minecraft-map-render", drawing),
        ("minecraft-backup", backup),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_killed(whole: Scratch, container: str, serves: Callable[[Scratch], bool]) -> None:
    others = {name: pid_of(whole, name) for name in OTHERS}
    log_file = whole.instance.home / "volumes/mc-working-tree/logs/latest.log"
    pid = pid_of(whole, container)
    os.kill(pid, signal.SIGKILL)
    log_file.write_text("")  # what is asked from now on
    until(lambda: tried(serves, whole), SECONDS, f"{container} serves again")
    assert pid_of(whole, container) not in (0, pid)
    assert {name: pid_of(whole, name) for name in OTHERS} == others
    assert whole.plan() == []


def tried(serves: Callable[[Scratch], bool], made: Scratch) -> bool:
    try:
        return serves(made)
    except OSError:
        return False
