"""images: what each declared image is made of, how large and how old it is, and what the distribution has newer."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any

from provision.commands import names, opening
from provision.errors import ApplyError, NoIndexError, UsageError
from provision.facts.index import CACHE
from provision.image import epoch, outdated
from provision.image.inventory import Held, inventory, leftover
from provision.image.outdated import Newer
from provision.image.recipe import host_family, recipe
from provision.say import Voice
from provision.table import age, table
from specs.instance import Instance
from specs.model import Estate

COLUMNS = ("image", "tag", "size", "packages", "shell", "age", "newer", "stands in for")
MEGA = 1e6
OLD = 2  # exit code, as `plan` has it where there is something to do
Found = Mapping[str, tuple[Newer, ...]] | None  # None: the index was not asked


def run(options: argparse.Namespace, voice: Voice) -> int:
    if options.refresh or options.rollback:
        from provision.commands import refresh  # what changes something is not loaded to look

        return (refresh.refresh if options.refresh else refresh.rollback)(options, voice)
    if options.prune:
        from provision.commands import prune

        return prune.run(options, voice)
    return _sbom(options) if options.sbom else _shown(options, voice)


def _sbom(options: argparse.Namespace) -> int:
    estate, instance = opening.opened(options, Voice(sys.stderr))  # what is piped on is the document alone
    if len(options.names) != 1:
        raise UsageError(
            f"--sbom prints one image's document, and {len(options.names)} are named: `images --sbom NAME`"
        )
    image = names.image(estate, options.names[0])
    name = image.name
    if image.pending is not None:
        raise ApplyError(f"image {name} is pending ({image.pending}): nothing is known of what it will hold")
    made = recipe(estate, name, host_family(), epoch.read(instance.epochs).epochs)
    path = instance.images / f"{made.stem}.sbom.json"
    if not path.exists():
        raise ApplyError(f"image {name} (tag {made.tag}) is not made yet: `apply` makes it, and its SBOM")
    Voice(sys.stdout).document(path.read_text().rstrip())
    return 0


def _shown(options: argparse.Namespace, voice: Voice) -> int:
    estate, instance = opening.opened(options, voice)
    wanted = {names.image(estate, name).name for name in options.names}
    every = inventory(estate, instance.images, host_family(), epoch.read(instance.epochs).epochs)
    held = tuple(one for one in every if not wanted or one.name in wanted)
    found, why = (None, "") if options.offline else _asked(estate, instance, held)
    if options.json:
        document = {"estate": estate.name, "profile": estate.profile, "instance": instance.name}
        told = {
            "images": [_document(one, found) for one in held],
            "index": why or ("offline" if found is None else "asked"),
        }
        voice.document(json.dumps(document | told, indent=2))
    for line in table(COLUMNS, [_row(one, found) for one in held]):
        voice.line(line)
    _conclude(every, held, found, instance, voice)
    if why:
        raise NoIndexError(f"whether the images are old is not known: {why}")
    return OLD if any((found or {}).values()) else 0


def _conclude(every: Iterable[Held], held: Iterable[Held], found: Found, instance: Instance, voice: Voice) -> None:
    voice.line(f"\n{_summary(held)}")
    others = leftover(every, instance.images)
    if others:
        size = sum(path.stat().st_size for path in others) / MEGA
        voice.line(
            f"{len(others)} archives of other definitions or earlier refreshes, {size:.0f} MB, in {instance.images}: "
            "`images --prune` removes those that nobody keeps"
        )
    for newer in sorted({newer for packages in (found or {}).values() for newer in packages}):
        voice.line(f"newer: {newer}")
    if found is not None and any(found.values()):
        voice.line("`images --refresh` makes the old ones anew")


def _asked(estate: Estate, instance: Instance, held: Iterable[Held]) -> tuple[Found, str]:
    """Each made image's old packages, its base's included; or why that is not known."""
    family, epochs = host_family(), epoch.read(instance.epochs).epochs
    made = [recipe(estate, one.name, family, epochs) for one in held if one.made is not None]
    try:
        own = outdated.asked(made, images=instance.images, family=family, cache=instance.state / CACHE)
    except NoIndexError as error:
        return None, str(error)
    return {one.name: outdated.whole(one, own) for one in made}, ""


def _row(one: Held, found: Found) -> dict[str, str]:
    return {
        "image": one.name,
        "tag": one.tag or "-",
        "size": "-" if one.size is None else f"{one.size / MEGA:.1f} MB",
        "packages": "-" if one.packages is None else str(len(one.packages)),
        "shell": "-" if one.shells is None else " ".join(sorted({shell.name for shell in one.shells})) or "no",
        "age": _age(one),
        "newer": "-" if one.made is None else "unknown" if found is None else str(len(found[one.name]) or "no"),
        "stands in for": re.split(r"[,.:;]", one.stands_in_for or "")[0],  # its name; --json has the whole of it
    }


def _age(one: Held) -> str:
    if one.made is not None:
        return age(one.made)
    return "not made yet" if one.pending is None else "pending"


def _document(one: Held, found: Found) -> dict[str, Any]:
    seconds = None if one.made is None else round((datetime.now(UTC) - one.made).total_seconds())
    newer = None if found is None or one.made is None else found[one.name]
    return {
        "image": one.name,
        "tag": one.tag,
        "pending": one.pending,
        "bytes": one.size,
        "packages": None if one.packages is None else [f"{p.name} {p.version}" for p in one.packages],
        "newer": None if newer is None else [{"package": n.package, "held": n.held, "newest": n.newest} for n in newer],
        "shells": None if one.shells is None else [str(shell) for shell in one.shells],
        "shell_reason": one.shell_reason,
        "age_seconds": seconds,
        "stands_in_for": one.stands_in_for,
    }


def _summary(held: Iterable[Held]) -> str:
    sizes = sorted(one.size for one in held if one.size is not None)
    if not sizes:
        return "none is made yet: `apply` makes them"
    return f"{len(sizes)} images made, median {median(sizes) / MEGA:.1f} MB, all {sum(sizes) / MEGA:.0f} MB"
