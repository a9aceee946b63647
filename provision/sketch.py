"""A first sketch of one more container, put into an owner's YAML as text: his comments and his order stay.

Where it goes is told by the lines that specs.document keeps; what stands there before and after is not read. Whether
the whole then means what it should is for the caller to see, by loading it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from provision.errors import UsageError
from specs.document import Document
from specs.model import HOST, Estate, Link

STEP = 256  # from one wire's addresses to the next one's: 172.16.1.0, 172.16.2.0 …
BETWEEN_LEAVES = IPv4Address("10.254.1.0")  # of the user's own table: where the wires between leaves begin
_INDENT = 2


class Side(StrEnum):
    PUBLIC = "public"
    PRIVATE = "privat"

    @property
    def first(self) -> IPv4Address:
        """Of the user's own tables: where this side's addresses begin while it has no wire yet."""
        return IPv4Address("172.16.1.0" if self is Side.PUBLIC else "10.1.1.0")


@dataclass(frozen=True, kw_only=True)
class Wish:
    name: str
    side: Side
    port: int  # TCP
    image: str

    @property
    def link(self) -> str:
        return link_name(self.name, self.side)


def hub(estate: Estate, side: Side) -> str:
    return estate.site.edge if side is Side.PUBLIC else estate.tunnel.hub


def link_name(name: str, side: Side) -> str:
    """How the wire from a side's hub to the leaf `name` is called."""
    return f"{'pub' if side is Side.PUBLIC else 'priv'}-{name}"


def next_pair(estate: Estate, side: Side | None) -> IPv4Network:
    """The /31 after the last one of the hub's wires to its leaves, or of those between leaves, that is still free."""
    taken = [link.subnet[0] for link in estate.links if HOST not in _ends(link) and _side(estate, link) is side]
    first = side.first if side is not None else BETWEEN_LEAVES
    base = int(max(taken)) // STEP * STEP + STEP if taken else int(first)
    used = [*estate.inside, *(link.subnet for link in estate.wires), *estate.reserved]
    for start in range(base, 2**32, STEP):
        pair = IPv4Network((start, 31))
        if not pair.is_private:
            break
        if not any(pair.overlaps(network) for network in used):
            return pair
    raise UsageError(f"there is no /31 left after {IPv4Address(base - STEP)}: write the link by hand, into a gap")


def _side(estate: Estate, link: Link) -> Side | None:
    return next((side for side in Side if hub(estate, side) in _ends(link)), None)


def _ends(link: Link) -> set[str]:
    return {end.node for end in link.endpoints}


def into_module(text: str, place: Document, wish: Wish) -> str:
    """The module's file with the container behind its others."""
    return _as_before(text, "\n".join(_module(_lines(text), place, wish)))


def _module(lines: list[str], place: Document, wish: Wish) -> list[str]:
    if ("prospective",) in place.lines:
        del lines[place.lines["prospective",] - 1]  # a module with containers is a module
        return _module(lines, _without(place, "prospective"), wish)
    known = [line for path, line in place.lines.items() if len(path) == 2 and path[0] == "containers"]
    if ("containers",) not in place.lines:
        return [*_ended(lines), "containers:", *_entry(wish, _INDENT), ""]
    opening = place.lines["containers",]
    if lines[opening - 1].split("#")[0].strip() != "containers:":
        raise _inline(place.file, opening, "containers")
    indent = _indent(lines[min(known) - 1]) if known else _INDENT
    at = _end(lines, opening, _tops(place))
    lines[at:at] = [*([""] if known else []), *_entry(wish, indent)]
    return lines


def into_links(text: str, place: Document, wish: Wish, node: str, pair: IPv4Network) -> str:
    """links.yaml with the wire behind its others."""
    lines = _lines(text)
    opening = place.lines["links",]
    if lines[opening - 1].split("#")[0].strip() != "links:":
        raise _inline(place.file, opening, "links")
    rows = [line for path, line in place.lines.items() if len(path) == 2 and path[0] == "links"]
    pad = " " * (_indent(lines[min(rows) - 1]) if rows else _INDENT)
    source = "a" if wish.side is Side.PUBLIC else "peers"
    row = [
        f"{pad}- name: {wish.link}",
        f"{pad}  a: {node} {pair[0]}",
        f"{pad}  b: {wish.name} {pair[1]}",
        f"{pad}  allow: [{source} -> b tcp/{wish.port}]",
    ]
    at = _end(lines, opening, _tops(place))
    lines[at:at] = row
    return _as_before(text, "\n".join(lines))


def image(wish: Wish) -> str:
    """The file of an image that is still to be defined."""
    return f"image: {wish.image}\npending: still to be defined\n"


def _entry(wish: Wish, indent: int) -> list[str]:
    pad = " " * indent
    web = [f"{pad}  web: {{path: /{wish.name}/, port: {wish.port}}}"] if wish.side is Side.PUBLIC else []
    return [
        f"{pad}{wish.name}:",
        f"{pad}  image: {wish.image}",
        f"{pad}  tmpfs: [/tmp]",
        *web,
        f"{pad}  health: {{connect: {wish.port}}}",
        f"{pad}  limits: {{memory: 64M, pids: 32, cpus: 0.5}}",
    ]


def _lines(text: str) -> list[str]:
    """The lines as YAML counts them, the last one ended."""
    lines = text.replace("\r\n", "\n")
    return (lines if lines.endswith("\n") else f"{lines}\n").split("\n")


def _as_before(text: str, lines: str) -> str:
    return lines.replace("\n", "\r\n") if "\r\n" in text else lines


def _tops(place: Document) -> list[int]:
    return sorted(line for path, line in place.lines.items() if len(path) == 1)


def _end(lines: list[str], opening: int, tops: Iterable[int]) -> int:
    """Behind the last thing said below the key at line `opening`; comments at the margin belong to what follows."""
    end = next((line - 1 for line in tops if line > opening), len(lines))
    while end > opening and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end


def _ended(lines: list[str]) -> list[str]:
    return lines[: next(index for index in range(len(lines), 0, -1) if lines[index - 1].strip())]


def _without(place: Document, key: str) -> Document:
    gone = place.lines[key,]
    kept = {path: line - (line > gone) for path, line in place.lines.items() if path[0] != key}
    return Document(file=place.file, data=place.data, lines=kept)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _inline(file: str, line: int, key: str) -> UsageError:
    return UsageError(f"{file}:{line}: `{key}` is written in brackets: write one entry a line, then ask again")
