"""A ruleset compiled: what its chains do at each hook, as sets of packets (specs.semantics.ruleset makes them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specs.semantics.diagram import Packets, Space
from specs.semantics.listing import Chain, Key
from specs.semantics.oracle import Oracles
from specs.semantics.rule import Nat, Rule

CONNTRACK = -200  # NF_IP_PRI_CONNTRACK, at prerouting and output
NAT_AT = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}  # NF_IP_PRI_NAT_DST, _SRC


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What a chain does with all packets: a partition, but for the oracles it asks."""

    accepted: Packets
    dropped: Packets
    natted: tuple[tuple[Nat, Packets], ...]
    left: Packets  # neither: back to the caller, or the policy


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One base chain, its policy applied; packets of other families pass it."""

    chain: Chain
    priority: int  # where the kernel comes to it
    passed: Packets
    natted: tuple[tuple[Nat, Packets], ...]

    @property
    def translates(self) -> bool:
        return self.chain.kind == "nat"


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    space: Space
    oracles: Oracles
    interfaces: tuple[str, ...]
    stages: Mapping[str, tuple[Stage, ...]]  # hook -> in the kernel's order
    rules: Mapping[tuple[Key, str], tuple[Rule, ...]]  # of each chain
    tracked: bool  # something asks conntrack, so that it is there, and defragments
    unknown: tuple[str, ...]  # what could not be read, each with why
    wild: tuple[str, ...]  # what makes the namespace do anything at all
    gates: tuple[str, ...]  # chains before the hooks, which may stop what comes in
