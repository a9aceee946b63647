"""down: take away all that bears the instance's mark."""

from __future__ import annotations

import argparse
import json

from provision import down as taking
from provision.commands import opening
from provision.lock import locked
from provision.say import Voice


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context, locked(context.instance):
        taken = taking.down(context, data=options.data)
        if options.json:
            gone = {"containers": taken.containers, "nodes": taken.nodes, "kept": [str(path) for path in taken.kept]}
            voice.document(json.dumps(opening.heading(context) | gone, indent=2))
        elif taken.nothing:
            voice.line("nothing was there")
        else:
            voice.line(f"gone: {len(taken.containers)} containers, {len(taken.nodes)} network namespaces")
        for path in taken.kept:
            voice.line(f"kept: {path} (`down --data` removes it)")
        return 0
