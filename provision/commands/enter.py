"""enter: a shell, or one program, where a node stands: its network, with the machine's own tools.

With --all what the running container sees as well, and nothing besides: its files, processes, host name, IPC and users.
The program is then the container's own user, with its capabilities at most (provision.beside).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from provision import beside
from provision.commands import names, opening
from provision.context import Context
from provision.errors import HostError, UsageError
from provision.facts import container, standing
from provision.facts.standing import Standing
from provision.kernel import is_namespace
from provision.run import become
from provision.say import Voice
from specs import naming

SHELL = "/bin/sh"


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, Voice(sys.stderr)) as context:
        inside = _standing(context, options) if options.all else None
        argv = options.rest or (SHELL,) if inside else _network(context, options)
    if not options.rest and sys.stdin.isatty():
        voice.line(f"where {options.name} stands; `exit` leaves")
    return beside.run(inside, argv) if inside is not None else become(argv)


def _network(context: Context, options: argparse.Namespace) -> tuple[str, ...]:
    path = _netns(context, options.name)
    return ("nsenter", f"--net={path}", "--", *(options.rest or (os.environ.get("SHELL", SHELL),)))


def _standing(context: Context, options: argparse.Namespace) -> Standing:
    declared = names.container(context.estate, options.name)
    if not options.rest and context.estate.image(declared.image).shell_reason is None:
        raise UsageError(
            f"the image {declared.image} holds no shell: name a program of its own after --, "
            f"or leave out --all for its network alone, with the machine's tools"
        )
    wanted = naming.container(context.instance.name, declared.name)
    pid = next((one.pid for one in container.read(context.podman) if one.name == wanted and one.running), 0)
    if not pid:
        raise HostError(f"{declared.name} does not run: see `status`; without --all its network can be entered")
    return standing.read(pid)


def _netns(context: Context, name: str) -> Path:
    path = context.netns(names.place(context.estate, name))
    if not is_namespace(path):
        raise HostError(f"{name} has no network namespace: `apply` makes it")
    return path
