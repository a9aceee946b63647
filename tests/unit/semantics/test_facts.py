"""What a live kernel was seen to do (facts/*.yaml, *.json), and what the semantics says of the same packets.

How a case is made and recorded again: fixtures/fuzz/case.py. The kernel is asked anew by tests/semantics.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.fuzz import case
from fixtures.fuzz.model import WHOLE, reading, steps

FACTS = case.cases(Path(__file__).parent / "facts")


@pytest.mark.parametrize("name", FACTS)
def test_semantics_says_what_the_kernel_did(name: str) -> None:
    told, recorded = case.load(FACTS[name]), case.recorded(FACTS[name])
    understood = reading(recorded)
    for packet, unread in zip(told.packets, told.unread, strict=True):
        taken = steps(understood, packet, recorded.fates[packet.tag])
        assert [step for step in taken if step.differs] == []
        assert any(step.model == "unknown" and step.hook != WHOLE for step in taken) == unread, packet.written()


@pytest.mark.parametrize("name", FACTS)
def test_record_is_of_this_case(name: str) -> None:
    told, recorded = case.load(FACTS[name]), case.recorded(FACTS[name])
    assert case.outcomes(recorded, told.packets) == told.expected, (
        "record it again: python -m fixtures.fuzz --record tests/unit/semantics/facts"
    )
