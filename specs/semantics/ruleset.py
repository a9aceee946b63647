"""A namespace's ruleset -> what it does at each hook (linux/netfilter_ipv4.h, nf_tables_core.c, nf_nat_core.c).

    hook ── stages in order: filter chains by priority, translation where the kernel has it
    stage ── what it accepts, what it drops, what it translates: sets of packets

Base chains of one hook are walked by priority, a drop ends it, an accept ends its own chain alone. Translation happens
at -100 (destination) and 100 (source) whatever priority the nat chains bear, which orders them among themselves only.
Before -200 conntrack has not seen the packet: its state there is invalid (nft_ct_get_eval).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from specs.semantics.diagram import EVERYTHING, NOTHING, Packets, Space
from specs.semantics.expression import Reader
from specs.semantics.field import FAMILIES, INVALID, NONE, TOPS, Field
from specs.semantics.listing import Chain, Key, Listing, parse
from specs.semantics.oracle import Moment, Oracles
from specs.semantics.packet import Packet
from specs.semantics.rule import Compiler, Kind, Rule
from specs.semantics.stage import CONNTRACK, NAT_AT, Effects, Ruleset, Stage

__all__ = ["CONNTRACK", "NAT_AT", "SEES", "Decision", "Effects", "Ruleset", "Stage", "decide", "decider", "read"]

HOOKS = ("prerouting", "input", "forward", "output", "postrouting")
SEES = {"ip": ("ip",), "ip6": ("ip6",), "inet": FAMILIES}
NO_INTERFACE = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    verdict: str  # accept, drop, unknown
    rule: str  # what decided, or is to blame


def read(
    objects: Iterable[Mapping[str, Any]],
    interfaces: Mapping[str, int],
    *,
    space: Space | None = None,
    oracles: Oracles | None = None,
    where: str = "",
    doubted: Iterable[int] = (),
) -> Ruleset:
    """The ruleset of a namespace with these interfaces (name -> index), as `nft -j list ruleset` told it.

    `doubted` are handles of rules that the listing is known to tell wrongly. Sets of one Space can be combined.
    """
    space = space or Space([TOPS[each] for each in Field])
    oracles = oracles or Oracles(space=space)
    return _Reading(
        listing=parse(objects),
        space=space,
        oracles=oracles,
        interfaces=(NO_INTERFACE, *sorted(interfaces)),
        indexes={index: name for name, index in interfaces.items()},
        where=where,
        doubted=frozenset(doubted),
    ).ruleset()


def decide(ruleset: Ruleset, hook: str, packet: Packet, *, translated: Packet | None = None) -> Decision:
    """What becomes of a packet at a hook, its connection's state taken as told.

    `translated` is the packet as the chains behind the hook's NAT see it, where that changed it.
    """
    before = packet.point(ruleset.interfaces)
    behind = before if translated is None else translated.point(ruleset.interfaces)
    space, point = ruleset.space, before
    for stage in ruleset.stages.get(hook, ()):
        point = behind if hook in NAT_AT and stage.priority > NAT_AT[hook] else before
        seen = {**point, Field.STATE: INVALID, Field.DIRECTION: NONE} if _early(hook, stage) else point
        left = space.at(stage.passed, seen)
        name = _decider(ruleset, stage, seen)
        if left == NOTHING:
            return Decision(verdict="drop", rule=name)
        if left != EVERYTHING:
            told = [ruleset.oracles.named[level][0] for level in sorted(space.support(left))]
            return Decision(verdict="unknown", rule="; ".join(told) or name)
    return Decision(verdict="accept", rule=_last(ruleset, hook, point))


def _last(ruleset: Ruleset, hook: str, point: Mapping[int, int]) -> str:
    """The rule that accepted: of the last filter chain, as each must."""
    filters = [stage for stage in ruleset.stages.get(hook, ()) if not stage.translates]
    return _decider(ruleset, filters[-1], point) if filters else f"no chain at {hook}"


def _early(hook: str, stage: Stage) -> bool:
    return hook in ("prerouting", "output") and stage.priority < CONNTRACK


def decider(ruleset: Ruleset, hook: str, point: Mapping[int, int]) -> str:
    """The rule that drops a packet at a hook, or the last one that accepts it."""
    for stage in ruleset.stages.get(hook, ()):
        if not stage.translates and ruleset.space.at(stage.passed, point) == NOTHING:
            return _decider(ruleset, stage, point)
    return _last(ruleset, hook, point)


def _decider(ruleset: Ruleset, stage: Stage, point: Mapping[int, int]) -> str:
    """The first rule whose verdict the packet meets, jumps followed; the policy when there is none."""
    chain = stage.chain
    if FAMILIES[point[Field.FAMILY]] not in SEES.get(chain.family, ()):
        return f"{chain} does not see it"
    found, _ = _followed(ruleset, chain.key, chain.name, point)
    return found or f"policy {chain.policy} of {chain.name}"


def _followed(ruleset: Ruleset, key: Key, chain: str, point: Mapping[int, int]) -> tuple[str, bool]:
    """The rule that decides in a chain, and whether the walk ends there ("" and False: goes on with the caller)."""
    for rule in ruleset.rules.get((key, chain), ()):
        for packets, verdict in rule.branches:
            if ruleset.space.at(packets, point) != EVERYTHING:
                continue
            if verdict.kind in (Kind.ACCEPT, Kind.DROP, Kind.NAT):
                return str(rule), True
            if verdict.kind is Kind.RETURN:
                return "", False
            found, ended = _followed(ruleset, key, verdict.target, point)
            if ended or verdict.kind is Kind.GOTO:
                return found, ended
    return "", False


@dataclass(kw_only=True)
class _Reading:
    listing: Listing
    space: Space
    oracles: Oracles
    interfaces: tuple[str, ...]
    indexes: Mapping[int, str]
    where: str
    doubted: frozenset[int]
    unknown: list[str] = field(default_factory=list)
    wild: list[str] = field(default_factory=list)
    rules: dict[tuple[Key, str], tuple[Rule, ...]] = field(default_factory=dict)
    effects: dict[tuple[Key, str], Effects] = field(default_factory=dict)

    def ruleset(self) -> Ruleset:
        for key in self.listing.tables:
            if key[0] in SEES:
                self._compile(key)
        stages: dict[str, list[Stage]] = {}
        for chain in self.listing.chains:
            if chain.hook in HOOKS and chain.family in SEES:
                stages.setdefault(chain.hook, []).append(self._stage(chain))
        for chain in _implied(self.listing.chains):
            stages.setdefault(chain.hook, []).append(self._stage(chain))
        self.wild += [f"{each} in {self.where}" for each in self.listing.strange]
        return Ruleset(
            space=self.space,
            oracles=self.oracles,
            interfaces=self.interfaces,
            stages={hook: tuple(sorted(found, key=_order)) for hook, found in stages.items()},
            rules=self.rules,
            tracked=self._tracked(),
            unknown=tuple(self.unknown),
            wild=tuple(self.wild),
            gates=tuple(f"{chain} in {self.where}" for chain in self.listing.chains if _is_gate(chain)),
        )

    def _compile(self, key: Key) -> None:
        compiler = Compiler(
            reader=Reader(
                space=self.space,
                interfaces=self.interfaces,
                indexes=self.indexes,
                sets=self.listing.sets.get(key, {}),
                family=key[0],
            ),
            oracles=self.oracles,
            dynamic=self.listing.dynamic.get(key, {}),
            emptied=self.listing.emptied,
            where=self.where,
            unknown=self.unknown,
            wild=self.wild,
        )
        of_table = (rule for rule in self.listing.rules if (rule.family, rule.table) == key)
        for chain, rules in groupby(sorted(of_table, key=lambda rule: rule.chain), key=lambda rule: rule.chain):
            self.rules[key, chain] = tuple(compiler.rule(rule, doubted=rule.handle in self.doubted) for rule in rules)

    def _stage(self, chain: Chain) -> Stage:
        effects = self._chain(chain.key, chain.name)
        space = self.space
        passed = [effects.accepted, *(packets for _, packets in effects.natted)]
        if chain.policy == "accept":
            passed.append(effects.left)
        others = [place for place, family in enumerate(FAMILIES) if family not in SEES[chain.family]]
        seen = space.where(Field.FAMILY, *(place for place in range(len(FAMILIES)) if place not in others))
        if others:
            passed.append(space.where(Field.FAMILY, *others))
        runs = self._runs(chain)
        return Stage(
            chain=chain,
            priority=NAT_AT.get(chain.hook, 0) if chain.kind == "nat" else chain.priority,
            passed=space.either([*passed, space.complement(runs)]),
            natted=tuple((nat, space.both(seen, packets, runs)) for nat, packets in effects.natted),
        )

    def _runs(self, chain: Chain) -> Packets:
        """A dormant table's chains do not run (nf_tables_table_disable), and nft does not tell which tables are."""
        if chain.key not in self.listing.flagged:
            return EVERYTHING
        told = f"{chain} in {self.where}: a table with flags, which may be dormant"
        self.unknown.append(told)
        return self.oracles.ask(told, Moment.UNREAD)

    def _chain(self, key: Key, name: str) -> Effects:
        """What a chain does with every packet; the kernel allows no loops."""
        if (key, name) not in self.effects:
            self.effects[key, name] = self._walked(key, self.rules.get((key, name), ()))
        return self.effects[key, name]

    def _walked(self, key: Key, rules: Iterable[Rule]) -> Effects:
        space, left = self.space, EVERYTHING
        sorts: dict[Any, list[Packets]] = {}
        branches = [branch for rule in rules for branch in rule.branches]
        for verdict, group in groupby(branches, key=lambda branch: branch[1]):
            packets = space.either(part for part, _ in group)  # one after another, they do the same
            hit = space.both(left, packets)
            if hit == NOTHING:
                continue
            if verdict.kind in (Kind.JUMP, Kind.GOTO):
                inner = self._chain(key, verdict.target)
                for sort, part in ((Kind.ACCEPT, inner.accepted), (Kind.DROP, inner.dropped), *inner.natted):
                    sorts.setdefault(sort, []).append(space.both(hit, part))
                if verdict.kind is Kind.GOTO:
                    sorts.setdefault(Kind.RETURN, []).append(space.both(hit, inner.left))
                    left = space.minus(left, hit)
                else:
                    left = space.minus(left, space.both(hit, space.complement(inner.left)))
            else:
                sorts.setdefault(verdict.nat or verdict.kind, []).append(hit)
                left = space.minus(left, hit)
        joined = {sort: space.either(parts) for sort, parts in sorts.items()}
        return Effects(
            accepted=joined.pop(Kind.ACCEPT, NOTHING),
            dropped=joined.pop(Kind.DROP, NOTHING),
            left=space.either([left, joined.pop(Kind.RETURN, NOTHING)]),
            natted=tuple((nat, packets) for nat, packets in joined.items() if packets != NOTHING),
        )

    def _tracked(self) -> bool:
        """Conntrack comes with the first expression that asks it, and with every nat chain (nf_ct_netns_get)."""
        asks = any(
            "'ct'" in str(rule.expressions) or "'ct count'" in str(rule.expressions) for rule in self.listing.rules
        )
        return asks or any(chain.kind == "nat" for chain in self.listing.chains)


def _implied(chains: Iterable[Chain]) -> list[Chain]:
    """With its first nat chain a family gets translation at all four hooks (nf_nat_register_fn)."""
    nat = {(chain.family, chain.hook) for chain in chains if chain.kind == "nat"}
    return [
        Chain(family=family, table="", name="translation", kind="nat", hook=hook, priority=0, policy="accept")
        for family in sorted({family for family, _ in nat})
        for hook in NAT_AT
        if (family, hook) not in nat
    ]


def _order(stage: Stage) -> tuple[int, int]:
    return stage.priority, stage.chain.priority


def _is_gate(chain: Chain) -> bool:
    return bool(chain.hook) and (chain.hook not in HOOKS or chain.family not in SEES)
