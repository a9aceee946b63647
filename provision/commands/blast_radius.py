"""blast-radius: what becomes reachable when a container is owned."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from provision.blast import Radius, Reached, radius, worst_first
from provision.commands import meaning, names, opening
from provision.errors import UsageError
from provision.kernel import require_root
from provision.reach import Reaching
from provision.say import Voice
from provision.storage import Shared
from provision.table import table

COLUMNS = ("node", "machine", "nodes", "ports", "in turn", "written, read by", "read, written by", "sockets")


def run(options: argparse.Namespace, voice: Voice) -> int:
    if options.all == (options.name is not None):
        raise UsageError("blast-radius takes one NODE, or --all for every container")
    estate, instance = opening.opened(options, voice)
    if options.name is not None:
        names.place(estate, options.name)
    require_root()
    asked = meaning.asked(estate, instance, declared=options.declared)
    reach = Reaching(estate, asked.places)
    wanted = [c.name for c in estate.containers] if options.all else [options.name]
    found = worst_first(radius(estate, name, reach.nodes, reach.services, asked.listening) for name in wanted)
    if options.json:
        heading = {"estate": estate.name, "profile": estate.profile, "instance": instance.name}
        told = {"asked": "declared" if options.declared else "running", "nodes": [_document(each) for each in found]}
        voice.document(json.dumps(heading | told, indent=2))
    voice.line(f"{meaning.told(declared=options.declared)}; files and powers as declared")
    for line in table(COLUMNS, [_row(each) for each in found]) if options.all else _lines(found[0]):
        voice.line(line)
    return 0


def _row(found: Radius) -> dict[str, str]:
    counts = (
        len(found.direct),
        sum(len(each.services) for each in found.direct),
        len({each.node for each in found.onward} - {each.node for each in found.direct}),
        len(found.writes_for),
        len(found.reads_of),
        len(found.sockets),
    )
    return dict(zip(COLUMNS, (found.name, "yes" if found.over_the_machine else "", *map(str, counts)), strict=True))


def _lines(found: Radius) -> Iterator[str]:
    where = f", in the network of {found.place}" if found.place != found.name else ""
    yield f"{found.name}, owned{where}, raw sockets and all:"
    yield from _section("reaches over links", (_reached(each) for each in found.direct))
    yield from _section("and what those reach in turn, if owned too", (_further(each) for each in found.onward))
    yield from _section("shares its network namespace with", found.beside)
    yield from _section("loopback ports there", (f"{name} tcp/{port}" for name, port in found.loopback))
    for kind, title in (("volume", "volumes"), ("host", "host paths")):
        yield from _section(title, (line for each in found.shared if each.kind == kind for line in _shared(each)))
    sockets = (f"{each.path} of {each.listener}, on volume {each.volume}" for each in found.sockets)
    yield from _section("unix sockets it can connect to", sockets)
    yield from _section("powers", found.powers or ("none: an ordinary user of its own user namespace",))


def _section(title: str, lines: Any) -> Iterator[str]:  # noqa: ANN401
    said = list(lines) or ["nothing"]
    yield f"  {title}:"
    yield from (f"    {line}" for line in said)


def _reached(each: Reached) -> str:
    return f"{each.node} {', '.join(each.services)}"


def _further(each: Reached) -> str:
    return f"{_reached(each)}  (by {each.via}, {each.depth} breaks)"


def _shared(each: Shared) -> Iterator[str]:
    mode = "rw" if each.writable else "ro"
    yield f"{each.origin} {mode} at {each.at}"
    yield from (f"  {o.container} {'rw' if o.writable else 'ro'} at {o.at}" for o in each.others)


def _document(found: Radius) -> dict[str, Any]:
    return {
        "node": found.name,
        "namespace": found.place,
        "over_the_machine": found.over_the_machine,
        "reaches": [{"node": each.node, "services": list(each.services)} for each in found.direct],
        "in_turn": [
            {"node": each.node, "services": list(each.services), "via": each.via, "breaks": each.depth}
            for each in found.onward
        ],
        "beside": list(found.beside),
        "loopback": [{"container": name, "port": f"tcp/{port}"} for name, port in found.loopback],
        "files": [
            {
                "kind": each.kind,
                "origin": each.origin,
                "at": each.at,
                "writable": each.writable,
                "others": [{"container": o.container, "at": o.at, "writable": o.writable} for o in each.others],
            }
            for each in found.shared
        ],
        "sockets": [{"path": each.path, "listener": each.listener, "volume": each.volume} for each in found.sockets],
        "powers": list(found.powers),
    }
