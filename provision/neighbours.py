"""Who needs whom among containers: what stands on one that is stopped, what one that is started stands on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from specs.model import Container


@dataclass(frozen=True, kw_only=True, order=True)
class Need:
    """`container` needs `other`: it shares its network namespace, or depends on it."""

    container: str
    other: str
    shares: bool

    def __str__(self) -> str:
        return f"{self.container} {'shares the network of' if self.shares else 'depends on'} {self.other}"


def needs(containers: Iterable[Container]) -> tuple[Need, ...]:
    """Every need that is declared; where one both shares and depends, that it shares."""
    found = {
        (c.name, other): Need(container=c.name, other=other, shares=other == c.shares)
        for c in containers
        for other in (*c.depends_on, *((c.shares,) if c.shares else ()))
    }
    return tuple(found[key] for key in sorted(found))


def standing_on(known: Iterable[Need], stopped: Collection[str], running: Collection[str]) -> tuple[Need, ...]:
    """What runs on and needs one of `stopped`."""
    return tuple(n for n in known if n.other in stopped and n.container in running and n.container not in stopped)


def lacking(known: Iterable[Need], started: Collection[str], running: Collection[str]) -> tuple[Need, ...]:
    """What one of `started` needs and does not run."""
    return tuple(n for n in known if n.container in started and n.other not in running and n.other not in started)


def in_order(known: Iterable[Need], names: Iterable[str]) -> tuple[str, ...]:
    """Each name behind those it needs, and by name otherwise."""
    below: dict[str, set[str]] = {}
    for need in known:
        below.setdefault(need.container, set()).add(need.other)

    def depth(name: str) -> int:
        return max((1 + depth(other) for other in below.get(name, ())), default=0)

    return tuple(sorted(set(names), key=lambda name: (depth(name), name)))
