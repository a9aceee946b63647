"""Sets of packets as interval decision diagrams: exact, canonical, shared.

A node asks for one field and has an edge for each interval of its values; equal nodes are one node, neighbouring
edges never lead to the same node, and a node with a single edge is left out (Strehl & Thiele 1998; the firewall
decision diagrams of Gouda & Liu 2004 are the same). So two sets are equal when their numbers are. A diagram over
bits asks some 150 questions of a packet, this one at most sixteen, whatever the addresses' width: that is what
makes plain Python fast enough (docs/decisions/025).

    Space ── nodes, unique table, memory of operations; sets of one Space alone can be combined
    oracles ── levels beyond the fields, of two values: what an unreadable match or a rate would have said
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NewType

from specs.semantics.span import Span, subtract

Packets = NewType("Packets", int)
NOTHING, EVERYTHING = Packets(0), Packets(1)
Node = tuple[int, tuple[int, ...], tuple[int, ...]]  # level, upper ends of the intervals, where each leads
Point = Mapping[int, int]
_LEAF = 1 << 30  # below every level
_TERMINAL: Node = (_LEAF, (), ())


class Space:
    """Where diagrams over fields with the values 0 to `tops[level]` live."""

    def __init__(self, tops: Sequence[int]) -> None:
        self.tops = list(tops)
        self._nodes: list[Node] = [_TERMINAL, _TERMINAL]
        self._unique: dict[Node, int] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._either: dict[tuple[int, int], int] = {}
        self._minus: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def level(self, top: int = 1) -> int:
        """A new field, below all others."""
        self.tops.append(top)
        return len(self.tops) - 1

    def forget_operations(self) -> None:
        """Free the memory of what was computed; sets stay."""
        for memory in (self._both, self._either, self._minus):
            memory.clear()

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
        return self._node(level, bounds, kids)

    def _node(self, level: int, bounds: Sequence[int], kids: Sequence[int]) -> int:
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
            found = len(self._nodes)
            self._nodes.append(key)
            self._unique[key] = found
        return found

    # ---- combining them

    def both(self, *sets: Packets) -> Packets:
        """The packets in all of them."""
        found = 1
        for each in sorted(sets):
            found = self._intersect(found, each)
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

    def _intersect(self, one: int, other: int) -> int:
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
            found = self._both[one, other] = self._meet(one, other, self._intersect)
        return found

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
        level, bounds, kids = self._nodes[one]
        level_, bounds_, kids_ = self._nodes[other]
        if level < level_:
            return self._node(level, bounds, [operation(kid, other) for kid in kids])
        if level_ < level:
            return self._node(level_, bounds_, [operation(one, kid) for kid in kids_])
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
                    return self._node(level, ends, leads)
                at_ += 1
                at += end == end_

    # ---- fields taken out, fixed, exchanged

    def forget(self, one: Packets, levels: Iterable[int]) -> Packets:
        """The packets that differ from one of the set in these fields at most."""
        wanted = frozenset(levels)
        memory: dict[int, int] = {}
        deepest = max(wanted, default=-1)

        def walk(node: int) -> int:
            level, bounds, kids = self._nodes[node]
            if level > deepest:
                return node
            if node not in memory:
                inner = [walk(kid) for kid in kids]
                forgotten = level in wanted
                memory[node] = self.either(map(Packets, inner)) if forgotten else self._node(level, bounds, inner)
            return memory[node]

        return Packets(walk(one))

    def whatever(self, one: Packets, levels: Iterable[int]) -> Packets:
        """The packets that are in the set for every value of these fields."""
        return self.complement(self.forget(self.complement(one), levels))

    def fixed(self, one: Packets, level: int, value: int) -> Packets:
        """What the set is when the field has this value; the field is free in the result."""
        memory: dict[int, int] = {}

        def walk(node: int) -> int:
            at, bounds, kids = self._nodes[node]
            if at > level:
                return node
            if at == level:
                return kids[bisect_left(bounds, value)]
            if node not in memory:
                memory[node] = self._node(at, bounds, [walk(kid) for kid in kids])
            return memory[node]

        return Packets(walk(one))

    def assigned(self, one: Packets, level: int, value: int) -> Packets:
        """The set with the field made to be `value`."""
        return self.both(self.forget(one, (level,)), self.where(level, value))

    def renamed(self, one: Packets, levels: Mapping[int, int]) -> Packets:
        """The set with fields exchanged: what was asked of a level is asked of the one it maps to."""
        memory: dict[int, int] = {}

        def walk(node: int) -> int:
            level, bounds, kids = self._nodes[node]
            if level == _LEAF:
                return node
            if node not in memory:
                lows = (0, *(bound + 1 for bound in bounds[:-1]))
                by_kid: dict[int, list[tuple[int, int]]] = {}
                for low, high, kid in zip(lows, bounds, kids, strict=True):
                    by_kid.setdefault(kid, []).append((low, high))
                to = levels.get(level, level)
                parts = (self._intersect(self.cube({to: tuple(s)}), walk(kid)) for kid, s in by_kid.items() if kid)
                memory[node] = self.either(map(Packets, parts))
            return memory[node]

        return Packets(walk(one))

    # ---- looking into them

    def holds(self, one: Packets, point: Point) -> bool:
        """Whether the packet is in the set; a field it does not tell is 0."""
        node = int(one)
        while node > 1:
            level, bounds, kids = self._nodes[node]
            node = kids[bisect_left(bounds, point.get(level, 0))]
        return node == 1

    def at(self, one: Packets, point: Point) -> Packets:
        """What is left of the set when every field of the point is fixed: a set over the others."""
        memory: dict[int, int] = {}

        def walk(node: int) -> int:
            level, bounds, kids = self._nodes[node]
            if level == _LEAF:
                return node
            if level in point:
                return walk(kids[bisect_left(bounds, point[level])])
            if node not in memory:
                memory[node] = self._node(level, bounds, [walk(kid) for kid in kids])
            return memory[node]

        return Packets(walk(one))

    def support(self, one: Packets) -> frozenset[int]:
        """The levels that the set asks for."""
        seen: set[int] = set()
        found: set[int] = set()
        waiting = [int(one)]
        while waiting:
            node = waiting.pop()
            if node > 1 and node not in seen:
                seen.add(node)
                found.add(self._nodes[node][0])
                waiting.extend(self._nodes[node][2])
        return frozenset(found)

    def edges(self, one: Packets, level: int) -> frozenset[int] | None:
        """The values of `level` with something below, when the set asks for it first; None when it does not."""
        at, bounds, kids = self._nodes[one]
        if at != level:
            return None
        lows = (0, *(bound + 1 for bound in bounds[:-1]))
        return frozenset(
            value for low, high, kid in zip(lows, bounds, kids, strict=True) if kid for value in range(low, high + 1)
        )

    def values(self, one: Packets, level: int) -> Span:
        """The values that the field has in the set."""
        others = [each for each in self.support(one) if each != level]
        only = self.forget(one, others)
        if only in (NOTHING, EVERYTHING):
            return ((0, self.tops[level]),) if only else ()
        _, bounds, kids = self._nodes[only]
        lows = (0, *(bound + 1 for bound in bounds[:-1]))
        return tuple((low, high) for low, high, kid in zip(lows, bounds, kids, strict=True) if kid)

    def boxes(self, one: Packets) -> Iterator[dict[int, Span]]:
        """The set as disjoint boxes: the fields each narrows, with the values left."""
        if one == NOTHING:
            return
        level, bounds, kids = self._nodes[one]
        if level == _LEAF:
            yield {}
            return
        lows = (0, *(bound + 1 for bound in bounds[:-1]))
        by_kid: dict[int, list[tuple[int, int]]] = {}
        for low, high, kid in zip(lows, bounds, kids, strict=True):
            if kid:
                by_kid.setdefault(kid, []).append((low, high))
        for kid, intervals in by_kid.items():
            for box in self.boxes(Packets(kid)):
                yield {level: tuple(intervals), **box}

    def pick(self, one: Packets, liked: Mapping[int, Sequence[int]]) -> dict[int, int]:
        """One packet of the set, its fields as `liked` where that can be; ValueError when there is none.

        Fields that the set does not ask for are not told.
        """
        if one == NOTHING:
            raise ValueError("an empty set has no packet")
        found: dict[int, int] = {}
        node = int(one)
        while node > 1:
            level, bounds, kids = self._nodes[node]
            lows = (0, *(bound + 1 for bound in bounds[:-1]))
            first = next(low for low, kid in zip(lows, kids, strict=True) if kid)
            wanted = (value for value in liked.get(level, ()) if kids[bisect_left(bounds, value)])
            found[level] = next(wanted, first)
            node = kids[bisect_left(bounds, found[level])]
        return found


def outside(values: Span, top: int) -> Span:
    """The values of 0 to `top` that are not among these."""
    return subtract(((0, top),), values)
