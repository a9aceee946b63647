"""The catalogue's own controls: every kind has its effect where everything is allowed, or its darkness says nothing."""

from fixtures.probe.kinds import KINDS
from fixtures.probe.matrix import Matrix


def test_every_kind_had_its_effect(matrix: Matrix) -> None:
    told = [f"{twin.kind} was to be {twin.effect}: {twin.why}" for twin in matrix.twins if not twin.seen]
    assert not told
    assert {twin.kind for twin in matrix.twins} == set(KINDS)
    assert {cell.kind for cell in matrix.cells} == set(KINDS)


def test_nothing_was_lost(matrix: Matrix) -> None:
    assert [loss for loss in matrix.losses if not loss.repaired] == []
