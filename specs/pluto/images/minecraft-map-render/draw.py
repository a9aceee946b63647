"""Draw the maps that players made: `draw.py WORLD FOLDER`, in little-a-map's place.

WORLD/data/map_<number>.dat   gzipped NBT: colors, 128 x 128 bytes; where it lies, how wide it is
FOLDER/tiles/<number>.png     one picture each
FOLDER/index.html             a page of each dimension, every picture at its place

little-a-map shows only maps that hang or lie in the world, joined and in several sizes; this shows each by itself.
Formats: minecraft.wiki/w/Map_item_format, minecraft.wiki/w/NBT_format, PNG (RFC 2083).
"""

from __future__ import annotations

import gzip
import re
import struct
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIDE = 128  # pixels
LARGEST = 1 << 20  # bytes of one map, unpacked
DEEPEST = 16
DIMENSIONS = {0: "minecraft:overworld", -1: "minecraft:the_nether", 1: "minecraft:the_end"}  # before 1.16
# The game's base colours in their order; each comes in four shades, of 255 parts. Base colour 0 is transparent.
SHADES = (180, 220, 255, 135)
COLORS = """
    7fb238 f7e9a3 c7c7c7 ff0000 a0a0ff a7a7a7 007c00 ffffff a4a8b8 976d4d 707070 4040ff 8f7748 fffcf5 d87f33 b24cd8
    6699d8 e5e533 7fcc19 f27fa5 4c4c4c 999999 4c7f99 7f3fb2 334cb2 664c33 667f33 993333 191919 faee4d 5cdbd5 4a80ff
    00d93a 815631 700200 d1b1a1 9f5224 95576c 706c8a ba8524 677535 a04d4e 392923 876b62 575c5c 7a4958 4c3e5c 4c3223
    4c522a 8e3c2e 251610 bd3031 943f61 5c191d 167e86 3a8e8c 562c3e 14b485 646464 d8af93 7fa796
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="60">
<title>map</title>
<style>
body {{ background: #20242b; color: #ccc; font: 1rem sans-serif; }}
div {{ position: relative; }}
img {{ position: absolute; image-rendering: pixelated; }}
</style>
{body}
<p>Drawn from the players' own maps.</p>
</html>
"""


class NotAMap(Exception):
    """What is wrong with the file, or not yet there while it is written."""


@dataclass(frozen=True, kw_only=True)
class Map:
    number: int
    colors: bytes
    dimension: str
    x: int  # of its centre, in blocks
    z: int
    scale: int  # a pixel is 2^scale blocks wide

    @property
    def side(self) -> int:
        """Blocks."""
        return SIDE << self.scale


def main() -> None:
    world, folder = map(Path, sys.argv[1:3])
    maps = tuple(readable((world / "data").glob("map_*.dat")))
    tiles = folder / "tiles"
    tiles.mkdir(parents=True, exist_ok=True)
    wanted = {f"{each.number}.png": png(each.colors) for each in maps}
    for path in tiles.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (tiles / name).write_bytes(content)
    (folder / "index.html").write_text(page(maps))


def readable(paths: Iterable[Path]) -> Iterable[Map]:
    """The maps, by number; a file that is none is told of and left out."""
    found = ((int(match[1]), path) for path in paths if (match := re.fullmatch(r"map_([0-9]{1,9})\.dat", path.name)))
    for number, path in sorted(found):
        try:
            yield read(number, path)
        except (NotAMap, OSError) as error:
            print(f"map: {path.name} is left out: {error}", file=sys.stderr)


def read(number: int, path: Path) -> Map:
    """Raises NotAMap, OSError."""
    try:
        with gzip.open(path) as packed:
            content = packed.read(LARGEST)
        root = Nbt(content).root()
    except (gzip.BadGzipFile, EOFError, zlib.error, struct.error, KeyError, ValueError) as error:
        raise NotAMap(f"no NBT ({error})") from error
    said = root.get("data")
    colors = said.get("colors") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(colors, bytes) or len(colors) != SIDE * SIDE:
        raise NotAMap(f"no {SIDE} x {SIDE} colours in it")
    dimension = said.get("dimension", 0)
    return Map(
        number=number,
        colors=colors,
        dimension=dimension if isinstance(dimension, str) else DIMENSIONS.get(dimension, str(dimension)),
        x=int(said.get("xCenter", 0)),
        z=int(said.get("zCenter", 0)),
        scale=min(max(int(said.get("scale", 0)), 0), 4),
    )


