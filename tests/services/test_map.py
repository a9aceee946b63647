"""The game's map: a change of the world is seen by a visitor, the last one always, and nothing else of the world is."""

import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.contained import logged
from fixtures.container import pid
from fixtures.minecraft import console
from fixtures.netns import inside
from fixtures.wait import wait
from fixtures.web import Answer, Browser
from specs.instance import Instance
from specs.model import Estate

NUMBER = 4711
TILE = f"/map/tiles/{NUMBER}.png"
SECONDS = 20.0
COLORS = {18: (255, 0, 0), 34: (255, 255, 255), 50: (64, 64, 255)}  # a map's byte -> the game's colour


@pytest.fixture
def world(instance: Instance) -> Iterator[Path]:
    """The world's folder of maps; in the end the map that was painted is gone, from the site as well."""
    folder = instance.home / "volumes/mc-working-tree/world/data"
    yield folder
    (folder / f"map_{NUMBER}.dat").unlink(missing_ok=True)


def paint(instance: Instance, color: int) -> None:
    assert console(instance, f"paint {NUMBER} {color}") == (f"Painted map {NUMBER}",)


def test_change_appears(visitor: Browser, instance: Instance, world: Path) -> None:
    assert visitor.ask(TILE).status == 404
    paint(instance, 18)
    wait(lambda: visitor.ask(TILE).status == 200, what="the new map's picture", seconds=SECONDS)
    assert color_of(visitor.ask(TILE)) == COLORS[18]
    page = visitor.ask("/map/")
    assert f'src="tiles/{NUMBER}.png"'.encode() in page.body
    paint(instance, 34)
    wait(lambda: color_of(visitor.ask(TILE)) == COLORS[34], what="the changed picture", seconds=SECONDS)
    (world / f"map_{NUMBER}.dat").unlink()
    wait(lambda: visitor.ask(TILE).status == 404, what="the picture gone", seconds=SECONDS)


def test_last_change_of_a_period_is_never_lost(visitor: Browser, instance: Instance, world: Path) -> None:
    """The first is drawn at once; of those that follow within the period, the last is what is seen in the end."""
    drawings = logged(instance, "minecraft-map-render").count("map: drawn")
    for color in (18, 34, 18, 34, 18, 34, 50):
        paint(instance, color)
    wait(lambda: seen(visitor) == COLORS[50], what="the last change", seconds=SECONDS)
    assert logged(instance, "minecraft-map-render").count("map: drawn") - drawings < 4  # and not each was drawn
    assert world.is_dir()


def test_picture_is_kept_by_nobody(visitor: Browser, instance: Instance, world: Path) -> None:
    paint(instance, 50)
    wait(lambda: visitor.ask(TILE).status == 200, what="the new map's picture", seconds=SECONDS)
    answer = visitor.ask(TILE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store, no-cache, must-revalidate"
    assert (answer.headers["pragma"], answer.headers["expires"]) == ("no-cache", "0")
    assert "no-store" not in visitor.ask("/map/").headers["cache-control"]
    assert world.is_dir()


@pytest.mark.parametrize(
    "path",
    [
        "/map/tiles/",  # no listing
        "/map/server.properties",
        "/map/../server.properties",
        "/map/%2e%2e/%2e%2e/srv/minecraft/server.properties",
        "/map/level.dat",
        "/map/world/level.dat",
        "/map/.index.html",
    ],
)
def test_nothing_else_is_served(visitor: Browser, path: str) -> None:
    """The control is the page itself."""
    assert visitor.ask("/map/").status == 200
    assert visitor.ask(path).status in (403, 404)


def test_world_is_not_there_for_the_server(instance: Instance) -> None:
    """What faces the internet sees pictures alone; what sees the world (the control) has no network but lo."""
    server, render = (Path(f"/proc/{pid(instance, name)}") for name in ("minecraft-map", "minecraft-map-render"))
    assert (render / "root/srv/minecraft/world/level.dat").exists()
    assert not (server / "root/srv/minecraft").exists()
    assert [line.split(":")[0].strip() for line in (render / "net/dev").read_text().splitlines()[2:]] == ["lo"]


def test_map_is_not_there_for_others(estate: Estate, place: Callable[[str], Path]) -> None:
    """The edge asks it (the control); a visitor and a leaf beside it do not, although they know the address."""
    address = (str(estate.link("pub-minecraft-map").end("minecraft-map").address), 8080)
    inside(place("reverse-proxy-edge"), lambda: socket.create_connection(address, timeout=5).close())
    for node in ("visitor", "laptop", "minecraft-server"):
        with pytest.raises(OSError, match=r"timed out|unreachable"):
            inside(place(node), lambda: socket.create_connection(address, timeout=0.5).close())


def seen(visitor: Browser) -> tuple[int, int, int] | None:
    answer = visitor.ask(TILE)
    return color_of(answer) if answer.status == 200 else None


def color_of(answer: Answer) -> tuple[int, int, int]:
    """The one colour of a picture: its palette's entry for its first pixel. AssertionError when there are more."""
    chunks = dict(pieces(answer.body))
    rows = zlib.decompress(chunks[b"IDAT"])
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert rows == (b"\0" + rows[1:2] * width) * height
    red, green, blue = chunks[b"PLTE"][rows[1] * 3 :][:3]
    return red, green, blue


def pieces(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A PNG's chunks, their checksums looked at."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place = 8
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        content = png[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", png, place + 8 + length) == (zlib.crc32(kind + content),)
        yield kind, content
        place += 12 + length
