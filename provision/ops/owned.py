"""The places where containers meet the files of a machine's user: id-mapped mounts of host paths (decision 010)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from provision import idmapped, mounts
from provision.context import Context
from provision.op import Action, Op, Phase


@dataclass(frozen=True, kw_only=True)
class MountOwned(Op):
    """Show a host path at `target`, its owner's files as the container's own user's. What was mounted there goes."""

    phase: ClassVar[Phase] = Phase.OWNED
    noun: ClassVar[str] = "owned mount"

    container: str
    source: Path
    target: Path
    owner: int  # on the machine
    outside: int  # of the container's range

    @property
    def subject(self) -> str:
        return f"{self.container}: {self.source}"

    def describe(self) -> str:
        return f"{self.source} for {self.container}, files of uid {self.owner} as its own"

    def execute(self, context: Context) -> None:
        del context
        mounts.detach_below(self.target)
        self.target.mkdir(parents=True, exist_ok=True, mode=0o700)
        idmapped.mount(self.source, self.target, owner=self.owner, outside=self.outside)


@dataclass(frozen=True, kw_only=True)
class UnmountOwned(Op):
    """Take away one that no container declares; what lies there stays where it really is."""

    phase: ClassVar[Phase] = Phase.DROP_OWNED
    noun: ClassVar[str] = "owned mount"
    action: ClassVar[Action] = Action.REMOVE

    target: Path

    @property
    def subject(self) -> str:
        return str(self.target)

    def describe(self) -> str:
        return f"mount {self.target}"

    def execute(self, context: Context) -> None:
        del context
        mounts.detach_below(self.target)
        self.target.rmdir()
