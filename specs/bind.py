"""The names phase: modules, containers, images and volumes, each told once and each meaning something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from specs import build, hostpaths, privileges
from specs.document import Document
from specs.model import HOST, LAN, PEERS, WAN, Container, Image, Module, Source
from specs.privileges import Fault
from specs.problems import Problem, SpecError, closest
from specs.raw import RawContainer, RawModule
from specs.raw_image import RawImage

RESERVED = (HOST, WAN, LAN, PEERS, "a", "b")


@dataclass(frozen=True, kw_only=True)
class Names:
    modules: tuple[Module, ...]
    images: tuple[Image, ...]

    @property
    def containers(self) -> tuple[Container, ...]:
        return tuple(c for module in self.modules for c in module.containers)


def problem(file: str, text: str, hint: str = "") -> Problem:
    return Problem(source=Source(file=file, line=1), text=text, hint=hint)


def bind(
    folder: Path,
    modules: Sequence[tuple[Document, RawModule]],
    images: Sequence[tuple[Document, RawImage]],
    *,
    people: Iterable[str] = (),
) -> Names:
    """Bind every name. Raises SpecError with all that are told twice or mean nothing."""
    names = Names(
        modules=tuple(sorted((build.module(place, said) for place, said in modules), key=lambda m: m.name)),
        images=tuple(sorted((build.image(place, said) for place, said in images), key=lambda i: i.name)),
    )
    problems = [
        *_misfiled(modules, images),
        *_told_twice(modules),
        *_in_modules(modules, names, frozenset(people)),
        *(p for place, said in images for p in _in_image(folder, place, said, names)),
        *_cycles(names),
        *hostpaths.problems(modules),
    ]
    if problems:
        raise SpecError(problems)
    return replace(names, images=build.with_bases(names.images))


def _misfiled(
    modules: Iterable[tuple[Document, RawModule]], images: Iterable[tuple[Document, RawImage]]
) -> Iterator[Problem]:
    stems = [(place, "module", said.module, Path(place.file).stem) for place, said in modules]
    stems += [(place, "image", said.image, Path(place.file).parent.name) for place, said in images]
    for place, key, name, stem in stems:
        if name != stem:
            yield Problem(source=place.at(key), text=f"{key} `{name}` stands in {place.file}", hint=f"name it `{stem}`")


def _told_twice(modules: Iterable[tuple[Document, RawModule]]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Source] = {}
    for place, said in modules:
        told = [("container", name, place.at("containers", name)) for name in said.containers]
        told += [("volume", name, place.at("volumes", index)) for index, name in enumerate(said.volumes)]
        for kind, name, source in told:
            if name in RESERVED:
                yield Problem(source=source, text=f"`{name}` is a word of its own here", hint=f"rename the {kind}")
            elif (kind, name) in seen:
                yield Problem(
                    source=source, text=f"duplicate name `{name}`", hint=f"it stands at {seen[kind, name]} already"
                )
            seen.setdefault((kind, name), source)


@dataclass(frozen=True, kw_only=True)
class _Known:
    containers: Mapping[str, Container]
    images: frozenset[str]
    volumes: frozenset[str]
    people: frozenset[str]


def _in_modules(
    modules: Iterable[tuple[Document, RawModule]], names: Names, people: frozenset[str]
) -> Iterator[Problem]:
    known = _Known(
        containers={c.name: c for c in names.containers},
        images=frozenset(image.name for image in names.images),
        volumes=frozenset(volume for module in names.modules for volume in module.volumes),
        people=people,
    )
    for place, said in modules:
        if said.prospective and said.containers:
            text = f"module `{said.module}` is prospective and has containers"
            yield Problem(source=place.at("prospective"), text=text, hint="drop the line prospective: true")
        for name, container in said.containers.items():
            for path, text, hint in (
                *_references(name, container, known),
                *_undeclared(container, known),
                *privileges.faults(container),
            ):
                yield Problem(source=place.at("containers", name, *path), text=text, hint=hint)


def _references(name: str, said: RawContainer, known: _Known) -> Iterator[Fault]:
    if said.enabled and said.image not in known.images:
        yield ("image",), f"unknown image `{said.image}`", closest(said.image, known.images)
    if said.shares is not None:
        yield from _shared(name, said, said.shares, known)
    for index, other in enumerate(said.depends_on):
        if other == name:
            yield ("depends-on", index), f"`{name}` depends on itself", "name the container it needs, or drop the line"
        elif other not in known.containers:
            yield ("depends-on", index), f"unknown container `{other}`", closest(other, known.containers)
        elif said.enabled and not known.containers[other].enabled:
            yield ("depends-on", index), f"`{other}` is disabled", f"enable it, or disable `{name}`"


def _shared(name: str, said: RawContainer, owner: str, known: _Known) -> Iterator[Fault]:
    if owner == HOST:
        if said.waiver is None or said.waiver.userns != "host":
            hint = "add waiver: with its reason and userns: host, or share a container's namespace"
            yield ("shares",), f"`{name}` shares the host's namespace without a waiver", hint
    elif owner not in known.containers:
        yield ("shares",), f"unknown container `{owner}`", closest(owner, known.containers)
    elif owner == name or known.containers[owner].shares:
        yield ("shares",), f"`{name}` cannot share the namespace of `{owner}`", "name one that has its own"
    elif said.enabled and not known.containers[owner].enabled:
        yield ("shares",), f"`{owner}` is disabled", f"enable it, or disable `{name}`"


def _undeclared(said: RawContainer, known: _Known) -> Iterator[Fault]:
    for index, mount in enumerate(said.mounts):
        if mount.volume is not None and mount.volume not in known.volumes:
            hint = closest(mount.volume, known.volumes) or "declare it under volumes:"
            yield ("mounts", index, "volume"), f"undeclared volume `{mount.volume}`", hint

    for index, person in enumerate(said.logins):
        if person not in known.people:
            hint = closest(person, known.people) or "declare them under people: in estate.yaml"
            yield ("logins", index), f"unknown person `{person}`", hint


def _in_image(folder: Path, place: Document, said: RawImage, names: Names) -> Iterator[Problem]:
    home = (folder / place.file).parent
    for index, put in enumerate(said.put):
        if not _stands(home / put.file):
            where = place.at("put", index, "file")
            yield Problem(source=where, text=f"missing file `{put.file}`", hint=f"it stands beside {place.file}")
    known = {image.name: image for image in names.images}
    if said.base == said.image:
        yield Problem(source=place.at("base"), text=f"image `{said.image}` stands on itself", hint="drop base:")
    elif said.base is not None and said.base not in known:
        yield Problem(source=place.at("base"), text=f"unknown image `{said.base}`", hint=closest(said.base, known))
    elif said.base is not None and known[said.base].pending is not None:
        yield Problem(source=place.at("base"), text=f"image `{said.base}` is pending", hint="it has no files yet")
    for family, name in said.stand_in:
        if name is not None and (name not in known or known[name].stands_in_for is None or known[name].stand_ins):
            text = f"image `{name}` cannot stand in on {family}"
            hint = "it stands-in-for: nothing" if name in known else closest(name, known)
            yield Problem(source=place.at("stand-in", family), text=text, hint=hint)
    if said.pending is not None and said.model_fields_set - {"image", "pending", "stands_in_for"}:
        text = f"image `{said.image}` is pending and defined"
        yield Problem(source=place.at("pending"), text=text, hint="drop pending:, or all that defines it")
    if said.pending is None and not said.entrypoint and said.base is None:
        yield Problem(source=place.at("image"), text=f"image `{said.image}` has no entrypoint", hint="or say pending:")


def _stands(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than the kernel takes, or behind a folder that may not be entered
        return False


def _cycles(names: Names) -> Iterator[Problem]:
    starts = {c.name: (*c.depends_on, *([c.shares] if c.shares else [])) for c in names.containers}
    bases = {image.name: (image.base,) if image.base else () for image in names.images}
    containers, images = ({x.name: x.source for x in group} for group in (names.containers, names.images))
    for ring in _rings(starts):
        text = f"dependency cycle: {' -> '.join((*ring, ring[0]))}"
        yield Problem(source=containers[ring[0]], text=text, hint="one of them must start without the other")
    for ring in _rings(bases):
        text = f"image cycle: {' -> '.join((*ring, ring[0]))}"
        yield Problem(source=images[ring[0]], text=text, hint="one of them must have no base")


def _rings(needs: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """One ring, in order and from its first name on, for each set of names that need each other in a ring."""
    reported: set[frozenset[str]] = set()
    for start in _knotted(needs):
        ring = _ring(needs, start)
        if len(ring) > 1 and frozenset(ring) not in reported:
            reported.add(frozenset(ring))
            yield ring


def _knotted(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names that are left when one after the other all that need nothing more are put aside."""
    left = dict(needs)
    while free := [name for name, others in left.items() if not any(other in left for other in others)]:
        for name in free:
            del left[name]
    return tuple(sorted(left))


def _ring(needs: Mapping[str, tuple[str, ...]], start: str) -> tuple[str, ...]:
    """The shortest way from `start` back to itself, () where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        for other in sorted(needs.get(way[-1], ())):
            if other == start:
                return way
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()
