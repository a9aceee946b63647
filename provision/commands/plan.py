"""plan: say what apply would do, whom that lets reach whom, and whether apply would refuse it."""

from __future__ import annotations

import argparse
import json

from provision.commands import opening
from provision.errors import ApplyError
from provision.facts import container
from provision.say import Voice


def run(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context:
        listed = container.begin(context.podman)
        from provision import plan as planning  # loaded while podman answers
        from provision import staged
        from provision.commands import change
        from provision.survey import survey

        seen = survey(context.estate, context.instance, context.podman, options.module, listed)
        found = staged.reach(planning.plan(seen), seen, context.estate, context.instance)
        refusal = staged.refusal(context.estate, seen.declared, context.instance)
        if options.json:
            told = change.document(found) | {"refused": refusal or None}
            voice.document(json.dumps(opening.heading(context) | told, indent=2))
        change.tell(found, voice)
        if refusal:
            raise ApplyError(refusal)
        return 2 if found.ops else 0
