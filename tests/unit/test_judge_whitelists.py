"""The judge of accept sets: every element is declared or recorded, and nobody who is so lacks."""

from dataclasses import replace
from datetime import datetime

import pytest

from fixtures.judge.ruleset import rulesets
from fixtures.observe.evidence import Evidence
from fixtures.observe.whitelist import Resolution
from fixtures.verdict import Outcome, against
from tests.unit.ideal import ESTATE, ideal, node_named
from tests.unit.ideal_ruleset import IIF, match, payload, rule
from tests.unit.test_judge_rulesets import first, judged


def resolved(*, addresses: tuple[str, ...], before: tuple[str, ...] = (), ago: float = 60.0) -> Evidence:
    """The ideal, with another record of the one name; its sets hold the visitor and the laptop, 203.0.113.1 and .3."""
    seen = ideal()
    since = datetime.fromisoformat(seen.taken).timestamp() - ago
    found = Resolution(name="steward.example", addresses=addresses, before=before, since=since)
    return replace(seen, resolutions=(found,))


RECORDS: dict[str, tuple[Evidence, set[str]]] = {
    "as it is": (resolved(addresses=("203.0.113.3",)), set()),
    "another": (resolved(addresses=("203.0.113.9",)), {"203.0.113.9", "203.0.113.3"}),
    "another since a moment": (resolved(addresses=("203.0.113.9",), before=("203.0.113.3",), ago=5.0), set()),
    "another since tomorrow": (
        resolved(addresses=("203.0.113.9",), before=("203.0.113.3",), ago=-86400.0),
        {"203.0.113.9", "203.0.113.3"},
    ),
    "another, and it was never this one": (resolved(addresses=("203.0.113.9",), ago=5.0), {"203.0.113.3"}),
    "inside": (resolved(addresses=("203.0.113.3", "192.168.1.3")), set()),
    "none": (replace(ideal(), resolutions=()), {"203.0.113.3"}),
    "of a name that nobody declared": (
        replace(ideal(), resolutions=(replace(ideal().resolutions[0], name="sly.example"),)),
        {"203.0.113.3"},
    ),
}


@pytest.mark.parametrize("what", RECORDS)
@pytest.mark.parametrize("node", ["host", "reverse-proxy-edge"])
def test_whitelist_is_judged_by_the_record(node: str, what: str) -> None:
    """Who is in the set is recorded, and who is recorded is in it; a change has a few seconds to be followed."""
    evidence, named = RECORDS[what]
    told = against(rulesets(evidence, ESTATE, node_named(node)))
    said = {verdict.seen.split("element ")[1].split(" ")[0] for verdict in told if "element" in verdict.seen}
    assert said == named
    assert bool(told) == bool(named)


def test_a_rule_that_puts_who_asks_on_the_whitelist_is_unproven_and_named() -> None:
    source = payload("ip", "saddr")
    knock = {"set": {"op": "add", "elem": source, "set": "@whitelist-players", "stmt": [
        {"limit": {"rate": 1, "per": "second", "inv": True}}]}}  # fmt: skip
    told = judged("host", first(rule("forward", match(IIF, "eth0"), knock, {"drop": None})))
    assert {verdict.outcome for verdict in told} == {Outcome.UNPROVEN}
    assert any("@whitelist-players" in verdict.seen for verdict in told)
