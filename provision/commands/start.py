"""start: let stopped containers run again, each behind its firewall as declared; what else is to do is `apply`'s."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection

from provision import apply as applying
from provision import neighbours
from provision import plan as planning
from provision.commands import names, opening
from provision.commands.progress import Progress, log_tail
from provision.context import Context
from provision.errors import ApplyError
from provision.health import checks
from provision.lock import locked
from provision.op import Op
from provision.ops.container import BeginContainer, StartContainer
from provision.ready import await_ready
from provision.say import Voice
from provision.survey import Survey, survey
from provision.wait import within


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context, locked(context.instance):
        wanted = {names.container(context.estate, name).name for name in options.names}
        seen = survey(context.estate, context.instance, context.podman)
        ops = _starts(planning.plan(seen).ops, seen, wanted)
        started = {op.subject for op in ops}
        for name in sorted(wanted - started):
            voice.line(f"  container {name} runs already")
        _do(context, ops, options, voice)
        running = {one.node for one in seen.containers.containers if one.running}
        known = neighbours.needs(context.estate.containers)
        lacking = neighbours.lacking(known, wanted, running)
        for need in lacking:
            voice.line(f"  does not run: {need.other}; {need}")
        if options.json:
            off = [{"container": one.container, "other": one.other, "shares": one.shares} for one in lacking]
            told = {"started": sorted(started), "lacking": off}
            voice.document(json.dumps(opening.heading(context) | told, indent=2))
        return 0


def _starts(ops: Collection[Op], seen: Survey, wanted: Collection[str]) -> tuple[StartContainer, ...]:
    """The ops that start `wanted`. ApplyError where it takes more: a container never runs without its firewall."""
    absent = sorted(set(wanted) - {order.container.name for order in seen.workload.orders})
    if absent:
        raise ApplyError(f"{', '.join(absent)}: no container is declared to run here; see `status`")
    own = tuple(op for op in ops if isinstance(op, StartContainer) and op.name in wanted)
    more = [op for op in ops if not isinstance(op, BeginContainer) or (op.name in wanted and op not in own)]
    if (own and more) or any(isinstance(op, BeginContainer) for op in more):
        raise ApplyError(
            f"it takes more than a start ({more[0].describe()}{', …' if len(more) > 1 else ''}): "
            "see `plan`; `apply` does all of it"
        )
    return own


def _do(context: Context, ops: tuple[StartContainer, ...], options: argparse.Namespace, voice: Voice) -> None:
    progress = Progress(len(ops), voice)
    applying.execute(ops, context, begun=progress.begun, done=progress.done)
    asked = checks(context, {op.name for op in ops})
    await_ready(asked, deadline=within(options.wait), log_tail=log_tail(context))
