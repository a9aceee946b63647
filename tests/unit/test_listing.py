"""Listings: what stands still of them, what nft cannot tell, and what is then believed of it."""

from dataclasses import replace

from provision import places
from provision.facts import listing
from provision.facts.doubt import _by_index, _differing
from provision.facts.listing import Listing
from provision.facts.ruleset import Held
from provision.proof import refusal
from tests.unit.good_places import ESTATE, LISTINGS, PLACES

CHAIN = (1, "pluto", "input")
IIF = {"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "eth0"}}


def test_counts_are_left_out() -> None:
    text = (
        '{"nftables": [{"rule": {"expr": [{"counter": {"packets": 7, "bytes": 9}}, {"drop": null}]}}, {"table": {}}]}'
    )
    assert listing.parse(text) == ({"rule": {"expr": [{"counter": None}, {"drop": None}]}}, {"table": {}})


def test_sets_that_fill() -> None:
    """Then the listing of what was compiled is not that of what runs."""
    for flags, fills in ((["timeout"], True), ("dynamic", True), (["interval"], False)):
        assert Listing(objects=({"set": {"name": "s", "flags": flags}},)).fills is fills
    assert not Listing(objects=({"set": {"name": "s"}}, {"table": {"flags": "dormant"}})).fills


def test_rules_that_do_not_come_back() -> None:
    """One of other expressions; all of a chain that has another number of them; all of a table whose sets differ."""
    held = Held(rules={CHAIN: ((4, b"a"), (5, b"b"))}, sets={(1, "pluto"): {"s": (b"1",)}})
    assert set(_differing(held, held)) == set()
    other = replace(held, rules={CHAIN: ((1, b"a"), (2, b"c"))})
    assert set(_differing(held, other)) == {5}
    assert set(_differing(held, replace(held, rules={CHAIN: ((1, b"a"),)}))) == {4, 5}
    assert set(_differing(held, replace(held, sets={}))) == {4, 5}


def test_interfaces_by_their_index() -> None:
    """Where the kernel compares an index, the other namespace has none of that name; names stay names."""
    assert _by_index(IIF, {"eth0": 7})["match"]["right"] == 7
    named = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}
    assert _by_index(named, {"eth0": 7}) == named
    both = {**IIF["match"], "right": {"set": ["eth0", "lo"]}}
    assert _by_index(both, {"eth0": 7, "lo": 1})["right"] == {"set": [7, 1]}


def test_what_is_not_listed_is_refused() -> None:
    """A ruleset that nft does not list may do anything."""
    listings = {node: Listing(objects=objects) for node, objects in LISTINGS.items()}
    assert places.declared(ESTATE, listings) == PLACES
    silent = {**listings, "page": Listing(objects=(), why_not="nft --json list ruleset: exit -6")}
    said = refusal(ESTATE, places.declared(ESTATE, silent))
    assert "nobody can tell what the ruleset of page does: nft --json list ruleset: exit -6" in said


def test_a_doubted_rule_is_refused() -> None:
    """Its matches may be others than those listed: whether it accepts more nobody can tell."""
    accepting = next(
        each["rule"] for each in LISTINGS["page"] if each.get("rule", {}).get("comment") == "door -> page tcp/8080"
    )
    listings = {node: Listing(objects=objects) for node, objects in LISTINGS.items()}
    doubted = replace(listings["page"], doubted=frozenset({accepting["handle"]}))
    said = refusal(ESTATE, places.declared(ESTATE, {**listings, "page": doubted}))
    assert f"rule {accepting['handle']} of input" in said
