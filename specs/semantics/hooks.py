"""The hooks of one namespace, asked of one packet: which rule decides, what NAT makes of it, and what it hangs on.

The same rules as specs.semantics.ruleset's, walked with one packet instead of sets of them, so that each step can be
told in words. A set that fills holds what it holds now. A rule that hangs on an oracle (a rate, what such a set holds
later, what cannot be read) is taken not to match, and is told as `unless`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address

from specs.semantics import words
from specs.semantics.diagram import EVERYTHING, NOTHING
from specs.semantics.field import FAMILIES, Field
from specs.semantics.listing import Chain, Key, Statement
from specs.semantics.packet import Address, Packet
from specs.semantics.place import Place
from specs.semantics.rule import Kind, Nat, Rule, Verdict
from specs.semantics.ruleset import SEES, Ruleset, Stage, read


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What a hook's filter chains say, of the last one or the one that drops."""

    verdict: str  # accept, drop
    chain: str = ""  # input (inet pluto); "" where there is no chain
    words: str = ""  # the rule as nft writes it, or the policy
    comment: str = ""
    unless: tuple[str, ...] = ()  # rules that would decide otherwise, where they match


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What NAT makes of a new connection's first packet, and the rule that says so; `unread`: why that is not known."""

    packet: Packet
    words: str
    unread: str = ""


@dataclass(kw_only=True)
class _Walk:
    """One packet in one base chain."""

    ruleset: Ruleset
    key: Key
    point: Mapping[int, int]
    unless: list[Rule] = field(default_factory=list)

    def through(self, chain: str) -> tuple[Rule, Verdict] | None:
        """The rule that decides; None: the policy does."""
        return self._in(chain)[0]

    def _in(self, chain: str) -> tuple[tuple[Rule, Verdict] | None, bool]:
        """The deciding rule, and whether the walk ends with this chain."""
        for rule in self.ruleset.rules.get((self.key, chain), ()):
            for packets, verdict in rule.branches:
                told = self.ruleset.space.at(packets, self.point)
                met = self.ruleset.oracles.now(told)
                if met != EVERYTHING:
                    self.unless += [rule] if told != NOTHING else []
                    continue
                if verdict.kind is Kind.RETURN:
                    return None, False
                if verdict.kind not in (Kind.JUMP, Kind.GOTO):
                    return (rule, verdict), True
                found, ended = self._in(verdict.target)
                if ended or verdict.kind is Kind.GOTO:
                    return found, ended
        return None, False


class Hooks:
    """The ruleset of a place; it is read once."""

    def __init__(self, place: Place) -> None:
        self._place = place
        indexes = {each.name: each.index for each in place.interfaces}
        self._ruleset = read(place.listing, indexes, where=place.name, doubted=place.doubted)

    def at(self, hook: str, packet: Packet) -> tuple[Ruling, Translation | None]:
        """What becomes of `packet` at `hook`: chain by chain, in the kernel's order."""
        ruling, translation, now = Ruling(verdict=Kind.ACCEPT), None, packet
        for stage in self._ruleset.stages.get(hook, ()):
            if FAMILIES[now.point(self._ruleset.interfaces)[Field.FAMILY]] not in SEES[stage.chain.family]:
                continue
            walk = self._walk(stage, now)
            found = walk.through(stage.chain.name)
            if stage.translates and found is not None and found[1].nat is not None:
                if translation is None and packet.state == "new":
                    translation = self._translated(now, found[1].nat, found[0].said)
                    now = translation.packet
                continue
            if not stage.translates or (found and found[1].kind is Kind.DROP):
                ruling = _ruling(stage.chain, found, walk.unless)
            if ruling.verdict == Kind.DROP:
                break
        return ruling, translation

    def _walk(self, stage: Stage, packet: Packet) -> _Walk:
        return _Walk(ruleset=self._ruleset, key=stage.chain.key, point=packet.point(self._ruleset.interfaces))

    def _translated(self, packet: Packet, nat: Nat, said: Statement) -> Translation:
        told = _words(said)
        if nat.unread:
            return Translation(packet=packet, words=told, unread=nat.unread)
        if nat.kind == "dnat":
            changed = replace(packet, daddr=_address(nat) or packet.daddr, dport=nat.port or packet.dport, dnat=True)
        else:  # snat, or masquerade: the first address of the interface it leaves by (nf_nat_masquerade_ipv4)
            out = self._place.interface(packet.oif)
            own = out.addresses[0] if out is not None and out.addresses else packet.saddr
            changed = replace(packet, saddr=_address(nat) or own, sport=nat.port or packet.sport, snat=True)
        return Translation(packet=changed, words=told)


def _ruling(chain: Chain, found: tuple[Rule, Verdict] | None, unless: list[Rule]) -> Ruling:
    verdict = found[1].kind if found is not None else Kind(chain.policy)
    said = found[0].said if found is not None else None
    return Ruling(
        verdict=verdict,
        chain=f"{chain.name if said is None else said.chain} ({chain.family} {chain.table})",
        words=f"policy {chain.policy}" if said is None else _words(said),
        comment="" if said is None else said.comment,
        unless=tuple(dict.fromkeys(_words(rule.said) for rule in unless)),
    )


def _words(said: Statement) -> str:
    return words.rule(said.expressions, said.comment)


def _address(nat: Nat) -> Address | None:
    if nat.address is None:
        return None
    return IPv6Address(nat.address) if nat.family else IPv4Address(nat.address)
