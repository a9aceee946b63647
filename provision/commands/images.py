"""images: what each declared image is made of, how large and how old it is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from provision.commands import opening
from provision.image.inventory import Held, inventory, leftover
from provision.image.recipe import host_family
from provision.say import Voice
from provision.table import age, table

COLUMNS = ("image", "tag", "size", "packages", "shell", "age", "stands in for")
MEGA = 1e6


def run(options: argparse.Namespace, voice: Voice) -> int:
    estate, instance = opening.opened(options, voice)
    held = inventory(estate, instance.images, host_family())
    others = leftover(held, instance.images)
    if options.json:
        document = {"estate": estate.name, "profile": estate.profile, "instance": instance.name}
        voice.document(json.dumps(document | {"images": [_document(one) for one in held]}, indent=2))
    for line in table(COLUMNS, [_row(one) for one in held]):
        voice.line(line)
    voice.line(f"\n{_summary(held)}")
    if others:
        size = sum(path.stat().st_size for path in others) / MEGA
        voice.line(f"{len(others)} archives of other definitions, {size:.0f} MB, in {instance.images}")
    return 0


def _row(one: Held) -> dict[str, str]:
    return {
        "image": one.name,
        "tag": one.tag or "-",
        "size": "-" if one.size is None else f"{one.size / MEGA:.1f} MB",
        "packages": "-" if one.packages is None else str(len(one.packages)),
        "shell": "-" if one.shells is None else " ".join(sorted({shell.name for shell in one.shells})) or "no",
        "age": _age(one),
        "stands in for": one.stands_in_for or "",
    }


def _age(one: Held) -> str:
    if one.made is not None:
        return age(one.made)
    return "not made yet" if one.pending is None else "pending"


def _document(one: Held) -> dict[str, Any]:
    seconds = None if one.made is None else round((datetime.now(UTC) - one.made).total_seconds())
    return {
        "image": one.name,
        "tag": one.tag,
        "pending": one.pending,
        "bytes": one.size,
        "packages": None if one.packages is None else [f"{p.name} {p.version}" for p in one.packages],
        "shells": None if one.shells is None else [str(shell) for shell in one.shells],
        "shell_reason": one.shell_reason,
        "age_seconds": seconds,
        "stands_in_for": one.stands_in_for,
    }


def _summary(held: Iterable[Held]) -> str:
    sizes = sorted(one.size for one in held if one.size is not None)
    if not sizes:
        return "none is made yet: `apply` makes them"
    return f"{len(sizes)} images made, median {sizes[len(sizes) // 2] / MEGA:.1f} MB, all {sum(sizes) / MEGA:.0f} MB"
