"""images --prune: remove the images and archives that no instance stands on or keeps for a rollback."""

from __future__ import annotations

import argparse
import json

from provision import prune
from provision.commands import opening
from provision.commands.progress import ask
from provision.errors import UsageError
from provision.image import epoch
from provision.lock import locked, removing_archives
from provision.op import Action
from provision.say import Voice

MEGA = 1e6


def run(options: argparse.Namespace, voice: Voice) -> int:
    if options.names:
        raise UsageError("--prune looks at all images: name none")
    with opening.context(options, voice) as context, locked(context.instance):
        with removing_archives(context.instance.images):
            found = prune.stale(context, epoch.read(context.instance.epochs))
            size = found.size
            for reference in found.references:
                voice.line(
                    f"  {voice.sign(Action.REMOVE)} image {reference.removeprefix('localhost/')} of this instance"
                )
            for path in found.archives:
                voice.line(f"  {voice.sign(Action.REMOVE)} {path}")
            if found.references or found.archives:
                ask(options, "images are removed; a declaration that wants them again makes them again")
                prune.remove(context, found)
                voice.line(
                    f"done: {len(found.references)} images, {len(found.archives)} archives, {size / MEGA:.0f} MB"
                )
            else:
                voice.line("nothing to do")
        if options.json:
            removed = {"images": found.references, "archives": [str(path) for path in found.archives], "bytes": size}
            voice.document(json.dumps(opening.heading(context) | {"removed": removed}, indent=2))
        return 0
