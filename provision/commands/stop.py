"""stop: end containers that are to stay ended until `start` or `apply`; their namespaces, wires and volumes stay."""

from __future__ import annotations

import argparse
import json

from provision import neighbours
from provision.commands import names, opening
from provision.errors import HostError
from provision.facts import container
from provision.lock import locked
from provision.op import Action
from provision.ops.container import stop
from provision.say import Voice


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context, locked(context.instance):
        wanted = {names.container(context.estate, name).name for name in options.names}
        found = {one.node: one for one in container.read(context.podman)}
        absent = sorted(wanted - set(found))
        if absent:
            raise HostError(f"{', '.join(absent)}: no such container is here; see `status`")
        known = neighbours.needs(context.estate.containers)
        stopped: list[str] = []
        for name in reversed(neighbours.in_order(known, wanted)):  # what needs another goes before it
            if stop(context.podman, found[name].name):
                stopped.append(name)
                voice.line(f"  {voice.sign(Action.REMOVE)} container {name} is stopped: `start` it, or `apply`")
            else:
                voice.line(f"  container {name} did not run")
        running = {name for name, one in found.items() if one.running}
        left = neighbours.standing_on(known, wanted, running)
        for need in left:
            voice.line(f"  still runs: {need}")
        if options.json:
            on = [{"container": one.container, "other": one.other, "shares": one.shares} for one in left]
            voice.document(json.dumps(opening.heading(context) | {"stopped": stopped, "still_run": on}, indent=2))
        return 0
