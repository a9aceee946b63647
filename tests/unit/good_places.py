"""The places of the small declaration in good/, with its rulesets as nft lists them, and ways to spoil one.

recorded/good-listings.json is what nft 1.0.6 tells of the rendered texts; tests/lifecycle/test_why.py holds it to that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from provision.places import Places
from specs.load import load
from specs.semantics.declared import places
from specs.semantics.place import Place

FOLDER = Path(__file__).parent / "good"
ESTATE = load(FOLDER)
LISTINGS: Mapping[str, tuple[dict[str, Any], ...]] = {
    node: tuple(objects)
    for node, objects in json.loads((Path(__file__).parent / "recorded/good-listings.json").read_text()).items()
}
PLACES: Places = {place.name: place for place in places(ESTATE, LISTINGS)}


def with_rule(node: str, chain: str, *expressions: dict[str, Any]) -> Places:
    """A rule put first into a chain of one node."""
    own = {"family": "inet", "table": "pluto", "chain": chain, "handle": 999, "expr": list(expressions)}
    listing = PLACES[node].listing
    first = next(at for at, each in enumerate(listing) if "rule" in each)
    return _changed(replace(PLACES[node], listing=(*listing[:first], {"rule": own}, *listing[first:])))


def without_flow(node: str, flow: str) -> Places:
    """The rules that bear a flow's name, taken out of one node."""
    kept = tuple(each for each in PLACES[node].listing if each.get("rule", {}).get("comment") != flow)
    return _changed(replace(PLACES[node], listing=kept))


def _changed(place: Place) -> Places:
    return {**PLACES, place.name: place}


def port(number: int) -> dict[str, Any]:
    left = {"payload": {"protocol": "tcp", "field": "dport"}}
    return {"match": {"op": "==", "left": left, "right": number}}


ACCEPT: dict[str, Any] = {"accept": None}
