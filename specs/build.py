"""Raw values -> the model's: one function a type, nothing is looked up or refused here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from specs.document import Document
from specs.model import (
    Container,
    Health,
    HealthKind,
    Image,
    Jail,
    Jlink,
    Limits,
    Module,
    Mount,
    PinnedFile,
    Port,
    Protocol,
    PutFile,
    Rendered,
    SourceKind,
    Waiver,
    Web,
)
from specs.raw import RawContainer, RawHealth, RawModule, RawMount, RawWaiver
from specs.raw_image import RawImage


def module(place: Document, said: RawModule) -> Module:
    containers = (_container(place, said.module, name, raw) for name, raw in said.containers.items())
    return Module(
        name=said.module,
        purpose=said.purpose,
        prospective=said.prospective,
        volumes=tuple(sorted(said.volumes)),
        containers=tuple(sorted(containers, key=lambda c: c.name)),
    )


def _container(place: Document, module: str, name: str, said: RawContainer) -> Container:
    return Container(
        name=name,
        module=module,
        image=said.image,
        enabled=said.enabled,
        shares=said.shares,
        depends_on=tuple(sorted(said.depends_on)),
        mounts=tuple(
            sorted((_mount(mount) for mount in said.mounts), key=lambda m: (m.kind, m.origin, m.at, m.writable))
        ),
        tmpfs=tuple(sorted(PurePosixPath(path) for path in said.tmpfs)),
        web=Web(path=said.web.path, port=said.web.port) if said.web else None,
        stream=said.stream,
        loopback=said.loopback,
        health=_health(said.health) if said.health else None,
        limits=Limits(memory=said.limits.memory, pids=said.limits.pids, cpus=said.limits.cpus),
        capabilities=tuple(sorted(said.capabilities)),
        user=said.user,
        root_reason=said.root_reason,
        waiver=_waiver(said.waiver) if said.waiver else None,
        runs=said.runs,
        logins=tuple(sorted(said.logins)),
        source=place.at("containers", name),
    )


def _mount(said: RawMount) -> Mount:
    kind = SourceKind.HOST if said.host is not None else SourceKind.VOLUME
    origin = said.host or said.volume or ""
    return Mount(
        kind=kind,
        origin=origin,
        at=PurePosixPath(said.at),
        writable=said.mode == "rw",
        owner=said.owner,
        exclusive=said.exclusive,
    )


def _health(said: RawHealth) -> Health:
    if said.handshake:
        return Health(kind=HealthKind.HANDSHAKE)
    if said.connect is not None:
        return Health(kind=HealthKind.CONNECT, port=Port(protocol=Protocol.TCP, number=said.connect))
    port = Port(protocol=Protocol.TCP, number=said.port) if said.port is not None else None
    return Health(kind=HealthKind.GET, port=port, path=said.get or "/", status=said.status)


def _waiver(said: RawWaiver) -> Waiver:
    return Waiver(
        reason=said.reason,
        when=said.when,
        userns_host=said.userns == "host",
        capabilities=tuple(sorted(said.capabilities)),
        devices=tuple(sorted(PurePosixPath(device) for device in said.devices)),
        user=said.user,
    )


def image(place: Document, said: RawImage) -> Image:
    path = PurePosixPath
    return Image(
        name=said.image,
        pending=said.pending,
        base=said.base,
        packages=(("alpine", tuple(sorted(said.packages.alpine))), ("debian", tuple(sorted(said.packages.debian)))),
        pinned=tuple(
            PinnedFile(project=p.project, version=p.version, sha256=p.sha256, member=p.member, at=path(p.at))
            for p in said.pinned
        ),
        programs=tuple(sorted(path(program) for program in said.programs)),
        keep=tuple(sorted(said.keep)),
        put=tuple(PutFile(origin=p.file, at=path(p.at), executable=p.executable) for p in said.put),
        rendered=tuple(Rendered(renderer=r.renderer, at=path(r.at), secret=r.secret) for r in said.render),
        writable=tuple(sorted(path(place) for place in said.writable)),
        entrypoint=tuple(said.entrypoint),
        shell_reason=said.shell,
        unstable_reason=said.unstable,
        stop_signal=said.stop_signal,
        stands_in_for=said.stands_in_for,
        stand_ins=tuple((family, name) for family, name in said.stand_in if name is not None),
        jail=Jail(at=path(said.jail.at), programs=tuple(sorted(map(path, said.jail.programs)))) if said.jail else None,
        jlink=Jlink(at=path(said.jlink.at), modules=tuple(sorted(said.jlink.modules))) if said.jlink else None,
        source=place.at("image"),
    )


def with_bases(images: Iterable[Image]) -> tuple[Image, ...]:
    """Images that stand on another take over what they do not say themselves: how it is started, ended, configured."""
    known = {image.name: image for image in images}
    return tuple(_with_base(image, known) for image in known.values())


def _with_base(image: Image, known: Mapping[str, Image]) -> Image:
    if image.base is None:
        return image
    base = _with_base(known[image.base], known)
    return replace(
        image,
        rendered=image.rendered or base.rendered,
        entrypoint=image.entrypoint or base.entrypoint,
        stop_signal=image.stop_signal or base.stop_signal,
    )
