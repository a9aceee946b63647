"""Sets of packets as interval decision diagrams: exact, canonical, shared.

A node asks for one field and has an edge for each interval of its values; equal nodes are one node, neighbouring
edges never lead to the same node, and a node with a single edge is left out (Strehl & Thiele 1998; the firewall
decision diagrams of Gouda & Liu 2004 are the same). So two sets are equal when their numbers are. A diagram over
bits asks some 150 questions of a packet, this one at most sixteen, whatever the addresses' width: that is what
makes plain Python fast enough (docs/decisions/025).

    Space ── the nodes (specs.semantics.algebra); sets of one Space alone can be combined
    oracles ── levels beyond the fields, of two values: what an unreadable match or a rate would have said
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from specs.semantics.algebra import EVERYTHING, LEAF, NOTHING, Algebra, Packets
from specs.semantics.span import Span

__all__ = ["EVERYTHING", "NOTHING", "Packets", "Point", "Space", "outside"]

Point = Mapping[int, int]


class Space(Algebra):
    """Where diagrams over fields with the values 0 to `tops[level]` live."""

    def __init__(self, tops: Sequence[int]) -> None:
        super().__init__(tops)
        self._forgotten: dict[tuple[Packets, frozenset[int]], Packets] = {}
        self._fixed: dict[tuple[Packets, int, int], Packets] = {}

    # ---- fields taken out, fixed, exchanged

    def forget(self, one: Packets, levels: Iterable[int]) -> Packets:
        """The packets that differ from one of the set in these fields at most."""
        wanted = frozenset(levels)
        if (one, wanted) in self._forgotten:
            return self._forgotten[one, wanted]
        memory: dict[int, int] = {}
        deepest = max(wanted, default=-1)

        def walk(node: int) -> int:
            level, bounds, kids = self.nodes[node]
            if level > deepest:
                return node
            if node not in memory:
                inner = [walk(kid) for kid in kids]
                forgotten = level in wanted
                memory[node] = self.either(map(Packets, inner)) if forgotten else self.node(level, bounds, inner)
            return memory[node]

        found = self._forgotten[one, wanted] = Packets(walk(one))
        return found

    def whatever(self, one: Packets, levels: Iterable[int]) -> Packets:
        """The packets that are in the set for every value of these fields."""
        return self.complement(self.forget(self.complement(one), levels))

    def fixed(self, one: Packets, level: int, value: int) -> Packets:
        """What the set is when the field has this value; the field is free in the result."""
        if (one, level, value) in self._fixed:
            return self._fixed[one, level, value]
        memory: dict[int, int] = {}

        def walk(node: int) -> int:
            at, bounds, kids = self.nodes[node]
            if at > level:
                return node
            if at == level:
                return kids[bisect_left(bounds, value)]
            if node not in memory:
                memory[node] = self.node(at, bounds, [walk(kid) for kid in kids])
            return memory[node]

        found = self._fixed[one, level, value] = Packets(walk(one))
        return found

    def assigned(self, one: Packets, level: int, value: int) -> Packets:
        """The set with the field made to be `value`."""
        return self.both(self.forget(one, (level,)), self.where(level, value))

    def renamed(self, one: Packets, levels: Mapping[int, int]) -> Packets:
        """The set with fields exchanged: what was asked of a level is asked of the one it maps to."""
        memory: dict[int, int] = {}

        def walk(node: int) -> int:
            level, bounds, kids = self.nodes[node]
            if level == LEAF:
                return node
            if node not in memory:
                lows = (0, *(bound + 1 for bound in bounds[:-1]))
                by_kid: dict[int, list[tuple[int, int]]] = {}
                for low, high, kid in zip(lows, bounds, kids, strict=True):
                    by_kid.setdefault(kid, []).append((low, high))
                to = levels.get(level, level)
                parts = (self.intersect(self.cube({to: tuple(s)}), walk(kid)) for kid, s in by_kid.items() if kid)
                memory[node] = self.either(map(Packets, parts))
            return memory[node]

        return Packets(walk(one))

    # ---- looking into them

    def holds(self, one: Packets, point: Point) -> bool:
        """Whether the packet is in the set; a field it does not tell is 0."""
        node = int(one)
        while node > 1:
            level, bounds, kids = self.nodes[node]
            node = kids[bisect_left(bounds, point.get(level, 0))]
        return node == 1

    def at(self, one: Packets, point: Point) -> Packets:
        """What is left of the set when every field of the point is fixed: a set over the others."""
        memory: dict[int, int] = {}

        def walk(node: int) -> int:
            level, bounds, kids = self.nodes[node]
            if level == LEAF:
                return node
            if level in point:
                return walk(kids[bisect_left(bounds, point[level])])
            if node not in memory:
                memory[node] = self.node(level, bounds, [walk(kid) for kid in kids])
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
                found.add(self.nodes[node][0])
                waiting.extend(self.nodes[node][2])
        return frozenset(found)

    def edges(self, one: Packets, level: int) -> frozenset[int] | None:
        """The values of `level` with something below, when the set asks for it first; None when it does not."""
        at, bounds, kids = self.nodes[one]
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
        _, bounds, kids = self.nodes[only]
        lows = (0, *(bound + 1 for bound in bounds[:-1]))
        return tuple((low, high) for low, high, kid in zip(lows, bounds, kids, strict=True) if kid)

    def boxes(self, one: Packets) -> Iterator[dict[int, Span]]:
        """The set as disjoint boxes: the fields each narrows, with the values left."""
        if one == NOTHING:
            return
        level, bounds, kids = self.nodes[one]
        if level == LEAF:
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
            level, bounds, kids = self.nodes[node]
            lows = (0, *(bound + 1 for bound in bounds[:-1]))
            first = next(low for low, kid in zip(lows, kids, strict=True) if kid)
            wanted = (value for value in liked.get(level, ()) if kids[bisect_left(bounds, value)])
            found[level] = next(wanted, first)
            node = kids[bisect_left(bounds, found[level])]
        return found


def outside(values: Span, top: int) -> Span:
    """The values of 0 to `top` that are not among these."""
    found = []
    at = 0
    for low, high in values:
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    return (*found, (at, top)) if at <= top else tuple(found)
