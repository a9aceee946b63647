"""A rule in nft's own words; tests/lifecycle/test_why.py holds them against what nft itself writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from specs.semantics import words

CASES = json.loads((Path(__file__).parent / "recorded/words.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["said"] for case in CASES])
def test_statement(case: dict[str, Any]) -> None:
    assert words.statement(case["listed"]) == case["said"]


def test_rule() -> None:
    assert words.rule(({"counter": None}, {"drop": None})) == "counter drop"
    assert words.rule(({"accept": None},), "a -> b tcp/1") == 'accept comment "a -> b tcp/1"'
