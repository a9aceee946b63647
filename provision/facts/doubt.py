"""Which rules nft's listing tells wrongly: load it back into a namespace of its own, and compare what the kernel holds.

nft 1.0.6 leaves out what it takes for implied: `meta l4proto 255 th sport 1024 drop` is listed as `th sport 1024 drop`.
Rules are compared expression by expression, as netlink dumps them, and sets by their elements.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provision.errors import CommandError
from provision.facts import ruleset
from provision.facts.ruleset import Held
from provision.kernel import in_new
from provision.netlink import NETLINK_NETFILTER, Socket
from provision.run import run

LOAD = ("nft", "--json", "--file", "-")
LOAD_SECONDS = 30.0
_INDEXED = ("iif", "oif")  # compared with an interface's index, which nft tells as its name


def doubted(objects: Iterable[Mapping[str, Any]], held: Held, interfaces: Mapping[str, int]) -> frozenset[int]:
    """The handles of the rules that do not come back as they are held; of all, where the listing does not load.

    `interfaces` are those of the namespace that was listed, by name: the other one has none of them.
    """
    text = json.dumps({"nftables": [_by_index(each, interfaces) for each in objects]})
    try:
        back = in_new(lambda: _loaded(text))
    except CommandError:
        return frozenset(handle for rules in held.rules.values() for handle, _ in rules)
    return frozenset(_differing(held, back))


def _loaded(text: str) -> Held:
    run(LOAD, stdin=text, timeout=LOAD_SECONDS)
    opened = Socket(NETLINK_NETFILTER)
    try:
        return ruleset.hold(opened)
    finally:
        opened.close()


def _differing(held: Held, back: Held) -> Iterator[int]:
    for chain, rules in held.rules.items():
        again = [body for _, body in back.rules.get(chain, ())]
        table = chain[:2]
        same_sets = held.sets.get(table) == back.sets.get(table)
        for place, (handle, body) in enumerate(rules):
            if not same_sets or len(again) != len(rules) or again[place] != body:
                yield handle


def _by_index(listed: Any, interfaces: Mapping[str, int]) -> Any:  # noqa: ANN401 (JSON)
    """The same, with indexes where the kernel has indexes."""
    match listed:
        case {"left": {"meta": {"key": key}}, "right": right} if key in _INDEXED:
            return {**listed, "right": _numbers(right, interfaces)}
        case {"key": {"meta": {"key": key}}, "data": data} if key in _INDEXED:
            return {**listed, "data": _numbers(data, interfaces)}
        case {"type": "iface_index", "elem": elements}:
            return {**listed, "elem": _numbers(elements, interfaces)}
        case dict():
            return {name: _by_index(inner, interfaces) for name, inner in listed.items()}
        case list():
            return [_by_index(inner, interfaces) for inner in listed]
    return listed


def _numbers(listed: Any, interfaces: Mapping[str, int]) -> Any:  # noqa: ANN401
    match listed:
        case str():
            return interfaces.get(listed, listed)
        case list():
            return [_numbers(inner, interfaces) for inner in listed]
        case dict():
            return {name: _numbers(inner, interfaces) for name, inner in listed.items()}
    return listed
