"""Oracles: what a ruleset asks and this model cannot answer, each a level of its own that says what it would have been.

Who judges decides what to believe of an answer:

    LATER      a set that fills holds something else by then; "no" to all of these is what it holds now
    RATE       limit, quota, ct count, a full meter: a sender can have it either way by waiting
    UNREAD     nobody can tell: what hangs on it is unproven, and it names the rule to blame
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from specs.semantics.diagram import Packets, Space


class Moment(StrEnum):
    """What an oracle stands for."""

    LATER = "later"
    RATE = "rate"
    UNREAD = "unread"


@dataclass(kw_only=True)
class Oracles:
    """The oracles of a Space: level -> the rule, why, and of which kind."""

    space: Space
    named: dict[int, tuple[str, Moment]] = field(default_factory=dict)

    def ask(self, about: str, moment: Moment) -> Packets:
        """A set that holds every packet when the oracle says yes, and none when it says no."""
        level = self.space.level()
        self.named[level] = (about, moment)
        return self.space.where(level, 1)

    def among(self, levels: Iterable[int], moment: Moment) -> frozenset[int]:
        """Those of the levels that stand for such a moment."""
        return frozenset(level for level in levels if level in self.named and self.named[level][1] is moment)

    def blame(self, packets: Packets) -> tuple[str, ...]:
        """The rules that a set of packets hangs on, without anybody knowing their answer."""
        asked = self.space.support(packets) & self.named.keys()
        told = (self.named[level] for level in sorted(asked))
        return tuple(dict.fromkeys(about for about, moment in told if moment is not Moment.RATE))

    def now(self, packets: Packets, sets: Iterable[str] | None = None) -> Packets:
        """With what the sets hold now: all that fill, or those of the given names (`@banned`) alone."""
        asked = self.among(self.space.support(packets), Moment.LATER)
        for level in asked:
            if sets is None or any(f" {name} " in self.named[level][0] for name in sets):
                packets = self.space.fixed(packets, level, 0)
        return packets
