"""The programs of ours inside the game's containers: the launch's update, the RCON client, the order of a backup."""

import contextlib
import importlib.util
import json
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from specs.load import DEFAULT_FOLDER

IMAGES = DEFAULT_FOLDER / "images"
STAND_IN = Path("/stand-in")


def program(path: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, IMAGES / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where backup.py, inside its image, finds rcon.py
    spec.loader.exec_module(module)
    return module


launch = program("minecraft-server/launch.py", "launch")
rcon = program("rcon-client/rcon.py", "rcon")
backup = program("minecraft-backup/backup.py", "backup")


class Places:
    """An origin and a working tree, and what the launch said."""

    def __init__(self, folder: Path) -> None:
        self.origin, self.tree = folder / "origin", launch.Tree(folder / "tree")
        self.origin.mkdir()
        self.tree.folder.mkdir()
        self.said: list[str] = []

    def update(self) -> None:
        launch.update(self.tree, self.origin, STAND_IN, self.said.append)

    def files(self) -> dict[str, str]:
        found = [path for path in self.tree.folder.rglob("*") if path.is_file() and path.name != ".origin.json"]
        return {path.relative_to(self.tree.folder).as_posix(): path.read_text() for path in found}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path)
    (made.origin / "mods").mkdir()
    (made.origin / "launch.args").write_text("-jar server.jar")
    (made.origin / "mods/one.jar").write_text("1")
    (made.origin / "server.properties").write_text("motd=hello\n")
    made.update()
    return made


def test_takes_over_what_changed_and_keeps_what_the_game_wrote(places: Places) -> None:
    (places.tree.folder / "server.properties").write_text("motd=rewritten\n")
    (places.tree.folder / "world").mkdir()
    (places.tree.folder / "world/level.dat").write_text("world")
    (places.origin / "mods/one.jar").unlink()
    (places.origin / "mods/two.jar").write_text("2")
    places.update()
    assert places.files() == {
        "launch.args": "-jar server.jar",
        "mods/two.jar": "2",
        "server.properties": "motd=rewritten\n",
        "world/level.dat": "world",
    }


def test_does_nothing_when_nothing_changed(places: Places) -> None:
    places.said.clear()
    places.update()
    assert places.said == []


def test_brings_back_what_is_gone(places: Places) -> None:
    (places.tree.folder / "mods/one.jar").unlink()
    places.update()
    assert places.files()["mods/one.jar"] == "1"


