"""apply: make the machine hold what is declared."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from provision import idrange
from provision.commands import opening
from provision.commands.progress import Progress, ask, log_tail
from provision.context import Context
from provision.errors import ApplyError
from provision.facts import container
from provision.lock import locked
from provision.say import Voice

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
            if found.gained or found.removes:
                ask(options, "reach widens or something is removed")
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
    from provision.ops.container import BeginContainer
    from provision.ops.tunnel import ConfigureTunnel, MakeTunnel
    from provision.ready import await_ready
    from provision.survey import survey
    from provision.wait import within

    progress = Progress(len(found.ops), voice)
    applying.execute(found.ops, context, begun=progress.begun, done=progress.done)
    started = {op.name for op in found.ops if isinstance(op, BeginContainer)}
    if any(isinstance(op, MakeTunnel | ConfigureTunnel) and op.config for op in found.ops):
        started.add(context.estate.tunnel.hub)  # no container starts there: the kernel's device answers
    await_ready(checks(context, started), deadline=within(options.wait), log_tail=log_tail(context))
    left = planning.plan(survey(context.estate, context.instance, context.podman, options.module))
    if left.ops:
        rest = "\n".join(f"  {op.action} {op.describe()}" for op in left.ops)
        raise ApplyError(f"done, and yet the plan is not empty: something undoes it, or the kernel refuses it\n{rest}")
    voice.line(f"done: {len(found.ops)} changes in {progress.seconds:.1f} s, and a new plan finds nothing to do")
