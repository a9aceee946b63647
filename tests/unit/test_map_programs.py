"""The map's two programs: what inotify tells the watcher, what it publishes, and what is drawn of a map's file."""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from fixtures.wait import wait
from tests.unit.program import program

draw = program("minecraft-map-render", "draw.py")


class Enough(Exception):
    """Ends the watcher's endless loop."""


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loaded = program("minecraft-map-render", "watch.py")
    monkeypatch.setattr(loaded, "PERIOD", 0.2)
    return loaded


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "world/data").mkdir(parents=True)
    return tmp_path


def armed(watch: ModuleType, tree: Path) -> Any:
    return watch.Watch(tree, ("world", "data"))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new map": lambda tree: (tree / "world/data/map_1.dat").write_text("x"),
    "a map put in place": lambda tree: (tree / "spare").rename(tree / "world/data/map_1.dat"),
    "a map removed": lambda tree: (tree / "world/data/map_0.dat").unlink(),
    "the folder moved away": lambda tree: (tree / "world/data").rename(tree / "elsewhere"),
    "the world moved away": lambda tree: (tree / "world").rename(tree / "elsewhere"),
}
OTHERS: dict[str, Callable[[Path], object]] = {
    "the game saves": lambda tree: (tree / "world/level.dat").write_text("x"),
    "a log is begun": lambda tree: (tree / "logs").mkdir(),
    "a map is read": lambda tree: (tree / "world/data/map_0.dat").read_text(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_is_told(watch: ModuleType, tree: Path, name: str) -> None:
    (tree / "world/data/map_0.dat").write_text("0")
    (tree / "spare").write_text("1")
    watching = armed(watch, tree)
    assert not watching.changed(0)
    CHANGES[name](tree)
    assert watching.changed(0)


@pytest.mark.parametrize("name", OTHERS)
def test_is_not_told(watch: ModuleType, tree: Path, name: str) -> None:
    (tree / "world/data/map_0.dat").write_text("0")
    watching = armed(watch, tree)
    OTHERS[name](tree)
    assert not watching.changed(0.05)


def test_a_world_that_is_yet_to_come(watch: ModuleType, tmp_path: Path) -> None:
    """The game's first start: the folder appears, and from then on its files are told of."""
    watching = armed(watch, tmp_path)
    (tmp_path / "world").mkdir()
    assert watching.changed(0)
    watching = armed(watch, tmp_path)
    (tmp_path / "world/data").mkdir()
    assert watching.changed(0)
    watching = armed(watch, tmp_path)
    (tmp_path / "world/data/map_0.dat").write_text("0")
    assert watching.changed(0)


def test_last_change_is_drawn_whenever_it_comes(watch: ModuleType, tree: Path) -> None:
    """Also one that comes while the drawing goes on, after the file was read: the owner's own script lost it."""
    file = tree / "world/data/map_0.dat"
    file.write_text("0")
    drawn: list[str] = []
    later: Iterator[str] = iter(("1", "2"))

    def drawing() -> bool:
        drawn.append(file.read_text())
        if (change := next(later, None)) is not None:
            file.write_text(change)
        return True

    run_until(watch, tree, drawing, lambda: drawn[-1:] == ["2"])
    assert drawn == ["0", "1", "2"]


def test_a_drawing_that_failed_is_tried_again(watch: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SOON", 0.05)
    tries: list[bool] = []

    def drawing() -> bool:
        tries.append(len(tries) > 0)
        return tries[-1]

    run_until(watch, tree, drawing, lambda: len(tries) == 2)


def run_until(watch: ModuleType, tree: Path, drawing: Callable[[], bool], done: Callable[[], bool]) -> None:
    """The watcher's loop in a thread, until `done`; then one change more ends it."""
    over = False

    def once() -> bool:
        if over:
            raise Enough
        return drawing()

    def loop() -> None:
        with pytest.raises(Enough):
            watch.follow(lambda: armed(watch, tree), once)

    thread = Thread(target=loop)
    thread.start()
    try:
        wait(done, what="the drawings", seconds=5)
    finally:
        over = True
        (tree / "world/data/end").write_text("")
        thread.join(5)
    assert not thread.is_alive()


def test_publishes_what_changed_and_removes_what_is_gone(watch: ModuleType, tmp_path: Path) -> None:
    draft, served = tmp_path / "draft", tmp_path / "served"
    for name, text in (("tiles/0.png", "0"), ("tiles/1.png", "1"), ("index.html", "page")):
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_text(text)
    served.mkdir()
    assert watch.publish(draft, served) == 3
    kept = (served / "tiles/0.png").stat().st_ino
    (draft / "tiles/1.png").unlink()
    (draft / "index.html").write_text("new")
    (served / ".left").write_text("by a kill")
    assert watch.publish(draft, served) == 3
    assert (served / "tiles/0.png").stat().st_ino == kept
    assert {path.name for path in served.rglob("*")} == {"tiles", "0.png", "index.html"}
    assert watch.publish(draft, served) == 0


def named(kind: int, name: str, payload: bytes) -> bytes:
    return bytes((kind,)) + struct.pack(">H", len(name)) + name.encode() + payload


def map_file(**more: bytes) -> bytes:
    """A map as the game of 1.21 writes it, with a banner in it, whose list and compound must be read over."""
    banner = named(8, "Name", struct.pack(">H", 4) + b"home") + named(11, "at", struct.pack(">iii", 2, 1, 2)) + b"\0"
    inner = {
        "scale": named(1, "scale", b"\x02"),
        "dimension": named(8, "dimension", struct.pack(">H", 13) + b"minecraft:end"),
        "banners": named(9, "banners", b"\x0a" + struct.pack(">i", 1) + banner),
        "xCenter": named(3, "xCenter", struct.pack(">i", -192)),
        "zCenter": named(3, "zCenter", struct.pack(">i", 64)),
        "colors": named(7, "colors", struct.pack(">i", 16384) + bytes([34]) * 16384),
    } | more
    return gzip.compress(named(10, "", named(10, "data", b"".join(inner.values()) + b"\0") + b"\0"))


def test_reads_a_map(tmp_path: Path) -> None:
    (tmp_path / "map_7.dat").write_bytes(map_file())
    found = draw.read(7, tmp_path / "map_7.dat")
    assert (found.number, found.dimension, found.x, found.z, found.side) == (7, "minecraft:end", -192, 64, 512)
    assert found.colors == bytes([34]) * 16384


NO_MAPS: dict[str, tuple[bytes, str]] = {
    "half of it, while the game writes it": (map_file()[:40], "no NBT"),
    "nothing": (b"", "no NBT"),
    "no gzip": (b"no gzip", "no NBT"),
    "an empty compound": (gzip.compress(b"\x0a\0\0\0"), "no 128 x 128 colours"),
    "three colours": (map_file(colors=named(7, "colors", struct.pack(">i", 3) + b"abc")), "no 128 x 128 colours"),
    "more than there is": (map_file(colors=named(7, "colors", struct.pack(">i", 2**30))), "no NBT"),
    "list in list in list": (gzip.compress(named(10, "", named(9, "l", b"\x09\0\0\0\x01" * 20) + b"\0")), "too deep"),
}


@pytest.mark.parametrize("what", NO_MAPS)
def test_leaves_out_what_is_no_map(tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, why = NO_MAPS[what]
    (tmp_path / "map_1.dat").write_bytes(content)
    (tmp_path / "map_2.dat").write_bytes(map_file())
    assert [each.number for each in draw.readable(tmp_path.iterdir())] == [2]
    told = capsys.readouterr().err
    assert "map_1.dat is left out: " in told
    assert why in told


def test_palette_is_the_games() -> None:
    """Some of minecraft.wiki/w/Map_item_format's table: grass, sand, fire, snow, water, the last."""
    told = {4: "597d27", 10: "f7e9a3", 19: "870000", 33: "dcdcdc", 51: "212187", 247: "43584f"}
    palette = draw.palette()
    assert {number: palette[3 * number :][:3].hex() for number in told} == told
    assert len(palette) == 768


def test_picture() -> None:
    colors = bytes(range(256)) * 64
    body = draw.png(colors)
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    start = body.index(b"IDAT")
    (length,) = struct.unpack(">I", body[start - 4 : start])
    rows = zlib.decompress(body[start + 4 : start + 4 + length])
    assert b"".join(rows[place + 1 : place + 129] for place in range(0, len(rows), 129)) == colors


def test_page_puts_each_map_at_its_place() -> None:
    maps = (
        draw.Map(number=1, colors=b"", dimension="minecraft:overworld", x=64, z=64, scale=0),
        draw.Map(number=2, colors=b"", dimension="minecraft:overworld", x=0, z=0, scale=1),
        draw.Map(number=3, colors=b"", dimension="<script>", x=0, z=0, scale=1),
    )
    page = draw.page(maps)
    assert 'alt="map 1" style="left: 128px; top: 128px; width: 128px"' in page
    assert 'alt="map 2" style="left: 0px; top: 0px; width: 256px"' in page
    assert page.index("map 2") < page.index("map 1")  # the wide one lies below
    assert "<script>" not in page
    assert "No map has been made yet" in draw.page(())