def test_launches_the_last_good_tree_when_the_origin_is_away(places: Places) -> None:
    before = places.files()
    for path in sorted(places.origin.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    places.update()
    assert places.files() == before
    assert "the origin is away" in places.said[-1]


@pytest.mark.parametrize("name", ["world/level.dat", ".origin.json"])
def test_refuses_what_is_the_trees_own(places: Places, name: str) -> None:
    before = places.files()
    (places.origin / name).parent.mkdir(exist_ok=True)
    (places.origin / name).write_text("{}")
    (places.origin / "mods/two.jar").write_text("2")
    places.update()
    assert places.files() == before
    assert "not the origin's" in places.said[-1]


def test_refuses_a_link(places: Places) -> None:
    (places.origin / "passwd").symlink_to("/etc/passwd")
    places.update()
    assert "passwd" not in places.files()


def killed(path: Path, text: str) -> None:
    raise KeyboardInterrupt


def test_a_kill_while_copying_changes_nothing(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    before = places.files()
    (places.origin / "launch.args").write_text("-jar new.jar")
    (places.origin / "mods/one.jar").write_text("new")
    monkeypatch.setattr(launch, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        places.update()
    launch.finish(places.tree)
    assert places.files() == before


def test_a_kill_while_renaming_is_finished_at_the_next_launch(places: Places) -> None:
    (places.origin / "launch.args").write_text("-jar new.jar")
    (places.origin / "mods/one.jar").write_text("new")
    assert launch.prepare(places.tree, places.origin)
    copy = places.tree.incoming / "files/launch.args"
    copy.replace(places.tree.folder / "launch.args")  # the first rename, then the kill
    launch.finish(places.tree)
    assert places.files()["mods/one.jar"] == "new"
    assert not places.tree.incoming.exists()
    assert json.loads(places.tree.manifest.read_text())["files"] == launch.digests(places.origin)


def test_the_stand_in_gives_way_to_an_origin(tmp_path: Path) -> None:
    made, stand_in = Places(tmp_path), tmp_path / "stand-in"
    stand_in.mkdir()
    (stand_in / "launch.args").write_text("StandIn.java")
    launch.update(made.tree, made.origin, stand_in, made.said.append)
    assert made.files() == {"launch.args": "StandIn.java"}
    (made.origin / "launch.args").write_text("-jar server.jar")
    launch.update(made.tree, made.origin, stand_in, made.said.append)
    assert made.files() == {"launch.args": "-jar server.jar"}
    (made.origin / "launch.args").unlink()
    launch.update(made.tree, made.origin, stand_in, made.said.append)
    assert made.files() == {"launch.args": "-jar server.jar"}


def test_a_tree_filled_by_hand_is_left_alone(tmp_path: Path) -> None:
    made, stand_in = Places(tmp_path), tmp_path / "stand-in"
    stand_in.mkdir()
    (stand_in / "launch.args").write_text("StandIn.java")
    (made.tree.folder / "launch.args").write_text("-jar mine.jar")
    launch.update(made.tree, made.origin, stand_in, made.said.append)
    assert made.files() == {"launch.args": "-jar mine.jar"}


def test_rcon_settings_replace_the_origins() -> None:
    text = launch.with_rcon("motd=a\nrcon.password=theirs\nenable-rcon=false\n", "ours")
    assert text.splitlines() == ["motd=a", "enable-rcon=true", "rcon.port=25575", "rcon.password=ours"]


def game(path: Path, *answers: bytes) -> None:
    """One client's game: it reads one packet before each answer."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def play() -> None:
        client, _ = server.accept()
        with server, client, contextlib.suppress(ConnectionResetError):  # it hangs up on what is no RCON
            for answer in answers:
                client.recv(4096)
                client.sendall(answer)
            while answers[-1] and client.recv(4096):
                pass  # until the client has heard it all

    Thread(target=play, daemon=True).start()


def answer(number: int, kind: int, text: str) -> bytes:
    return struct.pack("<iii", len(text) + 10, number, kind) + text.encode() + b"\0\0"


def test_joins_an_answer_of_several_packets(tmp_path: Path) -> None:
    game(tmp_path / "s", answer(1, 2, ""), answer(2, 0, "one ") + answer(2, 0, "two") + answer(3, 0, "Unknown"))
    with rcon.Rcon.open(tmp_path / "s", "secret", seconds=2) as opened:
        assert opened.command("list") == "one two"


@pytest.mark.parametrize(
    ("said", "why"),
    [(answer(-1, 2, ""), "refuses the password"), (b"HTTP/1.1 400\r\n\r\n", "a packet of"), (b"", "hung up")],
)
def test_tells_why_there_is_no_console(tmp_path: Path, said: bytes, why: str) -> None:
    game(tmp_path / "s", said)
    with pytest.raises(rcon.RconError, match=why):
        rcon.Rcon.open(tmp_path / "s", "secret", seconds=2)


class Told:
    """What a backup asked of the game and of borg, in order."""

    def __init__(self, fails: str = "") -> None:
        self.asked: list[str] = []
        self._fails = fails

    def ask(self, line: str) -> str:
        self.asked.append(line)
        if line == self._fails:
            raise OSError("gone")
        return ""

    def borg(self, *words: str) -> None:
        self.asked.append(f"borg {words[0]}")
        if words[0] == self._fails:
            raise backup.BackupError("full")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(backup, "REPOSITORY", tmp_path)
    return tmp_path


def test_backup_in_order(repository: Path) -> None:
    told = Told()
    backup.backup(told.ask, told.borg)
    first = ["save-on", "borg init", "save-off", "save-all flush", "borg create", "save-on"]
    assert told.asked == [*first, "borg prune", "borg compact"]
    (repository / "config").touch()
    told.asked.clear()
    backup.backup(told.ask, told.borg)
    assert told.asked[:2] == ["save-on", "borg break-lock"]


def test_with_words_it_is_borg_on_its_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    become: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def execve(path: str, argv: tuple[str, ...], environment: dict[str, str]) -> None:
        become.append((argv[3:], environment))
        raise SystemExit

    monkeypatch.setattr(backup.os, "execve", execve)
    monkeypatch.setattr(backup.sys, "argv", ["backup.py", "list", "--short"])
    with pytest.raises(SystemExit):
        backup.main()
    ((words, environment),) = become
    assert (words[0], words[-2:]) == ("borg", ("list", "--short"))
    assert (environment["BORG_REPO"], environment["BORG_BASE_DIR"]) == ("/backup", "/tmp")


@pytest.mark.parametrize(("fails", "error"), [("save-all flush", OSError), ("create", backup.BackupError)])
def test_saving_is_on_whatever_fails(repository: Path, fails: str, error: type[Exception]) -> None:
    told = Told(fails)
    with pytest.raises(error):
        backup.backup(told.ask, told.borg)
    assert told.asked[-1] == "save-on"


def test_a_game_that_is_away_is_not_backed_up(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told("save-on")
    turn_on: Callable[..., None] = backup.turn_on
    monkeypatch.setattr(backup, "turn_on", lambda ask: turn_on(ask, seconds=0))
    with pytest.raises(backup.BackupError, match="does not answer"):
        backup.backup(told.ask, told.borg)
    assert told.asked == ["save-on"]
