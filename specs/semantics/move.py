"""What happens to a packet on its way, step by step, forwards for sets and backwards for the packet that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from specs.semantics.diagram import EVERYTHING, Packets, Space
from specs.semantics.field import Field

INTERFACES = (Field.IIF, Field.OIF)  # what is said of a packet inside one namespace alone, as TRACKING is


@dataclass(frozen=True, kw_only=True)
class Move:
    """The packets of `part` have fields set (`becomes`), or become any that `onto` holds (`loosened`)."""

    part: Packets
    becomes: Mapping[int, int] = field(default_factory=dict)
    loosened: tuple[int, ...] = ()
    onto: Packets = EVERYTHING

    def image(self, space: Space) -> Packets:
        if not self.becomes and not self.loosened:
            return space.both(self.part, self.onto)
        found = space.forget(self.part, (*self.becomes, *self.loosened))
        return space.both(found, self._made(space), self.onto)

    def origin(self, space: Space, image: Packets) -> Packets:
        """Those that became some of `image`."""
        found = space.both(image, self.onto, self._made(space))
        if self.becomes or self.loosened:
            found = space.forget(found, (*self.becomes, *self.loosened))
        return space.both(self.part, found)

    def onward(self, space: Space, packets: Packets) -> Packets:
        """What those of `packets` become."""
        return replace(self, part=space.both(self.part, packets)).image(space)

    def _made(self, space: Space) -> Packets:
        return space.cube({level: ((value, value),) for level, value in self.becomes.items()})


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A bundle of packets inside one namespace: what it is now, how it came to it, and how it was translated."""

    now: Packets
    moves: tuple[Move, ...] = ()
    between: Packets = EVERYTHING  # as it was after DNAT
    dnat: bool = False
    snat: bool = False
    answer: tuple[bool, bool] | None = None  # of which connections it is an answer, by their translation

    def origin(self, space: Space, packets: Packets) -> Packets:
        """Those that came in, of which some became `packets`, as tracking saw them."""
        for move in reversed(self.moves):
            packets = move.origin(space, packets)
        return space.forget(packets, INTERFACES)

    def onward(self, space: Space, packets: Packets) -> Packets:
        """What those that came in so have become."""
        for move in self.moves:
            packets = move.onward(space, packets)
        return space.both(packets, self.now)


def going_on(space: Space, branch: Branch, move: Move, **changes: object) -> Branch:
    """The branch after one move more."""
    return replace(branch, now=move.image(space), moves=(*branch.moves, move), **changes)  # type: ignore[arg-type]


def union(space: Space, branches: Iterable[Branch]) -> Packets:
    return space.either(branch.now for branch in branches)
