"""images --refresh and --rollback: make images anew where they are old, or put the kept ones back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from provision import apply as applying
from provision import plan as planning
from provision.commands import names, opening
from provision.commands.progress import Progress, ask, log_tail
from provision.context import Context
from provision.errors import ApplyError
from provision.facts import image as images
from provision.facts.index import CACHE
from provision.image import epoch, outdated
from provision.image.epoch import Record
from provision.image.outdated import Newer
from provision.image.recipe import Recipe, host_family, recipes
from provision.lock import locked
from provision.ops.image import BuildImage
from provision.prune import discard, prune
from provision.refresh import Renewal, Swap, of_group, renewals, still_old
from provision.say import Voice
from provision.survey import survey

Turn = Callable[[Record], Record]


def refresh(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context, locked(context.instance):
        asked = _images(context, options.names)  # a name that means nothing is told before drift is
        record = _standing(context)
        known = recipes(context.estate, host_family(), record.epochs)
        wanted = renewals(context.estate, known, _asked(context, known), asked)
        replaced: tuple[str, ...] = ()
        if wanted:
            _tell(wanted, voice)
            ask(options, "images are made anew and their containers replaced")
            replaced = _refresh(context, record, wanted, options, voice)
        else:
            voice.line("nothing to do: the distribution has nothing newer")
        _document(context, options, voice, {"refreshed": [_renewal(one) for one in wanted], "replaced": replaced})
        return 0


def rollback(options: argparse.Namespace, voice: Voice) -> int:
    with opening.context(options, voice) as context, locked(context.instance):
        named = {epoch.group(context.estate, name) for name in _images(context, options.names)}
        record = _standing(context)
        kept = [group for group in sorted(named or record.groups) if record.turn(group).before is not None]
        replaced: tuple[str, ...] = ()
        if kept:
            for group in kept:
                voice.line(f"  {voice.sign(BuildImage.action)} {group}, and what stands on it: as before its refresh")
            ask(options, "images are put back and their containers replaced")
            replaced = _rollback(context, record, kept, options, voice)
        else:
            voice.line("nothing to do: no image of an earlier refresh is kept")
        _document(context, options, voice, {"put_back": kept, "replaced": replaced})
        return 0


def _images(context: Context, asked: Sequence[str]) -> tuple[str, ...]:
    """What runs on this machine where the named ones are wanted. Raises UsageError."""
    known = (names.image(context.estate, name).name for name in asked)
    return tuple(context.estate.standing(name, host_family()).name for name in known)


def _standing(context: Context) -> Record:
    """The record in force. Raises ApplyError where more than images is to change."""
    left = planning.plan(survey(context.estate, context.instance, context.podman)).ops
    if left:
        raise ApplyError(f"the machine is not as declared ({len(left)} to do, see `plan`): `apply` first, then again")
    return epoch.read(context.instance.epochs)


def _asked(context: Context, known: Iterable[Recipe]) -> dict[str, tuple[Newer, ...]]:
    instance = context.instance
    return outdated.asked(known, images=instance.images, family=host_family(), cache=instance.state / CACHE)


def _refresh(
    context: Context, record: Record, wanted: Sequence[Renewal], options: argparse.Namespace, voice: Voice
) -> tuple[str, ...]:
    turns = [(one.group, partial(Record.refreshed, group=one.group, epochs=one.epochs)) for one in wanted]
    made: list[Recipe] = []
    for group, turn in turns:
        made += of_group(context.estate, host_family(), turn(record), group)
    _make(context, made, voice)
    wrong = still_old(made, _asked(context, made))
    if wrong:
        in_force = outdated.with_bases(recipes(context.estate, host_family(), record.epochs))
        discard(context, set(outdated.with_bases(made)) - set(in_force))
        raise ApplyError(f"the mirror's packages lag behind its own index ({wrong}): nothing was replaced, try later")
    replaced = _swap(context, record, turns, options, voice)
    gone = prune(context, epoch.read(context.instance.epochs))
    if gone:
        voice.line(f"removed: {', '.join(gone)}")
    return replaced


def _rollback(
    context: Context, record: Record, kept: Sequence[str], options: argparse.Namespace, voice: Voice
) -> tuple[str, ...]:
    turns = [(group, partial(Record.put_back, group=group)) for group in kept]
    made: list[Recipe] = []
    for group, turn in turns:
        made += of_group(context.estate, host_family(), turn(record), group)
    there = images.archives(context.instance.images)
    absent = sorted(recipe.name for recipe in made if recipe.stem not in there)
    if absent:
        raise ApplyError(
            f"what is kept of {', '.join(absent)} was made from another definition than today's, or is gone: "
            "there is nothing to put back"
        )
    _make(context, made, voice)
    return _swap(context, record, turns, options, voice)


def _make(context: Context, made: Iterable[Recipe], voice: Voice) -> None:
    """Each image there, in the instance's podman; nothing that runs is touched."""
    archives = images.archives(context.instance.images)
    there = images.imported(context.instance.store)
    ops = [BuildImage(recipe=r, archived=r.stem in archives) for r in made if r.reference not in there]
    progress = Progress(len(ops), voice)
    applying.execute(planning.ordered(ops), context, begun=progress.begun, done=progress.done)


def _swap(
    context: Context, record: Record, turns: Sequence[tuple[str, Turn]], options: argparse.Namespace, voice: Voice
) -> tuple[str, ...]:
    replaced: list[str] = []
    for group, turn in turns:
        swap = Swap(context=context, seconds=options.wait, log_tail=log_tail(context), voice=voice)
        voice.line(f"{group}: one container after another, each once the one before answers")
        replaced += swap.swap(record, turn(record))
        record = turn(record)
    voice.line(f"done: {len(replaced)} containers replaced, and a new plan finds nothing to do")
    return tuple(replaced)


def _tell(wanted: Iterable[Renewal], voice: Voice) -> None:
    for one in wanted:
        voice.line(
            f"  {voice.sign(BuildImage.action)} {one.group}, and what stands on it: {', '.join(map(str, one.newer))}"
        )


def _renewal(one: Renewal) -> dict[str, Any]:
    newer = [{"package": each.package, "held": each.held, "newest": each.newest} for each in one.newer]
    return {"group": one.group, "epochs": dict(one.epochs), "newer": newer}


def _document(context: Context, options: argparse.Namespace, voice: Voice, told: dict[str, Any]) -> None:
    if options.json:
        voice.document(json.dumps(opening.heading(context) | told, indent=2))
