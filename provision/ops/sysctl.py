"""Set a sysctl of a namespace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from provision import kernel
from provision.context import Context
from provision.errors import ApplyError
from provision.op import Action, Op, Phase
from specs.sysctls import path


@dataclass(frozen=True, kw_only=True)
class SetSysctl(Op):
    phase: ClassVar[Phase] = Phase.SYSCTL
    noun: ClassVar[str] = "sysctl"
    action: ClassVar[Action] = Action.CHANGE

    node: str
    name: str
    value: str
    seen: str
    follow: tuple[tuple[str, str], ...] = ()  # keys that the kernel resets when this one changes

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.name}"

    def describe(self) -> str:
        return f"sysctl {self.name} in {self.node}: {self.seen or 'absent'} -> {self.value}"

    def execute(self, context: Context) -> None:
        kernel.inside(context.netns(self.node), self._write)

    def _write(self) -> None:
        for name, value in ((self.name, self.value), *self.follow):
            write(name, value)


def write(name: str, value: str) -> None:
    """Set it in the calling thread's namespace. Raises ApplyError naming the key the kernel does not take."""
    try:
        Path(path(name)).write_text(value, encoding="ascii")
    except OSError as error:
        raise ApplyError(
            f"sysctl {name} = {value}: {error.strerror}; this kernel may lack what the law needs"
        ) from error
