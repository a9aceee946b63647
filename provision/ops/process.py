"""End processes that live in a namespace of ours and belong to none of its containers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from provision import run
from provision.context import Context
from provision.op import Action, Op, Phase


@dataclass(frozen=True, kw_only=True)
class EndProcess(Op):
    """SIGTERM, then SIGKILL; by a pidfd, so that it is this process and not one that took its number."""

    phase: ClassVar[Phase] = Phase.DROP_PROCESS
    noun: ClassVar[str] = "process"
    action: ClassVar[Action] = Action.REMOVE

    node: str
    pid: int
    command: str

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.pid}"

    def describe(self) -> str:
        return f"process {self.pid} ({self.command}) in {self.node}, which is not declared"

    def execute(self, context: Context) -> None:
        here = context.netns(self.node).stat().st_ino
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if os.stat(f"/proc/{self.pid}/ns/net").st_ino == here:  # noqa: PTH116 - a link's target
                run.end(handle)
        except FileNotFoundError:
            return
        finally:
            os.close(handle)
