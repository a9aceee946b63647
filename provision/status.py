"""What runs and answers: one row a container, and one for each namespace without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from provision.context import Context
from provision.facts import container as containers
from provision.facts import link, netns, wireguard
from provision.facts.container import ActualContainer
from provision.health import checks
from provision.kernel import inside
from provision.netlink import Socket
from provision.ready import answers
from provision.render.order import Kernel, holds
from provision.table import age
from provision.wait import within
from specs import naming, world
from specs.model import Container
from specs.topology import nodes

Row = dict[str, str]
COLUMNS = ("node", "module", "state", "health", "since", "restarts", "addresses", "image", "built")
HEALTH_SECONDS = 2.0  # for all of them, side by side
RUNNING = ("running", "in the kernel")
RESTARTING = "restarting"  # not podman's word: it ends again and again, and is running or not when one looks
OFTEN, FRESH = 3, 60.0  # so often, and so many seconds ago: what ends once a day is not meant


def rows(context: Context) -> list[Row]:
    """Each declared container and each node of the world, with what there is of it."""
    estate = context.estate
    found = {one.name: one for one in containers.read(context.podman)}
    mounted = {node for node, there in netns.read(context.instance.name) if there}
    addresses = {node.name: " ".join(str(address) for address in node.addresses) for node in nodes(estate)}
    declared = {c.name: c for c in (*estate.containers, *world.containers(estate))}
    kernel = Kernel(wireguard=wireguard.in_kernel())
    again = containers.restarts(context.podman, list(found))
    shown = []
    for name in [*declared, *(node for node in addresses if node not in declared)]:
        container = declared.get(name)
        one = found.get(naming.container(context.instance.name, name))
        place = container.shares or name if container else name
        state = _state(one, again) if one else _without(context, container, kernel) if place in mounted else ""
        shown.append(
            {
                "node": name,
                "module": container.module if container else "lab",
                "state": state if place in mounted else "no namespace",
                "health": "",
                "since": age(one.started) if one and one.started and one.running else "",
                "restarts": str(again.get(one.name) or "") if one else "",
                "addresses": addresses.get(name, f"with {place}"),
                "image": one.image.removeprefix("localhost/") if one else "",
                "built": _built(context, one.image) if one else "",
            }
        )
    return _with_health(context, shown)


def _with_health(context: Context, shown: list[Row]) -> list[Row]:
    """Asked now, of what runs, along the declared flows (law 12); why not, where it does not answer."""
    asked = checks(context, {row["node"] for row in shown if row["state"] in RUNNING})
    told = {c.container: why for c, why in answers(asked, deadline=within(HEALTH_SECONDS))}
    words = {name: "answers" if why is None else f"no: {why}" for name, why in told.items()}
    return [row | {"health": words.get(row["node"], "")} for row in shown]


def silent(shown: Iterable[Row]) -> tuple[str, ...]:
    """The nodes that do not answer as declared."""
    return tuple(row["node"] for row in shown if row["health"].startswith("no: "))


def restless(shown: Iterable[Row]) -> tuple[str, ...]:
    """The nodes whose container ends and is started again, each with how often."""
    return tuple(f"{row['node']} ({row['restarts']} times)" for row in shown if row["state"] == RESTARTING)


def _state(one: ActualContainer, again: Mapping[str, int]) -> str:
    """What podman calls it, but for one that is started again and again."""
    fresh = one.started is not None and (datetime.now(UTC) - one.started).total_seconds() < FRESH
    return RESTARTING if fresh and again.get(one.name, 0) >= OFTEN else one.state


def _built(context: Context, reference: str) -> str:
    """How old the image's archive is; "" where it is gone."""
    stem = Path(reference).name.replace(":", "-")
    try:
        return age(datetime.fromtimestamp((context.instance.images / f"{stem}.tar").stat().st_mtime, UTC))
    except FileNotFoundError:
        return ""


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
