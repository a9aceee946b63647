"""apply: make the machine hold what is declared."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from provision import idrange
from provision.commands import opening
from provision.context import Context
from provision.errors import ApplyError, UsageError
from provision.facts import container
from provision.lock import locked
from provision.op import Op, Phase
from provision.say import Voice
from specs import naming

if TYPE_CHECKING:
    from provision.plan import Plan


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context, locked(context.instance):
        listed = container.begin(context.podman)
        from provision import plan as planning  # loaded while podman answers
        from provision import staged
        from provision.commands import change
        from provision.survey import survey

        idrange.claim(context.instance)
        seen = survey(context.estate, context.instance, context.podman, options.module, listed)
        found = staged.reach(planning.plan(seen), seen, context.estate, context.instance)
        refusal = staged.refusal(context.estate, seen.declared, context.instance)
        if refusal:
            raise ApplyError(refusal)
        if found.ops:
            change.tell(found, voice)
            _ask(found, options)
            _do(found, context, options, voice)
        else:
            voice.line("nothing to do")
        if options.json:
            voice.document(json.dumps(opening.heading(context) | change.document(found), indent=2))
        return 0


def _do(found: Plan, context: Context, options: argparse.Namespace, voice: Voice) -> None:
    from provision import apply as applying  # what only a change needs is not loaded for a plan
    from provision import plan as planning
    from provision.health import checks
    from provision.ops.container import RunContainer, StartContainer
    from provision.ops.tunnel import ConfigureTunnel, MakeTunnel
    from provision.ready import await_ready
    from provision.survey import survey
    from provision.wait import within

    progress = _Progress(len(found.ops), voice)
    applying.execute(found.ops, context, begun=progress.begun, done=progress.done)
    started = {op.name for op in found.ops if isinstance(op, RunContainer | StartContainer)}
    if any(isinstance(op, MakeTunnel | ConfigureTunnel) and op.config for op in found.ops):
        started.add(context.estate.tunnel.hub)  # no container starts there: the kernel's device answers
    await_ready(checks(context, started), deadline=within(options.wait), log_tail=_log_tail(context))
    left = planning.plan(survey(context.estate, context.instance, context.podman, options.module))
    if left.ops:
        rest = "\n".join(f"  {op.action} {op.describe()}" for op in left.ops)
        raise ApplyError(f"done, and yet the plan is not empty: something undoes it, or the kernel refuses it\n{rest}")
    voice.line(f"done: {len(found.ops)} changes in {progress.seconds:.1f} s, and a new plan finds nothing to do")


class _Progress:
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


def _ask(found: Plan, options: argparse.Namespace) -> None:
    """Raises UsageError where nobody can be asked, ApplyError where the answer is no."""
    if options.yes or not (found.gained or found.removes):
        return
    if options.json or not sys.stdin.isatty():
        raise UsageError(
            "reach widens or something is removed, and there is no terminal to ask at: look at `plan`, then give --yes"
        )
    if input("go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ApplyError("nothing was changed")


def _log_tail(context: Context) -> Callable[[str], str]:
    podman = context.podman
    return lambda name: podman.log_tail(naming.container(context.instance.name, name)) if podman.present else ""
