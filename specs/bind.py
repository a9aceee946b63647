"""The names phase: modules, containers, images and volumes, each told once and each meaning something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from specs import build, vocabulary
from specs.document import Document
from specs.model import HOST, LAN, PEERS, WAN, Container, Image, Module, Source
from specs.problems import Problem, SpecError, closest
from specs.raw import RawContainer, RawImage, RawModule

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
) -> Names:
    """Bind every name. Raises SpecError with all that are told twice or mean nothing."""
    names = Names(
        modules=tuple(sorted((build.module(place, said) for place, said in modules), key=lambda m: m.name)),
        images=tuple(sorted((build.image(place, said) for place, said in images), key=lambda i: i.name)),
    )
    problems = [
        *_misfiled(modules, images),
        *_told_twice(modules),
        *(p for place, said in modules for p in _in_module(place, said, names)),
        *(p for place, said in images for p in _in_image(folder, place, said, names)),
        *_cycles(names.containers),
    ]
    if problems:
        raise SpecError(problems)
    return names


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


def _in_module(place: Document, said: RawModule, names: Names) -> Iterator[Problem]:
    if said.prospective and said.containers:
        yield Problem(source=place.at("prospective"), text=f"module `{said.module}` is prospective and has containers")
    for name, container in said.containers.items():
        for path, text, hint in (
            *_references(name, container, names),
            *_mount_faults(container, names),
            *_privileges(container),
        ):
            yield Problem(source=place.at("containers", name, *path), text=text, hint=hint)


_Fault = tuple[tuple[str | int, ...], str, str]


def _references(name: str, said: RawContainer, names: Names) -> Iterator[_Fault]:
    known = {c.name: c for c in names.containers}
    images = [image.name for image in names.images]
    if said.enabled and said.image not in images:
        yield ("image",), f"unknown image `{said.image}`", closest(said.image, images)
    if said.shares is not None and said.shares not in known:
        yield ("shares",), f"unknown container `{said.shares}`", closest(said.shares, known)
    elif said.shares is not None and (said.shares == name or known[said.shares].shares):
        yield ("shares",), f"`{name}` cannot share the namespace of `{said.shares}`", "name one that has its own"
    for index, other in enumerate(said.depends_on):
        if other == name:
            yield ("depends-on", index), f"`{name}` depends on itself", "name the container it needs, or drop the line"
        elif other not in known:
            yield ("depends-on", index), f"unknown container `{other}`", closest(other, known)
        elif said.enabled and not known[other].enabled:
            yield ("depends-on", index), f"`{other}` is disabled", f"enable it, or disable `{name}`"


def _mount_faults(said: RawContainer, names: Names) -> Iterator[_Fault]:
    volumes = [v for module in names.modules for v in module.volumes]
    targets = [*(str(mount.at) for mount in said.mounts), *said.tmpfs]
    for index, mount in enumerate(said.mounts):
        if (mount.volume is None) == (mount.host is None):
            yield ("mounts", index), "a mount names either a volume or a host path", "write volume: or host:"
        elif mount.volume is not None and mount.volume not in volumes:
            yield (
                ("mounts", index, "volume"),
                f"undeclared volume `{mount.volume}`",
                closest(mount.volume, volumes) or "declare it under volumes:",
            )
        if targets.count(mount.at) > 1:
            yield ("mounts", index, "at"), f"`{mount.at}` is mounted twice", ""


def _privileges(said: RawContainer) -> Iterator[_Fault]:
    asked = [(("capabilities", index), name) for index, name in enumerate(said.capabilities)]
    if said.waiver is not None:
        asked += [(("waiver", "capabilities", index), name) for index, name in enumerate(said.waiver.capabilities)]
    for path, name in asked:
        if name not in vocabulary.CAPABILITIES:
            yield (
                path,
                f"capability `{name}` does not exist",
                closest(name.upper().removeprefix("CAP_"), vocabulary.CAPABILITIES),
            )
    if said.user == 0 and said.root_reason is None:
        yield ("user",), "user 0 wants a reason", "add root-reason: and say why, or drop user:"
    if said.health is not None:
        kinds = [said.health.get, said.health.connect, said.health.handshake]
        if sum(kind is not None for kind in kinds) != 1:
            yield ("health",), "health says one of get, connect, handshake", ""
        elif said.health.get is not None and said.health.port is None:
            yield ("health",), "health by get wants a port", "add port: 8080"


def _in_image(folder: Path, place: Document, said: RawImage, names: Names) -> Iterator[Problem]:
    home = (folder / place.file).parent
    for index, put in enumerate(said.put):
        if not (home / put.file).exists():
            where = place.at("put", index, "file")
            yield Problem(source=where, text=f"missing file `{put.file}`", hint=f"it stands beside {place.file}")
    known = [image.name for image in names.images]
    if said.base is not None and (said.base not in known or said.base == said.image):
        yield Problem(source=place.at("base"), text=f"unknown image `{said.base}`", hint=closest(said.base, known))
    if said.pending is None and not said.entrypoint and said.base is None:
        yield Problem(source=place.at("image"), text=f"image `{said.image}` has no entrypoint", hint="or say pending:")


def _cycles(containers: Iterable[Container]) -> Iterator[Problem]:
    needs = {c.name: c for c in containers}
    reported: set[frozenset[str]] = set()
    for start in sorted(needs):
        ring = _ring(needs, start)
        if len(ring) > 1 and frozenset(ring) not in reported:
            reported.add(frozenset(ring))
            text = f"dependency cycle: {' -> '.join((*ring, ring[0]))}"
            yield Problem(source=needs[start].source, text=text, hint="one of them must start without the other")


def _ring(needs: Mapping[str, Container], start: str) -> tuple[str, ...]:
    """The shortest way from `start` back to itself, () where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        for other in needs[way[-1]].depends_on if way[-1] in needs else ():
            if other == start:
                return way
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()
