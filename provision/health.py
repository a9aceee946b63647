"""Estate -> how each container's health is asked: by whom, where, along which declared flow (law 12)."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from provision.context import Context
from provision.facts import container as containers
from provision.facts import wireguard
from provision.ready import Check
from provision.render.caddyfile import STORAGE
from provision.render.container import volume
from specs import naming
from specs.model import HOST, WAN, Container, Estate, Flow, HealthKind, Profile, SourceKind
from specs.oracle import internet
from specs.way import way

_HTTPS = 443


def checks(context: Context, names: Collection[str]) -> tuple[Check, ...]:
    """The checks of the containers `names` that declare a health, and that somebody here may ask.

    Nobody may where a flow is a whitelist's, and none of the lab's internet is on it; on metal nobody of ours is.
    """
    estate = context.estate
    wanted = [container for container in estate.containers if container.name in names and container.health is not None]
    return tuple(_check(context, container) for container in wanted if askable(estate, container))


def askable(estate: Estate, container: Container) -> bool:
    """Whether there is a declared client to ask from."""
    assert container.health is not None
    if container.health.kind is HealthKind.HANDSHAKE:
        return True
    flow = _flow(estate, container)
    return flow.source_node == WAN or not estate.from_internet(flow) or bool(internet(estate, flow))


def _flow(estate: Estate, container: Container) -> Flow:
    assert container.health is not None
    owner, port = container.shares or container.name, container.health.port
    return next(flow for flow in estate.flows if flow.target == owner and flow.port == port)


def _check(context: Context, container: Container) -> Check:
    health = container.health
    assert health is not None
    if health.kind is HealthKind.HANDSHAKE:
        return _handshake(context, container)
    estate = context.estate
    flow = _flow(estate, container)
    address = way(estate, flow).dial
    assert address is not None  # only a flow out to the WAN has none, and it targets no container
    tls = health.kind is HealthKind.GET and health.port is not None and health.port.number == _HTTPS
    return Check(
        container=container.name,
        netns=context.netns(_client(estate, flow)),
        address=address,
        health=health,
        hostname=estate.site.hostname,
        tls=tls,
        authority=_authority(context, container) if tls and estate.profile is Profile.LAB else None,
    )


def _handshake(context: Context, container: Container) -> Check:
    """Asked from the first peer's machine; the kernel's device in the hub or that peer's own control socket tells."""
    assert container.health is not None
    tunnel = context.estate.tunnel
    peer = tunnel.peers[0]
    return Check(
        container=container.name,
        netns=context.netns(peer.name),
        address=tunnel.address,
        health=container.health,
        handshakes=context.netns(container.name) if wireguard.in_kernel() else _control_socket(context, peer.name),
        peer=peer.address,
        since=time.time() - _HANDSHAKE_SECONDS,
    )


def _control_socket(context: Context, node: str) -> Path:
    """That of the userspace WireGuard in the container `node`."""
    name = naming.container(context.instance.name, node)
    pid = next((found.pid for found in containers.read(context.podman) if found.name == name), 0)
    return Path(f"/proc/{pid}/root/run/wireguard/{context.estate.tunnel.ifname}.sock")


_HANDSHAKE_SECONDS = 180.0  # REJECT_AFTER_TIME: a session lives no longer (WireGuard paper, 6.1)


def _client(estate: Estate, flow: Flow) -> str:
    """The node that asks: the flow's own source; for the internet a visitor of the lab, on metal the host itself."""
    if not estate.from_internet(flow):
        return flow.source_node
    peers = {peer.name for peer in estate.tunnel.peers}
    callers = sorted((end.node in peers, end.node) for end in internet(estate, flow))
    return callers[0][1] if callers else HOST


def _authority(context: Context, container: Container) -> Path | None:
    """Where Caddy's internal CA lies on the machine: below the volume mounted over its storage."""
    storage = PurePosixPath(STORAGE)
    for mount in container.mounts:
        if mount.kind is SourceKind.VOLUME and storage.is_relative_to(mount.at):
            below = storage.relative_to(mount.at) / "pki/authorities/local/root.crt"
            return volume(context.instance, mount.origin) / below
    return None
