"""plan: say what apply would do."""

from __future__ import annotations

import argparse
import json

from provision.commands import opening
from provision.facts import container
from provision.say import Voice


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context:
        listed = container.begin(context.podman)
        from provision import plan as planning  # loaded while podman answers
        from provision.commands import change
        from provision.survey import survey

        found = planning.plan(survey(context.estate, context.instance, context.podman, options.module, listed))
        if options.json:
            voice.document(json.dumps(opening.heading(context) | change.document(found), indent=2))
        change.tell(found, voice)
        return 2 if found.ops else 0
