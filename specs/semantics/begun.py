"""The connections that a namespace lets begin, from any interface or from itself: what may be established there."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping

from specs.semantics.diagram import EVERYTHING
from specs.semantics.move import Branch, Move, going_on
from specs.semantics.place import LOOPBACK
from specs.semantics.tracking import BESIDE, Connections, Translated

if typing.TYPE_CHECKING:
    from specs.semantics.passage import Passage

ALL = ((False, False), (True, False), (False, True), (True, True))


def begun(passage: Passage) -> Mapping[Translated, Connections]:
    """By whether they are translated."""
    gathered: dict[Translated, list[Branch]] = {bits: [] for bits in ALL}
    for branch in _first_packets(passage):
        gathered[branch.dnat, branch.snat].append(branch)
    return {bits: _connections(passage, branches) for bits, branches in gathered.items() if branches}


def _first_packets(passage: Passage) -> Iterator[Branch]:
    # Those of the loopback interface are between its own addresses, which are believed on no other (routing).
    for ifname in passage.interfaces:
        if ifname == LOOPBACK:
            continue
        entry = Branch(now=passage.possible)
        inside = passage.enter(entry, ifname, passage.fresh.new)
        yield from passage.take(ifname, inside)
        for _, branch in passage.forward(ifname, inside):
            yield branch
        made = Move(part=passage.possible, onto=passage.fresh.new)
        yield from passage.leave(ifname, [going_on(passage.space, entry, made)])


def _connections(passage: Passage, branches: Iterable[Branch]) -> Connections:
    space = passage.space
    parts = [
        (branch.origin(space, branch.now), branch.now if branch.between == EVERYTHING else branch.between, branch.now)
        for branch in branches
    ]
    before, between, after = (space.forget(space.either(packets), BESIDE) for packets in zip(*parts, strict=True))
    return Connections(before=before, between=between, after=after)
