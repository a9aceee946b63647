"""The game by a player's client through the TCP proxy, its console, its origin, and its backup."""

import hashlib
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from fixtures.contained import beside, end, logged
from fixtures.container import pid
from fixtures.minecraft import BACKUP_START, Player, Refused, backup_said, console
from fixtures.netns import inside
from fixtures.wait import wait
from specs.instance import Instance
from specs.model import Estate

Place = Callable[[str], Path]
BORG = {
    "BORG_BASE_DIR": "/tmp/look",  # not the backup's own cache
    "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
    "BORG_REPO": "/backup",
}
ORIGIN = PurePosixPath("/zfs/storage/loghob/minecraft/akitio/origin")


@pytest.fixture
def player(estate: Estate, place: Place) -> Player:
    return Player(netns=place("visitor"), address=str(estate.host.address))


@pytest.fixture
def tree(instance: Instance) -> Path:
    """The working tree, as the machine sees it."""
    return instance.home / "volumes/mc-working-tree"


def log(tree: Path) -> str:
    return (tree / "logs/latest.log").read_text()


def test_server_list(player: Player) -> None:
    """The entry tells what answers: a stand-in does not pass for a game."""
    assert "stand-in" in player.status()["description"]["text"]


def test_whitelisted_player_joins(player: Player, instance: Instance, tree: Path) -> None:
    with player.joined("steward") as own:
        assert str(own) == json.loads((tree / "whitelist.json").read_text())[0]["uuid"]
        wait(lambda: console(instance, "list")[0].endswith(": steward"), what="steward among the players", seconds=5)
    wait(lambda: "0 of a max" in console(instance, "list")[0], what="steward gone", seconds=5)


def test_other_player_is_refused(player: Player, tree: Path) -> None:
    """The game's own whitelist; the control is the player who may."""
    with player.joined("steward"), pytest.raises(Refused, match="white-listed"), player.joined("griefer"):
        pass
    assert "griefer was refused" in log(tree)


def test_console_is_nobody_elses(estate: Estate, instance: Instance, place: Place) -> None:
    """RCON answers in the server's own namespace (the control) and not at its link, which the hub asks."""
    inside(place("minecraft-server"), lambda: socket.create_connection(("127.0.0.1", 25575), timeout=2).close())
    address = str(estate.link("pub-minecraft-server").end("minecraft-server").address)
    with pytest.raises(OSError):
        inside(place("reverse-proxy-edge"), lambda: socket.create_connection((address, 25575), timeout=0.5).close())


def test_console_wants_the_password(instance: Instance, tmp_path: Path) -> None:
    """The mount alone gives nothing: a client that has another password hears no more."""
    false = Instance(name=instance.name, state=tmp_path)
    (false.home / "volumes").mkdir(parents=True)
    (false.home / "volumes/mc-rcon").symlink_to(instance.home / "volumes/mc-rcon")
    (false.secrets / "rcon").mkdir(parents=True)
    (false.secrets / "rcon/password").write_text("wrong")
    assert console(instance, "list")
    with pytest.raises(OSError, match="refuses"):
        console(false, "list")


def test_backup_equals_the_world(instance: Instance, tree: Path) -> None:
    """A backup made now, by a start of its container, holds the world as it was while the game held still."""
    at_rest(instance)
    before = archives(instance)
    written = len(log(tree))
    again(instance)
    at_rest(instance)
    asked = [line.split("rcon: ")[1] for line in log(tree)[written:].splitlines() if "rcon: save" in line]
    assert asked == ["save-on", "save-off", "save-all flush", "save-on"]
    # One a day is kept, so that the new one may have taken the place of another: what counts is that it is there.
    newest = archives(instance)[-1]
    assert newest not in before
    restored = restore(instance, newest)
    told = int(restored["world/level.dat"])
    assert len(restored["world/region/r.0.0.mca"]) == told * 8  # the stand-in's two files belong together
    now = (tree / "world/region/r.0.0.mca").read_bytes()
    assert now.startswith(restored["world/region/r.0.0.mca"])
    assert {name for name in restored if "/data/" not in name} == {"world/level.dat", "world/region/r.0.0.mca"}


