"""logs: what a container's program says, read from the disk."""

from __future__ import annotations

import argparse
import sys

from provision import log
from provision.commands import names, opening
from provision.errors import HostError
from provision.facts import container
from provision.say import Voice
from specs import naming


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, Voice(sys.stderr)) as context:  # what is piped on is the log alone
        wanted = naming.container(context.instance.name, names.container(context.estate, options.name).name)
        found = next((one for one in container.read(context.podman) if one.name == wanted), None)
        path = log.path(context.instance, found.id) if found else None
        if path is None or not path.exists():
            raise HostError(f"{options.name} has no log: it never ran here; see `status`, and `apply` makes it")
        for line in log.follow(path, options.lines) if options.follow else log.tail(path, options.lines):
            voice.line(line)
        return 0
