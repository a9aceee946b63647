"""What differs between the ruleset that is held and the one that is declared, in words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provision.facts.ruleset import NO_COMMENT, ActualRuleset

SHOWN = 2


def told(there: ActualRuleset, wanted: ActualRuleset) -> str:
    """The first differences, and how many more there are; their digests differ."""
    if not there.tables:
        return f"holds nothing, declared are {wanted}"
    found = list(_differences(there, wanted))
    if not found:
        return "holds the same in another order"
    more = len(found) - SHOWN
    return "; ".join(found[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _differences(there: ActualRuleset, wanted: ActualRuleset) -> Iterator[str]:
    """What bears the same words on both sides and says something else is one difference, not two."""
    lacking = _names(Counter(wanted.pieces) - Counter(there.pieces))
    besides = _names(Counter(there.pieces) - Counter(wanted.pieces))
    changed = lacking & besides
    yield from (f"{what} says something else" for what in _listed(changed))
    yield from (f"lacks {what}" for what in _listed(lacking - changed))
    yield from (f"holds {what} besides" for what in _listed(besides - changed))


def _listed(names: Counter[str]) -> list[str]:
    """What says most about itself first, in the kernel's order otherwise."""
    told = sorted(names.items(), key=lambda item: NO_COMMENT in item[0])
    return [what if times == 1 else f"{what} ({times} times)" for what, times in told]


def _names(pieces: Counter[tuple[str, str]]) -> Counter[str]:
    return Counter(what for what, _ in pieces.elements())
