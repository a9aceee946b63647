"""The nodes of diagrams (specs.semantics.diagram), and the operations of sets on them.

Two memories make it fast: a node is made once, and an operation on the same two nodes is done once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NewType

from specs.semantics.span import Span

Packets = NewType("Packets", int)
NOTHING, EVERYTHING = Packets(0), Packets(1)
Node = tuple[int, tuple[int, ...], tuple[int, ...]]  # level, upper ends of the intervals, where each leads
LEAF = 1 << 30  # below every level
TERMINAL: Node = (LEAF, (), ())


class Algebra:
    """Where diagrams over fields with the values 0 to `tops[level]` live."""

    def __init__(self, tops: Sequence[int]) -> None:
        self.tops = list(tops)
        self.nodes: list[Node] = [TERMINAL, TERMINAL]
        self._unique: dict[Node, int] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._either: dict[tuple[int, int], int] = {}
        self._minus: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def level(self, top: int = 1) -> int:
        """A new field, below all others."""
        self.tops.append(top)
        return len(self.tops) - 1

    # ---- making sets

    def cube(self, conditions: Mapping[int, Span]) -> Packets:
        """The packets whose field at each level is among the given values."""
        below = 1
        for level in sorted(conditions, reverse=True):
            below = self._banded(level, conditions[level], below)
        return Packets(below)

    def where(self, level: int, *values: int) -> Packets:
        return self.cube({level: tuple(sorted((value, value) for value in values))})

    def _banded(self, level: int, values: Span, below: int) -> int:
        bounds: list[int] = []
        kids: list[int] = []
        at = 0
        for low, high in values:
            if low > at:
                bounds.append(low - 1)
                kids.append(0)
            bounds.append(high)
            kids.append(below)
            at = high + 1
        if at <= self.tops[level]:
            bounds.append(self.tops[level])
            kids.append(0)
        return self.node(level, bounds, kids)

    def node(self, level: int, bounds: Sequence[int], kids: Sequence[int]) -> int:
        ends: list[int] = []
        leads: list[int] = []
        for end, kid in zip(bounds, kids, strict=True):
            if leads and leads[-1] == kid:
                ends[-1] = end
            else:
                ends.append(end)
                leads.append(kid)
        if len(leads) == 1:
            return leads[0]
        key = (level, tuple(ends), tuple(leads))
        found = self._unique.get(key)
        if found is None:
            found = len(self.nodes)
            self.nodes.append(key)
            self._unique[key] = found
        return found

    # ---- combining them

    def both(self, *sets: Packets) -> Packets:
        """The packets in all of them."""
        found = 1
        for each in sorted(sets):
            found = self.intersect(found, each)
        return Packets(found)

    def either(self, sets: Iterable[Packets]) -> Packets:
        """The packets in any of them; halves first, so that big diagrams meet once."""
        left: list[int] = list(dict.fromkeys(sets))
        while len(left) > 1:
            pairs = zip(left[::2], left[1::2], strict=False)
            left = [*(self._unite(one, other) for one, other in pairs), *(left[-1:] if len(left) % 2 else ())]
        return Packets(left[0] if left else 0)

    def minus(self, one: Packets, other: Packets) -> Packets:
        return Packets(self._subtract(one, other))

    def complement(self, one: Packets) -> Packets:
        return self.minus(EVERYTHING, one)

    def intersect(self, one: int, other: int) -> int:
        if one == 0 or other == 0:
            return 0
        if one in (1, other):
            return other
        if other == 1:
            return one
        if one > other:
            one, other = other, one
        found = self._both.get((one, other))
        if found is None:
            found = self._both[one, other] = self._intersect_nodes(one, other)
        return found

    def _intersect_nodes(self, one: int, other: int) -> int:
        """As _meet, but stepping over what the node with fewer edges leaves out: most sets here are sparse."""
        level, bounds, kids = self.nodes[one]
        level_, bounds_, kids_ = self.nodes[other]
        if level != level_:
            return self._meet(one, other, self.intersect)
        if len(bounds) > len(bounds_):
            bounds, kids, bounds_, kids_ = bounds_, kids_, bounds, kids
        ends: list[int] = []
        leads: list[int] = []
        low = 0
        for high, kid in zip(bounds, kids, strict=True):
            if kid:
                at = bisect_left(bounds_, low)
                while bounds_[at] < high:
                    ends.append(bounds_[at])
                    leads.append(self.intersect(kid, kids_[at]))
                    at += 1
                ends.append(high)
                leads.append(self.intersect(kid, kids_[at]))
            else:
                ends.append(high)
                leads.append(0)
            low = high + 1
        return self.node(level, ends, leads)

    def _unite(self, one: int, other: int) -> int:
        if one == 1 or other == 1:
            return 1
        if one in (0, other):
            return other
        if other == 0:
            return one
        if one > other:
            one, other = other, one
        found = self._either.get((one, other))
        if found is None:
            found = self._either[one, other] = self._meet(one, other, self._unite)
        return found

    def _subtract(self, one: int, other: int) -> int:
        if one in (0, other) or other == 1:
            return 0
        if other == 0:
            return one
        found = self._minus.get((one, other))
        if found is None:
            found = self._minus[one, other] = self._meet(one, other, self._subtract)
        return found

    def _meet(self, one: int, other: int, operation: Callable[[int, int], int]) -> int:
        """The operation on every pair of edges whose intervals meet."""
        level, bounds, kids = self.nodes[one]
        level_, bounds_, kids_ = self.nodes[other]
        if level < level_:
            return self.node(level, bounds, [operation(kid, other) for kid in kids])
        if level_ < level:
            return self.node(level_, bounds_, [operation(one, kid) for kid in kids_])
        ends: list[int] = []
        leads: list[int] = []
        at = at_ = 0
        last = bounds[-1]
        while True:
            end, end_ = bounds[at], bounds_[at_]
            leads.append(operation(kids[at], kids_[at_]))
            if end < end_:
                ends.append(end)
                at += 1
            else:
                ends.append(end_)
                if end_ == last:
                    return self.node(level, ends, leads)
                at_ += 1
                at += end == end_
