"""The reader of nft's JSON: rules spelled differently mean the same, and what it cannot read it names.

recorded/nft_rules.json holds what nft 1.0.6 listed (`nft -j list ruleset`) after loading the text that is its key.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fixtures.ruleset.box import Region, minus
from fixtures.ruleset.hook import Hook, Meaning, read
from specs.semantics.span import intersect, span, subtract, union

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded/nft_rules.json").read_text())
INTERFACES = ("lo", "eth0")


def meaning(rules: list[dict[str, Any]]) -> Meaning:
    return read([*RECORDED["base"], *rules], INTERFACES, family="inet", table="pluto")


def chain(found: Meaning) -> Hook:
    hook = found.hook("input")
    assert hook is not None
    assert found.unknown == ()
    return hook


def accepted(found: Meaning) -> Region:
    hook = chain(found)
    return tuple(
        box for place, each in enumerate(hook.entries) if each.action == "accept" for box in hook.effect(place)
    )


@pytest.mark.parametrize("group", RECORDED["same"])
def test_spellings_mean_the_same(group: str) -> None:
    regions = {text: accepted(meaning(rules)) for text, rules in RECORDED["same"][group].items()}
    for (one, region), (other, region_) in pairwise(regions.items()):
        assert minus(region, region_) == (), f"{one} accepts more than {other}"
        assert minus(region_, region) == (), f"{one} accepts less than {other}"
    assert all(regions.values())


@pytest.mark.parametrize("group", RECORDED["same"])
def test_what_is_surely_accepted_is_what_is_accepted(group: str) -> None:
    for rules in RECORDED["same"][group].values():
        found = meaning(rules)
        assert minus(accepted(found), chain(found).surely("accept")) == ()


def test_groups_differ() -> None:
    firsts = [accepted(meaning(next(iter(group.values())))) for group in RECORDED["same"].values()]
    same = [
        1 for one in firsts for other in firsts if one is not other and not minus(one, other) and not minus(other, one)
    ]
    assert same == []


@pytest.mark.parametrize("text", RECORDED["unknown"])
def test_what_cannot_be_read_is_named(text: str) -> None:
    (told,) = meaning(RECORDED["unknown"][text]).unknown
    assert told.startswith("rule ")
    assert "of input" in told


def test_a_limited_accept_is_not_sure() -> None:
    rules = json.loads(json.dumps(RECORDED["same"]["a limited drop behind"]["tcp dport 22 accept"]))
    rules[0]["rule"]["expr"].insert(0, {"limit": {"rate": 1, "burst": 5, "per": "second"}})
    hook = chain(meaning(rules))
    assert hook.effect(0) != ()
    assert hook.surely("accept") == ()


def test_a_policy_of_accept_accepts_the_rest() -> None:
    base = json.loads(json.dumps(RECORDED["base"]).replace('"policy": "drop"', '"policy": "accept"'))
    found = read(base, INTERFACES, family="inet", table="pluto")
    hook = found.hook("input")
    assert hook is not None
    assert hook.entries[-1].action == "accept"
    assert hook.effect(0) == hook.entries[0].region


def test_an_interface_that_is_not_there_can_be_named_by_a_rule() -> None:
    rules = json.loads(json.dumps(RECORDED["same"]["interfaces"]['iifname "lo" accept']).replace('"lo"', '"tap*"'))
    words = [meaning(rules).universe.words(box) for box in accepted(meaning(rules))]
    assert words
    assert "(any other)" in words[0]


def test_spans() -> None:
    assert union([(5, 9), (1, 3), (4, 4)]) == ((1, 9),)
    assert intersect(((1, 5), (8, 9)), ((5, 8),)) == ((5, 5), (8, 8))
    assert subtract(((1, 9),), ((3, 4), (9, 12))) == ((1, 2), (5, 8))
    assert subtract(span(1, 2, 3), span(2)) == ((1, 1), (3, 3))