class Nbt:
    """A reader of unpacked NBT; lists and compounds no deeper than DEEPEST."""

    NUMBERS = {1: ">b", 2: ">h", 3: ">i", 4: ">q", 5: ">f", 6: ">d"}
    ARRAYS = {11: 4, 12: 8}  # kind -> bytes a number

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def root(self) -> dict[str, Any]:
        """Raises struct.error, ValueError, KeyError."""
        if self._number(">b") != 10:
            raise ValueError("no compound")
        self._text()
        return self._compound(DEEPEST)

    def _compound(self, depth: int) -> dict[str, Any]:
        found = {}
        while kind := self._number(">b"):
            name = self._text()
            found[name] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401
        if not depth:
            raise ValueError("too deep")
        if kind in self.NUMBERS:
            return self._number(self.NUMBERS[kind])
        match kind:
            case 7:
                return self._bytes(self._number(">i"))
            case 8:
                return self._text()
            case 9:
                inner, count = self._number(">b"), self._number(">i")
                return [self._value(inner, depth - 1) for _ in range(count)]
            case 10:
                return self._compound(depth - 1)
        return self._bytes(self._number(">i") * self.ARRAYS[kind])

    def _number(self, form: str) -> Any:  # noqa: ANN401
        (value,) = struct.unpack_from(form, self._content, self._place)
        self._place += struct.calcsize(form)
        return value

    def _text(self) -> str:
        return self._bytes(self._number(">H")).decode(errors="replace")

    def _bytes(self, count: int) -> bytes:
        end = self._place + count
        if count < 0 or end > len(self._content):
            raise ValueError("it ends too early")
        found, self._place = self._content[self._place : end], end
        return found


def palette() -> bytes:
    """Red, green and blue of each of the 256 numbers; black where the game has no colour."""
    bases = [bytes.fromhex(base) for base in ("000000", *COLORS.split())]
    shaded = b"".join(bytes(part * shade // 255 for part in base) for base in bases for shade in SHADES)
    return shaded.ljust(3 * 256, b"\0")


def png(colors: bytes) -> bytes:
    """One map as an indexed PNG; its first four colours are transparent."""
    rows = b"".join(b"\0" + colors[start : start + SIDE] for start in range(0, len(colors), SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette()),
        (b"tRNS", bytes(4)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def page(maps: Iterable[Map]) -> str:
    """Every dimension's maps, at one pixel a block of the finest, the wide ones below the narrow ones."""
    dimensions: dict[str, list[Map]] = {}
    for each in sorted(maps, key=lambda each: (-each.scale, each.number)):
        dimensions.setdefault(each.dimension, []).append(each)
    parts = [_dimension(name, dimensions[name]) for name in sorted(dimensions)]
    return PAGE.format(body="\n".join(parts) or "<p>No map has been made yet.</p>")


def _dimension(name: str, maps: list[Map]) -> str:
    finest = min(each.scale for each in maps)
    left, top = min(each.x - each.side // 2 for each in maps), min(each.z - each.side // 2 for each in maps)
    width, height = (max(a.x + a.side // 2 for a in maps) - left, max(a.z + a.side // 2 for a in maps) - top)
    pictures = "\n".join(
        f'<img src="tiles/{each.number}.png" alt="map {each.number}" style="'
        f"left: {(each.x - each.side // 2 - left) >> finest}px; top: {(each.z - each.side // 2 - top) >> finest}px; "
        f'width: {each.side >> finest}px">'
        for each in maps
    )
    title = re.sub(r"[^a-z0-9_:/. -]", "?", name.lower())
    return (
        f'<h1>{title}</h1>\n<div style="width: {width >> finest}px; height: {height >> finest}px">\n{pictures}\n</div>'
    )


if __name__ == "__main__":
    main()