def test_killed_backup_leaves_saving_on(instance: Instance, tree: Path) -> None:
    """Killed while saving is off: its next start turns it on before all else, and makes its backup."""
    written = len(log(tree))
    again(instance)
    wait(lambda: "save-off" in log(tree)[written:], what="saving off", seconds=60)
    end(instance, "minecraft-backup", signal.SIGKILL)
    killed = len(log(tree))
    wait(lambda: "rcon: save-off" in log(tree)[killed:], what="the next start", seconds=30)
    assert "rcon: save-on" in log(tree)[killed:].partition("rcon: save-off")[0]
    size = (tree / "world/region/r.0.0.mca").stat().st_size
    wait(lambda: (tree / "world/region/r.0.0.mca").stat().st_size > size, what="the world written again", seconds=60)
    at_rest(instance)
    assert "save-all flush" in log(tree)[killed:].partition("rcon: save-off")[2]


@pytest.fixture
def origin(instance: Instance, tree: Path) -> Iterator[Path]:
    """The stand-in's own files as an origin; in the end it is away again, and the last good tree stays."""
    folder = instance.bind(ORIGIN)
    for name in ("launch.args", "StandIn.java", "whitelist.json"):
        (folder / name).write_bytes((tree / name).read_bytes())
    yield folder
    for path in folder.iterdir():
        path.unlink()


def test_origin_is_taken_over_at_launch(instance: Instance, player: Player, origin: Path, tree: Path) -> None:
    (origin / "whitelist.json").write_text('[{"name": "steward", "uuid": "82a4e7a0-5b58-3ab8-ba89-202111f37eac"}]\n')
    (origin / "motd.txt").write_text("from the origin\n")
    relaunched(instance, player)
    assert (tree / "motd.txt").read_text() == "from the origin\n"
    assert json.loads((tree / ".origin.json").read_text())["origin"] == "/srv/origin"
    for path in origin.iterdir():
        path.unlink()
    relaunched(instance, player)
    assert (tree / "motd.txt").read_text() == "from the origin\n"


def relaunched(instance: Instance, player: Player) -> None:
    end(instance, "minecraft-server", signal.SIGKILL)
    wait(lambda: answers(player), what="the game answers again", seconds=20)


def answers(player: Player) -> bool:
    try:
        return bool(player.status())
    except OSError:
        return False


def again(instance: Instance) -> None:
    """End the backup's container well; conmon starts it anew, which makes a backup."""
    starts = logged(instance, "minecraft-backup").count(BACKUP_START)
    end(instance, "minecraft-backup", signal.SIGTERM)
    wait(
        lambda: logged(instance, "minecraft-backup").count(BACKUP_START) > starts,
        what="the backup started anew",
        seconds=30,
    )


def at_rest(instance: Instance) -> None:
    """Wait until this start's backup is made, by its own last word; asked earlier, borg meets a locked repository.

    Raises AssertionError with the reason when there is no backup.
    """
    told = backup_said(instance)
    assert "backup: backed up" in told, told


def archives(instance: Instance) -> list[str]:
    return borg(instance, "list", "--short").split()


def borg(instance: Instance, *words: str, folder: str = "/") -> str:
    argv = ("/usr/bin/python3", "-B", "-m", "borg", *words)
    return beside(instance, "minecraft-backup", *argv, folder=folder, timeout=60, **BORG)


def restore(instance: Instance, archive: str) -> dict[str, bytes]:
    """The files of an archive, extracted by the image's own borg into its tmpfs."""
    name = f"/tmp/{hashlib.sha256(os.urandom(8)).hexdigest()[:8]}"
    outside = Path(f"/proc/{pid(instance, 'minecraft-backup')}/root{name}")
    beside(instance, "minecraft-backup", "/usr/bin/python3", "-c", f"import os; os.mkdir({name!r})")
    borg(instance, "extract", f"::{archive}", folder=name)
    found = [path for path in outside.rglob("*") if path.is_file()]
    return {path.relative_to(outside).as_posix(): path.read_bytes() for path in found}
