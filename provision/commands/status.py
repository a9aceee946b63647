"""status: say what runs and whether it is what was declared."""

from __future__ import annotations

import argparse
import json

from provision import plan as planning
from provision.commands import opening
from provision.say import Voice
from provision.status import rows, table
from provision.survey import survey


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context:
        found = planning.plan(survey(context.estate, context.instance, context.podman))
        shown = rows(context)
        if options.json:
            voice.document(json.dumps(opening.heading(context) | {"nodes": shown, "drift": len(found.ops)}, indent=2))
        for line in table(shown):
            voice.line(line)
        drift = f"{len(found.ops)} changes to make: see `plan`" if found.ops else "as declared"
        voice.line(f"\n{drift}")
        return 2 if found.ops else 0
