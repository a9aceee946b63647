"""The names a command line may say, and what to answer where one means nothing."""

from __future__ import annotations

from collections.abc import Iterable

from provision.errors import UsageError
from specs import world
from specs.model import LAN, WAN, Container, Estate, Image, Peer
from specs.problems import closest
from specs.topology import nodes


def container(estate: Estate, name: str) -> Container:
    """A container that there can be: a declared, enabled one, or a peer's machine of the lab. Raises UsageError."""
    known = {one.name: one for one in (*estate.containers, *world.containers(estate))}
    if name not in known:
        raise UsageError(_disabled(estate, name) or _unknown("container", name, known))
    return known[name]


def place(estate: Estate, name: str) -> str:
    """The node in whose network namespace `name` stands: a sidecar's is that of the container it shares."""
    shared = {one.name: one.shares or one.name for one in estate.containers}
    known = {node.name: node.name for node in nodes(estate)} | shared
    if name not in known:
        raise UsageError(_disabled(estate, name) or _unknown("node", name, known))
    return known[name]


def end(estate: Estate, name: str) -> str:
    """An end of a way: a node, wan, lan, a whitelist, or a peer. Raises UsageError."""
    groups = (WAN, LAN, *(listed.name for listed in estate.whitelists))
    return name if name in groups else place(estate, name)


def peer(estate: Estate, name: str) -> Peer:
    """A declared peer of the tunnel. Raises UsageError."""
    known = {one.name: one for one in estate.tunnel.peers}
    if name not in known:
        raise UsageError(_unknown("peer", name, known))
    return known[name]


def image(estate: Estate, name: str) -> Image:
    """A declared image. Raises UsageError."""
    known = {one.name: one for one in estate.images}
    if name not in known:
        raise UsageError(_unknown("image", name, known))
    return known[name]


def _disabled(estate: Estate, name: str) -> str:
    every = (one for module in estate.modules for one in module.containers)
    return next((f"`{name}` is declared and disabled: {one.source}" for one in every if one.name == name), "")


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    hint = closest(name, known)
    return f"no {what} `{name}` is declared" + (f": {hint}" if hint else "")
