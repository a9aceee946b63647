"""What runs: one row a container, and one for each namespace without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from provision.context import Context
from provision.facts import container as containers
from provision.facts import link, netns, wireguard
from provision.kernel import inside
from provision.netlink import Socket
from provision.render.order import Kernel, holds
from specs import naming, world
from specs.model import Container
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
    kernel = Kernel(wireguard=wireguard.in_kernel())
    shown = []
    for name in [*declared, *(node for node in addresses if node not in declared)]:
        container = declared.get(name)
        one = found.get(naming.container(context.instance.name, name))
        place = container.shares or name if container else name
        state = one.state if one else _without(context, container, kernel) if place in mounted else ""
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


def _without(context: Context, container: Container | None, kernel: Kernel) -> str:
    """What to say of a node whose namespace is there and whose container is not."""
    if container is None:
        return "namespace"
    if not holds(container.runs, kernel):
        return "in the kernel" if inside(context.netns(container.name), _has_wireguard) else "absent"
    return "waits for its image" if context.estate.image(container.image).pending else "absent"


def _has_wireguard() -> bool:
    opened = Socket()
    try:
        return any(found.kind == link.WIREGUARD for found in link.read(opened))
    finally:
        opened.close()


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
