"""Make and remove named network namespaces."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import ClassVar

from provision import kernel
from provision.context import Context
from provision.facts.link import IFF_UP, RTM_NEWLINK
from provision.netlink import Socket
from provision.op import Action, Op, Phase
from provision.ops import ruleset, sysctl

_LOOPBACK_INDEX = 1


@dataclass(frozen=True, kw_only=True)
class MakeNetns(Op):
    """A namespace with its sysctls, its ruleset and its loopback, before it has a name to enter it by (law 3)."""

    phase: ClassVar[Phase] = Phase.NETNS
    noun: ClassVar[str] = "netns"

    node: str
    sysctls: tuple[tuple[str, str], ...]
    ruleset: str = field(repr=False)

    @property
    def subject(self) -> str:
        return self.node

    def describe(self) -> str:
        return f"network namespace of {self.node}"

    def execute(self, context: Context) -> None:
        path = context.netns(self.node)
        context.kernel.forget(path)
        kernel.remove(path)  # what a kill left half made
        kernel.make(path, self._prepare)

    def _prepare(self) -> None:
        for key, value in self.sysctls:
            sysctl.write(key, value)
        ruleset.load(self.ruleset)
        opened = Socket()
        try:
            up = struct.pack("=BxHiII", 0, 0, _LOOPBACK_INDEX, IFF_UP, IFF_UP)
            opened.request(RTM_NEWLINK, up, what=f"set lo up in {self.node}")
        finally:
            opened.close()


@dataclass(frozen=True, kw_only=True)
class RemoveNetns(Op):
    phase: ClassVar[Phase] = Phase.DROP_NETNS
    noun: ClassVar[str] = "netns"
    action: ClassVar[Action] = Action.REMOVE

    node: str

    @property
    def subject(self) -> str:
        return self.node

    def describe(self) -> str:
        return f"network namespace of {self.node}, which is not declared"

    def execute(self, context: Context) -> None:
        path = context.netns(self.node)
        context.kernel.forget(path)
        kernel.remove(path)
