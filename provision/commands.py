"""The commands: each reads, decides, does, and says; main turns its return value into the exit code."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from provision import apply as applying
from provision import idrange
from provision import plan as planning
from provision.context import Context
from provision.errors import ApplyError, HostError, UsageError
from provision.kernel import Kernel, require_root
from provision.op import Action, Op, Phase
from provision.ops.container import RunContainer, StartContainer
from provision.ops.tunnel import ConfigureTunnel, MakeTunnel
from provision.plan import Plan
from provision.podman import Podman
from provision.say import Voice
from provision.survey import survey
from provision.wait import within
from specs import naming
from specs.instance import Instance, state_folder
from specs.load import load
from specs.model import Profile
from specs.naming import ESTATE_MAX
from specs.values import NAME, NAME_RULE

Command = Callable[[argparse.Namespace, Voice], int]


def plan(options: argparse.Namespace, voice: Voice) -> int:
    with _context(options, voice) as context:
        found = planning.plan(survey(context.estate, context.instance, context.podman, options.module))
        if options.json:
            voice.document(json.dumps(_heading(context) | _document(found), indent=2))
        _tell(found, voice)
        return 2 if found.ops else 0


def apply(options: argparse.Namespace, voice: Voice) -> int:
    with _context(options, voice) as context, applying.locked(context.instance):
        idrange.claim(context.instance)
        found = planning.plan(survey(context.estate, context.instance, context.podman, options.module))
        if found.ops:
            _tell(found, voice)
            _ask(found, options)
            _do(found, context, options, voice)
        else:
            voice.line("nothing to do")
        if options.json:
            voice.document(json.dumps(_heading(context) | _document(found), indent=2))
        return 0


def _do(found: Plan, context: Context, options: argparse.Namespace, voice: Voice) -> None:
    from provision.health import checks  # what only a change needs is not loaded for a plan
    from provision.ready import await_ready

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


def down(options: argparse.Namespace, voice: Voice) -> int:
    with _context(options, voice) as context, applying.locked(context.instance):
        from provision import down as taking

        taken = taking.down(context, data=options.data)
        if options.json:
            gone = {"containers": taken.containers, "nodes": taken.nodes, "kept": [str(path) for path in taken.kept]}
            voice.document(json.dumps(_heading(context) | gone, indent=2))
        elif taken.nothing:
            voice.line("nothing was there")
        else:
            voice.line(f"gone: {len(taken.containers)} containers, {len(taken.nodes)} network namespaces")
        for path in taken.kept:
            voice.line(f"kept: {path} (`down --data` removes it)")
        return 0


def status(options: argparse.Namespace, voice: Voice) -> int:
    with _context(options, voice) as context:
        found = planning.plan(survey(context.estate, context.instance, context.podman))
        from provision.status import rows, table

        shown = rows(context)
        if options.json:
            voice.document(json.dumps(_heading(context) | {"nodes": shown, "drift": len(found.ops)}, indent=2))
        for line in table(shown):
            voice.line(line)
        drift = f"{len(found.ops)} changes to make: see `plan`" if found.ops else "as declared"
        voice.line(f"\n{drift}")
        return 2 if found.ops else 0


def schema(options: argparse.Namespace, voice: Voice) -> int:
    from specs.schema import schemas

    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (options.folder / f"{name}.json").write_text(text)
        voice.line(f"{options.folder / name}.json")
    return 0


@contextmanager
def _context(options: argparse.Namespace, voice: Voice) -> Iterator[Context]:
    estate = load(options.estate, options.profile)
    instance = Instance(name=_instance_name(options.instance or estate.name), state=state_folder())
    voice.line(f"pluto: estate {estate.name} ({estate.folder}), profile {estate.profile}, instance {instance.name}")
    if estate.profile is Profile.METAL:
        raise HostError("the metal profile is not built yet: use --profile lab")
    require_root()
    with Podman(instance) as podman:
        kernel = Kernel()
        try:
            yield Context(estate=estate, instance=instance, kernel=kernel, podman=podman)
        finally:
            kernel.close()


def _instance_name(name: str) -> str:
    """Raises UsageError for what cannot be a namespace's, a container's and a folder's name at once."""
    if not re.fullmatch(NAME, name) or len(name) > ESTATE_MAX:
        raise UsageError(f"--instance {name}: {NAME_RULE}, at most {ESTATE_MAX} of them")
    return name


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


def _heading(context: Context) -> dict[str, Any]:
    estate = context.estate
    return {"estate": estate.name, "profile": estate.profile, "instance": context.instance.name}


def _document(found: Plan) -> dict[str, Any]:
    return {
        "ops": [
            {"action": op.action.name.lower(), "noun": op.noun, "subject": op.subject, "text": op.describe()}
            for op in found.ops
        ],
        "restarts": found.restarts,
        "reach": {"gained": found.gained, "lost": found.lost},
        "waiting": [{"container": name, "why": why} for name, why in found.waiting],
    }


def _tell(found: Plan, voice: Voice) -> None:
    for op in found.ops:
        voice.line(f"  {voice.sign(op.action)} {op.describe()}")
    if not found.ops:
        voice.line("nothing to do")
    for name, why in found.waiting:
        voice.line(f"  waits: {name}: {why}")
    for name in found.restarts:
        voice.line(f"  restarts: {name}")
    for flow in found.gained:
        voice.line(f"  {voice.sign(Action.MAKE)} reach gained: {flow}")
    for flow in found.lost:
        voice.line(f"  {voice.sign(Action.REMOVE)} reach lost: {flow}")
    if found.ops:
        voice.line(f"{len(found.ops)} to do")
