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
from specs.way import way

_HTTPS = 443


def checks(context: Context, names: Collection[str]) -> tuple[Check, ...]:
    """The checks of the containers `names` that declare a health."""
    wanted = [container for container in context.estate.containers if container.name in names]
    return tuple(_check(context, container) for container in wanted if container.health is not None)


def _check(context: Context, container: Container) -> Check:
    health = container.health
    assert health is not None
    if health.kind is HealthKind.HANDSHAKE:
        return _handshake(context, container)
    estate = context.estate
    flow = next(f for f in estate.flows if f.target == (container.shares or container.name) and f.port == health.port)
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
    """The node that asks: the flow's own source; for the WAN the lab's visitor, on metal the host itself."""
    if flow.source_node != WAN:
        return flow.source_node
    visitors = (node.name for node in estate.world.nodes if node.zone == WAN and not node.forwards)
    peers = {peer.name for peer in estate.tunnel.peers}
    return next((name for name in visitors if name not in peers), HOST)


def _authority(context: Context, container: Container) -> Path | None:
    """Where Caddy's internal CA lies on the machine: below the volume mounted over its storage."""
    storage = PurePosixPath(STORAGE)
    for mount in container.mounts:
        if mount.kind is SourceKind.VOLUME and storage.is_relative_to(mount.at):
            below = storage.relative_to(mount.at) / "pki/authorities/local/root.crt"
            return volume(context.instance, mount.origin) / below
    return None
