"""What runs in the world around the host: in the lab, each WireGuard peer's own side of the tunnel."""

from __future__ import annotations

from dataclasses import replace

from specs.model import Container, Estate, Limits

MODULE = "lab"


def peers(estate: Estate) -> tuple[Container, ...]:
    """A container for each peer's machine, made like the hub's; none on metal, where peers are real."""
    machines = {node.name for node in estate.world.nodes}
    hub = estate.container(estate.tunnel.hub)
    return tuple(
        replace(
            hub,
            name=peer.name,
            module=MODULE,
            mounts=(),
            depends_on=(hub.name,),
            health=None,
            limits=Limits(memory=128 * 1024**2, pids=64, cpus=0.5),
        )
        for peer in estate.tunnel.peers
        if peer.name in machines
    )
