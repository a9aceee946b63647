"""Interval diagrams against sets that are written out, packet by packet."""

from collections.abc import Callable, Iterator
from itertools import product
from random import Random

import pytest

from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space

TOPS = (5, 3, 4)
POINTS = tuple(product(*(range(top + 1) for top in TOPS)))
Written = frozenset[tuple[int, ...]]


def drawn(space: Space, random: Random) -> tuple[Packets, Written]:
    """A union of some random boxes, both ways."""
    boxes = []
    for _ in range(random.randint(1, 4)):
        box = {}
        for level, top in enumerate(TOPS):
            low = random.randint(0, top)
            box[level] = ((low, random.randint(low, top)),)
        boxes.append(box)
    written = frozenset(
        point
        for point in POINTS
        if any(all(box[level][0][0] <= value <= box[level][0][1] for level, value in enumerate(point)) for box in boxes)
    )
    return space.either(space.cube(box) for box in boxes), written


def held(space: Space, packets: Packets) -> Written:
    return frozenset(point for point in POINTS if space.holds(packets, dict(enumerate(point))))


def cases() -> Iterator[tuple[Space, Packets, Written, Packets, Written]]:
    random = Random(5)
    for _ in range(60):
        space = Space(TOPS)
        yield space, *drawn(space, random), *drawn(space, random)


OPERATIONS: dict[str, tuple[Callable[[Space, Packets, Packets], Packets], Callable[[Written, Written], Written]]] = {
    "both": (lambda space, a, b: space.both(a, b), lambda a, b: a & b),
    "either": (lambda space, a, b: space.either([a, b]), lambda a, b: a | b),
    "minus": (lambda space, a, b: space.minus(a, b), lambda a, b: a - b),
    "complement": (lambda space, a, _: space.complement(a), lambda a, _: frozenset(POINTS) - a),
    "forget": (
        lambda space, a, _: space.forget(a, [1]),
        lambda a, _: frozenset((x, y, z) for x, y, z in POINTS if any((x, other, z) in a for other in range(4))),
    ),
    "whatever": (
        lambda space, a, _: space.whatever(a, [0]),
        lambda a, _: frozenset((x, y, z) for x, y, z in POINTS if all((other, y, z) in a for other in range(6))),
    ),
    "fixed": (
        lambda space, a, _: space.fixed(a, 1, 2),
        lambda a, _: frozenset((x, y, z) for x, y, z in POINTS if (x, 2, z) in a),
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name: str) -> None:
    operation, meant = OPERATIONS[name]
    for space, one, written, other, written_ in cases():
        assert held(space, operation(space, one, other)) == meant(written, written_)


def test_equal_sets_are_one_number() -> None:
    for space, one, written, other, written_ in cases():
        assert (one == other) == (written == written_)
        assert space.minus(one, space.minus(one, other)) == space.both(one, other)


def test_renamed_exchanges_fields() -> None:
    space, random = Space((5, 3, 5)), Random(7)
    for _ in range(40):
        one, _ = drawn(Space(TOPS), random), 0
        found = space.either(space.cube({0: ((x, x),), 2: ((z, z),)}) for x, _, z in one[1])
        turned = space.renamed(found, {0: 2, 2: 0})
        assert space.renamed(turned, {0: 2, 2: 0}) == found
        assert all(space.holds(turned, {0: z, 1: y, 2: x}) for x, y, z in one[1])


def test_boxes_are_disjoint_and_whole() -> None:
    for space, one, _, _, _ in cases():
        boxes = [space.cube(box) for box in space.boxes(one)]
        assert space.either(boxes) == one
        assert all(space.both(a, b) == NOTHING for a in boxes for b in boxes if a != b)


def test_pick_likes_what_it_is_told() -> None:
    for space, one, written, _, _ in cases():
        if written:
            picked = space.pick(one, {0: (4, 3)})
            assert space.holds(one, picked)
            assert space.fixed(one, 0, 4) == NOTHING or picked.get(0, 4) == 4
    with pytest.raises(ValueError, match="empty"):
        Space(TOPS).pick(NOTHING, {})


def test_nothing_and_everything() -> None:
    space = Space(TOPS)
    assert space.either([]) == NOTHING
    assert space.cube({}) == EVERYTHING
    assert space.cube({1: ((0, 3),)}) == EVERYTHING
