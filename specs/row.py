"""The rows of links.yaml and lab.yaml, and what can be wrong with the wires they declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from specs import naming
from specs.document import Document
from specs.model import HOST, TUNNEL_INTERFACE, Source
from specs.problems import Problem, closest
from specs.raw import RawEstate, RawLink, RawWire
from specs.values import RawEnd


@dataclass(frozen=True, kw_only=True)
class Row:
    """A link's row, and where it stands."""

    said: RawWire
    place: Document
    index: int

    def at(self, *path: str | int) -> Source:
        return self.place.at("links", self.index, *path)

    @property
    def name(self) -> str:
        return self.said.name

    @property
    def enabled(self) -> bool:
        return not isinstance(self.said, RawLink) or self.said.enabled

    @property
    def ends(self) -> tuple[tuple[str, RawEnd], ...]:
        return (("a", self.said.a), ("b", self.said.b))

    @property
    def subnet(self) -> IPv4Network:
        return IPv4Network((int(self.said.a.address) & ~1, 31))


def faults(place: Document, said: RawEstate, own: list[Row], around: list[Row]) -> Iterator[Problem]:
    """What is wrong with names, addresses and ways out, in links.yaml (`own`) and lab.yaml (`around`)."""
    rows = [*own, *around]
    yield from _told_twice(rows)
    yield from _interfaces(rows, said)
    yield from _pairs(rows)
    yield from _overlaps(place, said, own, around)
    yield from _two_uplinks(own)


def ends(rows: Iterable[Row], known: set[str], linkless: Mapping[str, tuple[str, str]]) -> Iterator[Problem]:
    """Ends that are none of the `known` nodes; `linkless` says of some why they have no links, and what to do."""
    for row in rows:
        for key, end in row.ends:
            if end.node in linkless:
                why, hint = linkless[end.node]
                text = f"link `{row.name}` ends in `{end.node}`, {why}"
                yield Problem(source=row.at(key), text=text, hint=hint)
            elif end.node not in known:
                text = f"link `{row.name}` ends in unknown container `{end.node}`"
                yield Problem(source=row.at(key), text=text, hint=closest(end.node, known))
        if row.said.a.node == row.said.b.node:
            text = f"link `{row.name}` begins and ends in `{row.said.a.node}`"
            yield Problem(source=row.at("b"), text=text, hint="a link joins two nodes")


def _told_twice(rows: Iterable[Row]) -> Iterator[Problem]:
    seen: dict[str, Source] = {}
    for row in rows:
        source = row.at("name")
        if row.name in seen:
            hint = f"it stands at {seen[row.name]} already"
            yield Problem(source=source, text=f"duplicate name `{row.name}`", hint=hint)
        seen.setdefault(row.name, source)


def _interfaces(rows: Iterable[Row], said: RawEstate) -> Iterator[Problem]:
    """No two interfaces of one name: both ends of a link bear its name, so it is asked of the whole estate."""
    uplink = said.host.uplink
    reserved = {"lo": "the loopback", TUNNEL_INTERFACE: "the tunnel", uplink: "the host's uplink"}
    taken: dict[str, str] = {}
    for row in rows:
        name, short = row.name, naming.ifname(row.name)
        if short in reserved and not (name == uplink and row.place.file == "lab.yaml"):
            text = f"link `{name}` would bear the interface name `{short}` of {reserved[short]}"
            yield Problem(source=row.at("name"), text=text, hint="rename the link")
        elif taken.get(short, name) != name:
            text = f"`{name}` and `{taken[short]}` both shorten to the interface name `{short}`"
            yield Problem(source=row.at("name"), text=text, hint="an interface name has 15 characters: rename one")
        taken.setdefault(short, name)


def _pairs(rows: Iterable[Row]) -> Iterator[Problem]:
    for row in rows:
        low, high = sorted(end.address for _, end in row.ends)
        if int(low) & 1 or int(high) != int(low) + 1:
            yield Problem(
                source=row.at("b"),
                text=f"{row.said.a.address} and {row.said.b.address} of link `{row.name}` are no /31 pair",
                hint="a /31 is an even address and the next one, such as 172.16.4.0 and 172.16.4.1",
            )


def _overlaps(place: Document, said: RawEstate, own: list[Row], around: list[Row]) -> Iterator[Problem]:
    lan = (said.host.lan, "the LAN", place.at("host", "lan"))
    tunnel = (said.tunnel.subnet, "the tunnel", place.at("tunnel", "subnet"))
    rows = [(row.subnet, f"link `{row.name}`", row.at("a")) for row in [*own, *around]]
    inside = {row.at("a") for row in around if row.subnet.subnet_of(said.host.lan)}  # the lab's own LAN
    yield from _collisions([lan, tunnel, *(row for row in rows if row[2] not in inside)])
    yield from _collisions([row for row in rows if row[2] in inside])


def _collisions(nets: list[tuple[IPv4Network, str, Source]]) -> Iterator[Problem]:
    """A sweep in the order of addresses: what begins before the widest one so far has ended overlaps it."""
    order = sorted(range(len(nets)), key=lambda i: (int(nets[i][0].network_address), nets[i][0].prefixlen, i))
    widest: int | None = None
    for here in order:
        if widest is None or not nets[here][0].overlaps(nets[widest][0]):
            widest = here
            continue
        (one, first, _), (other, second, source) = nets[min(widest, here)], nets[max(widest, here)]
        text = f"{other} of {second} overlaps {one} of {first}"
        yield Problem(source=source, text=text, hint="move one of them")


def _two_uplinks(own: Iterable[Row]) -> Iterator[Problem]:
    """A node with two links to the host would have two default routes."""
    seen: dict[str, str] = {}
    for row in own:
        nodes = {end.node for _, end in row.ends}
        if HOST not in nodes or len(nodes) != 2:
            continue
        (node,) = nodes - {HOST}
        if node in seen:
            text = f"link `{row.name}` is the second one of `{node}` to the host, after `{seen[node]}`"
            yield Problem(source=row.at("name"), text=text, hint="an edge has one way out: drop one link")
        seen.setdefault(node, row.name)
