"""Sixteen holes, each planted alone in a scratch estate: the attack finds each where it is, and nowhere else.

A cell is `from to result`; the kinds are those that found it (all that did, where a test names them).
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fixtures.judge import apart
from fixtures.judge.pair import off, traffic
from fixtures.probe.attack import attack
from fixtures.probe.matrix import Matrix
from fixtures.sabotage import HOLES, Hole
from fixtures.scratch import Scratch
from specs.model import Estate
from tests.sabotage.cells import EXPECTED, NAMED, Cell


@dataclass(frozen=True, kw_only=True)
class Seen:
    cells: frozenset[Cell]
    kinds: frozenset[str]


def seen(estate: Estate, matrix: Matrix) -> Seen:
    found = traffic(estate, matrix)
    broken = [
        (one, other, finding.result, cell.kind)
        for (one, other), cells in found.cells.items()
        for cell in cells
        for _, finding in off(found, cell)
    ]
    broken += [(each.sender, each.target, each.result, each.kind) for each in matrix.reaches if apart.off(each)]
    assert not [twin for twin in matrix.twins if not twin.seen]
    return Seen(
        cells=frozenset((one, other, result.value) for one, other, result, _ in broken),
        kinds=frozenset(kind for *_, kind in broken),
    )


def test_as_declared_nothing_is_found(live: Scratch) -> None:
    assert seen(live.estate, attack(live.estate, live.instance)) == Seen(cells=frozenset(), kinds=frozenset())


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_hole(live: Scratch, hole: Hole) -> None:
    with hole.planted(live):
        found = seen(live.estate, attack(live.estate, live.instance))
    expected = EXPECTED[hole.name](live.estate)
    assert sorted(found.cells) == sorted(expected)
    if hole.name in NAMED:
        assert found.kinds == NAMED[hole.name]


def test_every_hole_is_expected_somewhere() -> None:
    assert set(EXPECTED) == {hole.name for hole in HOLES}
    assert len(HOLES) >= 16
