"""Remove policy-routing rules: the estate declares none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from provision.context import Context
from provision.facts.rule import FAMILIES, FIB_RULE_HDR, FRA_PRIORITY, FRA_TABLE, RTM_DELRULE, RTM_NEWRULE, FreshRule
from provision.netlink import NLM_F_CREATE, NLM_F_EXCL, number
from provision.op import Action, Op, Phase

_NUMBER = {name: number_ for number_, name in FAMILIES.items()}
_TO_TABLE = 1  # FR_ACT_TO_TBL


@dataclass(frozen=True, kw_only=True)
class RemoveRule(Op):
    phase: ClassVar[Phase] = Phase.DROP_RULE
    noun: ClassVar[str] = "rule"
    action: ClassVar[Action] = Action.REMOVE

    node: str
    family: str
    priority: int
    table: int
    body: bytes = field(repr=False)

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.family} {self.priority} table {self.table}"

    def describe(self) -> str:
        return f"policy-routing rule {self.priority} ({self.family}, table {self.table}) in {self.node}"

    def execute(self, context: Context) -> None:
        context.kernel.route(context.netns(self.node)).request(RTM_DELRULE, self.body, what=self.describe())


@dataclass(frozen=True, kw_only=True)
class RestoreRule(Op):
    """Put back one of the kernel's own rules, which somebody removed."""

    phase: ClassVar[Phase] = Phase.RULE
    noun: ClassVar[str] = "rule"

    node: str
    rule: FreshRule

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.rule.family} {self.rule.priority}"

    def describe(self) -> str:
        return f"the kernel's own rule {self.rule.priority} ({self.rule.family}) in {self.node}"

    def execute(self, context: Context) -> None:
        head = FIB_RULE_HDR.pack(_NUMBER[self.rule.family], 0, 0, 0, self.rule.table, 0, 0, _TO_TABLE, 0)
        body = head + number(FRA_PRIORITY, self.rule.priority) + number(FRA_TABLE, self.rule.table)
        opened = context.kernel.route(context.netns(self.node))
        opened.request(RTM_NEWRULE, body, flags=NLM_F_CREATE | NLM_F_EXCL, what=self.describe())
