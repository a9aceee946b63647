"""Host paths that several containers name: one owner each, and an exclusive one is named once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import PurePosixPath

from specs.document import Document
from specs.model import Source
from specs.problems import Problem
from specs.raw import RawModule, RawMount


@dataclass(frozen=True, kw_only=True)
class _Bind:
    container: str
    path: PurePosixPath
    said: RawMount
    source: Source


def problems(modules: Iterable[tuple[Document, RawModule]]) -> Iterator[Problem]:
    """What two containers say of one host path and cannot both mean. Disabled containers count: they may be enabled."""
    binds = tuple(_binds(modules))
    yield from _two_owners(binds)
    for one, other in permutations(binds, 2):
        if one.said.exclusive and one.container != other.container and _meet(one.path, other.path):
            text = f"`{other.path}` of `{other.container}` meets `{one.path}`, which is `{one.container}`'s alone"
            yield Problem(source=other.source, text=text, hint="drop this mount, or exclusive: there")


def _binds(modules: Iterable[tuple[Document, RawModule]]) -> Iterator[_Bind]:
    for place, said in modules:
        for name, container in said.containers.items():
            for index, mount in enumerate(container.mounts):
                if mount.host is not None:
                    source = place.at("containers", name, "mounts", index)
                    yield _Bind(container=name, path=PurePosixPath(mount.host), said=mount, source=source)


def _two_owners(binds: Iterable[_Bind]) -> Iterator[Problem]:
    seen: dict[PurePosixPath, _Bind] = {}
    for bind in binds:
        if bind.said.owner is None:
            continue
        first = seen.setdefault(bind.path, bind)
        if first.said.owner != bind.said.owner and first.container != bind.container:
            text = f"owner {bind.said.owner} of `{bind.path}`, which is {first.said.owner}'s for `{first.container}`"
            yield Problem(source=bind.source, text=text, hint=f"it stands at {first.source} already")


def _meet(one: PurePosixPath, other: PurePosixPath) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
