"""What a command that changes something says while it does, and what it asks before."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from provision.context import Context
from provision.errors import ApplyError, UsageError
from provision.op import Op, Phase
from provision.say import Voice
from specs import naming


class Progress:
    """Tells each op when it is done, and the long ones when they begin."""

    def __init__(self, total: int, voice: Voice) -> None:
        self._total, self._voice, self._count = total, voice, 0
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begin

    def begun(self, op: Op) -> None:
        if op.key.phase is Phase.IMAGE:
            self._voice.line(f"  [{self._count}/{self._total}] {op.describe()} ...")

    def done(self, op: Op) -> None:
        self._count += 1
        self._voice.line(f"  [{self._count}/{self._total}] {self._voice.sign(op.action)} {op.describe()}")


def ask(options: argparse.Namespace, why: str) -> None:
    """Go on by --yes or a yes. Raises UsageError where nobody can be asked, ApplyError where the answer is no."""
    if options.yes:
        return
    if options.json or not sys.stdin.isatty():
        raise UsageError(f"{why}, and there is no terminal to ask at: look at it first, then give --yes")
    if input("go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ApplyError("nothing was changed")


def log_tail(context: Context) -> Callable[[str], str]:
    podman = context.podman
    return lambda name: podman.log_tail(naming.container(context.instance.name, name)) if podman.present else ""
