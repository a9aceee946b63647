"""What runs: one row a container, and one for each namespace without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from provision.context import Context
from provision.facts import container as containers
from provision.facts import netns
from specs import naming, world
from specs.topology import nodes

Row = dict[str, str]
_COLUMNS = ("node", "module", "state", "since", "addresses", "image")


def rows(context: Context) -> list[Row]:
    """Each declared container and each node of the world, with what there is of it."""
    estate = context.estate
    found = {one.name: one for one in containers.read(context.podman)}
    mounted = {node for node, there in netns.read(context.instance.name) if there}
    addresses = {node.name: " ".join(str(address) for address in node.addresses) for node in nodes(estate)}
    declared = {c.name: c for c in (*estate.containers, *world.peers(estate))}
    shown = []
    for name in [*declared, *(node for node in addresses if node not in declared)]:
        container = declared.get(name)
        one = found.get(naming.container(context.instance.name, name))
        waits = container is not None and estate.image(container.image).pending
        state = one.state if one else "waits for its image" if waits else "absent" if container else "namespace"
        place = container.shares or name if container else name
        shown.append(
            {
                "node": name,
                "module": container.module if container else "lab",
                "state": state if place in mounted else "no namespace",
                "since": _age(one.started) if one and one.started and one.running else "",
                "addresses": addresses.get(name, f"with {place}"),
                "image": one.image if one else "",
            }
        )
    return shown


def table(shown: Sequence[Row]) -> Iterator[str]:
    """The rows as aligned text."""
    widths = {column: max(len(column), *(len(row[column]) for row in shown)) for column in _COLUMNS}
    for row in ({column: column for column in _COLUMNS}, *shown):
        yield "  ".join(row[column].ljust(widths[column]) for column in _COLUMNS).rstrip()


def _age(started: datetime) -> str:
    seconds = int((datetime.now(UTC) - started).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
