"""What the containers of akitio do: the game, its console, its terminal, its map, and its backup."""

from pathlib import Path

from fixtures.minecraft import Player, backup_said, console
from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.terminal import terminal
from tests.lifecycle.killed import Prepare, Work
from tests.lifecycle.work.browse import page, web

NUMBER = 4000  # of a map that nothing else paints
TILE = f"/map/tiles/{NUMBER}.png"


def game(made: Scratch) -> bool:
    """A player on the whitelist joins."""
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


def draws(made: Scratch, _folder: Path) -> Work:
    """A map that is painted now, and was never before, is drawn and served."""
    painted: list[bool] = []
    assert web(made).ask(TILE).status == 404

    def work(made: Scratch) -> bool:
        if not painted:
            console(made.instance, f"paint {NUMBER} 18")
            painted.append(True)
        return web(made).ask(TILE).status == 200

    return work


def backs_up(made: Scratch, _folder: Path) -> Work:
    """It asks the game to hold still, and to go on. The one before is waited for: that asks the same."""
    backup_said(made.instance)
    log = made.instance.home / "volumes/mc-working-tree/logs/latest.log"
    written = len(log.read_text())
    return lambda _: "save-on" in log.read_text()[written:].rpartition("save-all flush")[2]


WORK: dict[str, Prepare] = {
    "minecraft-server": lambda *_: game,
    "minecraft-rcon": lambda *_: commands,
    "minecraft-ttyd-rcon": lambda *_: web_terminal,
    "minecraft-map": page("/map/"),
    "minecraft-map-render": draws,
    "minecraft-backup": backs_up,
}
