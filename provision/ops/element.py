"""Put an address into an accept set, and take one out: nobody but the declaration and the record says who is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provision import kernel
from provision.context import Context
from provision.facts.whitelist import Accepted
from provision.op import Action, Op, Phase
from provision.ops.ruleset import load


@dataclass(frozen=True, kw_only=True)
class AddElement(Op):
    phase: ClassVar[Phase] = Phase.RULESET
    noun: ClassVar[str] = "element"

    node: str
    element: Accepted

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.element.name} {self.element.address}"

    def describe(self) -> str:
        return f"{self.element.address} into the set {self.element.name} of {self.node}"

    def execute(self, context: Context) -> None:
        kernel.inside(context.netns(self.node), lambda: load(f"add {self.element}\n"))


@dataclass(frozen=True, kw_only=True)
class RemoveElement(Op):
    phase: ClassVar[Phase] = Phase.DROP_RULE
    noun: ClassVar[str] = "element"
    action: ClassVar[Action] = Action.REMOVE

    node: str
    element: Accepted

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.element.name} {self.element.address}"

    def describe(self) -> str:
        return f"{self.element.address} out of the set {self.element.name} of {self.node}: it is on no whitelist"

    def execute(self, context: Context) -> None:
        """Also when it is gone already: what is added anew in the same transaction is there to be deleted."""
        kernel.inside(context.netns(self.node), lambda: load(f"add {self.element}\ndelete {self.element}\n"))
