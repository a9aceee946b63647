"""status: say what runs, whether it answers, and whether it is what was declared."""

from __future__ import annotations

import argparse
import json

from provision import plan as planning
from provision.commands import opening
from provision.say import Voice
from provision.status import COLUMNS, restless, rows, silent
from provision.survey import survey
from provision.table import table


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context:
        found = planning.plan(survey(context.estate, context.instance, context.podman))
        shown = rows(context)
        if options.json:
            voice.document(json.dumps(opening.heading(context) | {"nodes": shown, "drift": len(found.ops)}, indent=2))
        for line in table(COLUMNS, shown):
            voice.line(line)
        drift = f"not as declared, {len(found.ops)} to do: see `plan`" if found.ops else "as declared"
        mute, again = silent(shown), restless(shown)
        voice.line(
            f"\n{drift}"
            + (f"; no answer as declared from {', '.join(mute)}: see `logs`" if mute else "")
            + (f"; ends and is started again: {', '.join(again)}: see `logs`" if again else "")
        )
        return 2 if found.ops or mute or again else 0
