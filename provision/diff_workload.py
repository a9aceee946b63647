"""What must change among containers and what they need: desired against actual. Pure but for looking at files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from provision.facts import owned
from provision.facts.actual import ActualWorkload, read_file
from provision.facts.container import ActualContainer
from provision.facts.secret import digest
from provision.op import Op
from provision.ops.container import RemoveContainer, RunContainer, StartContainer
from provision.ops.file import MakeFolder, WriteFile, WriteSecret
from provision.ops.image import BuildImage
from provision.ops.owned import MountOwned, UnmountOwned
from provision.ops.secret import HandSecret, RemoveSecret
from provision.render.container import Folder, Order, canonical, specification
from provision.workload import WantedFile, WantedSecret, Workload
from specs.instance import LABEL_SPEC


@dataclass(frozen=True, kw_only=True)
class Images:
    """Which images there are: finished archives by stem, and imported ones by reference."""

    archives: Collection[str]
    imported: Collection[str]


def containers(desired: Workload, actual: ActualWorkload, remade: Collection[str]) -> Iterator[Op]:
    """The ops on containers; `remade` are nodes whose namespace is about to be made anew."""
    found = {container.name: container for container in actual.containers}
    for order in desired.orders:
        yield from _container(order, found.get(order.name), actual, remade)
    declared = {order.name for order in desired.orders}
    for name, container in found.items():
        if name not in declared:
            yield RemoveContainer(name=container.node, podman_name=name)


def _container(
    order: Order, found: ActualContainer | None, actual: ActualWorkload, remade: Collection[str]
) -> Iterator[Op]:
    document = specification(order)
    reason = _reason(order, found, actual, remade, document)
    begin: Callable[..., Op]
    if reason is not None:
        begin = partial(RunContainer, because=reason)
    elif found is not None and not found.running:
        begin = partial(StartContainer, state=found.state)
    else:
        return
    yield begin(
        name=order.container.name,
        podman_name=order.name,
        document=canonical(document),
        depends_on=_needs(order),
        awaited=order.container.health is not None,
    )


def _reason(
    order: Order,
    found: ActualContainer | None,
    actual: ActualWorkload,
    remade: Collection[str],
    document: dict[str, object],
) -> str | None:
    """Why it must be made: "" when there is none, None when there is a right one."""
    if found is None:
        return ""
    labels = document["labels"]
    assert isinstance(labels, dict)
    if found.spec != labels[LABEL_SPEC]:
        return "its declaration has changed"
    moved = found.running and (order.container.shares or order.container.name) in remade
    if moved or found.name in actual.misplaced:
        return "its network namespace is another"  # one that does not run is started, into the one of that name
    return None


def _needs(order: Order) -> tuple[str, ...]:
    shared = (order.container.shares,) if order.container.shares else ()
    return tuple(sorted({*order.container.depends_on, *shared}))


def needs(desired: Workload, actual: ActualWorkload, images: Images, changed: Collection[str]) -> Iterator[Op]:
    """Folders, files, secrets and images; `changed` are the containers about to be made."""
    yield from (op for folder in desired.folders for op in _folder(folder))
    yield from _owned(desired, actual)
    yield from (op for file in desired.files for op in _file(file))
    yield from (op for secret in desired.secrets for op in _secret(secret))
    yield from _podman_secrets(desired, actual)
    wanted = {order.reference for order in desired.orders if order.container.name in changed}
    for recipe in desired.recipes:
        if recipe.reference in wanted and recipe.reference not in images.imported:
            yield BuildImage(recipe=recipe, archived=recipe.stem in images.archives)


def _podman_secrets(desired: Workload, actual: ActualWorkload) -> Iterator[Op]:
    held = {secret.name: secret.digest for secret in actual.secrets}
    names: set[str] = set()
    for wanted in desired.secrets:
        if wanted.name is None:
            continue
        names.add(wanted.name)
        if held.get(wanted.name) != digest(wanted.secret.reveal().encode()):
            yield HandSecret(name=wanted.name, path=wanted.path, changed=wanted.name in held)
    yield from (RemoveSecret(name=name) for name in held if name not in names)


def _folder(folder: Folder) -> Iterator[Op]:
    there = read_file(folder.path)
    if there is None:
        yield MakeFolder(path=folder.path, owner=folder.owner, mode=folder.mode, seen="")
    elif there.owner != folder.owner:
        seen = f"owned by {there.owner}, not {folder.owner}"
        yield MakeFolder(path=folder.path, owner=folder.owner, mode=folder.mode, seen=seen)


def _owned(desired: Workload, actual: ActualWorkload) -> Iterator[Op]:
    for wanted in desired.owned:
        if not owned.stands(wanted):
            yield MountOwned(
                container=wanted.container,
                source=wanted.source,
                target=wanted.target,
                owner=wanted.owner,
                outside=wanted.outside,
            )
    targets = {wanted.target for wanted in desired.owned}
    yield from (UnmountOwned(target=path) for path in sorted(set(actual.owned) - targets))


def _file(wanted: WantedFile) -> Iterator[Op]:
    there = read_file(wanted.path)
    if there is None or there.text != wanted.text:
        yield WriteFile(path=wanted.path, text=wanted.text, there=there is not None)


def _secret(wanted: WantedSecret) -> Iterator[Op]:
    there = read_file(wanted.path)
    text = wanted.secret.reveal()
    if there is None or there.text != text or there.mode != 0o600:
        yield WriteSecret(path=wanted.path, secret=wanted.secret, there=there is not None)


def making(ops: Iterable[Op]) -> frozenset[str]:
    """The containers that `ops` make."""
    return frozenset(op.name for op in ops if isinstance(op, RunContainer))
