"""nft's listing -> tables, chains, rules, sets (libnftables-json(5)), of all families; nothing is left out.

What this reader has no place for is in `strange`, by name: who judges by the listing cannot say that it means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Objects that only count, or that rules refer to by name: they neither accept nor drop by themselves.
HARMLESS = {"metainfo", "counter", "limit", "quota"}
Listed = Mapping[str, Any]
Key = tuple[str, str]  # a table: family, name


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A chain; one without a hook is entered by a jump alone."""

    family: str
    table: str
    name: str
    kind: str  # filter, nat, route; empty without a hook
    hook: str
    priority: int
    policy: str

    def __str__(self) -> str:
        return f"chain {self.family} {self.table} {self.name}"

    @property
    def key(self) -> Key:
        return (self.family, self.table)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A rule as listed: its statements in order."""

    family: str
    table: str
    chain: str
    handle: int
    expressions: tuple[Listed, ...]
    comment: str

    def __str__(self) -> str:
        said = f" ({self.comment})" if self.comment else ""
        return f"rule {self.handle} of {self.chain}{said}"


@dataclass(frozen=True, kw_only=True)
class Dynamic:
    """A set that fills at run time (nft 1.0.6 lists its flag `timeout`, not `dynamic`)."""

    kind: str  # its elements' type
    size: int  # 0: no bound
    seconds: int  # an element's life; 0: for good
    elements: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Listing:
    tables: tuple[Key, ...]
    chains: tuple[Chain, ...]
    rules: tuple[Statement, ...]  # of all chains, in order
    sets: Mapping[Key, Mapping[str, tuple[Any, ...]]]  # table -> name -> elements, maps too
    dynamic: Mapping[Key, Mapping[str, Dynamic]]  # of these, those that fill at run time
    emptied: frozenset[str]  # sets that some rule deletes elements from
    flagged: frozenset[Key]  # tables with flags, which nft 1.0.6 lists as garbage: they may be dormant
    strange: tuple[str, ...]

    def of(self, chain: str, key: Key) -> tuple[Statement, ...]:
        return tuple(rule for rule in self.rules if rule.chain == chain and (rule.family, rule.table) == key)


def parse(objects: Iterable[Listed]) -> Listing:
    """The whole listing."""
    found: dict[str, list[Any]] = {"table": [], "chain": [], "rule": [], "set": [], "map": [], "strange": []}
    for each in objects:
        for kind, value in each.items():
            if kind not in HARMLESS:
                found.get(kind, found["strange"]).append(value if kind in found else (kind, value))
    sets = [*found["set"], *found["map"]]
    written = set(_written(found["rule"]))
    return Listing(
        tables=tuple((entry["family"], entry["name"]) for entry in found["table"]),
        chains=tuple(_chain(entry) for entry in found["chain"]),
        rules=tuple(_rule(entry) for entry in found["rule"]),
        sets=_by_table((entry, tuple(entry.get("elem", ()))) for entry in sets),
        dynamic=_by_table((entry, _dynamic(entry)) for entry in sets if _fills(entry, written)),
        emptied=frozenset(name for rule in found["rule"] for op, name in _writes(rule) if op == "delete"),
        flagged=frozenset((entry["family"], entry["name"]) for entry in found["table"] if entry.get("flags")),
        strange=tuple(f"{kind} {value.get('table', '')} {value.get('name', '')}" for kind, value in found["strange"]),
    )


def _by_table(entries: Iterable[tuple[Listed, Any]]) -> dict[Key, dict[str, Any]]:
    found: dict[Key, dict[str, Any]] = {}
    for entry, value in entries:
        found.setdefault((entry["family"], entry["table"]), {})[entry["name"]] = value
    return found


def _fills(entry: Listed, written: set[tuple[str, str, str]]) -> bool:
    """Whether packets or time change it: nft lists its timeout, the rest is told by the rules that write it."""
    flags = entry.get("flags", ())
    named = {flags} if isinstance(flags, str) else set(flags)
    return bool({"timeout", "dynamic"} & named) or (entry["family"], entry["table"], entry["name"]) in written


def _written(rules: Iterable[Listed]) -> Iterable[tuple[str, str, str]]:
    return ((rule["family"], rule["table"], name) for rule in rules for _, name in _writes(rule))


def _writes(rule: Listed) -> Iterable[tuple[str, str]]:
    """What a rule does to which sets: add, update, delete."""
    for statement in rule.get("expr", ()):
        for kind in {"set", "map"} & statement.keys():
            yield statement[kind].get("op", ""), str(statement[kind].get(kind, "")).lstrip("@")


def _dynamic(entry: Listed) -> Dynamic:
    return Dynamic(
        kind=str(entry["type"]),
        size=entry.get("size", 0),
        seconds=entry.get("timeout", 0),
        elements=tuple(entry.get("elem", ())),
    )


def _chain(entry: Listed) -> Chain:
    return Chain(
        family=entry["family"],
        table=entry["table"],
        name=entry["name"],
        kind=entry.get("type", ""),
        hook=entry.get("hook", ""),
        priority=entry.get("prio", 0),
        policy=entry.get("policy", "accept"),
    )


def _rule(entry: Listed) -> Statement:
    return Statement(
        family=entry["family"],
        table=entry["table"],
        chain=entry["chain"],
        handle=entry.get("handle", 0),
        expressions=tuple(entry.get("expr", ())),
        comment=entry.get("comment", ""),
    )
