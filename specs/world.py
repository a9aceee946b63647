"""What runs in the world around the host, in the lab: each WireGuard peer's own side of the tunnel, and a resolver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from specs.model import Container, Estate, Limits, Waiver, When

MODULE = "lab"
RESOLVER_IMAGE = "lab-resolver"


def containers(estate: Estate) -> tuple[Container, ...]:
    """The world's containers; none on metal, where the world is real."""
    return (*_peers(estate), *_resolvers(estate))


def _peers(estate: Estate) -> Iterator[Container]:
    """A container for each peer's machine, made like the hub's."""
    machines = {node.name for node in estate.world.nodes}
    hub = estate.container(estate.tunnel.hub)
    for peer in estate.tunnel.peers:
        if peer.name in machines:
            yield replace(
                hub,
                name=peer.name,
                module=MODULE,
                mounts=(),
                depends_on=(hub.name,),
                health=None,
                limits=Limits(memory=128 * 1024**2, pids=64, cpus=0.5),
            )


def _resolvers(estate: Estate) -> Iterator[Container]:
    """A name server in each node that has records."""
    for node in estate.world.nodes:
        if node.records:
            yield replace(
                estate.container(estate.tunnel.hub),
                name=node.name,
                module=MODULE,
                image=RESOLVER_IMAGE,
                mounts=(),
                tmpfs=(),
                depends_on=(),
                health=None,
                limits=Limits(memory=64 * 1024**2, pids=16, cpus=0.25),
                runs=When.ALWAYS,
                waiver=Waiver(
                    reason="port 53 is below the first unprivileged port of a namespace that is not ours",
                    when=When.ALWAYS,
                    userns_host=True,
                    capabilities=("NET_BIND_SERVICE",),
                    devices=(),
                    user=0,
                ),
            )
